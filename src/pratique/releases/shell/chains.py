"""What belongs together in a script: what is fetched and run, decoded and run, read and sent, run and removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from pratique.releases.shell.programs import word_set
from pratique.releases.shell.reading import Role

Placed = tuple[int, Role]
"""A role with its line, from 1."""


class Chain(msgspec.Struct, frozen=True):
    """Roles that belong together: `at` is the number of the last one among all, `lines` are those of all."""

    kind: str
    at: int
    steps: tuple[str, ...]
    within: str
    lines: tuple[int, ...]
    destination: str = ""


def chains_of(roles: Sequence[Placed], inner: Sequence[Sequence[Role]]) -> Iterator[Chain]:
    """The chains of a script, in order. `inner[i]` are the roles of what is substituted into command `i`.

    Within a pipe and a substitution what is told is a flow; over names of files and variables it is one of the file.
    """
    yield from _pipes(roles, inner)
    yield from _substitutions(roles, inner)
    yield from _over_files(roles)
    yield from _over_variables(roles, inner)


def _pipes(roles: Sequence[Placed], inner: Sequence[Sequence[Role]]) -> Iterator[Chain]:
    fetched: Placed | None = None
    decoded: Placed | None = None
    secret: Placed | None = None
    encoded = False
    for at, (line, role) in enumerate(roles):
        if at == 0 or roles[at - 1][1].command.joined != "|":
            fetched = decoded = secret = None
            encoded = False
        if role.stdin and decoded:
            steps = ("download", "decode", "process") if fetched else ("decode", "process")
            yield Chain("chain.decode-to-run", at, steps, "flow", (decoded[0], line))
        if role.stdin and fetched:
            where = fetched[1].download
            steps = ("download", "decode", "process") if decoded else ("download", "process")
            yield Chain("chain.download-to-run", at, steps, "flow", (fetched[0], line), where)
        if role.sends and secret:
            steps = (_read(secret[1]), "encode", "network") if encoded else (_read(secret[1]), "network")
            yield Chain("chain.secret-to-network", at, steps, "flow", (secret[0], line), role.network)
        fetched = (line, role) if role.download else fetched
        decoded = (line, role) if role.decode else decoded
        secret = (line, role) if role.carries else secret
        encoded = encoded or any(kind == "capability.encode" for kind, _ in role.effects)
        for one in inner[at]:
            fetched = (line, one) if one.download else fetched
            secret = (line, one) if one.carries else secret


def _read(role: Role) -> str:
    return role.carries.partition(" ")[0]


def _substitutions(roles: Sequence[Placed], inner: Sequence[Sequence[Role]]) -> Iterator[Chain]:
    for at, (line, role) in enumerate(roles):
        runs = role.program in _RUNS or role.stdin or bool(role.code)
        for one in inner[at]:
            if one.download and runs:
                steps = ("download", "process")
                yield Chain("chain.download-to-run", at, steps, "flow", (line,), one.download)
            if one.decode and runs:
                yield Chain("chain.decode-to-run", at, ("decode", "process"), "flow", (line,))
            if (one.carries and role.sends) or (one.carries and role.network):
                yield Chain("chain.secret-to-network", at, (_read(one), "network"), "flow", (line,), role.network)
        if role.encoded or (role.decode == "base64" and role.program in ("iex", "invoke-expression")):
            yield Chain("chain.decode-to-run", at, ("decode", "process"), "flow", (line,))
        if role.sends and any(_place_sent(role)):
            yield Chain("chain.secret-to-network", at, ("credential-read", "network"), "flow", (line,), role.network)
        if role.sends and role.program in ("curl", "wget") and _variable_sent(role):
            yield Chain("chain.secret-to-network", at, ("environment-read", "network"), "flow", (line,), role.network)
        if role.download and role.stdin:
            yield Chain(
                "chain.download-to-run",
                at,
                ("network" if role.sends else "download", "process"),
                "flow",
                (line,),
                role.download,
            )


_RUNS = word_set(
    """
    eval iex invoke-expression source . sh bash zsh dash node python python3 perl ruby php powershell pwsh
    """
)
_SENT = re.compile(
    r"(?:-d|-F|-T|--data\S*|--form\S*|--upload-file|--post-data|--post-file|--body-\w+|-InFile|-Body)(?:\s+|=)(\S.*)"
)


def _place_sent(role: Role) -> Iterator[str]:
    """Places of credentials that a command which sends reads itself."""
    for kind, attributes in role.effects:
        if kind == "capability.credential-read" and attributes["place"] not in ("metadata-service", "token-command"):
            yield str(attributes["place"])


def _variable_sent(role: Role) -> bool:
    """Whether a variable whose name is a secret's stands in what a command sends, not in a header of it."""
    from pratique.releases.javascript.places import SECRET_NAME

    for at, word in enumerate(role.words[:-1]):
        if _SENT.match(f"{word} x"):
            names = re.findall(r"\$\{?([A-Za-z_]\w{0,80})", role.words[at + 1])
            if any(SECRET_NAME.search(name) for name in names):
                return True
    return False


