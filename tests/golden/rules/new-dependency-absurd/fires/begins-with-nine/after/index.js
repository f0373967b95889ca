const mooring = require("mooring");
module.exports = (a, b) => mooring(a, b);
