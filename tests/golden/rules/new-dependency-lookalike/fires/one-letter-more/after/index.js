require("expresss");
