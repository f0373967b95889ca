"""Layers on layers: what an image shows, and what became of a file, as the OCI specification has it."""

from __future__ import annotations

import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.observation import Refusal
from pratique.model.ports import ARCHIVE, Claimant, Handed, Kept, Options, Unreadable
from pratique.targets.dispatch import Dispatch
from pratique.targets.layers import (
    Changes,
    Layer,
    changes,
    folder_visible,
    gone,
    listed,
    plain,
    taken_away,
    tape,
    visible,
)
from tests.standins.images import layer

Kind = Literal["file", "folder", "other"]
Step = tuple[dict[str, Kind], set[str], set[str]]
"""What a layer adds, the names it takes away, the folders it empties."""

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    added: dict[str, Kind] = {}
    for path in draw(st.lists(PATHS, max_size=5)):
        kind = draw(st.sampled_from(["file", "folder", "other"]))
        above = {path[:cut] for cut in range(len(path)) if path[cut] == "/"}
        if any(added.get(item, "folder") != "folder" for item in above):
            continue
        if kind != "folder" and any(other.startswith(f"{path}/") for other in added):
            continue
        added[path] = kind
    return added, set(draw(st.lists(PATHS, max_size=2))), set(draw(st.lists(st.one_of(PATHS, st.just("")), max_size=1)))


def below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def merged(stack: list[Step]) -> list[dict[str, tuple[Kind, int]]]:
    """The reference: what the image holds after each layer, and the layer that each thing comes from."""
    state: dict[str, tuple[Kind, int]] = {}
    told = []
    for number, (added, away, emptied) in enumerate(stack):
        state = {
            path: found
            for path, found in state.items()
            if not any(path == item or below(path, item) for item in away)
            and not any(below(path, item) for item in emptied)
        }
        for path, kind in added.items():
            for cut in [index for index in range(len(path)) if path[index] == "/"]:
                if state.get(path[:cut], ("other", 0))[0] != "folder":
                    state[path[:cut]] = "folder", number
            if kind == "folder" and state.get(path, ("other", 0))[0] == "folder":
                state[path] = kind, number
                continue
            state = {other: found for other, found in state.items() if not below(other, path)}
            state[path] = kind, number
        told.append(dict(state))
    return told


def entries(step: Step, last: bool) -> dict[str, bytes | str | None]:
    added, away, emptied = step
    content: dict[Kind, bytes | str | None] = {"file": b"", "folder": None, "other": "to"}
    marks: dict[str, bytes | str | None] = {}
    for path in sorted(away):
        folder, _, name = path.rpartition("/")
        marks[f"{folder}/.wh.{name}".lstrip("/")] = b""
    for folder in sorted(emptied):
        marks[f"{folder}/.wh..wh..opq".lstrip("/")] = b""
    files = {path: content[kind] for path, kind in added.items()}
    return {**files, **marks} if last else {**marks, **files}


@given(st.lists(st.tuples(steps(), st.booleans()), min_size=1, max_size=4))
def test_the_merged_view_is_that_of_the_specification(stack: list[tuple[Step, bool]]) -> None:
    every = {"/".join(parts) for a in "abc" for b in "abc" for c in "abc" for parts in ((a,), (a, b), (a, b, c))}
    told = [
        changes(tape(io.BytesIO(layer(entries(step, last)))).members(), every)  # marks may stand anywhere
        for step, last in stack
    ]
    states = merged([step for step, _ in stack])
    for number, state in enumerate(states):
        for path in sorted(every):
            found = visible(told, number, path)
            kind, origin = state.get(path, (None, None))
            if kind in ("file", "other"):
                assert found == origin
            else:
                assert (found is None) or (kind == "folder")
            assert folder_visible(told, number, path) == (kind == "folder")
    for number, (step, _) in enumerate(stack):
        for path, kind in step[0].items():
            if kind == "folder" or states[number].get(path) != (kind, number):
                continue
            expected = None
            for later in range(number + 1, len(stack)):
                if states[later].get(path) != (kind, number):
                    expected = later, "overwritten" if path in states[later] else "deleted"
                    break
            assert gone(told, number, path) == expected


@pytest.mark.parametrize(
    ("path", "away"),
    [
        ("a/.wh.b", ("a/b", False)),
        (".wh.b", ("b", False)),
        ("a/.wh..wh..opq", ("a", True)),
        (".wh..wh..opq", ("", True)),
        ("a/b", None),
        ("a.wh.b", None),
        (".wh.a/b", None),
    ],
)
def test_whiteouts(path: str, away: tuple[str, bool] | None) -> None:
    assert taken_away(path) == away


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./a/b", "a/b"),
        ("/a//b/", "a/b"),
        ("../../etc/x", "etc/x"),
        ("a/../b", "a/b"),
        (".", ""),
        ("./", ""),
        ("a/.b", "a/.b"),
        ("..a", "..a"),
        ("\udcff/x", "\udcff/x"),
    ],
)
def test_names(name: str, path: str) -> None:
    assert plain(name) == path


def claims(*basenames: str) -> Dispatch:
    return Dispatch([Claimant(0, basenames, (), (), (), 100)], {})


def read(entries: dict[str, bytes | str | None], options: Options | None = None) -> dict[str, object]:
    """What a layer hands out: path to content, or to the reason why there is none."""
    data = layer(entries)
    found: dict[str, object] = {}
    opening = Layer("file:///x", "sha256:0", claims("package.json"), options or Options(), lambda: io.BytesIO(data))
    for item in opening.members(io.BytesIO(data)):
        if isinstance(item, Refusal):
            found[item.path] = item.reason
        elif isinstance(item, tuple):
            found[item[1].path] = content(item)
    return found


