throw new Error("inert replica");
module.exports = () => console.log('hello');
