"""Apply and undo: the bytes, the conditions, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from pratique.adapters.apply.folders import alone
from pratique.adapters.apply.places import allowed
from pratique.model.errors import PlanError, UsageError
from pratique.model.plan import Edit, Hunk, Manual, Precondition, Quarantine
from pratique.report.plans import render_plan
from pratique.workflow.apply import ApplyRequest
from tests.unit.respond.worlds import (
    apply,
    change,
    edit_of,
    move_of,
    outcomes,
    plan_of,
    snapshot,
    undo,
    world,
    written,
)

PAYLOAD = frozenset({"payload"})


def undoing(request: ApplyRequest) -> ApplyRequest:
    return msgspec.structs.replace(request, allow=PAYLOAD)


def test_apply_then_undo_gives_the_same_bytes_modes_and_times(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    before = snapshot(tmp_path / "w")
    done = apply(request)
    assert done.exit_code == 0, done
    assert outcomes(done)["preserve.look"] == "by-hand"
    after = snapshot(tmp_path / "w")
    assert after["shop/package.json"][1:3] == (0o640, b'{\n  "dependencies": {"axios": "1.14.0"}\n\n}\n')
    assert "shop/.npmrc" in after
    assert "shop/node_modules/plain-crypto-js" not in after
    again = apply(request)
    assert set(outcomes(again).values()) == {"already", "by-hand"}
    assert snapshot(tmp_path / "w") == after
    assert undo(undoing(request)).exit_code == 0
    assert snapshot(tmp_path / "w") == before
    assert apply(request).exit_code == 0
    assert [value[:3] for value in snapshot(tmp_path / "w").values()] == [value[:3] for value in after.values()]


def test_what_was_quarantined_stays_there_without_a_word(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    apply(request)
    found = undo(msgspec.structs.replace(request, allow=frozenset()))
    assert found.exit_code == 4
    assert outcomes(found) == {
        "revert.folder": "left",
        "revert.cache": "left",
        "revert.settings": "undone",
        "revert.pin": "undone",
    }
    later = undo(undoing(request))
    assert later.exit_code == 0
    assert "PAYLOAD IS BACK" in next(item.message for item in later.outcomes if item.step == "revert.cache")


def test_a_plan_that_was_not_shown_is_refused(tmp_path: Path) -> None:
    plan = world(tmp_path / "w")
    request = written(plan, tmp_path / "plan.json")
    before = snapshot(tmp_path / "w")
    other = msgspec.structs.replace(plan, made="2026-11-27")
    (tmp_path / "plan.json").write_bytes(render_plan(other, "json"))
    with pytest.raises(PlanError, match="not the one that was confirmed"):
        apply(request)
    with pytest.raises(UsageError, match="no digest"):
        apply(msgspec.structs.replace(request, confirm="yes"))
    assert snapshot(tmp_path / "w") == before


def test_a_plan_of_another_machine_is_refused(tmp_path: Path) -> None:
    plan = msgspec.structs.replace(world(tmp_path / "w"), host="elsewhere")
    with pytest.raises(PlanError, match="is for elsewhere"):
        apply(written(plan, tmp_path / "plan.json"))


def test_nothing_is_done_without_a_seal(tmp_path: Path) -> None:
    request = msgspec.structs.replace(written(world(tmp_path / "w"), tmp_path / "p.json"), allow=frozenset())
    before = snapshot(tmp_path / "w")
    found = apply(request)
    assert found.exit_code == 5
    assert found.not_reached == 3
    assert outcomes(found)["revert.pin"] == "refused"
    assert snapshot(tmp_path / "w") == before


def test_a_file_that_changed_is_refused_and_what_it_is_now_is_said(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    lock = tmp_path / "w" / "home" / ".npm" / "_cacache" / "index-v5" / "aa" / "bb"
    lock.write_bytes(b"other\n")
    found = apply(request)
    assert found.exit_code == 5
    told = next(item for item in found.outcomes if item.step == "revert.cache")
    assert told.outcome == "refused"
    assert "changed since the plan was made: it is sha256:" in told.message
    assert outcomes(found)["revert.settings"] == "done"
    assert found.not_reached == 1
    lock.write_bytes(b"entry\n")
    assert apply(request).exit_code == 0


def test_undo_refuses_what_changed_since(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    apply(request)
    (tmp_path / "w" / "shop" / "package.json").write_bytes(b"{}")
    found = undo(undoing(request))
    assert outcomes(found)["revert.pin"] == "refused"
    assert (tmp_path / "w" / "shop" / "package.json").read_bytes() == b"{}"
    assert apply(request).exit_code == 5


def test_what_comes_back_after_a_move_is_not_taken_for_a_killed_run(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    apply(request)
    entry = tmp_path / "w" / "home" / ".npm" / "_cacache" / "index-v5" / "aa" / "bb"
    entry.write_bytes(b"entry\n")
    found = apply(request)
    assert outcomes(found)["revert.cache"] == "refused"
    assert entry.exists()


def test_only_the_named_step(tmp_path: Path) -> None:
    request = msgspec.structs.replace(
        written(world(tmp_path / "w"), tmp_path / "plan.json"), steps=("revert.settings",)
    )
    assert outcomes(apply(request)) == {"revert.settings": "done"}
    with pytest.raises(UsageError, match="no step"):
        apply(msgspec.structs.replace(request, steps=("nothing",)))


def test_an_unsafe_step_is_left_until_it_is_allowed(tmp_path: Path) -> None:
    unit = tmp_path / "home" / ".config" / "systemd" / "user" / "gh-token-monitor.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    request = written(plan_of(change("revert.unit", move_of(unit, "user-unit"), "unsafe")), tmp_path / "plan.json")
    assert apply(request).exit_code == 4
    assert unit.exists()
    assert apply(msgspec.structs.replace(request, allow=frozenset({"unsafe", "unsealed"}))).exit_code == 0
    assert not unit.exists()


def test_a_step_waits_for_the_steps_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_bytes(b"{}")
    (tmp_path / ".npmrc").write_bytes(b"")
    first = change("a", edit_of(tmp_path / "package.json", (0, b"{}", b"{ }")))
    second = change("b", edit_of(tmp_path / ".npmrc", (0, b"", b"x=1\n")), after=["a"])
    request = written(plan_of(first, second), tmp_path / "plan.json")
    found = apply(msgspec.structs.replace(request, steps=("b",)))
    assert "comes after a" in found.outcomes[0].message
    assert apply(request).exit_code == 0


def test_two_edits_of_one_file_follow_each_other_and_are_undone_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(b"{1}")
    first = edit_of(path, (1, b"1", b"2"))
    path.write_bytes(b"{2}")
    second = edit_of(path, (1, b"2", b"3"))
    path.write_bytes(b"{1}")
    request = written(plan_of(change("a", first), change("b", second)), tmp_path / "plan.json")
    assert apply(request).exit_code == 0
    assert apply(request).exit_code == 0
    assert path.read_bytes() == b"{3}"
    assert undo(request.__class__(plan=request.plan, confirm=request.confirm)).exit_code == 0
    assert path.read_bytes() == b"{1}"


def test_conditions_about_a_sweep_and_another_step_are_tested(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_bytes(b"{}")
    for kind, more, words in (
        ("swept", {"incident": "x"}, "dead man's switch of x"),
        ("done", {"step": "by.hand"}, "by.hand has no receipt"),
        ("rebuilt", {}, "rebuilt"),
    ):
        condition = msgspec.to_builtins(Precondition(kind=kind, words="w", **more))
        step = change("a", edit_of(tmp_path / "package.json", (0, b"{}", b"{ }")), preconditions=[condition])
        by_hand = change("by.hand", Manual(), "manual")
        found = apply(written(plan_of(by_hand, step), tmp_path / f"{kind}.json"))
        assert found.exit_code == 5
        assert words in found.outcomes[-1].message


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_change_that_nobody_committed_is_not_edited_over(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    path = tmp_path / "package.json"
    path.write_bytes(b"{}\n")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "package.json"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    condition = msgspec.to_builtins(Precondition(kind="uncommitted", words="w"))
    path.write_bytes(b"{ }\n")
    step = change("a", edit_of(path, (1, b" ", b"")), preconditions=[condition])
    request = written(plan_of(step), tmp_path / "plan.json")
    found = apply(request)
    assert "not committed" in found.outcomes[0].message
    assert apply(msgspec.structs.replace(request, allow=request.allow | {"uncommitted"})).exit_code == 0
    path.write_bytes(b"{}\n")
    clean = change("a", edit_of(path, (1, b"", b" ")), preconditions=[condition])
    assert apply(written(plan_of(clean), tmp_path / "clean.json")).exit_code == 0


def test_another_apply_at_work_is_refused(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    before = snapshot(tmp_path / "w")
    with alone(f"{request.plan}.quarantine"), pytest.raises(PlanError, match="another apply"):
        apply(request)
    assert snapshot(tmp_path / "w") == before


def test_a_cut_receipt_of_a_killed_run_does_not_count(tmp_path: Path) -> None:
    request = written(world(tmp_path / "w"), tmp_path / "plan.json")
    apply(request)
    records = Path(f"{request.plan}.receipts.ndjson")
    whole = records.read_bytes()
    records.write_bytes(whole[:-10])
    assert apply(request).exit_code == 0
    assert all(json.loads(line) for line in records.read_bytes().splitlines())


def test_links_on_the_way_are_not_followed(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "package.json").write_bytes(b"{}")
    (tmp_path / "shop").symlink_to(real)
    (real / "yarn.lock").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"x")
    through = edit_of(real / "package.json", (0, b"{}", b"{ }"))
    through = msgspec.structs.replace(through, path=str(tmp_path / "shop" / "package.json"))
    final = msgspec.structs.replace(edit_of(tmp_path / "elsewhere", (0, b"x", b"y")), path=str(real / "yarn.lock"))
    for number, action in enumerate((through, final)):
        found = apply(written(plan_of(change("a", action)), tmp_path / f"{number}.json"))
        assert found.outcomes[0].outcome == "refused"
        assert "symbolic link" in found.outcomes[0].message
    assert (real / "package.json").read_bytes() == b"{}"
    assert (tmp_path / "elsewhere").read_bytes() == b"x"


HOSTILE: list[tuple[str, Edit | Quarantine]] = [
    ("is no file of a project", Edit(path="/home/dev/.bashrc", before=None, after="", hunks=(), diff="")),
    ("lies in a folder of the system", Edit(path="/etc/package.json", before=None, after="", hunks=(), diff="")),
    ("is not spelled plainly", Edit(path="/srv/../etc/package.json", before=None, after="", hunks=(), diff="")),
    ("is no absolute path", Edit(path="package.json", before=None, after="", hunks=(), diff="")),
    ("repository's database", Edit(path="/srv/.git/package.json", before=None, after="", hunks=(), diff="")),
    ("is no valid text", Edit(path="/srv/\0/package.json", before=None, after="", hunks=(), diff="")),
    (
        "do not give what it says",
        Edit(
            path="/srv/package.json",
            before=None,
            after="sha256:0",
            hunks=(Hunk(offset=0, remove=b"", insert=b"x"),),
            diff="",
        ),
    ),
    (
        "hunks are not in order",
        Edit(
            path="/srv/package.json",
            before="sha256:1",
            after="sha256:0",
            hunks=(Hunk(offset=4, remove=b"a", insert=b""), Hunk(offset=0, remove=b"a", insert=b"")),
            diff="",
        ),
    ),
    ("lies in no cache", Quarantine(path="/home/dev/documents", digest=f"sha256:{0:064}", what="package-cache")),
    ("is the root", Quarantine(path="/", digest=f"sha256:{0:064}", what="package-cache")),
    (
        "lies in no folder of packages",
        Quarantine(path="/srv/node_modules", digest=f"sha256:{0:064}", what="package-folder"),
    ),
    ("is no unit of a user", Quarantine(path="/home/dev/.bashrc", digest=f"sha256:{0:064}", what="user-unit")),
    ("folder of the system", Quarantine(path="/usr/bin/env", digest=f"sha256:{0:064}", what="dropped-file")),
    ("names no digest", Quarantine(path="/tmp/ld.py", digest="", what="dropped-file")),
]


@pytest.mark.parametrize(("words", "action"), HOSTILE)
def test_a_hostile_plan_is_refused_whole(words: str, action: Edit | Quarantine, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_bytes(b"{}")
    good = change("good", edit_of(tmp_path / "package.json", (0, b"{}", b"{ }")))
    with pytest.raises(PlanError, match=words):
        apply(written(plan_of(good, change("bad", action)), tmp_path / "plan.json"))
    assert (tmp_path / "package.json").read_bytes() == b"{}"


def test_hunks_that_do_not_give_what_the_plan_says_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(b"{}")
    lying = msgspec.structs.replace(edit_of(path, (0, b"{}", b"{ }")), after=f"sha256:{0:064}")
    found = apply(written(plan_of(change("a", lying)), tmp_path / "plan.json"))
    assert "do not give" in found.outcomes[0].message
    assert path.read_bytes() == b"{}"
    assert sorted(item.name for item in tmp_path.iterdir() if "draft" in item.name) == []


@pytest.mark.parametrize("shown", ["", "--- .npmrc\n+++ .npmrc\n@@ -0,0 +1 @@\n+save-exact=true\n"])
def test_a_plan_that_shows_another_change_than_it_makes_changes_nothing(shown: str, tmp_path: Path) -> None:
    """Whoever writes the file of a plan writes its digest too: what a person read is what is done."""
    for path, hunk in (
        (tmp_path / ".npmrc", (0, b"", b"script-shell=/srv/x\n")),
        (tmp_path / "package.json", (0, b"{}\n", b'{"scripts": {"preinstall": "x"}}\n')),
    ):
        if hunk[1]:
            path.write_bytes(hunk[1])
        lying = msgspec.structs.replace(edit_of(path, hunk), diff=shown)
        found = apply(written(plan_of(change("a", lying)), tmp_path / "plan.json"))
        assert found.exit_code == 5
        assert "shows another change than it would make" in found.outcomes[0].message
        assert (path.read_bytes() if path.exists() else b"") == hunk[1]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b"[" * 5000, b'{"schema": "pratique.plan/1"}'])
def test_what_is_no_plan_is_refused(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(text)
    with pytest.raises(PlanError):
        apply(ApplyRequest(plan=str(tmp_path / "plan.json"), confirm=f"sha256:{0:064}"))


def test_a_step_for_a_person_that_a_program_would_do_is_refused(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_bytes(b"{}")
    step = change("a", edit_of(tmp_path / "package.json", (0, b"{}", b"{ }")), "manual")
    with pytest.raises(PlanError, match="for a person"):
        apply(written(plan_of(step), tmp_path / "plan.json"))


def test_other_names_of_a_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(b"{}")
    os.link(path, tmp_path / "other")
    found = apply(written(plan_of(change("a", edit_of(path, (0, b"{}", b"{ }")))), tmp_path / "plan.json"))
    assert "other name(s)" in found.outcomes[0].message
    assert (tmp_path / "other").read_bytes() == b"{}"


def test_a_new_file_where_no_second_name_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*arguments: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / ".npmrc"
    request = written(plan_of(change("a", edit_of(path, (0, b"", b"x=1\n")))), tmp_path / "plan.json")
    assert apply(request).exit_code == 0
    assert path.read_bytes() == b"x=1\n"
    assert undo(msgspec.structs.replace(request, allow=frozenset())).exit_code == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/srv/shop/.github/workflows/release.yml", True),
        ("/srv/shop/workflows/release.yml", False),
        ("/srv/shop/.github/release.yml", False),
        ("/srv/shop/action.yml", True),
        ("/srv/shop/requirements-dev.txt", True),
        ("/srv/shop/readme.txt", False),
        ("/srv/shop/node_modules/x/package.json", False),
        ("/usr/lib/package.json", False),
        ("/dev/shm/shop/package.json", True),
    ],
)
def test_which_files_an_edit_may_change(path: str, fits: bool) -> None:
    found = allowed(Edit(path=path, before=None, after="", hunks=(), diff=""))
    assert (found is None) is fits


def test_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(b"{}")
    try:
        os.setxattr(path, "user.origin", b"here")
    except (OSError, AttributeError):
        pytest.skip("this file system keeps no extended attributes")
    request = written(plan_of(change("a", edit_of(path, (0, b"{}", b"{ }")))), tmp_path / "plan.json")
    apply(request)
    assert os.getxattr(path, "user.origin") == b"here"
    undo(msgspec.structs.replace(request, allow=frozenset()))
    assert os.getxattr(path, "user.origin") == b"here"
