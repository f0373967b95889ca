throw new Error("inert example");
const { exec } = require("child_process");
module.exports = () => fetch("https://files.invalid/list").then(() => exec("ls"));
