// Inert. The macOS shape, as far as Linux can play it: a scripting host that fetches a program into a folder of caches.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process");
const host = path.join(__dirname, "osascript"), cache = path.join(os.homedir(), "Library", "Caches", "com.example.act");
fs.mkdirSync(path.dirname(cache), { recursive: true });
cp.spawnSync(host, ["-e", `do shell script "curl -o ${cache}"`]);
fs.copyFileSync("/bin/true", cache);
fs.chmodSync(cache, 0o755);
cp.spawnSync(cache);
