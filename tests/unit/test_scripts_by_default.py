"""The defaults for install scripts, at every version where one changed."""

from __future__ import annotations

import pytest

from pratique.ecosystems.npm.scripts import scripts_by_default


@pytest.mark.parametrize(
    ("manager", "version", "expected"),
    [
        ("npm", "6.14.18", "run"),
        ("npm", "11.15.0", "run"),
        ("npm", "11.21.2", "run"),
        ("npm", "11", "run"),
        ("npm", "12.0.0-pre.1", "unknown"),
        ("npm", "12.0.0", "blocked"),
        ("npm", "v12.2.0", "blocked"),
        ("npm", "12", "blocked"),
        ("pnpm", "9.15.9", "run"),
        ("pnpm", "10.0.0-rc.1", "unknown"),
        ("pnpm", "10.0.0+build", "blocked"),
        ("pnpm", "12.21.0", "blocked"),
        ("yarn", "1.22.22", "run"),
        ("yarn", "4.13.0", "run"),
        ("yarn", "4.14.0", "unknown"),
        ("yarn", "4.14.1", "blocked"),
        ("yarn", "4.15.0", "blocked"),
        ("yarn", "4", "unknown"),
        ("yarn", "4.14", "unknown"),
        ("yarn", "5.0.0", "blocked"),
        ("bun", None, "blocked"),
        ("deno", "2.9.6", "blocked"),
        ("npm", None, "unknown"),
        ("npm", "", "unknown"),
        ("npm", "latest", "unknown"),
        ("npm", "9" * 5000, "unknown"),
        ("cnpm", "9.0.0", "unknown"),
    ],
)
def test_default_of_a_version(manager: str, version: str | None, expected: str) -> None:
    assert scripts_by_default(manager, version) == expected
