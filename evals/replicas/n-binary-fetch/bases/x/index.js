module.exports = require('path').join(__dirname, 'bin/tally');
