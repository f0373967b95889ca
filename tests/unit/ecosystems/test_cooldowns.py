"""Cooldowns: names, units, precedence, exemptions."""

from __future__ import annotations

import pytest

from pratique.ecosystems.cooldowns import Cooldown, cooldown
from pratique.model.observation import PolicyFact

DAY = 86400.0
WEEK = 7 * DAY


def fact(manager: str, setting: str, value: str, names: tuple[str, ...] = ()) -> PolicyFact:
    return PolicyFact(setting=setting, value=value, names=names, manager=manager)


@pytest.mark.parametrize(
    ("manager", "setting", "value", "age", "shown"),
    [
        ("npm", "min-release-age", "7", WEEK, "min-release-age of 7 days"),
        ("npm", "min-release-age", "1", DAY, "min-release-age of 1 day"),
        ("npm", "min-release-age", "0.5", DAY / 2, "min-release-age of 0.5 days"),
        ("pnpm", "minimumReleaseAge", "10080", WEEK, "minimumReleaseAge of 10080 minutes (7 days)"),
        ("pnpm", "minimum-release-age", "1440", DAY, "minimumReleaseAge of 1440 minutes (1 day)"),
        ("yarn", "npmMinimalAgeGate", "10080", WEEK, "npmMinimalAgeGate of 10080 minutes (7 days)"),
        ("yarn", "npmMinimalAgeGate", "7d", WEEK, "npmMinimalAgeGate of 7d (7 days)"),
        ("yarn", "npmMinimalAgeGate", "1w", WEEK, "npmMinimalAgeGate of 1w (7 days)"),
        ("bun", "install.minimumReleaseAge", "604800", WEEK, "minimumReleaseAge of 604800 seconds (7 days)"),
        ("bun", "install.minimumReleaseAge", "60", 60.0, "minimumReleaseAge of 60 seconds"),
        ("uv", "exclude-newer", "7 days", WEEK, "exclude-newer of 7 days"),
        ("uv", "tool.uv.exclude-newer", "P7D", WEEK, "exclude-newer of P7D"),
        ("uv", "exclude-newer", "PT24H", DAY, "exclude-newer of PT24H"),
        ("uv", "exclude-newer", "1 week", WEEK, "exclude-newer of 1 week"),
        ("pip", "install.uploaded-prior-to", "P7D", WEEK, "uploaded-prior-to of P7D"),
    ],
)
def test_every_manager_has_its_own_unit(manager: str, setting: str, value: str, age: float, shown: str) -> None:
    found = cooldown(manager, [[fact(manager, setting, value)]])
    assert found is not None
    assert found.age == age
    assert found.shown.startswith(shown)


@pytest.mark.parametrize(
    ("manager", "setting", "value", "cut"),
    [
        ("npm", "before", "2026-03-15", 1773532800.0),
        ("npm", "before", "2026-03-15T12:00:00Z", 1773576000.0),
        ("uv", "exclude-newer", "2026-03-15T00:00:00Z", 1773532800.0),
        ("uv", "exclude-newer", "2026-03-15", 1773532800.0 + DAY),
        ("pip", "uploaded-prior-to", "2026-03-15", 1773532800.0),
    ],
)
def test_moments(manager: str, setting: str, value: str, cut: float) -> None:
    found = cooldown(manager, [[fact(manager, setting, value)]])
    assert found is not None
    assert found.cut == cut


def test_another_managers_setting_does_not_count() -> None:
    assert cooldown("npm", [[fact("pnpm", "minimumReleaseAge", "10080")]]) is None


def test_the_nearest_file_wins_and_may_switch_off() -> None:
    far = [fact("npm", "min-release-age", "7")]
    assert cooldown("npm", [[fact("npm", "min-release-age", "0")], far]) is None
    assert cooldown("npm", [[fact("npm", "min-release-age", "null")], far]) is None
    near = cooldown("npm", [[fact("npm", "min-release-age", "3")], far])
    assert near is not None
    assert near.age == 3 * DAY


