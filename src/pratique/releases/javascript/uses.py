"""Where the interfaces that matter are used, however they are named: followed forwards from the words they begin with.

A root is a word such as `require`, `process`, `fetch`. What it gives is followed through members, brackets with
constant text, declarations, destructuring, assignments, objects and immediately called functions, to where it is
called, read or handed on.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple

from pratique.releases.javascript.bindings import IDENTIFIERS, key_text
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.evaluate import Evaluator
from pratique.releases.javascript.functions import sites
from pratique.releases.javascript.interfaces import called, member_of, module, named, through
from pratique.releases.javascript.source import FUNCTIONS, first
from pratique.releases.javascript.values import Known

if TYPE_CHECKING:
    from tree_sitter import Node

ROOTS = re.compile(
    rb"(?<![\w$])(?:from(?=\s*['\"])|import(?=\s*['\"(.])|require|process|globalThis|global|window|self|eval|Function|fetch|XMLHttpRequest|WebSocket"
    rb"|EventSource|navigator|Deno|Bun|Reflect|module|atob|unescape|setTimeout|setInterval|WebAssembly|importScripts"
    rb"|Buffer|btoa|constructor)(?![\w$])(?!\.env\.NODE_ENV|\.exports|\s*:)"
)
MOST_USES = 20_000
FOLLOWED = 300
"""Mentions of one name that are followed."""

_TRANSPARENT = frozenset(
    {
        "parenthesized_expression", "await_expression", "non_null_expression", "as_expression", "satisfies_expression",
        "type_assertion", "spread_element_",
    }
)  # fmt: skip


class Use(NamedTuple):
    """An interface at a place. `role` is call, new, read, assigned, passed, import; `node` the whole expression."""

    api: str
    node: Node
    role: str


class Uses:
    """The uses of interfaces in one file, in order of the roots."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.source = evaluator.source
        self.cut = False
        """Whether uses were left out."""
        self._left = 20_000 + len(self.source.content) // 20
        self._followed: set[tuple[int, str, str]] = set()
        self._queue: deque[tuple[Node, Known, tuple[str, ...]]] = deque()

    def all(self) -> Iterator[Use]:
        """Every use."""
        count = 0
        for match in ROOTS.finditer(self.source.content):
            raw = match.group()
            yield from self._root(match.start(), match.end(), raw.decode())
            while self._queue:
                node, known, pending = self._queue.popleft()
                count += 1
                for use in self._climb(node, known, pending):
                    count += 1
                    yield use
                if count > MOST_USES:
                    self.cut = True
                    return

    def _root(self, start: int, end: int, name: str) -> Iterator[Use]:
        leaf = self.source.root.descendant_for_byte_range(start, end)
        if leaf is None or leaf.end_byte - leaf.start_byte != end - start:
            return
        if name in {"import", "from"}:
            yield from self._import(leaf)
            return
        if name == "constructor":
            if leaf.type == "property_identifier":
                path = self.source.path(leaf)
                if len(path) > 1 and path[-2].type == "member_expression":
                    known = self.evaluator.value(path[-2])
                    self._queue.append((path[-2], known if known.api else Known(api="?.constructor"), ()))
            return
        if leaf.type not in IDENTIFIERS or leaf.type == "shorthand_property_identifier_pattern":
            return
        path = self.source.path(leaf)
        if len(path) < 2 or (path[-2].type in {"formal_parameters", "variable_declarator"} and leaf == first(path[-2])):
            return
        if name not in {"require", "process", "module", "Buffer"}:
            binding = self.evaluator.bindings.resolve(leaf)
            if binding is not None and binding.declared:
                return
        known = named(name, start)
        if name in {"globalThis", "global", "window", "self"}:
            known = Known(api="globalThis")
        self._queue.append((leaf, known, ()))

    def _import(self, leaf: Node) -> Iterator[Use]:
        path = self.source.path(leaf)
        if len(path) > 2 and path[-2].type == "import":
            path = path[:-1]
            leaf = path[-1]
        if len(path) < 2:
            return
        if path[-2].type in {"import_statement", "export_statement", "from_clause"}:
            statement = path[-2] if path[-2].type != "from_clause" else path[-3]
            source = statement.child_by_field_name("source")
            text = self.source.text(source)[1:-1] if source is not None else ""
            if not text:
                return
            yield Use(text, statement, "import")
            if any(child.type == "type" for child in statement.children[:3]):
                return
            for clause in statement.named_children:
                if clause.type == "import_clause":
                    for name in self._names(clause):
                        self._name(
                            name[0],
                            member_of(Known(api=module(text)), name[1], 0) if name[1] else Known(api=module(text)),
                            (),
                        )
        elif path[-2].type == "call_expression":
            self._queue.append((leaf, Known(api="import"), ()))
        elif path[-2].type in {"meta_property", "member_expression"} or path[-1].type == "meta_property":
            meta = path[-2] if path[-2].type == "meta_property" else path[-1]
            self._queue.append((meta, Known(api="import.meta"), ()))

    def _names(self, clause: Node) -> Iterator[tuple[Node, str]]:
        for child in clause.named_children:
            if child.type == "identifier":
                yield child, "default"
            elif child.type == "namespace_import":
                name = first(child)
                if name is not None:
                    yield name, ""
            elif child.type == "named_imports":
                for one in child.named_children:
                    name = one.child_by_field_name("name")
                    alias = one.child_by_field_name("alias") or name
                    if name is not None and alias is not None:
                        yield alias, key_text(self.source, name)

    def _climb(self, node: Node, known: Known, pending: tuple[str, ...]) -> Iterator[Use]:
        """Follow one expression outwards to what is done with it."""
        path = self.source.path(node)
        if not path:
            return
        place = len(path) - 2
        current = node
        while place >= 0:
            above = path[place]
            kind = above.type
            if kind in _TRANSPARENT:
                pass
            elif kind == "member_expression" and current == above.child_by_field_name("object"):
                name = above.child_by_field_name("property")
                key = self.source.text(name, 200) if name is not None else ""
                step = self._step(known, pending, key, above.start_byte)
                if step is None:
                    return
                known, pending = step
                if not pending and not MATTERS.match(known.api):
                    return
            elif kind == "subscript_expression" and current == above.child_by_field_name("object"):
                index = self.evaluator.value(above.child_by_field_name("index"))
                key = index.string if index.string is not None else index.text or "?"
                step = self._step(known, pending, key, above.start_byte)
                if step is None:
                    return
                known, pending = step
            elif pending and kind not in {"variable_declarator", "pair", "object", "assignment_expression"}:
                return
            elif kind in {"call_expression", "new_expression"} and current == (
                above.child_by_field_name("function") or above.child_by_field_name("constructor")
            ):
                role = "new" if kind[0] == "n" else "call"
                last = known.api.rsplit(".", 1)[-1]
                arguments = argument_nodes(above)
                if last in {"call", "apply", "bind"} and known.api.count("."):
                    known = Known(api=known.api.rsplit(".", 1)[0])
                    if last == "bind":
                        current = above
                        place -= 1
                        continue
                if last == "then" and known.api.count("."):
                    known = Known(api=known.api.rsplit(".", 1)[0], origins=known.origins)
                    for one in arguments[:1]:
                        if one.type in FUNCTIONS:
                            self._parameter(one, 0, known)
                    return
                yield Use(known.api, above, role)
                result = self._result(known, above, arguments, role)
                if not result.api or result.api in {"file()", "output()"}:
                    return
                if result.api.endswith("()") and not _KEPT.search(result.api):
                    return
                known = result
            elif kind == "arguments" and place > 0:
                handed = yield from self._argument(path, place, current, known)
                if handed is None:
                    return
                known = handed
                place -= 1
                above = path[place]
            elif kind == "variable_declarator":
                name = above.child_by_field_name("name")
                if current != name and name is not None:
                    yield from self._bind(name, known, pending)
                    if known.api in {"process.env"} and name.type != "identifier":
                        return
                return
            elif kind in {"assignment_expression", "augmented_assignment_expression"}:
                left = above.child_by_field_name("left")
                if current == left:
                    yield Use(known.api, above, "assigned")
                elif left is not None:
                    yield from self._assigned(left, known, pending)
                    if known.api == "process.env" and left.type not in {"identifier"}:
                        yield Use(known.api, current, "read")
                return
            elif kind == "pair" and current == above.child_by_field_name("value"):
                name = above.child_by_field_name("key")
                key = key_text(self.source, name) if name is not None else ""
                if known.origins:
                    yield Use(known.api, current, "read")
                if not key or place < 1:
                    return
                pending = (key, *pending)
            elif kind == "object" and pending:
                pass
            elif kind in {"sequence_expression", "ternary_expression"} or (
                kind == "binary_expression" and self._chooses(above, current)
            ):
                if kind == "sequence_expression" and current.end_byte < above.end_byte:
                    return
            elif kind == "optional_chain":
                pass
            else:
                if kind != "unary_expression" or not self.source.text(above, 8).startswith(("typeof", "delete")):
                    yield Use(known.api, current, "read")
                if kind in {"arrow_function", "return_statement"}:
                    self._returned(path, place, known)
                return
            current = above
            place -= 1

    def _chooses(self, node: Node, operand: Node) -> bool:
        operator = node.child_by_field_name("operator") if node.type == "binary_expression" else None
        sign = self.source.text(operator) if operator is not None else ""
        return sign in {"||", "??"} or (sign == "&&" and operand.end_byte == node.end_byte)

    def _step(
        self, known: Known, pending: tuple[str, ...], key: str, offset: int
    ) -> tuple[Known, tuple[str, ...]] | None:
        if pending:
            return (known, pending[1:]) if pending[0] == key else None
        return member_of(known, key, offset), ()

    def _result(self, known: Known, call: Node, arguments: list[Node], role: str) -> Known:
        if known.api == "import":
            name = self.evaluator.value(arguments[0]).string if arguments else None
            return Known(api=module(name)) if name else Known()
        few = arguments[:2] if known.api in {"require", "Reflect.get"} else []
        return called(known, [self.evaluator.value(one) for one in few], call.start_byte, new=role == "new")

    def _argument(
        self, path: list[Node], place: int, current: Node, known: Known
    ) -> Generator[Use, None, Known | None]:
        call = path[place - 1]
        callee = call.child_by_field_name("function")
        name = self.source.text(callee, 80) if callee is not None else ""
        nodes = argument_nodes(call)
        index = nodes.index(current) if current in nodes else -1
        if name == "await":
            return known
        if callee is not None and (through(name) or name.endswith(("promisify", "Promise.resolve"))):
            return known
        if name == "Reflect.get" and index == 0 and len(nodes) > 1:
            key = self.evaluator.value(nodes[1]).string
            return member_of(known, key, call.start_byte) if key else None
        if name in {"Reflect.apply", "Reflect.construct"} and index == 0:
            yield Use(known.api, call, "call")
            return None
        inner = callee
        while inner is not None and inner.type in {"parenthesized_expression", "member_expression"}:
            inner = first(inner)
        if inner is not None and inner.type in FUNCTIONS:
            shift = 1 if name.endswith(".call") else 0
            self._parameter(inner, index - shift, known)
        elif inner is not None and inner.type == "identifier" and callee is not None and callee.type == "identifier":
            target = self.evaluator.value(inner).function if known.api != "globalThis" else None
            if target is not None:
                self._parameter(target, index, known)
        yield Use(known.api, current, "passed")
        return None

    def _parameter(self, function: Node, index: int, known: Known) -> None:
        parameters = function.child_by_field_name("parameters")
        names = parameters.named_children if parameters is not None else [function.child_by_field_name("parameter")]
        if 0 <= index < len(names) and (name := names[index]) is not None:
            for _ in self._bind(name, known, ()):
                pass

    def _returned(self, path: list[Node], place: int, known: Known) -> None:
        function = next((one for one in reversed(path[: place + 1]) if one.type in FUNCTIONS), None)
        if function is None or known.origins:
            return
        for call, argument in sites(self.evaluator.bindings, function):
            key = (call.start_byte, known.api, "returned")
            if argument < 0 and key not in self._followed:
                self._followed.add(key)
                self._queue.append((call, known, ()))

    def _bind(self, pattern: Node, known: Known, pending: tuple[str, ...]) -> Iterator[Use]:
        if pattern.type == "identifier":
            self._name(pattern, known, pending)
            if known.origins and not pending:
                yield Use(known.api, pattern, "read")
        elif pattern.type in {"assignment_pattern", "object_assignment_pattern"}:
            left = pattern.child_by_field_name("left")
            if left is not None:
                yield from self._bind(left, known, pending)
        elif pattern.type == "required_parameter":
            inner = pattern.child_by_field_name("pattern")
            if inner is not None:
                yield from self._bind(inner, known, pending)
        elif pattern.type == "object_pattern":
            for child in pattern.named_children:
                step: tuple[Known, tuple[str, ...]] | None
                if child.type == "shorthand_property_identifier_pattern":
                    step = self._step(known, pending, self.source.text(child), child.start_byte)
                    target: Node | None = child
                elif child.type == "pair_pattern":
                    name = child.child_by_field_name("key")
                    step = self._step(known, pending, key_text(self.source, name) if name else "", child.start_byte)
                    target = child.child_by_field_name("value")
                elif child.type == "object_assignment_pattern":
                    target = child.child_by_field_name("left")
                    key = self.source.text(target) if target is not None else ""
                    step = self._step(known, pending, key, child.start_byte)
                else:
                    step, target = (known, pending), first(child)
                if step is None or target is None:
                    continue
                if target.type == "shorthand_property_identifier_pattern":
                    self._name(target, *step)
                    if step[0].origins:
                        yield Use(step[0].api, target, "read")
                else:
                    yield from self._bind(target, *step)

    def _assigned(self, left: Node, known: Known, pending: tuple[str, ...]) -> Iterator[Use]:
        if left.type in {"identifier", "object_pattern"}:
            yield from self._bind(left, known, pending)
        elif left.type == "member_expression":
            owner, name = left.child_by_field_name("object"), left.child_by_field_name("property")
            if owner is None or name is None:
                return
            key = self.source.text(name)
            if owner.type == "identifier" and key != "exports" and self.source.text(owner) != "exports":
                self._name(owner, known, (key, *pending))
            elif owner.type == "this":
                self._own(left, key, known, pending)

    def _own(self, node: Node, key: str, known: Known, pending: tuple[str, ...]) -> None:
        body = next((one for one in reversed(self.source.path(node)) if one.type == "class_body"), None)
        if body is None:
            return
        marker = (body.id, key, known.api)
        if marker in self._followed:
            return
        self._followed.add(marker)
        raw = b"this." + key.encode()
        pattern = re.compile(re.escape(raw) + rb"(?![\w$])")
        for number, match in enumerate(pattern.finditer(self.source.content, body.start_byte, body.end_byte)):
            if number > FOLLOWED:
                return
            leaf = self.source.leaf(match.start(), match.end())
            if leaf is not None and leaf.type == "member_expression" and leaf != node:
                self._queue.append((leaf, known, pending))

    def _name(self, name: Node, known: Known, pending: tuple[str, ...]) -> None:
        """Follow every mention of a name."""
        if not FOLLOWS.fullmatch(known.api) or len(pending) > (0 if known.api == "globalThis" else 2):
            return
        path = self.source.path(name)
        text = self.source.text(name)
        binding = self.evaluator.bindings.resolve(name)
        if binding is None or not binding.declared:
            binding = self.evaluator.bindings.of(self.source.root, text)
        if not path:
            return
        marker = (binding.scope.id, text, known.api + "/".join(pending))
        if marker in self._followed:
            return
        self._followed.add(marker)
        self._left -= len(binding.mentions)
        if self._left < 0:
            self.evaluator.spent = True
            return
        if pending and len(binding.mentions) > 80:
            return
        for mention in binding.mentions[:FOLLOWED]:
            if mention == name or mention.type == "shorthand_property_identifier_pattern":
                continue
            above = self.source.path(mention)
            if len(above) < 2 or (
                above[-2].type in {"variable_declarator", "assignment_expression"} and (mention == first(above[-2]))
            ):
                continue
            if len(text) < 3 or len(binding.mentions) < 40:
                other = self.evaluator.bindings.resolve(mention)
                if other is not None and other.scope != binding.scope:
                    continue
            self._queue.append((mention, known, pending))


