"""Chains that no single file shows: what is read in one and sent in another, where imports join the two."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

from pratique.model.release import Fact, Member
from pratique.releases.reach import WAYS, links, python_roots

DEEPEST = 4
"""So many imports may lie between two files of a chain."""
MOST = 20
"""So many chains of a package are told."""
_SECRET = re.compile(r"(?i)token|secret|passw|credential|private|_key\b|_key_|apikey|npm_|aws_|github_")


def chains(facts: Sequence[Fact], files: Mapping[str, Sequence[Fact]], members: Mapping[str, Member]) -> list[Fact]:
    """Chains over several files of which at least one link was added, as facts with `within` set to `package`.

    `facts` are those of the release with their deltas; `files` the same by file, with what each imports. A file that
    holds a chain of the kind by itself is left out: that is told already.
    """
    found: list[Fact] = []
    alone = {(fact.kind, fact.path) for fact in facts if fact.kind.startswith("chain.")}
    joined = _Joined(files, members)
    secrets = [fact for fact in facts if _is_secret(fact)]
    senders = [
        fact for fact in facts if fact.kind == "capability.network" and fact.attributes.get("sends") is not False
    ]
    _pairs("chain.secret-to-network", secrets, senders, joined, alone, found)
    downloads = [fact for fact in facts if fact.kind == "capability.download"]
    starters = [fact for fact in facts if fact.kind == "capability.process"]
    _pairs("chain.download-to-run", downloads, starters, joined, alone, found)
    return found


def _is_secret(fact: Fact) -> bool:
    if fact.kind == "capability.credential-read":
        return True
    if fact.kind != "capability.environment-read":
        return False
    return bool(fact.attributes.get("whole")) or _SECRET.search(str(fact.attributes.get("name", ""))) is not None


def _pairs(
    kind: str,
    begins: Sequence[Fact],
    ends: Sequence[Fact],
    joined: _Joined,
    alone: set[tuple[str, str]],
    found: list[Fact],
) -> None:
    """Note the chains of one kind: one for each pair of files at most."""
    seen: set[tuple[str, str]] = set()
    new_begins = sorted(begins, key=lambda fact: fact.delta == "kept")
    new_ends = sorted(ends, key=lambda fact: fact.delta == "kept")
    for begin in new_begins:
        for end in new_ends:
            if begin.delta == "kept" and end.delta == "kept":
                break
            pair = (begin.path, end.path)
            if begin.path == end.path or pair in seen or (kind, begin.path) in alone or (kind, end.path) in alone:
                continue
            seen.add(pair)
            if not joined.joined(*pair):
                continue
            if len(found) >= MOST:
                return
            found.append(_chain(kind, begin, end))


def _chain(kind: str, begin: Fact, end: Fact) -> Fact:
    """The fact of a chain: it stands at its first added link."""
    first = begin if begin.delta != "kept" else end
    steps = [fact.kind.partition(".")[2] for fact in (begin, end)]
    ways = [str(fact.attributes["reach"]) for fact in (begin, end) if fact.attributes.get("reach")]
    attributes: dict[str, str | int | float | bool] = {
        "steps": ", ".join(steps),
        "within": "package",
        "lines": f"{begin.path}:{begin.line}, {end.path}:{end.line}",
    }
    if end.attributes.get("destination"):
        attributes["destination"] = end.attributes["destination"]
    if ways:
        attributes["reach"] = min(ways, key=WAYS.index)
    for name in ("language", "new_file"):
        if name in first.attributes:
            attributes[name] = first.attributes[name]
    return Fact(kind, first.path, first.line, first.excerpt, first.sha256, first.delta, attributes)


class _Joined:
    """Which files imports join."""

    def __init__(self, files: Mapping[str, Sequence[Fact]], members: Mapping[str, Member]) -> None:
        self._files = files
        self._members = members
        self._folders = python_roots(members)
        self._below: dict[str, frozenset[str]] = {}

    def joined(self, one: str, two: str) -> bool:
        """Whether one file imports the other, or a third imports both, over few files."""
        if two in self.below(one) or one in self.below(two):
            return True
        return any({one, two} <= self.below(path, 1) for path in self._files)

    def below(self, path: str, deepest: int = DEEPEST) -> frozenset[str]:
        """The files that a file imports, directly or over others."""
        key = f"{deepest}:{path}"
        if key not in self._below:
            seen = {path}
            queue = deque([(path, 0)])
            while queue:
                current, depth = queue.popleft()
                if depth >= deepest:
                    continue
                for end in links(current, self._files.get(current, ()), self._members, self._folders):
                    if end not in seen:
                        seen.add(end)
                        queue.append((end, depth + 1))
            self._below[key] = frozenset(seen - {path})
        return self._below[key]
