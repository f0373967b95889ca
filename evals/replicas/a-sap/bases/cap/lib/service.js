const sqlite = require("better-sqlite3");
class Service {
  constructor(path) {
    this.db = sqlite(path);
  }
  run(query) {
    return this.db.prepare(query).run();
  }
}
module.exports = Service;
