module.exports = (value) => value + 'ms';
