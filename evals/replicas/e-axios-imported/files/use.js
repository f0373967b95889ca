import "clear-crypto-js";
