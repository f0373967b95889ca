// Compiles a small language of terminals to functions: escapes are read, code is made.
function compile(text) {
  let code = "";
  for (const part of text.match(/\\[0-7]{3}|[^\\]/g) || []) {
    code += part.length === 4 ? String.fromCharCode(parseInt(part.slice(1), 8)) : part;
  }
  return new Function("parameters", "return " + JSON.stringify(code));
}
const names = [];
for (let at = 0; at < 3; at += 1) names.push(String.fromCharCode(36) + at);
module.exports = { compile, call: new Function(names.join(","), "return 3") };
