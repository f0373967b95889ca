require("./metrics/push").report();
module.exports = () => 3;
