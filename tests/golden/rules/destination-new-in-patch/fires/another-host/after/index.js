module.exports = () => fetch("https://other.example/list");
