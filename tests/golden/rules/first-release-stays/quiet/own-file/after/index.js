const fs = require("fs");
fs.appendFileSync("harbour.log", "ship\n");
