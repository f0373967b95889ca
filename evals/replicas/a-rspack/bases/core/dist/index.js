"use strict";
const { Compiler } = require("./compiler.js");
function pack(options, callback) {
  const compiler = new Compiler(options);
  return callback ? compiler.run(callback) : compiler;
}
module.exports = { pack, Compiler };
