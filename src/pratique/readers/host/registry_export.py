"""Exports of the Windows registry: .reg files, for the keys that start programs.

## Reads
Versions 4 and 5, UTF-16 or 8 bit: values below `Run`, `RunOnce`, `RunServices`, `Policies\\Explorer\\Run`, `Winlogon`
(`Shell`, `Userinit`), and `ImagePath` of services. Each with its whole key, the root written short (`HKCU`), and the
programs and script files that its command names.

## Leaves out
Every other key, and arguments. Deletions (`-`).

## References
Microsoft, "How to add, modify, or delete registry subkeys and values by using a .reg file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of
from pratique.readers.text import refuse

ROOTS = {
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_USERS": "HKU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
_RUN = re.compile(
    r".*\\CurrentVersion\\(?:Policies\\Explorer\\)?Run(?:Once|Services|ServicesOnce|OnceEx)?", re.IGNORECASE
)
_WINLOGON = re.compile(r".*\\CurrentVersion\\Winlogon", re.IGNORECASE)
_SERVICE = re.compile(r".*\\Services\\([^\\]+)", re.IGNORECASE)
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"=(.*)', re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the values that start programs. Raises Unreadable."""
    text = text_of(artifact.content())
    if not text.lstrip("\ufeff").startswith(("Windows Registry Editor", "REGEDIT4")):
        yield refuse(artifact, READER, "does not begin as an export of the registry")
        return
    key = ""
    for number, line in _lines(text):
        if line.startswith("["):
            key = "" if line.startswith("[-") else line[1:].rstrip("]")
            continue
        match = _VALUE.fullmatch(line) if key else None
        if match is None:
            continue
        name = match[1].replace('\\"', '"').replace("\\\\", "\\")
        if not starts(key, name):
            continue
        command = _data(match[2])
        if command is None:
            yield refuse(artifact, READER, f"line {number}: a value that starts a program is not understood")
            continue
        yield from entry(artifact, READER, merged([command], interest, windows=True), line=number, **fields(key, name))


def starts(key: str, name: str) -> bool:
    """Whether a value of a key starts a program."""
    return bool(
        _RUN.fullmatch(key)
        or (_WINLOGON.fullmatch(key) and name.lower() in ("shell", "userinit"))
        or (_SERVICE.fullmatch(key) and name.lower() == "imagepath")
    )


def fields(key: str, name: str) -> dict[str, Any]:
    """What a fact says of such a value."""
    service = _SERVICE.fullmatch(key)
    if service:
        return {"mechanism": "service", "name": service[1][:200], "when": "boot"}
    root, slash, rest = key.partition("\\")
    short = ROOTS.get(root.upper(), root)
    return {"mechanism": "run-key", "name": f"{short}{slash}{rest}\\{name}"[:500], "when": "login"}


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines, those that go on joined."""
    parts: list[str] = []
    start = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not parts:
            start = number
        if line.endswith("\\") and not line.endswith('"') and ("hex" in line or parts) and len(parts) < 10_000:
            parts.append(line[:-1])
            continue
        yield start, "".join([*parts, line])
        parts = []


def _data(text: str) -> str | None:
    """The text of a value; None where it is none."""
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    match = re.fullmatch(r"hex\((?:1|2|7)\):([0-9a-fA-F,\s]*)", text)
    if match:
        octets = bytes(int(part, 16) for part in match[1].split(",") if part.strip() and len(part.strip()) <= 2)
        return octets.decode("utf-16-le", "replace").replace("\0", " ").strip()
    return "" if text.startswith(("dword:", "hex:")) else None


READER = Reader(
    name="registry-export",
    ecosystem="host",
    read=read,
    suffixes=(".reg",),
    subject="machine",
    doors=("host",),
)
