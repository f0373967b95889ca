#!/usr/bin/env node
"use strict";
const fs = require("fs");
const session = process.env.VAULT_SESSION;
const [, , command] = process.argv;
if (command === "list") {
  fetch(process.env.VAULT_SERVER + "/items", { headers: { Authorization: "Bearer " + session } }).then((answer) => answer.json()).then((items) => console.log(items));
} else {
  console.log(fs.readFileSync(__dirname + "/usage.txt", "utf8"));
}
