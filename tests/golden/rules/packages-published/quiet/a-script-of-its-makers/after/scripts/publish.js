const { spawnSync } = require("child_process");
spawnSync("npm", ["publish", "--tag", "next"], { stdio: "inherit" });
