const fs = require("fs");
module.exports = () => fs.readFileSync("harbour.json", "utf8");