def test_before_wins_in_its_own_file_only() -> None:
    age, before = fact("npm", "min-release-age", "7"), fact("npm", "before", "2026-03-15")
    same = cooldown("npm", [[age, before]])
    assert same is not None
    assert same.cut is not None
    apart = cooldown("npm", [[age], [before]])
    assert apart is not None
    assert apart.age == WEEK


@pytest.mark.parametrize(
    ("manager", "setting", "value", "old", "new"),
    [
        ("npm", "min-release-age", "7", (11, 9), (11, 10)),
        ("pnpm", "minimumReleaseAge", "10080", (10, 15), (10, 16)),
        ("yarn", "npmMinimalAgeGate", "7d", (4, 9), (4, 10)),
        ("bun", "install.minimumReleaseAge", "604800", (1, 2), (1, 3)),
        ("pip", "uploaded-prior-to", "P7D", (25, 3), (26, 1)),
    ],
)
def test_an_older_manager_does_not_know_it(
    manager: str, setting: str, value: str, old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    files = [[fact(manager, setting, value)]]
    assert cooldown(manager, files, old) is None
    assert cooldown(manager, files, new) is not None
    assert cooldown(manager, files) is not None


def test_defaults_count_where_the_version_is_known() -> None:
    assert cooldown("pnpm", []) is None
    assert cooldown("pnpm", [], (10, 34)) is None
    pnpm = cooldown("pnpm", [], (11, 0))
    assert pnpm is not None
    assert (pnpm.age, pnpm.strict) == (DAY, False)
    assert cooldown("yarn", [], (4, 14)) is None
    yarn = cooldown("yarn", [], (4, 15))
    assert yarn is not None
    assert yarn.age == DAY
    assert cooldown("yarn", [], (4, 15), new_lock=False) is None
    assert cooldown("pnpm", [[fact("pnpm", "minimumReleaseAge", "0")]], (12,)) is None


def test_a_value_that_cannot_be_told_keeps_nothing_out() -> None:
    found = cooldown("npm", [[fact("npm", "min-release-age", "from the environment")]])
    assert found is not None
    assert not found.told
    assert found.gate("axios", 0.0) is None
    assert "environment" in found.shown


@pytest.mark.parametrize(
    ("manager", "pattern", "name", "exempt"),
    [
        ("npm", "axios", "axios", True),
        ("npm", "@own/*", "@own/tool", True),
        ("npm", "*", "@own/tool", False),
        ("npm", "!axios", "chalk", False),
        ("pnpm", "axios", "axios", True),
        ("pnpm", "*", "@own/tool", True),
        ("pnpm", "@own/*", "@own/tool", True),
        ("yarn", "ax*", "axios", True),
        ("bun", "axios", "axios", True),
        ("bun", "ax*", "axios", False),
    ],
)
def test_exemptions_by_name(manager: str, pattern: str, name: str, exempt: bool) -> None:
    found = Cooldown(manager, "", WEEK, exempt=(pattern,))
    assert (found.gate(name, 0.0) is None) is exempt


def test_exemptions_of_versions() -> None:
    pnpm = Cooldown("pnpm", "", WEEK, exempt=("axios@1.14.1 || 1.14.2",)).gate("axios", 0.0)
    yarn = Cooldown("yarn", "", WEEK, exempt=("axios@^1.14.0",)).gate("axios", 0.0, ["1.14.1", "2.0.0"])
    assert pnpm is not None
    assert yarn is not None
    assert pnpm.free == {"1.14.1", "1.14.2"}
    assert yarn.free == {"1.14.1"}


def test_pnpm_is_strict_where_it_is_told_an_age() -> None:
    age = fact("pnpm", "minimumReleaseAge", "10080")
    loose = fact("pnpm", "minimumReleaseAgeStrict", "false")
    strict = cooldown("pnpm", [[age]], (12,))
    soft = cooldown("pnpm", [[age, loose]], (12,))
    ten = cooldown("pnpm", [[age, loose]], (10, 34))
    assert strict is not None
    assert soft is not None
    assert ten is not None
    assert (strict.strict, soft.strict, ten.strict) == (True, False, True)
