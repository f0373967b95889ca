"""What the words of a command line become."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pratique import api


def test_a_link_to_a_folder_becomes_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert [spec.path for spec in api.specify([str(tmp_path / "link")])] == [str(tmp_path / "real")]


def test_a_folder_of_another_mount_namespace_is_not_exchanged_for_one_of_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link `/proc/<process>/root` of a container reads `/`, and leads elsewhere."""
    inside, here = tmp_path / "inside", tmp_path / "here"
    inside.mkdir()
    here.mkdir()
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: str(here))
    assert [spec.path for spec in api.specify([str(inside)])] == [str(inside)]
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: str(tmp_path / "nowhere"))
    assert [spec.path for spec in api.specify([str(inside)])] == [str(inside)]
