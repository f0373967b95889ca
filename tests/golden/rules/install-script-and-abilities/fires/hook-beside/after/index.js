const { exec } = require("child_process");
module.exports = () => fetch("https://files.invalid/list").then(() => exec("ls"));
