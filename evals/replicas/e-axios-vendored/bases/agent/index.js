module.exports = () => 'agent';
