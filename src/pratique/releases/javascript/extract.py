"""The facts of one file of JavaScript or TypeScript."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.decoding import Budget, Layer
from pratique.releases.javascript.chains import RUNS, Chains, Placed
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.effects import Effects
from pratique.releases.javascript.evaluate import Evaluator
from pratique.releases.javascript.imports import imported, plain_imports
from pratique.releases.javascript.obfuscation import Hidden, literal_fact, literals, shapes
from pratique.releases.javascript.source import Source, grammar_of
from pratique.releases.javascript.uses import Use, Uses
from pratique.releases.parsed import not_understood, words

LARGEST = 16 << 20
"""Bytes of a file that are read for facts; a larger one is refused."""

MOST_OF_A_KIND = 200
DEEPEST = 4
"""Layers of encodings that are read."""
_NAMED = re.compile(r"require$|import$|#child_process\.|#execa|fetch$|#https?\.|#axios|#got|#cross-spawn")
READER = "javascript"
_CALLED = (".js", ".cjs", ".mjs", ".jsx")
"""Suffixes of files that Node runs as JavaScript."""


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """What a file of JavaScript or TypeScript is able to do, imports, hides; total, bounded in time.

    A file over 16 MB, of bytes that are no text, or without the extra `inspect` is a refusal. Facts are in line order.
    """
    if file.kind not in {"javascript", "typescript"}:
        return
    if len(file.content) > LARGEST:
        yield refusal(file, f"more than {LARGEST >> 20} MB of JavaScript")
        return
    if not is_text(file.content):
        yield refusal(file, "the bytes are no text")
        return
    try:
        found = _facts(file)
    except ImportError:
        yield refusal(file, "the grammar of JavaScript is not installed: pratique[inspect]")
        return
    except RecursionError:
        yield refusal(file, "what it says lies too deep in itself to be followed")
        return
    yield from sorted(found, key=lambda one: one.line if isinstance(one, Fact) else 1 << 60)


def refusal(file: SourceFile, reason: str, *, relevant: bool = True) -> Refusal:
    """What could not be read of a file."""
    return Refusal(path=file.path, reader=READER, reason=reason, relevant=relevant)


def is_text(content: bytes) -> bool:
    """Whether bytes look like text at their beginning, middle and end."""
    for start in (0, len(content) // 2, max(len(content) - 4096, 0)):
        part = content[start : start + 4096]
        strange = len(part) - len(part.translate(None, _STRANGE))
        if strange * 50 > len(part):
            return False
        if part.isascii():
            continue
        if len(part.decode("utf-8", "ignore").encode()) * 10 < len(part) * 9:
            return False
    return True


_STRANGE = bytes(set(range(32)) - {8, 9, 10, 11, 12, 13, 27}) + b"\x7f"


class _Reading:
    """The facts of one file, of all its layers, each told once."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.found: list[Fact | Refusal] = []
        self.budget = Budget(octets=4 << 20, steps=20_000)
        self.cut = False
        self.spent = False
        self._seen: set[tuple[object, ...]] = set()
        self._counts: dict[str, int] = {}
        self._texts: set[bytes] = {file.content}

    def add(self, fact: Fact) -> None:
        """Tell a fact unless the same was told of another line."""
        plain = (fact.kind, *sorted((name, value) for name, value in fact.attributes.items()))
        count = self._counts[fact.kind] = self._counts.get(fact.kind, 0) + 1
        if plain not in self._seen and count <= MOST_OF_A_KIND:
            self._seen.add(plain)
            self.found.append(fact)

    def read(self, source: Source) -> None:
        """Read one text: the file itself, or what lay under an encoding in it."""
        evaluator = Evaluator(source)
        effects = Effects(evaluator)
        uses: list[Use] = []
        placed: list[Placed] = []
        every = Uses(evaluator)
        for use in every.all():
            for fact in _imports(source, evaluator, use):
                self.add(fact)
                if fact.attributes.get("form") in {"", "relative"} and use.role == "call":
                    placed.append(Placed("import.dynamic", use, {}))
            if use.role == "import":
                continue
            uses.append(use)
            for kind, attributes in effects.of(use):
                placed.append(Placed(kind, use, attributes))
                self.add(source.fact(kind, use.node, **attributes))
        for fact in Chains(evaluator, placed, uses).all():
            self.add(fact)
        self.cut = self.cut or every.cut
        self.spent = self.spent or evaluator.spent
        self._under(source, evaluator, uses)

    def _under(self, source: Source, evaluator: Evaluator, uses: list[Use]) -> None:
        """Read what lies under encodings in a text."""
        runs = False
        for use in uses:
            if use.role not in {"call", "new"}:
                continue
            if not RUNS.fullmatch(use.api):
                self._named(source, evaluator, use)
                continue
            runs = True
            nodes = argument_nodes(use.node)
            known = evaluator.value(nodes[-1 if use.api == "Function" else 0]) if nodes else None
            if known is None or known.string is None or len(known.string) < 8:
                continue
            forms = [one.detail for one in sorted(known.origins, key=lambda one: one.offset) if one.kind == "decode"]
            if forms:
                layer = Layer(tuple(dict.fromkeys(forms)), known.string.encode("utf-8", "replace"), "code")
                self.add(literal_fact(source, Hidden(use.node.start_byte, layer), runs=True))
            self._deeper(source, known.string.encode("utf-8", "replace"), "+".join(forms), use.node.start_byte)
        self.hidden(source, runs=runs)

    def hidden(self, source: Source, *, runs: bool) -> None:
        """Tell how code is hidden, and read what lies under encoded literals; `runs`: the file runs text as code."""
        for fact in shapes(source):
            self.add(fact)
        for hidden in literals(source, self.budget):
            self.add(literal_fact(source, hidden, runs=runs))
            if hidden.layer.meaning == "code":
                self._deeper(source, hidden.layer.content, "+".join(hidden.layer.encodings), hidden.offset)

    def _named(self, source: Source, evaluator: Evaluator, use: Use) -> None:
        """Tell a module, a command, an address that is named by a text which had to be decoded."""
        if not _NAMED.match(use.api):
            return
        nodes = argument_nodes(use.node)
        known = evaluator.value(nodes[0]) if nodes else None
        if known is None or not known.origins or known.string is None or len(known.string) < 2:
            return
        forms = [one.detail for one in sorted(known.origins, key=lambda one: one.offset) if one.kind == "decode"]
        if any(one not in {"percent", "bytes"} for one in forms):
            layer = Layer(tuple(dict.fromkeys(forms)), known.string.encode("utf-8", "replace"), "word")
            runs = not use.api.startswith(("fetch", "#http", "#axios", "#got"))
            self.add(literal_fact(source, Hidden(use.node.start_byte, layer), runs=runs))

    def _deeper(self, source: Source, text: bytes, encoding: str, offset: int) -> None:
        if text in self._texts or source.layer >= DEEPEST or not self.budget.take(len(text)):
            return
        self._texts.add(text)
        layer = source.layer + (1 if encoding else 0)
        names = "+".join(one for one in (source.encoding, encoding) if one)
        self.read(Source(self.file, text, layer, names, source.line(offset)))


