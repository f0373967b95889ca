module.exports = () => fetch("https://api.example/list");
