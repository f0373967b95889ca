"""Kept results: what was written comes back, and nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pratique.adapters import results
from pratique.adapters.results import Results, default_folder
from pratique.model.errors import UsageError

KEY = "ab" * 32


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Results(tmp_path / "r")
    assert kept.get(KEY) is None
    kept.put(KEY, b"answer")
    assert kept.get(KEY) == b"answer"
    assert kept.get("cd" * 32) is None
    assert (tmp_path / "r").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"", lambda data: data.replace(b"answer", b"ANSWER")])  # fmt: skip
def test_a_changed_result_is_not_used(tmp_path: Path, change: object) -> None:
    kept = Results(tmp_path)
    kept.put(KEY, b"answer")
    path = tmp_path / KEY[:2] / KEY[2:]
    path.write_bytes(change(path.read_bytes()))
    assert kept.get(KEY) is None


def test_a_result_under_another_name_is_not_used(tmp_path: Path) -> None:
    kept = Results(tmp_path)
    kept.put(KEY, b"answer")
    other = tmp_path / "cd"
    other.mkdir()
    os.rename(tmp_path / KEY[:2] / KEY[2:], other / KEY[2:])
    assert kept.get("cd" + KEY[2:]) is None


def test_a_folder_that_cannot_be_used_fails_only_where_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    quiet = Results(tmp_path / "file" / "r")
    quiet.put(KEY, b"x")
    assert quiet.get(KEY) is None
    with pytest.raises(UsageError, match="cannot be used"):
        Results(tmp_path / "file" / "r", required=True)


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST", 3)
    kept = Results(tmp_path)
    for number in range(5):
        key = f"{number:064x}"
        kept.put(key, b"x")
        os.utime(tmp_path / key[:2] / key[2:], (number, number))
    kept.forget_oldest()
    assert [kept.get(f"{number:064x}") for number in range(5)] == [None, None, b"x", b"x", b"x"]


def test_the_folder_of_this_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_folder() == Path("/home/someone/.cache/pratique/results")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == Path("/home/someone/.cache/pratique/results")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert default_folder() == Path("/elsewhere/pratique/results")
