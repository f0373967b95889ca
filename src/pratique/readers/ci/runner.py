"""What the runner of a job writes into its log: groups, heads of steps, sections, downloads of actions."""

from __future__ import annotations

import re

from pratique.ecosystems import printed
from pratique.ecosystems.actions.names import redacted, step_name
from pratique.ecosystems.actions.references import is_commit, reference
from pratique.model.observation import ComponentFact, RangeFact, ScriptFact
from pratique.model.ports import Interest
from pratique.readers.ci.clients import Clients
from pratique.readers.ci.jobs import Job, Jobs
from pratique.readers.ci.lines import seconds, text_of

ACTIONS = "GitHub Actions"
_DOWNLOAD = re.compile(
    r"Download action repository '(?P<uses>[^'@\s]+)@(?P<ref>[^'\s]+)'(?: \(SHA:(?P<sha>[0-9a-f]{40,64})\))?"
)
_IMMUTABLE = re.compile(r"Download immutable action package '(?P<uses>[^'@\s]+)@(?P<ref>[^'\s]+)'")
_WORKFLOW = re.compile(r"Uses: (?P<uses>[^@\s]+)@(?P<ref>\S+) \((?P<sha>[0-9a-f]{40,64})\)")
_SECTION = re.compile(r"section_(?P<end>start|end):(?P<seconds>\d{1,12}):(?P<name>[A-Za-z0-9_.-]{1,120})")
_MASKED = re.compile(r" {2}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,99}): .*\*\*\*")
_SCOPE = re.compile(r"(?P<scope>[A-Za-z-]{1,40}): (?P<level>read|write|none)$")
_COLOUR = b"\x1b[36;1m"
_INSTALLED = re.compile(r"(?:added|changed) [1-9]\d* package")


class Runner:
    """Takes in the lines of runners."""

    def __init__(self, jobs: Jobs, managers: Clients, interest: Interest) -> None:
        self.jobs = jobs
        self.clients = managers
        self.actions = interest.wanted(ACTIONS)

    def mark(self, job: Job, line: int, stamp: str | None, kind: bytes, title: str) -> None:
        """A line that starts a section or shows a command."""
        if kind == b"section" and title.startswith("Starting: "):
            self.jobs.begin(job, step_name(title[10:]), line, stamp)
        elif kind == b"command":
            self.clients.script(job, line, stamp, title)

    def group(self, job: Job, line: int, stamp: str | None, title: str, lines: list[tuple[bytes, bytes]]) -> None:
        """A group whose lines are looked at: permissions, an action's package, the head of a step.

        Each line comes without its time, and without its blanks and colours too.
        """
        if title.startswith("GITHUB_TOKEN"):
            self.jobs.system = "github-actions"
            for _, part in lines:
                match = _SCOPE.match(text_of(part).strip())
                if match:
                    job.permissions.append(f"{_scope(match['scope'])}: {match['level']}")
            return
        immutable = _IMMUTABLE.match(title)
        if immutable:
            for _, part in lines:
                text = text_of(part).strip()
                if text.startswith("Source commit SHA: "):
                    self._downloaded(job, line, stamp, immutable["uses"], immutable["ref"], text[19:].strip())
            return
        self.jobs.system = "github-actions"
        uses = title[4:].strip()
        self.jobs.begin(job, step_name(title), line, stamp)
        if uses in job.downloads or reference(uses) is not None:
            job.step.uses = uses
            self._used(job, line, stamp, uses)
        self._header(job, line, stamp, uses, lines)

    def _header(self, job: Job, line: int, stamp: str | None, title: str, lines: list[tuple[bytes, bytes]]) -> None:
        """The head of a step: its script, and the names of its masked variables."""
        script: list[str] = []
        part = ""
        for whole, text in lines:
            if _COLOUR in whole[:80]:
                script.append(text_of(printed.ANSI.sub(b"", text)))
                continue
            plain = text_of(printed.ANSI.sub(b"", whole))
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
            self.clients.script(job, line, stamp, joined.replace("\\\n", " "))

    def _downloaded(self, job: Job, line: int, stamp: str | None, uses: str, ref: str, commit: str | None) -> None:
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
            self.jobs.keep(job, line, stamp, RangeFact(name=found.name, range=ref, field="log", ecosystem=ACTIONS))
            return
        fact = ComponentFact(
            name=found.name, version=commit, depth="fetched", record="log", ecosystem=ACTIONS, alias=f"{uses}@{ref}"
        )
        self.jobs.keep(job, line, stamp, fact)

    def _used(self, job: Job, line: int, stamp: str | None, uses: str) -> None:
        """A step that uses an action began: its code ran, at the commit that was downloaded."""
        found = reference(uses)
        commit = job.downloads.get(uses) or (found.commit if found else None)
        if found is not None and commit is not None and found.name in self.actions:
            fact = ScriptFact(name=found.name, version=commit, script="action", outcome="started", ecosystem=ACTIONS)
            self.jobs.keep(job, line, stamp, fact)

    def head(self, job: Job, line: int, stamp: str | None, text: str) -> None:
        """A line in a runner's own words."""
        if text.startswith("Current runner version"):
            self.jobs.system, self.jobs.whole = "github-actions", True
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
            self.jobs.system = "github-actions"
            self.jobs.begin(job, "Post job cleanup", line, stamp)
        elif text.startswith(("Cleaning up orphan", "Job succeeded", "ERROR: Job failed")):
            self.jobs.ended = True
        elif text.startswith("Running with gitlab-runner"):
            self.jobs.system, self.jobs.whole = "gitlab", True
        elif text.startswith("on ") and self.jobs.system == "gitlab" and job.runner is None:
            job.runner = redacted(text[3:].partition(" ")[0])
        elif text.startswith("Checking out ") and job.commit is None:
            job.commit = text[13:].partition(" ")[0][:40]
        elif text.startswith("Job's log exceeded"):
            self.jobs.cut = "exceeded the limit of its server; what came after is not in it"
        elif match := _SECTION.match(text):
            self._section(job, line, stamp, match)
        elif _INSTALLED.match(text) and job.step.installed is None:
            job.step.installed = (line, stamp)

    def _section(self, job: Job, line: int, stamp: str | None, match: re.Match[str]) -> None:
        self.jobs.system = "gitlab"
        if match["end"] == "start":
            self.jobs.begin(job, match["name"], line, stamp or seconds(int(match["seconds"])))


def _scope(name: str) -> str:
    """A scope as a workflow file spells it: `PullRequests` is `pull-requests`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
