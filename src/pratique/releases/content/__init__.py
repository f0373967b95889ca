"""What stands in a file whatever its language: hidden text, huge lines, programs, archives, addresses, wallets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.content.confusable import confusables
from pratique.releases.content.destinations import destinations
from pratique.releases.content.ends import end_of
from pratique.releases.content.excerpts import printable
from pratique.releases.content.formats import archive_format, native_format, other_format
from pratique.releases.content.hidden import CODE, hidden_text
from pratique.releases.content.mismatch import mismatch
from pratique.releases.content.runs import huge_line, mixed_runs, mixed_whole
from pratique.releases.content.wallets import wallets
from pratique.releases.plausible import strictly

_LONGEST_TEXT = 256 << 20
_TEXTS = CODE | {"manifest", "json", "html", "text"}
_ADDRESSED = CODE - {"declarations"} | {"html"}
_LEAST_TRAILING = 8


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """Facts of content, for files of every kind. Total; its time is linear in the size of the file."""
    content = file.content
    if len(content) > _LONGEST_TEXT:
        yield Refusal(file.path, "content", f"holds {len(content)} bytes, more than are looked through", relevant=True)
        return
    yield from _formats(file)
    if not (file.kind in CODE and file.path.endswith("package.json")):
        yield from mismatch(file)
    if file.kind in _TEXTS:
        yield from _texts(file)


def _texts(file: SourceFile) -> Iterator[Fact]:
    """What is looked for in text, by kind: names and addresses in code alone, what is not seen everywhere."""
    steps: list[Callable[[SourceFile], Iterator[Fact]]] = [hidden_text]
    if file.kind in CODE and not file.content.isascii():
        steps.append(confusables)
    if file.kind in _ADDRESSED:
        steps += [huge_line, mixed_runs, destinations, wallets]
    elif file.kind == "json":
        steps += [mixed_runs, wallets]
    for step in steps:
        yield from step(file)


def _formats(file: SourceFile) -> Iterator[Fact]:
    """Native programs, archives, and what follows the end of a picture or archive."""
    content = file.content
    native = native_format(content)
    if native is not None:
        yield Fact(
            "content.native",
            file.path,
            0,
            f"{native.format} for {native.architecture}, {len(content)} bytes",
            file.sha256,
            attributes={"format": native.format, "size": len(content), "architecture": native.architecture},
        )
        return
    archive = archive_format(content)
    if archive:
        yield Fact(
            "content.archive",
            file.path,
            0,
            f"{archive}, {len(content)} bytes",
            file.sha256,
            attributes={"format": archive, "size": len(content), "encrypted": _encrypted(archive, content)},
        )
    form = archive or other_format(content)
    end = end_of(form, content) if form else None
    rest = content[end : end + 4096] if end is not None else b""
    if end is not None and len(rest.strip(b"\0 \t\r\n\xff")) >= _LEAST_TRAILING:
        what = native_format(rest) or archive_format(rest) or other_format(rest) or strictly(rest) or "bytes"
        name = what if isinstance(what, str) else what.format
        yield Fact(
            "content.trailing",
            file.path,
            0,
            printable(name.encode() + b": " + rest[:160]),
            file.sha256,
            attributes={"format": form, "length": len(content) - end, "actual": name},
        )
    if not form and file.kind == "binary":
        yield from mixed_whole(file)


def _encrypted(archive: str, content: bytes) -> bool:
    """Whether the first member of a zip is encrypted, by the lowest bit of its flags."""
    return archive == "zip" and len(content) > 8 and bool(content[6] & 1) and content.startswith(b"PK\x03\x04")
