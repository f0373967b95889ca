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

from pratique.ecosystems import printed
from pratique.ecosystems.actions.names import redacted
from pratique.model.observation import AnyFact, CommandFact, Observation, Refusal, Time
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.ci.blocks import Blocks, raw, recoded, unpacked
from pratique.readers.ci.clients import Clients
from pratique.readers.ci.jobs import Job, Jobs
from pratique.readers.ci.lines import (
    HIDDEN,
    LONGEST,
    STAMP,
    START,
    START_TABBED,
    TITLE,
    Lines,
    instant,
    seconds,
    text_of,
    unstamped,
)
from pratique.readers.ci.runner import ACTIONS, Runner

_HEADER = 1 << 18
_HEADERS = (b"Run ", b"GITHUB_TOKEN Permissions", b"Download immutable")
_NAMES_MANY = frozenset({"asked", "pip", "said"})
"""Kinds of lines that may name any number of releases."""
_LONG = f"holds a line of more than {LONGEST} bytes that names releases; what stands behind them was not read"


class _Log:
    """One log that is being read."""

    def __init__(self, artifact: Artifact, interest: Interest) -> None:
        self.artifact = artifact
        self.lines = Lines(interest.wanted("npm"))
        self.jobs = Jobs(artifact)
        self.clients = Clients(self.jobs, interest)
        self.runner = Runner(self.jobs, self.clients, interest)

    def block(self, blocks: Blocks, block: bytes) -> None:
        """Take in the lines of one block that say something."""
        text = block.replace(b"\r", b"\n") if b"\r" in block else block
        counted, number, passed = 0, blocks.line, 0
        for start, kind in self.lines.matches(text):
            if start < passed:
                continue
            number += block.count(b"\n", counted, start)
            counted = start
            end = text.find(b"\n", start + 1)
            end = len(text) if end < 0 else end
            stamp, job, body = self._split(text[start + 1 : end if kind == "hidden" else min(end, start + 1 + LONGEST)])
            title = TITLE.match(body) if kind == "mark" else None
            if kind == "hidden":
                self._hidden(job, number, stamp, printed.ANSI.sub(b"", body))
            elif title is None:
                if end - start > LONGEST and kind in _NAMES_MANY:
                    self.jobs.cut = _LONG
                self.line(job, number, stamp, kind, text_of(printed.ANSI.sub(b"", body)))
            elif title["kind"] == b"group" and title["title"].startswith(_HEADERS):
                close = text.find(b"##[endgroup]", end)
                if close < 0 and not blocks.ended and len(text) - start < _HEADER:
                    kept = blocks.hold(block, start)
                    if len(kept) != len(block):
                        return
                header = text[end : min(close if close >= 0 else len(text), end + _HEADER)]
                parts = header.split(b"\n")[1:]
                lines = [(unstamped(part, self.lines.tabbed), self._split(part)[2]) for part in parts]
                self.runner.group(job, number, stamp, text_of(title["title"]), lines)
                passed = end + len(header)
            else:
                self.runner.mark(job, number, stamp, title["kind"], text_of(title["title"]))

    def _split(self, line: bytes) -> tuple[str | None, Job, bytes]:
        """Time, job and rest of a line."""
        match = (START_TABBED if self.lines.tabbed else START).match(line) or START.match(line)
        if match is None:
            return None, self.jobs.job(self.jobs.place_job), line
        name = self.jobs.place_job
        if self.lines.tabbed and match.re is START_TABBED:
            first, second = line.split(b"\t", 2)[:2]
            name = redacted(text_of(first)) or name
            self.jobs.column(self.jobs.job(name), text_of(second))
        stamp = match["stamp"]
        time = instant(stamp.decode("ascii", "replace")) if stamp else None
        if match["ticks"]:
            time = seconds(int(match["ticks"]) / 1000)
        return time, self.jobs.job(name), line[match.end() :]

    def line(self, job: Job, line: int, stamp: str | None, kind: str, text: str) -> None:
        """Take in one line that is no group."""
        text = text.strip()
        if kind in ("head", "got"):
            self.runner.head(job, line, stamp, text)
        elif kind in ("npm", "run"):
            self.clients.npm_line(job, line, stamp, text)
        elif kind == "asked":
            self.clients.asked(job, line, stamp, text)
        else:
            self.clients.line(job, line, stamp, text)

    def _hidden(self, job: Job, line: int, stamp: str | None, body: bytes) -> None:
        """Take in everything that stands somewhere in a line."""
        places = [match.start() for match in HIDDEN.finditer(body)]
        for start, end in itertools.pairwise((*places, len(body))):
            text = text_of(body[start : min(end, start + LONGEST)]).strip()
            if text.startswith("npm "):
                self.clients.npm_line(job, line, stamp, text)
            elif text.startswith("Download action"):
                self.runner.head(job, line, stamp, text)
            else:
                self.clients.said(job, line, stamp, printed.line(text))
                if end - start > LONGEST:
                    self.jobs.cut = _LONG

    def finish(self) -> Iterator[Observation | Refusal]:
        """Yield the facts of each step and the step itself."""
        for job in self.jobs:
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
                yield self._seen(first, self.jobs.fact(job, step, names, later), step.time, "the step began")
                for line, command, stamp in step.commands:
                    yield self._seen(line, self.clients.as_printed(command, step), stamp or step.time)
                for line, found, stamp in step.facts:
                    yield self._seen(line, found, stamp or step.time)
        if self.jobs.cut is not None:
            yield self.artifact.refusal(READER.name, self.jobs.cut)
        elif not self.jobs.recognised:
            reason = "shows no runner, no command and no package: nothing says that it is a job's log"
            yield self.artifact.refusal(READER.name, reason, relevant=False)
        if self.jobs.whole and not self.jobs.ended and not self.lines.tabbed and self.jobs.place_step is None:
            yield self.artifact.refusal(READER.name, "ends without the last line of its runner: it may be cut off")

    def _seen(
        self, line: int, fact: AnyFact, stamp: str | None, meaning: str = "the log line was written"
    ) -> Observation:
        times: tuple[Time, ...] = ()
        if stamp:
            naive = not stamp.endswith("Z")
            times = (Time(f"{meaning}, by a clock without a zone" if naive else meaning, stamp, "log"),)
        return Observation(READER.name, self.artifact.location(line=line), fact, times)


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
            log.lines.tabbed = (
                re.match(
                    rb"\n(?:\xef\xbb\xbf)?[^\t\n]*\t[^\t\n]*\t(?:\xef\xbb\xbf)?" + STAMP.replace(b"*+", b"*"), head
                )
                is not None
            )
        log.block(blocks, block)
    if blocks.size == 0:
        yield artifact.refusal(READER.name, "is empty", relevant=log.jobs.place_step is None)
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
