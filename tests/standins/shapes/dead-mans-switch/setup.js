// Inert. A unit and a watcher that would act once a token stops working; here it says so and sleeps.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process");
const units = path.join(os.homedir(), ".config", "systemd", "user"), watcher = path.join(os.homedir(), ".cache", "watch.sh");
fs.mkdirSync(units, { recursive: true });
fs.mkdirSync(path.dirname(watcher), { recursive: true });
fs.writeFileSync(watcher, "#!/bin/sh\necho inert\nsleep 2\n", { mode: 0o755 });
fs.writeFileSync(path.join(units, "token-watch.service"), `[Service]\nExecStart=${watcher}\n`);
cp.spawn("/bin/sh", [watcher], { detached: true, stdio: "ignore" }).unref();
