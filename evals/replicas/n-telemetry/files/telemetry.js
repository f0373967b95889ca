const os = require("os");
const crypto = require("crypto");
const https = require("https");
module.exports = function told(command) {
  if (process.env.TALLY_TELEMETRY_DISABLED || process.env.DO_NOT_TRACK || process.env.CI) return;
  const body = JSON.stringify({ command, node: process.version, system: os.platform(), arch: os.arch(), machine: crypto.createHash("sha256").update(os.hostname()).digest("hex") });
  const request = https.request("https://telemetry.tally.example/v1/events", { method: "POST", headers: { "content-type": "application/json" }, timeout: 1000 });
  request.on("error", () => {});
  request.end(body);
};
