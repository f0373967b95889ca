const fs = require("fs");
fs.unlinkSync("ships.log");
