module.exports.serialize = (value) => JSON.stringify(value);
module.exports.deserialize = (text) => JSON.parse(text);
