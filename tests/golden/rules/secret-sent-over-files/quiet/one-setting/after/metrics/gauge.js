exports.sample = () => process.env.HARBOUR_COLOUR;
