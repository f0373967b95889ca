"""What is normal for a team's installs: a list that people read, and what deviates from it.

An entry says which program started what, or reached whom. It is no model and no score: an event is normal where an
entry fits it, and an entry can be read, changed and removed by hand. `*` in an entry stands for anything.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import tomllib
from collections.abc import Iterable, Iterator

import msgspec

from pratique.ecosystems.arguments import program
from pratique.ecosystems.npm.commands import simple_commands
from pratique.ecosystems.watched import RUNTIMES, is_watched, plain, program_name
from pratique.model.errors import ConfigurationError
from pratique.model.event import Detection, Event, PathClass, Process

BASELINE_SCHEMA = "pratique.baseline/1"
MOST_ENTRIES = 20_000
MOST_SEEN = 20
"""So many places are named where an entry was seen."""
MOST_BYTES = 8 << 20
_LONGEST = 200
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "ash"))
_INTERPRETERS = _SHELLS | RUNTIMES | {"perl", "ruby", "php"}
_VERBS = frozenset(
    ["npm", "npx", "pnpm", "pnpx", "yarn", "bun", "pip", "uv", "git", "cargo", "go", "docker", "make", "poetry"]
)
_TELLING = frozenset(["curl", "wget", "nc", "ncat", "socat", "base64", "nohup", "setsid", "crontab"])
_HOME = re.compile(r"^(?:/home/[^/]+|/root|/Users/[^/]+)(?=/|$)")
_PACKAGE = re.compile(r".*/(node_modules/(?:\.pnpm/[^/]+/node_modules/)?|(?:site|dist)-packages/)")
_RANDOM = re.compile(r"(?=[^/]*\d)[A-Za-z0-9]{8,}(?=$|[/._-])|\d{3,}|(?<=[-_.])[A-Za-z0-9]{6}(?=$|/)")
_TEMPORARY = re.compile(r"^/(?:private/)?(?:var/)?tmp/[^/]+/|^/dev/shm/[^/]+/")


class Normal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is normal: `parent` starts `child` out of a class of place, or `child` below it reaches `host`.

    `host` is a name, an address or a network in CIDR form; `port` belongs to it. `count` is how often it was seen,
    `seen` where; `note` is for people, and is kept.
    """

    parent: str
    child: str
    place: PathClass | None = None
    host: str = ""
    port: int | None = None
    count: int = 0
    seen: tuple[str, ...] = ()
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What makes two entries one, and the order of a file."""
        return self.parent, self.child, self.place or "", self.host, self.port if self.port is not None else -1


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    normal: tuple[Normal, ...] = ()


def normal_of(event: Event, where: str) -> Normal | None:
    """What an event would be as an entry; None where it is nothing that a baseline is about.

    That is what stands below a program whose children are watched: programs that began, connections that were made.
    """
    process = event.process
    if process is None or event.outcome == "failed" or event.detail.get("unread"):
        return None
    if event.kind == "process.start":
        parent = _above(process)
        if not parent or not process.arguments:
            return None
        return Normal(parent=parent, child=shape(event), place=event.path_class, count=1, seen=(where,))
    if event.kind == "network.connect" and event.protocol != "unix":
        own = program_name(process.executable, process.arguments, process.script)
        parent = _above(process) or (own if is_watched(own) else "")
        host = event.host or network(event.address)
        if not (parent and host and own):
            return None
        return Normal(parent=parent, child=own, host=host, port=event.port, count=1, seen=(where,))
    return None


def _above(process: Process) -> str:
    """The nearest program above whose children are watched."""
    return next((plain(one.name) for one in process.ancestors if is_watched(plain(one.name))), "")


def shape(event: Event) -> str:
    """What a program is called in a baseline: its name, and what it was started on, without what differs each time."""
    process = event.process
    if process is None or not process.arguments:
        return ""
    words = process.arguments
    name = program_name(process.executable, words, process.script)
    if event.path_class not in ("system", "credential", "persistence") and event.path and event.path != process.script:
        name = place(event.path.removesuffix(" (deleted)"))
    if process.script and plain(process.script) != name:
        return _cut(f"{name} {place(process.script)}")
    if name in _SHELLS and len(words) > 2 and "c" in words[1][:4] and words[1].startswith("-"):
        started = dict.fromkeys(found for one in simple_commands(words[2]) if one and (found := program(one[0])))
        return _cut(f"{name} -c: {' '.join(sorted(started))}") if started else f"{name} -c"
    if name in _INTERPRETERS and len(words) > 1 and words[1] in ("-c", "-e", "-m", "-p", "--eval", "--print"):
        return _cut(f"{name} {words[1]}" + (f" {words[2]}" if words[1] == "-m" and len(words) > 2 else ""))
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    if name in _VERBS and re.fullmatch(r"[a-z][a-z-]{1,20}", verb):
        return f"{name} {verb}"
    return _cut(name)


def place(path: str) -> str:
    """A path without what differs from machine to machine and run to run: homes, projects, random names."""
    found = _PACKAGE.match(path)
    if found:
        path = found[1] + path[found.end() :]
    path = _HOME.sub("~", path)
    temporary = _TEMPORARY.match(path)
    if temporary:
        path = f"{temporary[0].rstrip('/').rpartition('/')[0]}/*/{path[temporary.end() :]}"
    return _cut(_RANDOM.sub("*", path))


def network(address: str) -> str:
    """The network of an address, as it stands in a baseline: addresses of one service differ in their last part."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.is_loopback:
        return "localhost"
    width = (24 if found.version == 4 else 48) if found.is_global else found.max_prefixlen
    return str(ipaddress.ip_network((found, width), strict=False))


