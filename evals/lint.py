"""Check the replicas: `python -m evals.lint`. They are inert, dated right, and carry no indicator of an incident."""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from evals.describe import REPLICAS, Replica, load_all, split_of
from evals.shapes import GUARDS, STEPS

RESERVED = (".invalid", ".example", ".test")
METADATA_HOSTS = frozenset({"github.com", "day.js.org", "code.example"})
"""Hosts that a manifest may name as the repository or home page that a package claims."""
LOCAL = re.compile(r"^(?:127\.|169\.254\.169\.254$|192\.0\.2\.)")
_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp)://([A-Za-z0-9.-]+)")
_HOST = re.compile(r"host(?:name)?\"?\s*[:=]\s*[\"']([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)[\"']")
_LONG = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
_SENDS = re.compile(r"\b(?:curl|wget|node|python3?|sh|powershell)\b")
_JOINS = re.compile(
    r"^\s*(?:import\s+[\"'][^\"']+[\"'];?|(?:exports\.\w+\s*=\s*)?require\([\"'][^\"']+[\"']\);?"
    r"|from [\w.]+ import \w+(?:  # noqa)?|\w+\(\))?\s*$"
)
_BATCH = "exit /b 1 & rem inert replica"
_SCRIPTS = {".js": "js", ".mjs": "js", ".cjs": "js", ".py": "py", ".sh": "sh"}


def main() -> int:
    """Print what is wrong; 1 where anything is."""
    wrong = list(complaints())
    for line in wrong:
        print(line)
    print(f"{len(load_all())} replicas, {len(wrong)} complaints", file=sys.stderr)
    return 1 if wrong else 0


def complaints(root: Path = REPLICAS) -> Iterator[str]:
    """Every rule that a replica breaks, in words."""
    for identifier, replica in load_all(root).items():
        for words in (*_words(replica), *_texts(replica, root / identifier)):
            yield f"{identifier}: {words}"


def _words(replica: Replica) -> Iterator[str]:
    if replica.split != split_of(replica.date):
        yield f"its incident of {replica.date} belongs to {split_of(replica.date)}, not to {replica.split}"
    if (replica.kind == "E") != bool(replica.evades):
        yield "an evasion says what it evades, and nothing else does"
    if not replica.package or not replica.package[0].new:
        yield "its first package has no new release"
    for package in replica.package:
        for one in package.set:
            if one.at[:1] == ("scripts",) and isinstance(one.value, str) and replica.kind != "N":
                yield from _command(one.value)
        for write in package.write:
            steps = [*write.steps, *(step for part in write.inserts.values() for step in part.steps)]
            unknown = [step for step in steps if step.partition(":")[0] not in STEPS]
            if unknown:
                yield f"{write.path} has unknown steps {unknown}"


def _command(text: str) -> Iterator[str]:
    if re.search(r"\b(?:curl|wget|powershell|bash -c)\b|https?:", text) and not text.startswith("exit 1;"):
        yield f"the hook {text!r} could act: it does not start with exit 1"


def _texts(replica: Replica, folder: Path) -> Iterator[str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    used = {f"files/{write.text}" for package in replica.package for write in package.write}
    used |= {
        f"files/{part.text}"
        for package in replica.package
        for write in package.write
        for part in write.inserts.values()
    }
    for path in files:
        name = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8")
        if name.startswith("files/"):
            if name not in used:
                yield f"{name} is not used"
            if replica.kind != "N":
                yield from (f"{name}: {words}" for words in _guarded(path, text))
        yield from (f"{name}: {words}" for words in _hosts(path, text, replica))


def _guarded(path: Path, text: str) -> Iterator[str]:
    first = text.split("\n", 1)[0]
    if path.suffix in _SCRIPTS:
        if first != GUARDS[_SCRIPTS[path.suffix]] and not all(_JOINS.match(line) for line in text.splitlines()):
            yield "does not start with the statement that ends it"
    elif path.suffix == ".bat":
        if first != _BATCH:
            yield "does not start with the statement that ends it"
    elif path.suffix == ".pth":
        if not first.startswith(f"import sys; {GUARDS['py']};") or text.count("\n") > 1:
            yield "is not one line that ends at once"
    elif path.suffix == ".gyp":
        for command in re.findall(r"<!@?\(([^)]*)\)", text):
            if not command.startswith("exit 1;"):
                yield f"the expansion {command!r} could act"
    elif path.suffix == ".json":
        for command in re.findall(r'"command":\s*"([^"]*)"', text):
            if command != "command" and _SENDS.search(command) and not command.startswith("exit 1;"):
                yield f"the command {command!r} could act"
    elif path.suffix not in (".txt", ".md", ".c", ".toml"):
        yield f"nobody checks files like {path.suffix}"


def _hosts(path: Path, text: str, replica: Replica) -> Iterator[str]:
    layers = [text]
    for literal in _LONG.findall(text):
        for decode in (base64.b64decode, binascii.unhexlify):
            try:
                layers.append(decode(literal).decode("ascii"))
            except ValueError:
                continue
    for layer in layers:
        for host in (*_ADDRESS.findall(layer), *_HOST.findall(layer)):
            host = host.lower().rstrip(".")
            stated = path.name in ("package.json", "replica.toml") and host in METADATA_HOSTS
            source = path.name == "replica.toml" and host in replica.source
            if not (host.endswith(RESERVED) or LOCAL.match(host) or stated or source):
                yield f"names {host}, which is no reserved domain"


if __name__ == "__main__":
    raise SystemExit(main())
