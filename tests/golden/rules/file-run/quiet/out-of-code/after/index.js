const fs = require("fs");
const path = require("path");
const vm = require("vm");
vm.runInThisContext(fs.readFileSync(path.join(__dirname, "other.js"), "utf8"));
