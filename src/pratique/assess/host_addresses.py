"""The addresses and names of hosts that indicators name, as a machine's connections and look-ups show them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from pratique.assess.catalogue import refanged
from pratique.model.incident import Incident, Indicator


class Addresses:
    """The addresses of the indicators that apply to a machine. `rest` holds these by their type."""

    def __init__(self, rest: dict[str, list[tuple[Incident, Indicator]]]) -> None:
        self.rest = rest
        self.endpoints = list(_endpoints(rest))

    def named(self, hosts: Sequence[str]) -> Iterator[tuple[Incident, Indicator, str]]:
        """The indicators that name hosts that a program was told, each with the host."""
        for host in hosts:
            plain, _, port = host.partition(":")
            for incident, indicator, name, wanted in self.names:
                if (plain == name or plain.endswith(f".{name}")) and (
                    wanted is None or str(wanted) == port or not port
                ):
                    yield incident, indicator, host

    @functools.cached_property
    def names(self) -> list[tuple[Incident, Indicator, str, int | None]]:
        """Hosts that indicators name in any way, with a port where one is named."""
        found: list[tuple[Incident, Indicator, str, int | None]] = []
        for kind in ("domain", "url", "ip"):
            for incident, indicator in self.rest.get(kind, ()):
                host, port = _host(indicator.value)
                if host and not any(item[0] is incident and item[2] == host for item in found):
                    found.append((incident, indicator, host, port))
        return found


def _host(value: str) -> tuple[str, int | None]:
    """Host and port of an indicator's value."""
    text = refanged(value).lower().rpartition("://")[2].partition("/")[0]
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    return host, int(port) if port.isdigit() else None


def _endpoints(
    rest: dict[str, list[tuple[Incident, Indicator]]],
) -> Iterator[tuple[Incident, Indicator, str, int | None]]:
    """Addresses that indicators name as numbers, with a port where one is named."""
    for kind in ("ip", "url"):
        for incident, indicator in rest.get(kind, ()):
            host, port = _host(indicator.value)
            if ":" in host or re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", host):
                yield incident, indicator, host, port


def defanged(host: str) -> str:
    """A host as it is shown, which nobody follows by accident; addresses of the machine itself stay as they are."""
    return host.replace(".", "[.]") if not host.startswith("127.") else host
