"""logs of continuous integration: what jobs installed and ran, in which step, with which secrets by name.

## Reads
Logs of GitHub Actions: the archive of a run (whole jobs `0_job.txt`, steps `job/1_step.txt`), raw logs of a job and
what the command line client prints of them. Traces of GitLab. Plain text, with or without times (ISO 8601, Buildkite's
marks). Every line that a package manager prints about a release: npm 6 to 12, pnpm, yarn, bun, pip, uv and poetry; the
commands that started them; actions with the commit that a tag led to; the job, its steps, token permissions and the
names of masked variables. Colours, byte order marks and carriage returns are looked through. A log is read in blocks,
whatever its size.

What a line proves: *resolved* for a plan (`placeDep`, `Collecting`, `YN0085`, a warning that it is deprecated, poetry's
`Installing`), *fetched* for an archive that arrived (`npm http fetch GET 200`, a cache hit, pip's `Downloading`, an
action's download), *installed* for a list of what was installed (`+ name version`, `Successfully installed`, `npm ls`,
a warning about its scripts). The start of a script, and the start of a step that uses an action, show that it ran.

## Leaves out
The lines themselves: what is kept was parsed out of them. Names that a manager does not print: npm prints none unless
it is asked to, so that a command without names is a gap for every incident whose window holds its time. Steps that run
at the same time are told apart only where each line says its step. Times without a zone are kept as they stand and said
so. A plain log that is cut off cannot be told from a whole one; those of GitHub and GitLab can, by their last line.

## References
actions/runner, ActionManager.cs and JobExtension.cs; cli/cli, pkg/cmd/run/view/logs.go; GitLab documentation "Job logs"
and "FF_TIMESTAMPS"; public logs of runner 2.291 to 2.337; lines of each manager as recorded in this project's cases.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems import printed
from pratique.ecosystems.actions.names import redacted, step_name
from pratique.ecosystems.actions.references import is_commit, reference
from pratique.ecosystems.npm.commands import Command, specifier
from pratique.ecosystems.npm.commands import commands as npm_commands
from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.pypi.commands import commands as python_commands
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import (
    AnyFact,
    CommandFact,
    ComponentFact,
    JobFact,
    Observation,
    RangeFact,
    Refusal,
    ScriptFact,
    Time,
)
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.ci.blocks import Blocks, raw, recoded, unpacked
from pratique.readers.text import portable

ACTIONS = "GitHub Actions"
LONGEST = 16_384
"""Bytes of one line that are looked at, once it is known to be worth it."""
_HEADER = 1 << 18
_HEADERS = (b"Run ", b"GITHUB_TOKEN Permissions", b"Download immutable")
_MOST_STEPS = 10_000
_MOST_FACTS = 100_000

_STAMP = rb"\[?20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.,]*+(?:Z|[+-]\d\d:?\d\d)?\]?"
_COLOURS = rb"(?:\x20++|\t++|\x1b\[[0-9;?]*+[A-Za-z]|\x1b_bk;t=\d++\x07|\#\d++\x20\d++\.\d++\x20)*+"
_LEAD = (
    rb"(?:\[?20\d\d-[0-9T:.,+Z-]{4,30}+(?:\x20\d\d:[0-9:.,+Z-]{5,20}+)?\]?\x20(?:[0-9a-f]{2}[OE][\x20+])?)?+" + _COLOURS
)
"""What may stand before a line's own text: a time of any form, and colours."""
_TABBED = rb"[^\t\n]*+\t[^\t\n]*+\t(?:\xef\xbb\xbf)?"
_MANAGER = (
    rb"(?:npm\x20(?!http\x20|info\x20|verb|sill|warn|notice|timing|err)|(?:npx|pnpm|pnpx|yarn|bun|bunx|pip3?|uv|uvx|pipx"
    rb"|poetry|pdm|pipenv)\x20)[a-z]|python3?\x20-m\x20pip\x20"
)
_RELEASE = rb"@?[A-Za-z0-9][A-Za-z0-9@._/~-]*(?:@|==|\x20)(?:npm:)?\d"
_BODY = (
    rb"""(?:
    (?P<run>npm\x20info\x20run\x20)
  | (?P<npm>npm\x20(?:sill(?:y)?\x20placeDep\x20|info\x20lifecycle\x20|verb(?:ose)?\x20lifecycle\x20
      |(?:warn|WARN)\x20(?:install-scripts|deprecated)\x20))
  | (?P<mark>(?:\#\#)?\[(?:group|section|error|command)\])
  | (?P<pip>Successfully\x20installed\x20)
  | (?P<got>Download\x20action\x20repository\x20')
  | (?P<said>(?:>|\+{1,3})\x20(?:"""
    + _RELEASE
    + rb"|"
    + _MANAGER
    + rb""")|~\x20"""
    + _RELEASE
    + rb"""|\xe2\x9e\xa4|\xe2\x94[\x82\x94\x9c][^\n@]*+@[^\n@]*@?\d
      |\{"time":\d++,"hostname":"[^"\n]*+","pid":\d++,"level":"[a-z]++","name":"pnpm:(?:progress|lifecycle)"
      |(?:-|\xe2\x80\xa2)\x20(?:Installing|Updating)\x20|verbose\x20[\d.]+\x20(?:Perf|Requ)|installed\x20[@A-Za-z]
      |HTTP/1\.1\x20GET|\[Scripts\]|(?:\.\.\./|\.pnpm/|node_modules/)\S*+[^\n]*(?:\$\x20|:\x20(?:Done|Failed|Running))
      |Collecting\x20|Downloading\x20|Using\x20cached\x20|Saved\x20|Requirement\x20already\x20)
  | (?P<asked>(?:\$\x20(?:[A-Za-z_/][^\n]*[\x20/;&|])??)?(?:"""
    + _MANAGER
    + rb""")|\#\d+\x20\[[^\]\n]{1,80}\]\x20RUN\x20)
  | (?P<head>Current\x20runner\x20version|Complete\x20job\x20name:\x20|Secret\x20source:\x20|Runner\x20name:\x20
      |Uses:\x20|Post\x20job\x20cleanup|Cleaning\x20up\x20orphan|Syncing\x20repository:\x20|Running\x20with\x20gitlab-runner
      |Checking\x20out\x20[0-9a-f]{7}|Job\x20succeeded|ERROR:\x20Job\x20failed|Job's\x20log\x20exceeded
      |section_(?:start|end):|added\x20\d+\x20package|changed\x20\d+\x20package|on\x20[A-Za-z0-9])
  )"""
)
_KIND = re.compile(portable(_BODY), re.VERBOSE)
_GATE = rb"()(?!npm\x20http)(?=[npybudhv\[\#>+~{$ICDUSRPJEHaceois.\xe2-])" + re.sub(rb"\?P<[a-z]+>", b"?:", _BODY)
"""The same without groups, which cost time at every line; the empty group is where a line's own text starts."""
_LINE = re.compile(portable(rb"\n" + _LEAD + _GATE), re.VERBOSE)
_LINE_TABBED = re.compile(portable(rb"\n" + _TABBED + _LEAD + _GATE), re.VERBOSE)
_ANYWHERE = {
    "run": b"npm info run ",
    "pip": b"Successfully installed ",
    "got": b"Download action repository '",
}
"""Words worth a line wherever they stand in it: tools that run several programs put names before their lines."""
_FETCHED = re.compile(rb"npm http (?:fetch GET \d{3} |cache )[^\n]*?/-/")
_FETCHED_OTHERWISE = re.compile(rb"npm http [^\n]*?/(?:download|_attachments)/")
_START = re.compile(
    portable(
        rb"(?:\xef\xbb\xbf)?(?P<stamp>"
        + _STAMP
        + rb"\x20?(?:[0-9a-f]{2}[OE][\x20+])?)?(?:\x1b_bk;t=(?P<ticks>\d{10,16})\x07)?"
        + _COLOURS
    ),
    re.VERBOSE,
)
_START_TABBED = re.compile(portable(_TABBED + _START.pattern), re.VERBOSE)
_HIDDEN = re.compile(
    rb"npm\ http\ |npm\ info\ run\ |Successfully\ installed\ |Download\ action\ repository\ '", re.VERBOSE
)
_TITLE = re.compile(rb"(?:##)?\[(?P<kind>group|section|error|command)\](?P<title>[^\n]*)")
_DOWNLOAD = re.compile(
    r"Download action repository '(?P<uses>[^'@\s]+)@(?P<ref>[^'\s]+)'(?: \(SHA:(?P<sha>[0-9a-f]{40,64})\))?"
)
_IMMUTABLE = re.compile(r"Download immutable action package '(?P<uses>[^'@\s]+)@(?P<ref>[^'\s]+)'")
_WORKFLOW = re.compile(r"Uses: (?P<uses>[^@\s]+)@(?P<ref>\S+) \((?P<sha>[0-9a-f]{40,64})\)")
_SECTION = re.compile(r"section_(?P<end>start|end):(?P<seconds>\d{1,12}):(?P<name>[A-Za-z0-9_.-]{1,120})")
_MASKED = re.compile(r" {2}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,99}): .*\*\*\*")
_SCOPE = re.compile(r"(?P<scope>[A-Za-z-]{1,40}): (?P<level>read|write|none)$")
_LEVEL = re.compile(r"npm (?:info|verb|verbose|sill|silly|http|timing|warn|WARN|notice|error|ERR!) ")
_PUBLISHED = re.compile(r"\+ (?:@[^\s/@]+/)?[^\s/@]+@\d")
_OWN_HEADER = re.compile(r"(?P<manager>yarn|bun) (?P<verb>install|add|update|remove|create|x) v\d+\.\d+\.\d+")
_BLOCKING = re.compile(r"npm (?:warn|WARN) install-scripts \d+ packages? .*(?P<how>blocked|not yet covered)")
_WHOLE = re.compile(r"-?\d+_(?P<job>.+)\.txt")
_STEP_FILE = re.compile(r"(?P<number>\d+)_(?P<step>.+)\.txt")
_COLOUR = b"\x1b[36;1m"
_MINUTES = re.compile(
    r"(?P<date>20\d\d-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_INSTALLING = frozenset(
    {
        *("install", "ci", "add", "install-test", "install-ci-test", "update", "up", "upgrade", "exec", "x", "dlx"),
        *("create", "init", "sync", "fetch", "deploy", "dedupe", "download", "wheel", "tool", "run", "inject"),
    }
)
_ONLY_PYTHON = frozenset({"pip", "uv", "pipx", "poetry", "pdm", "pipenv"})
_INSTALLED = re.compile(r"(?:added|changed) [1-9]\d* package")
_LAST_YEAR = 4_102_444_800


