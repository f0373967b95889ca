"""What a call gives: what pure functions make of constants, the interface that results, where its content is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pratique.releases.python import fold, interfaces, literals, places
from pratique.releases.python.values import GAP, NONE, NOTHING, Known, Names, Origin, either, joined

if TYPE_CHECKING:
    from tree_sitter import Node

    from pratique.releases.python.evaluate import Evaluator

_ENVIRONMENT = frozenset({"os.environ.get", "os.getenv", "os.environ.pop", "os.environ.setdefault", "os.getenvb"})
_WHOLE = frozenset({"os.environ", "os.environb", "os.environ.copy", "os.environ.items"})
_JOINS = frozenset(
    {"os.path.join", "posixpath.join", "ntpath.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"}
)
_SAME_PATH = frozenset(
    {"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expandvars", "os.fspath", "os.path.basename"}
    | {"pathlib.Path().resolve", "pathlib.Path().absolute", "pathlib.Path().as_posix", "str", "os.fsencode"}
    | {"pathlib.Path().with_suffix", "pathlib.Path().with_name"}
)
_EXPANDS = frozenset({"os.path.expanduser", "pathlib.Path().expanduser"})
_PARENT = frozenset({"os.path.dirname"})
_TEMPORARY = frozenset({"tempfile.gettempdir", "tempfile.mkdtemp", "tempfile.mktemp"})


class _Value(Protocol):
    def __call__(self, place: int, keyword: str = "") -> Known: ...


_CALLBACKS = frozenset({"threading.Thread", "multiprocessing.Process", "threading.Timer"})


def called(evaluator: Evaluator, node: Node, names: Names | None) -> Known:
    """What is known of the result of a call."""
    callee = evaluator.value(node.child_by_field_name("function"), names)
    positional, keywords = literals.arguments(evaluator.bindings, node)
    if callee.function >= 0 and not callee.api:
        return _own(evaluator, callee.function, positional, keywords, names)
    api = plain_name(callee.api)
    target = node.child_by_field_name("function")
    if target is not None and target.type == "attribute" and not callee.api.startswith("pathlib"):
        made = _method(evaluator, target, positional, names)
        if made is not None:
            return made
    return _known(evaluator, node, api, callee, positional, keywords, names)


def plain_name(api: str) -> str:
    """A dotted name as the tables spell it."""
    for before, after in (
        ("builtins.", ""),
        ("__builtins__.", ""),
        ("__builtin__.", ""),
        ("six.moves.urllib.", "urllib."),
        ("posix.", "os."),
        ("nt.", "os."),
    ):
        if api.startswith(before):
            return f"{after}{api[len(before) :]}"
    return api


def _own(
    evaluator: Evaluator, number: int, positional: list[Node], keywords: dict[str, Node], names: Names | None
) -> Known:
    """What a function of the file gives for these arguments."""
    function = evaluator.bindings.functions[number].node
    parameters = function.child_by_field_name("parameters")
    given: dict[str, Known] = {}
    spelled = [evaluator.bindings.root(one) for one in parameters.named_children] if parameters is not None else []
    spelled = [one for one in spelled if one not in ("self", "cls")]
    for name, argument in zip(spelled, positional, strict=False):
        given[name] = evaluator.value(argument, names)
    for name, argument in keywords.items():
        given[name] = evaluator.value(argument, names)
    return evaluator.result(number, given)


def _method(evaluator: Evaluator, target: Node, positional: list[Node], names: Names | None) -> Known | None:
    """What a method of a constant gives; None where its object is none, or the method is no pure one."""
    last = target.child_by_field_name("attribute")
    holder = target.child_by_field_name("object")
    if last is None or holder is None:
        return None
    name = evaluator.bindings.text(last)
    if name not in _METHODS:
        return None
    held = evaluator.value(holder, names)
    if name in ("items", "values", "keys"):
        if held.fields is None:
            return None
        if name == "values":
            return Known(items=tuple(held.fields.values()), origins=held.origins)
        pairs = tuple(
            Known(items=(Known(key), one)) if name == "items" else Known(key) for key, one in held.fields.items()
        )
        return Known(items=pairs, origins=held.origins)
    first = evaluator.value(positional[0], names) if positional else NONE
    value = held.constant
    if name == "join" and isinstance(value, str | bytes):
        between = value if isinstance(value, str) else value.decode("latin-1")
        parts = list(first.items) if first.items is not None else None
        if parts is None:
            return Known(origins=first.all_origins())
        made = joined(parts, between)
        return Known(made.constant, texts=made.texts, origins=made.origins | first.origins)
    if name == "format" and held.choices and not held.api:
        given = Known(items=tuple(evaluator.value(one, names) for one in positional))
        return literals.formatted(held, given)
    if not isinstance(value, str | bytes):
        if name in ("encode", "decode") and held.choices and not held.api:
            return Known(texts=held.choices, origins=held.origins)
        return None
    kept = held.origins
    if name == "encode" and isinstance(value, str):
        return Known(value.encode("utf-8", "replace"), origins=kept)
    if name == "decode" and isinstance(value, bytes):
        text = fold.text_of(value, first.plain if positional else "utf-8")
        return Known(text, origins=kept) if text is not None else Known(origins=kept)
    if name == "replace" and len(positional) >= 2:
        second = evaluator.value(positional[1], names).constant
        one = first.constant
        if isinstance(value, str) and isinstance(one, str) and isinstance(second, str) and one and len(value) < 1 << 20:
            return Known(value.replace(one, second), origins=kept) if len(second) <= 4 * len(one) else None
        return Known(origins=kept)
    if name in ("strip", "lstrip", "rstrip") and not positional:
        return Known(getattr(value, name)(), origins=kept)
    if name in ("lower", "upper"):
        return Known(value.lower() if name == "lower" else value.upper(), origins=kept)
    if name == "split" and isinstance(value, str) and len(value) < 1 << 18:
        by = first.string
        if by != "":
            pieces = value.split(by) if by is not None else value.split()
            return Known(items=tuple(Known(one) for one in pieces[: literals.MOST_ITEMS]), origins=kept)
    if name == "hex" and isinstance(value, bytes):
        return Known(value.hex(), origins=kept)
    return None


_METHODS = frozenset(
    {
        "items",
        "values",
        "keys",
        "join",
        "format",
        "encode",
        "decode",
        "replace",
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "split",
        "hex",
    }
)


def _known(
    evaluator: Evaluator,
    node: Node,
    api: str,
    callee: Known,
    positional: list[Node],
    keywords: dict[str, Node],
    names: Names | None,
) -> Known:
    def value(place: int, keyword: str = "") -> Known:
        if keyword and keyword in keywords:
            return evaluator.value(keywords[keyword], names)
        return evaluator.value(positional[place], names) if place < len(positional) else NONE

    offset = node.start_byte
    if api in interfaces.DECODES:
        return _decode(api, value(0), value(1), offset, callee)
    if api in ("__import__", "importlib.import_module", "importlib.__import__", "imp.load_module", "import_module"):
        name = value(0, "name").string
        return Known(api=name) if name and len(name) < 200 else Known(api="")
    if api == "getattr":
        outer, name = value(0), value(1).string
        return literals.attribute(evaluator, outer, name) if name else NONE
    if api in ("globals", "locals", "vars", "dir") or api.startswith("sys._getframe"):
        return Known(api=f"{api}()" if not positional else f"{value(0).api}.__dict__")
    if api in _ENVIRONMENT or api in ("os.environ.__getitem__",):
        made = literals.environment(value(0, "key").string or "", offset)
        default = value(1, "default")
        return either([made, default]) if default.choices else made
    if api in _WHOLE:
        return Known(api="os.environ.copy()", origins=literals.origin("environment", "*", offset))
    if api in interfaces.OPENS:
        path = value(0, "file")
        return Known(api="open()", texts=path.choices or (GAP,), origins=content_of(path, offset))
    if api in _JOINS:
        parts = [value(at) for at in range(len(positional))]
        made = joined(parts, "/") if parts else NONE
        return Known(
            api="pathlib.Path()" if "Path" in api or "Pure" in api else "", texts=made.choices, origins=made.origins
        )
    if api == "pathlib.Path().joinpath":
        made = joined([callee, *(value(at) for at in range(len(positional)))], "/")
        return Known(api="pathlib.Path()", texts=made.choices, origins=made.origins)
    if api in ("pathlib.Path.home", "os.path.expanduser") and not positional:
        return Known(api="pathlib.Path()", texts=("~",))
    if api in ("pathlib.Path().glob", "pathlib.Path().rglob", "pathlib.Path().iterdir"):
        made = joined([callee, value(0)], "/")
        return Known(api="pathlib.Path()", texts=made.choices, origins=callee.origins)
    if api in _EXPANDS or api in _SAME_PATH or api in _PARENT:
        held = value(0) if positional else callee
        choices = tuple(text.rpartition("/")[0] for text in held.choices) if api in _PARENT else held.choices
        same = held.constant if api not in _PARENT and isinstance(held.constant, str) else None
        api = "pathlib.Path()" if api.startswith("pathlib") else ("__file__" if held.api == "__file__" else "")
        if same is not None and not api:
            return Known(same, origins=held.origins)
        return Known(api=api, texts=choices, origins=held.all_origins(), items=held.items)
    if api in ("glob.glob", "glob.iglob", "os.listdir", "os.scandir", "os.walk"):
        held = value(0, "pathname")
        return Known(api=f"{api}()", texts=held.choices)
    if api in _TEMPORARY:
        return Known(texts=(f"{GAP}/",))
    if api.startswith("pathlib.Path().read_"):
        return Known(origins=content_of(callee, offset), texts=(GAP,))
    if api in interfaces.REQUESTS or api in interfaces.DOWNLOADS:
        where = value(1, "url") if interfaces.REQUESTS.get(api) == "request" else value(0, "url")
        sent = frozenset(one for one in where.origins if one.kind in ("environment", "credential"))
        return Known(api=f"{api}()", origins=literals.origin("download", where.text[:200], offset) | sent)
    if api.endswith((".getresponse", ".recv")) and "()" in api:
        return Known(api=f"{api}()", origins=literals.origin("download", callee.text[:200], offset))
    if api in interfaces.ENCODES:
        kept = value(0).all_origins()
        return Known(origins=kept | literals.origin("encode", interfaces.ENCODES[api], offset) if kept else NOTHING)
    if api in ("subprocess.check_output", "os.popen", "subprocess.getoutput", "subprocess.run", "subprocess.Popen"):
        return Known(api=f"{api}()", origins=_printed(value(0, "args"), offset))
    if api in interfaces.RECON:
        return Known(origins=literals.origin("host", api, offset))
    if api in interfaces.CLIPBOARD:
        return Known(origins=literals.origin("clipboard", api, offset))
    if api in interfaces.KEYRING:
        return Known(origins=literals.origin("credential", "keychain", offset))
    return _plain(api, callee, value, len(positional), evaluator, keywords, names, offset)


def _decode(api: str, held: Known, extra: Known, offset: int, callee: Known) -> Known:
    form = interfaces.DECODES[api]
    del callee
    if form == "codec":
        name = (extra.string or "").lower().replace("-", "_")
        if name in ("", "utf_8", "utf8", "ascii", "latin_1", "unicode_escape"):
            return Known(origins=held.all_origins(), texts=held.choices)
        form = name
    origins = held.all_origins() | literals.origin("decode", form, offset)
    if isinstance(held.constant, str | bytes):
        made = fold.decoded("codec" if api.startswith("codecs.") else form, held.constant, extra.plain)
        if made is not None:
            return Known(made, origins=origins)
    return Known(origins=origins)


def _plain(
    api: str,
    callee: Known,
    value: _Value,
    count: int,
    evaluator: Evaluator,
    keywords: dict[str, Node],
    names: Names | None,
    offset: int,
) -> Known:
    if api in ("chr", "unichr"):
        number = value(0).constant
        text = fold.characters([number]) if isinstance(number, int) and not isinstance(number, bool) else None
        return Known(text, origins=literals.origin("decode", "character", offset)) if text else NONE
    if api == "ord":
        letter = value(0).constant
        return Known(ord(letter)) if isinstance(letter, str | bytes) and len(letter) == 1 else NONE
    if api in ("bytes", "bytearray") and count:
        held = value(0)
        numbers = [one.constant for one in held.items or ()]
        if numbers and all(isinstance(one, int) and 0 <= one < 256 for one in numbers):
            octets = bytes(one for one in numbers if isinstance(one, int))
            coded = literals.origin("decode", "codes", offset) if len(octets) >= 8 else NOTHING
            return Known(octets, origins=held.origins | coded)
        return Known(held.constant if isinstance(held.constant, bytes) else NONE.constant, origins=held.all_origins())
    if api == "map" and count == 2:
        return _mapped(evaluator, value(0), value(1), offset)
    if api == "reversed" and isinstance(value(0).constant, str):
        text = str(value(0).constant)[::-1][:65536]
        return Known(items=tuple(Known(one) for one in text[: literals.MOST_ITEMS]))
    if api == "int" and isinstance(value(0).constant, str):
        wide = value(1).constant
        return literals.integer_of(str(value(0).constant), wide if isinstance(wide, int) else 10)
    if api in interfaces.FLOWS:
        if api in ("dict", "list", "tuple", "sorted", "urllib.parse.urlencode") and value(0).api == "os.environ":
            return Known(api="os.environ.copy()", origins=literals.origin("environment", "*", 0))
        found: set[Origin] = set()
        for at in range(min(count, 6)):
            found |= value(at).all_origins()
        fields = {key: evaluator.value(one, names) for key, one in keywords.items()}
        for one in fields.values():
            found |= one.all_origins()
        first = value(0)
        same = (
            first.constant
            if api in ("str", "bytes", "memoryview") and isinstance(first.constant, str | bytes)
            else NONE.constant
        )
        return Known(
            same,
            api=f"{api}()" if "." in api else "",
            origins=frozenset(found),
            texts=first.choices,
            items=first.items,
            fields=fields or first.fields,
        )
    if api == "":
        return Known(origins=callee.origins) if callee.origins else NONE
    if api in _CALLBACKS:
        return Known(api=f"{api}()")
    last = api.rpartition(".")[2]
    keeps = last in interfaces.FLOW_METHODS
    return Known(
        api=f"{api}()" if len(api) < 160 else "",
        origins=callee.origins if keeps else NOTHING,
        texts=_where(value(0)) if count and api in interfaces.CONNECTIONS else (callee.texts if keeps else ()),
    )


def _mapped(evaluator: Evaluator, work: Known, held: Known, offset: int) -> Known:
    items = held.items
    if items is None and isinstance(held.constant, bytes) and len(held.constant) <= literals.MOST_ITEMS:
        items = tuple(Known(one) for one in held.constant)
    if items is None or len(items) > literals.MOST_ITEMS or evaluator.steps < 8 * len(items):
        return Known(origins=held.all_origins())
    if work.api in ("chr", "unichr"):
        text = fold.characters([one.plain for one in items])
        origins = literals.origin("decode", "codes", offset)
        return Known(items=tuple(Known(one) for one in text), origins=origins) if text is not None else NONE
    if work.api in ("str", "ord", "int"):
        return Known(items=items, origins=held.origins)
    if work.function >= 0:
        function = evaluator.bindings.functions[work.function].node
        parameters = function.child_by_field_name("parameters")
        if parameters is not None and parameters.named_child_count == 1:
            name = evaluator.bindings.text(parameters.named_children[0])
            return Known(items=tuple(evaluator.result(work.function, {name: one}) for one in items))
    return Known(origins=held.all_origins())


def _where(known: Known) -> tuple[str, ...]:
    """The host that a connection is made to, also where it stands beside a port."""
    return (known.items[0].text,) if known.items else (known.text,)


def content_of(path: Known, offset: int) -> frozenset[Origin]:
    """Where the content of a file at a path is from."""
    found: set[Origin] = {one for one in path.all_origins() if one.kind == "self"}
    for text in path.all_texts():
        place = places.credential_place(text)
        if place:
            found.add(Origin("credential", place, offset))
    if found and all(one.kind == "self" for one in found) and not path.text.endswith("__file__"):
        found |= literals.origin("file", path.text[:200], offset)
    return frozenset(found) or literals.origin("file", path.text[:200], offset)


def _printed(command: Known, offset: int) -> frozenset[Origin]:
    """Where what a command prints is from."""
    line = " ".join(command.all_texts()) if command.items else command.text
    if places.TOKEN_COMMANDS.search(line):
        return literals.origin("credential", "command", offset)
    words = line.split()
    if words[:1] in (["env"], ["printenv"], ["set"]) and len(words) == 1:
        return literals.origin("environment", "*", offset)
    if words[:1] in (["hostname"], ["whoami"], ["ifconfig"], ["ipconfig"], ["systeminfo"], ["uname"]):
        return literals.origin("host", words[0], offset)
    return NOTHING
