throw new Error("inert example");
const fs = require("fs");
const os = require("os");
fs.appendFileSync(os.homedir() + "/.bashrc", "harbour &\n");
