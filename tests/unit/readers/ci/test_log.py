"""Logs: what is read of them whatever stands around it, in flat memory, without a line or a secret."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from typing import TypeVar

import pytest

from pratique.model.observation import CommandFact, ComponentFact, JobFact, Observation, Refusal, ScriptFact
from pratique.model.ports import Artifact, Interest, Unreadable
from pratique.readers.ci import blocks, lines, log
from tests.golden.harness import ALL, in_memory
from tests.standins.ci_cases import CASES, inputs
from tests.standins.ci_logs import checkout, job_lines, output, run, stamped

T = TypeVar("T")
INTEREST = Interest(
    {"npm": frozenset({"axios", "plain-crypto-js"}), "GitHub Actions": frozenset({"tj-actions/changed-files"})}
)
FETCH = "npm http fetch GET 200 https://registry.example/axios/-/axios-1.14.1.tgz 5ms (cache miss)"


def read(text: str | bytes, path: str = "0_build.txt", interest: Interest = INTEREST) -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(log.READER.read(in_memory(data, path), interest))


def releases(found: list[Observation | Refusal]) -> set[tuple[str, str, str]]:
    return {
        (item.facts.name, item.facts.version, item.facts.depth)
        for item in found
        if isinstance(item, Observation) and isinstance(item.facts, ComponentFact)
    }


def facts(found: list[Observation | Refusal], kind: type[T]) -> list[T]:
    return [item.facts for item in found if isinstance(item, Observation) and isinstance(item.facts, kind)]


def test_the_cases_are_what_their_maker_makes() -> None:
    for name, text in inputs():
        assert (CASES / name).read_bytes() == text.encode(), f"{name}: run python -m tests.standins.ci_cases"


@pytest.mark.parametrize(
    "line",
    [
        FETCH,
        f"2026-03-31T01:10:00.0000000Z {FETCH}",
        f"[2026-03-31T01:10:00+01:00] {FETCH}",
        f"2026-03-31 01:10:00,123 {FETCH}",
        f"2026-03-31T01:10:00.000000Z 00O {FETCH}",
        f"\x1b[32m\x1b[1m{FETCH}\x1b[0m",
        f"2026-03-31T01:10:00.0000000Z \x1b[90m  {FETCH}",
        f"\x1b_bk;t=1774919400000\x07{FETCH}",
        f"web:build: {FETCH}",
        f"#12 3.456 {FETCH}",
        f"10%\r20%\r{FETCH}",
        f"{FETCH}\r",
        f"\ufeff{FETCH}",
        "npm http cache axios@https://registry.example/axios/-/axios-1.14.1.tgz 0ms (cache hit)",
        "npm http fetch GET 200 https://mirror.test/api/npm/npm-all/axios/-/axios-1.14.1.tgz?token=x 5ms",
        "npm http fetch GET 304 https://mirror.test/axios/-/axios-1.14.1.tgz 5ms",
    ],
)
def test_a_line_is_read_whatever_stands_before_it(line: str) -> None:
    assert releases(read(f"first\n{line}\nlast\n", "console")) == {("axios", "1.14.1", "fetched")}


@pytest.mark.parametrize(
    "line",
    [
        "npm http fetch GET 404 https://registry.example/axios/-/axios-1.14.1.tgz 5ms",
        "npm http fetch GET 200 https://registry.example/axios 5ms",
        "npm http fetch GET 200 https://registry.example/is-odd/-/is-odd-1.0.0.tgz 5ms",
        "npm error notarget No matching version found for axios@1.14.1.",
        "added axios@1.14.1",
        "- axios 1.14.1",
    ],
)
def test_what_shows_no_arrival_is_nothing(line: str) -> None:
    assert releases(read(f"{line}\n", "console")) == set()


def test_what_a_publish_prints_was_not_installed() -> None:
    found = read("$ npm publish\n+ axios@1.14.1\n", "console")
    assert releases(found) == set()
    assert releases(read("$ npm publish\n+ axios@1.14.1\n$ npm i axios\n+ axios@1.14.1\n", "console"))


def test_a_log_longer_than_its_blocks_gives_the_same() -> None:
    body = "\n".join(f"line {n} of something" for n in range(120_000))
    text = stamped(job_lines("build", [checkout(), run("make", body), run("npm ci", output("npm-11.http"))]))
    assert len(text) > 4 * blocks.SIZE
    found = read(text)
    every = text.splitlines()
    seen = [item for item in found if isinstance(item, Observation) and isinstance(item.facts, ComponentFact)]
    assert {item.facts.version for item in seen if isinstance(item.facts, ComponentFact)} == {"1.14.1", "4.2.1"}
    for item in seen:
        assert isinstance(item.facts, ComponentFact)
        assert item.facts.name in every[(item.location.line or 0) - 1]


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_block_may_end_anywhere(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = stamped(job_lines("build", [checkout(), run("npm ci", output("npm-10.fg"), NPM_TOKEN="***")]))
    whole = read(text)
    monkeypatch.setattr(blocks, "SIZE", 300 + cut)
    assert read(text) == whole


def test_memory_is_flat_whatever_the_size() -> None:
    piece = b"x" * 90 + b"\n"
    size = 48 << 20

    class Endless(io.RawIOBase):
        left = size

        def read(self, count: int = -1) -> bytes:
            count = min(count, self.left)
            self.left -= count
            return (piece * (count // len(piece) + 1))[:count]

    artifact = Artifact("t:", "x.log", lambda: b"", lambda: None, lambda _: None, stream=Endless)
    tracemalloc.start()
    found = list(log.READER.read(artifact, INTEREST))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.relevant for item in found if isinstance(item, Refusal)] == [False], "nothing says that it is a log"
    assert peak < 12 << 20


def test_one_huge_line_ends_and_loses_nothing() -> None:
    text = "x" * (9 << 20) + f" {FETCH} " + "y" * (5 << 20) + f"\n{FETCH.replace('axios', 'plain-crypto-js')}\n"
    assert {name for name, _, _ in releases(read(text, "console"))} == {"axios", "plain-crypto-js"}


@pytest.mark.parametrize("before", [10, lines.LONGEST, 200_000])
@pytest.mark.parametrize("interest", [INTEREST, ALL])
def test_everything_that_stands_in_one_line_is_read(before: int, interest: Interest) -> None:
    line = f"{'x' * before} {FETCH} {'y' * before} {FETCH.replace('axios', 'plain-crypto-js')}"
    found = releases(read(f"{line}\n", "console", interest))
    assert {name for name, _, _ in found} == {"axios", "plain-crypto-js"}


@pytest.mark.parametrize("start", ["", "web:build: ", "#12 3.4 "])
def test_a_line_that_names_more_than_is_read_is_a_gap(start: str) -> None:
    names = " ".join(f"package-{number}-1.0.0" for number in range(2000))
    found = read(f"{start}Successfully installed {names} axios-1.14.1\n", "console")
    assert [item.relevant for item in found if isinstance(item, Refusal)] == [True]


def test_a_long_script_is_read_to_its_end() -> None:
    script = "\n".join(["echo something that takes its place"] * 3000 + ["npm i axios@1.14.1"])
    found = facts(read(stamped(job_lines("b", [run(script, "")]))), CommandFact)
    assert [fact.packages for fact in found] == [("axios@1.14.1",)]


def test_a_quiet_command_behind_one_that_tells_is_kept() -> None:
    script = "pip install one\npip install -q two"
    found = facts(read(stamped(job_lines("b", [run(script, "")]))), CommandFact)
    assert [fact.printed for fact in found] == ["all", "none"]


def test_more_commands_than_are_kept_are_a_gap() -> None:
    shown = "\n".join(f"$ npm i axios@1.14.1 other-{number}" for number in range(1100))
    assert [item.relevant for item in read(f"{shown}\n", "console") if isinstance(item, Refusal)] == [True]


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        ("hello\nworld\n", "console", True),
        ("hello\nworld\n", "notes/1_chapter.txt", True),
        ("a\tb\t2026-03-31T01:10:00Z hello\n", "table.tsv", True),
        ("2026-03-31T01:10:00Z ##[group]Run make\n", "build/3_Run make.txt", False),
        ("2026-03-31T01:10:00Z Post job cleanup.\n", "build/9_Post checkout.txt", False),
        ("2026-03-31T01:10:00Z Cleaning up orphan processes\n", "build/10_Complete job.txt", False),
        ("b\tRun make\t2026-03-31T01:10:00Z ##[group]Run make\n", "run.log", False),
        ("$ npm ci\n", "console", False),
    ],
)
def test_what_shows_nothing_of_a_job_is_put_aside(text: str, path: str, told: bool) -> None:
    found = [item for item in read(text, path) if isinstance(item, Refusal)]
    assert [item.relevant for item in found] == [False] * told
    assert all("nothing says that it is a job's log" in item.reason for item in found)


def test_gzip_and_utf_16_are_looked_through() -> None:
    plain = f"a\n{FETCH}\n"
    assert releases(read(gzip.compress(plain.encode()), "job.log"))
    assert releases(read(plain.encode("utf-16"), "job.log"))
    with pytest.raises(Unreadable):
        read(gzip.compress(plain.encode() * 1000)[:-30], "job.log")


def test_bytes_that_are_no_text_are_told() -> None:
    found = read(bytes(range(256)) * 40, "picture.txt")
    assert [(item.reason, item.relevant) for item in found if isinstance(item, Refusal)] == [("is not text", True)]


@pytest.mark.parametrize(("path", "relevant"), [("0_build.txt", True), ("build/3_Run x.txt", False)])
def test_an_empty_log_is_told(path: str, relevant: bool) -> None:
    assert [(item.reason, item.relevant) for item in read("", path) if isinstance(item, Refusal)] == [
        ("is empty", relevant)
    ]


def test_a_log_that_is_cut_off_is_told() -> None:
    text = stamped(job_lines("build", [run("npm ci", output("npm-11.http"))]))
    assert not [item for item in read(text) if isinstance(item, Refusal)]
    cut = read(text[: len(text) // 2])
    assert ["cut off" in item.reason for item in cut if isinstance(item, Refusal)] == [True]


def test_no_line_and_no_secret_is_kept() -> None:
    token = "npm_" + "a1B2" * 9
    step = run(
        f"curl -H 'Authorization: Bearer {token}' https://user:pass@host.test/x\nnpm ci --//registry.example/:_authToken={token}",
        f"{token}\n+ npm install https://u:{token}@host.test/axios.tgz axios@1.14.1\nnpm http fetch GET 200 https://u:{token}@h.test/axios/-/axios-1.14.1.tgz?t={token} 1ms\n",
        KEY="***",
    )
    found = read(stamped(job_lines(f"deploy {token}", [step])), interest=ALL)
    assert releases(found)
    assert token not in repr(found)
    assert "pass@" not in repr(found)


def test_times_without_a_zone_say_so() -> None:
    found = read(f"2026-03-31 01:10:00 {FETCH}\n", "console")
    times = [time for item in found if isinstance(item, Observation) for time in item.times]
    assert {time.meaning for time in times if "line" in time.meaning} == {
        "the log line was written, by a clock without a zone"
    }


def test_section_times_are_bounded() -> None:
    found = read(f"section_start:999999999999:x\r\x1b[0K\n$ npm ci\n{FETCH}\n", "build.log")
    assert releases(found)
    assert not any(item.times for item in found if isinstance(item, Observation))


def test_a_command_without_names_says_how_much_it_printed() -> None:
    silent = facts(read(stamped(job_lines("b", [run("npm ci", "added 3 packages in 1s\n")]))), CommandFact)
    assert [(fact.verb, fact.printed) for fact in silent] == [("ci", "none")]
    hidden = facts(read(stamped(job_lines("b", [run("make", "added 3 packages in 1s\n")]))), CommandFact)
    assert [(fact.verb, fact.printed) for fact in hidden] == [("install", "none")]
    twice = run("npm ci && cd sub && npm ci", output("npm-11.http"))
    assert {fact.printed for fact in facts(read(stamped(job_lines("b", [twice]))), CommandFact)} == {"direct"}


def test_an_action_that_was_downloaded_and_not_used_did_not_run() -> None:
    case = (CASES / "action-not-used/input/1_lint.txt").read_bytes()
    assert not facts(read(case), ScriptFact)
    case = (CASES / "action-by-tag/input/1_lint.txt").read_bytes()
    assert [fact.script for fact in facts(read(case), ScriptFact)] == ["action"]


def test_the_job_of_a_step_file_is_its_folder() -> None:
    found = read(f"{FETCH}\n", "build (18)/3_Run npm ci.txt")
    assert {(fact.job, fact.step) for fact in facts(found, JobFact)} == {("build (18)", "Run npm ci")}


@pytest.mark.parametrize("name", ["build (1).txt", "-12_build.txt", "x/system.txt", "0_a" + "b" * 88 + ".txt"])
def test_any_name_of_a_log_is_taken(name: str) -> None:
    assert releases(read(f"{FETCH}\n", name))
