const ms = require("ms");
module.exports = (text) => ms(text.length);
