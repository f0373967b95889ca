"""What is seen in a line of JavaScript, however it is written."""

from __future__ import annotations

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.javascript import facts


def told(text: str | bytes, kind: str = "javascript", path: str = "a.js") -> list[Fact]:
    """The facts of a text; a refusal fails the test."""
    content = text.encode() if isinstance(text, str) else text
    found = list(facts(SourceFile(path=path, content=content, sha256="0" * 64, kind=kind)))
    assert not [one for one in found if isinstance(one, Refusal)]
    return [one for one in found if isinstance(one, Fact)]


def of(text: str, kind: str) -> list[dict[str, object]]:
    """The attributes of the facts of one kind."""
    return [dict(one.attributes) for one in told(text) if one.kind == kind]


PROCESS = {
    "plain": 'require("child_process").exec("id")',
    "with node:": 'require("node:child_process").exec("id")',
    "by a name": 'const cp = require("child_process"); cp.exec("id")',
    "destructured and renamed": 'const {exec: e} = require("child_process"); e("id")',
    "imported": 'import {exec} from "child_process"; exec("id")',
    "imported and renamed": 'import {exec as run} from "node:child_process"; run("id")',
    "as a namespace": 'import * as c from "child_process"; c.exec("id")',
    "as default": 'import c from "child_process"; c.exec("id")',
    "in brackets": 'const cp = require("child_process"); cp["exec"]("id")',
    "in brackets, concatenated": 'const cp = require("child_" + "process"); cp["ex" + "ec"]("id")',
    "in brackets, joined": 'const cp = require(["child", "process"].join("_")); cp[["e", "x", "ec"].join("")]("id")',
    "reversed": 'require("ssecorp_dlihc".split("").reverse().join("")).exec("id")',
    "template": "const p = `process`; require(`child_${p}`).exec(`id`)",
    "base64": 'require(Buffer.from("Y2hpbGRfcHJvY2Vzcw==", "base64").toString()).exec("id")',
    "atob": 'require(atob("Y2hpbGRfcHJvY2Vzcw==")).exec("id")',
    "escapes": r'require("\x63hild_process")["\u0065xec"]("id")',
    "character codes": 'require(String.fromCharCode(99,104,105,108,100)+"_process").exec("id")',
    "comma": 'const c = require("child_process"); (0, c.exec)("id")',
    "optional": 'const c = require("child_process"); c?.exec?.("id")',
    "through an object": 'const o = {r: require("child_process").exec}; o.r("id")',
    "through an object's member": 'const o = {}; o.x = require("child_process"); o.x.exec("id")',
    "through another name": 'const c = require("child_process"); const d = c; const f = d.exec; f("id")',
    "another name for require": 'const r = require; r("child_process").exec("id")',
    "global": 'globalThis["req" + "uire"]("child_process").exec("id")',
    "module.require": 'module.require("child_process").exec("id")',
    "mainModule": 'process.mainModule.require("child_process").exec("id")',
    "the loader": 'module.constructor._load("child_process").exec("id")',
    "createRequire": (
        'import {createRequire} from "module"; const r = createRequire(import.meta.url); r("child_process").exec("id")'
    ),
    "Reflect.get": 'Reflect.get(require("child_process"), "exec")("id")',
    "called by call": 'require("child_process").exec.call(null, "id")',
    "dynamic import": 'const c = await import("child_process"); c.exec("id")',
    "dynamic import, then": 'import("child_process").then(c => c.exec("id"))',
    "parameter of a function called on the spot": '(function (c) { c.exec("id") })(require("child_process"))',
    "interop": 'var c = __importDefault(require("child_process")); c.default.exec("id")',
    "ternary": 'const c = true ? require("child_process") : null; c.exec("id")',
    "assigned later": 'let c; c = require("child_process"); c.exec("id")',
    "from a function": 'const load = () => require("child_process"); load().exec("id")',
    "in a class": 'class A { constructor() { this.c = require("child_process") } go() { this.c.exec("id") } }',
    "promisified": 'const run = require("util").promisify(require("child_process").exec); run("id")',
}


@pytest.mark.parametrize("text", PROCESS.values(), ids=PROCESS)
def test_a_process_is_seen_however_it_is_written(text: str) -> None:
    found = of(text, "capability.process")
    assert [(one["api"], one.get("shell")) for one in found] == [("child_process.exec", True)], text