def _over_files(roles: Sequence[Placed]) -> Iterator[Chain]:
    fetched: dict[str, tuple[int, str]] = {}
    decoded: dict[str, int] = {}
    secrets: dict[str, tuple[int, str]] = {}
    ran: dict[str, int] = {}
    anything = 0
    previous: Role | None = None
    for at, (line, role) in enumerate(roles):
        piped = previous if previous is not None and previous.command.joined == "|" else None
        for name in map(_key, role.runs):
            if name in fetched:
                steps = ("download", "file-write", "process")
                begun, where = fetched[name]
                yield Chain("chain.download-to-run", at, steps, "flow", (begun, line), where)
            if name in decoded:
                steps = ("decode", "file-write", "process")
                yield Chain("chain.decode-to-run", at, steps, "flow", (decoded[name], line))
            ran[name] = line
            anything = line
        if role.sends:
            for name, (begun, how) in secrets.items():
                if any(name in _key(word.rpartition("@")[2]) for word in role.words[1:] if name):
                    steps = (how, "file-write", "network")
                    yield Chain("chain.secret-to-network", at, steps, "flow", (begun, line), role.network)
        if role.code or role.stdin:
            anything = line
        for name in map(_key, role.deletes):
            if name in ran and (name in fetched or name in decoded):
                yield Chain("chain.run-and-hide", at, ("process", "file-delete"), "flow", (ran[name], line))
        if role.self_delete and anything:
            yield Chain("chain.run-and-hide", at, ("process", "self-delete"), "file", (anything, line))
        for name in filter(None, map(_key, role.saves)):
            if role.download or (piped is not None and piped.download):
                source = role if role.download else piped
                fetched[name] = (line, source.download if source is not None else "")
            if role.decode or (piped is not None and piped.decode):
                decoded[name] = line
            carrier = role if role.carries else piped
            if carrier is not None and carrier.carries:
                secrets[name] = (line, _read(carrier))
        if role.program in ("mv", "cp", "move", "copy", "ren", "rename-item") and len(role.words) > 2:
            old, new = _key(role.words[-2]), _key(role.words[-1])
            fetched.update({new: fetched[old]} if old in fetched else {})
            decoded.update({new: decoded[old]} if old in decoded else {})
        previous = role


def _over_variables(roles: Sequence[Placed], inner: Sequence[Sequence[Role]]) -> Iterator[Chain]:
    """`name=$(what is secret or fetched)`, and the name later in what is sent or run."""
    held: dict[str, tuple[int, Role]] = {}
    for at, (line, role) in enumerate(roles):
        assigned = _assigned(role)
        for name, (begun, origin) in held.items():
            if name in assigned or not re.search(rf"\$\{{?{re.escape(name)}\b", role.text[:8192]):
                continue
            if origin.carries and role.network:
                steps = (_read(origin), "network")
                yield Chain("chain.secret-to-network", at, steps, "flow", (begun, line), role.network)
            runs = role.program in _RUNS or role.words[:1] in ([f"${name}"], [f"${{{name}}}"])
            if origin.download and runs:
                steps = ("download", "process")
                yield Chain("chain.download-to-run", at, steps, "flow", (begun, line), origin.download)
            if origin.decode and runs:
                yield Chain("chain.decode-to-run", at, ("decode", "process"), "flow", (begun, line))
        for name in assigned:
            for one in inner[at]:
                if (one.carries or one.download or one.decode) and len(held) < 200:
                    held[name] = (line, one)


def _assigned(role: Role) -> list[str]:
    words = role.command.words
    if words[:1] and words[0] in ("export", "local", "readonly", "declare"):
        words = words[1:]
    names = []
    for word in words[:1]:
        match = re.match(r"\$?([A-Za-z_]\w{0,80})\+?=", word)
        if match:
            names.append(match[1])
    if len(words) > 1 and words[0].startswith("$") and words[1] == "=":
        names.append(words[0][1:])
    return names


def _key(path: str) -> str:
    """The name of a file without its folder, by which it is known again."""
    name = re.split(r"[\\/]", path.strip("\"'").removeprefix("&").strip())[-1]
    return name if re.search(r"[A-Za-z0-9_]", name) else ""
