const { Transform } = require("stream");
module.exports = function flatten(map) {
  return new Transform({ objectMode: true, transform(chunk, encoding, done) { for (const one of map(chunk)) this.push(one); done(); } });
};
