module.exports.schemas = { "2.6.0": require("./schemas/2.6.0.json") };
