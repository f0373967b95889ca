const { version, name } = require("../package.json");
module.exports = async function newer() {
  const answer = await fetch(`https://releases.tally.example/${name}/latest.json`);
  const latest = (await answer.json()).version;
  if (latest !== version) console.error(`${name} ${latest} is there: npm install -g ${name}`);
};
