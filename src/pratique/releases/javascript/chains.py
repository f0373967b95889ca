"""What belongs together: content that flows from where it is read to where it is sent or run.

A chain `within` flow rests on a value that flows; one within a function or a file rests on both ends lying there, and
is told for ends alone that mean something by themselves: all variables, a place of credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pratique.model.release import Fact, Value
from pratique.releases.javascript.bindings import Binding
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.effects import defanged
from pratique.releases.javascript.evaluate import Evaluator
from pratique.releases.javascript.interfaces import FETCHES, command, destination
from pratique.releases.javascript.places import METADATA, SECRET_NAME
from pratique.releases.javascript.uses import Use
from pratique.releases.javascript.values import NOTHING, Known, Origin

if TYPE_CHECKING:
    from tree_sitter import Node

SENDS = re.compile(
    r"#(?:https?|http2|net|tls|dgram|ws|socket\.io-client)(?:\.\w+)*\(\)(?:\.\w+\(\))*\.(?:write|end|send|emit)"
    r"|(?:XMLHttpRequest|WebSocket)\(\)\.(?:send|open)|navigator\.sendBeacon"
    r"|#dns\.(?:lookup|resolve\w*)|#dns\.Resolver\(\)\.resolve\w*"
)
RUNS = re.compile(
    r"eval|Function|#vm\.(?:runIn\w+|Script|compileFunction)|module\._compile|setTimeout|setInterval"
    r"|(?:module\.constructor|#module(?:\.Module)?)(?:\(\))?(?:\.prototype)?\._compile|importScripts"
)
PIPED = re.compile(
    r"(?:curl|wget|fetch|iwr|Invoke-WebRequest)\b[^\n]{0,300}?(?:\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\|\s*(?:node|python3?|perl)\b"
    r"|\|\s*iex\b)|\b(?:ba|z)?sh\s+-c\s+[\"']?\$\((?:curl|wget)\b|\biex\s*\(?[^\n]{0,80}(?:DownloadString|iwr|irm)\b"
    r"|(?:curl|wget|Invoke-WebRequest|iwr|bitsadmin|certutil)\b[^\n]{0,300}(?:-o|-O|--output|-OutFile|-urlcache)[^\n]{0,200}?"
    r"(?:&&|;|\n)\s*(?:chmod\b|(?:ba|z)?sh\b|\./|node\b|python|start\b|powershell\b)",
    re.IGNORECASE,
)
SPELT = 8
"""So many single characters by their numbers spell something."""
ENCODED = re.compile(
    rb"(?:(?:0x[0-9a-fA-F]{1,4}|\d{1,5})\s*,\s*){16}"  # a list of numbers
    rb"|[\"'`][^\s\"'`(){}<>;|$]{40}"  # a text without words
    rb"|(?:\\[xu]\{?[0-9a-fA-F]{2,5}\}?){12}"
    rb"|[\xf3][\xa0\x80-\xbf]|(?:[\xe2\xef][\x80-\xbf]{2}){12}"  # characters that are not seen
)
"""Something in a file that there is to decode."""
NO_CODE = re.compile(
    r"^(?:__dirname|__filename|import\.meta|\.\.?/)(?![^?]*\.(?:[cm]?[jt]sx?|node|wasm|html?|ejs|vue)$)"
    r"[^?]*\.\w+$"
)
"""A file of the package that is not named as one of code, or of templates that are made into code."""
LARGEST_FUNCTION = 8_000
"""Bytes of a function, above which two ends in it say nothing."""
LARGEST_FILE = 100_000
"""Bytes of a file, above which two ends in it say nothing."""


class Placed(NamedTuple):
    """A capability at a place, as it was found."""

    kind: str
    use: Use
    attributes: dict[str, Value]


class Chains:
    """The chains of one file."""

    def __init__(self, evaluator: Evaluator, placed: list[Placed], uses: list[Use]) -> None:
        self.evaluator = evaluator
        self.source = evaluator.source
        self.placed = placed
        self.uses = uses
        self._told: set[tuple[str, int]] = set()

    def all(self) -> Iterator[Fact]:
        """Every chain, those that flow first."""
        kinds = {one.kind for one in self.placed}
        yield from self._runs()
        if "capability.network" in kinds or any(SENDS.fullmatch(use.api) for use in self.uses):
            if any(secret_fact(one) for one in self.placed):
                yield from self._sent()
            if kinds & {"capability.process", "capability.dynamic-code", "capability.file-write"}:
                yield from self._fetched()
        yield from self._hidden()

    # secrets that are sent

    def _sent(self) -> Iterator[Fact]:
        for use in self.uses:
            if use.role not in {"call", "new"}:
                continue
            fetches, sends = FETCHES.fullmatch(use.api), SENDS.fullmatch(use.api)
            if not fetches and not sends:
                continue
            nodes = argument_nodes(use.node)
            for carried, known in self._parts(nodes, sends is not None):
                secrets = [one for one in known.all_origins() if secret(one)]
                if not secrets:
                    continue
                encoded = any(one.kind == "encode" for one in known.all_origins())
                where = destination([self.evaluator.value(one) for one in nodes[:2]])
                yield from self._secret(use, secrets, carried, encoded, where)
                break
        yield from self._beside()

    def _parts(self, nodes: list[Node], sends: bool) -> Iterator[tuple[str, Known]]:
        headers: list[Known] = []
        for place, node in enumerate(nodes[:4]):
            known = self.evaluator.value(node)
            if known.function is not None:
                continue
            fields = known.fields or {}
            if fields and not sends:
                rest = {name: one for name, one in fields.items() if name not in _NOT_BODY}
                headers.extend(one for name, one in fields.items() if name in {"headers", "auth", "agent"})
                yield "body", Known(fields=rest, origins=known.origins)
            else:
                yield "url" if place == 0 and not sends else "body", known
        for one in headers:
            yield "header", one

    def _secret(self, use: Use, secrets: list[Origin], carried: str, encoded: bool, where: str) -> Iterator[Fact]:
        read = "credential-read" if any(one.kind == "credential" for one in secrets) else "environment-read"
        steps = [read, *(["encode"] if encoded else []), "network"]
        yield from self._fact(
            "chain.secret-to-network", use.node, steps, "flow", [one.offset for one in secrets],
            destination=defanged(where), carried=carried,
            secret=", ".join(sorted({one.detail for one in secrets}))[:120],
        )  # fmt: skip

    def _beside(self) -> Iterator[Fact]:
        """Ends that lie together without a value that was seen to flow."""
        if any(kind == "chain.secret-to-network" for kind, _ in self._told):
            return
        secrets = [one for one in self.placed if one.kind == "capability.credential-read"]
        secrets = [one for one in secrets if one.attributes.get("place") != "environment-file"]
        secrets += [one for one in self.placed if one.attributes.get("whole") and self._values(one.use)]
        sends = [one for one in self.placed if one.kind == "capability.network" and one.attributes.get("sends")]
        sends += [Placed("capability.network", use, {}) for use in self.uses if SENDS.fullmatch(use.api)]
        best: tuple[str, Placed, Placed] | None = None
        for one in secrets:
            for other in sends:
                if one.use.node == other.use.node:
                    continue
                same = self._together(one.use.node, other.use.node)
                if same or (one.kind == "capability.credential-read" and len(self.source.content) <= LARGEST_FILE):
                    best = ("function" if same else "file", one, other)
                    break
            if best is not None and best[0] == "function":
                break
        if best is None:
            return
        within, one, other = best
        read = one.kind.removeprefix("capability.")
        yield from self._fact(
            "chain.secret-to-network", other.use.node, [read, "network"], within, [one.use.node.start_byte],
            destination=str(other.attributes.get("destination", "")),
            secret=str(one.attributes.get("place") or one.attributes.get("name", "")),
        )  # fmt: skip

    def _values(self, use: Use) -> bool:
        """Whether all variables are handed on with their values, not their names alone."""
        path = self.source.path(use.node)
        if use.role not in {"passed", "read"} or len(path) < 3:
            return False
        callee = path[-3].child_by_field_name("function") if path[-3].type == "call_expression" else None
        return callee is None or self.source.text(callee, 40) != "Object.keys"

    def _together(self, one: Node, other: Node) -> bool:
        """Whether the nearest function around one of two nodes holds the other, and is no module of a bundle."""
        for near, far in ((one, other), (other, one)):
            above = self.source.function_of(near)
            if above is not None and above.start_byte <= far.start_byte < above.end_byte:
                return above.end_byte - above.start_byte < LARGEST_FUNCTION
        return False

    # what is decoded or fetched, and run

    def _runs(self) -> Iterator[Fact]:
        for use in self.uses:
            if use.role not in {"call", "new", "passed"} or not RUNS.fullmatch(use.api):
                continue
            origins = self._run(use)
            if not origins:
                continue
            decoded = self._decoded(origins)
            fetched = [one for one in origins if one.kind == "download"]
            if fetched:
                steps = ["download", *(["decode"] if decoded else []), "dynamic-code"]
                offsets = [one.offset for one in fetched]
                where = next((one.detail for one in fetched if one.detail), "")
                yield from self._fact(
                    "chain.download-to-run", use.node, steps, "flow", offsets, destination=defanged(where)
                )
            elif decoded:
                offsets = [one.offset for one in decoded]
                yield from self._fact("chain.decode-to-run", use.node, ["decode", "dynamic-code"], "flow", offsets)
            elif kept := [one for one in origins if one.kind == "file" and NO_CODE.search(one.detail)]:
                offsets, where = [one.offset for one in kept], kept[0].detail
                yield from self._fact(
                    "chain.file-to-run", use.node, ["file-read", "dynamic-code"], "flow", offsets, file=where
                )
        for one in self.placed:
            if one.kind == "capability.process":
                yield from self._started(one.use)

    def _decoded(self, origins: frozenset[Origin]) -> list[Origin]:
        """What was decoded of a text that is run.

        A character by its number is how signs are written that need care, unless a whole word is spelt so. Numbers that
        become characters are how every parser reads escapes, unless the file holds something that is encoded.
        """
        decoded = [one for one in origins if one.kind == "decode" and one.detail != "percent"]
        if sum(one.detail == "character" for one in decoded) < SPELT:
            decoded = [one for one in decoded if one.detail != "character"]
        if all(one.detail == "numbers" for one in decoded) and ENCODED.search(self.source.content) is None:
            return []
        return decoded

    def _run(self, use: Use) -> frozenset[Origin]:
        if use.role == "passed":
            return self._handed(use.node)
        nodes = argument_nodes(use.node)
        if use.api == "Function":
            nodes = nodes[-1:]
        origins = NOTHING
        for node in nodes[:1]:
            known = self.evaluator.value(node)
            if known.function is None:
                origins |= known.all_origins()
        return origins

    def _handed(self, node: Node) -> frozenset[Origin]:
        """Where content is from that an interface is given, which is itself given away: `.then(eval)`."""
        path = self.source.path(node)
        if len(path) < 3 or path[-3].type != "call_expression":
            return NOTHING
        callee = path[-3].child_by_field_name("function")
        if callee is None or callee.type != "member_expression":
            return NOTHING
        return self.evaluator.value(callee.child_by_field_name("object")).all_origins()

    def _started(self, use: Use) -> Iterator[Fact]:
        arguments = [self.evaluator.value(one) for one in argument_nodes(use.node)[:2]]
        line = command(arguments)
        if PIPED.search(line):
            yield from self._fact("chain.download-to-run", use.node, ["download", "process"], "flow", [])
            return
        origins = NOTHING
        for one in arguments:
            origins |= one.origins
            for item in one.items or ():
                origins |= item.origins
        fetched = [one for one in origins if one.kind == "download"]
        decoded = [one for one in origins if one.kind == "decode" and one.detail not in {"percent", "bytes"}]
        if fetched:
            yield from self._fact(
                "chain.download-to-run", use.node, ["download", "process"], "flow", [one.offset for one in fetched],
                destination=defanged(fetched[0].detail),
            )  # fmt: skip
        elif decoded and arguments[0].string is not None and set(decoded) & arguments[0].origins:
            yield from self._fact(
                "chain.decode-to-run", use.node, ["decode", "process"], "flow", [one.offset for one in decoded]
            )

    # what is fetched, written and run

    def _fetched(self) -> Iterator[Fact]:
        written = [one for one in self.placed if one.kind == "capability.file-write"]
        for one in written:
            api = one.use.api.rsplit(".", 1)[-1]
            if api.startswith(("chmod", "symlink", "rename", "copy", "cp", "move")):
                continue
            nodes = argument_nodes(one.use.node)
            if not nodes:
                continue
            fetched = self._content(one.use, nodes)
            if not fetched:
                continue
            path = self.evaluator.value(nodes[0])
            for run in self._run_of(nodes[0], path):
                offsets = [*(origin.offset for origin in fetched), one.use.node.start_byte]
                where = next((origin.detail for origin in fetched if origin.detail), "")
                ended = "process" if run.kind == "capability.process" else "import"
                yield from self._fact(
                    "chain.download-to-run", run.use.node, ["download", "file-write", ended], "flow", offsets,
                    destination=defanged(where),
                )  # fmt: skip

    def _content(self, use: Use, nodes: list[Node]) -> list[Origin]:
        """The downloads among what is written by a call."""
        origins = NOTHING
        for node in nodes[1:2]:
            origins |= self.evaluator.value(node).all_origins()
        if use.api.endswith("createWriteStream"):
            for receiver in self._piped(use.node):
                origins |= self.evaluator.value(receiver).all_origins()
        return [one for one in origins if one.kind == "download"]

    def _piped(self, node: Node) -> Iterator[Node]:
        """What is piped into a stream: the receivers of `.pipe(stream)`."""
        path = self.source.path(node)
        places = [node]
        if len(path) > 1 and path[-2].type == "variable_declarator":
            name = path[-2].child_by_field_name("name")
            binding = self.evaluator.bindings.resolve(name) if name is not None else None
            places = binding.mentions if binding is not None else []
        for place in places[:40]:
            above = self.source.path(place)
            if len(above) > 2 and above[-2].type == "arguments" and above[-3].type == "call_expression":
                callee = above[-3].child_by_field_name("function")
                if callee is None:
                    continue
                name = callee.child_by_field_name("property")
                if callee.type == "member_expression" and name is not None and self.source.text(name) == "pipe":
                    receiver = callee.child_by_field_name("object")
                    if receiver is not None:
                        yield receiver
                elif self.source.text(callee).endswith("pipeline"):
                    yield from argument_nodes(above[-3])[:1]

    def _run_of(self, node: Node, path: Known) -> Iterator[Placed]:
        """Processes and imports of what lies at a path: the same text, or the same name."""
        text = path.text.strip("/.~ ")
        if "\ufffc" in text or "\n" in text:
            text = ""
        binding = self.evaluator.bindings.resolve(node) if node.type == "identifier" else None
        for one in self.placed:
            if one.kind not in {"capability.process", "import.dynamic"}:
                continue
            for argument in argument_nodes(one.use.node)[:2]:
                known = self.evaluator.value(argument)
                line = command([known]) if known.items is not None else known.text
                if (len(text) > 5 and text in line) or (binding is not None and self._mentions(argument, binding)):
                    yield one
                    break

    def _mentions(self, argument: Node, binding: Binding) -> bool:
        """Whether an expression names the same variable."""
        if argument.end_byte - argument.start_byte > 400:
            return False
        return any(
            argument.start_byte <= mention.start_byte < argument.end_byte
            and self.evaluator.bindings.resolve(mention) is binding
            for mention in binding.mentions
        )

    # what hides

    def _hidden(self) -> Iterator[Fact]:
        traces = [one for one in self.placed if one.kind in {"capability.self-delete", "capability.manifest-swap"}]
        runs = [one for one in self.placed if one.kind == "capability.process"]
        runs += [one for one in self.placed if one.kind == "capability.dynamic-code" and RUNS.fullmatch(one.use.api)]
        if not traces or not runs:
            return
        trace = traces[0]
        near = next((one for one in runs if self._together(one.use.node, trace.use.node)), runs[0])
        within = "function" if self._together(near.use.node, trace.use.node) else "file"
        steps = [near.kind.removeprefix("capability."), trace.kind.removeprefix("capability.")]
        yield from self._fact("chain.run-and-hide", trace.use.node, steps, within, [near.use.node.start_byte])

    def _fact(
        self, kind: str, node: Node, steps: list[str], within: str, offsets: list[int], **attributes: Value
    ) -> Iterator[Fact]:
        marker = (kind, node.start_byte)
        if marker in self._told:
            return
        self._told.add(marker)
        lines = sorted({self.source.line(one) for one in offsets} | {self.source.line(node.start_byte)})
        yield self.source.fact(
            kind, node, steps=", ".join(steps), within=within, lines=", ".join(map(str, lines[:12])),
            **{name: value for name, value in attributes.items() if value != ""},
        )  # fmt: skip


_NOT_BODY = frozenset(
    {"headers", "auth", "agent", "hostname", "host", "port", "method", "protocol", "ca", "cert", "key", "dispatcher",
     "signal", "timeout", "env", "proxy", "httpsAgent", "httpAgent", "rejectUnauthorized", "baseURL", "token"}
)  # fmt: skip


def secret(origin: Origin) -> bool:
    """Whether content of this origin is secret by itself."""
    if origin.kind == "environment":
        return origin.detail == "*" or SECRET_NAME.match(origin.detail) is not None
    if origin.kind == "download":
        return METADATA.search(origin.detail) is not None
    return origin.kind == "credential"


def secret_fact(placed: Placed) -> bool:
    """Whether a fact says that a secret is read."""
    if placed.kind == "capability.credential-read":
        return True
    name = str(placed.attributes.get("name", ""))
    return placed.kind == "capability.environment-read" and secret(Origin("environment", name, 0))
