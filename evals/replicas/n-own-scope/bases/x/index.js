module.exports = (text) => text.split(' ').length;
