"""Facts of a Python file: what it imports, what its code can do, what it hides, and the same of what it decodes.

The text is parsed by a grammar that takes any bytes, and only where a word in it is worth it. Nothing is imported,
compiled or unpickled. What is over a budget is a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile, Value
from pratique.releases.decoding import Budget
from pratique.releases.parsed import not_understood, words
from pratique.releases.python import gate, obfuscation
from pratique.releases.python.bindings import Bindings
from pratique.releases.python.chains import chains
from pratique.releases.python.effects import Call, Event, effects
from pratique.releases.python.evaluate import Evaluator
from pratique.releases.python.source import LONGEST, NotTextError, Source, shortened
from pratique.releases.python.surroundings import handed_on

if TYPE_CHECKING:
    from tree_sitter import Node

READER = "python"
MOST_FACTS = 1500
MOST_LAYERS = 12
DEEPEST = 6
_MAIN = re.compile(rb"if\s*\(?\s*__name__\s*==\s*['\"]__main__['\"]")


class _Add(Protocol):
    def __call__(self, kind: str, offset: int, end: int, attributes: dict[str, Value]) -> None: ...


_BYTECODE = re.compile(rb"[\x00-\xff][\x00-\x0f]\r\n[\x00-\x03]\x00\x00\x00", re.DOTALL)
Item = tuple[int, str, int, dict[str, Value], int, int]
"""Offset for order, kind, line, attributes, start and end of the excerpt."""


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """All facts of one Python file, those of its own text in order of line, then those of each layer decoded from it.

    Never raises: bytes that are no text, and what is over a budget, give a refusal.
    """
    if len(file.content) > LONGEST:
        yield refusal(file, f"more than {LONGEST >> 20} MiB of source", True)
        return
    if _BYTECODE.match(file.content):
        attributes: dict[str, Value] = {"form": "bytecode", "length": len(file.content), "language": "python"}
        yield Fact("obfuscation.form", file.path, 0, "", file.sha256, attributes=attributes)
        yield refusal(file, "bytecode is not examined", True)
        return
    try:
        source = Source(file.content)
    except NotTextError as error:
        yield refusal(file, str(error), True)
        return
    module = file.path.rpartition("/")[2].removesuffix(".py")
    if module in ("sitecustomize", "usercustomize"):
        known: dict[str, Value] = {"module": module, "language": "python"}
        yield Fact("trigger.startup", file.path, 1, source.excerpt(0, 200), file.sha256, attributes=known)
    yield from Examiner(file).examine(source, 0, "", 0)


def refusal(file: SourceFile, reason: str, relevant: bool) -> Refusal:
    """What could not be read of a file."""
    return Refusal(path=file.path, reader=READER, reason=reason, relevant=relevant, ecosystems=("PyPI",))


class Examiner:
    """Examines one file and the layers that are decoded from it, within one budget."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.budget = Budget()
        self.layers = 0
        self.seen: set[bytes] = set()
        self.given = 0
        self.reasons: list[str] = []
        self.other = ""

    def examine(self, source: Source, layer: int, encoding: str, line: int) -> Iterator[Fact | Refusal]:
        """Facts of one text; `line` is that of the literal a layer came from, 0 for the file itself."""
        inner: list[tuple[bytes, str, int]] = []
        for at, kind, number, attributes, start, end in self._items(source, inner):
            del at
            if self.given >= MOST_FACTS:
                self.reasons.append(f"more than {MOST_FACTS} facts")
                break
            self.given += 1
            known: dict[str, Value] = {"language": "python", **attributes}
            if layer:
                known["layer"] = layer
                known["encoding"] = encoding
            excerpt = source.excerpt(start, end)
            yield Fact(kind, self.file.path, line or number, excerpt, self.file.sha256, attributes=known)
        for content, name, at in inner:
            if layer + 1 > DEEPEST or self.layers >= MOST_LAYERS:
                self.reasons.append("more layers of decoded code than are followed")
                break
            if content in self.seen:
                continue
            self.seen.add(content)
            self.layers += 1
            try:
                below = Source(content)
            except NotTextError:
                continue
            yield from self.examine(below, layer + 1, f"{encoding}, {name}".strip(", "), line or at)
        if layer == 0:
            if self.budget.exhausted:
                self.reasons.append("over the budget for decoding")
            for reason in dict.fromkeys(self.reasons):
                yield refusal(self.file, reason, True)
            if self.other:
                # Cython's files are read for what they share with Python, and Python runs none of them.
                yield refusal(self.file, self.other, self.file.path.lower().endswith((".py", ".pyw")))

    def _items(self, source: Source, inner: list[tuple[bytes, str, int]]) -> Iterator[Item]:
        found: list[Item] = []
        text = source.text
        suspicious = obfuscation.worth(text)
        if not suspicious and not gate.worth(text):
            told: set[str] = set()
            for module, offset in gate.imported(source):
                if module not in told:
                    told.add(module)
                    found.append(self._import(source, module, offset, False))
        else:
            self._parsed(source, found, inner)
        found.sort(key=lambda one: one[0])
        yield from found

    @staticmethod
    def _import(source: Source, module: str, offset: int, dynamic: bool) -> Item:
        attributes: dict[str, Value] = {
            "module": shortened(module)[:120],
            "package": shortened(module).lstrip(".").partition(".")[0][:80],
            "form": gate.form(module),
        }
        if dynamic:
            attributes["dynamic"] = True
        end = source.text.find(b"\n", offset)
        return offset, "import.module", source.line(offset), attributes, offset, end if end >= 0 else len(source.text)

    def _parsed(self, source: Source, found: list[Item], inner: list[tuple[bytes, str, int]]) -> None:
        bindings = Bindings(source)
        evaluator = Evaluator(bindings)
        if bindings.cut:
            self.reasons.append("more calls or names than are followed")
        if not self.layers and (odd := not_understood(bindings.tree.root_node)):
            self.other = words(*odd, "Python")
        told: set[str] = set()
        for one in bindings.imports:
            module = f"{'.' * one.level}{one.module}"
            for possible in (module, _below(module, one.name)):
                if possible and possible not in told:
                    told.add(possible)
                    found.append(self._import(source, possible, one.offset, False))
        scopes = Scopes(bindings)
        keys: set[tuple[str, str]] = set()

        def add(kind: str, offset: int, end: int, attributes: dict[str, Value]) -> None:
            attributes = {**attributes, "scope": scopes.of(offset)}
            key = (kind, repr(sorted(attributes.items())))
            if key in keys:
                return
            keys.add(key)
            found.append((offset, kind, source.line(offset), attributes, offset, end))

        events: list[Event] = []
        for node in chosen_calls(bindings):
            call = Call(evaluator, node)
            if call.api in ("__import__", "importlib.import_module", "import_module", "importlib.__import__"):
                name = call.value(0, "name").string
                if name is not None and name not in told:
                    told.add(name)
                    found.append(self._import(source, name, node.start_byte, True))
                continue
            for kind, attributes in effects(call, events):
                add(kind, node.start_byte, node.end_byte, attributes)
            packed = call.value(0).constant if call.api == "marshal.loads" else None
            if isinstance(packed, bytes):  # the code object lies in the text itself
                add("obfuscation.form", node.start_byte, node.end_byte, {"form": "bytecode", "length": len(packed)})
                self.reasons.append("bytecode is not examined")
        for node in bindings.exec_statements:
            self._statement(evaluator, node, events, add)
        for event in events:
            if event.kind in ("run", "compile"):
                self._layers(source, event, inner)
        for kind, offset, attributes in environment(bindings, evaluator):
            add(kind, offset, offset + 120, attributes)
        for kind, offset, attributes in chains(bindings, events):
            add(kind, offset, offset + 200, attributes)
        runs = [event for event in events if event.kind in ("run", "process", "compile")]
        for kind, offset, end, attributes, content in obfuscation.facts(bindings, evaluator, self.budget, runs):
            add(kind, offset, end, attributes)
            if content:
                inner.append((content, str(attributes.get("encoding", "")), source.line(offset)))
        if evaluator.steps <= 0:
            self.reasons.append("more expressions than are followed")

    @staticmethod
    def _layers(source: Source, event: Event, inner: list[tuple[bytes, str, int]]) -> None:
        """Text that is run and known in full is a layer of its own."""
        code = event.content
        text = code.constant
        if isinstance(text, str | bytes) and 8 < len(text) < 1 << 22:
            content = text.encode("utf-8", "replace") if isinstance(text, str) else text
            names = [
                one.detail for one in sorted(code.all_origins(), key=lambda one: one.offset) if one.kind == "decode"
            ]
            inner.append((content, ", ".join(names) or "text", source.line(event.node.start_byte)))

    @staticmethod
    def _statement(evaluator: Evaluator, node: Node, events: list[Event], add: _Add) -> None:
        """`exec code` as Python 2 spells it."""
        held = node.child_by_field_name("code") or (node.named_children[0] if node.named_child_count else None)
        if held is None:
            return
        code = evaluator.value(held)
        literal = isinstance(code.constant, str | bytes)
        add("capability.dynamic-code", node.start_byte, node.end_byte, {"api": "exec", "literal": literal})
        events.append(Event("run", "exec", node, code, code, ""))


