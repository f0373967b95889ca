"""The node-semver that npm ships, asked in bulk: the oracle for versions.py.

`python -m tests.unit.ecosystems.npm.node_semver` writes `versions_table.json` anew from it.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("versions_table.json")

_SCRIPT = """
const semver = require(process.argv[1])
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(cases.map(([kind, a, b, loose]) => {
  if (kind === 'satisfies') {
    return semver.validRange(b, { loose }) === null ? null : semver.satisfies(a, b, { loose })
  }
  if (kind === 'compare') {
    try { return semver.compare(a, b, { loose }) } catch { return null }
  }
  const parsed = semver.parse(a, { loose })
  return parsed && [parsed.version, parsed.build]
})))
"""

VERSIONS = (
    "0.0.0", "0.0.1", "0.0.2", "0.1.0", "0.1.2", "0.2.0", "0.9.9", "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.2", "1.2.3",
    "1.2.4", "1.3.0", "1.9.9", "1.14.1", "2.0.0", "2.0.1", "2.3.4", "3.0.0", "10.0.0", "0.30.4", "4.2.1",
    "0.0.0-0", "0.0.0-alpha", "0.0.1-alpha.1", "1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
    "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.2.3-0", "1.2.3-alpha", "1.2.3-alpha.2",
    "1.2.3-alpha.10", "1.2.3-beta", "1.2.3--", "1.2.3-0a", "1.2.4-0", "1.2.4-beta", "2.0.0-0", "2.0.0-rc.1",
    "1.2.3+build", "1.2.3-beta+build.5", "v1.2.3", "=1.2.3", "= v1.2.3", " 1.2.3 ", "1.2.3beta", "01.2.3", "1.02.3",
    "1.2.3-01", "1.2", "1", "", "x", "latest", "1.2.3.4", "1.2.3-", "1.2.3-a..b", "1.2.3+", "1.2.3-é", "１.2.3",
    "9007199254740991.0.0", "9007199254740992.0.0", "1.2.3-9007199254740993", "1.2.3-9007199254740990",
    "1.2.3-99999999999999999999.a",
)  # fmt: skip

RANGES = (
    "", "*", "x", "X", "x.x", "*.*.*", "1", "1.x", "1.X", "1.*", "1.2", "1.2.x", "1.2.*", "1.2.3", "=1.2.3", "v1.2.3",
    "= 1.2.3", "=v1.2.3", "==1.2.3", "==1.2", "1.2.3-beta", "1.2.3+build", "0", "0.0", "0.x", "0.0.x",
    ">1", ">1.2", ">1.2.3", ">=1", ">=1.2", ">=1.2.3", "<1", "<1.2", "<1.2.3", "<=1", "<=1.2", "<=1.2.3", "> 1.2.3",
    ">= 1.2", "< 2", "<= 1.x", ">x", "<x", ">=x", "<=x", ">*", "<*", ">=*", "<0.0.0-0", "<0", ">0", ">=0", ">=0.0.0",
    ">=0.0.0-0", ">=1.2.3-alpha", "<1.2.3-beta", "<=1.2.3-beta", ">1.2.3-alpha.2",
    "^0", "^0.0", "^0.0.0", "^0.0.1", "^0.0.x", "^0.1", "^0.1.2", "^0.x", "^1", "^1.2", "^1.2.3", "^1.x", "^1.2.x",
    "^x", "^*", "^1.2.3-alpha", "^0.1.2-beta", "^0.0.1-alpha", "^ 1.2.3", "^v1.2.3", "^=1.2.3", "^1.2.3-alpha+build",
    "~0", "~0.1", "~1", "~1.2", "~1.2.3", "~1.x", "~1.2.x", "~x", "~>1.2.3", "~> 1.2", "~ 1.2.3", "~1.2.3-beta",
    "~v1.2", "~ >1.2.3", "~>=1.2", "^1.x.3", "~x.1",
    "1.2.3 - 2.0.0", "1.2 - 2.0.0", "1 - 2", "1.2.3 - 2.3", "1.2.3 - 2", "x - 2", "1 - x", "* - *", "1.2.3-beta - 2",
    "1.2 - 1.2.3-beta", "v1.2.3 - v2", "=1.2.3 - 2", "1.2.3 -2", "1.2.3- 2", "1.2.3  -  2.0.0", " 1.2.3 - 2 ",
    "1.2.3 - 2.0.0 || 3", "1.2.3 - 2.0.0+build", "1 - 2 - 3", "1 - 2 3",
    "1 || 2", "1||2", "||", "|| 1", "1 ||", "1.2.3 || >=2 <3", "^1.2.3 || ^2.0.0-rc", ">=0.0.0 || 1.2.3-beta",
    "* || 1.2.3-beta", "* 1.2.3-beta", "<0.0.0-0 || 1", "<x || >x", "latest || 1", "1 || latest", "1 | 2",
    ">=1.2.3 <2", ">=1.2.3 <2.0.0", ">1.0.0 <1.2.0 ", "<2 >=1", "~1.2.3 <1.2.5", "^1.2 ^1.3", ">=1.2.3-alpha <1.2.3",
    ">1.2.3,<2", ">=1.2.3&&<2", "1.2.3 2.3.4", "^1 foo", "foo 1", "foo bar", "1.2.3.4", "1.2.3.x", "1.x.3", "x.1",
    "*.1", "1.*.3", "1.2.3*", "1.2*", "*1.2.3", ">*1.2.3", "1.2.3-*", "1.2.x-beta", "^1.2.x-beta", ">=1.2.x-beta",
    "> = 1.2.3", ">= =1.2", "> =1.2.3", ">v1.2.3", ">v 1.2.3", "v 1.2.3", "=> 1.2.3", "=<2", "=>1", "<>1.2.3",
    ">>1.2.3", "!1.2.3", "^", "~", "~>", ">", "=", "-", "^^1", "^~1", "^>1", "1 ^",
    "1.2.3beta", "^1.2.3beta", ">1.2.3beta <2",
    "01.2.3", "^01.2", "^00.1", "~01.02.03", "1.2.03", "1.2.3-01", "^1.2.3-01", "1.2.3-", "^1.2.3-", "1.2.3--",
    "latest", "next", "workspace:*", "workspace:^1", "npm:chalk@^4", "file:../x", "git+ssh://git@h/x", "github:o/r",
    "https://h/x-1.2.3.tgz", "o/r", "1.2.3\t2", "\ufeff1.2.3", "１.x", "1.2.3\n", "9007199254740991",
    "9007199254740990", "~9007199254740991.0.0", "<9007199254740992", ">=9007199254740992.0.0",
    "^9007199254740992", "99999999999999999999",
    "1.2.3 +build", "foo +build", "1.2.3+a+b", "1.2.3 || ", "v", "vx", "=x", "v*", "1.2.3-alpha || 1.2.4-beta",
)  # fmt: skip


@functools.cache
def library() -> Path | None:
    """The folder of the semver that npm ships, None where npm or node is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    for parent in Path(npm).resolve().parents:
        for folder in (parent / "node_modules" / "semver", parent / "node_modules/npm/node_modules/semver"):
            if (folder / "functions" / "satisfies.js").is_file():
                return folder
    return None


