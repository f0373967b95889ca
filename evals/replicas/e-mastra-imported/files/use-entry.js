import "./replica-entry.js";