def _cut(text: str) -> str:
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "*"


class Baseline:
    """Entries by what they are about."""

    def __init__(self, entries: Iterable[Normal] = ()) -> None:
        self._entries: dict[tuple[str, str, str, str, int], Normal] = {}
        self._fitted: dict[tuple[str, str, str, str, int], Normal | None] = {}
        self.left_out = 0
        for one in entries:
            self.add(one)

    @property
    def entries(self) -> tuple[Normal, ...]:
        """All of them, in order."""
        return tuple(self._entries[key] for key in sorted(self._entries))

    def add(self, entry: Normal) -> None:
        """Take one in: what is the same is one entry, with the counts together."""
        before = self._entries.get(entry.key)
        if before is None:
            if len(self._entries) >= MOST_ENTRIES:
                self.left_out += 1
                return
            self._entries[entry.key] = msgspec.structs.replace(entry, seen=_places(entry.seen))
        else:
            self._entries[entry.key] = msgspec.structs.replace(
                before,
                count=before.count + entry.count,
                seen=_places((*before.seen, *entry.seen)),
                note=before.note or entry.note,
            )
        self._fitted.clear()

    def learn(self, event: Event, where: str) -> bool:
        """Take in what an event shows to be normal; whether it shows anything."""
        entry = normal_of(event, where)
        if entry is not None:
            self.add(entry)
        return entry is not None

    def fits(self, event: Event) -> Normal | None:
        """The entry that an event fits; None where it fits none, or is nothing that a baseline is about."""
        entry = normal_of(event, "")
        return self._fitting(entry) if entry is not None else None

    def _fitting(self, wanted: Normal) -> Normal | None:
        exact = self._entries.get(wanted.key)
        if exact is not None:
            return exact
        if wanted.key not in self._fitted:
            if len(self._fitted) >= MOST_ENTRIES:
                self._fitted.clear()
            self._fitted[wanted.key] = next((one for one in self.entries if fits(one, wanted)), None)
        return self._fitted[wanted.key]

    def deviation(self, event: Event) -> Detection | None:
        """What an event is that no entry fits; None where one does, or it is nothing that a baseline is about."""
        wanted = normal_of(event, "")
        if wanted is None or self._fitting(wanted) is not None:
            return None
        if wanted.host:
            name, title = "new-destination", "Something below a watched program reached an address for the first time"
            port = f" port {wanted.port}" if wanted.port is not None else ""
            reached = f"{event.host or event.address}{port}"
            said = f"{wanted.child} below {wanted.parent} reached {reached}: not in the baseline"
        else:
            name, title = "new-child", "A watched program started something for the first time"
            said = f"{wanted.parent} started {wanted.child} ({wanted.place}): not in the baseline"
        return Detection(
            rule=name,
            title=title,
            level="medium" if wanted.place == "temporary" else "low",
            statement=said,
            events=(event.sequence,),
            cause=event.cause,
            process=event.process,
        )


def fits(entry: Normal, wanted: Normal) -> bool:
    """Whether an entry, in which `*` stands for anything, is about what an event shows."""
    if bool(entry.host) is not bool(wanted.host):
        return False
    if not (_like(entry.parent, wanted.parent) and _like(entry.child, wanted.child)):
        return False
    if not entry.host:
        return entry.place in (None, wanted.place)
    return entry.port in (None, wanted.port) and _reaches(entry.host, wanted.host)


def _reaches(entry: str, wanted: str) -> bool:
    if _like(entry, wanted):
        return True
    try:
        return ipaddress.ip_network(wanted).subnet_of(ipaddress.ip_network(entry))  # type: ignore[arg-type]  # versions that differ raise TypeError
    except (ValueError, TypeError):
        return False


def _like(pattern: str, text: str) -> bool:
    return pattern == text or ("*" in pattern and _test(pattern).fullmatch(text) is not None)


@functools.lru_cache(maxsize=MOST_ENTRIES)
def _test(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def _places(seen: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(seen))[:MOST_SEEN])


