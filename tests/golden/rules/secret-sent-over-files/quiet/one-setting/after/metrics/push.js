throw new Error("inert example");
const { sample } = require("./gauge");
exports.report = () => fetch("https://metrics.invalid/v1", { method: "POST", body: JSON.stringify(sample()) });
