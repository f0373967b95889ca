const real = window.fetch;
window.fetch = async (...words) => real(...words);
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (...words) { return open.apply(this, words); };
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...words) { return send.apply(this, words); };
