module.exports = (text) => text.length + 'ms';
