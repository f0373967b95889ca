// asks for ships
module.exports = () => fetch("https://api.example/list");
