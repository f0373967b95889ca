"""What a command line runs, and the name that a DNS query asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.programs import interpreter_of, is_interpreter, script_of, scripts_of
from pratique.adapters.supervisor.reading import socket_address


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("python3 /t/x.py a", "/t/x.py"),
        ("python3 -I -S x.py", "x.py"),
        ("python3 -I x.py", "x.py"),
        ("python3 -O x.py", "x.py"),
        ("python3 -I -c pass x.py", ""),
        ("python3 -Ic pass x.py", ""),
        ("python3 -uBm http.server", ""),
        ("python3 -W ignore x.py", "x.py"),
        ("python3 -m pip install x", ""),
        ("python3 -c pass x.py", ""),
        ("python3 -", ""),
        ("node -r ./hook.js app.js", "app.js"),
        ("node --require ./hook.js app.js", "app.js"),
        ("node -e 1 x.js", ""),
        ("sh -c ls /t/x", ""),
        ("sh -ec ls", ""),
        ("sh -e /t/x.sh", "/t/x.sh"),
        ("bash -- x.sh", "x.sh"),
        ("bun run x.ts", "x.ts"),
        ("gcc /t/a.s", ""),
        ("node", ""),
    ],
)
def test_the_script_is_what_stands_in_its_place(line: str, script: str) -> None:
    words = line.split()
    assert script_of(f"/usr/bin/{words[0]}", words) == script


@given(st.lists(st.text(max_size=8), max_size=8))
def test_any_arguments_give_a_script_out_of_them_or_none(words: list[str]) -> None:
    for name in ("node", "python3.12", "sh", "bun"):
        assert is_interpreter(name)
        assert script_of(name, words) in {"", *words}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("node --env-file=/t/e --require=/t/a.js --import file:///t/b.mjs /t/x.js", ["/t/a.js", "/t/b.mjs", "/t/x.js"]),
        ("bash -o pipefail --rcfile /t/rc /t/x.sh", ["pipefail", "/t/rc", "/t/x.sh"]),
        ("busybox sh /t/x", ["sh", "/t/x"]),
        ("python3 -Ic code /t/x", []),
        ("perl -pi -e code /t/x", []),
        ("sh -ec code", []),
        ("sh -e /t/x", ["/t/x"]),
        ("python3", []),
    ],
)  # fmt: skip
def test_every_word_that_may_name_code_is_told(words: str, named: list[str]) -> None:
    assert list(scripts_of(words.split()[0], words.split())) == named


@pytest.mark.parametrize(
    ("first", "interpreter"),
    [
        (b"#!/bin/sh\nls", "/bin/sh"),
        (b"#!/usr/bin/env -S node --x\n", "node"),
        (b"#! /usr/bin/python3 -I\n", "/usr/bin/python3"),
        (b"#!", ""),
        (b"\x7fELF", ""),
        (b"", ""),
    ],
)
def test_the_first_line_names_the_interpreter(tmp_path: Path, first: bytes, interpreter: str) -> None:
    (tmp_path / "x").write_bytes(first)
    assert interpreter_of(str(tmp_path / "x")) == interpreter
    assert interpreter_of(str(tmp_path / "none")) == ""


def test_the_question_of_a_query_is_read_and_answers_are_not() -> None:
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07collect\x07invalid\x00\x00\x01\x00\x01"
    assert dns.question(query) == "collect.invalid"
    assert dns.question(query[:2] + b"\x81" + query[3:]) == ""
    assert dns.question(query[:20]) == ""


@given(st.binary(max_size=80))
def test_any_bytes_give_a_name_or_none_and_an_address_or_none(message: bytes) -> None:
    assert isinstance(dns.question(message), str)
    family, address, port = socket_address(message)
    assert family in ("", "inet", "inet6", "unix")
    assert (port is not None) == (family in ("inet", "inet6"))
    assert isinstance(address, str)
