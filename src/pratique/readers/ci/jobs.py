"""The jobs and steps of a log, and what is kept of each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.actions.names import redacted, step_name
from pratique.model.observation import AnyFact, CommandFact, JobFact
from pratique.model.ports import Artifact

_WHOLE = re.compile(r"-?\d+_(?P<job>.+)\.txt")
_STEP_FILE = re.compile(r"(?P<number>\d+)_(?P<step>.+)\.txt")
_MOST_STEPS = 10_000
_MOST_FACTS = 100_000


class Step:
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


class Job:
    """One job, as its log tells it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[Step] = [Step(None, 1, None)]
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
    def step(self) -> Step:
        """The step that the log is in."""
        return self.steps[-1]


class Jobs:
    """Every job of one log, and what the log is."""

    def __init__(self, artifact: Artifact) -> None:
        self.place_job, self.place_step = names(artifact)
        self.system = "plain"
        self.columns = False
        """Whether the lines name their step."""
        self.whole = False
        self.ended = False
        self.cut: str | None = None
        self._facts = 0
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    @property
    def recognised(self) -> bool:
        """Whether anything says that this is a job's log: a runner's words, a command, a package."""
        shown = any(step.facts or step.commands for job in self for step in job.steps)
        return shown or self.ended or self.system != "plain"

    def job(self, name: str) -> Job:
        """The job of this name, a new one where there is none."""
        found = self._jobs.get(name)
        if found is None:
            found = self._jobs[name] = Job(name)
            if self.place_step is not None:
                found.steps = [Step(self.place_step, 1, None)]
        return found

    def column(self, job: Job, title: str) -> None:
        """A line names its step: where that is another than before, a step begins."""
        step = redacted(step_name(title.strip()))
        self.columns = self.columns or step != "UNKNOWN STEP"
        if not step or step in ("UNKNOWN STEP", job.step.name):
            return
        if job.step.name is None and not job.step.facts and not job.step.commands:
            job.step.name = step
        elif len(job.steps) < _MOST_STEPS:
            job.steps.append(Step(step, 0, None))

    def keep(self, job: Job, line: int, stamp: str | None, fact: AnyFact) -> None:
        """Keep a fact, once for each step."""
        key = (len(job.steps), fact)
        if key in job.seen or self._facts >= _MOST_FACTS:
            if self._facts >= _MOST_FACTS:
                self.cut = f"names more than {_MOST_FACTS} releases of interest; the rest was not kept"
            return
        self._facts += 1
        job.seen.add(key)
        job.step.facts.append((line, fact, stamp))

    def begin(self, job: Job, name: str, line: int, stamp: str | None) -> None:
        """A step begins; inside a step's own file it is a part of that step."""
        if self.place_step is not None and not self.whole:
            return
        if self.columns:
            if job.step.line == 0:
                job.step.line, job.step.time = line, stamp
            return
        if len(job.steps) < _MOST_STEPS:
            job.steps.append(Step(redacted(name), line, stamp))

    def fact(self, job: Job, step: Step, names: tuple[str, ...], later: tuple[str, ...]) -> JobFact:
        """A job with one of its steps, as a fact."""
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


def names(artifact: Artifact) -> tuple[str, str | None]:
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
