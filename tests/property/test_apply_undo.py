"""Apply, then undo: the same bytes, modes and times, over any tree of files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.model.plan import Hunk, Step, patched, unpatched
from tests.unit.respond.worlds import apply, change, edit_of, move_of, plan_of, snapshot, undo, written

NAMES = ("a", "b.js", "weiß", "über maß", "-rf", "x y", "index.js")
contents = st.binary(max_size=60)


@st.composite
def hunks(draw: st.DrawFn, size: int) -> tuple[tuple[int, int, bytes], ...]:
    """Places of a file of this size, in order: where, how many bytes go, what comes."""
    marks = sorted(draw(st.lists(st.integers(0, size), min_size=2, max_size=6)))
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    return tuple((start, end - start, draw(st.binary(max_size=8))) for start, end in pairs)


def cut(content: bytes, marks: tuple[tuple[int, int, bytes], ...]) -> tuple[tuple[int, bytes, bytes], ...]:
    return tuple((at, content[at : at + gone], new) for at, gone, new in marks)


@given(st.data(), contents)
@settings(max_examples=200, deadline=None)
def test_hunks_go_both_ways(data: st.DataObject, content: bytes) -> None:
    made = tuple(
        Hunk(offset=at, remove=out, insert=into) for at, out, into in cut(content, data.draw(hunks(len(content))))
    )
    assert unpatched(patched(content, made), made) == content


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_apply_then_undo_is_nothing(data: st.DataObject) -> None:
    top = Path(tempfile.mkdtemp())
    try:
        place = top / "w"
        steps: list[Step] = []
        for number in range(data.draw(st.integers(1, 4))):
            kind = data.draw(st.sampled_from(("edit", "new", "file", "folder")))
            folder = place / f"p{number}"
            folder.mkdir(parents=True)
            name = f"s{number}"
            if kind in ("edit", "new"):
                path = folder / "package.json"
                content = data.draw(contents) if kind == "edit" else b""
                if kind == "edit":
                    path.write_bytes(content)
                    path.chmod(data.draw(st.sampled_from((0o600, 0o644, 0o755, 0o400))))
                    os.utime(path, ns=(1, data.draw(st.integers(0, 2 * 10**18))))
                action = edit_of(path, *cut(content, data.draw(hunks(len(content)))))
                if action.before == action.after or (action.before is None and not action.hunks):
                    continue
                steps.append(change(name, action))
            else:
                held = folder / "node_modules" / "x"
                held.parent.mkdir()
                if kind == "file":
                    held.write_bytes(data.draw(contents))
                else:
                    for leaf in data.draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
                        inner = held / data.draw(st.sampled_from(("", "lib", "lib/deep")))
                        inner.mkdir(parents=True, exist_ok=True)
                        if data.draw(st.booleans()):
                            (inner / leaf).write_bytes(data.draw(contents))
                            os.utime(inner / leaf, ns=(1, data.draw(st.integers(0, 2 * 10**18))))
                        elif not (inner / leaf).exists():
                            (inner / leaf).symlink_to(data.draw(st.sampled_from(("../x", "/etc/passwd", "a"))))
                    held.mkdir(exist_ok=True)
                steps.append(change(name, move_of(held, "package-folder")))
        request = written(plan_of(*steps), top / "plan.json")
        before = snapshot(place)
        assert apply(request).exit_code == 0
        after = snapshot(place)
        assert not any(name.endswith("node_modules/x") for name in after)
        assert apply(request).exit_code == 0
        assert snapshot(place) == after
        assert undo(msgspec.structs.replace(request, allow=frozenset({"payload"}))).exit_code == 0
        assert snapshot(place) == before
    finally:
        shutil.rmtree(top)
