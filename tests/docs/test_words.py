"""What no tracked file may hold: a registry's host name, an attacker's live host, an unfinished page."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique import api
from tests.docs.pages import ROOT, name, pages

HOSTS = [
    ".".join(parts)
    for parts in (
        ("registry", "npmjs", "org"),
        ("registry", "npmjs", "com"),
        ("www", "npmjs", "com"),
        ("registry", "yarnpkg", "com"),
        ("registry", "npmmirror", "com"),
        ("npm", "pkg", "github", "com"),
        ("npm", "jsr", "io"),
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
    )
]
"""In parts, so that this file holds none of them."""

NETWORK = ("domain", "ip", "url", "http-body", "dns", "command-line")


def tracked() -> Iterator[tuple[Path, str]]:
    """Every tracked text file; every file where this is no checkout of git."""
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        paths = [ROOT / part.decode() for part in listing.split(b"\0") if part]
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git, so nothing says which files are tracked")
    for path in paths:
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if b"\0" not in data:
                yield path, data.decode("utf-8", "replace")


def live() -> set[str]:
    """The bundled network indicators as they would work: with the brackets taken out."""
    known, _ = api.available()
    found = set()
    for incident in known.values():
        for item in incident.indicators:
            if item.type in NETWORK and ("[.]" in item.value or "hxxp" in item.value):
                plain = item.value.replace("[.]", ".").replace("[:]", ":").replace("hxxp", "http")
                found.add(plain.strip("*"))
    return found


def test_no_registry_host_and_no_live_indicator_in_any_tracked_file() -> None:
    wanted = [*HOSTS, *sorted(live())]
    assert len(wanted) > len(HOSTS) + 20
    found = [f"{path.relative_to(ROOT)}: {word}" for path, text in tracked() for word in wanted if word in text]
    assert found == []


def test_no_place_of_one_machine_in_the_documentation() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for word in ("/tmp/wt", "/home/user", "TODO", "FIXME", "XXX"):
            assert word not in text, f"{name(page)}: {word}"


def test_pages_do_not_promise_what_no_check_can_give() -> None:
    """`clean` and `safe` are no verdicts; the documentation may only use them where it says so."""
    for page in pages():
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for phrase in ("you are clean", "is clean.", "you are safe", "is safe.", "not infected"):
                assert phrase not in line.lower(), f"{name(page)}:{number}: {phrase}"


def test_lines_fit_a_screen() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if "<!-- Generated" in text:
            continue
        inside = False
        for number, line in enumerate(text.splitlines(), start=1):
            if line.lstrip().startswith("```"):
                inside = not inside
            if not inside and not line.startswith(("|", "![")):
                assert len(line) <= 125, f"{name(page)}:{number} has {len(line)} columns"
