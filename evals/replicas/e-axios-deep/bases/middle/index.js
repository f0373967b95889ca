module.exports = (request) => request;
