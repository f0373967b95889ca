exports.sample = () => process.env;
