"""Examine a release against its predecessor: what it holds, what changed, and all facts, each with its delta.

Changed files are read for facts, of the predecessor too where the new one gives any. Files that are kept are read for
what they import, and for facts only where these tell whether added code is new in the package or complete a chain that
it begins. The same bytes are never read twice: facts are kept by digest in the memory that is handed in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Examination, Examined, Fact, FileChange, Files, Member, Release, SourceFile
from pratique.releases.chains import chains
from pratique.releases.deltas import CODE, Placed, keyed, placed
from pratique.releases.difference import TEXT, compared, counted, lasting, sample, unhashed
from pratique.releases.extract import facts_of_file
from pratique.releases.gates import gated, may_hold
from pratique.releases.imports import imports, located, resolved
from pratique.releases.kinds import kind_of
from pratique.releases.memory import Memory, Remembered
from pratique.releases.reach import files_of, reach

__all__ = ["Budget", "Memory", "Remembered", "examine"]

READER = "examine"
_LANGUAGES = ("javascript", "typescript", "python", "shell")
_READ_AS_JAVASCRIPT = frozenset(("text", "binary", "map", "html", "shell", "python"))
"""Kinds of files that Node runs as JavaScript where they are asked for by name."""
_PASSIVE = frozenset(("native", "archive", "image", "binary", "map"))  # what tells them stands at their beginning
_SMALL = 1 << 16
"""A kept file without a suffix that is smaller is looked at for what it is: a command, mostly."""
_NATIVE = (".node", ".so", ".dll", ".dylib", ".exe", ".wasm", ".pyd")
"""Suffixes of native programs and libraries."""
_MATTERS = frozenset(("native", "archive", "shell", "path-configuration", "gyp", "manifest", *_LANGUAGES))


class Budget(msgspec.Struct, frozen=True):
    """How much is read for facts, in bytes: of one file, of all changed files, and of kept files; and for how long.

    `passive_bytes` is of a file that is no text, as a native library; `hashed_bytes` of parts of a former bundle.
    `seconds` counts on the clock that is handed in; 0: no bound. Past a bound, files are refusals.
    """

    file_bytes: int = 16 << 20
    passive_bytes: int = 96 << 20
    changed_bytes: int = 256 << 20
    kept_bytes: int = 4 << 20
    hashed_bytes: int = 48 << 20
    seconds: float = 0


Source = Callable[[Release, Release | None, Mapping[str, tuple[Fact, ...]]], Iterable[Fact | Refusal]]
"""Facts that do not come out of one file: of the manifest, of the registry's record. Given are the facts of files."""


def examine(
    release: Release,
    predecessor: Release | None,
    memory: Memory,
    *,
    budget: Budget = Budget(),  # noqa: B008 (it is frozen)
    clock: Callable[[], float] | None = None,
    sources: Sequence[Source] | None = None,
    at: float | None = None,
) -> Examination:
    """All facts of a release against its predecessor, and what could not be examined. Never raises for what is read.

    `clock` gives seconds, for `budget.seconds`. `sources` are asked for facts of the manifest and the registry; those
    of `pratique.releases.sources` where it is None. `at` is when the examination is, in seconds since the epoch.
    """
    return _Examining(release, predecessor, memory, budget, clock, at).run(sources)


