"""The steps of each rotation provider, compared with the files that were read by a person."""

from __future__ import annotations

import pytest

from pratique.respond.rotate import library
from tests.golden.rotation import FOLDER, planned


@pytest.mark.parametrize("name", library.ids())
def test_steps_are_as_written(name: str) -> None:
    assert planned(name).decode() == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def test_every_provider_has_a_file_and_no_other() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == list(library.ids())
