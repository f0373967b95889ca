"""npm's debug logs: what a run fetched, which scripts it ran, and how they ended.

## Reads
`_logs/<start>-debug-<n>.log` of npm 8 to 12 (written on every run) and `<start>-debug.log` of npm 6 and 7 (written on
failure). The start time stands in the file name; lines carry no time of their own. Kept: archives fetched, the start
and end of dependency scripts, scripts that npm says it blocked, the command (manager, verb, package names), the folder
it ran in and npm's version.

## Leaves out
Scripts of the root project before npm 12, which npm does not log. A warning of npm 11 that scripts are "not yet covered
by allowScripts" means that they ran all the same; it is no evidence of a block. The raw lines are never kept: they may
hold secrets.

## References
npm 12.2.0, lib/utils/log-file.js; lines of npm 6 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Iterator

from pratique.ecosystems.npm.commands import commands
from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.model.observation import CommandFact, ComponentFact, Fact, Observation, Refusal, ScriptFact, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.text import decode_text, portable, refuse

_NAME = r"(?P<name>(?:@[^\s/@]+/)?[^\s/@]+)"
_LINE = re.compile(r"\d+ (?P<level>silly|verbose|info|timing|http|notice|warn|error|verb|sill)\b ?(?P<text>.*)$")
_FETCH = re.compile(r"fetch GET (?P<status>\d{3}) (?P<url>\S+)")
_CACHED = re.compile(rf"cache {_NAME}@(?P<url>https?://\S+)")
_RUN = re.compile(rf"run {_NAME}@(?P<version>\S+) (?P<script>[a-z]+) (?P<rest>.*)$")
_CODE = re.compile(r"\{ code: (?P<code>-?\d+|null), signal: (?P<signal>\S+) \}")
_LIFECYCLE = re.compile(rf"lifecycle {_NAME}@(?P<version>[^~\s]+)~(?P<script>[a-z]+): (?P<rest>.*)$")
_RETURNED = re.compile(r"Returned: code: (?P<code>-?\d+)")
_BLOCKED = re.compile(rf"^\s+{_NAME}@(?P<version>[^\s(]+) \((?P<script>[a-z]+): ")
_START = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2})_(\d{2})_(\d{2})_(\d{1,3})Z")
_PACKAGE = re.compile(rf"^{_NAME}(?:@(?P<range>[^\s/:]*))?$")
_VERBS = re.compile(r"[a-z][a-z-]*")
_BREAKS = ("\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""What ends a line beside the line feed."""
_WORTH = re.compile(
    portable(
        r"\n\d+ (?!silly (?!argv |cwd |using npm@))(?!http fetch GET \d{3} (?:[^\s%gd]|%2[fF]|g(?!z)|d(?!ownload))++\s)"
        r"(?:http (?:fetch GET \d{3} |cache (?:@[^\s/@]+/)?[^\s/@]+@)https?://[^/\s%?#]+"
        r"/(?P<name>(?:@[^/@\s%?#]+/)?[^/@\s%?#]+)/-/[^/\s%?#]+\.tgz(?!\S))?"
    )
)
"""Where a line starts that may say something: not the many that resolve and place, not requests for a packument.

`name` is the package of an archive's usual URL; other archives go without it. A line that names a lifecycle is to be
looked for apart."""
_FOLDERS = frozenset({"-", "download", "_attachments"})
"""What stands between a package's name and its archive in a URL, so that it is no plain name."""
_INSTALL_SCRIPTS = frozenset({"preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"})


def start_of(basename: str) -> str | None:
    """The start of the run in ISO 8601, from the log's file name."""
    match = _START.match(basename)
    if not match:
        return None
    day, hour, minute, second, milli = match.groups()
    try:
        datetime.datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}")
    except ValueError:
        return None
    return f"{day}T{hour}:{minute}:{second}.{milli:0<3}Z"


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield fetches and script runs of names of interest, and the command that the log is about."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    if not text or text.isspace():
        yield refuse(artifact, READER, "is empty")
        return
    if any(mark in text for mark in _BREAKS):
        text = "\n".join(text.splitlines())
    run = _Run(artifact, interest.wanted("npm"))
    understood = False
    for start in _worth_reading(text, run.wanted):
        end = text.find("\n", start)
        match = _LINE.match(text, start, end if end >= 0 else len(text))
        if match:
            understood = True
            run.line(start, match["level"], match["text"])
    if not understood and not any(map(_LINE.match, text.split("\n"))):
        yield refuse(artifact, READER, "holds no line in the form that npm writes")
        return
    yield from run.finish(text)


def _worth_reading(text: str, wanted: frozenset[str] | Everything) -> list[int]:
    """Where the lines start that may say something about a name of interest, or about the run; the first one always."""
    starts = [0]
    for match in _WORTH.finditer(text):
        name = match["name"]
        if name is None or name in wanted or name in _FOLDERS:
            starts.append(match.start() + 1)
    place = text.find("lifecycle ")
    if place >= 0:
        while place >= 0:
            starts.append(text.rfind("\n", 0, place) + 1)
            place = text.find("lifecycle ", place + 1)
        starts = sorted(set(starts))
    return starts


