#!/usr/bin/env node
const told = require("./lib/telemetry.js");
const [, , command, ...words] = process.argv;
told(command);
console.log(words.length);
