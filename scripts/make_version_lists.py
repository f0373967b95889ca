"""Write the version lists of the bundled campaigns from a table of compromised releases.

    python scripts/make_version_lists.py TABLE [FOLDER]

TABLE is a tab separated file with a header that names at least `ecosystem`, `name`, `versions` (joined by `|`) and
`source`; only rows whose source starts with `compromised-list` are used. FOLDER defaults to the library's data folder.
Which release belongs to which campaign is said in `campaigns.toml` beside this script; every npm and PyPI row ends up
in exactly one campaign. Prints what was written and what was left out.
"""

from __future__ import annotations

import collections
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE.parent / "src" / "pratique" / "incidents" / "data"
HEADER = "name\tversion\tpublished\tremoved\tsha1\tsha512\tsource"
ECOSYSTEMS = {"npm", "pypi"}
PLACEHOLDER = re.compile(r"0\.0\.1-security(?:\.\d+)?")
OTHER_PREFIX = re.compile(r"(go|composer|crates|gem|hex):")


def natural(version: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 0.9 before 0.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.\-+]", version)]


class Rules:
    """Where a release belongs."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.rest: str = document["rest"]
        self.inline: set[str] = set(document["inline"])
        self.entries: dict[str, str] = document["entries"]
        self.names: dict[str, str] = {}
        self.scopes: dict[str, str] = {}
        self.prefixes: list[tuple[str, str]] = []
        for campaign, rule in document["campaigns"].items():
            for kind, table in (("names", self.names), ("scopes", self.scopes)):
                for key in rule.get(kind, ()):
                    if key in table:
                        raise SystemExit(f"{kind}: {key} stands in {table[key]} and {campaign}")
                    table[key] = campaign
            self.prefixes += [(prefix, campaign) for prefix in rule.get("prefixes", ())]

    def campaign(self, name: str, version: str) -> str:
        """The one campaign of a release."""
        if found := self.entries.get(f"{name}@{version}") or self.names.get(name):
            return found
        if name.startswith("@"):
            return self.scopes.get(name[1:].split("/", maxsplit=1)[0], self.rest)
        return next((campaign for prefix, campaign in self.prefixes if name.startswith(prefix)), self.rest)


def read(table: Path) -> tuple[set[tuple[str, str]], collections.Counter[str]]:
    """The releases of a table, and what was left out, counted by reason."""
    releases: set[tuple[str, str]] = set()
    left_out: collections.Counter[str] = collections.Counter()
    with table.open(encoding="utf-8") as lines:
        columns = next(lines).rstrip("\n").split("\t")
        for line in lines:
            row = dict(zip(columns, line.rstrip("\n").split("\t"), strict=False))
            if not row.get("source", "").startswith("compromised-list"):
                continue
            name = row["name"]
            for version in filter(None, row["versions"].split("|")):
                other = OTHER_PREFIX.match(name)
                if other or row["ecosystem"] not in ECOSYSTEMS:
                    left_out[f"ecosystem {other[1] if other else row['ecosystem']}"] += 1
                elif PLACEHOLDER.fullmatch(version):
                    left_out["placeholder of the registry"] += 1
                else:
                    releases.add((name, version))
    return releases, left_out


def main(arguments: list[str]) -> int:
    """Entry point."""
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[1]) if len(arguments) == 2 else FOLDER
    rules = Rules(tomllib.loads((HERE / "campaigns.toml").read_text(encoding="utf-8")))
    releases, left_out = read(Path(arguments[0]))
    lists: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for name, version in releases:
        lists[rules.campaign(name, version)].append((name, version))
    for campaign, found in sorted(lists.items()):
        names = len({name for name, _ in found})
        where = "in the definition" if campaign in rules.inline else f"{campaign}.versions.tsv"
        print(f"{campaign}: {names} packages, {len(found)} versions, {where}")
        if campaign not in rules.inline:
            rows = sorted(found, key=lambda item: (item[0], natural(item[1])))
            text = HEADER + "\n" + "".join(f"{name}\t{version}\t\t\t\t\t\n" for name, version in rows)
            (folder / f"{campaign}.versions.tsv").write_text(text, encoding="utf-8")
    print(f"all: {len(releases)} versions")
    for reason, count in sorted(left_out.items()):
        print(f"left out, {reason}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
