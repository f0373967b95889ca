"""Real repositories, made by git: where a bad lockfile can hide in a history, and what git may not be made to do."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pratique import api
from pratique.adapters import machine
from pratique.model.observation import HistoryFact
from tests.integration.examine import axios, time_limit
from tests.standins.histories import (
    AFTER,
    BEFORE,
    WITHIN,
    History,
    amended_away,
    bad_lock,
    good_lock,
    manifest,
    merge_only,
)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
MOMENT = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)


def report_of(*paths: Path | str, **options: Any) -> api.Report:
    """The report about repositories."""
    chosen = axios()
    request = api.CheckRequest(
        targets=tuple(api.specify([f"git:{path}" for path in paths])),
        incidents=chosen.incidents,
        named=chosen.named,
        **options,
    )
    with time_limit(120):
        return api.check(request, now=lambda: MOMENT, host=lambda: "host")


def statuses(report: api.Report) -> dict[str, str]:
    """Status of each subject, by the end of its URI."""
    uris = {item.id: item.uri for item in report.subjects}
    return {uris[item.subject].rpartition("/")[2]: item.status for item in report.verdicts}


def histories(report: api.Report) -> list[HistoryFact]:
    """What became of each version that was sighted."""
    return [
        msgspec.convert({"kind": "history", **item.facts}, HistoryFact)
        for item in report.observations
        if item.kind == "history"
    ]


def lock_history(report: api.Report) -> HistoryFact:
    """The answer about the one bad lockfile."""
    found = [item for item in histories(report) if item.path == "package-lock.json"]
    assert len({(item.path, item.blob) for item in found}) == 1
    return found[0]


def gaps(report: api.Report) -> list[str]:
    """Reasons of all relevant refusals."""
    return [item.reason for item in report.coverage.refusals if item.relevant]


def assert_history_only(report: api.Report) -> None:
    """Affected by what history alone holds: resolved, not current, exit 10."""
    assert report.exit_code == 10
    (verdict,) = [item for item in report.verdicts if item.status == "affected"]
    assert (verdict.depth, verdict.current) == ("resolved", False)
    assert all(not item.current for item in report.sightings if item.status == "affected")
    assert "in history only" in verdict.summary


def test_a_version_that_one_merge_alone_holds(tmp_path: Path) -> None:
    _, merge = merge_only(tmp_path / "shop")
    report = report_of(tmp_path / "shop")
    assert_history_only(report)
    fact = lock_history(report)
    assert [item.id for item in fact.introduced] == [merge] == list(fact.in_window)
    assert fact.introduced[0].committed == WITHIN
    assert fact.introduced[0].refs == ("refs/heads/main",) == fact.contained_in
    assert [item.committed for item in fact.removed] == [AFTER]
    assert (fact.commits, fact.tips, fact.whole) == (1, (), True)
    text = b"".join(api.renderer("text").render(report)).decode()
    assert "1 repository resolved, in history only; not shown to have run" in text
    assert report.next_steps[0].startswith("Find every machine that built the commits")
    html = b"".join(api.renderer("html").render(report)).decode()
    for shown in (text, html):
        assert "in history only; since commit" in " ".join(shown.split())
        assert merge[:12] in shown


@pytest.mark.parametrize("depth", [0, 2])
def test_a_version_in_a_stash_alone_however_deep(tmp_path: Path, depth: int) -> None:
    history = History(tmp_path / "shop").started()
    history.write(lock=bad_lock())
    history.git("stash", "push", "-q", at=WITHIN)
    for number in range(depth):
        (history.folder / "note.txt").write_text(f"{number}\n")
        history.git("add", "-A")
        history.git("stash", "push", "-q", at=AFTER)
    report = report_of(history.folder)
    assert_history_only(report)
    fact = lock_history(report)
    assert fact.contained_in == (("refs/stash",) if depth == 0 else ("reflog of refs/stash",))


def test_an_untracked_file_in_a_stash(tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    history.commit("start", manifest=manifest())
    history.write(lock=bad_lock())
    history.git("stash", "push", "-q", "-u", at=WITHIN)
    assert_history_only(report_of(history.folder))


def test_a_deleted_branch_is_read_through_the_reflog(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.git("checkout", "-q", "-b", "gone")
    lost = history.commit("bad", at=WITHIN, lock=bad_lock())
    history.git("checkout", "-q", "main")
    history.git("branch", "-q", "-D", "gone")
    report = report_of(history.folder)
    assert_history_only(report)
    fact = lock_history(report)
    assert [item.id for item in fact.introduced] == [lost]
    assert fact.contained_in == ("reflog of HEAD",)


def test_what_nothing_reaches_is_read_on_request(tmp_path: Path) -> None:
    history, lost = amended_away(tmp_path / "shop")
    assert report_of(history.folder).exit_code == 0
    report = report_of(history.folder, unreachable=True)
    assert_history_only(report)
    fact = lock_history(report)
    assert [item.id for item in fact.introduced] == [lost]
    assert fact.contained_in == ()
    assert "reached from no ref or reflog" in report.sightings[0].explanation


def test_a_file_that_was_added_and_never_committed(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.write(lock=bad_lock())
    history.git("add", "-A")
    staged = report_of(history.folder)
    assert (staged.exit_code, lock_history(staged).tips) == (10, ("index",))
    assert "staged in the index" in staged.verdicts[0].summary
    history.git("reset", "-q", "--hard")
    assert report_of(history.folder).exit_code == 0
    assert report_of(history.folder, unreachable=True).exit_code == 10


def test_two_branches_a_tag_and_what_still_holds_it(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    first = history.commit("bad", at=WITHIN, lock=bad_lock())
    history.git("tag", "-a", "v1", "-m", "v1")
    history.git("branch", "release")
    mended = history.commit("mend", at=AFTER, lock=good_lock())
    history.git("checkout", "-q", "release")
    history.commit("more", at=AFTER)
    report = report_of(history.folder)
    assert report.exit_code == 10
    assert report.verdicts[0].current
    fact = lock_history(report)
    assert fact.tips == ("index", "refs/heads/release", "refs/tags/v1")
    assert fact.contained_in == ("refs/heads/main", "refs/heads/release", "refs/tags/v1")
    assert [item.id for item in fact.introduced] == [first]
    assert [item.id for item in fact.removed] == [mended]
    assert (fact.commits, fact.in_window, fact.commits_in_window) == (2, (first,), 1)


def test_brought_back_by_a_revert_and_removed_by_a_merge(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    first = history.commit("bad", at=WITHIN, lock=bad_lock())
    history.commit("mend", at=AFTER, lock=good_lock())
    history.git("checkout", "-q", "-b", "side")
    second = history.commit("again", at=AFTER, lock=bad_lock())
    history.git("checkout", "-q", "main")
    (history.folder / "x").write_text("x")
    history.commit("other", at=AFTER)
    history.git("merge", "-q", "-s", "ours", "-m", "drop", "side", at=AFTER)
    fact = lock_history(report_of(history.folder))
    assert [item.id for item in fact.introduced] == [first, second]
    assert [item.id for item in fact.removed] == [
        history.git("rev-parse", "main~2"),
        history.git("rev-parse", "main"),
    ]


def test_the_same_bytes_under_a_name_that_nobody_reads(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.commit("bad", at=WITHIN, lock=bad_lock())
    os.rename(history.folder / "package-lock.json", history.folder / "a-lock.disabled")
    history.commit("disabled", at=AFTER)
    assert_history_only(report_of(history.folder))


def test_the_same_folder_under_another_name(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    package = history.folder / "node_modules" / "axios"
    package.mkdir(parents=True)
    (package / "package.json").write_bytes(b'{"name": "axios", "version": "1.14.1"}\n')
    history.commit("vendored", at=WITHIN)
    os.rename(history.folder / "node_modules", history.folder / "archived")
    history.commit("moved", at=AFTER)
    report = report_of(history.folder)
    assert report.exit_code == 10
    assert (report.verdicts[0].depth, report.verdicts[0].current) == ("installed", False)
    assert [item.location.path for item in report.sightings] == ["node_modules/axios/package.json"]


def test_an_archive_in_the_history(tmp_path: Path) -> None:
    import io
    import tarfile

    history = History(tmp_path / "shop").started()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, body in (("package/package.json", b'{"name": "axios", "version": "1.14.1"}'),):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    (history.folder / "axios-1.14.1.tgz").write_bytes(out.getvalue())
    history.commit("cached", at=WITHIN)
    (history.folder / "axios-1.14.1.tgz").unlink()
    history.commit("gone", at=AFTER)
    report = report_of(history.folder)
    assert report.exit_code == 10
    assert (report.verdicts[0].depth, report.verdicts[0].current) == ("fetched", False)


def test_bare_mirror_linked_work_tree_and_a_folder_of_many(tmp_path: Path) -> None:
    many = tmp_path / "many"
    history, _ = merge_only(many / "team" / "shop")
    History(many / "quiet").started()
    history.git("clone", "-q", "--mirror", str(history.folder), str(many / "mirror.git"))
    history.git("clone", "-q", "--bare", str(history.folder), str(many / "bare.git"))
    history.git("worktree", "add", "-q", "--detach", str(many / "tree"), "HEAD")
    empty = History(many / "empty")
    assert empty.git("status", "--short") == ""
    report = report_of(many)
    assert statuses(report) == {
        "shop": "affected",
        "mirror.git": "affected",
        "bare.git": "affected",
        "empty": "under_investigation",
    }
    assert gaps(report) == ["no reader was offered a file in this target"]
    assert report_of(many / "tree").exit_code == 10, "a linked work tree stands for its repository"


def test_an_empty_repository_is_nothing_examined(tmp_path: Path) -> None:
    empty = History(tmp_path / "empty")
    assert report_of(empty.folder).exit_code == 3


def test_heads_of_linked_work_trees_and_their_indexes(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "HEAD")
    (tmp_path / "tree" / "package-lock.json").write_bytes(bad_lock())
    history.git("add", "-A", folder=tmp_path / "tree")
    assert report_of(history.folder).exit_code == 10
    history.git("commit", "-q", "-m", "detached", at=WITHIN, folder=tmp_path / "tree")
    report = report_of(history.folder)
    assert lock_history(report).tips == ("index", "HEAD of tree")


def test_a_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "elsewhere" / "shop")
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / ".git").write_text(f"gitdir: {history.folder}/.git\n")
    report = report_of(stray)
    assert report.exit_code == 4
    assert any("points back" in reason for reason in gaps(report))
    (stray / ".git").unlink()
    (stray / ".git").symlink_to(history.folder / ".git")
    assert any("is a link" in reason for reason in gaps(report_of(stray)))


def test_what_looks_like_a_repository_and_is_none_is_told(tmp_path: Path) -> None:
    merge_only(tmp_path / "many" / "whole")
    (tmp_path / "many" / "hollow" / ".git").mkdir(parents=True)
    (tmp_path / "many" / "stray").mkdir()
    (tmp_path / "many" / "stray" / ".git").write_text("nothing of use\n")
    report = report_of(tmp_path / "many")
    assert statuses(report) == {"whole": "affected", "hollow": "under_investigation", "stray": "under_investigation"}
    assert any("no whole repository" in reason for reason in gaps(report))
    assert any("neither a folder nor a file that points" in reason for reason in gaps(report))


def test_a_shallow_clone_is_a_gap(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "shop")
    history.git("clone", "-q", "--depth", "1", f"file://{history.folder}", str(tmp_path / "cut"))
    report = report_of(tmp_path / "cut")
    assert report.exit_code == 4
    assert any("shallow" in reason for reason in gaps(report))
    history.git("clone", "-q", "--depth", "2", f"file://{history.folder}", str(tmp_path / "longer"))
    longer = report_of(tmp_path / "longer")
    assert longer.exit_code == 10
    assert not lock_history(longer).whole


@pytest.mark.parametrize("kept", ["blob:none", "tree:0"])
def test_a_partial_clone_is_a_gap_and_fetches_nothing(tmp_path: Path, kept: str) -> None:
    history, _ = merge_only(tmp_path / "shop")
    history.git("config", "uploadpack.allowFilter", "true")
    history.git("clone", "-q", "--bare", f"--filter={kept}", f"file://{history.folder}", str(tmp_path / "partial.git"))
    before = sorted(path for path in (tmp_path / "partial.git").rglob("*"))
    report = report_of(tmp_path / "partial.git")
    assert report.exit_code in (3, 4)
    assert any("is not in this repository" in reason for reason in gaps(report))
    assert sorted(path for path in (tmp_path / "partial.git").rglob("*")) == before


def test_missing_and_corrupt_objects_are_gaps_and_the_rest_is_read(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.commit("bad", at=WITHIN, lock=bad_lock())
    history.commit("mend", at=AFTER, lock=good_lock())
    other = history.folder / "other"
    other.mkdir()
    (other / "yarn.lock").write_text("# yarn lockfile v1\n\n\n")
    history.commit("other", at=AFTER)
    name = history.git("rev-parse", "HEAD:other/yarn.lock")
    path = history.folder / ".git" / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"\x78\x9cnot an object at all")
    report = report_of(history.folder)
    assert report.exit_code == 10
    assert any("version of it" in reason for reason in gaps(report))
    path.unlink()
    missing = report_of(history.folder)
    assert missing.exit_code == 10
    assert any("is not in this repository" in reason for reason in gaps(missing))


def test_a_missing_commit_ends_its_own_line_alone(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.commit("bad", at=WITHIN, lock=bad_lock())
    lost = history.commit("mend", at=AFTER, lock=good_lock())
    history.commit("more", at=AFTER)
    history.git("branch", "old", "HEAD~2")
    (history.folder / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    report = report_of(history.folder)
    assert report.exit_code == 10
    assert any("the history is not whole" in reason for reason in gaps(report))
    assert any(lost in reason for reason in gaps(report))


def test_grafts_and_replacements_hide_nothing(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "shop")
    root, tip = history.git("rev-list", "--max-parents=0", "HEAD"), history.git("rev-parse", "HEAD")
    (history.folder / ".git" / "info").mkdir(exist_ok=True)
    (history.folder / ".git" / "info" / "grafts").write_text(f"{tip}\n")
    history.git("update-ref", f"refs/replace/{tip}", root)
    assert_history_only(report_of(history.folder))


def test_objects_of_another_repository_are_read_and_named(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "shop")
    history.git("clone", "-q", "--shared", str(history.folder), str(tmp_path / "borrower"))
    report = report_of(tmp_path / "borrower")
    assert report.exit_code == 10
    assert any("borrows objects" in item.reason and not item.relevant for item in report.coverage.refusals)


def test_a_submodule_that_is_not_here_is_named(tmp_path: Path) -> None:
    inner, _ = merge_only(tmp_path / "inner")
    history = History(tmp_path / "shop").started()
    history.git("submodule", "--quiet", "add", str(inner.folder), "vendor/inner")
    history.commit("with a submodule")
    report = report_of(history.folder)
    assert statuses(report) == {"inner": "affected"}
    assert report_of(history.folder / "vendor" / "inner").exit_code == 10
    shutil.rmtree(history.folder / ".git" / "modules")
    shutil.rmtree(history.folder / "vendor")
    alone = report_of(history.folder)
    assert alone.exit_code == 4
    assert any("submodule" in reason for reason in gaps(alone))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a repository to another user")
def test_a_repository_of_another_user(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "shop")
    for path in (history.folder, *history.folder.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    refused = subprocess.run(
        ["git", "-C", str(history.folder), "log"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": "/nonexistent"},
    )
    assert "dubious ownership" in refused.stderr
    assert_history_only(report_of(history.folder))


def test_a_newer_format_is_a_gap(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.git("config", "core.repositoryFormatVersion", "1")
    history.git("config", "extensions.unheardOf", "true")
    report = report_of(history.folder)
    assert report.exit_code == 4
    assert any("extension" in reason for reason in gaps(report))


def test_a_repository_named_by_sha256(tmp_path: Path) -> None:
    history = History(tmp_path / "shop", "--object-format=sha256").started()
    history.commit("bad", at=WITHIN, lock=bad_lock())
    history.commit("mend", at=AFTER, lock=good_lock())
    report = report_of(history.folder)
    assert_history_only(report)
    assert len(lock_history(report).blob) == 64


def test_without_git_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history, _ = merge_only(tmp_path / "shop")
    monkeypatch.setattr(machine, "git", lambda: None)
    report = report_of(history.folder)
    assert report.exit_code == 4
    assert any("no git program" in reason for reason in gaps(report))


def test_a_pipe_in_a_repository_does_not_hold_anything_up(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    os.mkfifo(history.folder / ".git" / "refs" / "heads" / "pipe")
    report = report_of(history.folder)
    assert report.exit_code == 4
    assert any("no regular file" in reason for reason in gaps(report))


HOOKS = ("post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-auto-gc")


def test_nothing_of_a_hostile_repository_is_started(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    (history.folder / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    history.commit("attributes")
    history.commit("bad", at=WITHIN, lock=bad_lock())
    history.commit("mend", at=AFTER, lock=good_lock())
    lost = history.git("rev-parse", "HEAD:package-lock.json")
    fired = tmp_path / "fired"
    fired.mkdir()
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\n: > "{fired}/$(basename "$0")-$$"\ncat\n')
    program.chmod(0o755)
    base = history.folder / ".git"
    for name in HOOKS:
        shutil.copy(program, base / "hooks" / name)
    (base / "more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    settings = {
        "core.fsmonitor": str(program),
        "core.hooksPath": str(base / "hooks"),
        "core.pager": str(program),
        "core.editor": str(program),
        "core.askPass": str(program),
        "core.sshCommand": str(program),
        "core.gitProxy": str(program),
        "core.alternateRefsCommand": str(program),
        "core.worktree": str(tmp_path),
        "core.untrackedCache": "true",
        "pager.log": str(program),
        "pager.rev-list": str(program),
        "credential.helper": str(program),
        "diff.external": str(program),
        "diff.evil.command": str(program),
        "diff.evil.textconv": str(program),
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.process": str(program),
        "filter.evil.required": "true",
        "merge.evil.driver": str(program),
        "gpg.program": str(program),
        "log.showSignature": "true",
        "alias.rev-list": f"!{program}",
        "alias.cat-file": f"!{program}",
        "include.path": str(base / "more"),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "uploadpack.packObjectsHook": str(program),
        "transfer.fsckObjects": "true",
        "trace2.eventTarget": str(tmp_path / "fired" / "trace"),
        "gc.auto": "1",
        "maintenance.auto": "true",
    }
    with (base / "config").open("a") as file:
        for key, value in settings.items():
            section, _, name = key.rpartition(".")
            head, dot, rest = section.partition(".")
            file.write(f'[{head}{f" {chr(34)}{rest}{chr(34)}" if dot else ""}]\n\t{name} = "{value}"\n')
    (base / "objects" / lost[:2] / lost[2:]).unlink()
    state = {path: path.stat().st_mtime_ns for path in history.folder.rglob("*")}
    for unreachable in (False, True):
        report = report_of(history.folder, unreachable=unreachable)
        assert report.exit_code == 10
        assert any("is not in this repository" in reason for reason in gaps(report))
    assert list(fired.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in history.folder.rglob("*")} == state
    subprocess.run(
        ["git", "-C", str(history.folder), "status"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert list(fired.iterdir()), "the canaries are alive"


# Declared alone


def test_a_manifest_that_had_no_lock_in_the_window_stays_a_gap(tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    history.commit("start", manifest=manifest())
    history.commit("locked at last", at=AFTER, lock=good_lock())
    report = report_of(history.folder)
    assert report.exit_code == 4
    (reason,) = gaps(report)
    first = history.git("rev-list", "--max-parents=0", "HEAD")
    assert f"commit {first[:12]} ({BEFORE})" in reason


def test_a_manifest_that_had_its_lock_all_along_is_none(tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    history.commit("no lock yet", at="2020-01-01T00:00:00Z", manifest=manifest())
    history.commit("locked", at=BEFORE, lock=good_lock())
    history.commit("in the window", at=WITHIN)
    assert report_of(history.folder).exit_code == 0


def test_a_lock_that_did_not_name_it_then_settles_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    empty = b'{\n  "name": "x",\n  "lockfileVersion": 3,\n  "requires": true,\n  "packages": {\n    "": {}\n  }\n}\n'
    history.commit("stale lock", at=WITHIN, manifest=manifest(), lock=empty)
    history.commit("fresh lock", at=AFTER, lock=good_lock())
    report = report_of(history.folder)
    assert report.exit_code == 4
    assert any("no lockfile beside it names it" in reason for reason in gaps(report))


def test_a_lock_on_another_branch_settles_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.git("checkout", "-q", "-b", "without")
    (history.folder / "package-lock.json").unlink()
    history.commit("no lock here", at=BEFORE)
    assert report_of(history.folder).exit_code == 4


# Kept results


def test_the_second_run_is_served_from_kept_results(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "shop")
    kept = tmp_path / "kept"
    first, second = (report_of(history.folder, resume=kept) for _ in range(2))
    assert (first.coverage.from_cache, bool(second.coverage.from_cache)) == (0, True)
    assert _bytes(first) == _bytes(second)
    history.commit("bad again", at=AFTER, lock=bad_lock())
    third = report_of(history.folder, resume=kept)
    assert third.coverage.from_cache == 0
    assert third.verdicts[0].current


def _bytes(report: api.Report) -> bytes:
    plain = msgspec.structs.replace(report, coverage=msgspec.structs.replace(report.coverage, from_cache=0))
    return b"".join(api.renderer("json").render(plain))


def test_results_are_never_kept_inside_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history, _ = merge_only(tmp_path / "home" / "shop")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "shop" / "cache"))
    before = sorted(history.folder.rglob("*"))
    report_of(history.folder, cache=True)
    assert sorted(history.folder.rglob("*")) == before


def test_a_result_with_a_gap_is_not_kept(tmp_path: Path) -> None:
    history = History(tmp_path / "shop").started()
    history.git("clone", "-q", "--depth", "1", f"file://{history.folder}", str(tmp_path / "cut"))
    history.commit("more")
    history.git("clone", "-q", "--depth", "1", f"file://{history.folder}", str(tmp_path / "cut2"))
    for _ in range(2):
        assert report_of(tmp_path / "cut2", resume=tmp_path / "kept").coverage.from_cache == 0
