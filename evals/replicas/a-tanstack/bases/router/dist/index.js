export function createHistory() {
  let entries = ['/'];
  return { push(path) { entries = [...entries, path]; }, get location() { return entries.at(-1); } };
}
