exports.flatten = require("flatten-stream");
