"""The npm-pick-manifest that npm ships, asked in bulk: the oracle for npm's part of picking.py.

`python -m tests.unit.ecosystems.npm.node_picking` writes `picking_table.json` anew from it.
"""

from __future__ import annotations

import datetime
import functools
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

from pratique.ecosystems.npm.picking import Request, pick
from pratique.ecosystems.releases import Gate, Package, Release, Tag
from tests.unit.ecosystems.npm.node_semver import library as semver

TABLE = Path(__file__).with_name("picking_table.json")

_SCRIPT = """
const pick = require(process.argv[1])
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(cases.map(([packument, wanted, options]) => {
  try { return pick(packument, wanted, { nodeVersion: null, ...options }).version }
  catch (error) { return error.code || 'error' }
})))
"""

OLD, NEW, CUT = "2026-03-01T00:00:00.000Z", "2026-03-31T00:00:00.000Z", "2026-03-15T00:00:00.000Z"


def document(versions: dict[str, Any], tags: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A registry document; the value of a version is its time, or an object of fields with one."""
    fields = {text: value if isinstance(value, dict) else {"time": value} for text, value in versions.items()}
    return {
        "name": "standin",
        "dist-tags": tags or {},
        "time": {text: item["time"] for text, item in fields.items() if item.get("time") is not None},
        "versions": {
            text: {"name": "standin", "version": text, **{key: v for key, v in item.items() if key != "time"}}
            for text, item in fields.items()
        },
        **more,
    }


LINES = document(
    {"0.30.3": OLD, "0.30.4": NEW, "1.13.0": OLD, "1.14.0": OLD, "1.14.1": NEW, "2.0.0-rc.1": OLD},
    {"latest": "1.14.1", "legacy": "0.30.4", "next": "2.0.0-rc.1", "gone": "9.9.9"},
)
LATEST_LOW = document({"1.0.0": OLD, "1.1.0": OLD, "1.2.0": OLD, "2.0.0": OLD}, {"latest": "1.1.0"})
WORN = document(
    {
        "1.0.0": OLD,
        "1.1.0": {"time": OLD, "engines": {"node": ">=22"}},
        "1.2.0": {"time": OLD, "deprecated": "broken"},
        "1.3.0": {"time": OLD, "deprecated": "broken", "engines": {"node": ">=22"}},
    },
    {"latest": "1.2.0"},
)
UNTIMED = {**LATEST_LOW, "time": None}
HOLED = document({"1.0.0": OLD, "1.1.0": None, "1.2.0": "no time at all"}, {"latest": "1.2.0"})
PRE = document({"1.0.0-beta.1": OLD, "1.0.0-beta.2": OLD}, {"latest": "1.0.0-beta.1"})
SHELVED = document(
    {"1.0.0": OLD},
    {"latest": "1.2.0"},
    stagedVersions={"versions": {"1.1.0": {"name": "standin", "version": "1.1.0"}}},
    policyRestrictions={"message": "no", "versions": {"1.2.0": {"name": "standin", "version": "1.2.0"}}},
)
EMPTY = document({}, {})

DOCUMENTS = {
    "lines": LINES,
    "latest-low": LATEST_LOW,
    "worn": WORN,
    "untimed": UNTIMED,
    "holed": HOLED,
    "pre": PRE,
    "shelved": SHELVED,
    "empty": EMPTY,
}
REQUESTS = (
    "", "*", "x", "latest", "next", "legacy", "gone", "nosuch", "^1.14.0", "^1.13.0", "~1.14.0", "^0.30.0", "<1", "1",
    ">=0", "1.14.1", "v1.14.1", "=1.14.1", "1.14.9", "^2.0.0-rc.0", "^1.0.0-beta.1", "1.0.0 - 1.1.0", "<1.2.0", "^3",
    "1.0.0 || 1.2.0", ">=1.0.0 <1.3.0", "^1.0.0", "1.3.0", "^1.2.0",
)  # fmt: skip
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"before": CUT},
    {"nodeVersion": "v20.20.2"},
    {"nodeVersion": "v20.20.2", "before": CUT},
    {"includeStaged": True},
)


@functools.cache
def library() -> Path | None:
    """The folder of the npm-pick-manifest that npm ships, None where npm or node is missing."""
    found = semver()
    folder = found.parent / "npm-pick-manifest" if found is not None else None
    if folder is None or not (folder / "package.json").is_file():
        return None
    return folder


def ask(cases: list[list[Any]]) -> list[str]:
    """The library's answers to `[document, wanted, options]`: a version or the code of an error."""
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
    answers: list[str] = json.loads(done.stdout)
    return answers


def seconds(text: str | None) -> float | None:
    """A time of a document; not a number where it cannot be read."""
    if not text:
        return None
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return math.nan


def package(value: dict[str, Any]) -> Package:
    """A document as our own records, with the shelves that only npm knows."""
    times = value["time"] or {}
    shelves = {
        "": value["versions"],
        "staged": value.get("stagedVersions", {}).get("versions", {}),
        "restricted": value.get("policyRestrictions", {}).get("versions", {}),
    }
    releases = tuple(
        Release(
            text,
            published=seconds(times.get(text)),
            appeared=-math.inf,
            deprecated=bool(item.get("deprecated")),
            node=item.get("engines", {}).get("node"),
            shelf=shelf,
        )
        for shelf, versions in shelves.items()
        for text, item in versions.items()
    )
    tags = tuple(Tag(name, version) for name, version in value["dist-tags"].items())
    return Package("standin", releases, tags, timed=value["time"] is not None)


def ours(value: dict[str, Any], wanted: str, options: dict[str, Any]) -> str | None:
    """What our own npm rule picks, None where it stops."""
    before = options.get("before")
    request = Request(package(value), wanted, node=options.get("nodeVersion"))
    gate = Gate(seconds(before) or 0.0) if before else None
    return pick("npm", request, 0.0, gate, include_staged=bool(options.get("includeStaged"))).version


def build() -> dict[str, Any]:
    """The table: for each document and set of options the answers in the order of REQUESTS."""
    folder = library()
    assert folder is not None
    cases = [[item, wanted, options] for item in DOCUMENTS.values() for options in OPTIONS for wanted in REQUESTS]
    answers = iter(ask(cases))
    return {
        "npm-pick-manifest": json.loads((folder / "package.json").read_text())["version"],
        "requests": list(REQUESTS),
        "answers": {name: [[next(answers) for _ in REQUESTS] for _ in OPTIONS] for name in DOCUMENTS},
    }


if __name__ == "__main__":
    TABLE.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")
