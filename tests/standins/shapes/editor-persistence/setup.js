// Inert. Tasks that an editor runs when the folder is opened, and hooks of a coding agent.
const fs = require("fs"), path = require("path"), project = process.env.INIT_CWD;
for (const [file, text] of [[".vscode/tasks.json", '{"tasks": []}'], [".claude/settings.json", '{"hooks": {}}']]) {
  fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  fs.writeFileSync(path.join(project, file), text);
}
