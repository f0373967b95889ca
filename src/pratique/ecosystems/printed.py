"""What package managers print while they install: releases, scripts, and how much of it a log can be asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from pratique.ecosystems.npm.urls import tarball_release

Depth = Literal["declared", "resolved", "fetched", "installed"]
Outcome = Literal["started", "finished", "failed", "blocked", "skipped"]
Printed = Literal["none", "direct", "all"]

ANSI = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_NAME = r"(?P<name>(?:@[A-Za-z0-9~_][A-Za-z0-9._~-]*/)?[A-Za-z0-9~_][A-Za-z0-9._~-]*)"
_VERSION = r"(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)"
_PYVERSION = r"(?P<version>[0-9][0-9A-Za-z.!+_-]*)"
_PYNAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_INSTALL_SCRIPTS = frozenset({"preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"})
LONGEST = 65_536


class Said(msgspec.Struct, frozen=True):
    """A release that a line names, and what the line proves; with `script`, a lifecycle script of it.

    `version` is empty where the line names the package alone.
    """

    ecosystem: str
    name: str
    version: str
    depth: Depth = "resolved"
    script: str = ""
    outcome: Outcome = "started"
    exit_code: int | None = None
    resolved: str | None = None
    every: bool = False
    """Whether a manager that prints such a line prints one for every release."""


_FETCH = re.compile(r"npm http fetch GET (?P<status>\d{3}) (?P<url>\S+)")
_CACHED = re.compile(rf"npm http cache {_NAME}@(?P<url>https?://\S+)")
_PLACED = re.compile(rf"npm (?:sill|silly) placeDep .*? {_NAME}@{_VERSION} ")
_RAN = re.compile(rf"npm info run {_NAME}@{_VERSION} (?P<script>[a-z]+) (?P<rest>.*)")
_ENDED = re.compile(r"\{ code: (?P<code>-?\d+|null), signal: \S+ \}")
_LIFECYCLE = re.compile(rf"npm (?:info|verb|verbose) lifecycle {_NAME}@{_VERSION}~(?P<script>[a-z]+): (?P<rest>.*)")
_WITH_SCRIPT = re.compile(rf"npm (?:warn|WARN) install-scripts\s+{_NAME}@{_VERSION} \((?P<script>[a-z]+): ")
_DEPRECATED = re.compile(rf"npm (?:warn|WARN) deprecated {_NAME}@{_VERSION}:")
_STARTED = re.compile(rf"> {_NAME}@{_VERSION} (?P<script>[a-z]+)(?: \S.*)?$")
_ADDED = re.compile(rf"\+ {_NAME}(?:@| )(?:npm:)?{_VERSION}(?:$|[ ,])")
_INSTALLED = re.compile(rf"installed {_NAME}@{_VERSION}(?:$| )")
_REQUEST = re.compile(r'verbose [\d.]+ (?P<what>Performing "GET" request to|Request) "(?P<url>[^"]+)"(?P<rest>.*)')
_BUN_GET = re.compile(r"HTTP/1\.1 GET (?P<url>\S+\.tgz)$")
_BUN_SCRIPTS = re.compile(rf'\[Scripts\] (?P<what>Starting|Finished) scripts for "{_NAME}"')
_BERRY = re.compile(r"YN(?P<code>\d{4}): (?:│ )?(?P<text>.*)")
_BERRY_ONE = re.compile(rf"{_NAME}@npm:{_VERSION}")
_BERRY_CODE = re.compile(r"exit code (?P<code>\d+)")
_TREE = re.compile(rf"(?P<lines>[│├└─┬ ]*[├└]─(?P<two>[─┬])? ?(?:[a-z]+ )?){_NAME}@{_VERSION}(?:$| )")
_PNPM_SCRIPT = re.compile(
    rf"(?:\S*?/)?(?:\.pnpm/(?P<virtual>[^/\s]+)/)?node_modules/{_NAME}"
    r"(?: (?P<script>[a-z]+)(?:\$ |: (?P<end>Done|Failed))|: Running (?P<running>[a-z]+) script)"
)
_NDJSON = re.compile(r'"name":"pnpm:(?P<kind>progress|lifecycle)"')
_NDJSON_ID = re.compile(rf'"(?:packageId|depPath)":"/?{_NAME}[@/]{_VERSION}')
_NDJSON_STATUS = re.compile(r'"status":"(?P<status>[a-z_]+)"')
_NDJSON_STAGE = re.compile(r'"stage":"(?P<stage>[a-z]+)"')
_NDJSON_CODE = re.compile(r'"exitCode":(?P<code>-?\d+)')

_COLLECTING = re.compile(rf"Collecting {_PYNAME}(?:\[[^\]]*\])?===?{_PYVERSION}(?:$|[ ;,(])")
_ARCHIVE = re.compile(r"(?:Downloading|Using cached|Saved) (?:\S*/)?(?P<file>[^/\s#?]+)")
_SATISFIED = re.compile(rf"Requirement already satisfied: {_PYNAME}.* \({_PYVERSION}\)$")
_UV = re.compile(rf" ?[+~] {_PYNAME}=={_PYVERSION}")
_POETRY = re.compile(rf"[-•] (?:Installing|Updating) {_PYNAME} \((?:\S+ -> )?{_PYVERSION}\)")
_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-[^-]+){3,4}\.whl(?P<meta>\.metadata)?")
_SDIST = re.compile(r"(?P<name>.+)-(?P<version>\d[^-]*)\.(?:tar\.gz|zip|tar\.bz2)(?P<meta>\.metadata)?")


def npm_line(text: str) -> Iterator[Said]:
    """What a line of npm's own (`npm http ...`) says."""
    if match := _FETCH.search(text):
        if match["status"].startswith("2") or match["status"] == "304":
            yield from _archive(match["url"], "fetched")
    elif match := _CACHED.search(text):
        yield from _archive(match["url"], "fetched")
    elif match := _PLACED.search(text):
        yield Said("npm", match["name"], match["version"], every=True)
    elif match := _RAN.search(text):
        yield from _run(match["name"], match["version"], match["script"], _ENDED.match(match["rest"]))
    elif match := _LIFECYCLE.search(text):
        if match["script"] in _INSTALL_SCRIPTS and "Returned:" not in match["rest"]:
            yield Said("npm", match["name"], match["version"], "installed", match["script"])
    elif match := _WITH_SCRIPT.search(text):
        yield Said("npm", match["name"], match["version"], "installed")
    elif match := _DEPRECATED.search(text):
        yield Said("npm", match["name"], match["version"])


