"""Any bytes named as JavaScript give facts or a refusal, the same ones every time, within bounds."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.javascript import facts
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS
from tests.unit.releases.javascript.test_capabilities import CAPABILITIES, PROCESS
from tests.unit.releases.javascript.test_chains import DECODED, HEAD, RUN, SENT

PIECES = [*PROCESS.values(), *(text for text, _, _ in CAPABILITIES.values())]
PIECES += [HEAD + text for text in (*SENT.values(), *RUN.values(), *DECODED.values())]
TOKENS = [
    "require(",
    "process",
    ".env",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "=>",
    "=",
    "+",
    "`",
    "${",
    "'",
    '"',
    "eval",
    "Function",
    "fetch",
    "const",
    "a",
    "b",
    ",",
    ";",
    ":",
    "...",
    "await",
    "async",
    "function",
    "return",
    "class",
    "this",
    "import",
    "from",
    "export",
    "'child_process'",
    "exec",
    "0x1",
    "/x/",
    "//",
    "/*",
    "*/",
    "\\",
    "\n",
    "globalThis",
    "Buffer",
    ".from",
    "atob",
    "new",
    "?.",
    "??",
    "&&",
]


def told(content: bytes, kind: str = "javascript") -> list[Fact | Refusal]:
    return list(
        facts(SourceFile(path="a.ts" if kind == "typescript" else "a.js", content=content, sha256="0", kind=kind))
    )


def hold(found: list[Fact | Refusal]) -> None:
    for one in found:
        if isinstance(one, Refusal):
            assert one.reader == "javascript"
            assert one.reason
            continue
        meaning = WORDS[one.kind]
        assert set(one.attributes) <= set(meaning[1]) | set(CODE_ATTRIBUTES), one
        assert one.excerpt.isprintable()
        assert len(one.excerpt) <= 200
        assert one.line >= 1
        assert all(len(value) <= 400 for value in one.attributes.values() if isinstance(value, str))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=600), st.sampled_from(["javascript", "typescript"]))
def test_any_bytes(content: bytes, kind: str) -> None:
    hold(told(content, kind))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(TOKENS), max_size=80))
def test_any_words_of_the_language(words: list[str]) -> None:
    hold(told(" ".join(words).encode()))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PIECES), st.data())
def test_code_that_was_cut_and_mixed(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 12))
    given = data.draw(st.sampled_from(["", *TOKENS, text, "\0", "\udcff"]))
    changed = (text[:start] + given + text[start + length :]).encode("utf-8", "surrogateescape")
    found = told(changed)
    hold(found)
    assert found == told(changed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PIECES),
    st.sampled_from([b"/* note */ ", b"'use strict';\n", b"\n\n\n", b"var zz = 1;", b"\xef\xbb\xbf"]),
)
def test_what_stands_before_changes_the_lines_alone(text: str, before: bytes) -> None:
    plain = [(one.kind, dict(one.attributes)) for one in told(text.encode()) if isinstance(one, Fact)]
    moved = [(one.kind, dict(one.attributes)) for one in told(before + text.encode()) if isinstance(one, Fact)]
    for kind, attributes in plain:
        attributes.pop("lines", None)
        same = [other for name, other in moved if name == kind]
        assert any(attributes.items() <= other.items() for other in same), (kind, attributes, same)


HOSTILE = {
    "brackets": b"[" * 20_000 + b"]" * 20_000 + b";process.env;",
    "parentheses": b"eval" + b"(" * 20_000,
    "nested calls": b"eval(" * 5_000 + b"x" + b")" * 5_000,
    "nested functions": b"function f(){" * 4_000 + b"process.env" + b"}" * 4_000,
    "a long sum": b"eval(" + b"'a'+" * 50_000 + b"'b')",
    "a long chain": b"process" + b".env.a" * 50_000,
    "names in a ring": b"var a = b; var b = c; var c = a; eval(a); require(b).exec(c);" * 200,
    "functions in a ring": b"function a(x){return b(x)} function b(x){return a(x+x)} eval(a('y'));" * 50,
    "one name everywhere": b"var e = require('child_process');" + b"e=e(e,e[e]);e.exec(e);" * 20_000,
    "doubling": b"var a0='x';" + b"".join(f"var a{n + 1}=a{n}+a{n};".encode() for n in range(60)) + b"eval(a60)",
    "a loop without end": b"function f(s){for(;;){s+=s.charCodeAt(0)^1} return s} eval(f('x'))",
    "a long loop": b"function f(s){let o='';for(let i=0;i<1e9;i++){o+=s.charCodeAt(0)^i} return o} eval(f('x'))",
    "a huge array": b"var a=[" + b"'x'," * 200_000 + b"'y'];eval(a[7]);a0(0x1);",
    "a huge line": b"process.env.A;" + b"a.b(c,d);" * 600_000,
    "many roots": b"process.env.A_1;require('x');eval(y);" * 30_000,
    "computations in computations": (
        "function f(s) { return g"
        + "(" * 20
        + "s"
        + ")" * 20
        + " + c0.charCodeAt(0) } function g(s) { return s }"
        + "".join(f"const c{n} = f(c{n + 1} + 'x');" for n in range(60))
        + "const c60 = 'y'; eval(f('x'))"
    ).encode(),
    "escapes": b"eval('" + b"\\x61" * 300_000 + b"')",
    "a template without end": b"eval(`" + b"${`" * 5_000,
    "quotes": b"'" * 100_000 + b"eval(x)",
    "slashes": b"/" * 100_000 + b"eval(x)",
    "base64 in base64": b"eval(atob('" + b"QUFB" * 200_000 + b"'))",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_ends_in_time(content: bytes) -> None:
    before = time.process_time()
    hold(told(content))
    assert time.process_time() - before < 4 + len(content) / 1_000_000, len(content)


def test_random_bytes_are_refused_at_once() -> None:
    content = random.Random(7).randbytes(3_000_000)
    before = time.process_time()
    found = told(content)
    assert [one.reason for one in found if isinstance(one, Refusal)] == ["the bytes are no text"]
    assert len(found) == 1
    assert time.process_time() - before < 0.2


def test_a_file_that_is_too_large_is_refused_at_once() -> None:
    found = told(b"a=1;" * (5 << 20))
    assert [type(one) for one in found] == [Refusal]


def test_text_in_other_letters_is_text() -> None:
    for text in ("const a = 'привет, мир'; // 日本語" * 400, "x = '\ufffd\ufffd\ufffd'" * 900):
        assert [one for one in told(text.encode()) if isinstance(one, Refusal)] == []
