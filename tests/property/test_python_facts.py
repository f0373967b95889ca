"""The reading of Python is total: any bytes give facts or a refusal, the same each time, and come to an end."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.extract import facts_of_file
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS

PIECES = [
    "import os", "from os import environ as e", "exec(", "eval(", ")", "(", "lambda x: ", "base64.b64decode(", "'aGVsbG8='",
    "getattr(", "__import__('os')", ".system", "x = ", "x", " + ", "[", "]", "{", "}", "f'{x}'", "def f(a, *b):\n    ",
    "return f(f)", "f(x)", "class C:\n    ", "self.x = self.x", "for x in x:\n    ", "with open(x) as x:\n    ", "%", "\n",
    "\t", "\\x41", "\"\"\"", "'", "await ", "x[::-1]", "chr(65)", "print 'x'", "match x:\n  case _: ", ";", "\u202e", "# coding: x",
    "requests.post(x, json=dict(os.environ))", "x := x", "1_000", "0777", "\0", "''.join(map(chr, [65]))", "type X = int",
]  # fmt: skip


def _read(content: bytes, kind: str = "python", path: str = "a.py") -> list[Fact | Refusal]:
    return list(facts_of_file(SourceFile(path, content, hashlib.sha256(content).hexdigest(), kind)))


def _sound(found: list[Fact | Refusal]) -> None:
    for one in found:
        if isinstance(one, Fact):
            assert set(one.attributes) <= {*WORDS[one.kind][1], *CODE_ATTRIBUTES}, one
            assert len(one.excerpt) <= 200
            assert one.excerpt.isprintable()
            assert one.line >= 0


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_pieces_of_python_give_facts(pieces: list[str]) -> None:
    content = "".join(pieces).encode()
    found = _read(content)
    _sound(found)
    assert found == _read(content)


@given(st.binary(max_size=3000), st.sampled_from(["python", "path-configuration"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_facts_or_a_refusal(content: bytes, kind: str) -> None:
    _sound(_read(content, kind))
    _sound(_read(b"import os\nexec(" + content, kind))


LARGE = [
    ("one line", b"x = '" + b"a" * (11 << 20) + b"'"),
    ("nested", b"import os\n" + b"(" * 200_000),
    ("sums", b"import os\nos.system(" + b"+".join([b"'a'"] * 100_000) + b")"),
    ("calls", b"import os\n" + b"os.system(x)\n" * 70_000),
    ("chain", b"import os\n" + b"".join(b"x%d = x%d + x%d\n" % (n + 1, n, n) for n in range(3000)) + b"exec(x3000)"),
    ("functions", b"import os\n" + b"".join(b"def f%d(a): return f%d(a) + f%d(a)\n" % (n, n + 1, n + 1) for n in range(500))
     + b"exec(f0(1))"),
    ("encoded", b"import os\n" + b"\n".join(b"x%d = '%s'" % (n, b"QUJD" * 5000) for n in range(60))),
    ("too large", b"x = 1\n" * (3 << 20)),
    ("lambdas", b"exec(" + b"lambda: " * 50_000 + b"1)"),
    ("odd names", b"____ " * 400_000),
    ("spaces", b"import os; " + b" " * 4_000_000 + b"x"),
]  # fmt: skip


@pytest.mark.parametrize("content", [content for _, content in LARGE], ids=[name for name, _ in LARGE])
def test_large_and_deep_text_ends_in_time(content: bytes) -> None:
    before = time.process_time()
    _sound(_read(content))
    assert time.process_time() - before < 20


def test_what_is_over_a_budget_is_told() -> None:
    found = _read(b"x = 1\n" * (3 << 20))
    assert [one.relevant for one in found if isinstance(one, Refusal)] == [True]
    noise = hashlib.shake_256(b"seed").digest(1 << 20)
    assert any(isinstance(one, Refusal) for one in _read(noise))
