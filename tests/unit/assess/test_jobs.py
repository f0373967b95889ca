"""Jobs of logs and of workflow files, told as one where they have one name."""

from __future__ import annotations

import pytest

from pratique.assess.jobs import Jobs, words
from pratique.model.location import Location
from pratique.model.observation import ComponentFact, JobFact, Observation


def log(job: str, line: int = 1, step: str | None = None) -> Observation:
    return Observation(
        "ci-log", Location("ci-log+file:///r", "a.zip", line=line), JobFact(system="plain", job=job, step=step)
    )


def beside(job: str, key: str | None = None, *secrets: str) -> Observation:
    fact = JobFact(system="github-actions", job=job, key=key, secrets=secrets, source="workflow-file")
    return Observation("ci-workflow", Location("ci-log+file:///r", "ci.yml", line=3), fact)


def release(line: int) -> Observation:
    fact = ComponentFact(name="axios", version="1.14.1", depth="fetched", record="log")
    return Observation("ci-log", Location("ci-log+file:///r", "a.zip", line=line), fact)


def job_of(jobs: Jobs, line: int) -> JobFact:
    found = jobs.of(release(line))
    assert found is not None
    assert isinstance(found.facts, JobFact)
    return found.facts


def test_a_fact_belongs_to_the_step_that_began_before_it() -> None:
    jobs = Jobs([log("b", 1, "one"), log("b", 10, "two"), log("b", 20, "three")])
    assert [job_of(jobs, line).step for line in (1, 9, 10, 19, 99)] == ["one", "one", "two", "two", "three"]


@pytest.mark.parametrize("name", ["build", "Build", "build (18, ubuntu)", "caller / build", "build / inner"])
def test_a_job_is_found_by_the_names_that_a_log_gives_it(name: str) -> None:
    fact = job_of(Jobs([log(name), beside("Build", "build", "TOKEN")]), 1)
    assert (fact.source, fact.secrets) == ("both", ("TOKEN",))


def test_two_files_with_a_job_of_that_name_give_the_secrets_of_both() -> None:
    assert job_of(Jobs([log("b"), beside("b", None, "A"), beside("b", None, "B")]), 1).secrets == ("A", "B")


def test_another_job_gives_nothing() -> None:
    assert job_of(Jobs([log("b"), beside("other", None, "A")]), 1).secrets == ()


def test_words_name_what_matters() -> None:
    fact = JobFact(
        system="github-actions",
        job="build",
        step="Run npm ci",
        secrets=("A", "B", "C", "D", "E"),
        permissions=("contents: write", "metadata: read"),
        later_steps=("Run npm publish",),
        persisted_credentials=True,
    )
    assert words(fact) == (
        "in job build, step Run npm ci; held A, B, C, D and 1 more; token may contents: write; "
        "checkout left the token on the disk; later steps there: Run npm publish"
    )
