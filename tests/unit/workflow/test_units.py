"""Targets in units: kept results, going on after an end, killed workers, interrupts; histories made by git itself."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.adapters import executor, git
from pratique.adapters.results import Results
from pratique.assess.catalogue import Catalogue
from pratique.model.ports import Options
from pratique.report.renderer import renderer
from pratique.workflow import units
from tests.integration.examine import axios

LOCK = '{"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": "%s"}}}'
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.test",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.test",
    "GIT_AUTHOR_DATE": "2026-03-31T01:00:00Z",
    "GIT_COMMITTER_DATE": "2026-03-31T01:00:00Z",
}


def repository(root: Path, versions: list[str]) -> Path:
    """A repository with one commit for each version of axios."""
    root.mkdir(parents=True)
    for words in (["init", "-q", "-b", "main"], *(["commit"] for _ in versions)):
        if words == ["commit"]:
            version = versions.pop(0)
            (root / "package-lock.json").write_text(LOCK % version)
            subprocess.run(["git", "add", "-A"], cwd=root, env=ENVIRONMENT, check=True)
            words = ["commit", "-q", "-m", version]
        subprocess.run(["git", *words], cwd=root, env=ENVIRONMENT, check=True)
    return root


@pytest.fixture
def repositories(tmp_path: Path) -> list[Path]:
    made = [repository(tmp_path / f"r{number}", ["1.14.0", f"1.13.{number}"]) for number in range(5)]
    return [*made, repository(tmp_path / "bad", ["1.14.0", "1.14.1", "1.14.2"])]


def request(paths: list[Path], **options: Any) -> api.CheckRequest:
    chosen = axios()
    targets = tuple(api.specify([f"git:{path}" for path in paths]))
    return api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named, **options)


def told(report: api.Report) -> bytes:
    """The report without what a clock or the counting of kept results changes."""
    import msgspec

    header = msgspec.structs.replace(report.header, started="", finished="", host="")
    coverage = msgspec.structs.replace(report.coverage, from_cache=0)
    plain = msgspec.structs.replace(report, header=header, coverage=coverage)
    return b"".join(renderer("json").render(plain))


def test_a_kept_result_gives_the_same_report_and_is_counted(repositories: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    plain = api.check(request(repositories, jobs=1))
    first = api.check(request(repositories, jobs=1, resume=kept))
    second = api.check(request(repositories, jobs=1, resume=kept))
    assert plain.exit_code == 10
    assert told(plain) == told(first) == told(second)
    assert (first.coverage.from_cache, second.coverage.from_cache > 0) == (0, True)


def test_a_changed_repository_is_read_again(repositories: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    bad = repositories[:1]
    assert api.check(request(bad, resume=kept)).exit_code == 0
    (bad[0] / "package-lock.json").write_text(LOCK % "1.14.1")
    for words in (["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=bad[0], env=ENVIRONMENT, check=True)
    assert api.check(request(bad, resume=kept)).exit_code == 10


def test_other_incidents_are_another_question(repositories: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    api.check(request(repositories, resume=kept))
    import datetime

    other = api.select(bad=["npm:axios@1.13.3"], today=datetime.date(2026, 11, 20))
    asked = request(repositories, resume=kept)
    import msgspec

    report = api.check(msgspec.structs.replace(asked, incidents=other.incidents, named=other.named))
    assert report.exit_code == 10
    assert report.coverage.from_cache == 0


def test_the_cache_never_lies_inside_a_target(
    repositories: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(repositories[0] / "cache"))
    api.check(request(repositories, cache=True))
    assert not (repositories[0] / "cache").exists()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    api.check(request(repositories, cache=True))
    assert api.check(request(repositories, cache=True)).coverage.from_cache > 0


def test_a_named_folder_inside_a_target_is_refused(repositories: list[Path]) -> None:
    with pytest.raises(api.UsageError, match="lies inside a target"):
        api.check(request(repositories, resume=repositories[0] / "kept"))
    assert not (repositories[0] / "kept").exists()


def examined(paths: list[Path], run: executor.Executor, kept: Path | None = None, jobs: int = 3) -> Any:
    catalogue = Catalogue(axios().incidents, axios().named)
    options = Options(git=git.starter())
    listed = [
        unit
        for spec in api.specify([f"git:{path}" for path in paths])
        for unit in units.plan(spec.kind, spec.path, spec.uri, options).units
    ]
    return units.examine(
        listed,
        catalogue.interest,
        catalogue.keeps,
        options,
        question="test",
        jobs=jobs,
        results=Results(kept) if kept else None,
        run=run,
    )


def test_killed_workers_change_nothing(repositories: list[Path], tmp_path: Path) -> None:
    """Every unit kills the first worker that takes it."""
    plain = examined(repositories, executor.on_this_machine)

    def deadly(count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int) -> list[int]:
        def killing(number: int) -> bytes:
            mark = tmp_path / f"mark{number}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return work(number)

        return executor.on_this_machine(count, killing, done, jobs)

    assert examined(repositories, deadly) == plain


def test_a_run_that_was_ended_goes_on_where_it_was(repositories: list[Path], tmp_path: Path) -> None:
    """Two units are done, then the run is ended; the next one does the other four."""

    def ended(count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int) -> list[int]:
        for number in range(2):
            done(number, work(number))
        raise KeyboardInterrupt

    kept = tmp_path / "kept"
    assert any(swept.interrupted for swept in examined(repositories, ended, kept).values())
    worked = []

    def counted(count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int) -> list[int]:
        worked.append(count)
        return executor.on_this_machine(count, work, done, jobs)

    after = examined(repositories, counted, kept)
    assert worked == [4]
    plain = examined(repositories, executor.on_this_machine)
    for swept in after.values():
        swept.from_cache = 0
    assert after == plain


def test_what_kills_every_worker_is_a_gap(repositories: list[Path]) -> None:
    def lost(count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int) -> list[int]:
        for number in range(1, count):
            done(number, work(number))
        return [0]

    refused = [item for swept in examined(repositories, lost).values() for item in swept.refusals]
    assert [item.relevant for item in refused] == [True]
    assert "was killed" in refused[0].reason


def test_what_a_history_hands_out_counts_as_met(repositories: list[Path]) -> None:
    coverage = api.check(request(repositories)).coverage
    assert coverage.entries >= coverage.artifacts == 13
    listed = api.components(api.ComponentsRequest(targets=tuple(api.specify([f"git:{repositories[-1]}"]))))
    assert len(list(listed)) >= 3
    assert listed.coverage().entries >= listed.coverage().artifacts > 0


def test_an_interrupt_tells_what_was_found_in_every_target_until_then(
    repositories: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last repository was read, then the run was ended: its answer stands, and the rest is a gap."""

    def ended(count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int) -> list[int]:
        done(count - 1, work(count - 1))
        raise KeyboardInterrupt

    monkeypatch.setattr(units, "examine", functools.partial(units.examine, run=ended))
    report = api.check(request(repositories))
    assert report.coverage.interrupted
    assert not report.coverage.complete
    assert report.exit_code == 10
    assert any("interrupted" in item.reason for item in report.coverage.refusals)


def test_a_target_named_twice_is_read_once(repositories: list[Path]) -> None:
    once, twice = (api.check(request(repositories[-1:] * number)) for number in (1, 2))
    assert twice.coverage.artifacts == once.coverage.artifacts
    assert twice.verdicts == once.verdicts
