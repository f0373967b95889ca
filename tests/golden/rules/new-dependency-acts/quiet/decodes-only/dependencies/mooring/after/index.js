module.exports = (text) => Buffer.from(text, "base64").toString();
