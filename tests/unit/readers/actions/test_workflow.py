"""Workflow files: what they ask for, with the job and its secrets, whatever their YAML does."""

from __future__ import annotations

import pytest

from pratique.model.observation import JobFact, Observation, RangeFact, Refusal
from pratique.model.ports import Interest, Reader
from pratique.readers.actions import gitlab, pre_commit, workflow
from pratique.readers.marked import parse
from tests.golden.harness import ALL, in_memory

PATH = ".github/workflows/ci.yml"
INTEREST = Interest({"GitHub Actions": frozenset({"tj-actions/changed-files"}), "npm": frozenset({"axios"})})


def read(text: str | bytes, interest: Interest = INTEREST) -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(workflow.READER.read(in_memory(data, PATH), interest))


def test_only_what_is_of_interest_is_kept_and_its_job_with_it() -> None:
    found = read(
        "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
        "      - uses: tj-actions/changed-files@v45\n        env: {T: '${{ secrets.T }}'}\n      - run: make\n"
        "  b:\n    steps:\n      - run: npm ci\n"
    )
    facts = [item.facts for item in found if isinstance(item, Observation)]
    assert [type(fact) for fact in facts] == [RangeFact, JobFact]
    job = facts[1]
    assert isinstance(job, JobFact)
    assert (job.secrets, job.later_steps, job.triggers) == (("T",), ("Run make",), ("push",))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"on: push\njobs:\n\ta:\n", "not whole YAML"),
        (b"\xff\xfe\x00\xd8", "not text"),
        (b"\xc3\x28 jobs", "not text"),
        (b"", "empty"),
        (b"jobs: " + b"[" * 5000, "nested too deeply"),
        (b"jobs: *nowhere", "anchor"),
    ],
)
def test_what_cannot_be_read_is_told_and_bound_to_its_worlds(data: bytes, reason: str) -> None:
    found = [item for item in read(data) if isinstance(item, Refusal)]
    assert [reason in item.reason for item in found] == [True]
    assert found[0].relevant
    assert found[0].ecosystems == ("GitHub Actions", "npm")


@pytest.mark.parametrize(("reader", "world"), [(pre_commit.READER, "PyPI"), (gitlab.READER, "GitLab")])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\xd8", b"repos: [", b"- list"])
def test_a_gap_covers_every_world_that_its_reader_reads(reader: Reader, world: str, data: bytes) -> None:
    found = list(reader.read(in_memory(data, reader.basenames[0]), ALL))
    assert [world in item.ecosystems for item in found if isinstance(item, Refusal)] == [True]


def test_a_step_far_behind_is_read() -> None:
    steps = "      - run: make\n" * 3000 + "      - uses: tj-actions/changed-files@v45\n"
    found = read(f"jobs:\n  a:\n    steps:\n{steps}")
    assert [item.facts.name for item in found if isinstance(item, Observation) and isinstance(item.facts, RangeFact)]


def test_a_damaged_file_gives_what_stood_before() -> None:
    found = read('jobs:\n  a:\n    steps:\n      - uses: tj-actions/changed-files@v45\n      - run: "npm i')
    assert any(isinstance(item, Observation) and isinstance(item.facts, RangeFact) for item in found)
    assert any(isinstance(item, Refusal) for item in found)


def test_a_comment_beside_a_commit_says_nothing() -> None:
    sha = "1" * 40
    found = read(f"jobs:\n  a:\n    steps:\n      - uses: tj-actions/changed-files@{sha} # v45\n")
    fact = next(item.facts for item in found if isinstance(item, Observation))
    assert isinstance(fact, RangeFact)
    assert (fact.exact, fact.range) == (sha, sha)


def test_no_secret_value_is_told() -> None:
    found = read(
        "jobs:\n  a:\n    steps:\n      - run: npm i axios@1.14.1 --//registry.example/:_authToken=abcSECRETabc\n"
        "        env: {TOKEN: abcSECRETabc}\n",
        ALL,
    )
    assert found
    assert "SECRET" not in repr(found)


def test_yaml_keeps_lines_and_every_pair() -> None:
    document = parse("a: 1\na: 2\non: |\n  x\n").documents[0]
    assert [(key, node.line) for key, node in document.pairs] == [("a", 1), ("a", 2), ("on", 4)]
