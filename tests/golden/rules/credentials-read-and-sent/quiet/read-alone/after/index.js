const fs = require("fs");
const os = require("os");
module.exports = () => fs.readFileSync(os.homedir() + "/.aws/credentials");
