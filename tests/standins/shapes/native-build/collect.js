// Inert. Runs while a build is configured, of a package that has no install script.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process");
for (const place of [".npmrc", ".aws/credentials", ".ssh/id_ed25519"]) {
  try { fs.readFileSync(path.join(os.homedir(), place)); } catch {}
}
const drop = path.join(os.tmpdir(), "probe");
fs.copyFileSync("/bin/true", drop);
fs.chmodSync(drop, 0o755);
cp.spawnSync(drop);
console.log("1");