def _facts(file: SourceFile) -> list[Fact | Refusal]:
    reading = _Reading(file)
    source = Source(file, file.content)
    imports = plain_imports(source)
    if imports is not None:
        for fact in imports:
            reading.add(fact)
        reading.hidden(source, runs=False)
    else:
        reading.read(source)
        if odd := not_understood(source.tree.root_node):
            # Nobody runs TypeScript as it is but by a translator, and its grammar grows with every version; a file of
            # another kind is read as JavaScript where a command names it, and mostly it is none.
            name = file.path.rpartition("/")[2].lower()
            javascript = grammar_of(file) == "javascript" and (name.endswith(_CALLED) or "." not in name)
            told = words(*odd, "JavaScript" if javascript else "TypeScript")
            reading.found.append(refusal(file, told, relevant=javascript))
    if reading.cut:
        reading.found.append(refusal(file, "too many uses of interfaces: the later ones were left out"))
    if reading.spent:
        reason = "too much to follow: every use was looked at, names and values were followed in part"
        reading.found.append(refusal(file, reason, relevant=False))
    if reading.budget.exhausted:
        reading.found.append(refusal(file, "too much to decode: encoded texts were decoded in part"))
    return reading.found


def _imports(source: Source, evaluator: Evaluator, use: Use) -> Iterator[Fact]:
    if use.role == "import":
        yield source.fact("import.module", use.node, **imported(use.api, dynamic=False))
    elif use.api in {"require", "import", "require.resolve"} and use.role == "call":
        nodes = argument_nodes(use.node)
        name = evaluator.value(nodes[0]).string if nodes else None
        if name:
            yield source.fact("import.module", use.node, **imported(name, dynamic=use.api == "import"))
        elif nodes and use.api != "require.resolve":
            yield source.fact("import.module", use.node, module="", package="", form="", dynamic=True)
