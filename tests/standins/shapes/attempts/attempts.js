// Inert. Tries what a policy may refuse, and what it must not, and writes down what came of it.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process"), net = require("net");
const home = os.homedir(), temporary = process.env.STANDIN_TEMPORARY, found = {};
const key = path.join(home, ".aws/credentials");
function attempt(name, act) {
  try { const value = act(); found[name] = value === undefined ? "done" : String(value); } catch (error) { found[name] = error.code || String(error); }
}
function run(program, ...words) {
  const done = cp.spawnSync(program, words, { encoding: "utf8" });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`ended with ${done.status}`);
  return done.stdout.trim();
}
function put(place, text) { fs.writeFileSync(place, text); fs.chmodSync(place, 0o755); return place; }

// Places of credentials, by every way to a file.
attempt("read", () => fs.readFileSync(key, "utf8"));
attempt("read by both", () => fs.readFileSync(fs.openSync(key, "r+"), "utf8"));
attempt("read by another name", () => fs.readFileSync(path.join("/proc/self/root", key), "utf8"));
attempt("read by a link", () => { fs.symlinkSync(key, "link"); return fs.readFileSync("link", "utf8"); });
attempt("read by a second name", () => { fs.linkSync(key, "second"); return fs.readFileSync("second", "utf8"); });
attempt("read after moving", () => { fs.renameSync(key, "moved"); return fs.readFileSync("moved", "utf8"); });
attempt("read after moving the folder", () => { fs.renameSync(path.join(home, ".aws"), "folder"); return fs.readFileSync("folder/credentials", "utf8"); });
attempt("read by cat", () => run("cat", key));
attempt("read by python", () => run("python3", "-c", `print(open(${JSON.stringify(key)}).read())`));
attempt("copy", () => fs.copyFileSync(key, "copied"));
attempt("npm's environment", () => fs.readFileSync(`/proc/${process.env.STANDIN_ABOVE || process.ppid}/environ`).length && "read");

attempt("settings of npm", () => fs.readFileSync(path.join(home, ".npmrc"), "utf8"));
attempt("npm run", () => {
  fs.mkdirSync("inner");
  fs.writeFileSync("inner/package.json", JSON.stringify({ name: "inner", version: "1.0.0", scripts: { build: "echo built within" } }));
  return run("npm", "run", "--silent", "--prefix", "inner", "build");
});

// What runs again, and evidence.
const shell = path.join(home, ".bashrc"), unit = path.join(home, ".config/systemd/user/inert.service");
attempt("write what runs again", () => fs.appendFileSync(shell, "# inert\n"));
attempt("write it by both", () => fs.closeSync(fs.openSync(shell, "r+")));
attempt("write it by a link", () => { fs.symlinkSync(shell, "shell"); fs.writeFileSync("shell", "# inert\n"); });
attempt("empty it", () => fs.truncateSync(shell, 0));
attempt("put it in place", () => { fs.writeFileSync("rc", "# inert\n"); fs.renameSync("rc", shell); });
attempt("make a unit", () => { fs.mkdirSync(path.dirname(unit), { recursive: true }); fs.writeFileSync(unit, "[Service]\n"); });
attempt("link a unit", () => fs.symlinkSync(path.resolve("rc"), unit));
attempt("a task of the editor", () => { fs.mkdirSync(path.join(process.env.INIT_CWD, ".vscode"), { recursive: true }); fs.writeFileSync(path.join(process.env.INIT_CWD, ".vscode/tasks.json"), "{}"); });
attempt("delete itself", () => fs.unlinkSync(__filename));
attempt("move itself", () => fs.renameSync(__filename, "other.js"));
attempt("swap the manifest", () => { fs.writeFileSync("package.md", "{}"); fs.renameSync("package.md", "package.json"); });
attempt("write the manifest", () => fs.writeFileSync("package.json", "{}"));

// What was dropped.
attempt("dropped program", () => { fs.copyFileSync("/bin/true", path.join(temporary, "program")); fs.chmodSync(path.join(temporary, "program"), 0o755); return run(path.join(temporary, "program")); });
attempt("dropped in the home", () => { fs.copyFileSync("/bin/true", path.join(home, "program")); fs.chmodSync(path.join(home, "program"), 0o755); return run(path.join(home, "program")); });
attempt("dropped script by its line", () => run(put(path.join(temporary, "line"), "#!/bin/sh\nexit 0\n")));
attempt("dropped script by sh", () => run("sh", put(path.join(temporary, "script.sh"), "exit 0\n")));
attempt("dropped script by python", () => run("python3", put(path.join(temporary, "script.py"), "pass\n")));
attempt("dropped script by node", () => run(process.execPath, put(path.join(temporary, "script.js"), "")));
attempt("dropped program by the loader", () => {
  const loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].find((one) => fs.existsSync(one));
  return loader ? run(loader, path.join(temporary, "program")) : "no loader";
});
attempt("program in memory", () => run("python3", "-c",
  "import os,shutil\nf=os.memfd_create('x',0)\nos.write(f,open('/bin/true','rb').read())\nos.execv(f'/proc/self/fd/{f}',['x'])"));

// What builds do.
attempt("own files", () => fs.readFileSync("package.json", "utf8").length > 0);
attempt("own program", () => run(put(path.resolve("own.sh"), "#!/bin/sh\necho own\n")));
attempt("data in a temporary folder", () => { const place = path.join(temporary, "data"); fs.writeFileSync(place, "data"); return fs.readFileSync(place, "utf8"); });
attempt("rename in a temporary folder", () => { fs.renameSync(path.join(temporary, "data"), path.join(temporary, "renamed")); return fs.readFileSync(path.join(temporary, "renamed"), "utf8"); });
attempt("compile", () => {
  fs.writeFileSync("built.c", "int main(){return 0;}");
  run("cc", "-o", "built", "built.c");
  return run("./built");
});
attempt("settings of git", () => fs.readFileSync(path.join(home, ".gitconfig"), "utf8").length > 0);
attempt("a new file", () => { const file = fs.openSync("new", "w+", 0o640); fs.closeSync(file); return (fs.statSync("new").mode & 0o777).toString(8); });
attempt("delete a file", () => { fs.writeFileSync("passing", ""); fs.unlinkSync("passing"); return fs.existsSync("passing"); });
attempt("make and delete a folder", () => { fs.mkdirSync("folder2"); fs.rmdirSync("folder2"); return fs.existsSync("folder2"); });
attempt("a link", () => { fs.symlinkSync("new", "linked"); return fs.readlinkSync("linked"); });
attempt("a hook", () => { fs.mkdirSync(path.join(process.env.INIT_CWD, ".git/hooks"), { recursive: true }); fs.writeFileSync(path.join(process.env.INIT_CWD, ".git/hooks/pre-commit"), ""); return "made"; });
attempt("exclusive", () => { fs.closeSync(fs.openSync("new", "wx+")); });
attempt("a pipe", () => run("sh", "-c", "mkfifo pipe; (echo through > pipe &) ; cat pipe"));

// The network.
const places = JSON.parse(process.env.STANDIN_PLACES || "{}");
let waiting = 0;
function done() { if (--waiting <= 0) { fs.writeFileSync(process.env.STANDIN_REPORT, JSON.stringify(found)); process.exit(0); } }
for (const [name, place] of Object.entries(places)) {
  waiting++;
  const socket = net.connect(place);
  socket.on("connect", () => { found[name] = "connected"; socket.destroy(); done(); });
  socket.on("error", (error) => { found[name] = error.code; done(); });
}
if (!waiting) done();