class _Run:
    """One log being read."""

    def __init__(self, artifact: Artifact, wanted: frozenset[str] | Everything) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.start = start_of(artifact.path.rpartition("/")[2])
        self.facts: list[tuple[int, Fact]] = []
        self.started: dict[tuple[str, str, str], int] = {}
        self.ended: set[tuple[str, str, str]] = set()
        self.fetched: set[tuple[str, str]] = set()
        self.arguments: list[str] = []
        self.directory: str | None = None
        self.npm: str | None = None
        self.blocking = False

    def line(self, start: int, level: str, text: str) -> None:
        """Take in one line; `start` is where it stands in the text."""
        if level in ("http", "verbose") and (match := _FETCH.search(text)):
            if match["status"].startswith("2") or match["status"] == "304":
                self._fetch(start, match["url"], None)
        elif level == "http" and (match := _CACHED.match(text)):
            self._fetch(start, match["url"], match["name"])
        elif level in ("info", "notice") and (match := _RUN.match(text)):
            self._script(start, match)
        elif "lifecycle" in text and (match := _LIFECYCLE.search(text)):
            self._lifecycle(start, match)
        elif level == "warn" and "install-scripts" in text:
            self.blocking = (self.blocking or "blocked" in text) and "not yet covered" not in text
            inner = text.partition("install-scripts")[2]
            if self.blocking and (match := _BLOCKED.match(inner)) and match["name"] in self.wanted:
                self.facts.append((start, self._script_fact(match, "blocked")))
        elif text.startswith("argv "):
            self.arguments = re.findall(r'"([^"]*)"', text)
        elif text.startswith("cwd "):
            self.directory = text[4:].strip()
        elif text.startswith("using npm@"):
            self.npm = text[10:].strip()

    def _fetch(self, start: int, url: str, name: str | None) -> None:
        release = tarball_release(url)
        if release is None or release in self.fetched or release[0] not in self.wanted:
            return
        self.fetched.add(release)
        self.facts.append(
            (
                start,
                ComponentFact(
                    name=release[0],
                    version=release[1],
                    depth="fetched",
                    record="log",
                    origin=origin_of(url),
                    resolved=strip_url(url),
                    alias=name if name and name != release[0] else None,
                ),
            )
        )

    def _script_fact(self, match: re.Match[str], outcome: str, code: int | None = None) -> ScriptFact:
        return ScriptFact(
            name=match["name"],
            version=match["version"],
            script=match["script"],
            outcome=outcome,  # type: ignore[arg-type]  # callers pass one of the outcomes
            exit_code=code,
        )

    def _script(self, start: int, match: re.Match[str]) -> None:
        if match["name"] not in self.wanted or match["script"] not in _INSTALL_SCRIPTS:
            return
        key = (match["name"], match["version"], match["script"])
        end = _CODE.match(match["rest"])
        if end is None:
            self.started.setdefault(key, start)
            self.facts.append((start, self._script_fact(match, "started")))
            return
        code = int(end["code"]) if end["code"] != "null" else None
        self.ended.add(key)
        self.facts.append((start, self._script_fact(match, "finished" if code == 0 else "failed", code)))

    def _lifecycle(self, start: int, match: re.Match[str]) -> None:
        if match["name"] not in self.wanted or match["script"] not in _INSTALL_SCRIPTS:
            return
        end = _RETURNED.search(match["rest"])
        if end is not None:
            code = int(end["code"])
            self.facts.append((start, self._script_fact(match, "finished" if code == 0 else "failed", code)))
        elif "Args:" in match["rest"] or "CWD:" in match["rest"]:
            key = (match["name"], match["version"], match["script"])
            if key not in self.started:
                self.started[key] = start
                self.facts.append((start, self._script_fact(match, "started")))

    def finish(self, text: str) -> Iterator[Observation]:
        """Yield the facts, now that the folder and the command are known; their lines are counted in `text`."""
        times = (Time("the npm command started", self.start, "log file name"),) if self.start else ()
        import msgspec

        number, place = 1, 0
        for start, fact in self.facts:
            number, place = number + text.count("\n", place, start), start
            if isinstance(fact, ScriptFact) and self.directory:
                fact = msgspec.structs.replace(fact, working_directory=self.directory)
            yield Observation(READER.name, self.artifact.location(line=number), fact, times)  # type: ignore[arg-type]  # each fact is of the union
        command = self._command()
        if command is not None and (self.facts or isinstance(self.wanted, Everything)):
            yield Observation(READER.name, self.artifact.location(), command, times)

    def _command(self) -> CommandFact | None:
        words = [
            word
            for word in self.arguments
            if not re.search(r"[/\\\\](?:node|npm-cli\.js|npx-cli\.js|node\.exe)$", word)
        ]
        verb = next((word for word in words if _VERBS.fullmatch(word)), None)
        if verb is None:
            return None
        parsed = next(commands(shlex.join(["npm", *words])), None)
        packages = [word for word in parsed.packages if _PACKAGE.match(word)] if parsed else []
        if parsed is not None and not isinstance(self.wanted, Everything):
            packages += [
                word for word in parsed.doubtful if (match := _PACKAGE.match(word)) and match["name"] in self.wanted
            ]
        flags = tuple(sorted({word.partition("=")[0] for word in words if word.startswith("--")}))
        return CommandFact(
            manager="npm",
            verb=verb,
            packages=tuple(packages),
            working_directory=self.directory,
            manager_version=self.npm,
            flags=flags,
        )


READER = Reader(
    name="npm-debug-log",
    ecosystem="npm",
    read=read,
    suffixes=(".log",),
    folders=(("_logs",),),
    subject="log",
)
