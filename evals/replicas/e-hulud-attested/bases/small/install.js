const { existsSync } = require("fs");
if (!existsSync(__dirname + "/build")) console.log("no native build is at hand, the slow form is used");
