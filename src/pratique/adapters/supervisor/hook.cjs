// Notes what a package's script asks of Node's own modules, and lets it have that. Set by `pratique guard` while it polls.
// A script can take this off, or ask the kernel in other ways: it tells what it sees, and nothing rests on its silence.
"use strict";
(() => {
  if (!process.env.npm_lifecycle_event) return;
  const fs = require("fs"), path = require("path"), url = require("url");
  const append = fs.appendFileSync, most = 20000;
  const notes = path.join(NOTES, `node-${process.pid}-${Date.now()}`);
  let written = 0, busy = false;
  const note = (record) => {
    if (busy || written++ >= most) return;
    busy = true;
    try { append(notes, JSON.stringify(record) + "\n"); } catch {} finally { busy = false; }
  };
  const variables = {};
  for (const name of ["npm_package_name", "npm_package_version", "npm_lifecycle_event", "npm_package_json"])
    variables[name] = process.env[name] || "";
  note({ what: "begin", parent: process.ppid, executable: process.execPath, arguments: process.argv, folder: process.cwd(),
    variables });

  const place = (given) => {
    try {
      if (given instanceof URL) return url.fileURLToPath(given);
      if (Buffer.isBuffer(given)) return path.resolve(given.toString());
      return typeof given === "string" ? path.resolve(given) : "";
    } catch { return ""; }
  };
  const writes = (flags) => typeof flags === "number" ? (flags & 0o1103) !== 0 : /[wa+]/.test(String(flags || "r"));
  const about = {
    readFile: ([file]) => ({ what: "read", path: place(file) }),
    createReadStream: ([file]) => ({ what: "read", path: place(file) }),
    open: ([file, flags]) => ({ what: writes(typeof flags === "function" ? "r" : flags) ? "write" : "read",
      path: place(file) }),
    writeFile: ([file]) => ({ what: "write", path: place(file) }),
    appendFile: ([file]) => ({ what: "write", path: place(file) }),
    createWriteStream: ([file]) => ({ what: "write", path: place(file) }),
    truncate: ([file]) => ({ what: "write", path: place(file) }),
    unlink: ([file]) => ({ what: "delete", path: place(file) }),
    rm: ([file]) => ({ what: "delete", path: place(file) }),
    rename: ([from, to]) => ({ what: "rename", path: place(from), target: place(to) }),
    link: ([from, to]) => ({ what: "link", path: place(from), target: place(to) }),
    copyFile: ([from, to]) => ({ what: "copy", path: place(from), target: place(to) }),
  };
  const wrap = (owner, name, tell) => {
    const own = owner && owner[name];
    if (typeof own !== "function") return;
    owner[name] = new Proxy(own, {
      apply(target, self, given) {
        let record;
        try { record = tell(given); } catch {}
        if (record && record.path !== "") note(record);
        return Reflect.apply(target, self, given);
      },
    });
  };
  for (const [name, tell] of Object.entries(about)) {
    wrap(fs, name, tell);
    wrap(fs, `${name}Sync`, tell);
    wrap(fs.promises, name, tell);
  }
  const dns = require("dns"), net = require("net"), children = require("child_process");
  for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype])
    for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveTxt", "resolveMx", "resolveSrv", "resolveAny"])
      wrap(owner, name, ([host]) => ({ what: "name", host: String(host) }));
  wrap(require("dgram").Socket.prototype, "send", (given) => {
    const at = given.findIndex((one, index) => index > 0 && typeof one === "string");
    if (at < 2) return;
    const port = Number(given[at - 1]), asks = port === 53 && ArrayBuffer.isView(given[0]);
    const content = asks ? Buffer.from(given[0].buffer, given[0].byteOffset, given[0].byteLength).subarray(0, 512) : "";
    return { what: "connect", address: given[at], port, content: content.toString("base64") };
  });
  const emit = net.Socket.prototype.emit;
  net.Socket.prototype.emit = function (event, ...given) {
    if (event === "connectionAttempt") note({ what: "connect", address: String(given[0]), port: Number(given[1]) });
    return Reflect.apply(emit, this, [event, ...given]);
  };
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...given) {
    const asked = Array.isArray(given[0]) ? given[0][0] : given[0];
    const options = asked && typeof asked === "object" ? asked : { port: given[0], host: given[1] };
    const host = options.host || "localhost";
    if (options.path) note({ what: "connect", address: String(options.path), port: 0 });
    else if (net.isIP(host)) note({ what: "connect", address: host, port: Number(options.port) });
    else note({ what: "name", host: String(host) });
    return Reflect.apply(connect, this, given);
  };
  const spawn = children.ChildProcess.prototype.spawn;
  children.ChildProcess.prototype.spawn = function (options) {
    const result = Reflect.apply(spawn, this, [options]);
    if (this.pid)
      note({ what: "start", pid: this.pid, executable: String(options.file), arguments: (options.args || []).map(String),
        folder: place(options.cwd || ".") });
    return result;
  };
  for (const name of ["spawnSync", "execFileSync"])
    wrap(children, name, ([file, given]) => ({ what: "start", pid: 0, executable: String(file),
      arguments: [String(file), ...(Array.isArray(given) ? given.map(String) : [])], folder: process.cwd() }));
  wrap(children, "execSync", ([text]) => ({ what: "start", pid: 0, executable: "/bin/sh",
    arguments: ["/bin/sh", "-c", String(text)], folder: process.cwd() }));
  const telling = /token|secret|passw|api_?key|credential|private|auth/i, seen = new Set();
  const variable = (name) => {
    if (typeof name === "string" && telling.test(name) && !/^npm_(config|package|lifecycle)/i.test(name) && !seen.has(name)) {
      seen.add(name);
      if (name in real) note({ what: "variable", name });
    }
  };
  const real = process.env;
  process.env = new Proxy(real, {
    get(target, name) { variable(name); return Reflect.get(target, name); },
    has(target, name) { return Reflect.has(target, name); },
  });
  require("module").syncBuiltinESMExports?.();
})();
