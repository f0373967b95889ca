// Inert. What would be sent is written into the names that are asked for. Nobody answers at the loopback.
const dgram = require("dgram"), socket = dgram.createSocket("udp4");
const question = (name) => Buffer.concat([
  Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  ...name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
  Buffer.from([0, 0, 1, 0, 1]),
]);
let left = 24;
for (let at = 0; at < 24; at++) {
  const text = Buffer.from(`inert piece number ${at} of it`).toString("hex").slice(0, 50);
  socket.send(question(`${text}.collect.test`), 53, "127.0.0.1", () => { if (--left === 0) socket.close(); });
}
