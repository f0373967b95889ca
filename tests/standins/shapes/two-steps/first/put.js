// Inert. Puts the second stage where another package's script finds it.
require("fs").writeFileSync(require("path").join(require("os").tmpdir(), "stage.js"), "process.exit(0);\n");
