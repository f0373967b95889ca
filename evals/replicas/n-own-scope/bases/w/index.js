exports.words = (text) => text.split(' ');