MATTERS = re.compile(
    r"#|\?|(?:globalThis|require|eval|Function|fetch|process|XMLHttpRequest|WebSocket|EventSource|navigator|Deno|Bun"
    r"|Reflect|module|atob|btoa|unescape|setTimeout|setInterval|WebAssembly|importScripts|Buffer|ethereum|solana|tronWeb"
    r"|import)(?![\w$])"
)
"""Interfaces that can lead to one that can do something."""

FOLLOWS = re.compile(
    r"#(?:child_process|fs|https?2?|net|tls|dgram|dns|vm|zlib|crypto|module|worker_threads|os|buffer|process|inspector"
    r"|node-fetch|cross-fetch|undici|axios|got|request|needle|superagent|ky|phin|bent|isomorphic-fetch|ofetch|ws"
    r"|request-promise(?:-native)?|make-fetch-happen|minipass-fetch|follow-redirects|socket\.io-client|execa|cross-spawn"
    r"|shelljs|zx|tinyexec|nano-spawn|foreground-child|rimraf|del|clipboardy|libnpmpublish|util)(?:\.\w+)*(?:\(\))?"
    r"|globalThis|require(?:\.main|\.cache)?|eval|Function(?:\(\))?|fetch|process(?:\.env|\.binding(?:\(\))?|\.mainModule|\.argv)?"
    r"|(?:XMLHttpRequest|WebSocket)(?:\(\))?|XMLHttpRequest\.prototype(?:\.\w+)?|EventSource|navigator(?:\.\w+)?"
    r"|(?:Deno|Bun)(?:\.\w+)?|Reflect(?:\.\w+)?|module(?:\.constructor|\.require)?|atob|btoa|unescape|setTimeout|setInterval"
    r"|WebAssembly(?:\.\w+)?|importScripts|Buffer(?:\.from)?|ethereum|solana|import\.meta"
)
"""Interfaces whose names are followed: those that can do something, and all that are no modules."""

_KEPT = re.compile(
    r"^(?:#(?:https?2?|net|tls|ws|dgram|undici|child_process|zlib|crypto)\b|process\.binding|XMLHttpRequest|WebSocket|Buffer|Function)"
)
