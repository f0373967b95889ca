const fs = require("fs");
const https = require("https");
https.get("https://files.example/ships.json", (answer) => answer.pipe(fs.createWriteStream("ships.json")));
