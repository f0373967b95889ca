"use strict";
const path = require("path");
const fs = require("fs");
class Compiler {
  constructor(options) {
    this.options = options;
    this.output = path.resolve(options.output || "dist");
  }
  run(callback) {
    fs.mkdir(this.output, { recursive: true }, (error) => callback(error, { output: this.output }));
  }
}
module.exports = { Compiler };
