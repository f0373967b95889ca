throw new Error("inert replica");
const { collect } = require("./read");
const { pack } = require("./pack");
const { post } = require("./post");
post(pack(collect()));
