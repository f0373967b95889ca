"""Whatever an extractor does, a release is examined: a crash is a refusal, and text is valid Unicode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases import extract

FILE = SourceFile("a.py", b"x", "ab", "python")


def test_a_crash_is_a_refusal_and_what_was_found_before_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: SourceFile) -> Iterator[Fact | Refusal]:
        yield Fact("capability.network", file.path)
        raise RecursionError("deep")

    def whole(file: SourceFile) -> Iterator[Fact | Refusal]:
        yield Fact("capability.delay", file.path)

    monkeypatch.setattr(extract, "extractors", lambda kind: (broken, whole))
    found = list(extract.facts_of_file(FILE))
    assert [one.kind for one in found if isinstance(one, Fact)] == ["capability.network", "capability.delay"]
    (refusal,) = [one for one in found if isinstance(one, Refusal)]
    assert refusal.relevant
    assert "RecursionError" in refusal.reason


def test_text_is_valid_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(file: SourceFile) -> Iterator[Fact | Refusal]:
        yield Fact("capability.network", file.path, excerpt="a\udcffb", attributes={"api": "\ud83d", "sends": True})

    monkeypatch.setattr(extract, "extractors", lambda kind: (odd,))
    (fact,) = extract.facts_of_file(FILE)
    assert isinstance(fact, Fact)
    assert fact.excerpt == "a\\udcffb"
    assert fact.attributes == {"api": "\\ud83d", "sends": True}


def test_a_function_that_returns_what_it_calls_itself_with_ends() -> None:
    source = (
        b"const crypto = require('crypto');\n"
        b"function deep(value, left) { return left ? deep(crypto.createHash('md5'), left - 1) : crypto; }\n"
        b"const again = (one) => again(other(one)); const other = (one) => other(again(crypto)) || crypto;\n"
        b"module.exports = deep(crypto, 3);\n"
    )
    found = list(extract.facts_of_file(SourceFile("a.js", source, "ab", "javascript")))
    assert not [one for one in found if isinstance(one, Refusal)]


def test_an_empty_template_is_an_empty_text() -> None:
    source = b'const { exec } = require("child_process");\nexec(``, { shell: `` });\nfetch(`${``}https://harbour.example/`);\n'
    found = list(extract.facts_of_file(SourceFile("a.js", source, "ab", "javascript")))
    assert not [one for one in found if isinstance(one, Refusal)]
    assert {one.kind for one in found if isinstance(one, Fact)} >= {"capability.process", "capability.network"}


def test_code_with_odd_escapes_gives_valid_text() -> None:
    source = b'import os, base64\nos.system("\\udcff\\ud800 curl http://harbour.example/")\nexec(base64.b64decode("\\udcff"))\n'
    for item in extract.facts_of_file(SourceFile("a.py", source, "ab", "python")):
        if isinstance(item, Fact):
            item.excerpt.encode()
            for value in item.attributes.values():
                str(value).encode()


@pytest.mark.parametrize("path", ["index.js", "a/b.PY", "x.ps1"])
def test_code_by_its_name_that_is_no_text_is_told(path: str) -> None:
    file = SourceFile(path, bytes(range(256)) * 40, "ab", "binary")
    (refusal,) = [one for one in extract.facts_of_file(file) if isinstance(one, Refusal)]
    assert refusal.relevant
    assert refusal.reason == "is called a file of code, and its bytes are no text: it was not read as code"
    picture = SourceFile("logo.dat", file.content, "ab", "binary")
    assert not [one for one in extract.facts_of_file(picture) if isinstance(one, Refusal)]


@pytest.mark.parametrize(
    ("kind", "path", "content", "line"),
    [
        ("javascript", "a.js", b"let a = 1;\nmatch (x) { when {a} => eval(atob('aa')) }\n", 2),
        ("python", "a.py", b"import os\nfrom x lazy import y\nwhere os.system('ls') then 3\n", 2),
    ],
)
def test_syntax_that_is_not_known_is_told_and_the_rest_is_read(kind: str, path: str, content: bytes, line: int) -> None:
    found = list(extract.facts_of_file(SourceFile(path, content, "ab", kind)))
    (refusal,) = [one for one in found if isinstance(one, Refusal)]
    assert refusal.relevant
    assert refusal.reason.startswith(f"holds from line {line} on what is no ")
    assert any(isinstance(one, Fact) for one in found)
