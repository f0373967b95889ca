module.exports = require("./core");
module.exports.MD5 = require("./md5");
