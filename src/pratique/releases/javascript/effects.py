"""Which capability the use of an interface is, and what is known of it: the table from interfaces to words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pratique.model.release import Value
from pratique.releases.javascript import places
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.evaluate import Evaluator
from pratique.releases.javascript.interfaces import DECODES, ENCODES, FETCHES, READS, command, destination
from pratique.releases.javascript.uses import Use
from pratique.releases.javascript.values import HOLE, UNKNOWN, Known

if TYPE_CHECKING:
    from tree_sitter import Node

Effect = tuple[str, dict[str, Value]]

_REMOVES = re.compile(r"(?:^|[\s;&|])(?:rm|del|unlink|Remove-Item|shred)\s")
_SPARE = re.compile(r"\.(?:md|json|txt|bak|tmp|js)$")
_CI = re.compile(
    r"CI|CONTINUOUS_INTEGRATION|GITHUB_ACTIONS|GITLAB_CI|BUILD_NUMBER|RUNNER_\w+|TRAVIS|CIRCLECI|JENKINS_URL"
)
_LOCALE = re.compile(r"LANG|LANGUAGE|LC_\w+|TZ")
_USER = re.compile(r"USER|USERNAME|LOGNAME|COMPUTERNAME|USERDOMAIN|HOSTNAME")
_SHELL = frozenset({"exec", "execSync"})
_PROCESS = re.compile(
    r"#child_process\.(?:exec|execSync|execFile|execFileSync|spawn|spawnSync|fork)"
    r"|#(?:execa|cross-spawn|shelljs|zx|tinyexec|nano-spawn|foreground-child)(?:\.(?:\$|exec|execa|execaSync|sync|spawn"
    r"|execaCommand|execaCommandSync|execaNode|x|which|foregroundChild))?|Bun\.(?:spawn|spawnSync|\$)"
    r"|Deno\.(?:Command|run)|process\.binding\(\)\.(?:spawn|Process)|#worker_threads\.Worker_"
)
_NETWORK = re.compile(
    r"#(?:https?|http2|net|tls|dgram)\.(?:request|get|connect|createConnection|Socket|createSocket)"
    r"|#dns\.(?:lookup|resolve\w*)|#dns\.Resolver\(\)\.resolve\w*|XMLHttpRequest|WebSocket|EventSource"
    r"|navigator\.sendBeacon|#ws(?:\.WebSocket)?|#socket\.io-client(?:\.io)?|Bun\.connect|Deno\.connect"
)
_SENDS = re.compile(r"\.(?:post|put|patch|write|end|send|sendBeacon|request)$|sendBeacon")
_DYNAMIC = re.compile(
    r"eval|Function|#vm\.(?:runIn\w+|Script|compileFunction|SourceTextModule)|module\._compile"
    r"|(?:module\.constructor|#module(?:\.Module)?)(?:\(\))?(?:\.prototype)?\._compile|WebAssembly\.(?:instantiate\w*|compile\w*|Module)"
    r"|importScripts"
)
_WRITES = re.compile(
    r"#fs\.(?:writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|outputFile(?:Sync)?|outputJson(?:Sync)?"
    r"|writeJson(?:Sync)?|copyFile(?:Sync)?|rename(?:Sync)?|symlink(?:Sync)?|chmod(?:Sync)?|cp(?:Sync)?|copy(?:Sync)?"
    r"|move(?:Sync)?)|Bun\.write|Deno\.(?:writeTextFile|writeFile)(?:Sync)?"
)
_SECOND = re.compile(r"copy|rename|symlink|cp|move")
_DELETES = re.compile(
    r"#fs\.(?:unlink|rm|rmdir|remove|emptyDir)(?:Sync)?|#rimraf(?:\.\w+)?|#del(?:\.\w+)?|Deno\.remove(?:Sync)?"
)
_HOST = re.compile(
    r"#os\.(?:hostname|userInfo|networkInterfaces|platform|arch|release|version|type|cpus|totalmem|homedir|machine)"
    r"|process\.(?:platform|arch)|navigator\.(?:userAgent|platform|languages?)|Deno\.(?:hostname|build)"
)
_WEAK = frozenset(
    {"process.platform", "process.arch", "os.platform", "os.arch", "os.type", "os.cpus", "os.homedir", "os.release",
     "navigator.userAgent", "navigator.platform", "navigator.language", "navigator.languages", "os.totalmem",
     "os.version"}
)  # fmt: skip
_INTERFACES = re.compile(
    r"(?:fetch|XMLHttpRequest(?:\.prototype\.(?:open|send|setRequestHeader))?|#https?\.(?:request|get)|WebSocket(?:\.prototype\.send)?"
    r"|ethereum(?:\.\w+)?|solana(?:\.\w+)?|navigator\.(?:sendBeacon|credentials\.\w+)|#child_process\.\w+|require|module\._load"
    r"|(?:#module(?:\.Module)?|module\.constructor)\.(?:_load|_resolveFilename|prototype\.require)|tronWeb(?:\.\w+)?)"
)


_IN_CONDITION = frozenset(
    {"binary_expression", "unary_expression", "parenthesized_expression", "member_expression", "call_expression",
     "arguments", "subscript_expression"}
)  # fmt: skip


class Effects:
    """The capabilities of the uses in one file."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.source = evaluator.source

    def of(self, use: Use) -> Iterator[Effect]:
        """What a use is able to do."""
        api, role = use.api, use.role
        plain = api.replace("#", "")
        if api.startswith(("process.env", "Bun.env", "Deno.env")) and role != "assigned":
            yield from self._environment(api, use)
            if (on := self._condition(api)) and self._tested(use):
                yield "capability.condition", {"on": on}
            return
        if (on := self._condition(api)) and self._tested(use):
            yield "capability.condition", {"on": on}
        if role == "assigned":
            if _INTERFACES.fullmatch(api):
                yield "capability.interface-hook", {"interface": plain}
            return
        if _HOST.fullmatch(api) and (role in {"call", "read", "passed"}):
            if (api[0] != "#") or role == "call":
                yield "capability.host-recon", {"api": plain, "weak": plain in _WEAK}
            return
        if role not in {"call", "new", "passed"}:
            return
        arguments = argument_nodes(use.node) if role != "passed" else []
        yield from self._called(api, plain, use, arguments)

    def _condition(self, api: str) -> str:
        """What of the host an interface tells that a program may decide on."""
        if api.startswith("process.env."):
            name = api[12:]
            for on, pattern in (("ci", _CI), ("locale", _LOCALE), ("user", _USER)):
                if pattern.fullmatch(name):
                    return on
            return ""
        if api.startswith(("#os.hostname", "#os.userInfo")):
            return "user"
        if api.startswith("navigator.language"):
            return "locale"
        return "debugger" if api in {"process.execArgv", "#inspector.url"} else ""

    def _tested(self, use: Use) -> bool:
        """Whether a use stands in the condition of a branch."""
        path = self.source.path(use.node)
        for place in range(len(path) - 2, max(len(path) - 8, 0), -1):
            above, below = path[place], path[place + 1]
            if above.type in {"if_statement", "ternary_expression", "while_statement"}:
                return below == above.child_by_field_name("condition")
            if above.type not in _IN_CONDITION:
                return False
        return False

    def _environment(self, api: str, use: Use) -> Iterator[Effect]:
        if use.role == "call" and api.startswith("Deno.env"):
            name = self._text(use.node, 0)
            yield "capability.environment-read", {"name": name or "*", "whole": not name}
            return
        name = api.split(".", 2)[2].split(".", maxsplit=1)[0] if api.count(".") > 1 else "*"
        if name == "?":
            yield "capability.environment-read", {"name": HOLE, "whole": False}
        else:
            yield "capability.environment-read", {"name": name[:80], "whole": name == "*"}

    def _text(self, call: Node, place: int) -> str:
        nodes = argument_nodes(call)
        return self.evaluator.value(nodes[place]).text if place < len(nodes) else ""

    def _called(self, api: str, plain: str, use: Use, nodes: list[Node]) -> Iterator[Effect]:
        last = api.rsplit(".", 1)[-1]
        if _PROCESS.fullmatch(api):
            yield from self._process(plain, last, nodes)
        elif FETCHES.fullmatch(api) or _NETWORK.fullmatch(api):
            yield from self._network(api, plain, nodes)
        elif _DYNAMIC.fullmatch(api):
            if use.role != "passed" or api in {"eval", "Function"}:
                first = self.evaluator.value(nodes[-1 if api == "Function" else 0]) if nodes else UNKNOWN
                if not (api == "Function" and (first.string or "").strip(" ;") == "return this"):
                    yield "capability.dynamic-code", {"api": plain, "literal": first.is_constant}
        elif api.startswith("#fs.") and last in READS:
            yield from self._read(plain, nodes)
        elif _WRITES.fullmatch(api):
            yield from self._write(plain, last, nodes)
        elif _DELETES.fullmatch(api):
            yield from self._delete(plain, nodes)
        elif api in {"setTimeout", "setInterval"}:
            yield from self._timer(api, nodes)
        elif api in DECODES or api in ENCODES:
            kind = "decode" if api in DECODES else "encode"
            form = (DECODES.get(api) or ENCODES.get(api)) or ""
            if form != "percent" or api == "unescape":
                yield f"capability.{kind}", {"api": plain, "form": form}
        elif api in {"Buffer.from", "Buffer"} and len(nodes) > 1:
            form = (self.evaluator.value(nodes[1]).string or "").lower()
            if form in {"base64", "hex", "base64url"}:
                yield "capability.decode", {"api": plain, "form": form}
        elif api.startswith(("navigator.clipboard", "#clipboardy")):
            yield "capability.clipboard", {"api": plain}
        elif api.startswith("#libnpmpublish"):
            yield "capability.own-publish", {"api": plain}

    def _process(self, plain: str, last: str, nodes: list[Node]) -> Iterator[Effect]:
        arguments = [self.evaluator.value(one) for one in nodes[:3]]
        line = command(arguments)
        options = next((one.fields for one in arguments[1:] if one.fields is not None), None) or {}
        if arguments and arguments[0].fields is not None and not options:
            options = arguments[0].fields
        shell = options.get("shell", UNKNOWN)
        known: dict[str, Value] = {"api": plain, "command": _shown(line)}
        if last in _SHELL or (shell.is_constant and bool(shell.constant)):
            known["shell"] = True
        if _true(options.get("detached")):
            known["detached"] = True
        if options.get("stdio", UNKNOWN).string == "ignore" or _true(options.get("windowsHide")):
            known["hidden"] = options.get("stdio", UNKNOWN).string == "ignore" or _true(options.get("detached"))
        yield "capability.process", known
        if places.PUBLISH.search(line):
            yield "capability.own-publish", {"api": plain}
        if place := places.persistence_place(line):
            yield "capability.persistence", {"place": place}
        name = self.source.file.path.rsplit("/", 1)[-1]
        if _REMOVES.search(line) and ("__filename" in line or name in line.split()):
            yield "capability.self-delete", {"api": plain}
        if places.TOKEN_COMMANDS.search(line):
            yield "capability.credential-read", {"place": "command"}

    def _network(self, api: str, plain: str, nodes: list[Node]) -> Iterator[Effect]:
        arguments = [self.evaluator.value(one) for one in nodes[:3]]
        where = destination(arguments) or (arguments[0].text if arguments and api.startswith("#dns") else "")
        options = next((one.fields for one in arguments if one.fields is not None), None) or {}
        method = (options.get("method", UNKNOWN).string or "").upper()
        sends = (
            method in {"POST", "PUT", "PATCH"} or "body" in options or bool(_SENDS.search(api.removesuffix(".request")))
        )
        known: dict[str, Value] = {"api": plain, "destination": defanged(where), "method": method, "sends": sends}
        if raw_address(where):
            known["raw_address"] = True
        yield "capability.network", known
        if places.METADATA.search(where):
            yield "capability.credential-read", {"place": "metadata-service"}
        if places.PUBLISH.search(where) or ("_attachments" in options):
            yield "capability.own-publish", {"api": plain}

    def _read(self, plain: str, nodes: list[Node]) -> Iterator[Effect]:
        text = self.evaluator.value(nodes[0]).text if nodes else ""
        yield "capability.file-read", {"api": plain, "target": _shown(text)}
        if place := places.credential_place(text):
            yield "capability.credential-read", {"place": place}

    def _write(self, plain: str, last: str, nodes: list[Node]) -> Iterator[Effect]:
        second = bool(_SECOND.match(last))
        target = self.evaluator.value(nodes[1 if second else 0]) if len(nodes) > int(second) else UNKNOWN
        text = target.text
        known: dict[str, Value] = {"api": plain, "target": _shown(text)}
        if last.startswith("chmod") or any("mode" in (self.evaluator.value(one).fields or {}) for one in nodes[2:3]):
            mode = self.evaluator.value(nodes[1]) if last.startswith("chmod") and len(nodes) > 1 else UNKNOWN
            if len(nodes) > 2:
                mode = (self.evaluator.value(nodes[2]).fields or {}).get("mode", mode)
            number = (
                mode.constant
                if isinstance(mode.constant, int)
                else int(str(mode.string), 8)
                if (mode.string or "").isdigit() and set(mode.string or "") <= set("01234567")
                else 0
            )
            known["executable"] = bool(number & 0o111)
        yield "capability.file-write", known
        if place := places.persistence_place(text):
            yield "capability.persistence", {"place": place}
        if self._swap(last, nodes, text):
            yield "capability.manifest-swap", {"api": plain}
        if place := places.agent_place(text):
            yield "capability.agent-configuration", {"place": place}
        if places.WORKFLOWS.search(text):
            yield "capability.workflow-write", {"place": _shown(text)}

    def _delete(self, plain: str, nodes: list[Node]) -> Iterator[Effect]:
        target = self.evaluator.value(nodes[0]) if nodes else UNKNOWN
        yield "capability.file-delete", {"api": plain, "target": _shown(target.text)}
        if self._own(target):
            yield "capability.self-delete", {"api": plain}

    def _own(self, target: Known) -> bool:
        """Whether a path is that of the running file, or of its folder."""
        if itself(target) or target.api == "__dirname":
            return True
        name = self.source.file.path.rsplit("/", 1)[-1]
        return target.text in {f"__dirname/{name}", f"./{name}", f"__dirname/./{name}"} and len(name) > 3

    def _swap(self, last: str, nodes: list[Node], target: str) -> bool:
        """Whether a manifest is replaced by the package that it is of."""
        if not target.endswith("package.json") or "node_modules" in target:
            return False
        if _SECOND.match(last):
            moved = self.evaluator.value(nodes[0]).text if nodes else ""
            return bool(_SPARE.search(moved)) and not moved.endswith("package.json")
        return target in {"__dirname/package.json", "__dirname/./package.json"}

    def _timer(self, api: str, nodes: list[Node]) -> Iterator[Effect]:
        first = self.evaluator.value(nodes[0]) if nodes else UNKNOWN
        if first.string is not None:
            yield "capability.dynamic-code", {"api": api, "literal": True}
        wait = self.evaluator.value(nodes[1]).constant if len(nodes) > 1 else 0
        if api == "setTimeout" and isinstance(wait, int | float) and wait >= 60_000:
            yield "capability.delay", {"api": api, "seconds": int(wait // 1000)}


def itself(target: Known) -> bool:
    """Whether a path is that of the running file."""
    return target.api in {"__filename", "import.meta.url", "import.meta.filename"} or target.shape == "__filename"


def _true(known: Known | None) -> bool:
    return known is not None and known.constant is True


def _shown(text: str) -> str:
    return " ".join(text.replace(HOLE, "…").split())[:160]


def raw_address(text: str) -> bool:
    """Whether the host of an address is a number, none of this machine."""
    found = re.match(r"(?:[a-z]+://)?(?:[^/@]*@)?(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])", text)
    return found is not None and not found.group(1).startswith(("127.", "0.", "169.254."))


def defanged(text: str) -> str:
    """An address that no program makes a link of."""
    return _shown(text).replace("http", "hxxp", 1).replace(".", "[.]")[:160]