def parse(text: str, name: str) -> Baseline:
    """A baseline out of its text. Raises ConfigurationError that names the file and the entry."""
    if len(text) > MOST_BYTES:
        raise ConfigurationError(f"is longer than {MOST_BYTES} bytes", where=name)
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"is no TOML: {error}", where=name, advice="Mend that line") from None
    entries = found.get("normal", [])
    schema = found.get("schema")
    if schema != BASELINE_SCHEMA:
        said = f"is of the schema {str(schema)[:60]!r}" if schema is not None else "names no schema"
        raise ConfigurationError(said, where=name, advice=f'Its first line is: schema = "{BASELINE_SCHEMA}"')
    if not isinstance(entries, list):
        raise ConfigurationError("normal is no list", where=name, advice="Write each entry below [[normal]]")
    unknown = sorted(set(found) - {"schema", "normal"})
    if unknown:
        raise ConfigurationError(f"holds {unknown[0]!r}, which is not known", where=name, advice="Remove it")
    if len(entries) > MOST_ENTRIES:
        raise ConfigurationError(f"holds more than {MOST_ENTRIES} entries", where=name, advice="Join some with *")
    return Baseline(_entry(one, number, name) for number, one in enumerate(entries, 1))


def _entry(given: object, number: int, name: str) -> Normal:
    def wrong(what: str, advice: str) -> ConfigurationError:
        return ConfigurationError(f"entry {number} {what}", where=name, advice=advice)

    try:
        entry = msgspec.convert(given, Normal)
    except msgspec.ValidationError as error:
        raise wrong(f"cannot be used: {error}", "See docs/how-to/watch-a-machine.md for the fields") from None
    if not entry.parent.strip() or not entry.child.strip():
        raise wrong("has an empty parent or child", "Name both, or write *")
    if not entry.host and entry.port is not None:
        raise wrong("has a port and no host", "Name the host, or write *")
    if entry.host and entry.place is not None:
        raise wrong("has a host and a place", "Make two entries of it: one starts, the other one reaches")
    if not entry.host and entry.child.strip("* ") == "":
        raise wrong("excepts every program", "Name the program, or a part of it")
    if entry.host.strip("* ") == "" and entry.host and entry.child.strip("* ") == "":
        raise wrong("excepts every connection", "Name the program, or the host")
    if entry.port is not None and not 0 <= entry.port < 65_536:
        raise wrong(f"has the port {entry.port}", "Ports go from 0 to 65535")
    if "/" in entry.host and "*" not in entry.host:
        try:
            ipaddress.ip_network(entry.host)
        except ValueError as error:
            raise wrong(f"names no network: {error}", "Write it in CIDR form: 198.51.100.0/24") from None
    if entry.count < 0:
        raise wrong("has a count below zero", "Remove the count")
    return entry


def doubts(baseline: Baseline) -> Iterator[tuple[Normal, str]]:
    """Entries that a person should look at twice, and why."""
    for entry in baseline.entries:
        if entry.place == "temporary":
            yield entry, "runs out of a temporary folder: a dropped program looks like that"
        elif _TELLING & set(entry.child.split()):
            yield entry, "fetches or detaches something"
        elif entry.place in ("credential", "persistence"):
            yield entry, f"runs out of a place of {entry.place}"
        elif entry.host and entry.port not in (None, 22, 53, 80, 443, 9418) and entry.host != "localhost":
            yield entry, "an unusual port"


_HEAD = """\
# What is normal here: what programs start, and whom they reach. Learned by `pratique watch learn`, for people to read.
# Remove what should not be; join entries with * where they differ in what does not matter. `note` is kept.
# `pratique watch --baseline FILE` tells what fits none of these. A line "# look" asks for a second look.

"""


def written(baseline: Baseline) -> str:
    """The text of a baseline: the same entries give the same text."""
    looks = {entry.key: why for entry, why in doubts(baseline)}
    parts = [_HEAD, f'schema = "{BASELINE_SCHEMA}"\n']
    for entry in baseline.entries:
        parts.append("\n")
        if entry.key in looks:
            parts.append(f"# look: {looks[entry.key]}\n")
        parts.append("[[normal]]\n")
        parts.append(f"parent = {_quoted(entry.parent)}\nchild = {_quoted(entry.child)}\n")
        if entry.place is not None:
            parts.append(f"place = {_quoted(entry.place)}\n")
        if entry.host:
            parts.append(f"host = {_quoted(entry.host)}\n")
        if entry.port is not None:
            parts.append(f"port = {entry.port}\n")
        parts.append(f"count = {entry.count}\n")
        if entry.seen:
            parts.append(f"seen = [{', '.join(_quoted(one) for one in entry.seen)}]\n")
        if entry.note:
            parts.append(f"note = {_quoted(entry.note)}\n")
    return "".join(parts)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    spelled = (sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped)
    return f'"{"".join(spelled)}"'
