"""Take an affected machine off the network, and block what the incident talks to: lists to copy, for people."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import msgspec

from pratique.model.incident import Incident, Indicator
from pratique.model.inert import one_line, printable
from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation

_NAME = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}")


_NOWHERE = (str(ipaddress.IPv4Address(0)), str(ipaddress.IPv6Address(0)))


class Blocks(msgspec.Struct, frozen=True):
    """Network indicators, sorted: what is blocked, and what is left out and why."""

    names: tuple[str, ...]
    four: tuple[str, ...]
    six: tuple[str, ...]
    left_out: tuple[str, ...]
    """Lines for people; hosts in them stay defanged."""


def steps(situation: Situation) -> Iterator[Step]:
    """Disconnect where code ran; block lists where an incident names hosts."""
    ran = seen.ran(situation)
    if ran:
        first = preserve.disconnects_first(situation)
        yield Step(
            id=preserve.DISCONNECT,
            phase="contain",
            title="Disconnect the affected machine from every network, and leave it switched on",
            reason=f"Its code ran here and may still talk to its owner. {seen.because(ran)}.",
            disposition="manual",
            action=Manual(
                instructions=(
                    "Unplug the cable or switch the port off; switch wireless, Bluetooth and mobile links off.",
                    "Of a virtual machine or runner: move it to a network that leads nowhere; keep memory and disk.",
                    "Note the open connections first where that takes no longer than a minute; they end with it.",
                ),
            ),
            owner="responder",
            incidents=seen.named(ran),
            preconditions=() if first else (preserve.SEALED,),
            after=() if first else (preserve.SEAL,),
            undo="Connect it again: only after it was rebuilt.",
            check="Another machine cannot reach it.",
            triggers_dead_man_switch=True,
            sightings=seen.ids(ran),
        )
    for incident in seen.definitions(situation):
        found = blocks(incident)
        if found.names or found.four or found.six or found.left_out:
            yield from _lists(situation, incident, found)


def blocks(incident: Incident) -> Blocks:
    """What of an incident's network indicators can be blocked without hitting others."""
    names: list[str] = []
    addresses: list[str] = []
    left: list[str] = []
    for item in incident.indicators:
        if item.type not in ("domain", "ip", "url", "http-body"):
            continue
        reason = _kept_out(item)
        if reason:
            left.append(f"{item.value}: {reason}")
            continue
        value = live(item.value)
        if item.type == "ip":
            try:
                addresses.append(str(ipaddress.ip_address(value)))
            except ValueError:
                left.append(f"{item.value}: is no single address")
        elif item.type == "domain":
            if _NAME.fullmatch(value):
                names.append(value.lower())
            else:
                left.append(f"{item.value}: is no name of a host")
        else:
            left.append(f"{item.value}: a URL; its host is blocked where it is listed by itself. Search logs for it")
    every = sorted(set(addresses))
    return Blocks(
        tuple(sorted(set(names))),
        tuple(item for item in every if ":" not in item),
        tuple(item for item in every if ":" in item),
        tuple(dict.fromkeys(left)),
    )


def live(value: str) -> str:
    """An indicator as it works: without the brackets that keep it inert in text."""
    return value.replace("[.]", ".").replace("[:]", ":").replace("hxxp", "http")


def _kept_out(item: Indicator) -> str:
    """Why an indicator stands in no block list; empty where it may."""
    if item.type == "http-body":
        return "stands in the text of a request and is never contacted"
    if item.match != "exact":
        return "is a pattern, no single host"
    if item.meaning == "infrastructure":
        return "belongs to the same owner, and this code is not known to use it"
    if item.confidence == "low":
        return "is little certain"
    if item.look_alikes:
        return f"others use it too: {', '.join(item.look_alikes)}"
    return ""


def _lists(situation: Situation, incident: Incident, found: Blocks) -> Iterator[Step]:
    sights = [sight for sight in seen.sights(situation) if sight.entry.incident == incident.id]
    told = [f"{incident.id}, revision {incident.revision}", *(f"left out: {line}" for line in found.left_out)]
    comments = [f"# {one_line(printable(line))}" for line in told]
    hosts = [f"{address} {name}" for name in found.names for address in _NOWHERE]
    texts = (
        ("hosts", "in the hosts file of every machine", "text/x-hosts", hosts),
        ("nftables", "with nftables at the edge or on a machine", "text/x-nftables", _nftables(incident, found)),
        ("list", "in a proxy, resolver or firewall that takes plain lists", "text/plain", _plain(found)),
    )
    where = {
        "hosts": ("Append the lines to /etc/hosts; on Windows to drivers\\etc\\hosts below the system folder.",),
        "nftables": ("Save the text as pratique-block.nft, and load it.",),
        "list": ("Copy the names and addresses. Search the logs of resolver, proxy and firewall for each too.",),
    }
    for name, how, media, lines in texts:
        if not lines:
            continue
        commands: tuple[Command, ...] = ()
        undo = "Take the lines out again."
        if name == "nftables":
            commands = (
                Command(words=("nft", "--check", "--file", "pratique-block.nft"), where="network"),
                Command(words=("nft", "--file", "pratique-block.nft"), where="network"),
            )
            undo = f"nft delete table inet {_table(incident)}"
        yield Step(
            id=f"contain.block.{name}.{incident.id}",
            phase="contain",
            title=f"Block the hosts of {incident.id} {how}",
            reason=f"Its code talks to them. {seen.because(sights)}.",
            disposition="manual",
            action=Manual(
                instructions=where[name], commands=commands, text="\n".join([*comments, *lines, ""]), media=media
            ),
            owner="platform-engineer",
            incidents=(incident.id,),
            after=(preserve.SEAL,),
            undo=undo,
            check="A request to one of them from a machine behind the block fails, and the block counts it.",
            triggers_dead_man_switch=True,
            sightings=seen.ids(sights),
        )


def _table(incident: Incident) -> str:
    return "pratique_" + re.sub(r"[^A-Za-z0-9]", "_", incident.id)[:40]


def _nftables(incident: Incident, found: Blocks) -> list[str]:
    if not found.four and not found.six:
        return []
    lines = [f"table inet {_table(incident)} {{"]
    rules = []
    for name, kind, family, values in (("four", "ipv4_addr", "ip", found.four), ("six", "ipv6_addr", "ip6", found.six)):
        if values:
            lines += [f"  set {name} {{", f"    type {kind}", f"    elements = {{ {', '.join(values)} }}", "  }"]
            rules.append(f"    {family} daddr @{name} counter drop")
    for hook in ("output", "forward"):
        lines += [f"  chain {hook} {{", f"    type filter hook {hook} priority 0; policy accept;", *rules, "  }"]
    return [*lines, "}"]


def _plain(found: Blocks) -> list[str]:
    return [*found.names, *found.four, *found.six]
