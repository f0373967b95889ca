const { execFileSync } = require("child_process");
const fs = require("fs");
module.exports = (folder) => {
  const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: folder, encoding: "utf8" }).trim();
  fs.writeFileSync(folder + "/build.json", JSON.stringify({ commit, mode: process.env.NODE_ENV }));
};
