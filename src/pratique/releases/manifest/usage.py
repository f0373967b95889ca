"""Whether a dependency is used by the release that declares it: imported, started, plugged in, or named nowhere.

Only a dependency that is new is looked for in the texts of the release: a phantom dependency is one that is declared,
imported nowhere and named nowhere.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Fact, Release
from pratique.releases.manifest.commands import simple_commands
from pratique.releases.manifest.document import PATH, Manifest, refusal

Known = Literal["yes", "no", "unknown"]
BUDGET = 96 << 20
"""So many bytes of a release are looked through for the names of its new dependencies."""
MOST_NAMES = 500
SHORTEST_BEGINNING = 5
"""So many letters of a name that is put together must stand in one text."""
_SUFFIXES = frozenset(
    re.findall(
        r"\S+",
        ".js .mjs .cjs .jsx .ts .mts .cts .tsx .json .json5 .jsonc .yml .yaml .toml .sh .cmd .ps1 .vue "
        ".svelte .astro .coffee .ls .html .htm .css .scss .less .gyp .gypi .map .flow .hbs .ejs .tpl .graphql "
        ".node .wasm ",
    )
)
_NO_USE = re.compile(
    r"(^|/)(package-lock|npm-shrinkwrap)\.json$|(^|/)(yarn|pnpm-lock|bun)\.(lock|yaml)$|\.tsbuildinfo$", re.IGNORECASE
)


class Usage(msgspec.Struct):
    """What is known of the use of packages in one release.

    `imported` holds packages with the first file that imports each; `named` new ones with the file that names each.
    """

    imported: dict[str, str]
    started: str
    named: dict[str, str]
    complete: bool
    declares: bool
    """Whether the release holds declarations of types: these may use types that no import names."""
    described: str
    """The package whose types the release holds, or held before that package had its own."""

    def of(self, name: str, *, searched: bool) -> tuple[Known, str]:
        """Whether a dependency is used, and the file that shows it. `no` only where all was searched."""
        if name in self.imported:
            return "yes", self.imported[name]
        if _started(name, self.started):
            return "yes", PATH
        if name.startswith("@types/") and self.typed(name):
            return "yes", self.imported.get(untyped(name), "")
        if name in self.named:
            return "unknown", self.named[name]
        if name.startswith("@types/") and self.declares:
            return "unknown", ""
        if name == self.described:
            return "unknown", PATH
        return ("no" if searched and self.complete else "unknown"), ""

    def typed(self, name: str) -> bool:
        """Whether a package of types belongs to something that is imported, or to Node itself."""
        return name == "@types/node" or untyped(name) in self.imported


def untyped(name: str) -> str:
    """The package that a package of types describes: `@types/babel__core` is for `@babel/core`."""
    plain = name.removeprefix("@types/")
    scope, separator, rest = plain.partition("__")
    return f"@{scope}/{rest}" if separator else plain


def _started(name: str, scripts: str) -> bool:
    """Whether the scripts that run for users start a command that is called like the package."""
    return f" {name.rpartition('/')[2]} " in scripts or f" {name} " in scripts


def usage(
    release: Release, manifest: Manifest, file_facts: Mapping[str, tuple[Fact, ...]], new: Iterable[str]
) -> tuple[Usage, tuple[Refusal, ...]]:
    """What is known of the use of packages, with the names in `new` looked for in every text; and what was not read."""
    imported: dict[str, str] = {}
    for path, found in file_facts.items():
        if "node_modules/" in path:
            continue
        for fact in found:
            if fact.kind == "import.module" and fact.attributes.get("form") == "package":
                imported.setdefault(str(fact.attributes.get("package", "")), path)
    words = [
        word for command in manifest.strings("scripts").values() for part in simple_commands(command) for word in part
    ]
    started = f" {' '.join(posixpath.basename(word) if '@' not in word else word for word in words)} "
    wanted = [name for name in dict.fromkeys(new) if name not in imported]
    named, complete, refusals = _named(release, manifest, wanted)
    declares = any(path.endswith((".d.ts", ".d.mts", ".d.cts")) for path in release.files.members)
    described = untyped(release.name) if release.name.startswith("@types/") else ""
    return Usage(imported, started, named, complete, declares, described), refusals


def _named(release: Release, manifest: Manifest, wanted: list[str]) -> tuple[dict[str, str], bool, tuple[Refusal, ...]]:
    """The first file that names each package as a text of its own, whether all was read, and what was not."""
    found: dict[str, str] = {}
    if not wanted:
        return found, True, ()
    for name in wanted:
        if any(_mentions(manifest.plain.get(key), name) for key in _FIELDS):
            found[name] = PATH
    looked_for = wanted[:MOST_NAMES]
    pattern = _pattern(looked_for)
    begun = _prefixes(looked_for)
    commands = "\n".join(manifest.strings("scripts").values()).encode("utf-8", "replace")
    for match in pattern.finditer(commands):
        if match[1]:
            found.setdefault(match[1].decode("utf-8", "replace"), PATH)
    refusals: list[Refusal] = []
    left = BUDGET
    for path, member in release.files.members.items():
        if path == PATH or "node_modules/" in path or _NO_USE.search(path) or len(found) == len(wanted):
            continue
        suffix = posixpath.splitext(path)[1].lower()
        if suffix and suffix not in _SUFFIXES:
            continue
        left -= member.size
        if left < 0:
            refusals.append(
                refusal(f"more than {BUDGET >> 20} MB of text: not looked through for new dependencies", path)
            )
            break
        try:
            content = release.files.read(path)
        except Unreadable as error:
            refusals.append(refusal(f"not looked through for new dependencies: {error}", path))
            continue
        for match in pattern.finditer(content):
            text = (match[1] or match[2]).decode("utf-8", "replace")
            for name in (text,) if match[1] else begun[text]:
                found.setdefault(name, path)
    return found, not refusals and len(wanted) <= MOST_NAMES, tuple(refusals)


def _prefixes(wanted: list[str]) -> dict[str, list[str]]:
    """Beginnings of names that code may put together (`@scope/name-` and the machine), each with the names."""
    found: dict[str, list[str]] = {}
    for name in wanted:
        for match in re.finditer(r"[-/]", name):
            if match.end() >= SHORTEST_BEGINNING:
                found.setdefault(name[: match.end()], []).append(name)
    return found


def _pattern(wanted: list[str]) -> re.Pattern[bytes]:
    """What finds names that stand as a text of their own, and beginnings of names that are put together."""

    def choice(names: Iterable[str]) -> bytes:
        longest_first = sorted(names, key=len, reverse=True)
        return b"|".join(re.escape(name.encode("utf-8", "replace")) for name in longest_first) or b"(?!)"

    names, begun = choice(wanted), choice(_prefixes(wanted))
    return re.compile(
        rb"(?:[\"'`]|node_modules[/\\]{1,2}|npm:)(" + names + rb")(?=[\"'`/\\@])|[\"'`](" + begun + rb")(?=[\"'`]|\$\{)"
    )


_FIELDS = (
    "main", "module", "browser", "exports", "imports", "bin", "eslintConfig", "babel", "prettier", "jest", "config",
    "binary", "ava", "nyc", "browserify", "stylelint", "commitlint", "husky", "lint-staged", "remarkConfig",
)  # fmt: skip
"""Fields of a manifest in which a package may be named for use."""


def _mentions(value: object, name: str) -> bool:
    """Whether a value of the manifest names a package, at any depth."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            if one == name or f"{name}/" in one:
                return True
        elif isinstance(one, dict):
            stack += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            stack += one
    return False
