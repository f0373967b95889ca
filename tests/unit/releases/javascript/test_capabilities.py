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
