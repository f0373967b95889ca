"""How pnpm lays its lockfile out: values of one line."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.locks.pnpm_layout import scalar


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12))
def test_a_scalar_means_itself(text: str) -> None:
    assert yaml.load(f"a: {scalar(text)}", Loader=yaml.CSafeLoader)["a"] == text
    assert yaml.load(f"a: {{b: {scalar(text)}}}", Loader=yaml.CSafeLoader)["a"]["b"] == text
