module.exports.tally = (text) => text.length;