def blocked(text: str) -> Said | None:
    """A release whose script npm 12 names as blocked."""
    match = _WITH_SCRIPT.search(text)
    return Said("npm", match["name"], match["version"], "installed", match["script"], "blocked") if match else None


def _run(name: str, version: str, script: str, end: re.Match[str] | None) -> Iterator[Said]:
    if script not in _INSTALL_SCRIPTS:
        return
    if end is None:
        yield Said("npm", name, version, "installed", script)
        return
    code = int(end["code"]) if end["code"] != "null" else None
    yield Said("npm", name, version, "installed", script, "finished" if code == 0 else "failed", code)


def _archive(url: str, depth: Depth) -> Iterator[Said]:
    found = tarball_release(url)
    if found is not None:
        yield Said("npm", found[0], found[1], depth, resolved=url, every=True)


def line(text: str) -> Iterator[Said]:
    """What any other line says; `text` has no time, colour or leading blanks."""
    first = text[:1]
    if first == ">":
        match = _STARTED.match(text)
        if match and match["script"] in _INSTALL_SCRIPTS:
            yield Said("npm", match["name"], match["version"], "installed", match["script"])
    elif first in "+~":
        if match := _ADDED.match(text):
            yield Said("npm", match["name"], match["version"], "installed")
        elif match := _UV.match(text):
            yield Said("PyPI", match["name"], match["version"], "installed")
    elif first == "➤":
        yield from _berry(text)
    elif first in "│├└":
        if match := _TREE.match(text):
            yield Said("npm", match["name"], match["version"], "installed" if match["two"] else "resolved")
    elif first == "{":
        yield from _ndjson(text)
    elif first in "-•":
        if match := _POETRY.match(text):
            yield Said("PyPI", match["name"], match["version"])
    elif text.startswith("verbose "):
        if match := _REQUEST.match(text):
            done = "finished with status code 200" in match["rest"]
            yield from _archive(match["url"], "fetched" if done else "resolved")
    elif text.startswith("installed "):
        if match := _INSTALLED.match(text):
            yield Said("npm", match["name"], match["version"], "installed")
    elif text.startswith("HTTP/"):
        if match := _BUN_GET.match(text):
            yield from _archive(match["url"], "resolved")
    elif text.startswith("[Scripts]"):
        if match := _BUN_SCRIPTS.match(text):
            outcome: Outcome = "started" if match["what"] == "Starting" else "finished"
            yield Said("npm", match["name"], "", "installed", "install", outcome)
    elif "node_modules/" in text:
        yield from _pnpm_script(text)
    else:
        yield from _python(text)


