"""What belongs together: a secret that is sent, text that is decoded or fetched and run, a run whose traces go.

Evidence is flow first: the value that is sent or run comes from there. Where only the same file's name, or the same
function holds both ends, the chain says so (`within`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.release import Value
from pratique.releases.python import places
from pratique.releases.python.bindings import Bindings
from pratique.releases.python.effects import Event, defanged
from pratique.releases.python.values import GAP, Known, Origin

Chain = tuple[str, int, dict[str, Value]]
"""Kind, offset of its last step, attributes."""

_HIDING = frozenset(
    {"base64", "base32", "hex", "base85", "ascii85", "zlib", "gzip", "bz2", "lzma", "rot13", "rot_13", "codes"}
)
_KEYED = frozenset({"fernet", "aes", "secretbox"})
_SPELLED = 6
"""So many characters that are given by their numbers are no accident."""
_STRONG = frozenset({"credential"})
_HOSTS = {
    "GITHUB": "github", "GH": "github", "GITLAB": "gitlab", "CI": "gitlab", "NPM": "npm", "NODE": "npm", "PYPI": "pypi",
    "TWINE": "pypi", "UV": "pypi", "AWS": "amazonaws", "AZURE": "azure", "DOCKER": "docker", "DOCKERHUB": "docker",
    "ACTIONS": "actions", "VAULT": "vault", "GOOGLE": "google", "CARGO": "crates",
}  # fmt: skip


def chains(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    """Every chain among the events of one file."""
    yield from _secrets(bindings, events)
    yield from _runs(bindings, events)
    yield from _hides(bindings, events)


def _lines(bindings: Bindings, offsets: list[int]) -> str:
    lines = sorted({bindings.source.line(offset) for offset in offsets})
    return ", ".join(str(line) for line in lines[:8])


def _secrets(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    flowing = False
    for event in events:
        if event.kind not in ("send", "ask", "lookup", "header"):
            continue
        found = [one for one in event.content.all_origins() if _secret(one, event)]
        if not found:
            continue
        flowing = True
        first = min(found, key=lambda one: (one.kind != "credential", one.offset, one.detail))
        encodes = [one for one in event.content.all_origins() if one.kind == "encode"]
        steps = "credential-read" if first.kind == "credential" else "environment-read"
        attributes: dict[str, Value] = {
            "steps": f"{steps}, encode, network" if encodes else f"{steps}, network",
            "within": "flow",
            "lines": _lines(bindings, [first.offset, *(one.offset for one in encodes), event.node.start_byte]),
            "destination": defanged(event.target.text),
            "carried": _carried(first, event),
            "secret": first.detail.replace(GAP, "\u2026"),
        }
        yield "chain.secret-to-network", event.node.start_byte, attributes
    if flowing:
        return
    yield from _near(bindings, events)


def _carried(origin: Origin, event: Event) -> str:
    """In which part of a request something is sent."""
    fields = event.target.fields or {}
    if event.kind == "header" or ("headers" in fields and origin in fields["headers"].all_origins()):
        return "header"
    request = event.target.api.endswith("Request()")
    return "url" if origin in event.target.origins and not request else "body"


def _near(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    """A place of credentials read and something sent in one function, where what is sent is not known."""
    secrets = [event for event in events if event.kind == "secret"]
    for event in events:
        if event.kind != "send" or _vendor(event.target):
            continue
        function = bindings.function_at(event.node.start_byte)
        near = [one for one in secrets if bindings.function_at(one.node.start_byte) == function and function >= 0]
        several = len({one.api for one in secrets}) >= 2
        if near or several:
            first = (near or secrets)[0]
            yield (
                "chain.secret-to-network",
                event.node.start_byte,
                {
                    "steps": "credential-read, network",
                    "within": "function" if near else "file",
                    "lines": _lines(bindings, [first.node.start_byte, event.node.start_byte]),
                    "destination": defanged(event.target.text),
                    "secret": first.api,
                },
            )
            return


def _secret(origin: Origin, event: Event) -> bool:
    if origin.kind in _STRONG:
        return origin.detail != "metadata-service"
    if origin.kind != "environment":
        return False
    if origin.detail == "*":
        return True
    if event.kind == "header" or not places.FOREIGN_SECRET.fullmatch(origin.detail):
        return False
    return not any(_HOSTS.get(origin.detail.partition("_")[0], "\0") in text.lower() for text in event.target.choices)


def _vendor(target: Known) -> bool:
    """Whether a destination is not known: then nearness says nothing."""
    return not any(re.match(r"(?:https?://)?[\w.-]+\.\w+|wss?://", text) for text in target.choices)


def _runs(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    for event in events:
        if event.kind == "piped":
            where = event.target.text
            yield _chain("chain.download-to-run", bindings, event.node.start_byte, "download, run", [], where)
        if event.kind not in ("run", "process"):
            continue
        origins = sorted(event.content.all_origins())
        decoded = [one for one in origins if one.kind == "decode" and one.detail in _HIDING | _KEYED | {"marshal"}]
        spelled = [one for one in origins if one.kind == "decode" and one.detail == "character"]
        if len(spelled) >= _SPELLED or (spelled and len(event.content.text) >= 2 * _SPELLED and event.kind == "run"):
            decoded.append(spelled[0]._replace(detail="codes"))
        fetched = [one for one in origins if one.kind == "download"]
        offset = event.node.start_byte
        if fetched and event.kind == "run":
            yield _chain(
                "chain.download-to-run", bindings, offset, "download, run", [fetched[0].offset], fetched[0].detail
            )
        elif _hidden(event, decoded):
            names = sorted({one.detail for one in decoded})
            steps = ", ".join(f"decode {name}" for name in names) + ", run"
            yield _chain("chain.decode-to-run", bindings, offset, steps, [one.offset for one in decoded], "")
        elif event.kind == "run" and (kept := [one for one in origins if one.kind == "file" and _no_code(one.detail)]):
            kind, at, attributes = _chain("chain.file-to-run", bindings, offset, "file-read, run", [kept[0].offset], "")
            yield kind, at, {**attributes, "file": kept[0].detail}
    yield from _by_file(bindings, events)


def _no_code(path: str) -> bool:
    """Whether a file's name is known, and is not that of a file of code."""
    name = path.rpartition("/")[2]
    return GAP not in name and "." in name.strip(".") and not name.endswith((".py", ".pyw", ".pyi", ".in", "__file__"))


