module.exports = () => 3;
