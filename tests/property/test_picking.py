"""Picking is total and deterministic, and what is older or not there has no say."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.ecosystems.npm.picking import Request, pick
from pratique.ecosystems.npm.versions import parse_version
from pratique.ecosystems.pypi.picking import Request as PythonRequest
from pratique.ecosystems.pypi.picking import pick as pick_python
from pratique.ecosystems.releases import Gate, Package, Release, Tag

CLIENTS = [
    ("npm", (6,)), ("npm", (12,)), ("pnpm", (8,)), ("pnpm", (12,)), ("yarn", (1,)), ("yarn", (3, 8)), ("yarn", (4, 18)),
    ("bun", (1, 2)), ("bun", (1, 4)),
]  # fmt: skip
_NUMBERS = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3))
_PLAIN = _NUMBERS.map(lambda numbers: ".".join(map(str, numbers)))
_VERSIONS = st.one_of(_PLAIN, _PLAIN.map(lambda text: f"{text}-beta.1"), st.sampled_from(["x", "", "1.2", "v1.0.0"]))
_TIMES = st.one_of(st.none(), st.just(float("nan")), st.integers(-100, 100).map(float))
_RELEASES = st.builds(
    Release,
    version=_VERSIONS,
    published=_TIMES,
    removed=st.one_of(st.none(), st.integers(-50, 100).map(float)),
    deprecated=st.booleans(),
    yanked=st.booleans(),
    node=st.sampled_from([None, ">=20", "nonsense"]),
)
_TAGS = st.builds(Tag, name=st.sampled_from(["latest", "next"]), version=_VERSIONS)
_PACKAGES = st.builds(
    Package,
    name=st.just("package"),
    releases=st.lists(_RELEASES, max_size=8, unique_by=lambda item: item.version).map(tuple),
    tags=st.lists(_TAGS, max_size=3).map(tuple),
    timed=st.booleans(),
)
_WANTED = st.one_of(
    st.sampled_from(["", "*", "x", "latest", "next", "^1.0.0", "~1.1", ">=0", "<2 || 2.1.1", "git+ssh://x", "\x00"]),
    _PLAIN,
    _PLAIN.map(lambda text: f"^{text}"),
    st.text(max_size=12),
)
_GATES = st.one_of(st.none(), st.builds(Gate, cut=st.integers(-100, 100).map(float), strict=st.booleans()))


@settings(max_examples=300)
@given(_PACKAGES, _WANTED, _GATES, st.sampled_from(CLIENTS), st.integers(-100, 100))
def test_total_deterministic_and_only_what_is_there(
    package: Package, wanted: str, gate: Gate | None, client: tuple[str, tuple[int, ...]], at: int
) -> None:
    name, version = client
    first = pick(name, Request(package, wanted), float(at), gate, version=version)
    assert pick(name, Request(package, wanted), float(at), gate, version=version) == first
    assert (first.version is None) is (first.rule in ("nothing", "refused", "policy"))
    if first.version is not None:
        (taken,) = [item for item in package.releases if item.version == first.version]
        assert taken.live(float(at))


@settings(max_examples=200)
@given(_PACKAGES, _WANTED, st.sampled_from(CLIENTS))
def test_a_release_that_is_gone_has_no_say(package: Package, wanted: str, client: tuple[str, tuple[int, ...]]) -> None:
    name, version = client
    gone = Release("9.9.9", published=-90.0, removed=-80.0)
    more = msgspec.structs.replace(package, releases=(*package.releases, gone))
    before = pick(name, Request(package, wanted), 0.0, version=version)
    assert pick(name, Request(more, wanted), 0.0, version=version) == before


@settings(max_examples=200)
@given(st.lists(_PLAIN, min_size=1, max_size=8, unique=True), st.sampled_from(CLIENTS))
def test_a_lower_version_never_changes_what_is_highest(
    versions: list[str], client: tuple[str, tuple[int, ...]]
) -> None:
    name, version = client
    releases = tuple(Release(text, published=-10.0) for text in versions)
    before = pick(name, Request(Package("package", releases), ">=0.0.0"), 0.0, version=version)
    lowest = (Release("0.0.0-0", published=-10.0), *releases)
    assert pick(name, Request(Package("package", lowest), ">=0.0.0"), 0.0, version=version) == before
    highest = max(versions, key=lambda text: parse_version(text).rank)
    assert before.version == highest


@settings(max_examples=200)
@given(_PACKAGES, st.sampled_from(CLIENTS), st.integers(-100, 0))
def test_a_cooldown_that_stops_or_picks_never_takes_what_is_too_young(
    package: Package, client: tuple[str, tuple[int, ...]], cut: int
) -> None:
    name, version = client
    if name == "yarn" and version == (1,):
        return
    timed = msgspec.structs.replace(package, timed=True)
    picked = pick(name, Request(timed, ">=0"), 0.0, Gate(float(cut)), version=version)
    if picked.version is not None:
        (taken,) = [item for item in timed.releases if item.version == picked.version]
        assert taken.published is None or not taken.published > cut


@settings(max_examples=200)
@given(_PACKAGES, st.text(max_size=10), _GATES, st.sampled_from(["pip", "uv"]))
def test_python_is_total(package: Package, wanted: str, gate: Gate | None, client: str) -> None:
    picked = pick_python(client, PythonRequest(package, wanted), 0.0, gate)
    assert (picked.version is None) is (picked.rule in ("nothing", "refused"))
