"""What one call is able to do: capabilities by the interface that is called, with what is known of its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pratique.model.release import Value
from pratique.releases.python import interfaces, literals, places
from pratique.releases.python.calls import plain_name
from pratique.releases.python.evaluate import Evaluator
from pratique.releases.python.surroundings import handed_on
from pratique.releases.python.values import GAP, NONE, Known, either

if TYPE_CHECKING:
    from tree_sitter import Node

Effect = tuple[str, dict[str, Value]]
_SENDING = ("data", "json", "files", "content", "body", "params", "msg", "payload")
_RAW = re.compile(r"(?:[a-z]+://)?(?:[^/@]*@)?(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")
_DELAY = 300
_PIPED = re.compile(
    r"\b(curl|wget|iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b([^|;\n]{0,400})\|\s*(?:sudo\s+)?"
    r"(?:(?:ba|z|da|k)?sh|python3?|node|perl|iex|Invoke-Expression)\b",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"\b(?:ba|z|da|k)?sh\b[^\n]{0,40}?(?:\$|<)\(\s*(curl|wget)\b([^)\n]{0,400})\)")
_URL = re.compile(r"https?://[^\s'\"|;)]+")
_ENVIRONMENT = frozenset({"os.environ.get", "os.getenv", "os.environ.pop", "os.getenvb"})
_WHOLE = frozenset({"os.environ.copy", "os.environ.items", "os.environ.values"})
_PICKLES = frozenset({"pickle", "marshal"})


class Event(NamedTuple):
    """A call that matters: what it does, and the known values that a chain may follow."""

    kind: str
    api: str
    node: Node
    target: Known = NONE
    content: Known = NONE
    path: str = ""
    """The source of the expression that names the file."""


class Call:
    """One call, its interface and its arguments."""

    __slots__ = ("api", "callee", "evaluator", "keywords", "node", "positional")

    def __init__(self, evaluator: Evaluator, node: Node) -> None:
        self.evaluator = evaluator
        self.node = node
        self.callee = evaluator.value(node.child_by_field_name("function"))
        self.api = plain_name(self.callee.api)
        self.positional, self.keywords = literals.arguments(evaluator.bindings, node)

    def node_of(self, place: int, *keywords: str) -> Node | None:
        """The node of an argument, by keyword or by place."""
        for keyword in keywords:
            if keyword in self.keywords:
                return self.keywords[keyword]
        return self.positional[place] if 0 <= place < len(self.positional) else None

    def value(self, place: int, *keywords: str) -> Known:
        """What is known of an argument."""
        return self.evaluator.value(self.node_of(place, *keywords))

    def spelled(self, place: int, *keywords: str) -> str:
        """The source of an argument."""
        node = self.node_of(place, *keywords)
        return self.evaluator.bindings.text(node)[:200] if node is not None else ""

    def true(self, keyword: str) -> bool:
        """Whether an argument is given as True, or as a number that is not zero."""
        return keyword in self.keywords and bool(self.value(-1, keyword).constant is True)


def effects(call: Call, events: list[Event]) -> Iterator[Effect]:
    """The capabilities of a call; what chains need of it is added to `events`."""
    api = call.api
    if not api:
        return
    if api in _ENVIRONMENT:
        name = call.value(0, "key").string or GAP
        yield "capability.environment-read", {"name": shown(name), "whole": False}
    elif api in _WHOLE:
        whole = not handed_on(call.evaluator.bindings, call.node)
        yield "capability.environment-read", {"name": "*", "whole": whole}
    elif api in interfaces.PROCESSES:
        yield from _process(call, events)
    elif api in interfaces.REQUESTS:
        yield from _request(call, events)
    elif api in interfaces.DOWNLOADS:
        where, target = interfaces.DOWNLOADS[api]
        known = call.value(where, "url")
        yield "capability.download", {"api": api, "destination": defanged(known.text)}
        content = Known(origins=literals.origin("download", known.text[:200], call.node.start_byte))
        events.append(
            Event("write", api, call.node, call.value(target, "filename", "out"), content, call.spelled(target))
        )
    elif api in interfaces.CONNECTIONS:
        yield from _connection(call, events)
    elif api in interfaces.RUNS:
        yield from _run(call, events)
    elif api in interfaces.DECODES:
        form = interfaces.DECODES[api]
        if form == "codec":
            form = (call.value(1, "encoding").string or "").lower()
        if form not in ("", "utf-8", "utf8", "ascii", "latin-1", "unicode_escape"):
            yield "capability.decode", {"api": api, "form": form}
    elif api in interfaces.ENCODES:
        yield "capability.encode", {"api": api, "form": interfaces.ENCODES[api]}
    elif api in interfaces.RECON:
        yield "capability.host-recon", {"api": api}
    elif api in interfaces.CONDITIONS:
        yield "capability.condition", {"on": interfaces.CONDITIONS[api]}
    elif api in interfaces.CLIPBOARD:
        yield "capability.clipboard", {"api": api}
    elif api in interfaces.KEYRING:
        yield "capability.credential-read", {"place": "keychain"}
    elif api in interfaces.NATIVE:
        events.append(Event("load", api, call.node, call.value(0), NONE, call.spelled(0)))
    elif api in interfaces.INJECTS:
        yield "capability.dynamic-code", {"api": api, "literal": False}
    elif api in ("os.fork", "multiprocessing.Process"):
        yield "capability.process", {"api": api, "command": "", "detached": api == "os.fork"}
    elif api in ("time.sleep", "threading.Timer"):
        seconds = call.value(0, "interval").constant
        if isinstance(seconds, int | float) and _DELAY <= seconds < 1e9:
            yield "capability.delay", {"api": api, "seconds": int(seconds)}
    else:
        yield from _files(call, events)


def shown(text: str) -> str:
    """A text as an attribute: one line, at most 160 characters, an ellipsis for what is not known."""
    return " ".join(text[:400].replace(GAP, "\u2026").split())[:160]


def defanged(text: str) -> str:
    """An address that no program makes a link of."""
    return shown(text).replace("http", "hxxp", 1).replace(".", "[.]")[:160]


def raw_address(text: str) -> bool:
    """Whether the host of an address is a number, none of this machine."""
    found = _RAW.match(text)
    return found is not None and not found[1].startswith(("127.", "0.", "169.254."))


def command_line(known: Known) -> str:
    """The words of a command, however it is given."""
    if known.items:
        return " ".join(one.text for one in known.items[:40])
    return known.text


def _process(call: Call, events: list[Event]) -> Iterator[Effect]:
    api = call.api
    known = call.value(0, "args", "cmd", "command")
    if api.startswith("os.spawn"):
        known = call.value(1)
    if api in ("asyncio.create_subprocess_exec",) or api.startswith(("os.execl", "os.spawnl")):
        known = Known(items=tuple(call.value(at) for at in range(min(8, len(call.positional)))))
    line = command_line(known)
    attributes: dict[str, Value] = {"api": api, "command": shown(line)}
    if interfaces.PROCESSES[api] or call.true("shell"):
        attributes["shell"] = True
    flags = call.value(-1, "creationflags")
    named = call.evaluator.bindings.text(call.keywords["creationflags"]) if "creationflags" in call.keywords else ""
    if call.true("start_new_session") or "DETACHED_PROCESS" in named or "setsid" in call.spelled(-1, "preexec_fn"):
        attributes["detached"] = True
    if line.startswith("nohup ") or (line.rstrip().endswith("&") and not line.rstrip().endswith("&&")):
        attributes["detached"] = True
    windowless = isinstance(flags.constant, int) and flags.constant & 0x08000000
    if windowless or "CREATE_NO_WINDOW" in named or "-WindowStyle Hidden" in line or "-w hidden" in line:
        attributes["hidden"] = True
    if _silent(call) and attributes.get("detached"):
        attributes["hidden"] = True
    yield "capability.process", attributes
    events.append(Event("process", api, call.node, known, Known(origins=known.all_origins()), call.spelled(0, "args")))
    code = _python_code(known)
    if code is not None:
        events.append(Event("run", api, call.node, code, code, ""))
    if piped := _PIPED.search(line) or _INSIDE.search(line):
        url = _URL.search(piped[2])
        yield "capability.download", {"api": piped[1].lower(), "destination": defanged(url[0] if url else "")}
        events.append(Event("piped", api, call.node, Known(url[0] if url else GAP)))
    if interfaces.PUBLISHES.search(line):
        yield "capability.own-publish", {"api": api}
    place = places.persisting_command(line)
    if place:
        yield "capability.persistence", {"place": place}
    if places.TOKEN_COMMANDS.search(line):
        yield "capability.credential-read", {"place": "command"}
        events.append(Event("secret", "command", call.node))


def _python_code(known: Known) -> Known | None:
    """The code that a command gives to Python by `-c`."""
    items = known.items or ()
    for at, one in enumerate(items[:-1]):
        if one.string == "-c" and (at == 0 or items[at - 1].api == "sys.executable" or "python" in items[at - 1].text):
            return items[at + 1]
    return None


def _silent(call: Call) -> bool:
    return all("DEVNULL" in call.spelled(-1, stream) for stream in ("stdout", "stderr"))


def _request(call: Call, events: list[Event]) -> Iterator[Effect]:
    api = call.api
    verb = interfaces.REQUESTS[api]
    first = 0
    if verb in ("request", "stream") and not api.startswith("pycurl"):
        verb, first = (call.value(0, "method").string or "").lower(), 1
    where = call.callee if api.endswith("Connection().request") else call.value(first, "url", "fullurl")
    request = where if where.api.endswith("Request()") else NONE
    sent = [call.value(-1, keyword) for keyword in _SENDING if keyword in call.keywords]
    if verb in ("post", "put", "patch") or api.endswith("urlopen"):
        sent.append(call.value(first + 1))
    if request is not NONE:
        sent.append(request)
    body = bool(sent) and any(keyword in call.keywords for keyword in ("data", "json", "files", "content", "body"))
    sends = body or verb in ("post", "put", "patch") or (request is not NONE and "data" in (request.fields or {}))
    attributes: dict[str, Value] = {
        "api": api,
        "destination": defanged(where.text),
        "method": verb.upper(),
        "sends": sends,
    }
    if any(raw_address(text) for text in where.choices):
        attributes["raw_address"] = True
    yield "capability.network", attributes
    everything = [*sent, Known(origins=where.all_origins())]
    events.append(Event("send" if sends else "ask", api, call.node, where, _together(everything)))
    headers = call.value(-1, "headers")
    if headers.all_origins():
        events.append(Event("header", api, call.node, where, Known(origins=headers.all_origins())))
    for text in where.choices:
        if places.METADATA.search(text):
            yield "capability.credential-read", {"place": "metadata-service"}
            break
    if any(interfaces.UPLOADS.match(text) for text in where.choices) and sends:
        yield "capability.own-publish", {"api": api}


def _together(values: list[Known]) -> Known:
    found = either(values)
    return Known(origins=frozenset().union(*(one.all_origins() for one in values)), texts=found.texts)


def _connection(call: Call, events: list[Event]) -> Iterator[Effect]:
    api = call.api
    sends = interfaces.CONNECTIONS[api]
    where = call.callee if sends else call.value(0, "host", "url", "uri")
    if where.items:
        where = where.items[0]
    text = where.text if where.choices else GAP
    attributes: dict[str, Value] = {"api": api, "destination": defanged(text), "method": "", "sends": sends}
    if raw_address(text):
        attributes["raw_address"] = True
    yield "capability.network", attributes
    everything = [call.value(at) for at in range(min(4, len(call.positional)))]
    everything += [call.evaluator.value(one) for one in list(call.keywords.values())[:6]]
    kind = "send" if sends else ("lookup" if api in interfaces.LOOKUPS else "ask")
    events.append(Event(kind, api, call.node, where, _together(everything) if everything else NONE))


def _run(call: Call, events: list[Event]) -> Iterator[Effect]:
    form = interfaces.RUNS[call.api]
    code = call.value(0, "source")
    if form == "eval" and not call.positional:
        return
    if form == "run_path":
        events.append(Event("load", call.api, call.node, code, NONE, call.spelled(0)))
        return
    if form != "compile":
        literal = isinstance(code.constant, str | bytes)
        yield "capability.dynamic-code", {"api": call.api, "literal": literal}
    events.append(Event("compile" if form == "compile" else "run", call.api, call.node, code, code, call.spelled(0)))


def _files(call: Call, events: list[Event]) -> Iterator[Effect]:
    api = call.api
    if api in interfaces.OPENS:
        mode = call.value(1, "mode").string
        stated = call.node_of(1, "mode") is not None
        if api == "os.open":
            mode = "w" if re.search(r"O_(?:WRONLY|RDWR|CREAT)", call.spelled(1, "flags")) else "r"
        writes = bool(mode) and any(letter in (mode or "") for letter in "wax+")
        target = call.value(0, "file")
        if writes:
            yield from _written(api, target, False)
            events.append(Event("open", api, call.node, target, NONE, call.spelled(0, "file")))
        elif mode is not None or not stated:
            yield from _read(call, api, target, events)
    elif api.endswith(("open().write", "open().writelines", "NamedTemporaryFile().write")):
        events.append(Event("write", api, call.node, call.callee, call.value(0), _handle(call)))
    elif api in interfaces.PATHS:
        yield from _path(call, events)
    elif api in interfaces.DELETES:
        yield from _deleted(call, call.value(0, "path"), call.spelled(0, "path"), events)
    elif api in interfaces.READS or api in interfaces.WRITES:
        if api in interfaces.READS:
            target = call.value(interfaces.READS[api], "src", "database", "pathname")
            if api not in interfaces.LISTINGS or any(map(places.credential_place, target.all_texts())):
                yield from _read(call, api, target, events)
        if api in interfaces.WRITES:
            target = call.value(interfaces.WRITES[api], "dst", "path")
            runs = api == "os.chmod" and _executable(call)
            if api != "os.chmod" or runs:
                yield from _written(api, target, runs)
            if api == "winreg.SetValueEx" and target.choices and places.persistence_place(target.text):
                yield "capability.persistence", {"place": "run-key"}
            if api == "os.chmod" and runs:
                events.append(Event("chmod", api, call.node, target, NONE, call.spelled(0)))
    elif api in ("winreg.OpenKey", "winreg.CreateKey", "winreg.CreateKeyEx", "_winreg.OpenKey"):
        place = places.persistence_place(call.value(1, "sub_key").text)
        access = " ".join(call.spelled(at) for at in (2, 3)) + call.spelled(-1, "access")
        if place and ("Create" in api or re.search(r"SET_VALUE|ALL_ACCESS|WRITE", access)):
            yield "capability.persistence", {"place": place}


def _handle(call: Call) -> str:
    """The source of the path of a file that is open, by what opened it."""
    callee = call.node.child_by_field_name("function")
    holder = callee.child_by_field_name("object") if callee is not None else None
    return call.evaluator.bindings.text(holder)[:200] if holder is not None else ""


def _executable(call: Call) -> bool:
    mode = call.value(1, "mode").constant
    spelled = call.spelled(1, "mode")
    return (
        (isinstance(mode, int) and bool(mode & 0o111) and mode < 0o10000) or "S_IX" in spelled or "S_IEXEC" in spelled
    )


def _path(call: Call, events: list[Event]) -> Iterator[Effect]:
    does = interfaces.PATHS[call.api]
    target = call.callee
    callee = call.node.child_by_field_name("function")
    holder = callee.child_by_field_name("object") if callee is not None else None
    spelled = call.evaluator.bindings.text(holder)[:200] if holder is not None else ""
    if does == "read":
        yield from _read(call, call.api, target, events)
    elif does == "write":
        yield from _written(call.api, target, False)
        events.append(Event("write", call.api, call.node, target, call.value(0, "data"), spelled))
    elif does == "move":
        yield from _written(call.api, call.value(0, "target"), False)
    elif does == "delete":
        yield from _deleted(call, target, spelled, events)
    elif does == "chmod" and _chmod(call):
        yield from _written(call.api, target, True)
        events.append(Event("chmod", call.api, call.node, target, NONE, spelled))
    elif does == "list" and any(map(places.credential_place, target.choices)):
        yield from _read(call, call.api, target, events)


def _chmod(call: Call) -> bool:
    mode = call.value(0, "mode").constant
    return (isinstance(mode, int) and bool(mode & 0o111)) or "S_IX" in call.spelled(0) or "S_IEXEC" in call.spelled(0)


def _read(call: Call, api: str, target: Known, events: list[Event]) -> Iterator[Effect]:
    yield "capability.file-read", {"api": api, "target": shown(target.text)}
    told: set[str] = set()
    for text in target.all_texts():
        place = places.credential_place(text)
        if place and place not in told:
            told.add(place)
            yield "capability.credential-read", {"place": place}
            events.append(Event("secret", place, call.node, target))
    if not told and all(GAP in text for text in target.choices):
        events.append(Event("read", api, call.node, target))


def _written(api: str, target: Known, executable: bool) -> Iterator[Effect]:
    attributes: dict[str, Value] = {"api": api, "target": shown(target.text)}
    if executable:
        attributes["executable"] = True
    yield "capability.file-write", attributes
    for text in target.choices[:8]:
        if place := places.persistence_place(text):
            yield "capability.persistence", {"place": place}
        if place := places.agent_place(text):
            yield "capability.agent-configuration", {"place": place}
        if places.WORKFLOWS.search(text):
            yield "capability.workflow-write", {"place": shown(text)}
        own = "site-packages" in text or any(one.kind == "self" for one in target.origins)
        if own and re.search(r"\.dist-info/(?:RECORD|METADATA|entry_points\.txt)$", text):
            yield "capability.manifest-swap", {"api": api}


def _deleted(call: Call, target: Known, spelled: str, events: list[Event]) -> Iterator[Effect]:
    yield "capability.file-delete", {"api": call.api, "target": shown(target.text)}
    own = target.api == "__file__" or (
        any(one.kind == "self" for one in target.origins) and all(text.endswith("__file__") for text in target.choices)
    )
    if own:
        yield "capability.self-delete", {"api": call.api}
    events.append(Event("self-delete" if own else "delete", call.api, call.node, target, NONE, spelled))
