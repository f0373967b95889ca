"""What package managers print in a log, and the commands that started them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems import printed
from pratique.ecosystems.npm.commands import Command, specifier
from pratique.ecosystems.npm.commands import commands as npm_commands
from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.pypi.commands import commands as python_commands
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import AnyFact, CommandFact, ComponentFact, ScriptFact
from pratique.model.ports import Everything, Interest
from pratique.readers.ci.jobs import Job, Jobs, Step
from pratique.readers.ci.lines import LONGEST

_LEVEL = re.compile(r"npm (?:info|verb|verbose|sill|silly|http|timing|warn|WARN|notice|error|ERR!) ")
_PUBLISHED = re.compile(r"\+ (?:@[^\s/@]+/)?[^\s/@]+@\d")
_OWN_HEADER = re.compile(r"(?P<manager>yarn|bun) (?P<verb>install|add|update|remove|create|x) v\d+\.\d+\.\d+")
_BLOCKING = re.compile(r"npm (?:warn|WARN) install-scripts \d+ packages? .*(?P<how>blocked|not yet covered)")
_INSTALLING = frozenset(
    {
        *("install", "ci", "add", "install-test", "install-ci-test", "update", "up", "upgrade", "exec", "x", "dlx"),
        *("create", "init", "sync", "fetch", "deploy", "dedupe", "download", "wheel", "tool", "run", "inject"),
    }
)
_ONLY_PYTHON = frozenset({"pip", "uv", "pipx", "poetry", "pdm", "pipenv"})
_MOST_COMMANDS = 1000


class Clients:
    """Takes in the lines and commands of package managers."""

    def __init__(self, jobs: Jobs, interest: Interest) -> None:
        self.jobs = jobs
        self.npm = interest.wanted("npm")
        self.python = interest.wanted("PyPI")
        self.blocking = False

    def line(self, job: Job, line: int, stamp: str | None, text: str) -> None:
        """A line of any of them but npm's own."""
        if job.step.publishes and _PUBLISHED.match(text):
            return
        found = list(printed.line(text))
        if found:
            self.said(job, line, stamp, iter(found))
        elif text.startswith((">", "+")):
            self.asked(job, line, stamp, text.lstrip(">+ "))

    def npm_line(self, job: Job, line: int, stamp: str | None, text: str) -> None:
        """A line of npm's own."""
        if "install-scripts" in text:
            heading = _BLOCKING.search(text)
            if heading:
                self.blocking = heading["how"] == "blocked"
            elif self.blocking and (held := printed.blocked(text)):
                self.said(job, line, stamp, iter([held]))
        self.said(job, line, stamp, printed.npm_line(text))

    def said(self, job: Job, line: int, stamp: str | None, found: Iterator[printed.Said]) -> None:
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
                self.jobs.keep(job, line, stamp, fact)
            if said.version and (not said.script or said.outcome in ("started", "blocked")):
                fact = ComponentFact(
                    name=name,
                    version=said.version,
                    depth=said.depth,
                    record="log",
                    ecosystem=said.ecosystem,
                    resolved=strip_url(said.resolved) if said.resolved else None,
                )
                self.jobs.keep(job, line, stamp, fact)

    def asked(self, job: Job, line: int, stamp: str | None, text: str) -> None:
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
        self.script(job, line, stamp, text)

    def script(self, job: Job, line: int, stamp: str | None, text: str) -> None:
        """The commands of a script."""
        while text:
            end = text.rfind("\n", 0, LONGEST) + 1 if len(text) > LONGEST else 0
            piece = text[: end or LONGEST]
            text = text[len(piece) :]
            for command in (*npm_commands(piece), *python_commands(piece)):
                self._command(job, line, stamp, command)

    def _command(self, job: Job, line: int, stamp: str | None, command: Command) -> None:
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
        same = [other for _, other, _ in job.step.commands if _alike(other, fact)]
        if same and (not fact.packages or any(other.packages == fact.packages for other in same)):
            return
        if len(job.step.commands) >= _MOST_COMMANDS:
            self.jobs.cut = f"shows more than {_MOST_COMMANDS} commands of interest in a step; the rest was not kept"
            return
        job.step.commands.append((line, fact, stamp))

    def as_printed(self, fact: CommandFact, step: Step) -> CommandFact:
        """A command, and how much the step names: all where it was told to be wordy."""
        if fact.printed is None or fact.manager in _ONLY_PYTHON or "npm" not in step.named:
            return fact
        alone = step.installs.get(fact.manager, 0) == 1
        return msgspec.structs.replace(fact, printed="all" if alone else "direct")


def _alike(one: CommandFact, other: CommandFact) -> bool:
    """Whether two commands do the same and tell as much of it: a quiet one is not like one that names what it does."""
    return (one.manager, one.verb, one.printed) == (other.manager, other.verb, other.printed)
