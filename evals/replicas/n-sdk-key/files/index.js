exports.files = require('./lib/files.js');