def ask(cases: list[list[Any]]) -> list[Any]:
    """The library's answers to `[kind, a, b, loose]` questions."""
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, "-e", _SCRIPT, str(library())],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answers: list[Any] = json.loads(done.stdout)
    return answers


def pack(answers: list[Any]) -> str:
    """Answers to questions of one kind as letters: yes, no, none; or less, equal, greater."""
    letters = {"True": "y", "False": "n", "None": "-", "-1": "<", "0": "=", "1": ">"}
    return "".join(letters[str(answer)] for answer in answers)


def build() -> dict[str, Any]:
    """The table: one row of letters for each range and each version, in the order of VERSIONS."""
    folder = library()
    assert folder is not None
    table: dict[str, Any] = {"versions": list(VERSIONS)}
    table["semver"] = json.loads((folder / "package.json").read_text())["version"]
    for loose in (True, False):
        answers = ask([["parse", version, None, loose] for version in VERSIONS])
        rows = ask([["satisfies", version, text, loose] for text in RANGES for version in VERSIONS])
        pairs = ask([["compare", a, b, loose] for a in VERSIONS for b in VERSIONS])
        width = len(VERSIONS)
        table["loose" if loose else "strict"] = {
            "parse": answers,
            "satisfies": {text: pack(rows[i * width : (i + 1) * width]) for i, text in enumerate(RANGES)},
            "compare": {text: pack(pairs[i * width : (i + 1) * width]) for i, text in enumerate(VERSIONS)},
        }
    return table


if __name__ == "__main__":
    TABLE.write_text(json.dumps(build(), indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
