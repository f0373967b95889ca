module.exports = (from, to, count) => Array.from({ length: count }, (_, at) => from + ((to - from) * at) / (count - 1));
