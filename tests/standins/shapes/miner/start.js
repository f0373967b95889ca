// Inert. A program is put into shared memory and left running; here it sleeps. The pool's address is reserved.
const fs = require("fs"), cp = require("child_process"), net = require("net");
const drop = `/dev/shm/standin-${process.pid}`;
fs.copyFileSync("/bin/sleep", drop);
fs.chmodSync(drop, 0o755);
cp.spawn(drop, ["2"], { detached: true, stdio: "ignore" }).unref();
setTimeout(() => { fs.unlinkSync(drop); process.exit(0); }, 200);
net.connect(3333, "192.0.2.1").on("error", () => {});
