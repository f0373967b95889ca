"""The order of the work: what made the others first, roots of identity first, the same in every run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pratique.respond.rotate import library
from pratique.respond.rotate.order import EVIDENCE, Item, children, ordered
from pratique.respond.rotate.provider import GROUPS

items = st.lists(
    st.builds(
        Item,
        provider=st.sampled_from(library.ids()),
        tier=st.sampled_from([0, 1, 2, 3]),
        evidence=st.sampled_from(EVIDENCE),
        kind=st.sampled_from(["a", "b", "c"]),
    ),
    max_size=20,
)


@given(items)
def test_parents_come_before_their_children(found: list[Item]) -> None:
    names = [work.provider.id for work in ordered(found)]
    for position, name in enumerate(names):
        assert not children(name) & set(names[:position])


@given(items)
def test_roots_of_identity_come_first_and_groups_in_their_order(found: list[Item]) -> None:
    ranks = [GROUPS.index(work.provider.group) for work in ordered(found)]
    assert ranks == sorted(ranks)


@given(items, st.randoms(use_true_random=False))
def test_order_does_not_depend_on_the_order_of_the_input(found: list[Item], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert ordered(found) == ordered(shuffled)


@given(items)
def test_nothing_is_lost(found: list[Item]) -> None:
    assert sum(len(work.items) for work in ordered(found)) == len(found)


def test_better_evidence_goes_first_at_equal_tier() -> None:
    found = [
        Item(provider="openai", tier=1, evidence="in-reach", kind="x"),
        Item(provider="slack", tier=1, evidence="taken", kind="x"),
    ]
    assert [work.provider.id for work in ordered(found)] == ["slack", "openai"]


def test_mints_are_followed_through_providers_that_are_not_there() -> None:
    assert "github-ssh" in children("browser-sessions")
    found = [Item(provider="github-ssh", tier=0, kind="x"), Item(provider="browser-sessions", tier=0, kind="x")]
    assert ordered(found)[1].parents == ("browser-sessions",)