def _pnpm_script(text: str) -> Iterator[Said]:
    match = _PNPM_SCRIPT.match(text)
    script = (match["script"] or match["running"]) if match else None
    if match is None or script not in _INSTALL_SCRIPTS:
        return
    version = ""
    if match["virtual"]:
        from pratique.ecosystems.npm.paths import split_virtual

        split = split_virtual(match["virtual"])
        version = split[1] if split and split[0] == match["name"] else ""
    outcome: Outcome = {"Done": "finished", "Failed": "failed"}.get(match["end"] or "", "started")  # type: ignore[assignment]  # the values are outcomes
    yield Said("npm", match["name"], version, "installed", script or "", outcome)


def _berry(text: str) -> Iterator[Said]:
    match = _BERRY.search(text)
    if match is None:
        return
    code = match["code"]
    if code == "0085" and match["text"].startswith("+ "):
        for one in _BERRY_ONE.finditer(match["text"]):
            yield Said("npm", one["name"], one["version"])
        return
    found = _BERRY_ONE.match(match["text"])
    if found is None:
        return
    name, version = found["name"], found["version"]
    if code == "0007":
        yield Said("npm", name, version, "installed", "install")
    elif code == "0009":
        ended = _BERRY_CODE.search(match["text"])
        yield Said("npm", name, version, "installed", "install", "failed", int(ended["code"]) if ended else None)
    elif code in ("0004", "0005"):
        yield Said("npm", name, version, "installed", "install", "blocked")
    elif code in ("0013", "0019"):
        yield Said("npm", name, version, "fetched")


_STATUSES: dict[str, Depth] = {"fetched": "fetched", "found_in_store": "fetched", "imported": "installed"}


def _ndjson(text: str) -> Iterator[Said]:
    kind, found = _NDJSON.search(text), _NDJSON_ID.search(text)
    if kind is None or found is None:
        return
    name, version = found["name"], found["version"]
    if kind["kind"] == "progress":
        status = _NDJSON_STATUS.search(text)
        yield Said("npm", name, version, _STATUSES.get(status["status"] if status else "", "resolved"), every=True)
        return
    stage, code = _NDJSON_STAGE.search(text), _NDJSON_CODE.search(text)
    if stage is None or stage["stage"] not in _INSTALL_SCRIPTS or '"line":' in text:
        return
    if code is None:
        yield Said("npm", name, version, "installed", stage["stage"])
        return
    ended = int(code["code"])
    yield Said("npm", name, version, "installed", stage["stage"], "failed" if ended else "finished", ended)


def _python(text: str) -> Iterator[Said]:
    if text.startswith("Collecting "):
        if match := _COLLECTING.match(text):
            yield Said("PyPI", match["name"], match["version"])
    elif text.startswith("Successfully installed "):
        for word in text.split()[2:]:
            name, dash, version = word.rpartition("-")
            if dash and version[:1].isdigit():
                yield Said("PyPI", name, version, "installed")
    elif text.startswith("Requirement already satisfied"):
        if match := _SATISFIED.match(text):
            yield Said("PyPI", match["name"], match["version"], "installed")
    elif match := _ARCHIVE.match(text):
        found = _WHEEL.fullmatch(match["file"]) or _SDIST.fullmatch(match["file"])
        if found:
            yield Said("PyPI", found["name"], found["version"], "resolved" if found["meta"] else "fetched")


_PRINTED: dict[str, Printed] = {"pnpm": "direct", "bun": "direct", "pip": "all", "uv": "all", "poetry": "all"}
_QUIET = frozenset({"-q", "-qq", "--quiet", "-s", "--silent", "--reporter"})


def printed(manager: str, flags: tuple[str, ...]) -> Printed:
    """Which of the releases that it installs a manager names by itself.

    npm and yarn name none in general; pnpm and bun those that the project asks for; pip, uv and poetry all.
    """
    return "none" if _QUIET.intersection(flags) else _PRINTED.get(manager, "none")
