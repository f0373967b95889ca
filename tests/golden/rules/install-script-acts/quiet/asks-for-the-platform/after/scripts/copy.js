const os = require("os");
const fs = require("fs");
fs.copyFileSync(`prebuilt/${os.platform()}.node`, "harbour.node");
