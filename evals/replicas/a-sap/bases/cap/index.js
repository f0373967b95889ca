module.exports = require("./lib/service.js");