def test_what_is_imported_and_how() -> None:
    text = (
        'import "./a.js"; import x from "@s/p/deep"; require("node:fs"); import("https://a.example/x.js"); require(y)'
    )
    assert [(one["module"], one["package"], one["form"]) for one in of(text, "import.module")] == [
        ("./a.js", "", "relative"),
        ("@s/p/deep", "@s/p", "package"),
        ("node:fs", "", "builtin"),
        ("https://a.example/x.js", "", "url"),
        ("", "", ""),
    ]


CAPABILITIES = {
    "all variables": ("JSON.stringify(process.env)", "capability.environment-read", {"name": "*", "whole": True}),
    "all variables, in brackets": ('send(globalThis["process"]["e"+"nv"])', "capability.environment-read", {"whole": True}),
    "all variables, spread": ("const a = {...process.env}", "capability.environment-read", {"whole": True}),
    "the rest of them": ("const {A, ...rest} = process.env; f(rest)", "capability.environment-read", {"name": "A"}),
    "one variable": ("f(process.env.NPM_TOKEN)", "capability.environment-read", {"name": "NPM_TOKEN", "whole": False}),
    "one variable, bracket": ('f(process.env["NPM" + "_TOKEN"])', "capability.environment-read", {"name": "NPM_TOKEN"}),
    "one variable, destructured": ("const {GH: t} = process.env", "capability.environment-read", {"name": "GH"}),
    "through an alias": ("const p = process; const e = p.env; f(e.A_KEY)", "capability.environment-read", {"name": "A_KEY"}),
    "a registry token": (
        'require("fs").readFileSync(require("path").join(require("os").homedir(), ".npmrc"))',
        "capability.credential-read",
        {"place": "registry-token"},
    ),
    "keys, from a list": (
        'import fs from "fs"; for (const f of ["x", "id_rsa"]) fs.readFileSync(`${process.env.HOME}/.ssh/${f}`)',
        "capability.credential-read",
        {"place": "ssh-key"},
    ),
    "cloud": (
        'const {readFile} = require("fs/promises"); readFile(process.env.HOME + "/.aws/credentials")',
        "capability.credential-read",
        {"place": "cloud"},
    ),
    "git": ('require("fs").readFile("/home/u/.git-credentials", f)', "capability.credential-read", {"place": "git"}),
    "browser": (
        'require("fs").copyFile; require("fs").readFileSync(h + "/AppData/Local/Google/Chrome/User Data/Default/Login Data")',
        "capability.credential-read",
        {"place": "browser-profile"},
    ),
    "wallet": ('require("fs").readFileSync(home + "/.config/solana/id.json")', "capability.credential-read", {"place": "wallet"}),
    "memory of a runner": ('require("fs").openSync; require("fs").readFileSync(`/proc/${pid}/mem`)', "capability.credential-read", {"place": "process-memory"}),
    "metadata service": ('fetch("http://169.254.169.254/latest/meta-data/")', "capability.credential-read", {"place": "metadata-service"}),
    "a command that shows a token": ('require("child_process").execSync("gh auth token")', "capability.credential-read", {"place": "command"}),
    "fetch": ('fetch("https://a.example/x", {method: "POST", body: b})', "capability.network", {"destination": "hxxps://a[.]example/x", "method": "POST", "sends": True}),
    "an address of numbers": ('fetch("http://203.0.113.9:8080/")', "capability.network", {"raw_address": True}),
    "https": ('require("https").request({hostname: "a.example", path: "/p", method: "PUT"})', "capability.network", {"destination": "a[.]example/p", "sends": True}),
    "axios": ('const a = require("axios"); a.post("https://a.example", x)', "capability.network", {"api": "axios.post", "sends": True}),
    "got, imported": ('import got from "got"; got("https://a.example")', "capability.network", {"api": "got"}),
    "net": ('require("net").connect(4444, "192.0.2.7")', "capability.network", {"api": "net.connect", "raw_address": True}),
    "dns": ('require("dns").resolve(`${x}.a.example`, f)', "capability.network", {"api": "dns.resolve", "destination": "…[.]a[.]example"}),
    "browser request": ("const x = new XMLHttpRequest(); x.open('GET', u)", "capability.network", {"api": "XMLHttpRequest"}),
    "beacon": ("navigator.sendBeacon('https://a.example', d)", "capability.network", {"api": "navigator.sendBeacon", "sends": True}),
    "socket": ("const w = new WebSocket('wss://a.example')", "capability.network", {"api": "WebSocket"}),
    "detached": (
        'require("child_process").spawn("node", ["x.js"], {detached: true, stdio: "ignore"})',
        "capability.process",
        {"command": "node x.js", "detached": True, "hidden": True},
    ),
    "Bun": ('Bun.spawn(["ls", "-l"])', "capability.process", {"api": "Bun.spawn", "command": "ls -l"}),
    "Deno": ('new Deno.Command("ls")', "capability.process", {"api": "Deno.Command"}),
    "binding": ('const s = process.binding("spawn_sync"); s.spawn({})', "capability.process", {"api": "process.binding().spawn"}),
    "execa": ('import {execa} from "execa"; execa("ls", ["-a"])', "capability.process", {"api": "execa.execa", "command": "ls -a"}),
    "eval": ("eval(x)", "capability.dynamic-code", {"api": "eval", "literal": False}),
    "indirect eval": ("(0, eval)(x)", "capability.dynamic-code", {"api": "eval"}),
    "eval by a name": ("const e = globalThis['ev' + 'al']; e(x)", "capability.dynamic-code", {"api": "eval"}),
    "Function": ("new Function('a', body)()", "capability.dynamic-code", {"api": "Function", "literal": False}),
    "constructor": ("[].constructor.constructor(x)()", "capability.dynamic-code", {"api": "Function"}),
    "vm": ('require("vm").runInThisContext(x)', "capability.dynamic-code", {"api": "vm.runInThisContext"}),
    "compile": ("module._compile(x, 'a')", "capability.dynamic-code", {"api": "module._compile"}),
    "timer with text": ("setTimeout('go()', 10)", "capability.dynamic-code", {"api": "setTimeout"}),
    "delay": ("setTimeout(go, 1000 * 60 * 30)", "capability.delay", {"seconds": 1800}),
    "decode": ('Buffer.from(x, "base64")', "capability.decode", {"form": "base64"}),
    "decrypt": ('const d = require("crypto").createDecipheriv("aes", k, i); d.update(x)', "capability.decode", {"form": "cipher"}),
    "compress": ('require("zlib").gzipSync(x)', "capability.encode", {"form": "gzip"}),
    "host": ('require("os").userInfo().username', "capability.host-recon", {"api": "os.userInfo", "weak": False}),
    "platform": ("if (process.platform === 'win32') f()", "capability.host-recon", {"weak": True}),
    "shell startup": ('require("fs").appendFileSync(h + "/.bashrc", x)', "capability.persistence", {"place": "shell-startup"}),
    "scheduled": ('require("child_process").exec("schtasks /create /tn x")', "capability.persistence", {"place": "scheduled-task"}),
    "launch agent": ('require("fs").writeFileSync(`${h}/Library/LaunchAgents/a.plist`, x)', "capability.persistence", {"place": "launch-agent"}),
    "git hook": ('require("fs").writeFileSync(".git/hooks/pre-commit", x)', "capability.persistence", {"place": "git-hook"}),
    "editor": ('require("fs").writeFileSync(".vscode/tasks.json", x)', "capability.agent-configuration", {"place": "vscode"}),
    "agent": ('require("fs").writeFileSync(`${h}/.claude/settings.json`, x)', "capability.agent-configuration", {"place": "claude"}),
    "workflow": ('require("fs").writeFileSync(".github/workflows/a.yml", x)', "capability.workflow-write", {}),
    "publish": ('require("child_process").execSync("npm publish --tag latest")', "capability.own-publish", {}),
    "token of a registry": ('fetch(`${r}/-/npm/v1/tokens`)', "capability.own-publish", {}),
    "hook of fetch": ("window.fetch = async function (...a) { return f(...a) }", "capability.interface-hook", {"interface": "fetch"}),
    "hook of a wallet": ("window.ethereum.request = function (x) {}", "capability.interface-hook", {"interface": "ethereum.request"}),
    "hook of requests": ("XMLHttpRequest.prototype.send = function () {}", "capability.interface-hook", {}),
    "deletes itself": ('require("fs").unlinkSync(__filename)', "capability.self-delete", {}),
    "deletes itself, by arguments": ('require("fs").rmSync(process.argv[1])', "capability.self-delete", {}),
    "deletes itself, as a module": (
        'import fs from "fs"; import {fileURLToPath} from "url"; fs.unlinkSync(fileURLToPath(import.meta.url))',
        "capability.self-delete",
        {},
    ),
    "deletes itself, by name": ('require("fs").unlink(require("path").join(__dirname, "setup.js"), f)', "capability.self-delete", {}),
    "swaps its manifest": ('require("fs").renameSync("package.md", "package.json")', "capability.manifest-swap", {}),
    "executable": ('require("fs").chmodSync(p, 0o755)', "capability.file-write", {"executable": True}),
    "continuous integration": ("if (process.env.CI) process.exit()", "capability.condition", {"on": "ci"}),
    "user": ('if (require("os").hostname() === "x") {}', "capability.condition", {"on": "user"}),
    "clipboard": ("navigator.clipboard.readText()", "capability.clipboard", {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "expected"), CAPABILITIES.values(), ids=CAPABILITIES)
def test_capability(text: str, kind: str, expected: dict[str, object]) -> None:
    found = [dict(one.attributes) for one in told(text, path="package/lib/setup.js") if one.kind == kind]
    assert any(expected.items() <= one.items() for one in found), (found, told(text))


NOTHING = {
    "mode": "if (process.env.NODE_ENV !== 'production') warn()",
    "expression": "const m = /a/.exec(text); x.exec(y); db.exec('select 1')",
    "own function": "function eval2(x) {} function fetch(u) { return cache[u] } fetch('a')",
    "global object": "const root = Function('return this')(); new Function('return this')()",
    "words in a text": "const help = 'require(\"child_process\").exec(x); process.env.NPM_TOKEN; ~/.npmrc'",
    "words in a comment": "// require('child_process').exec('id')\n/* eval(x) */ const a = 1;",
    "property": "a.process.env.X; o.fetch(u); o.eval(x); x.constructor.name",
    "types": "typeof process; typeof window !== 'undefined'",
    "short timer": "setTimeout(() => go(), 100)",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_told_of_what_does_nothing(text: str) -> None:
    assert [one for one in told(text) if one.kind.startswith(("capability", "chain", "obfuscation"))] == []


def test_typescript_and_jsx_are_read() -> None:
    text = (
        'import { exec as e } from "child_process"; const run = (x: string): void => { e(x as any, <T,>(y: T) => y) };'
    )
    assert [one.kind for one in told(text, "typescript", "a.ts")] == ["import.module", "capability.process"]
    text = 'import {exec} from "child_process"; const A = () => <div onClick={() => exec("id")}>{1}</div>'
    assert "capability.process" in [one.kind for one in told(text, "typescript", "a.tsx")]
    assert "capability.process" in [one.kind for one in told(text, "javascript", "a.jsx")]


def test_declarations_give_nothing() -> None:
    assert told('import {exec} from "child_process"', "declarations", "a.d.ts") == []


def test_where_it_runs_is_told() -> None:
    text = "eval(a);\nfunction f() { eval(b) }\n(() => { eval(c) })();\n(function () { eval(d) }).call(this)"
    assert [one.attributes["scope"] for one in told(text) if one.kind == "capability.dynamic-code"] == [
        "top",
        "function",
    ]


def test_a_file_that_only_imports_gives_the_same_without_its_syntax() -> None:
    plain = 'import a from "b";\nexport { c } from "./d.js";\nconst e = require("f/g");\n'
    read = plain + "process.cwd();\n"
    named = [dict(one.attributes) for one in told(plain)]
    assert [(one["module"], one["package"], one["form"]) for one in named] == [
        (one.attributes["module"], one.attributes["package"], one.attributes["form"]) for one in told(read)
    ]
    assert len(named) == 3


def test_an_import_in_a_comment_is_none() -> None:
    for text in ('// import "a"\nx()', '/* \nrequire("a") */ y()', '/*\n\n import "a"\n*/'):
        assert [one for one in told(text) if one.kind == "import.module"] == [], text