def _hidden(event: Event, decoded: list[Origin]) -> bool:
    """Whether text that is run was hidden: what is only unpacked from a file of code objects is not."""
    if event.kind == "run":
        return any(one.detail in _HIDING | _KEYED for one in decoded)
    return any(one.detail in _HIDING for one in decoded)


def _by_file(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    """Content that is written to a file which is then run: the file told by its path or by the same expression."""
    opened = {event.path: event for event in events if event.kind == "open"}
    writes: list[tuple[Event, Event | None]] = []
    for event in events:
        if event.kind == "write":
            writes.append((event, opened.get(event.path)))
    for write, _ in writes:
        origins = sorted(write.content.all_origins())
        fetched = [one for one in origins if one.kind == "download"]
        decoded = [one for one in origins if one.kind == "decode" and one.detail in _HIDING]
        if not fetched and not decoded:
            continue
        for event in events:
            if event.kind in ("process", "load", "run") and _same(bindings, write, event):
                first = (fetched or decoded)[0]
                kind = "chain.download-to-run" if fetched else "chain.decode-to-run"
                steps = "download, file-write, run" if fetched else f"decode {first.detail}, file-write, run"
                offsets = [first.offset, write.node.start_byte]
                yield _chain(kind, bindings, event.node.start_byte, steps, offsets, first.detail if fetched else "")
                break


def _same(bindings: Bindings, write: Event, run: Event) -> bool:
    """Whether what is run is the file that was written."""
    written = {text for text in write.target.choices if GAP not in text and len(text) > 1}
    ran = list(run.target.all_texts())
    if any(text in one.split() or text == one for text in written for one in ran):
        return True
    names = _path_names(bindings, write)
    same = bindings.function_at(write.node.start_byte) == bindings.function_at(run.node.start_byte)
    return same and any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w(])", run.path) for name in names)


def _path_names(bindings: Bindings, write: Event) -> list[str]:
    """The names by which a function speaks of the file that it writes."""
    node = write.node
    names = (
        [write.path] if re.fullmatch(r"[\w.]+", write.path) and not write.api.endswith(("write", "writelines")) else []
    )
    if write.api.startswith("tempfile."):
        return [f"{write.path}.name"]
    if write.api.endswith(("write", "writelines")):
        function = bindings.function_at(node.start_byte)
        for binding in bindings.names.get((function, write.path), ()):
            above = binding.parent
            while above is not None and above.type not in ("as_pattern", "assignment", "block", "module"):
                above = above.parent
            text = (
                bindings.text(above)[:300] if above is not None and above.type in ("as_pattern", "assignment") else ""
            )
            found = re.search(r"open\(\s*([\w.]+)", text)
            if found:
                names.append(found[1])
    return [name for name in names if len(name) > 0]


def _hides(bindings: Bindings, events: list[Event]) -> Iterator[Chain]:
    runs = [event for event in events if event.kind in ("process", "run")]
    for event in events:
        if event.kind == "self-delete" and runs:
            offsets = [runs[0].node.start_byte, event.node.start_byte]
            same = bindings.function_at(offsets[0]) == bindings.function_at(offsets[1])
            within = "function" if same else "file"
            yield _chain("chain.run-and-hide", bindings, offsets[1], "run, self-delete", offsets[:1], "", within)
        elif event.kind == "delete":
            yield from _removed(bindings, event, events)


def _removed(bindings: Bindings, gone: Event, events: list[Event]) -> Iterator[Chain]:
    """A file that was fetched or decoded, written, run, and deleted."""
    for write in events:
        if write.kind != "write" or not any(one.kind in ("download", "decode") for one in write.content.all_origins()):
            continue
        if not any(run.kind in ("process", "load") and _same(bindings, write, run) for run in events):
            continue
        if _same(bindings, write, gone):
            offsets = [write.node.start_byte]
            yield _chain(
                "chain.run-and-hide", bindings, gone.node.start_byte, "file-write, run, file-delete", offsets, ""
            )
            return


def _chain(
    kind: str, bindings: Bindings, offset: int, steps: str, before: list[int], destination: str, within: str = "flow"
) -> Chain:
    attributes: dict[str, Value] = {
        "steps": steps,
        "within": within,
        "lines": _lines(bindings, [*before, offset]),
    }
    if destination:
        attributes["destination"] = defanged(destination)
    return kind, offset, attributes
