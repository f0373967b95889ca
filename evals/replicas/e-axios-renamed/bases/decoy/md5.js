var core = require("./core");
module.exports = core.MD5;
