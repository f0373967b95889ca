"""GuardDog on the same archives: local scan, no metadata, no network, in an environment of its own.

Its numbers are those of the release alone, and of the risks that its predecessor did not have.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import msgspec

HIGH = 5.0
LIMIT = 300.0
"""So many seconds may one archive take; after that it is ended, which is a refusal."""


class Scanned(msgspec.Struct, frozen=True):
    """One archive: the score, the risks by name, and what it took. `refused` holds why it gave no score."""

    score: float
    risks: tuple[str, ...]
    cpu: float
    wall: float
    peak: int
    refused: str = ""


def scanned(program: Path, ecosystem: str, archive: Path) -> Scanned:
    """GuardDog's answer on one archive. Whatever it does instead of answering is a refusal."""
    started = time.monotonic()
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    world = "npm" if ecosystem == "npm" else "pypi"
    read, write = os.pipe()
    child = subprocess.Popen(
        [str(program), world, "scan", str(archive), "--output-format", "json"],
        stdout=write,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
    )
    os.close(write)
    watch = threading.Timer(LIMIT, child.kill)
    watch.start()
    with os.fdopen(read, "rb") as pipe:
        output = pipe.read()
    _, status, usage = os.wait4(child.pid, 0)
    watch.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10
    return read_answer(output.decode("utf-8", "replace"), cpu, wall, peak)


def read_answer(text: str, cpu: float, wall: float, peak: int) -> Scanned:
    """What GuardDog printed as JSON, as a result; anything else is a refusal."""
    start = text.find("{")
    try:
        told = json.loads(text[start:]) if start >= 0 else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Scanned(0.0, (), cpu, wall, peak, refused=text.strip()[:200] or "said nothing")
    score = told.get("risk_score")
    if isinstance(score, dict):
        score = score.get("score")
    if not isinstance(score, int | float):
        return Scanned(0.0, (), cpu, wall, peak, refused=str(told.get("errors") or "gave no score")[:200])
    risks = {str(one.get("threat_rule") or one.get("name")) for one in told.get("risks") or () if isinstance(one, dict)}
    return Scanned(float(score), tuple(sorted(risks)), cpu, wall, peak)


def compared(after: Scanned, before: Scanned | None) -> tuple[bool, bool]:
    """Whether the release scores high, and whether it does with a risk that its predecessor did not have."""
    high = not after.refused and after.score >= HIGH
    known = set(before.risks) if before is not None else set()
    return high, high and bool(set(after.risks) - known)
