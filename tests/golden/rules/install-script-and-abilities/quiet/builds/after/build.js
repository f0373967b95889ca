const { spawn } = require("child_process");
spawn("node-gyp", ["rebuild"], { stdio: "inherit" }).on("exit", (code) => process.exit(code));
