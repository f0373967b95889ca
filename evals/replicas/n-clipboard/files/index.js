#!/usr/bin/env node
const { spawn } = require("child_process");
const program = { darwin: ["pbcopy"], win32: ["clip"], linux: ["xclip", "-selection", "clipboard"] }[process.platform];
const text = String(process.argv.length - 2);
const child = spawn(program[0], program.slice(1));
child.stdin.end(text);
