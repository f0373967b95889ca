"""Addresses that stand in code: hosts of URLs, raw addresses, hidden services, and the class of service they are of."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from importlib import resources

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.excerpts import Lines, around, defanged_host

MOST = 64
"""The hosts of a file that are told; those of a known class come first."""
_EXAMINED = 20_000
_SCHEME = re.compile(rb"(?:https?|wss?|ftps?|tcp|udp|socks[45]?h?|ssh|git|mqtts?|rediss?|mongodb(?:\+srv)?)\Z", re.I)
_AUTHORITY = re.compile(
    rb"://(?:[^\s/@'\"`<>\\]{0,200}@)?([A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(/[^\s'\"`<>\\)]{0,200})?"
)
_PATH = re.compile(rb"(?::\d{1,5})?(/[^\s'\"`<>\\)]{0,200})")
_MASK = re.compile(rb"/\d{1,2}")
_RESERVED_NETS = ("192.0.0.", "192.0.2.", "198.51.100.", "203.0.113.", "192.88.99.")
"""Networks of RFC 5737 and 6890 that nobody answers from."""
_HOST_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
_OPENING = (b'"', b"'", b"`", b"@")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}", re.ASCII)
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.ASCII)
_BEFORE_COMMENT = (b"", b"\n", b" ", b"\t", b";", b"}", b"{", b"(", b")", b",")
_ONION = re.compile(r"(?:[a-z2-7]{16}|[a-z2-7]{56})\.onion", re.ASCII)
_RESERVED = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|test|invalid|localhost|local)\Z")
_SCHEMAS = frozenset(
    [
        "www.w3.org",
        "json-schema.org",
        "schemas.microsoft.com",
        "json.schemastore.org",
        "schema.org",
        "schemas.xmlsoap.org",
    ]
)
"""Hosts that stand in names of formats and are never asked."""
_COMMENT = re.compile(rb"(?:^|\s)(?://|/\*|\*|#|<!--)(?:\s|$|[^\S\n]*[A-Z@])|^\s*(?:\*|//|#|\"\"\"|''')")


@functools.cache
def _endings() -> re.Pattern[bytes]:
    """Where a raw address or the host of a known service ends, before the end of a text, a port or a path."""
    last = sorted({host.rpartition(".")[2] for host in services()} - {""})
    words = "|".join(word for word in last if not word.isdigit())
    return re.compile(rf"\.(?:\d{{1,3}}|{words})(?=[\"'`/:])".encode())


@functools.cache
def services() -> dict[str, tuple[tuple[str, str], ...]]:
    """Host to the paths under it and their classes; the longest path first. From `services.toml`."""
    text = (resources.files("pratique.releases.content") / "services.toml").read_text(encoding="utf-8")
    table: dict[str, list[tuple[str, str]]] = {}
    for name, entry in tomllib.loads(text)["class"].items():
        for stored in entry["hosts"]:
            host, slash, path = stored.replace("[.]", ".").partition("/")
            table.setdefault(host, []).append((slash + path, name))
    return {host: tuple(sorted(paths, key=lambda pair: -len(pair[0]))) for host, paths in table.items()}


_BELOW = frozenset({"dynamic-dns", "throw-away", "hidden-service"})
"""Classes whose users have names below the host; the host alone stands in lists of public suffixes."""


def service_of(host: str, path: str = "") -> str:
    """The class of service that a host is of, with `path` as it begins behind it; empty where it is of none."""
    known = services()
    labels = host.lower().rstrip(".").split(".")
    for at in range(len(labels)):
        for begin, name in known.get(".".join(labels[at:]), ()):
            if at == 0 and name in _BELOW:
                continue
            if path.startswith(begin) or (begin and begin in path):
                return name
    return ""


def destinations(file: SourceFile) -> Iterator[Fact]:
    """The hosts of URLs and raw addresses in code, each once, where it stands first; `service` where it is known.

    Left out are this machine, reserved names, names of schemas, and what stands in comments unless it is of a known
    class. A host without a scheme is told only between quotes and only where it is of a known class or an address.
    """
    found: dict[tuple[str, str], tuple[int, int, str, str]] = {}
    for host, path, at, end, form in _places(file.content):
        service = service_of(host, path)
        if form == "bare" and not service and not _ADDRESS.fullmatch(host):
            continue
        if _left_out(host) or (host, service) in found:
            continue
        if not service and _in_comment(file.content, at):
            continue
        kind = "onion" if host.endswith(".onion") else "address" if _ADDRESS.fullmatch(host) or ":" in host else "url"
        found[host, service] = (at, end, kind, service)
    chosen = sorted(found.items(), key=lambda item: (not item[1][3], item[1][0]))[:MOST]
    lines = Lines(file.content)
    for (host, service), (at, end, kind, _) in sorted(chosen, key=lambda item: item[1][0]):
        yield Fact(
            "content.destination",
            file.path,
            lines.of(at),
            around(file.content, at, end),
            file.sha256,
            attributes={"host": defanged_host(host), "form": kind, "service": service},
        )


def _places(content: bytes) -> Iterator[tuple[str, str, int, int, str]]:
    """Host, path, begin and end of everything that is written like an address; `url` or `bare`."""
    at = -1
    for _ in range(_EXAMINED):
        at = content.find(b"://", at + 1)
        if at < 0:
            break
        scheme = _SCHEME.search(content[max(0, at - 12) : at])
        match = _AUTHORITY.match(content, at) if scheme else None
        if match is not None and scheme is not None:
            host = match[1].decode("ascii").lower().strip("[].")
            if _HOST.fullmatch(host) or _is_address(host) or ":" in host:
                path = (match[2] or b"").decode("utf-8", "replace")
                yield host, path, at - len(scheme.group()), match.end(), "url"
    for number, match in enumerate(_endings().finditer(content)):
        if number >= _EXAMINED:
            break
        head = content[max(0, match.start() - 254) : match.end()]
        raw = head[len(head.rstrip(_HOST_SIGNS)) :]
        begin = match.end() - len(raw)
        if content[begin - 1 : begin] not in _OPENING:
            continue
        host = raw.decode("ascii").lower()
        if _is_address(host) or _HOST.fullmatch(host):
            path = _PATH.match(content, match.end())
            if path and _MASK.fullmatch(path[1]):
                continue
            yield host, path[1].decode("utf-8", "replace") if path else "", begin, match.end(), "bare"


def _is_address(host: str) -> bool:
    """Whether a text is an address of the Internet that may be asked: no version, network or mask."""
    if not _ADDRESS.fullmatch(host):
        return False
    parts = [int(part) for part in host.split(".")]
    if max(parts) > 255 or any(len(part) > 1 and part[0] == "0" for part in host.split(".")):
        return False
    if host.startswith(_RESERVED_NETS):
        return False
    return parts[0] not in (0, 127, 255) and parts[0] < 240 and parts[3] not in (0, 255) and parts[0] > 2


def _left_out(host: str) -> bool:
    return (
        host in _SCHEMAS
        or bool(_RESERVED.search(host))
        or host in ("::1", "::")
        or (_ADDRESS.fullmatch(host) is not None and not _is_address(host))
        or (host.endswith(".onion") and not _ONION.fullmatch(host.removeprefix("www.")))
    )


def _in_comment(content: bytes, at: int) -> bool:
    begin = content.rfind(b"\n", max(0, at - 400), at) + 1
    if _COMMENT.search(content[max(begin, at - 400) : at]) is not None:
        return True
    opened = content.rfind(b"/*", max(0, at - 4000), at)
    return opened >= 0 and content.find(b"*/", opened, at) < 0 and content[opened - 1 : opened] in _BEFORE_COMMENT