class _Step:
    """One step of a job."""

    def __init__(self, name: str | None, line: int, time: str | None) -> None:
        self.name = name
        self.line = line
        self.time = time
        self.facts: list[tuple[int, AnyFact, str | None]] = []
        self.commands: list[tuple[int, CommandFact, str | None]] = []
        self.named: set[str] = set()
        self.installed: tuple[int, str | None] | None = None
        self.installs: dict[str, int] = {}
        self.publishes = False
        """Whether the last command published: it then says `+ name@version` of what it sent away."""
        self.uses: str | None = None


class _Job:
    """One job, as its log tells it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[_Step] = [_Step(None, 1, None)]
        self.secrets: set[str] = set()
        self.permissions: list[str] = []
        self.secret_source: str | None = None
        self.runner: str | None = None
        self.repository: str | None = None
        self.commit: str | None = None
        self.persisted: bool | None = None
        self.downloads: dict[str, str] = {}
        self.seen: set[tuple[object, ...]] = set()

    @property
    def step(self) -> _Step:
        return self.steps[-1]


class _Log:
    """One log that is being read."""

    def __init__(self, artifact: Artifact, interest: Interest) -> None:
        self.artifact = artifact
        self.npm = interest.wanted("npm")
        self.python = interest.wanted("PyPI")
        self.actions = interest.wanted(ACTIONS)
        self.system = "plain"
        self.tabbed = False
        self.columns = False
        """Whether the lines name their step."""
        self.jobs: dict[str, _Job] = {}
        self.place_job, self.place_step = _names(artifact)
        self.whole = False
        self.ended = False
        self.cut: str | None = None
        self.naive = False
        self.pending: str | None = None
        self.blocking = False
        self.facts = 0
        wanted = self.npm
        self.names = self.bases = frozenset[bytes]()
        if not isinstance(wanted, Everything):
            self.names = frozenset(name.encode() for name in wanted)
            self.bases = frozenset(name.rpartition(b"/")[2] for name in self.names)

    def job(self, name: str) -> _Job:
        found = self.jobs.get(name)
        if found is None:
            found = self.jobs[name] = _Job(name)
            if self.place_step is not None:
                found.steps = [_Step(self.place_step, 1, None)]
        return found

    # lines

    def block(self, blocks: Blocks, block: bytes) -> None:
        """Take in the lines of one block that say something."""
        text = block.replace(b"\r", b"\n") if b"\r" in block else block
        counted, number, passed = 0, blocks.line, 0
        for start, kind in self._matches(text):
            if start < passed:
                continue
            number += block.count(b"\n", counted, start)
            counted = start
            end = text.find(b"\n", start + 1)
            end = len(text) if end < 0 else end
            stamp, job, body = self._split(text[start + 1 : min(end, start + 1 + LONGEST)])
            title = _TITLE.match(body) if kind == "mark" else None
            if title is None:
                self.line(job, number, stamp, kind, _text(printed.ANSI.sub(b"", body)))
            elif title["kind"] == b"group" and title["title"].startswith(_HEADERS):
                close = text.find(b"##[endgroup]", end)
                if close < 0 and not blocks.ended and len(text) - start < _HEADER:
                    kept = blocks.hold(block, start)
                    if len(kept) != len(block):
                        return
                header = text[end : min(close if close >= 0 else len(text), end + _HEADER)]
                self._group(job, number, stamp, _text(title["title"]), header)
                passed = end + len(header)
            else:
                self._mark(job, number, stamp, title["kind"], _text(title["title"]))

    def _matches(self, text: bytes) -> list[tuple[int, str]]:
        """Where the lines start that say something of interest, and what kind of line each is."""
        pattern = _LINE_TABBED if self.tabbed else _LINE
        found: list[tuple[int, str]] = []
        met = dict.fromkeys(_ANYWHERE, 0)
        for match in pattern.finditer(text):
            known = _KIND.match(text, match.start(1))
            kind = (known.lastgroup if known else None) or ""
            if kind in met:
                met[kind] += 1
            found.append((match.start(), kind))
        more: set[int] = set()
        for kind, word in _ANYWHERE.items():
            if text.count(word) > met[kind]:
                more.update(_lines_with(text, word))
        if b"npm http " in text:
            more.update(self._fetches(text, [start for start, kind in found if kind in ("mark", "head")]))
        if more:
            more.difference_update(start for start, _ in found)
            found += [(start, "hidden") for start in more]
            found.sort()
        return found

    def _fetches(self, text: bytes, marks: list[int]) -> Iterator[int]:
        """Where the lines start in which npm fetched something of interest, and the first of each step that fetched."""
        if self.tabbed or isinstance(self.npm, Everything):
            yield from _lines_with(text, b"npm http ")
            return
        pieces = text.split(b"/-/")
        bases = {piece[piece.rfind(b"/") + 1 :] for piece in pieces}
        hits = {base for base in bases if b"%" in base[:240]}
        near = tuple(b"/" + base for base in bases & self.bases)
        if near:
            tails = {b"/".join(piece[-256:].rsplit(b"/", 2)[-2:]) for piece in pieces if piece.endswith(near)}
            hits |= {tail if tail[:1] == b"@" else tail[tail.find(b"/") + 1 :] for tail in tails} & self.names
        for name in hits:
            yield from _lines_with(text, b"/" + name + b"/-/")
        for match in _FETCHED_OTHERWISE.finditer(text):
            yield text.rfind(b"\n", 0, match.start())
        for start, end in itertools.pairwise((0, *marks, len(text))):
            first = _FETCHED.search(text, start, end)
            if first:
                yield text.rfind(b"\n", 0, first.start())

    def _split(self, line: bytes) -> tuple[str | None, _Job, bytes]:
        """Time, job and rest of a line."""
        match = (_START_TABBED if self.tabbed else _START).match(line) or _START.match(line)
        if match is None:
            return None, self.job(self.place_job), line
        name = self.place_job
        if self.tabbed and match.re is _START_TABBED:
            first, second = line.split(b"\t", 2)[:2]
            name = redacted(_text(first)) or name
            job = self.job(name)
            step = redacted(step_name(_text(second).strip()))
            self.columns = self.columns or step != "UNKNOWN STEP"
            if step and step not in ("UNKNOWN STEP", job.step.name):
                if job.step.name is None and not job.step.facts and not job.step.commands:
                    job.step.name = step
                elif len(job.steps) < _MOST_STEPS:
                    job.steps.append(_Step(step, 0, None))
        stamp = match["stamp"]
        time = self._time(stamp.decode("ascii", "replace")) if stamp else None
        if match["ticks"]:
            time = _seconds(int(match["ticks"]) / 1000)
        return time, self.job(name), line[match.end() :]

    def _time(self, stamp: str) -> str | None:
        """A time in ISO 8601 and UTC; without a zone as it stands."""
        match = _MINUTES.search(stamp)
        if match is None:
            return None
        part = f"{(match['part'] or '0')[:3]:0<3}"
        plain = f"{match['date']}T{match['clock']}.{part}"
        zone = match["zone"]
        if zone is None:
            self.naive = True
            return plain
        if zone == "Z":
            return f"{plain}Z"
        import datetime

        try:
            moment = datetime.datetime.fromisoformat(plain + zone).astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            return None
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def line(self, job: _Job, line: int, stamp: str | None, kind: str, text: str) -> None:
        """Take in one line that is no group."""
        text = text.strip()
        if kind in ("head", "got"):
            self._head(job, line, stamp, text)
        elif kind in ("npm", "run"):
            self._npm(job, line, stamp, text)
        elif kind == "hidden":
            match = _HIDDEN.search(text.encode())
            rest = text.encode()[match.start() :].decode("utf-8", "replace") if match else text
            if rest.startswith("npm "):
                self._npm(job, line, stamp, rest)
            elif rest.startswith("Download action"):
                self._head(job, line, stamp, rest)
            else:
                self._said(job, line, stamp, printed.line(rest))
        elif kind == "asked":
            self._asked(job, line, stamp, text)
        elif not (job.step.publishes and _PUBLISHED.match(text)):
            found = list(printed.line(text))
            if found:
                self._said(job, line, stamp, iter(found))
            elif text.startswith((">", "+")):
                self._asked(job, line, stamp, text.lstrip(">+ "))

    def _npm(self, job: _Job, line: int, stamp: str | None, text: str) -> None:
        if "install-scripts" in text:
            heading = _BLOCKING.search(text)
            if heading:
                self.blocking = heading["how"] == "blocked"
            elif self.blocking and (held := printed.blocked(text)):
                self._said(job, line, stamp, iter([held]))
        self._said(job, line, stamp, printed.npm_line(text))

    def _said(self, job: _Job, line: int, stamp: str | None, found: Iterator[printed.Said]) -> None:
        """Keep what is of interest of what a line names."""
        step = job.step
        for said in found:
            if said.every:
                step.named.add(said.ecosystem)
            name = normalise(said.name) if said.ecosystem == "PyPI" else said.name
            wanted = self.python if said.ecosystem == "PyPI" else self.npm
            if name not in wanted:
                continue
            fact: AnyFact
            if said.script:
                fact = ScriptFact(
                    name=name,
                    version=said.version,
                    script=said.script,
                    outcome=said.outcome,
                    ecosystem=said.ecosystem,
                    exit_code=said.exit_code,
                )
                self._keep(job, line, stamp, fact)
            if said.version and (not said.script or said.outcome in ("started", "blocked")):
                fact = ComponentFact(
                    name=name,
                    version=said.version,
                    depth=said.depth,
                    record="log",
                    ecosystem=said.ecosystem,
                    resolved=strip_url(said.resolved) if said.resolved else None,
                )
                self._keep(job, line, stamp, fact)

    def _keep(self, job: _Job, line: int, stamp: str | None, fact: AnyFact) -> None:
        """Keep a fact, once for each step."""
        key = (len(job.steps), fact)
        if key in job.seen or self.facts >= _MOST_FACTS:
            if self.facts >= _MOST_FACTS:
                self.cut = f"names more than {_MOST_FACTS} releases of interest; the rest was not kept"
            return
        self.facts += 1
        job.seen.add(key)
        job.step.facts.append((line, fact, stamp))

    def _asked(self, job: _Job, line: int, stamp: str | None, text: str) -> None:
        """A line that shows a command."""
        text = text.removeprefix("$ ")
        docker = text.find("] RUN ")
        if text.startswith("#") and docker >= 0:
            text = text[docker + 6 :]
        if _LEVEL.match(text):
            return
        own = _OWN_HEADER.match(text)
        if own:
            if own["manager"] not in job.step.installs:
                self._command(job, line, stamp, Command(own["manager"], own["verb"]))
            return
        self._script(job, line, stamp, text)

    def _script(self, job: _Job, line: int, stamp: str | None, text: str) -> None:
        text = text[:LONGEST]
        for command in npm_commands(text):
            self._command(job, line, stamp, command)
        for command in python_commands(text):
            self._command(job, line, stamp, command)

    def _command(self, job: _Job, line: int, stamp: str | None, command: Command) -> None:
        """Keep a command that installs, or that names a package of interest."""
        python = command.manager in _ONLY_PYTHON
        wanted = self.python if python else self.npm
        packages = command.packages
        names = {normalise(name) for name in command.names} if python else command.names
        found = isinstance(wanted, Everything) or any(name in wanted for name in names)
        if not isinstance(wanted, Everything):
            if not found:
                packages = ()
            for word in command.doubtful:
                again = specifier(word)
                if again and again[1] in wanted:
                    packages, found = (*packages, word), True
        if command.verb == "publish":
            job.step.publishes = True
        installs = command.verb in _INSTALLING and not (command.verb == "run" and not python)
        if not found and not installs:
            return
        if installs:
            job.step.publishes = False
            job.step.installs[command.manager] = job.step.installs.get(command.manager, 0) + 1
        fact = CommandFact(
            manager=command.manager,
            verb=command.verb,
            packages=packages,
            flags=command.flags,
            printed=printed.printed(command.manager, command.flags) if installs else None,
        )
        same = [other for _, other, _ in job.step.commands if (other.manager, other.verb) == (fact.manager, fact.verb)]
        if same and (not fact.packages or any(other.packages == fact.packages for other in same)):
            return
        if len(job.step.commands) < 1000:
            job.step.commands.append((line, fact, stamp))

    # groups, heads, sections

    def _mark(self, job: _Job, line: int, stamp: str | None, kind: bytes, title: str) -> None:
        if kind == b"section" and title.startswith("Starting: "):
            self._begin(job, step_name(title[10:]), line, stamp)
        elif kind == b"command":
            self._script(job, line, stamp, title)

    def _group(self, job: _Job, line: int, stamp: str | None, title: str, header: bytes) -> None:
        """A group whose lines are looked at: permissions, an action's package, the head of a step."""
        lines = [self._split(part)[2] for part in header.split(b"\n")[1:2000]]
        if title.startswith("GITHUB_TOKEN"):
            self.system = "github-actions"
            for part in lines:
                match = _SCOPE.match(_text(part).strip())
                if match:
                    job.permissions.append(f"{_scope(match['scope'])}: {match['level']}")
            return
        immutable = _IMMUTABLE.match(title)
        if immutable:
            for part in lines:
                text = _text(part).strip()
                if text.startswith("Source commit SHA: "):
                    self._downloaded(job, line, stamp, immutable["uses"], immutable["ref"], text[19:].strip())
            return
        self.system = "github-actions"
        uses = title[4:].strip()
        self._begin(job, step_name(title), line, stamp)
        if uses in job.downloads or reference(uses) is not None:
            job.step.uses = uses
            self._used(job, line, stamp, uses)
        self._header(job, line, stamp, uses, header, lines)

    def _header(self, job: _Job, line: int, stamp: str | None, title: str, header: bytes, lines: list[bytes]) -> None:
        """The head of a step: its script, and the names of its masked variables."""
        script: list[str] = []
        part = ""
        for raw_line, text in zip(header.split(b"\n")[1:2000], lines, strict=True):
            if _COLOUR in raw_line[:80]:
                script.append(_text(printed.ANSI.sub(b"", text)))
                continue
            plain = _text(printed.ANSI.sub(b"", _unstamped(raw_line, self.tabbed)))
            if plain.rstrip() in ("env:", "with:"):
                part = plain.rstrip()
            elif part == "env:" and (match := _MASKED.match(plain)):
                job.secrets.add(redacted(match["name"]))
            elif part == "with:":
                if plain.strip().startswith("persist-credentials: "):
                    job.persisted = plain.strip().endswith("true")
                elif match := _MASKED.match(plain):
                    job.secrets.add(f"input {redacted(match['name'])}")
        if script or not job.step.uses:
            joined = "\n".join(script) if script else title
            self._script(job, line, stamp, joined.replace("\\\n", " "))

    def _begin(self, job: _Job, name: str, line: int, stamp: str | None) -> None:
        """A step begins; inside a step's own file it is a part of that step."""
        if self.place_step is not None and not self.whole:
            return
        if self.columns:
            if job.step.line == 0:
                job.step.line, job.step.time = line, stamp
            return
        if len(job.steps) < _MOST_STEPS:
            job.steps.append(_Step(redacted(name), line, stamp))

    def _downloaded(self, job: _Job, line: int, stamp: str | None, uses: str, ref: str, commit: str | None) -> None:
        """An action was downloaded: at this commit, or at one that the log does not tell."""
        found = reference(f"{uses}@{ref}")
        if found is None or found.kind != "repository":
            return
        commit = commit if commit and is_commit(commit) else found.commit
        if commit is not None:
            job.downloads[f"{uses}@{ref}"] = commit
        if found.name not in self.actions:
            return
        if commit is None:
            self._keep(job, line, stamp, RangeFact(name=found.name, range=ref, field="log", ecosystem=ACTIONS))
            return
        fact = ComponentFact(
            name=found.name, version=commit, depth="fetched", record="log", ecosystem=ACTIONS, alias=f"{uses}@{ref}"
        )
        self._keep(job, line, stamp, fact)

    def _used(self, job: _Job, line: int, stamp: str | None, uses: str) -> None:
        """A step that uses an action began: its code ran, at the commit that was downloaded."""
        found = reference(uses)
        commit = job.downloads.get(uses) or (found.commit if found else None)
        if found is not None and commit is not None and found.name in self.actions:
            fact = ScriptFact(name=found.name, version=commit, script="action", outcome="started", ecosystem=ACTIONS)
            self._keep(job, line, stamp, fact)

    def _head(self, job: _Job, line: int, stamp: str | None, text: str) -> None:
        if text.startswith("Current runner version"):
            self.system, self.whole = "github-actions", True
            job.step.name = job.step.name or "Set up job"
            job.step.time = stamp
        elif text.startswith("Complete job name: "):
            job.name = redacted(text[19:]) or job.name
        elif text.startswith("Secret source: "):
            job.secret_source = redacted(text[15:])
        elif text.startswith("Runner name: "):
            job.runner = redacted(text[13:].strip("'\""))
        elif text.startswith("Syncing repository: "):
            job.repository = redacted(text[20:])
        elif match := _DOWNLOAD.match(text):
            self._downloaded(job, line, stamp, match["uses"], match["ref"], match["sha"])
        elif match := _WORKFLOW.match(text):
            uses = f"{match['uses']}@{match['ref']}"
            self._downloaded(job, line, stamp, match["uses"], match["ref"], match["sha"])
            self._used(job, line, stamp, uses)
        elif text.startswith("Post job cleanup"):
            self._begin(job, "Post job cleanup", line, stamp)
        elif text.startswith(("Cleaning up orphan", "Job succeeded", "ERROR: Job failed")):
            self.ended = True
        elif text.startswith("Running with gitlab-runner"):
            self.system, self.whole = "gitlab", True
        elif text.startswith("on ") and self.system == "gitlab" and job.runner is None:
            job.runner = redacted(text[3:].partition(" ")[0])
        elif text.startswith("Checking out ") and job.commit is None:
            job.commit = text[13:].partition(" ")[0][:40]
        elif text.startswith("Job's log exceeded"):
            self.cut = "exceeded the limit of its server; what came after is not in it"
        elif match := _SECTION.match(text):
            self._section(job, line, stamp, match)
        elif _INSTALLED.match(text) and job.step.installed is None:
            job.step.installed = (line, stamp)

    def _section(self, job: _Job, line: int, stamp: str | None, match: re.Match[str]) -> None:
        self.system = "gitlab"
        if match["end"] == "start":
            self._begin(job, match["name"], line, stamp or _seconds(int(match["seconds"])))

    # what comes of it

    def finish(self) -> Iterator[Observation | Refusal]:
        """Yield the facts of each step and the step itself."""
        for job in self.jobs.values():
            names = tuple(step.name for step in job.steps if step.name)
            for index, step in enumerate(job.steps):
                if step.installed and not any(fact.printed for _, fact, _ in step.commands):
                    number, stamp = step.installed
                    fact = CommandFact(manager="npm", verb="install", printed="none")
                    step.commands.append((number, fact, stamp))
                if not step.facts and not step.commands:
                    continue
                later = tuple(other.name for other in job.steps[index + 1 :] if other.name)
                first = min(
                    [
                        step.line or 1 << 40,
                        *(line for line, _, _ in step.facts),
                        *(line for line, _, _ in step.commands),
                    ]
                )
                yield self._seen(first, self._fact(job, step, names, later), step.time, "the step began")
                for line, command, stamp in step.commands:
                    yield self._seen(line, self._printed(command, step), stamp or step.time)
                for line, found, stamp in step.facts:
                    yield self._seen(line, found, stamp or step.time)
        if self.cut is not None:
            yield self.artifact.refusal(READER.name, self.cut)
        elif (
            not self.whole
            and self.place_step is None
            and not self.tabbed
            and not any(step.facts or step.commands for job in self.jobs.values() for step in job.steps)
        ):
            reason = "shows no runner, no command and no package: nothing says that it is a job's log"
            yield self.artifact.refusal(READER.name, reason, relevant=False)
        if self.whole and not self.ended and not self.tabbed and self.place_step is None:
            yield self.artifact.refusal(READER.name, "ends without the last line of its runner: it may be cut off")

    def _printed(self, fact: CommandFact, step: _Step) -> CommandFact:
        """A command, and how much the step names: all where it was told to be wordy."""
        if fact.printed is None or fact.manager in _ONLY_PYTHON or "npm" not in step.named:
            return fact
        alone = step.installs.get(fact.manager, 0) == 1
        return msgspec.structs.replace(fact, printed="all" if alone else "direct")

    def _fact(self, job: _Job, step: _Step, names: tuple[str, ...], later: tuple[str, ...]) -> JobFact:
        return JobFact(
            system=self.system,  # type: ignore[arg-type]  # one of the systems
            job=job.name,
            repository=job.repository,
            commit=job.commit,
            runner=job.runner,
            step=step.name,
            steps=names,
            later_steps=later,
            secrets=tuple(sorted(job.secrets)),
            permissions=tuple(sorted(set(job.permissions))),
            secret_source=job.secret_source,
            persisted_credentials=job.persisted,
        )

    def _seen(
        self, line: int, fact: AnyFact, stamp: str | None, meaning: str = "the log line was written"
    ) -> Observation:
        times: tuple[Time, ...] = ()
        if stamp:
            naive = not stamp.endswith("Z")
            times = (Time(f"{meaning}, by a clock without a zone" if naive else meaning, stamp, "log"),)
        return Observation(READER.name, self.artifact.location(line=line), fact, times)


