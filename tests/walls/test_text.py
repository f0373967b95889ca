"""What tracked text must not hold: registry hosts, places of one machine, live indicators; and no orphaned fixture."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.golden.harness import ROOT as GOLDEN
from tests.golden.harness import cases, claimed, readers
from tests.integration.examine import everything

ROOT = Path(__file__).resolve().parents[2]
MACHINE = re.compile(
    r"(?<![\w.$})\]])/(?:root|Users/(?!x/|user/|you/|name/|ci/|[<*{$])[\w.-]+|tmp/(?:wt|pytest|bash)[\w.-]*|home/(?:runner|ubuntu|vagrant))/[\w.-]"
)
PORTABLE = re.compile(r"^(?:tests/|src/pratique/incidents/data/|benchmarks/)")
"""Fixtures and tests may name made-up homes, incident data the paths that an advisory names."""


@functools.cache
def tracked() -> dict[str, str]:
    """Every tracked file that is text."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout, or git is not installed")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60)
    found = {}
    for name in done.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                found[name] = data.decode("utf-8", "replace")
    return found


def test_there_is_text() -> None:
    assert {"README.md", "pyproject.toml"} <= tracked().keys()


@functools.cache
def registry_hosts() -> frozenset[str]:
    """The hosts that npm and pip use by default or are told to use, asked of them instead of spelled."""
    found = set()
    npm = shutil.which("npm")
    if npm is not None:
        for more in ([], ["--userconfig=/dev/null", "--globalconfig=/dev/null"]):
            done = subprocess.run(
                [npm, "config", "get", "registry", *more],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                cwd="/",
            )
            found.add(urlsplit(done.stdout.strip()).hostname or "")
    try:
        from pip._internal.models.index import PyPI
    except ImportError:
        pass
    else:
        found |= {PyPI.netloc, PyPI.file_storage_domain}
    return frozenset(host for host in found if host and host != "localhost")


def test_no_registry_host_is_spelled() -> None:
    hosts = registry_hosts()
    if not hosts:
        pytest.skip("neither npm nor pip is installed to be asked")
    wrong = {
        f"{name}: {host}"
        for name, text in tracked().items()
        for host in hosts
        if re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", text)
    }
    assert sorted(wrong) == []


def test_no_place_of_one_machine_is_spelled() -> None:
    wrong = {
        f"{name}: {match.group()}"
        for name, text in tracked().items()
        if not PORTABLE.match(name)
        for match in MACHINE.finditer(text)
    }
    assert sorted(wrong) == []


def live() -> Iterator[tuple[str, str]]:
    """Indicators that name a host, an address or a URL, as the library stores them and as they would work."""
    for incident in everything().incidents:
        for indicator in incident.indicators:
            if indicator.type in ("domain", "ip", "url"):
                armed = re.sub(r"\[(\.|:|://)\]", r"\1", indicator.value).replace("hxxp", "http").replace("(.)", ".")
                yield indicator.value, armed


def test_indicators_are_stored_defanged() -> None:
    known = list(live())
    assert known
    assert [stored for stored, armed in known if stored == armed and not re.fullmatch(r"[a-z0-9-]+", stored)] == []


def test_no_live_indicator_is_spelled() -> None:
    shared = re.compile(
        r"^(?:https?://)?(?:api\.|raw\.|gist\.)?(?:github|githubusercontent|google|discord|slack|telegram)\b"
    )
    armed = {item for _, item in live() if "." in item and len(item) > 6 and not shared.match(item)}
    pattern = re.compile("|".join(rf"(?<![\w.-]){re.escape(item)}(?![\w-])" for item in sorted(armed)))
    wrong = {f"{name}: {found.group()}" for name, text in tracked().items() for found in pattern.finditer(text)}
    assert sorted(wrong) == []


def test_every_golden_folder_belongs_to_a_reader_and_holds_what_it_reads() -> None:
    known = readers()
    folders = {path.name for path in GOLDEN.glob("*/*") if path.is_dir() and any(path.rglob("*.*"))}
    assert sorted(folders - known.keys()) == [], "fixtures of no reader"
    assert sorted(known.keys() - folders) == [], "readers without fixtures"
    empty = [
        f"{name}/{case.name}"
        for name, case in cases()
        if (case / "expected.json").read_text(encoding="utf-8").strip() != "[]"
        and not any(
            claimed(known[name], path.relative_to(case / "input").as_posix()) for path in (case / "input").rglob("*")
        )
    ]
    assert empty == []
    tracked_cases = {Path(name).parts[3:6] for name in tracked() if name.startswith("tests/golden/readers/")}
    wrong = [
        parts
        for parts in tracked_cases
        if len(parts) == 3 and not (GOLDEN.joinpath(*parts) / "expected.json").is_file()
    ]
    assert sorted(wrong) == [], "cases without an expectation"
