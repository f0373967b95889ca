const fs = require("fs");
const path = require("path");
const found = require.resolve(`@tally/tally-${process.platform}-${process.arch}/bin/tally`);
fs.linkSync(found, path.join(__dirname, "bin", "tally"));
