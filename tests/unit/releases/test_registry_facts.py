"""What a registry's record tells of a release; what it does not say is told as such and is never a loss."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.release import Dated, Fact, Publisher, RegistryRecord, Release, Stated
from pratique.releases.registry_facts import DAY, FIELDS, facts
from pratique.releases.vocabulary import WORDS
from tests.unit.releases.made import release

ABSENT: Any = Stated("absent")
NOW = 1_700_000_000.0


def there(value: Any) -> Any:
    return Stated("present", value)


def dated(version: str, days: float, **more: Any) -> Dated:
    return Dated(version, NOW + days * DAY, **more)


def made(version: str = "1.0.1", name: str = "harbour", days: float = 0.0, **fields: Any) -> Release:
    return release({}, version=version, name=name, record=RegistryRecord(published=there(NOW + days * DAY), **fields))


def found(new: Release, old: Release | None = None, kind: str = "", at: float | None = None) -> list[Fact]:
    listed = [one for one in facts(new, old, {}, at=at) if isinstance(one, Fact)]
    return [one for one in listed if one.kind.startswith(kind)]


def one(new: Release, old: Release | None, kind: str, at: float | None = None) -> dict[str, Any]:
    listed = found(new, old, kind, at)
    assert len(listed) == 1, listed
    return dict(listed[0].attributes)


ATTESTED = tuple(dated(f"1.0.{n}", -90 + n, provenance="present", trusted_publisher="present") for n in range(5))


def test_losing_provenance_within_a_line_is_told_with_how_long_it_was_there() -> None:
    new = made("1.0.9", history=there(ATTESTED), provenance=ABSENT, trusted_publisher=ABSENT)
    assert [dict(each.attributes) for each in found(new, None, "trust.lost")] == [
        {"what": what, "since": "1.0.4", "releases": 5, "gap": 0} for what in ("provenance", "trusted-publisher")
    ]


def test_a_line_that_never_had_provenance_loses_none() -> None:
    old_line = tuple(dated(f"0.30.{n}", -50 + n, provenance="absent") for n in range(3))
    new = made("0.30.3", history=there((*old_line, *ATTESTED)), provenance=ABSENT)
    assert found(new, None, "trust.lost") == []


def test_a_loss_one_release_ago_is_still_told() -> None:
    history = (*ATTESTED, dated("1.0.5", -1, provenance="absent"))
    new = made("1.0.6", history=there(history), provenance=ABSENT)
    assert one(new, None, "trust.lost") == {"what": "provenance", "since": "1.0.4", "releases": 4, "gap": 1}


def test_a_mirror_that_drops_attestations_loses_nothing() -> None:
    dropped = tuple(dated(f"1.0.{n}", -90 + n) for n in range(5))
    new = made("1.0.9", history=there(dropped))
    listed = found(new, None, "")
    assert not [each for each in listed if each.kind == "trust.lost"]
    missing = {each.attributes["field"] for each in listed if each.kind == "registry.field"}
    assert {"provenance", "trusted_publisher", "signatures", "git_head"} <= missing
    assert found(made("1.0.9", history=there(dropped), provenance=ABSENT), None, "trust.lost") == []


def test_a_record_that_is_not_at_hand_is_one_fact() -> None:
    listed = found(release({}), None, "registry.field")
    assert [dict(each.attributes) for each in listed] == [{"field": "record", "state": "unavailable"}]


def test_signature_commit_and_approval_are_compared_with_the_predecessor() -> None:
    old = made("1.0.0", signatures=there(("key",)), git_head=there("abc"), approver=there("someone"))
    new = made("1.0.1", signatures=ABSENT, git_head=ABSENT, approver=ABSENT)
    lost = [each.attributes["what"] for each in found(new, old, "trust.lost")]
    assert lost == ["signature", "git-head", "approval"]
    assert [each.attributes["what"] for each in found(old_as("1.0.2", old), new, "trust.gained")] == lost
    assert found(made("0.9.9", signatures=ABSENT), old, "trust.lost") == []


def old_as(version: str, old: Release) -> Release:
    return made(version, signatures=old.record.signatures, git_head=old.record.git_head, approver=old.record.approver)


def test_provenance_that_nothing_of_the_line_had_is_gained() -> None:
    history = tuple(dated(f"1.0.{n}", -9 + n, provenance="absent") for n in range(3))
    assert one(made("1.0.4", history=there(history), provenance=there("x")), None, "trust.gained") == {
        "what": "provenance"
    }


def test_ages_need_the_moment_of_the_examination() -> None:
    history = (dated("1.0.0", -10),)
    new = made(history=there(history), first_published=there(NOW - 10 * DAY))
    assert one(new, None, "registry.age", NOW + DAY / 2) == {
        "release_days": 0.5,
        "package_days": 10.5,
        "package_days_at_release": 10.0,
        "releases": 2,
    }
    assert one(new, None, "registry.age") == {"package_days_at_release": 10.0, "releases": 2}
    assert "at" in {each.attributes["field"] for each in found(new, None, "registry.field")}
    assert found(release({}), None, "registry.age") == []


def test_a_package_that_slept() -> None:
    new = made(history=there((dated("1.0.0", -400), dated("0.9.0", -800))))
    assert one(new, None, "registry.rhythm") == {"form": "dormant", "days": 400.0, "releases": 3}
    assert found(made(history=there((dated("1.0.0", -100),))), None, "registry.rhythm") == []


def test_releases_of_several_lines_within_minutes() -> None:
    near = (dated("0.9.9", -3 / 1440), dated("2.0.1", 4 / 1440), dated("1.0.0", -900))
    told = found(made(history=there(near)), None, "registry.rhythm")
    assert [dict(each.attributes) for each in told] == [
        {"form": "burst", "releases": 3, "minutes": 7.0},
        {"form": "lines", "releases": 3, "minutes": 7.0},
    ]
    at = NOW + 60
    assert [each.attributes["form"] for each in found(made(history=there(near)), None, "registry.rhythm", at)] == [
        "lines"
    ]


def test_a_package_that_began_hours_before() -> None:
    assert one(made(history=there((dated("1.0.0", -0.75),))), None, "registry.decoy") == {
        "hours": 18.0,
        "version": "1.0.0",
        "releases": 2,
    }
    assert found(made(history=there((dated("1.0.0", -75),))), None, "registry.decoy") == []
    assert found(made(history=there(())), None, "registry.decoy") == []


def test_times_that_are_none_of_publication_are_doubted() -> None:
    mixed = tuple(dated(f"1.0.{n}", -900 + (n * 7919) % 800) for n in range(12))
    listed = found(made("1.0.30", history=there(mixed)), None, "registry.")
    assert {"field": "times", "state": "unavailable"} in [dict(each.attributes) for each in listed]
    assert not [each for each in listed if each.kind in ("registry.rhythm", "registry.decoy")]
    age = next(each for each in listed if each.kind == "registry.age")
    assert (age.attributes["doubtful"], age.attributes["releases"]) == (True, 13)


@pytest.mark.parametrize(
    ("version", "history", "absurd"),
    [
        ("99.9.9", (), {"version": "99.9.9", "previous": "", "major": 99}),
        ("99.0.0", (dated("1.2.0", -5),), {"version": "99.0.0", "previous": "1.2.0", "major": 99}),
        ("2.0.0", (dated("1.2.0", -5),), None),
        ("22.0.0", (dated("21.2.0", -5),), None),
        ("2024.1.0", (), None),
        ("20240101.0.0", (), None),
        ("nonsense", (), None),
    ],
)
def test_versions_far_above_any_other(version: str, history: tuple[Dated, ...], absurd: dict[str, Any] | None) -> None:
    told = [dict(each.attributes) for each in found(made(version, history=there(history)), None, "version.absurd")]
    assert told == ([absurd] if absurd else [])


def test_another_account_published() -> None:
    history = tuple(dated(f"1.0.{n}", -9 + n, publisher="mara") for n in range(3))
    old = made("1.0.2", publisher=there(Publisher("mara")), maintainers=there((Publisher("mara"), Publisher("noor"))))

    def published_by(name: str, address: str = "", **more: Any) -> dict[str, Any]:
        new = made("1.0.3", history=there(history), publisher=there(Publisher(name, address)), **more)
        return one(new, old, "trust.publisher")

    assert published_by("olav") == {
        "publisher": "olav",
        "previous": "mara",
        "known": "no",
        "maintainer": "no",
        "address_changed": False,
        "trusted_publisher": "unknown",
    }
    assert published_by("noor", trusted_publisher=ABSENT)["maintainer"] == "yes"
    same = made("1.0.3", history=there(history), publisher=there(Publisher("mara")))
    assert found(same, old, "trust.publisher") == []
    assert (
        one(made("1.0.3", history=there(history), publisher=there(Publisher("olav"))), None, "trust.publisher")[
            "maintainer"
        ]
        == "unknown"
    )


def test_the_same_account_with_another_address() -> None:
    old = made("1.0.0", publisher=there(Publisher("mara", "d1")), maintainers=there((Publisher("mara", "d1"),)))
    new = made(
        publisher=there(Publisher("mara", "d2")), maintainers=there((Publisher("mara", "d2"), Publisher("olav")))
    )
    told = one(new, old, "trust.publisher")
    assert (told["address_changed"], told["known"]) == (True, "yes")
    assert one(new, old, "trust.maintainers") == {"added": "olav", "removed": "", "address_changed": "mara"}


def test_a_repository_called_like_a_popular_package() -> None:
    new = made(name="mooring-lines", repository=there("git+https://git.example/someone/lodash.git"))
    assert one(new, None, "metadata.copied")["of"] == "lodash"
    assert found(made(name="lodash-lines", repository=new.record.repository), None, "metadata.copied") == []
    assert found(made(name="chalk", repository=new.record.repository), None, "metadata.copied") == []


STATES = st.sampled_from(["present", "absent", "unavailable"])
VERSIONS = st.sampled_from(
    ["0.9.0", "0.9.1", "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1", "2.0.0-rc.1", "2.0.0", "odd"]
)
HISTORY = st.lists(
    st.builds(Dated, VERSIONS, st.none() | st.floats(0, 1e9), STATES, STATES, st.sampled_from(["", "mara"])), max_size=8
).map(tuple)


def stated(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(Stated()), st.just(Stated("absent")), values.map(lambda value: Stated("present", value)))


RECORDS = st.builds(
    RegistryRecord,
    published=stated(st.floats(0, 1e9)),
    publisher=stated(st.builds(Publisher, st.text(max_size=4), st.sampled_from(["", "a", "b"]))),
    maintainers=stated(st.lists(st.builds(Publisher, st.text(max_size=3)), max_size=3).map(tuple)),
    trusted_publisher=stated(st.just("github")),
    approver=stated(st.just("mara")),
    provenance=stated(st.just("slsa")),
    signatures=stated(st.just(("key",))),
    git_head=stated(st.just("abc")),
    repository=stated(st.text(max_size=30)),
    history=stated(HISTORY),
    first_published=stated(st.floats(0, 1e9)),
    yanked=stated(st.text(max_size=5)),
)


def of_record(record: RegistryRecord, version: str) -> Release:
    return release({}, version=version, record=record)


@given(RECORDS, VERSIONS, st.none() | RECORDS, VERSIONS, st.none() | st.floats(0, 2e9))
@settings(deadline=None)
def test_any_record_gives_facts_in_the_words_of_the_vocabulary(
    new: RegistryRecord, version: str, old: RegistryRecord | None, earlier: str, at: float | None
) -> None:
    predecessor = of_record(old, earlier) if old is not None else None
    for each in facts(of_record(new, version), predecessor, {}, at=at):
        assert isinstance(each, Fact)
        assert set(each.attributes) <= set(WORDS[each.kind][1])
        assert each.excerpt.isprintable()


@given(RECORDS, VERSIONS, RECORDS, VERSIONS, st.data())
@settings(deadline=None, max_examples=300)
def test_a_field_that_becomes_unavailable_never_makes_a_loss(
    new: RegistryRecord, version: str, old: RegistryRecord, earlier: str, data: st.DataObject
) -> None:
    def lost(one_record: RegistryRecord, other: RegistryRecord) -> set[str]:
        listed = facts(of_record(one_record, version), of_record(other, earlier), {})
        return {str(each.attributes["what"]) for each in listed if isinstance(each, Fact) and each.kind == "trust.lost"}

    def without(record: RegistryRecord) -> RegistryRecord:
        history = record.history.value
        ways = [name for name in FIELDS if getattr(record, name).state == "present"]
        entries = [(at, name) for at, each in enumerate(history or ()) for name in _lossy(each)]
        chosen: Any = data.draw(st.sampled_from([*ways, *entries, None]))
        if chosen is None:
            return record
        if isinstance(chosen, str):
            return msgspec.structs.replace(record, **{chosen: Stated()})
        at, name = chosen
        assert history is not None
        replaced = msgspec.structs.replace(history[at], **{name: None if name == "published" else "unavailable"})
        return msgspec.structs.replace(record, history=there((*history[:at], replaced, *history[at + 1 :])))

    assert lost(without(new), without(old)) <= lost(new, old)


def _lossy(each: Dated) -> list[str]:
    ways = [name for name in ("provenance", "trusted_publisher") if getattr(each, name) == "present"]
    return [*ways, "published"] if each.published is not None else ways
