"""The kind of a file is told by its bytes first, then by its name; source stays source."""

from __future__ import annotations

import hashlib

import pytest

from pratique.releases.kinds import kind_of


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("package.json", b"{}", "manifest"),
        ("lib/package.json", b"{}", "json"),
        ("a.dist-info/METADATA", b"Name: a\n", "manifest"),
        ("PKG-INFO", b"Name: a\n", "manifest"),
        ("METADATA", b"Name: a\n", "text"),
        ("pyproject.toml", b"[project]\n", "manifest"),
        ("tests/pyproject.toml", b"[project]\n", "text"),
        ("index.js", b"module.exports = 1\n", "javascript"),
        ("index.MJS", b"export {}\n", "javascript"),
        ("index.d.ts", b"export {}\n", "declarations"),
        ("index.d.css.ts", b"export {}\n", "declarations"),
        ("index.ts", b"export {}\n", "typescript"),
        ("a/__init__.pyi", b"x: int\n", "declarations"),
        ("setup.py", b"", "python"),
        ("a.pth", b"import os\n", "path-configuration"),
        ("binding.gyp", b"{}", "gyp"),
        ("index.js.map", b"{}", "map"),
        ("install", b"#!/bin/sh\n", "shell"),
        ("bin/run", b"#!/usr/bin/env node\n", "javascript"),
        ("bin/run", b"\xef\xbb\xbf#!/usr/bin/env python3\n", "python"),
        ("page", b"<!DOCTYPE html>", "html"),
        ("logo.svg", b"<svg/>", "html"),
        ("README.md", b"# words\n", "text"),
        ("a.node", b"\x7fELF\x02", "native"),
        ("a.js", b"\x7fELF\x02", "native"),
        ("a.exe", b"MZ\x90\0", "native"),
        ("a.js", b"MZ = 1\n", "javascript"),
        ("a.txt", b"MZ is short for a name\n", "text"),
        ("a.js", b"GIF89a = 1;", "javascript"),
        ("a.png", b"GIF89a\1\0\1\0", "image"),
        ("a.js", b"PK\x03\x04", "archive"),
        ("a.class", b"\xca\xfe\xba\xbe\0\0\0\x34", "binary"),
        ("a.dylib", b"\xca\xfe\xba\xbe\0\0\0\x02", "native"),
        ("a.js", hashlib.shake_256(b"noise").digest(4000), "binary"),
        ("a.js", "\ufeffvar a".encode("utf-16-le"), "javascript"),
        ("a.js", "// \u4f60\u597d\n".encode() * 100, "javascript"),
        ("a.js", b"// caf\xe9\nvar a = 1\n", "javascript"),
        ("a.js", b"/* \0 */ var a = 1\n", "javascript"),
        ("empty", b"", "text"),
    ],
)
def test_kinds(path: str, head: bytes, kind: str) -> None:
    assert kind_of(path, head) == kind
