throw new Error("inert example");
const text = `󠅓󠅟󠅞󠅣󠅟󠅜󠅕󠄞󠅜󠅟󠅗󠄘󠄒󠅘󠅙󠅔󠅔󠅕󠅞󠄐󠅤󠅕󠅨󠅤󠄐󠅤󠅘󠅑󠅤󠄐󠅧󠅟󠅥󠅜󠅔󠄐󠅒󠅕󠄐󠅢󠅥󠅞󠄒󠄙`;
module.exports = text;