def _lines_with(text: bytes, word: bytes) -> Iterator[int]:
    """Where the lines start that hold a word."""
    place = text.find(word)
    while place >= 0:
        yield text.rfind(b"\n", 0, place)
        end = text.find(b"\n", place)
        place = text.find(word, end) if end >= 0 else -1


def _names(artifact: Artifact) -> tuple[str, str | None]:
    """Job and step that a log's place names."""
    parts = artifact.path.split("/")
    base = parts[-1]
    step = _STEP_FILE.fullmatch(base)
    if step and len(parts) > 1 and (artifact.in_archive or not base.startswith("0_")):
        return redacted(parts[-2]), step_name(step["step"])
    whole = _WHOLE.fullmatch(base)
    if whole:
        return redacted(whole["job"]), None
    if base == "system.txt" and len(parts) > 1:
        return redacted(parts[-2]), None
    return redacted(base.rpartition(".")[0] or base), None


def _scope(name: str) -> str:
    """A scope as a workflow file spells it: `PullRequests` is `pull-requests`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")


def _unstamped(line: bytes, tabbed: bool) -> bytes:
    """A line without its time, its blanks kept."""
    if tabbed:
        line = line.split(b"\t", 2)[-1]
    return re.sub(rb"^(?:\xef\xbb\xbf)?" + _STAMP.replace(b"*+", b"*") + rb"\x20?", b"", line, count=1)


def _seconds(value: float) -> str | None:
    """Seconds since the epoch as a time, where a job may print them: within bounds."""
    if not 946_684_800 <= value < _LAST_YEAR:
        return None
    from pratique.model.ports import iso_time

    return iso_time(value)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what a log says of releases, scripts, commands and actions of interest, and the jobs they belong to."""
    log = _Log(artifact, interest)
    blocks = Blocks(recoded(unpacked(raw(artifact))))
    first = True
    for block in blocks:
        if first:
            first = False
            head = block[:65_536]
            if b"\0" in head and head.count(b"\0") > len(head) // 512:
                likely = artifact.path.endswith((".txt", ".log"))
                yield artifact.refusal(READER.name, "is not text", relevant=likely)
                return
            log.tabbed = (
                re.match(
                    rb"\n(?:\xef\xbb\xbf)?[^\t\n]*\t[^\t\n]*\t(?:\xef\xbb\xbf)?" + _STAMP.replace(b"*+", b"*"), head
                )
                is not None
            )
        log.block(blocks, block)
    if blocks.size == 0:
        yield artifact.refusal(READER.name, "is empty", relevant=log.place_step is None)
        return
    yield from log.finish()


READER = Reader(
    name="ci-log",
    ecosystem=ACTIONS,
    read=read,
    suffixes=("",),
    limit=1 << 30,
    subject="log",
    doors=("ci-log",),
    resolves=False,
)
