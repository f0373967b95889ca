"""The parts of the git target: folders in all their versions, places, answers about histories."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters import git as adapter
from pratique.model.errors import TargetError
from pratique.model.location import Inside
from pratique.model.observation import BesideFact, HistoryFact, Question, Refusal
from pratique.model.ports import Git, Options, Unit, Unreadable
from pratique.targets import git, git_history, git_names, git_objects, git_places
from pratique.targets.dispatch import Dispatch
from pratique.targets.git_objects import Found, Versions
from tests.standins.histories import AFTER, BEFORE, WITHIN, History, bad_lock, good_lock, manifest, merge_only

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
WINDOW = (("2026-03-31T00:00:00Z", "2026-03-31T04:00:00Z"),)


def starter() -> Git:
    """How git is started here."""
    found = adapter.starter()
    assert found is not None
    return found


# Versions of folders

names = st.sampled_from([b"a", b"b.json", b"package-lock.json", b"x 100644 y", b"40000 z", b"\n", b"100644 ", b"\xff"])
modes = st.sampled_from([b"100644", b"100755", b"40000", b"120000", b"160000"])
ids = st.one_of(
    st.binary(min_size=20, max_size=20),
    st.sampled_from([b"100644 x\0" + b"1" * 11, b"40000 q\0" + b"\n" * 12, b"\0" * 20]),
)
trees = st.lists(st.tuples(modes, names, ids), max_size=6)


def packed(entries: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """A tree as git stores it."""
    return b"".join(mode + b" " + name + b"\0" + item for mode, name, item in entries)


@given(st.lists(trees, max_size=6))
def test_what_is_new_in_each_version_is_exact_or_said_to_be_odd(
    versions: list[list[tuple[bytes, bytes, bytes]]],
) -> None:
    reader = Versions(20)
    try:
        found = reader.fresh(b"".join(packed(entries) + b"\n" for entries in versions))
    except git_objects._Odd:
        return
    assert found == list(dict.fromkeys(found))
    assert set(found) == {entry for entries in versions for entry in entries}


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_what_changed_holds_every_piece_that_is_new(head: bytes, old: bytes, new: bytes, tail: bytes) -> None:
    mark = git_objects._FILE
    before, after = head + mark + old + mark + tail, head + mark + new + mark + tail
    changed = git_objects._changed(before, after)
    assert set(after.split(mark)) <= {*before.split(mark), *changed.split(mark)}


def test_plain_folders_are_never_odd() -> None:
    reader = Versions(20)
    found: list[tuple[bytes, bytes, bytes]] = []
    expected: dict[tuple[bytes, bytes, bytes], None] = {}
    for version in range(50):
        entries = [
            (
                b"40000" if number % 3 == 0 else b"100644",
                b"n%d" % number,
                hashlib.sha1(b"%d" % (version // (number + 1))).digest(),
            )
            for number in range(20)
        ]
        found += reader.fresh(packed(entries) + b"\n")
        expected.update(dict.fromkeys(entries))
    assert sorted(found) == sorted(expected)


@needs_git
def test_every_path_with_every_version(tmp_path: Path) -> None:
    history = History(tmp_path / "r")
    expected: set[tuple[str, str]] = set()
    for number in range(12):
        for path in ("a/b/same.txt", "c/other.txt", f"d{number % 3}/deep/er/x.txt", "top"):
            file = history.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{number // 4}\n")
        os.replace(history.folder / "c", history.folder / f"moved{number % 4}") if number % 4 == 3 else None
        history.commit(f"{number}")
        listed = history.git("ls-tree", "-r", "HEAD").splitlines()
        expected |= {(line.partition("\t")[2], line.split()[2]) for line in listed}
        shutil.rmtree(history.folder / f"moved{number % 4}", ignore_errors=True)
    database = git_objects.Database(starter(), f"{history.folder}/.git")
    tips = git_names.tips(database)
    found = [item for item in git_objects.entries(database, list(tips.trees)) if isinstance(item, Found)]
    assert len(found) == len({(item.path, item.id) for item in found})
    assert {(item.path, item.id.hex()) for item in found} == expected
    named = history.git("rev-list", "--all", "--objects").splitlines()
    by_one_path = {(path, item) for item, _, path in (line.partition(" ") for line in named) if path}
    assert len(expected - by_one_path) > 5, "git itself names an object by one path alone"


@needs_git
def test_a_tree_that_holds_itself_over_and_over_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(tmp_path / "r")
    (history.folder / "package-lock.json").write_bytes(good_lock())
    history.git("add", "-A")
    tree = history.git("write-tree")
    for _ in range(12):
        listing = "".join(f"040000 tree {tree}\\t{number}\\n" for number in range(8))
        (history.folder / "listing").write_bytes(listing.encode().decode("unicode_escape").encode())
        with (history.folder / "listing").open() as file:
            import subprocess

            tree = subprocess.run(
                ["git", "-C", str(history.folder), "mktree"], stdin=file, capture_output=True, text=True, check=True
            ).stdout.strip()
    commit = history.git("commit-tree", tree, "-m", "bomb")
    history.git("update-ref", "refs/heads/main", commit)
    monkeypatch.setattr(git_objects, "MOST_FOLDERS", 1000)
    database = git_objects.Database(starter(), f"{history.folder}/.git")
    gaps = [
        item
        for item in git_objects.entries(database, list(git_names.tips(database).trees))
        if not isinstance(item, Found)
    ]
    assert [gap.reason for gap in gaps] == ["holds more folders than are followed; the rest was not looked at"]


# Places


@needs_git
def test_repositories_are_found_in_order_each_once(tmp_path: Path) -> None:
    for name in ("b", "a", "a/nested"):
        History(tmp_path / name)
    History(tmp_path / "a").git("clone", "-q", "--bare", str(tmp_path / "b"), str(tmp_path / "z.git"))
    expected = [str(tmp_path / name) for name in ("a", "a/nested", "b", "z.git")]
    assert git_places.find(str(tmp_path)) == expected
    (tmp_path / "none").mkdir()
    with pytest.raises(TargetError, match="no git repository"):
        git_places.find(str(tmp_path / "none"))


@needs_git
def test_the_state_changes_with_everything_a_result_depends_on(tmp_path: Path) -> None:
    history = History(tmp_path / "r").started()
    folder = f"{history.folder}/.git"
    seen = [git_places.state(folder, objects=False)]

    def changed(*, objects: bool = False) -> bool:
        seen.append(git_places.state(folder, objects=objects))
        return seen.count(seen[-1]) == 1

    assert git_places.state(folder, objects=False) == seen[0]
    history.git("branch", "other")
    assert changed()
    history.git("pack-refs", "--all")
    assert changed()
    history.write(lock=bad_lock())
    history.git("add", "-A")
    assert changed()
    history.git("stash", "push", "-q")
    assert changed()
    history.git("stash", "drop", "-q")
    assert changed()
    history.git("reflog", "expire", "--expire=now", "--all")
    assert changed()
    history.git("worktree", "add", "-q", "--detach", str(tmp_path / "w"), "HEAD")
    assert changed()
    assert changed(objects=True)
    (history.folder / "loose").write_text("loose\n")
    history.git("hash-object", "-w", "loose")
    assert changed(objects=True)
    assert not changed()


@needs_git
def test_units_say_what_is_wrong_and_key_what_is_right(tmp_path: Path) -> None:
    history = History(tmp_path / "r").started()
    options = Options(git=starter())
    (unit,) = git.units(str(history.folder), "git+file:///r", options)
    assert isinstance(unit, git.Unit)
    assert len(unit.key) == 64
    (refusal,) = git.units(str(history.folder), "git+file:///r", Options())
    assert isinstance(refusal, git.Refusal)
    assert (refusal.relevant, refusal.reason) == (True, git.NO_GIT)


# Git


@needs_git
def test_only_commands_that_start_nothing_are_started(tmp_path: Path) -> None:
    history = History(tmp_path / "r").started()
    run = starter()
    for command in (
        ("status",),
        ("ls-files", "-m"),
        ("log", "-p"),
        ("show-ref",),
        ("rev-parse", "HEAD"),
        ("-c", "x=y", "log"),
    ):
        with pytest.raises(ValueError, match="may start programs"), run(f"{history.folder}/.git", command):
            pass
    with (
        pytest.raises(Unreadable, match="git rev-list failed: fatal: bad"),
        run(f"{history.folder}/.git", ("rev-list", "0" * 39 + "1")) as stream,
    ):
        stream.read()


@needs_git
def test_silence_ends_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(tmp_path / "r").started()
    monkeypatch.setattr(adapter, "PATIENCE", 0.2)

    def nothing() -> Iterator[bytes]:
        import time

        time.sleep(1)
        yield b"\n"

    with (
        pytest.raises(Unreadable, match="gave nothing"),
        starter()(f"{history.folder}/.git", ("cat-file", "--batch"), nothing()) as stream,
    ):
        assert stream.read() == b""


# Answers


def asked(history: History, path: str, at: str, **more: Any) -> Question:
    """A question about the version of a path at a commit."""
    item = history.git("rev-parse", f"{at}:{path}")
    options: dict[str, Any] = {"kind": "history", "windows": WINDOW, **more}
    return Question(target="t", path=path, inside=(Inside("commit", item, path),), **options)


def answers(history: History, *questions: Question) -> list[HistoryFact | BesideFact]:
    """The answers in their order."""
    database = git_objects.Database(starter(), f"{history.folder}/.git")
    found = []
    for item in git_history.answer(database, "t", questions):
        assert isinstance(item.facts, HistoryFact | BesideFact)
        found.append(item.facts)
    return found


@needs_git
def test_an_answer_is_what_git_itself_says(tmp_path: Path) -> None:
    history, merge = merge_only(tmp_path / "r")
    history.git("checkout", "-q", "-b", "later")
    history.commit("again", at=WITHIN, lock=bad_lock())
    (fact,) = answers(history, asked(history, "package-lock.json", merge))
    assert isinstance(fact, HistoryFact)
    holding = [
        commit
        for commit in history.git("rev-list", "--all").split()
        if history.git("rev-parse", f"{commit}:package-lock.json") == fact.blob
    ]
    assert (fact.commits, sorted(fact.in_window)) == (len(holding), sorted(holding))
    contains = history.git("for-each-ref", "--contains", merge, "--format=%(refname)").split()
    assert list(fact.contained_in) == contains
    log = ("log", "--all", "-m", "--full-history", "--no-renames", "--format=%H", f"--find-object={fact.blob}")
    changed = {line for line in history.git(*log).split() if len(line) == 40}
    assert {item.id for item in (*fact.introduced, *fact.removed)} == changed


@needs_git
def test_what_lay_beside_counts_at_commits_in_force_alone(tmp_path: Path) -> None:
    history = History(tmp_path / "r")
    history.commit("long ago, without a lock", at="2019-01-01T00:00:00Z", manifest=manifest())
    history.commit("with its lock", at=BEFORE, lock=good_lock())
    history.git("tag", "kept")
    (history.folder / "package-lock.json").unlink()
    history.commit("gone afterwards", at=AFTER)
    question = asked(history, "package.json", "HEAD", kind="beside", files=("package-lock.json",))
    (fact,) = answers(history, question)
    assert isinstance(fact, BesideFact)
    (beside, index) = sorted(fact.at)
    if beside.commit.id == "index":
        beside, index = index, beside
    assert beside.commit.id == history.git("rev-parse", "kept")
    assert [path for path, _ in beside.files] == ["package-lock.json"]
    assert (index.commit.id, index.files) == ("index", ())


@needs_git
def test_a_history_is_whole_where_nothing_was_cut_from_it(tmp_path: Path) -> None:
    history, merge = merge_only(tmp_path / "r")
    history.git("clone", "-q", "--depth", "2", f"file://{history.folder}", str(tmp_path / "cut"))
    cut = History(tmp_path / "cut")
    (fact,) = answers(cut, asked(cut, "package-lock.json", merge))
    assert not fact.whole
    assert len(git_names.cuts(f"{cut.folder}/.git")) > 0
    cut.git("fetch", "-q", "--unshallow")
    (fact,) = answers(cut, asked(cut, "package-lock.json", merge))
    assert fact.whole
    (cut.folder / ".git/shallow").write_bytes(b"")
    (fact,) = answers(cut, asked(cut, "package-lock.json", merge))
    assert fact.whole


@needs_git
def test_large_objects_that_nothing_reaches_are_told(tmp_path: Path) -> None:
    history, _ = merge_only(tmp_path / "r")
    (history.folder / "x").write_bytes(b"x" * 1_000_000)
    history.git("hash-object", "-w", "x")
    folder = f"{history.folder}/.git"
    options = Options(git=starter(), unreachable=True, limit=100_000)
    told = list(git.open(Unit("t", folder, "git", ""), Dispatch([], {}), options))
    reason = "1 object that nothing reaches: more than the limit of 100000 bytes; --max-file raises it"
    assert [item.reason for item in told if isinstance(item, Refusal)] == [reason]


@needs_git
def test_clocks_that_are_absurd_are_shown_as_nothing(tmp_path: Path) -> None:
    assert git_history._iso(1 << 61) == ""
    assert git_history._iso(0) == "1970-01-01T00:00:00Z"
    history = History(tmp_path / "r").started()
    raw = history.git("cat-file", "commit", "HEAD").replace(" +0000", "999999999999 +0000")
    (history.folder / "raw").write_text(raw + "\n")
    commit = history.git("hash-object", "-t", "commit", "-w", "--literally", "raw")
    history.git("update-ref", "refs/heads/odd", commit)
    facts = answers(history, asked(history, "package-lock.json", "main"))
    assert len(facts) == 1


def test_files_without_a_name_are_recognised_by_how_they_begin() -> None:
    assert git_names.recognised(bad_lock()) == "package-lock.json"
    assert git_names.recognised(manifest()) == "package.json"
    for name, head in {
        "yarn.lock": b"# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n",
        "pnpm-lock.yaml": b"lockfileVersion: '9.0'\n",
        "poetry.lock": b"# This file is automatically @generated by Poetry 2.5.1\n",
        "uv.lock": b'version = 1\nrevision = 5\nrequires-python = ">=3.11"\n',
    }.items():
        assert git_names.recognised(head) == name
    assert git_names.recognised(b"export const value = 1;\n") is None
