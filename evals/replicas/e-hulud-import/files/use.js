require("./lib/runtime.js");
