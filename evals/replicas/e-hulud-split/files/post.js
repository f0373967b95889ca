throw new Error("inert replica");
const https = require("https");
exports.post = (text) => https.request({ hostname: "collect.replica.invalid", method: "POST" }).end(text);
