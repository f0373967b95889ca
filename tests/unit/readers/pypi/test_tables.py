"""The fast path of TOML locks gives what a whole parse gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.ports import Interest
from pratique.readers.pypi import pdm_lock, poetry_lock, pylock, uv_lock
from pratique.readers.pypi.tables import reduced
from tests.golden.harness import in_memory, plain

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "readers" / "pypi"
READERS = {"uv-lock": uv_lock, "poetry-lock": poetry_lock, "pdm-lock": pdm_lock, "pylock": pylock}
LOCKS = [
    (case.parent.name, next(path for path in (case / "input").rglob("*") if path.is_file()))
    for name in READERS
    for case in sorted((GOLDEN / name).iterdir())
    if case.name != "truncated"
]
NAMES = ("litellm", "standin-tools", "standin-colours", "harbour", "absent")


def both(name: str, path: str, data: bytes, names: frozenset[str]) -> tuple[list[object], list[object]]:
    """What is told of some names by the reader as it is, and by a whole parse."""
    reader = READERS[name].READER
    interest = Interest({"PyPI": names})
    fast = plain(reader, in_memory(data, path), interest)
    whole = [
        item for item in plain(reader, in_memory(data, path)) if "facts" not in item or item["facts"]["name"] in names
    ]
    return list(fast), list(whole)


@settings(max_examples=150, deadline=None)
@given(lock=st.sampled_from(LOCKS), names=st.frozensets(st.sampled_from(NAMES)), at=st.floats(0, 1), data=st.data())
def test_both_paths_agree(lock: tuple[str, Path], names: frozenset[str], at: float, data: st.DataObject) -> None:
    """Real locks, and real locks with their lines shuffled in from one another."""
    name, path = lock
    text = path.read_bytes()
    extra = data.draw(
        st.sampled_from(
            [b"", b"# a comment\n", b"\n", b'[[package]]\nname = "litellm"\nversion = "1.82.7"\n', b"x = '''\na\n'''\n"]
        )
    )
    lines = text.splitlines(keepends=True)
    starts = [index for index, line in enumerate(lines) if line.startswith(b"[[package")] or [0]
    place = starts[int(at * (len(starts) - 1))]
    changed = b"".join([*lines[:place], extra, *lines[place:]])
    fast, whole = both(name, path.name, changed, names)
    assert fast == whole


@pytest.mark.parametrize("lock", LOCKS, ids=[f"{name}-{path.parts[-4]}" for name, path in LOCKS])
def test_real_locks_take_the_fast_path(lock: tuple[str, Path]) -> None:
    name, path = lock
    key = "packages" if name == "pylock" else "package"
    kept = reduced(path.read_text(encoding="utf-8"), key, frozenset({"absent"}))
    assert kept is not None
    assert 'name = "litellm"' not in kept


@pytest.mark.parametrize(
    "text",
    [
        '[[package]]\nname = "a"\n[[package]] # b\nname = "litellm"\nversion = "1"\n[[package]]\nname = "z"\n',
        '[[package]]\nname = "a"\n  [[ package ]]\nname = "litellm"\nversion = "1"\n[[package]]\nname = "z"\n',
        '[[package]]\nname = "a"\nx = """\n[[package]]\n"""\n[[package]]\nname = "z"\n',
        '[[package]]\nversion = "1"\nname = "litellm"\n[[package]]\nname = "z"\n',
        '[[package]]\nname = "a"\n[metadata]\nx = 1\n[[package]]\nname = "z"\n',
        '[[package]]\nname = "a\n[[package]]\nname = "z"\n',
    ],
)
def test_unusual_shapes_are_parsed_whole(text: str) -> None:
    assert reduced(text, "package", frozenset({"litellm"})) is None
