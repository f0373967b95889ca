throw new Error("inert example");
const words = require("./words.json");
new Function(words.lines.join("\n"))();
