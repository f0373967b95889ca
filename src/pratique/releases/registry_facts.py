"""What a registry's record tells of a release: ages, rhythm, popularity and likeness of its name, and its trust path.

Every field has three states. What is `unavailable` is told as `registry.field` and never taken for absent: a mirror
that drops attestations everywhere does not look like a loss. Nothing here proves that a release is good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pratique.model.inert import one_line, printable
from pratique.model.observation import Refusal
from pratique.model.release import Dated, Fact, Publisher, RegistryRecord, Release, State, Stated, Value
from pratique.releases import names
from pratique.releases.lines import earlier, order_of_times, place, same_line

DAY = 86_400.0
MINUTE = 60.0
NEAREST = 5
"""So many releases of the same line, nearest first, are asked for what a release may have lost."""
DORMANT_DAYS = 180
BURST_MINUTES = 60
BURST_RELEASES = 3
DECOY_DAYS = 14
DECOY_RELEASES = 10
ABSURD_MAJOR = 9
"""A first major number, or a jump of as many but one, from which a version is told as absurd."""
FIELDS = (
    "published",
    "publisher",
    "maintainers",
    "trusted_publisher",
    "approver",
    "provenance",
    "signatures",
    "git_head",
    "repository",
    "tags",
    "history",
    "first_published",
)
"""Fields whose absence from the record is told."""


def facts(
    release: Release,
    predecessor: Release | None,
    file_facts: Mapping[str, tuple[Fact, ...]],
    *,
    at: float | None = None,
) -> Iterator[Fact | Refusal]:
    """All facts of a release's record, against that of its predecessor and the package's history.

    `at` is when it is examined, seconds since the epoch; without it no age up to that moment is told. `file_facts` are
    not asked. Total: any record gives facts.
    """
    del file_facts
    record = release.record
    yield from _fields(record, at)
    yield from names.facts(release.ecosystem, release.name)
    published = record.published.value
    out_of_order, pairs = order_of_times(release.ecosystem, record.history.value or (), release.version, published)
    doubtful = out_of_order > 0
    if doubtful:
        excerpt = (
            f"times contradict the order of versions in {out_of_order} of {pairs} pairs: they are none of publication"
        )
        yield _fact("registry.field", excerpt, field="times", state="unavailable")
    yield from _age(release, at, doubtful)
    if not doubtful:
        yield from _rhythm(release, at)
        yield from _decoy(release)
    yield from _absurd(release)
    yield from _copied(release)
    yield from _trust(release, predecessor)
    yield from _publisher(release, predecessor)
    yield from _maintainers(release, predecessor)


def _fact(kind: str, excerpt: str, **attributes: Value) -> Fact:
    """A fact of the record; texts of it are made printable."""
    told = {name: printable(value)[:400] if isinstance(value, str) else value for name, value in attributes.items()}
    return Fact(kind, excerpt=one_line(printable(excerpt[:400]))[:200], attributes=told)


def _fields(record: RegistryRecord, at: float | None) -> Iterator[Fact]:
    """The fields that could not be had; one fact where nothing could."""
    missing = [name for name in FIELDS if getattr(record, name).state == "unavailable"]
    if len(missing) == len(FIELDS):
        yield _fact("registry.field", "the registry's record is not at hand", field="record", state="unavailable")
        return
    for name in missing:
        reason = getattr(record, name).reason
        yield _fact(
            "registry.field", f"{name} is unavailable{': ' + reason if reason else ''}", field=name, state="unavailable"
        )
    if at is None:
        yield _fact("registry.field", "the time of the examination is not given", field="at", state="unavailable")
    if record.yanked.state == "present":
        yield _fact("registry.field", f"yanked: {record.yanked.value}", field="yanked", state="present")


def _earlier(release: Release) -> tuple[Dated, ...] | None:
    """The versions published before the release, oldest first; None where the record does not say."""
    published, history = release.record.published.value, release.record.history.value
    if published is None or history is None:
        return None
    return earlier(release.ecosystem, history, release.version, published=published)


def _age(release: Release, at: float | None, doubtful: bool) -> Iterator[Fact]:
    """How old the release and its package are, and how many releases there were with this one."""
    record = release.record
    published = record.published.value
    known: dict[str, Value] = {}
    before = _earlier(release)
    first = record.first_published.value
    if first is None and before is not None and published is not None:
        first = before[0].published if before else published
    if at is not None and published is not None:
        known["release_days"] = round(max(0.0, at - published) / DAY, 3)
    if at is not None and first is not None:
        known["package_days"] = round(max(0.0, at - first) / DAY, 3)
    if published is not None and first is not None:
        known["package_days_at_release"] = round(max(0.0, published - first) / DAY, 3)
    if before is not None:
        known["releases"] = len(before) + 1
    if known and doubtful:
        known["doubtful"] = True
    if known:
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in known.items())
        yield Fact("registry.age", excerpt=words, attributes=known)


def _rhythm(release: Release, at: float | None) -> Iterator[Fact]:
    """A package that slept and woke, and releases that follow each other within minutes."""
    published, before = release.record.published.value, _earlier(release)
    if published is None or before is None:
        return
    if before and before[-1].published is not None:
        days = (published - before[-1].published) / DAY
        if days >= DORMANT_DAYS:
            yield _fact(
                "registry.rhythm", f"nothing was published for {days:.0f} days before",
                form="dormant", days=round(days, 1), releases=len(before) + 1,
            )  # fmt: skip
    near = [(published, release.version)]
    for one in release.record.history.value or ():
        if one.version == release.version or one.published is None or (at is not None and one.published > at):
            continue
        if abs(one.published - published) <= BURST_MINUTES * MINUTE:
            near.append((one.published, one.version))
    times = [moment for moment, _ in near]
    minutes = round((max(times) - min(times)) / MINUTE, 1)
    if len(near) >= BURST_RELEASES:
        yield _fact(
            "registry.rhythm", f"{len(near)} releases within {minutes} minutes",
            form="burst", releases=len(near), minutes=minutes,
        )  # fmt: skip
    places = [place(release.ecosystem, version) for _, version in near]
    lines = {one.numbers[0] for one in places if one is not None and not one.prerelease}
    if len(lines) > 1:
        yield _fact(
            "registry.rhythm", f"releases of {len(lines)} major versions within {minutes} minutes",
            form="lines", releases=len(lines), minutes=minutes,
        )  # fmt: skip


def _decoy(release: Release) -> Iterator[Fact]:
    """A package whose first release is hours or days older than this one."""
    published, before = release.record.published.value, _earlier(release)
    if published is None or not before or len(before) >= DECOY_RELEASES:
        return
    first = release.record.first_published.value
    began = min([one for one in (first, before[0].published) if one is not None])
    hours = (published - began) / 3600
    if 0 <= hours <= DECOY_DAYS * 24:
        yield _fact(
            "registry.decoy", f"the package began with {before[0].version} {hours:.0f} hours before",
            hours=round(hours, 2), version=before[0].version, releases=len(before) + 1,
        )  # fmt: skip


def _absurd(release: Release) -> Iterator[Fact]:
    """A version far above any other: so that it wins over a private package of the same name."""
    here = place(release.ecosystem, release.version)
    before = _earlier(release)
    if here is None or before is None:
        return
    major = here.numbers[0]
    if 1_900 <= major <= 2_200 or major >= 19_000_000:  # a year, or a date
        return
    placed = [(place(release.ecosystem, one.version), one.version) for one in before]
    found = [(there.rank, there.numbers[0], version) for there, version in placed if there and there.rank < here.rank]
    highest = max(found, default=None, key=lambda one: one[0])
    if major - (highest[1] if highest is not None else 1) >= ABSURD_MAJOR - 1:
        previous = highest[2] if highest is not None else ""
        yield _fact(
            "version.absurd", f"{release.version} after {previous or 'nothing'}",
            version=release.version, previous=previous, major=major,
        )  # fmt: skip


def _copied(release: Release) -> Iterator[Fact]:
    """A repository that is called like a popular package, whose name this one is not made of."""
    repository = release.record.repository.value
    listed = names.popular(release.ecosystem)
    if not repository or listed.rank(release.name):
        return
    parts = [part for part in repository.partition("#")[0].rstrip("/").split("/") if part]
    of = parts[-1].removesuffix(".git").lower() if parts else ""
    rank = listed.rank(of)
    own = release.name.lower().replace("@", "").replace("/", "-")
    if rank and rank <= 2_000 and len(of) >= 4 and of not in own and own not in of:
        yield _fact("metadata.copied", f"repository: {repository}", field="repository", of=of, rank=rank)


def _trust(release: Release, predecessor: Release | None) -> Iterator[Fact]:
    """What the release lost or gained on its trust path, against its own line alone."""
    record = release.record
    line = _line(release)
    for what, field in (("provenance", "provenance"), ("trusted-publisher", "trusted_publisher")):
        now: State = getattr(record, field).state
        states: list[tuple[str, State]] = [(one.version, getattr(one, field)) for one in line]
        if predecessor is not None and _comparable(release, predecessor):
            known: State = getattr(predecessor.record, field).state
            states = [pair for pair in states if pair[0] != predecessor.version or known == "unavailable"]
            if known != "unavailable":
                states.insert(0, (predecessor.version, known))
        states = states[:NEAREST]
        had = [version for version, state in states if state == "present"]
        if now == "absent" and had:
            gap = next(at for at, (_, state) in enumerate(states) if state == "present")
            yield _fact("trust.lost", f"{what}: {had[0]} had it", what=what, since=had[0], releases=len(had), gap=gap)
        elif now == "present" and states and not had and all(state == "absent" for _, state in states):
            yield _fact("trust.gained", f"{what}: {states[0][0]} did not have it", what=what)
    if predecessor is None or not _comparable(release, predecessor):
        return
    for what, field in (("signature", "signatures"), ("git-head", "git_head"), ("approval", "approver")):
        now, before = getattr(record, field).state, getattr(predecessor.record, field).state
        if now == "absent" and before == "present":
            yield _fact(
                "trust.lost", f"{what}: {predecessor.version} had it",
                what=what, since=predecessor.version, releases=1, gap=0,
            )  # fmt: skip
        elif now == "present" and before == "absent":
            yield _fact("trust.gained", f"{what}: {predecessor.version} did not have it", what=what)


def _line(release: Release) -> tuple[Dated, ...]:
    """The nearest lower releases of the same line that were there before. A version without a time, or of a later one,
    keeps its place among the nearest and tells nothing: what the record does not say can so never make a loss."""
    published, history = release.record.published.value, release.record.history.value
    if published is None or history is None:
        return ()
    line = same_line(release.ecosystem, history, release.version, timed=False)[:NEAREST]
    return tuple(one for one in line if one.published is not None and one.published <= published)


def _comparable(release: Release, predecessor: Release) -> bool:
    """Whether the predecessor is of the same package and line, so that losing what it had is a loss."""
    new, old = place(release.ecosystem, release.version), place(release.ecosystem, predecessor.version)
    if release.name != predecessor.name or new is None or old is None or new.rank < old.rank:
        return False
    return new.prerelease or not old.prerelease


def _publisher(release: Release, predecessor: Release | None) -> Iterator[Fact]:
    """Another account than the one that published what came before, or the same one with another address."""
    now = release.record.publisher.value
    if now is None:
        return
    before = predecessor.record.publisher.value if predecessor is not None else None
    history = _earlier(release) or ()
    if before is None:
        line = _line(release)
        name = next((one.publisher for one in line if one.publisher), "")
        before = Publisher(name) if name else None
    if before is None:
        return
    moved = bool(now.address and before.address and now.address != before.address)
    if now.name == before.name and not moved:
        return
    told = [one.publisher for one in history if one.publisher]
    known = "no" if history and len(told) == len(history) else "unknown"
    if now.name in told or now.name == before.name:
        known = "yes"
    allowed = predecessor.record.maintainers if predecessor is not None else Stated[tuple[Publisher, ...]]()
    maintainer = "unknown"
    if allowed.value is not None:
        maintainer = "yes" if now.name in {one.name for one in allowed.value} else "no"
    trusted = {"present": "yes", "absent": "no"}.get(release.record.trusted_publisher.state, "unknown")
    yield _fact(
        "trust.publisher", f"{now.name} published, {before.name} before",
        publisher=now.name, previous=before.name, known=known, maintainer=maintainer,
        address_changed=moved and now.name == before.name, trusted_publisher=trusted,
    )  # fmt: skip


def _maintainers(release: Release, predecessor: Release | None) -> Iterator[Fact]:
    """Accounts that may publish now and might not before, or the reverse; and those whose address changed."""
    now = release.record.maintainers.value
    before = predecessor.record.maintainers.value if predecessor is not None else None
    if now is None or before is None:
        return
    new, old = {one.name: one.address for one in now}, {one.name: one.address for one in before}
    added, removed = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    moved = sorted(name for name in set(new) & set(old) if new[name] and old[name] and new[name] != old[name])
    if added or removed or moved:
        groups = (("added", added), ("removed", removed), ("address changed", moved))
        yield _fact(
            "trust.maintainers", "; ".join(f"{word}: {', '.join(found)}" for word, found in groups if found),
            added=", ".join(added)[:400], removed=", ".join(removed)[:400], address_changed=", ".join(moved)[:400],
        )  # fmt: skip
