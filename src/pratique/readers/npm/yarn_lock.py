"""Yarn's lockfile: yarn.lock, as Yarn classic and as Yarn 2 and later write it.

## Reads
Yarn classic's `# yarn lockfile v1` and every `__metadata.version` of Yarn 2 to 4. Real names behind aliases, of the
entry's key and of the archive's URL where the two differ; patched, git, file, link, portal and workspace sources with
their origin. The SHA-1 behind a classic URL's `#` is kept beside its integrity. Entries that stand twice are all read
and refused; both sides of a merge conflict are read and refused. Other layouts of a Yarn 2 lockfile are read as YAML.

## Leaves out
Yarn 2's `checksum`, which is of Yarn's own zip and comparable to nothing. Whether an entry is for development only. A
file that was cut exactly between two entries shows it only if an entry left of the cut depends on a missing name of
interest. An empty file is refused; inside an installed package that is no relevant gap.

## References
Yarn documentation "Lockfile"; @yarnpkg/lockfile (classic); @yarnpkg/parsers, syml.
"""

from __future__ import annotations

import base64
import bisect
import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.ecosystems.npm.yarn import is_version, origin_of_range, parse_locator, real_name, split_ident
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Origin, Record, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.lock_requests import in_yarn_lock
from pratique.readers.npm.remembered import Blocks, memory
from pratique.readers.npm.syml import (
    MOST_BLOCKS,
    MOST_LINES,
    Block,
    NotPlain,
    Syml,
    TooLarge,
    parse,
    parse_yaml,
    patterns,
)
from pratique.readers.text import decode_text, portable, refuse

_SHA1 = re.compile(r"#([0-9a-f]{40})$")
_BERRY_FIELDS = frozenset({"resolution", "linkType", "languageName", "checksum"})
_KEPT = frozenset({"version", "resolved", "integrity", "resolution"})

