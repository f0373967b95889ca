module.exports.tally = (text) => text.split(/\s+/).length;
