#!/usr/bin/env node
require("./lib/newer.js")().catch(() => {});
console.log(process.argv.length - 2);