def _below(module: str, name: str) -> str:
    """A name that is imported out of a module, as the module that it may be; empty where it cannot be one."""
    if not name or name == "*" or not name.islower() or gate.form(module) == "builtin":
        return ""
    return f"{module}{name}" if module.endswith(".") else f"{module}.{name}"


def chosen_calls(bindings: Bindings) -> Iterator[Node]:
    """The calls that may be of an interface in the tables, told by their first and last names."""
    aliases = {name for (_, name), module in bindings.aliases.items() if module.partition(".")[0] in gate.MODULES}
    bound = {name for _, name in bindings.names}
    text = bindings.source.text
    for call in bindings.calls:
        callee = call.child_by_field_name("function")
        if callee is None:
            continue
        kind = callee.type
        if kind == "identifier":
            name = text[callee.start_byte : callee.end_byte].decode("utf-8", "replace")
            if name in aliases or name in gate.BUILTINS or (name in bound and name not in bindings.by_name):
                yield call
        elif kind == "attribute":
            last = callee.child_by_field_name("attribute")
            name = text[last.start_byte : last.end_byte].decode("utf-8", "replace") if last is not None else ""
            if name in gate.METHODS or bindings.root(callee) in aliases or bindings.root(callee) in gate.OPENERS:
                yield call
        else:
            yield call