_HEADER = "yarn lockfile v"
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_DEEPER = r"(?: {4,}+\S[^\n]*+\n)++"
_NEXT = r'(?=\n["@\w])'
_USUAL_CLASSIC = re.compile(
    portable(
        r'\n(?="?((?:@[^/@\s",:\\]+/)?([^/@\s",:\\]+))@)'
        r'((?:"\1@[^"\\\n,:]*+"|\1@[^"\\\s,:]++)(?:, (?:"\1@[^"\\\n,:]*+"|\1@[^"\\\s,:]++))*+):\n'
        r'  version "([^"\\\n]++)"\n'
        r'  resolved "https?://[^"\\\n#/]++(?:/[^"\\\n#/]+)*?/\1/-/\2-\4\.tgz(?:#[^"\\\n]*+)?"\n'
        r"(?:  integrity [a-z][^#\n]*+\n)?"
        rf"(?:  (?:dependencies|optionalDependencies):\n{_DEEPER})*+{_NEXT}"
    )
)
"""A whole entry of Yarn classic that names one package alone, in its key and in its archive's URL: 1 that name, 3 the
key. Another entry follows."""
_USUAL_BERRY = re.compile(
    portable(
        r'\n(?="((?:@[^/@\s",:\\]+/)?([^/@\s",:\\]+))@)'
        r'("\1@(?:npm:)?[^"\\\n,:@]*+(?:, \1@(?:npm:)?[^"\\\n,:@]*+)*+"):\n'
        r"  version: \d[0-9A-Za-z.+-]*+\n"
        r'  resolution: "\1@npm:\d[0-9A-Za-z.+-]*+"\n'
        rf"(?:  (?!resol|version:|integrity:)[a-zA-Z]++:\n{_DEEPER})*+"
        r"(?:  checksum: [0-9a-z][0-9a-z/]*+\n)?"
        r"(?:  conditions: [a-z(][^#\n]*+\n)?"
        rf"  languageName: node\n  linkType: hard\n{_NEXT}"
    )
)
"""The same for Yarn 2 and later: the name stands in the key and in the resolution."""


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one component fact for each release of a name of interest; a refusal for what is not a whole lockfile."""
    data = artifact.content()
    text = decode_text(data)
    reasons = []
    if text is None:
        reasons.append("is not text in UTF-8 or UTF-16")
        text = data.decode("utf-8", "replace")
    lock = Lock(
        artifact,
        interest.wanted("npm"),
        READER,
        record="lock",
        times=artifact.modified_time("the lockfile was last written"),
    )
    yield from lock.read(text, reasons)
    if interest.requests:
        yield from in_yarn_lock(artifact, READER, text)


class Lock:
    """A lockfile being read; `shift` is the number of lines before it where it is part of another file."""

    def __init__(
        self,
        artifact: Artifact,
        wanted: frozenset[str] | Everything,
        reader: Reader,
        *,
        record: Record,
        times: tuple[Time, ...],
        shift: int = 0,
    ) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.reader = reader
        self.record: Record = record
        self.times = times
        self.shift = shift
        self.shipped_in = place_of(shown(artifact.path)).package
        self.seen: set[ComponentFact] = set()
        self.passed: set[str] = set()
        self.told: set[str] = set()
        self.cuts: list[list[int]] = []

    def read(self, text: str, reasons: list[str]) -> Iterator[Observation | Refusal]:
        """Yield every fact, then one refusal if anything is missing, doubtful or not understood."""
        try:
            document = self._quick(text) or parse(text)
        except TooLarge as error:
            yield refuse(self.artifact, self.reader, str(error))
            return
        blocks = document.blocks
        berry = any(block.key == "__metadata" for block in blocks)
        if document.strange is not None and document.conflict is None:
            blocks = self._as_yaml(text, document, reasons)
            berry = berry or any(block.key == "__metadata" for block in blocks)
        reasons += self._doubts(document, blocks, berry)
        for block in blocks:
            if block.key != "__metadata":
                yield from self._block(block)
        reasons += self._dangling(text, blocks)
        if reasons:
            refusal = refuse(self.artifact, self.reader, "; ".join(dict.fromkeys(reasons)))
            if self.shipped_in is not None and not text.strip():
                refusal = msgspec.structs.replace(refusal, relevant=False)
            yield refusal

    def _quick(self, text: str) -> Syml | None:
        """The file without whole, usual entries of other names; None where it has to be parsed as it stands.

        What is left out names no package of interest and holds nothing to doubt; the next entry follows it, so nothing
        that stands behind it can belong to it. Keys that stand twice send the file down the thorough way. The names
        that were left out stay in `passed`.
        """
        usual = _USUAL_BERRY if "\n__metadata:\n" in text else _USUAL_CLASSIC if _HEADER in text else None
        if usual is None or isinstance(self.wanted, Everything):
            return None
        blocks = memory(self.artifact, self.wanted, f"yarn-lock {usual is _USUAL_BERRY}", _Judge(usual))
        cut = blocks.cut(text) if blocks is not None else None
        if cut is not None and cut.entries:
            keys = [key for key, _, _ in cut.entries]
            self.told = set().union(*(asked for _, _, asked in cut.entries if asked))
            self.cuts = cut.places
            if _conflict(_remaining(text, cut.places)):
                return None
            return self._without(text, keys, {name for _, name, _ in cut.entries}, cut.places)
        if _conflict(text):
            return None
        keys = []
        names: set[str] = set()
        cuts: list[list[int]] = []
        end = -1
        for match in usual.finditer(text):
            name, key = match.group(1, 3)
            if name not in self.wanted:
                keys.append(key)
                names.add(name)
                if match.start() == end:
                    cuts[-1][1] = end = match.end()
                else:
                    cuts.append([match.start(), end := match.end()])
        return self._without(text, keys, names, cuts) if keys else None

    def _without(self, text: str, keys: list[str], names: set[str], cuts: list[list[int]]) -> Syml | None:
        """The file without the entries of these keys and names; None where it has to be parsed as it stands."""
        if len(text) > MOST_LINES and text.count("\n") > MOST_LINES:
            return None
        document = _parse_without(text, cuts)
        left = {block.key for block in document.blocks}
        once = set(keys)
        headed = "__metadata" in left or any(_HEADER in comment for comment in document.comments)
        if document.strange is not None or not headed or document.blocks[-1].key == "__metadata":
            return None
        if len(once) < len(keys) or not once.isdisjoint(left) or len(once) + len(left) > MOST_BLOCKS:
            return None
        self.passed = names
        return document

    def _as_yaml(self, text: str, document: Syml, reasons: list[str]) -> list[Block]:
        if any("yarn lockfile v" in comment for comment in document.comments):
            reasons.append(f"line {document.strange} is not in Yarn's layout")
            return document.blocks
        try:
            blocks = parse_yaml(text)
        except (NotPlain, TooLarge) as error:
            reasons.append(f"line {document.strange} is not in Yarn's layout, and the file {error}")
            return document.blocks
        if not any(block.key == "__metadata" for block in blocks):
            reasons.append(f"line {document.strange} is not in Yarn's layout")
            return document.blocks
        return blocks

    def _doubts(self, document: Syml, blocks: list[Block], berry: bool) -> Iterator[str]:
        """What shows that the file is not as Yarn wrote it."""
        header = any("yarn lockfile v" in comment for comment in document.comments)
        entries = [block for block in blocks if block.key != "__metadata"]
        if not entries and not header and not berry:
            yield "is empty" if not document.comments else "holds no entry and no version line"
            return
        if document.conflict is not None:
            yield f"holds merge-conflict markers from line {document.conflict} on"
        elif not berry and (not header or any("resolution" in dict(block.fields) for block in entries)):
            yield "has no version line"
        future = [comment for comment in document.comments if re.search(r"yarn lockfile v(?!1$)", comment.strip())]
        if future:
            yield "is of an unknown version"
        if document.cut:
            yield "ends in the middle of a line"
        keys: set[str] = set()
        for block in entries:
            known = [key for key, _ in block.fields]
            if any(known.count(field) > 1 for field in _KEPT) and document.conflict is None:
                yield f"the entry at line {block.line} holds a field twice"
            if block.key in keys and document.conflict is None:
                yield f"the entry at line {block.line} stands twice"
            keys.add(block.key)
        if document.conflict is None:
            incomplete = next((block.line for block in entries if self._incomplete(block, block is entries[-1])), None)
            if incomplete is not None:
                yield f"the entry at line {incomplete} is incomplete"

    def _incomplete(self, block: Block, last: bool) -> bool:
        fields = dict(block.fields)
        if not _BERRY_FIELDS.isdisjoint(fields):
            return not {"version", "resolution", "linkType"} <= fields.keys()
        if "version" not in fields or block.hollow:
            return True
        if last and "resolved" not in fields:
            asked = [parts[1] for pattern in patterns(block.key) if (parts := split_ident(pattern))]
            return any(origin_of_range(text) not in ("file", "link", "workspace") for text in asked)
        return False

    def _block(self, block: Block) -> Iterator[Observation]:
        """The facts of one entry. A field that stands twice gives one reading for each value."""
        current: dict[str, str] = {}
        own: set[str] = set()
        for key, value in block.fields:
            if key not in _KEPT or value is None:
                continue
            if key in own:
                yield from self._entry(block, current)
                own.clear()
            current[key] = value
            own.add(key)
        yield from self._entry(block, current)

    def _entry(self, block: Block, fields: dict[str, str]) -> Iterator[Observation]:
        asked = [parts for pattern in patterns(block.key) if (parts := real_name(pattern))]
        version, resolved = fields.get("version"), fields.get("resolved")
        found: dict[tuple[str, str], Origin] = {}
        locator = parse_locator(fields["resolution"]) if "resolution" in fields else None
        if locator is not None:
            resolved = resolved or locator.resolved
            for chosen in (locator.version, version):
                if chosen:
                    found.setdefault((locator.name, chosen), locator.origin)
        else:
            release = None
            if resolved and not _plainly_of(resolved, asked, version) and origin_of(resolved) == "registry":
                release = tarball_release(resolved)
            for name, _, text in asked:
                renamed = release is not None and text.startswith(("http://", "https://"))
                if version and not renamed:
                    found.setdefault((name, version), _origin(text, resolved))
            if release is not None:
                found.setdefault(release, "registry")
        if not any(name in self.wanted for name, _ in found):
            return
        aliases = {alias or name for name, alias, _ in asked}
        integrity = tuple(fields.get("integrity", "").split())
        digest = _SHA1.search(resolved or "")
        if digest and origin_of(resolved) != "git":
            integrity += (f"sha1-{base64.b64encode(bytes.fromhex(digest[1])).decode()}",)
        for (name, chosen), origin in found.items():
            if name not in self.wanted:
                continue
            others = sorted(aliases - {name})
            fact = ComponentFact(
                name=name,
                version=chosen,
                depth="resolved",
                record=self.record,
                origin=origin,
                integrity=integrity,
                resolved=strip_url(resolved) if resolved else None,
                alias=others[0] if others else None,
                shipped_in=self.shipped_in,
            )
            if fact not in self.seen:
                self.seen.add(fact)
                location = self.artifact.location(line=block.line + self.shift)
                yield Observation(self.reader.name, location, fact, self.times)

    def _dangling(self, text: str, blocks: list[Block]) -> Iterator[str]:
        """Names of interest that an entry depends on while the file has no entry for them: a part is missing."""
        if isinstance(self.wanted, Everything):
            return
        listed = {parts[0] for block in blocks for pattern in patterns(block.key) if (parts := split_ident(pattern))}
        asked = set(_ASKED.findall("\n" + _remaining(text, self.cuts))) | self.told
        for name in sorted((self.wanted & asked) - listed - self.passed):
            for match in re.finditer(rf'^    "?{re.escape(name)}"?:? ', text, re.MULTILINE):
                above = [line for line in text[max(0, match.start() - 20_000) : match.start()].split("\n") if line]
                field = next((line for line in reversed(above) if not line.startswith("    ")), "")
                if field.strip().rstrip(":") in ("dependencies", "optionalDependencies"):
                    yield f"an entry depends on {name}, which has no entry"
                    break


class _Judge:
    """Makes the memory of usual entries for the names that are asked about."""

    def __init__(self, usual: re.Pattern[str]) -> None:
        self.usual = usual

    def __call__(self, wanted: frozenset[str]) -> Blocks:
        """The memory."""

        def judge(block: str) -> tuple[str, str, frozenset[str]] | None:
            match = self.usual.match(f"\n{block}\n\nx")
            if match is None or match.end() != len(block) + 2 or match[1] in wanted or _conflict(block):
                return None
            return match[3], match[1], frozenset(wanted.intersection(_ASKED.findall("\n" + block)))

        return Blocks(judge)


def _conflict(text: str) -> bool:
    """Whether a mark of a merge conflict stands in a text."""
    return any(mark in text for mark in _CONFLICT)


def _remaining(text: str, cuts: list[list[int]]) -> str:
    """A text without some of its parts."""
    kept = []
    place = 0
    for start, end in cuts:
        kept.append(text[place:start])
        place = end
    return "".join([*kept, text[place:]])


def _parse_without(text: str, cuts: list[list[int]]) -> Syml:
    """Parse a text without some of its parts, each from the end of a line to the end of a line."""
    kept: list[str] = []
    before: list[int] = []
    skipped = [0]
    place = lines = 0
    for start, end in cuts:
        kept.append(text[place:start])
        lines += text.count("\n", place, start)
        before.append(lines)
        skipped.append(skipped[-1] + text.count("\n", start, end))
        place = end
    kept.append(text[place:])
    document = parse("".join(kept))
    for block in document.blocks:
        block.line += skipped[bisect.bisect_left(before, block.line - 1)]
    return document


_ASKED = re.compile(r'\n    "?([^"\s:]+)"?:? ')
"""Names in the four-space part of an entry: what it depends on, among other fields."""


def _plainly_of(resolved: str, asked: list[tuple[str, str | None, str]], version: str | None) -> bool:
    """Whether a URL is the usual one of the release that the key and the version name: the quick and common case."""
    if not asked or version is None:
        return False
    name, _, text = asked[0]
    if not resolved.startswith("http") or text.startswith("http"):
        return False
    usual = resolved.partition("#")[0].endswith(f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz")
    return usual and all(other[0] == name for other in asked)


def _origin(asked: str, resolved: str | None) -> Origin:
    """Origin of a classic entry: what its key asks for, else what its URL says."""
    origin = origin_of_range(asked)
    if origin != "registry":
        return origin
    return origin_of(resolved) if resolved else "registry" if is_version(asked) else "unknown"


READER = Reader(
    name="yarn-lock",
    ecosystem="npm",
    read=read,
    basenames=("yarn.lock",),
    subject="project",
)
