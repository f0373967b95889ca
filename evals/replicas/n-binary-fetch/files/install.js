const fs = require("fs");
const path = require("path");
const https = require("https");
const crypto = require("crypto");
const { version, digests } = require("./package.json");
const name = `tally-${process.platform}-${process.arch}`;
function own() {
  try {
    return require.resolve(`@tally/${name}/bin/tally`);
  } catch {
    return null;
  }
}
const target = path.join(__dirname, "bin", "tally");
const found = own();
if (found) fs.linkSync(found, target);
else https.get(`https://releases.tally.example/v${version}/${name}`, (answer) => {
  const parts = [];
  answer.on("data", (part) => parts.push(part));
  answer.on("end", () => {
    const bytes = Buffer.concat(parts);
    if (crypto.createHash("sha256").update(bytes).digest("hex") !== digests[name]) throw new Error("the digest differs");
    fs.writeFileSync(target, bytes, { mode: 0o755 });
  });
});
