require("clear-crypto-js");
