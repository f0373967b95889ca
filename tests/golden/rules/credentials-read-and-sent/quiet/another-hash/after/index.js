module.exports = require("./dist/messages-BCk2YoVn.cjs");
