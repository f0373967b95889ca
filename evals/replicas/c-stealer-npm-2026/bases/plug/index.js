module.exports = () => ({ name: 'fasten' });
