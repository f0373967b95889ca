const { words } = require('@tally/words');
module.exports = (text) => words(text).length;
