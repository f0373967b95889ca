throw new Error("inert replica");
module.exports = {};