class _Examining:
    """One release being examined."""

    def __init__(
        self,
        release: Release,
        predecessor: Release | None,
        memory: Memory,
        budget: Budget,
        clock: Callable[[], float] | None,
        at: float | None,
    ) -> None:
        self.at = at
        self.release = release
        self.files: Files = release.files
        self.predecessor = predecessor
        self.before: Files | None = predecessor.files if predecessor is not None else None
        self.earlier = (
            frozenset(lasting(path) for path in self.before.members) if self.before is not None else frozenset()
        )
        self.memory = memory
        self.budget = budget
        self.clock = clock
        self.until = clock() + budget.seconds if clock is not None and budget.seconds else None
        self.refusals: list[Refusal] = list(self.files.refusals)
        self.facts: dict[str, list[Fact]] = {}
        """Facts of the release by file; those of kept files have the delta `kept`."""
        self.old: dict[str, list[Fact]] = {}
        """Facts of the predecessor, of files that changed or are gone."""
        self.kinds: dict[str, str] = {}
        self.origin: dict[str, str] = {}
        """Where a file lay in the predecessor, of those that lie elsewhere now."""
        self.left_changed = budget.changed_bytes
        self.left_kept = budget.kept_bytes
        self.read: dict[str, int] = {}
        """Files of the release whose facts were asked for, and their bytes; whether they were remembered or not."""
        self.late = False

    def run(self, sources: Sequence[Source] | None) -> Examination:
        """All of it, in order."""
        if self.before is not None:
            for gap in self.before.refusals:
                text = f"of the predecessor: {gap.reason}"
                self.refusals.append(msgspec.structs.replace(gap, reason=text, relevant=False))
        members = self.files.members
        changes, kept = compared(self.before.members if self.before is not None else {}, members)
        told = [self._changed(change) for change in changes]
        kept = sorted([*kept, *(change.path for change in changes if change.change == "moved")])
        self._imports_of(kept)
        file_facts = {path: tuple(found) for path, found in self.facts.items() if found}
        stated = list(self._stated(sources, file_facts))
        reached = self._reached(stated)
        if self._read_as_run(reached, stated):
            reached = self._reached(stated)
        states = self._deltas(told)
        self._run_by_themselves(kept, reached)
        self._kept_facts(kept, states)
        known = self._known_kinds()
        facts = [
            self._finished(fact, state, reached.get(path, ""), known)
            for path, pairs in states.items()
            for fact, state in pairs
        ]
        facts += [
            self._with_reach(fact, reached.get(path, ""))
            for path in kept
            for fact in self.facts.get(path, ())
            if fact.kind != "import.module"
        ]
        facts += chains(facts, {path: tuple(found) for path, found in self.facts.items()}, members)
        facts += stated
        facts += self._size(told)
        facts += [self._file(change) for change in told if self._matters(change)]
        facts.sort(key=lambda fact: (fact.path, fact.line, fact.kind, fact.excerpt))
        release = self.release
        examined = Examined(
            len(members),
            sum(member.size for member in members.values()),
            len(self.read),
            sum(self.read.values()),
            len(kept),
        )
        return Examination(
            *(release.purl, release.ecosystem, release.name, release.version, release.source, self.files.form),
            digests=self.files.digests,
            facts=tuple(facts),
            changes=tuple(told),
            refusals=tuple(self.refusals),
            examined=examined,
        )

    # reading

    def _bytes(self, files: Files, path: str, *, tell: bool) -> bytes | None:
        """The bytes of a file within the budget of one; None, with a refusal where that is to be told."""
        try:
            return files.read(path, self.budget.file_bytes)
        except Unreadable as error:
            if tell:
                self.refusals.append(Refusal(path, READER, f"{error.reason}; it was not examined", True))
            return None

    def _over(self, path: str, size: int) -> bool:
        """Whether a changed file is past the budget of all; told where it is."""
        if self.until is not None and self.clock is not None and self.clock() > self.until:
            self.late = True
        if not self.late and size <= self.left_changed:
            self.left_changed -= size
            return False
        bound = f"{self.budget.seconds} seconds" if self.late else f"{self.budget.changed_bytes} bytes"
        self.refusals.append(Refusal(path, READER, f"was not examined: the budget of {bound} was used up", True))
        return True

    def _facts_of(self, path: str, content: bytes, sha256: str, kind: str, *, tell: bool) -> list[Fact]:
        """The facts of one file, out of the memory where they are known; refusals are told where asked for."""
        key = f"{kind}:{path.rpartition('/')[2]}"
        found = self.memory.get(sha256, key)
        own = self.files.members.get(path)
        if own is not None and own.sha256 == sha256:
            self.read[path] = len(content)
        if found is None:
            found = tuple(_total(SourceFile(path, content, sha256, kind)))
            self.memory.put(sha256, key, found)
        facts: list[Fact] = []
        for item in found:
            one = item if item.path == path else msgspec.structs.replace(item, path=path)
            if isinstance(one, Fact):
                facts.append(one)
            elif tell:
                self.refusals.append(one)
        return facts

    def _changed(self, change: FileChange) -> FileChange:
        """Read a file that differs: its facts, those of the one it was, and the count of its lines."""
        if change.after is None or change.change == "moved":
            source = self.before if change.after is None else self.files
            content = self._bytes(source, change.path, tell=False) if source is not None else None
            return counted(change, content, content if change.after is not None else None)
        if self._over(change.path, change.after.size):
            return counted(change, None, None)
        content = self._whole(change.path, change.after.size)
        if content is None:
            return counted(change, None, None)
        kind = kind_of(change.path, sample(content))
        self.kinds[change.path] = kind
        old = self._earlier(change) if kind in TEXT else None
        told = counted(change, old, content) if kind in TEXT else msgspec.structs.replace(change, kind=kind)
        facts = self._facts_of(change.path, content, change.after.sha256, kind, tell=True)
        del content
        self.facts[change.path] = facts
        if facts and change.before is not None:
            old = old if old is not None else self._earlier(change)
            if old is not None:
                self.old[change.path] = self._old_facts(change, change.before, old, facts)
        return told

    def _whole(self, path: str, size: int) -> bytes | None:
        """The bytes of a changed file; None, with a refusal, where they cannot be had or are past the bounds."""
        budget = self.budget
        if size <= budget.file_bytes:
            return self._bytes(self.files, path, tell=True)
        try:
            content = self.files.read(path, budget.passive_bytes)
        except Unreadable as error:
            self.refusals.append(Refusal(path, READER, f"{error.reason}; it was not examined", True))
            return None
        if kind_of(path, sample(content)) in _PASSIVE:
            return content
        reason = f"holds {size} bytes, more than the limit of {budget.file_bytes}; it was not examined"
        self.refusals.append(Refusal(path, READER, reason, True))
        return None

    def _earlier(self, change: FileChange) -> bytes | None:
        """The bytes that a changed file had; None where there were none, or they cannot be had."""
        if change.before is None or self.before is None:
            return None
        try:
            return self.before.read(change.before.path, self.budget.passive_bytes)
        except Unreadable:
            return None

    def _old_facts(self, change: FileChange, before: Member, old: bytes, facts: Sequence[Fact]) -> list[Fact]:
        """The facts of what a changed file was; where only imports matter, by a cheap look."""
        kind = kind_of(change.path, sample(old))
        key = f"{kind}:{change.path.rpartition('/')[2]}"
        if all(fact.kind == "import.module" for fact in facts) and self.memory.get(before.sha256, key) is None:
            return list(imports(change.path, old, kind, before.sha256))
        if len(old) > self.budget.file_bytes and kind not in _PASSIVE:
            return []
        return self._facts_of(change.path, old, before.sha256, kind, tell=False)

    def _imports_of(self, kept: Iterable[str]) -> None:
        """What kept files import, by a cheap look."""
        for path in kept:
            member = self.files.members[path]
            kind = kind_of(path, b"")
            if kind == "text" and "." not in path.rpartition("/")[2] and member.size < _SMALL:
                kind = kind_of(path, self._bytes(self.files, path, tell=False) or b"")
            if kind not in ("javascript", "typescript", "python") or not member.size:
                continue
            key = f"imports:{kind}"
            found = self.memory.get(member.sha256, key)
            if found is None:
                content = self._bytes(self.files, path, tell=False)
                if content is None:
                    continue
                found = imports(path, content, kind, member.sha256)
                self.memory.put(member.sha256, key, found)
            self.facts[path] = [
                msgspec.structs.replace(fact, path=path, delta="kept") for fact in found if isinstance(fact, Fact)
            ]

    # what runs

    def _stated(self, sources: Sequence[Source] | None, files: Mapping[str, tuple[Fact, ...]]) -> Iterator[Fact]:
        """Facts of the manifest and the registry; their refusals are told."""
        if sources is None:
            from pratique.releases.sources import sources_of

            sources = sources_of(self.release.ecosystem, self.at)
        for source in sources:
            for item in source(self.release, self.predecessor, files):
                if isinstance(item, Fact):
                    yield item
                else:
                    self.refusals.append(item)

    def _reached(self, stated: Sequence[Fact]) -> dict[str, str]:
        manifest = self._bytes(self.files, "package.json", tell=False) if "package.json" in self.files.members else None
        triggers = [fact for fact in stated if fact.kind.startswith("trigger.")]
        triggers += [fact for found in self.facts.values() for fact in found if fact.kind.startswith("trigger.")]
        return reach(self.release.ecosystem, self.files.members, manifest, triggers, self.facts)

    def _read_as_run(self, reached: Mapping[str, str], stated: Sequence[Fact]) -> bool:
        """Read files as JavaScript that Node is asked to run whatever their names say. True where there were any."""
        asked: set[str] = set()
        for path, found in self.facts.items():
            if self.kinds.get(path, "javascript") in ("javascript", "typescript"):
                for fact in found:
                    if fact.kind == "import.module" and fact.attributes.get("form") == "relative":
                        asked.add(resolved(path, str(fact.attributes.get("module", "")), self.files.members) or "")
        for fact in stated:
            command = str(fact.attributes.get("command", ""))
            if fact.kind == "trigger.lifecycle" and ("node" in command or "bun" in command):
                asked.update(files_of(command, self.files.members))
            elif fact.kind == "trigger.bin" and self.release.ecosystem == "npm":
                asked.add(located(str(fact.attributes.get("target", "")), self.files.members) or "")
        any_read = False
        for path in sorted(asked):
            if self.kinds.get(path) in _READ_AS_JAVASCRIPT and path in self.facts:
                content = self._bytes(self.files, path, tell=False)
                if content is None or (content.startswith(b"#!") and b"node" not in content[:200]):
                    continue
                member = self.files.members[path]
                more = self._facts_of(path, content, member.sha256, "javascript", tell=True)
                seen = {keyed(fact) for fact in self.facts[path]}
                self.facts[path] += [fact for fact in more if keyed(fact) not in seen]
                any_read = True
        return any_read

    # deltas

    def _deltas(self, changes: Sequence[FileChange]) -> dict[str, list[Placed]]:
        """The facts of changed files, each with its delta."""
        changed = {change.path: self.facts.get(change.path, []) for change in changes if change.change != "moved"}
        if self.before is None:
            return {path: [(fact, "unknown") for fact in found] for path, found in changed.items() if found}
        return placed(changed, self.old, lambda: self._gone(changes))

    def _gone(self, changes: Sequence[FileChange]) -> Iterator[Fact]:
        """The facts of files that are gone: code that moved to another file, or got another hash, is not added."""
        parts = {unhashed(change.path) for change in changes if change.change == "added"}
        left = [self.left_kept, self.budget.hashed_bytes]
        for change in changes:
            gone, path = change.before, change.path
            part = unhashed(path) in parts
            if change.change != "removed" or gone is None or change.kind not in _LANGUAGES or gone.size > left[part]:
                continue
            content = self._bytes(self.before, path, tell=False) if self.before is not None else None
            if content is not None:
                left[part] -= gone.size
                self.old[path] = self._facts_of(path, content, gone.sha256, change.kind, tell=False)
                yield from self.old[path]
        self.left_kept = left[0]

    def _run_by_themselves(self, kept: Sequence[str], reached: Mapping[str, str]) -> None:
        """Facts of kept files that run at install or at a start: a release may add no more than what starts them."""
        for path in kept:
            if reached.get(path) not in ("lifecycle", "startup"):
                continue
            member = self.files.members[path]
            if member.size > self.left_kept:
                told = "runs by itself and was not read: the budget for kept files was used up"
                self.refusals.append(Refusal(path, READER, told, True))
                continue
            content = self._bytes(self.files, path, tell=True)
            if content is not None:
                self.left_kept -= member.size
                kind = kind_of(path, sample(content))
                kind = "javascript" if kind == "text" and self.release.ecosystem == "npm" else kind
                found = self._facts_of(path, content, member.sha256, kind, tell=True)
                self.facts[path] = [msgspec.structs.replace(fact, delta="kept") for fact in found]

    def _kept_facts(self, kept: Sequence[str], states: Mapping[str, Sequence[Placed]]) -> None:
        """Facts of kept files, as far as they tell whether added code is new in the package, or complete a chain."""
        added = {fact.kind for pairs in states.values() for fact, state in pairs if state == "added"}
        wanted = {kind for kind in added if gated(kind)} - {fact.kind for found in self.old.values() for fact in found}
        for kinds in _COMPLETED:
            if not added.isdisjoint(kinds):
                wanted.update(kinds - added)
        unread = 0
        for path in sorted(kept, key=lambda path: self.files.members[path].size):
            if not wanted:
                break
            member = self.files.members[path]
            kind = kind_of(path, b"")
            if kind not in _LANGUAGES or not member.size:
                continue
            key = f"{kind}:{path.rpartition('/')[2]}"
            known = self.memory.get(member.sha256, key) is not None
            if not known and member.size > self.left_kept:
                unread += 1
                continue
            content = self._bytes(self.files, path, tell=False)
            if content is None or not may_hold(content, wanted):
                continue
            if not known:
                self.left_kept -= member.size
            found = self._facts_of(path, content, member.sha256, kind, tell=False)
            self.facts[path] = [msgspec.structs.replace(fact, delta="kept") for fact in found]
            wanted -= {fact.kind for fact in found} - _CHAINED
        if unread:
            told = f"{unread} kept files were not read for facts: the budget for them was used up"
            self.refusals.append(Refusal("", READER, told, False))
        self.unsettled = frozenset(wanted) if unread else frozenset()

    def _known_kinds(self) -> frozenset[str]:
        """Kinds of facts that the predecessor has, as far as it was read."""
        old = {fact.kind for found in self.old.values() for fact in found}
        return frozenset(old | {fact.kind for found in self.facts.values() for fact in found if fact.delta == "kept"})

    def _finished(self, fact: Fact, state: str, way: str, known: frozenset[str]) -> Fact:
        """A fact of a changed file with its delta and what it tells of its file and package."""
        attributes = dict(fact.attributes)
        if fact.kind.startswith(CODE):
            if way:
                attributes["reach"] = way
            if self.before is not None and state == "added":
                attributes["new_file"] = lasting(fact.path) not in self.earlier
                if fact.kind in known:
                    attributes["new_in_package"] = False
                elif fact.kind == "content.native":
                    attributes["new_in_package"] = not self._had_native
                elif gated(fact.kind) and fact.kind not in self.unsettled:
                    attributes["new_in_package"] = True
        return msgspec.structs.replace(fact, delta=state, attributes=attributes)

    @functools.cached_property
    def _had_native(self) -> bool:
        """Whether the predecessor holds a file that by its name is a native program or library."""
        return self.before is not None and any(path.endswith(_NATIVE) for path in self.before.members)

    def _with_reach(self, fact: Fact, way: str) -> Fact:
        if not way or not fact.kind.startswith(CODE):
            return fact
        return msgspec.structs.replace(fact, attributes={**fact.attributes, "reach": way})

    # the change as a whole

    def _size(self, changes: Sequence[FileChange]) -> Iterator[Fact]:
        """How much changed, as one fact."""
        if self.before is None:
            return
        counts = {name: sum(change.change == name for change in changes) for name in ("added", "removed", "changed")}
        yield Fact(
            "difference.size",
            delta="changed" if changes else "kept",
            attributes={
                **{f"files_{name}": count for name, count in counts.items()},
                "added_lines": sum(change.added_lines or 0 for change in changes),
                "removed_lines": sum(change.removed_lines or 0 for change in changes),
                "bytes_before": _total_size(self.before.members),
                "bytes_after": _total_size(self.files.members),
            },
        )

    def _matters(self, change: FileChange) -> bool:
        return self.before is not None and change.kind in _MATTERS

    def _file(self, change: FileChange) -> Fact:
        """A file that matters, as a fact."""
        member = change.after or change.before
        assert member is not None
        states = {"added": "added", "removed": "removed", "changed": "changed", "moved": "changed"}
        return Fact(
            "difference.file",
            change.path,
            sha256=member.sha256,
            delta=states[change.change],  # type: ignore[arg-type]  # the values are deltas
            attributes={"change": change.change, "kind": change.kind, "added_lines": change.added_lines or 0},
        )


_COMPLETED: tuple[frozenset[str], ...] = (
    frozenset(("capability.credential-read", "capability.environment-read", "capability.network")),
    frozenset(("capability.download", "capability.process")),
)
_CHAINED = frozenset().union(*_COMPLETED)
"""Kinds of facts of which one in a kept file is not enough: another may complete the chain."""


def _total(file: SourceFile) -> Iterator[Fact | Refusal]:
    """The facts of a file; an extractor that fails is told."""
    try:
        yield from facts_of_file(file)
    except Exception as error:  # noqa: BLE001 (whatever a hostile file makes an extractor raise is a refusal, law 3)
        reason = f"an extractor failed ({type(error).__name__}); the file was not examined to its end"
        yield Refusal(file.path, READER, reason, True)


def _total_size(members: Mapping[str, Member]) -> int:
    return sum(member.size for member in members.values())
