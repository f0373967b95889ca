"""What the interfaces of Node and of browsers give: modules, their members, and the results of their calls."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pratique.releases.javascript import fold
from pratique.releases.javascript.places import TOKEN_COMMANDS, credential_place
from pratique.releases.javascript.values import HOLE, NOTHING, UNKNOWN, Known, Origin, text_of

_SAME = {
    "fs/promises": "fs",
    "fs-extra": "fs",
    "graceful-fs": "fs",
    "dns/promises": "dns",
    "path/posix": "path",
    "path/win32": "path",
    "pathe": "path",
    "https-proxy-agent": "",
    "process": "process",
    "buffer": "buffer",
    "cross-spawn": "cross-spawn",
}
HOMES = {"HOME": "~", "USERPROFILE": "~", "HOMEPATH": "~", "APPDATA": "~/AppData/Roaming"}
HOMES |= {"LOCALAPPDATA": "~/AppData/Local", "XDG_CONFIG_HOME": "~/.config", "TMPDIR": "/tmp", "TEMP": "/tmp"}  # noqa: S108  a text that stands for the folder, no folder is used

_THROUGH = re.compile(
    r"(?:^|\.)(?:__importStar|__importDefault|__toESM|__toCommonJS|_?interopRequire(?:Default|Wildcard)|_interop\w*"
    r"|_interopNamespace\w*|__rest|__spread\w*|promisify|pify|callbackify|e\.n|n\.n|r\.n|t\.n)\d*$"
)
"""Functions that hand on the interface they are given."""

PASSES = frozenset(
    {
        "JSON.stringify", "JSON.parse", "String", "Object.entries", "Object.values", "Object.keys", "Object.assign",
        "Object.fromEntries", "Array.from", "Array", "Promise.resolve", "Promise.all", "Promise.allSettled",
        "structuredClone", "#querystring.stringify", "#qs.stringify", "URLSearchParams", "FormData", "Blob", "Headers",
        "#util.inspect", "#util.format", "Uint8Array", "Request", "URL", "#url.URL", "Error", "Map", "Set", "Object",
        "#stream.Readable.from", "#form-data", "TextEncoder().encode", "Buffer.concat", "Object.freeze",
    }
)  # fmt: skip
"""Calls whose result holds what they were given."""

ENCODES = {
    "btoa": "base64", "encodeURIComponent": "percent", "escape": "percent", "encodeURI": "percent",
    "#zlib.gzipSync": "gzip", "#zlib.deflateSync": "deflate", "#zlib.brotliCompressSync": "brotli",
    "#zlib.gzip": "gzip", "#zlib.deflate": "deflate", "#zlib.deflateRawSync": "deflate",
    "#crypto.publicEncrypt": "rsa", "#crypto.createCipheriv().update": "cipher",
    "#crypto.createCipher().update": "cipher", "#crypto.privateEncrypt": "rsa", "crypto.subtle.encrypt": "cipher",
}  # fmt: skip
DECODES = {
    "atob": "base64", "unescape": "percent", "decodeURIComponent": "percent", "decodeURI": "percent",
    "#zlib.gunzipSync": "gzip", "#zlib.inflateSync": "deflate", "#zlib.inflateRawSync": "deflate",
    "#zlib.unzipSync": "gzip", "#zlib.brotliDecompressSync": "brotli", "#zlib.gunzip": "gzip",
    "#zlib.inflate": "deflate", "#crypto.createDecipheriv().update": "cipher",
    "#crypto.createDecipher().update": "cipher",
    "#crypto.privateDecrypt": "rsa", "crypto.subtle.decrypt": "cipher", "TextDecoder().decode": "bytes",
    "String.fromCharCode": "numbers", "String.fromCodePoint": "numbers",
}  # fmt: skip
READS = frozenset(
    {"readFileSync", "readFile", "createReadStream", "readJson", "readJsonSync", "openAsBlob", "readJSON"}
)
FETCHES = re.compile(
    r"fetch|#(?:node-fetch|cross-fetch|undici|axios|got|request|needle|superagent|ky|phin|bent|isomorphic-fetch|ofetch"
    r"|request-promise(?:-native)?|make-fetch-happen|minipass-fetch|follow-redirects)(?:\.\w+)*"
    r"|#https?2?\.(?:get|request)|\$\.(?:get|ajax|getJSON|post)"
)
FEW_CHARACTERS = 2
"""So many characters by their numbers in one call are a sign, no text."""
OWN = frozenset({"__filename", "__dirname", "import.meta.url", "import.meta.filename", "process.argv[1]"})
"""The running file and its folder."""
RUNS = frozenset({"execSync", "execFileSync", "spawnSync", "exec", "execFile", "execaSync", "execa", "execaCommand"})


def through(name: str) -> bool:
    """Whether a function of this name hands on the interface it is given."""
    return _THROUGH.search(name) is not None


def module(name: str) -> str:
    """The interface that a module is known as."""
    name = name.removeprefix("node:")
    same = _SAME.get(name)
    if same == "process":
        return "process"
    return "#" + (same or name)


def named(name: str, offset: int) -> Known:
    """A global name."""
    if name == "__dirname":
        return Known(api=name, shape="__dirname")
    if name == "__filename":
        return Known(api=name, shape="__filename")
    if name == "undefined":
        return Known(None)
    return Known(api=name)


def member_of(target: Known, key: str, offset: int) -> Known:
    """A member of an interface."""
    api = target.api
    if api == "globalThis":
        return Known(api=key) if key not in {"globalThis", "window", "self", "global"} else target
    if api == "process":
        if key == "env":
            return Known(api="process.env", origins=frozenset({Origin("environment", "*", offset)}))
        if key == "mainModule":
            return Known(api="module")
    if api in {"process.env", "Bun.env", "import.meta.env"}:
        origin = Origin("environment", key, offset)
        return Known(api=f"{api}.{key}", origins=frozenset({origin}), shape=HOMES.get(key, ""))
    if key in {"default", "promises"} and api.startswith("#"):
        return Known(api=api, origins=target.origins)
    if key == "constructor":
        return Known(api="Function" if api.endswith(("constructor", "Function")) else api + ".constructor")
    if api in {"module", "require.main"} and key == "require":
        return Known(api="require")
    if api in {"module.constructor", "#module.Module", "#module"} and key == "_load":
        return Known(api="require")
    if api == "#buffer" and key == "Buffer":
        return Known(api="Buffer")
    if api == "#process":
        return member_of(Known(api="process"), key, offset)
    return Known(api=f"{api}.{key}"[:160], origins=target.origins)


def called(target: Known, arguments: Sequence[Known], offset: int, *, new: bool = False) -> Known:
    """The result of a call of an interface."""
    api = target.api
    first = arguments[0] if arguments else UNKNOWN
    if api == "require":
        if not first.string:
            return Known(api="#?", origins=first.all_origins())
        if first.string.startswith(".") and first.string.endswith(".json"):
            return Known(api="#.json", origins=first.origins | {Origin("file", first.string[:80], offset)})
        return Known(api=module(first.string), origins=first.origins)
    if api == "require.resolve":
        return Known(shape="__dirname/" + first.text) if first.text.startswith(".") else UNKNOWN
    if api == "#module.createRequire":
        return Known(api="require")
    if api == "Reflect.get" and len(arguments) > 1 and arguments[1].string is not None:
        return member_of(first, arguments[1].string, offset) if first.api else UNKNOWN
    if api == "Reflect.apply" and first.api:
        return called(first, arguments[2].items or [] if len(arguments) > 2 else [], offset)
    if api == "process.binding":
        return Known(api="process.binding()")
    if api.startswith("#path.") or api == "#url.fileURLToPath":
        return _path(api, arguments)
    if api.startswith("#os."):
        return _host(api, offset)
    if api in {"process.cwd"}:
        return Known(shape=".")
    if api in DECODES or api in ENCODES:
        return _coded(api, arguments, offset)
    if api in {"Buffer.from", "Buffer"}:
        return _buffer(arguments, offset)
    if api == "Buffer()" or api.startswith("Buffer()."):
        return _bytes_method(target, arguments, offset)
    if api in PASSES or (new and api in {"Array"}):
        return _passed(api, arguments)
    if api in {"parseInt", "Number", "parseFloat"}:
        return _numbered(api, arguments)
    last = api.rsplit(".", 1)[-1]
    if api.startswith("#fs.") and last in READS:
        return Known(api="file()", origins=frozenset({read_origin(first.text, offset)}) | first.origins)
    if FETCHES.fullmatch(api):
        return Known(api=api + "()", origins=frozenset({Origin("download", destination(arguments), offset)}))
    if api.startswith(("#child_process.", "#execa")) and (last in RUNS or api == "#execa"):
        return Known(api="output()", origins=frozenset({command_origin(command(arguments), offset)}))
    if api == "Function":
        return Known(api="Function()", origins=first.all_origins(), shape=first.text)
    if api == "Function()":
        return Known(api="globalThis") if re.fullmatch(r"\s*return this;?\s*", target.shape) else UNKNOWN
    if api in {"#util.promisify", "#util.callbackify"}:
        return first
    origins = target.origins
    if api.endswith("()") or "()." in api:
        return Known(api=api if api.endswith("()") else _result(api), origins=origins)
    if api[:1] == "#" or new or api in {"XMLHttpRequest", "Bun.file", "crypto.createHash"}:
        return Known(api=api + "()", origins=origins)
    return Known(origins=origins) if origins else UNKNOWN


def _result(api: str) -> str:
    """A call of a method of a result: most hand on the result itself."""
    return api.rsplit(".", 1)[0] if api.count("()") > 2 or len(api) > 120 else api + "()"


def read_origin(text: str, offset: int) -> Origin:
    """Where content read from a path is from."""
    place = credential_place(text)
    return Origin("credential", place, offset) if place else Origin("file", text[:80], offset)


def command_origin(text: str, offset: int) -> Origin:
    """Where the output of a command is from."""
    if TOKEN_COMMANDS.search(text):
        return Origin("credential", "command", offset)
    return Origin("output", text[:80], offset)


def destination(arguments: Sequence[Known]) -> str:
    """The address that a request goes to, with holes for what is not known."""
    for one in arguments[:2]:
        fields = one.fields or {}
        if one.text and (":" in one.text or "." in one.text or "/" in one.text):
            return one.text[:200]
        for name in ("url", "uri", "href"):
            if name in fields and fields[name].text:
                return fields[name].text[:200]
        host = next((fields[name].text for name in ("hostname", "host", "baseURL") if name in fields), "")
        if host:
            port = text_of(fields["port"].constant) if "port" in fields and fields["port"].is_constant else ""
            path = fields["path"].text if "path" in fields else ""
            return (host + (f":{port}" if port else "") + path)[:200]
    return ""


def command(arguments: Sequence[Known]) -> str:
    """The command line that a process is started with, with holes for what is not known."""
    if not arguments:
        return ""
    parts = [arguments[0].text or HOLE]
    if arguments[0].items is not None:
        parts = [one.text or HOLE for one in arguments[0].items[:40]]
    elif len(arguments) > 1 and arguments[1].items is not None:
        parts += [one.text or HOLE for one in arguments[1].items[:40]]
    return " ".join(parts)[:1000]


def _path(api: str, arguments: Sequence[Known]) -> Known:
    last = api.rsplit(".", 1)[-1]
    if last not in {"join", "resolve", "normalize", "dirname", "basename", "fileURLToPath"}:
        return Known(api=api)
    if last in {"normalize", "basename", "fileURLToPath", "dirname"} and arguments:
        one = arguments[0]
        if one.api in {"__filename", "import.meta.url"}:
            own = last in {"normalize", "fileURLToPath"}
            if own:
                return Known(api="__filename", shape="__filename")
            return Known(api="__dirname", shape="__dirname") if last == "dirname" else UNKNOWN
        if last in {"basename", "dirname"} and one.string is not None:
            cut = one.string.rpartition("/")
            return Known(cut[2] if last == "basename" else cut[0])
        return Known(shape=one.text, api=one.api if one.api in OWN else "")
    if len(arguments) == 1 and arguments[0].api in OWN:
        return arguments[0]
    origins = NOTHING
    for one in arguments:
        origins |= one.origins
    if all(isinstance(one.constant, str) for one in arguments):
        return Known("/".join(str(one.constant).rstrip("/") for one in arguments) or ".", origins=origins)
    return Known(shape="/".join(one.text or HOLE for one in arguments)[:2000], origins=origins)


def _host(api: str, offset: int) -> Known:
    last = api.rsplit(".", 1)[-1]
    if last == "homedir":
        return Known(shape="~")
    if last == "tmpdir":
        return Known(shape="/tmp")  # noqa: S108  a text that stands for the folder, no folder is used
    return Known(origins=frozenset({Origin("host", last, offset)}))


def _coded(api: str, arguments: Sequence[Known], offset: int) -> Known:
    origins = NOTHING
    for one in arguments:
        origins |= one.all_origins()
    encodes = api in ENCODES
    form = ENCODES[api] if encodes else DECODES[api]
    if api.startswith("String.from"):
        numbers = [fold.number_of(one.constant) for one in arguments]
        if numbers and all(one is not None and 0 <= one < 0x110000 for one in numbers):
            form = form if len(numbers) > FEW_CHARACTERS else "character"
            text = "".join(chr(int(one)) for one in numbers if one is not None)
            return Known(text, origins=origins | {Origin("decode", form, offset)})
        return Known(origins=origins | {Origin("decode", form, offset)})
    origins |= {Origin("encode" if encodes else "decode", form, offset)}
    first = arguments[0] if arguments else UNKNOWN
    if first.string is None:
        if isinstance(first.constant, bytes) and form == "bytes":
            return Known(fold.from_bytes(first.constant, "utf8"), origins=origins)
        return Known(api="Buffer()" if api.startswith("#zlib") else "", origins=origins)
    if api == "atob":
        raw = fold.from_base64(first.string)
        return Known(raw.decode("latin-1"), origins=origins) if raw is not None else Known(origins=origins)
    if api == "btoa":
        return Known(fold.from_bytes(first.string.encode("latin-1", "replace"), "base64"), origins=origins)
    if form == "percent":
        return Known(fold.percent(first.string, api), origins=origins)
    return Known(origins=origins)


def _buffer(arguments: Sequence[Known], offset: int) -> Known:
    first = arguments[0] if arguments else UNKNOWN
    encoding = (arguments[1].string or "") if len(arguments) > 1 else "utf8"
    origins = first.all_origins()
    if encoding.lower() in {"base64", "base64url", "hex"}:
        origins |= {Origin("decode", encoding.lower(), offset)}
    if first.items is not None and first.items and all(isinstance(one.constant, int) for one in first.items):
        numbers = bytes(int(str(one.constant)) & 255 for one in first.items)
        return Known(numbers, origins=origins | {Origin("decode", "numbers", offset)})
    raw = fold.to_bytes(first.constant, encoding) if first.is_constant else None
    return Known(raw, origins=origins) if raw is not None else Known(api="Buffer()", origins=origins)


def _bytes_method(target: Known, arguments: Sequence[Known], offset: int) -> Known:
    origins = target.origins
    if target.api.endswith(".toString") and arguments and arguments[0].string in {"base64", "hex", "base64url"}:
        origins |= {Origin("encode", arguments[0].string or "", offset)}
    return Known(api="Buffer()", origins=origins)


def _passed(api: str, arguments: Sequence[Known]) -> Known:
    first = arguments[0] if arguments else UNKNOWN
    if api == "String" and first.is_constant:
        return Known(text_of(first.constant), origins=first.origins)
    if api in {"URL", "#url.URL", "Request"}:
        return Known(api="", origins=first.all_origins(), shape=first.text, fields=first.fields)
    if api in {"Object.assign", "Object.freeze"}:
        fields: dict[str, Known] = {}
        for one in arguments:
            fields.update(one.fields or {})
        return Known(fields=fields, origins=_all(arguments))
    if api == "Promise.all" and first.items is not None:
        return Known(items=first.items)
    if api in {"Promise.resolve"}:
        return first
    if api in {"Array.from"} and first.items is not None and len(arguments) == 1:
        return first
    if api == "Uint8Array" and first.items and all(isinstance(one.constant, int) for one in first.items):
        return Known(bytes(int(str(one.constant)) & 255 for one in first.items), origins=first.origins)
    return Known(api="", origins=_all(arguments), shape=first.text if api == "String" else "")


def _all(arguments: Sequence[Known]) -> frozenset[Origin]:
    origins = NOTHING
    for one in arguments:
        origins |= one.all_origins()
    return origins


def _numbered(api: str, arguments: Sequence[Known]) -> Known:
    first = arguments[0] if arguments else UNKNOWN
    if not first.is_constant:
        return UNKNOWN
    if api == "parseInt":
        radix = fold.number_of(arguments[1].constant) if len(arguments) > 1 else 0
        number = fold.parse_int(text_of(first.constant), int(radix or 0))
        return Known(number) if number is not None else UNKNOWN
    value = fold.number_of(first.constant)
    return Known(value) if value is not None else UNKNOWN


def callback_value(api: str, method: str, receiver: Known, before: Sequence[Known], index: int, offset: int) -> Known:
    """What an interface hands to parameter `index` of a function that it is given after the arguments `before`."""
    if method in {"then", "map", "forEach", "filter", "find", "some", "flatMap", "every", "reduce", "pipe"}:
        if index == (1 if method == "reduce" else 0):
            if receiver.items is not None and method != "then":
                texts = "\n".join(dict.fromkeys(one.text for one in receiver.items[:64] if one.text))
                return Known(origins=receiver.all_origins(), shape=texts[:4096])
            return receiver
        return UNKNOWN
    if FETCHES.fullmatch(api):
        if index == 0 or (index in {1, 2} and not api.startswith("#http")):
            return Known(api=api + "()", origins=frozenset({Origin("download", destination(before), offset)}))
        return UNKNOWN
    last = api.rsplit(".", 1)[-1]
    if api.startswith("#fs.") and last in READS and index == 1 and before:
        return Known(api="file()", origins=frozenset({read_origin(before[0].text, offset)}))
    if api.startswith("#child_process.") and last in RUNS and index in {1, 2}:
        return Known(api="output()", origins=frozenset({command_origin(command(before), offset)}))
    if method in {"on", "once", "addListener", "addEventListener"} and receiver.origins:
        return Known(origins=receiver.origins, api=receiver.api)
    if api.startswith(("#zlib.", "#dns.")) and index == 1:
        return Known(origins=_all(before))
    return UNKNOWN


def unknown_text(known: Known) -> str:
    """The text of what is known, a hole where nothing is."""
    return known.text or HOLE
