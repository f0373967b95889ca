"""What a path is to a guard: the places of the table, found as quickly as by comparing with every pattern."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from pratique.readers.credentials.paths import paths, stated
from pratique.workflow.guard_places import Places, _Patterns

PARTS = st.sampled_from(["a", "b", "x.key", "y.pem", ".env.x", "deep", "*"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
PATTERNS = st.lists(
    st.lists(st.sampled_from(["a", "b", "*", "*.key", ".env.*", "**", "y.pem", "[ab]"]), min_size=1, max_size=4).map(
        lambda parts: "/" + "/".join(parts)
    ),
    max_size=6,
)


def test_the_places_by_themselves_are_those_of_the_table() -> None:
    assert paths() == stated(), "write them anew: python -m scripts.make_places"


@given(PATHS, PATTERNS)
def test_a_path_is_found_where_one_of_all_patterns_fits(path: str, patterns: list[str]) -> None:
    fits = any(path == one if not set(one) & set("*?[") else fnmatchcase(path, one) for one in patterns)
    assert _Patterns(patterns).match(path) is fits


def test_places_of_credentials_and_persistence_are_known_at_any_depth() -> None:
    places = Places("/home/dev", "/srv/app", {})
    assert places.classify("/home/dev/.npmrc") == "credential"
    assert places.classify("/home/dev/.ssh/id_anything") == "credential"
    assert places.classify("/srv/app/.env.production") == "credential"
    assert places.classify("/home/dev/.bashrc") == "persistence"
    assert places.classify("/etc/ssl/private/web.key") == "credential"
    assert places.classify("/home/dev/notes.txt") == "other"
