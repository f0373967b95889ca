throw new Error("inert example");
const code = Buffer.from("Y29uc29sZS5sb2coImEgZGVjb2RlZCB0ZXh0IHRoYXQgd291bGQgYmUgcnVuIGFzIGNvZGUiKTs=", "base64").toString();
eval(code);