_ENVIRON = re.compile(rb"(?<![\w.])(?:os\s*\.\s*environb?|environb?)(?![\w])")


def _spelled(name: str) -> bytes:
    return re.escape(name.encode())


_METHOD = re.compile(rb"\s*\.\s*(?:get|pop|setdefault|copy|items|values|update|keys|putenv)\b")


def environment(bindings: Bindings, evaluator: Evaluator) -> Iterator[tuple[str, int, dict[str, Value]]]:
    """Reads of the environment that are no calls: by key, and as a whole where it is handed on."""
    text = bindings.source.text
    if b"environ" not in text:
        return
    others = {name for (_, name), module in bindings.aliases.items() if module.removesuffix("b") == "os.environ"}
    others |= {f"{name}.environ" for (_, name), module in bindings.aliases.items() if module == "os"}
    others -= {"environ", "environb", "os.environ"}
    pattern = _ENVIRON
    if others:
        pattern = re.compile(
            rb"(?<![\w.])(?:os\s*\.\s*environb?|environb?|%s)(?!\w)" % b"|".join(sorted(map(_spelled, others)))
        )
    for found in pattern.finditer(text):
        if _METHOD.match(text, found.end()):
            continue
        node = bindings.tree.root_node.descendant_for_byte_range(found.start(), found.end())
        if node is None or node.type not in ("attribute", "identifier"):
            continue
        if node.type == "identifier" and evaluator.value(node).api not in ("os.environ", "os.environb"):
            continue
        above = node.parent
        if above is None or above.type in ("import_from_statement", "dotted_name", "comparison_operator"):
            continue
        if above.type == "subscript":
            outer = above.parent
            if outer is not None and outer.type in ("assignment", "delete_statement", "augmented_assignment"):
                left = outer.child_by_field_name("left")
                if outer.type == "delete_statement" or (left is not None and left.id == above.id):
                    continue
            key = evaluator.value(above.child_by_field_name("subscript")).string
            name = key[:80] if key else "\u2026"
            yield "capability.environment-read", found.start(), {"name": name, "whole": False}
        elif above.type in (
            "argument_list",
            "assignment",
            "keyword_argument",
            "dictionary_splat",
            "return_statement",
            "pair",
        ):
            whole = not handed_on(bindings, node)
            yield "capability.environment-read", found.start(), {"name": "*", "whole": whole}


class Scopes:
    """Which code runs when the file is loaded: what lies outside of functions, and what is called from there."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        guard = _MAIN.search(bindings.source.text)
        self.guard = guard.start() if guard else len(bindings.source.text) + 1
        self.run: set[int] = set()
        calls: dict[int, set[str]] = {}
        for call in bindings.calls:
            callee = call.child_by_field_name("function")
            start = call.start_byte
            if callee is not None and callee.type == "identifier":
                inside = bindings.function_at(start)
                if inside >= 0 or start < self.guard:
                    calls.setdefault(inside, set()).add(bindings.text(callee))
        waiting = [-1]
        while waiting:
            for name in calls.get(waiting.pop(), ()):
                for number in bindings.by_name.get(name, ()):
                    if number not in self.run:
                        self.run.add(number)
                        waiting.append(number)

    def of(self, offset: int) -> str:
        """`top` or `function`."""
        inside = self.bindings.function_at(offset)
        if inside < 0:
            return "top" if offset < self.guard else "function"
        if inside in self.run or self.bindings.functions[inside].node.type == "lambda":
            outer = self.bindings.functions[inside].outer
            return "top" if outer < 0 or outer in self.run else "function"
        return "function"
