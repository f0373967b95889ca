throw new Error("inert example");
const fs = require("fs");
fs.unlinkSync(__filename);