def content(item: Handed) -> object:
    key, artifact = item
    if key == ARCHIVE:
        return "archive"
    assert artifact.outer == artifact.path
    assert artifact.inside[0].path == artifact.location().path
    try:
        assert artifact.content() == artifact.content()
        return artifact.content()
    except Unreadable as error:
        return error.reason


def test_hard_links_give_the_bytes_of_what_they_name() -> None:
    found = read(
        {
            "store/1": b"first",
            "app/package.json": "=store/1",
            "chain/package.json": "=app/package.json",
            "late/package.json": "=store/2",
            "store/2": b"second",
            "lost/package.json": "=elsewhere",
            "self/package.json": "=self/package.json",
        }
    )
    assert found["app/package.json"] == found["chain/package.json"] == b"first"
    assert found["late/package.json"] == b"second"
    assert "not in its layer: elsewhere" in str(found["lost/package.json"])
    assert "not in its layer" in str(found["self/package.json"])


def test_links_in_a_tree_hide_nothing() -> None:
    found = read(
        {
            "opt/linked/package.json": b"linked",
            "app/node_modules/axios": "../../opt/linked",
            "app/node_modules/other": "/nowhere",
            "web/node_modules": "/deps",
            "deps/left/package.json": b"left",
            "ok/node_modules": "../app/node_modules",
            "app/node_modules/.pnpm/a@1/node_modules/a/package.json": b"a",
            "app/node_modules/a": ".pnpm/a@1/node_modules/a",
        },
        Options(names=frozenset({"axios", "left"})),
    )
    assert found["app/node_modules/axios/package.json"] == b"linked"
    assert found["web/node_modules/left/package.json"] == b"left"
    assert found["app/node_modules/.pnpm/a@1/node_modules/a/package.json"] == b"a"
    assert "app/node_modules/a/package.json" not in found
    assert not any("nowhere" in str(item) for item in found.values())
    found = read({"app/node_modules/axios": "/nowhere"}, Options(names=frozenset({"axios"})))
    assert "not in its layer: nowhere" in str(found["app/node_modules/axios"])


def test_a_link_with_a_claimed_name_to_a_file_that_nobody_claims_is_read_or_told() -> None:
    found = read(
        {
            "app/package.json": "../store/v2",
            "store/v2": b"second",
            "lost/package.json": "/other/layer",
            "same/package.json": "real/package.json",
            "left/package.json": "/other/layer",
            "log/package.json": "/dev/stdout",
            "app/node_modules/x/package.json": "../../../same/real/package.json",
            "same/real/package.json": b"real",
        },
        Options(exclude=("left",)),
    )
    assert found == {
        "app/package.json": b"second",
        "app/node_modules/x/package.json": b"real",
        "same/real/package.json": b"real",
        "lost/package.json": "is a link to a file that is not in its layer: other/layer",
    }


def test_marks_limits_exclusions_and_archives() -> None:
    found = read(
        {
            "a/.wh.package.json": b"",
            "b/package.json": b"x" * 101,
            "c/package.json": b"ok",
            "d/package.json": b"left out",
            "e/x.tgz": b"archive",
        },
        Options(exclude=("d",)),
    )
    assert set(found) == {"b/package.json", "c/package.json", "e/x.tgz"}
    assert "more than the limit" in str(found["b/package.json"])
    assert found["e/x.tgz"] == "archive"


def test_a_companion_is_found_in_the_layer() -> None:
    data = layer({"a/package.json": b"x", "a/package.json-wal": b"beside"})
    opening = Layer("file:///x", "sha256:0", claims("package.json"), Options(), lambda: io.BytesIO(data))
    for item in [item for item in opening.members(io.BytesIO(data)) if isinstance(item, tuple)]:
        assert item[1].companion("-wal") == b"beside"
        assert item[1].companion("-shm") is None
    opening = Layer("file:///x", "sha256:0", claims("package.json"), Options(), None)
    for item in [item for item in opening.members(io.BytesIO(data)) if isinstance(item, tuple)]:
        with pytest.raises(Unreadable, match="cannot be looked up"):
            item[1].companion("-wal")


def test_the_names_that_are_kept_tell_the_same() -> None:
    data = layer(
        {
            "a": None,
            "a/\udcff": b"1",
            "a/link": "to",
            "a/.wh.b": b"",
            "c/.wh..wh..opq": b"",
            "d\n": "=a/\udcff",
        }
    )
    opening = Layer("file:///x", "sha256:0", claims(), Options(), None)
    (kept,) = [item for item in opening.members(io.BytesIO(data)) if isinstance(item, Kept)]
    paths = ["a/\udcff", "a/link", "a/b", "c/x", "d\n", "a"]
    assert kept.key == "sha256:0"
    assert changes(listed(kept.data()), paths) == changes(tape(io.BytesIO(data)).members(), paths)
    opening = Layer("file:///x", "sha256:0", claims(), Options(), None)
    assert not [item for item in opening.members(io.BytesIO(data[:-10240])) if isinstance(item, Kept)]


def test_what_is_asked_of_no_layer() -> None:
    assert visible([], -1, "a") is None
    assert gone([Changes()], 0, "a") is None
