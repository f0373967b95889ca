module.exports = require("./dist/messages-BDbtGaqI.cjs");
