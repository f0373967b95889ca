"""Scripts of shells and lines of commands: what they can do, and what in them belongs together. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile, Value
from pratique.releases.content.excerpts import printable
from pratique.releases.decoding import Budget, layers
from pratique.releases.shell.chains import Placed, chains_of
from pratique.releases.shell.commands import LONGEST, MOST, Dialect, Simple, parsed
from pratique.releases.shell.reading import Role, effects_in_order, roles_of

DEPTH = 4
"""How deep commands in commands are read: `bash -c`, `powershell -enc`, what is decoded."""
LONGEST_COMMAND = 1 << 16
"""The characters of one command that are looked at."""
_ENCODED = re.compile(r"[A-Za-z0-9+/=]{16,}|(?:\\x[0-9A-Fa-f]{2}){6,}")


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """Facts of a script of sh, bash, PowerShell or batch, by its suffix, and of the JavaScript and Python in it.

    Total; what is longer than a mebibyte is read to there, with a refusal.
    """
    text = _text(file.content[:LONGEST])
    suffix = file.path.rpartition(".")[2].lower()
    dialect: Dialect = (
        "powershell" if suffix in ("ps1", "psm1", "psd1") else "batch" if suffix in ("bat", "cmd") else "posix"
    )
    name = re.split(r"[\\/]", file.path)[-1]
    reader = _Reader(file.path, file.sha256, "" if name == "package.json" else name)
    reader.read(text, dialect, 1)
    yield from reader.told()
    if name != "package.json":
        yield from _embedded(file, reader)
    if len(file.content) > LONGEST or reader.commands >= MOST:
        yield Refusal(file.path, "shell", f"was read for {LONGEST} bytes or {MOST} commands alone", relevant=True)


def facts_of_command(line: str, shell: Literal["posix", "windows"] = "posix") -> Iterator[Fact]:
    """What one line of commands can do, without path and digest; `windows` is the line of cmd.exe."""
    reader = _Reader("", "", "")
    reader.read(line[:LONGEST], "batch" if shell == "windows" else "posix", 1)
    yield from reader.told()


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


class _Reader:
    """Facts of one text of commands, with those of the commands that stand in its commands."""

    def __init__(self, path: str, sha256: str, own_name: str) -> None:
        self.path = path
        self.sha256 = sha256
        self.own_name = own_name
        self.found: list[Fact] = []
        self.code: list[tuple[str, str, int]] = []
        self.commands = 0
        self.budget = Budget(octets=4 << 20, steps=4000)

    def told(self) -> Iterator[Fact]:
        """The facts, in order of their lines, each once."""
        seen = set()
        for fact in sorted(self.found, key=lambda fact: fact.line):
            key = (fact.kind, fact.line, repr(sorted(fact.attributes.items())))
            if key not in seen:
                seen.add(key)
                yield fact

    def read(self, text: str, dialect: Dialect, line: int, layer: int = 0, encoding: str = "", depth: int = 0) -> None:
        """Read a text whose first line has the number `line`."""
        roles: list[Placed] = []
        inner: list[list[Role]] = []
        for command in parsed(text, dialect):
            if self.commands >= MOST:
                break
            self.commands += 1
            role = roles_of(
                command, text[command.begin : min(command.end, command.begin + LONGEST_COMMAND)], self.own_name
            )
            at = line + command.line
            roles.append((at, role))
            inner.append(self._inner(command, dialect))
            for kind, attributes in effects_in_order(role):
                self._add(kind, at, role, attributes, layer, encoding)
            if depth < DEPTH:
                self._within(role, command, dialect, at, layer, encoding, depth)
        for chain in chains_of(roles, inner):
            known: dict[str, Value] = {
                "steps": ", ".join(chain.steps),
                "within": chain.within,
                "lines": ", ".join(map(str, dict.fromkeys(chain.lines))),
            }
            if chain.destination:
                known["destination"] = chain.destination
            self._add(chain.kind, roles[chain.at][0], roles[chain.at][1], known, layer, encoding)

    def _inner(self, command: Simple, dialect: Dialect) -> list[Role]:
        """The roles of what is substituted into a command."""
        found = []
        for text in command.inner[:20]:
            for one in parsed(text, dialect):
                if self.commands >= MOST:
                    break
                self.commands += 1
                found.append(roles_of(one, text[one.begin : min(one.end, one.begin + LONGEST_COMMAND)], self.own_name))
        return found

    def _within(
        self, role: Role, command: Simple, dialect: Dialect, line: int, layer: int, encoding: str, depth: int
    ) -> None:
        """Read the commands that a command holds: code of a shell, a here-document, what is decoded."""
        if role.code and role.language == "shell" and not role.encoded:
            within: Dialect = (
                "powershell" if role.program in ("powershell", "pwsh", "iex", "invoke-expression")
                else "batch" if role.program == "cmd" else "posix"
            )  # fmt: skip
            self.read(role.code, within, line, layer, encoding, depth + 1)
        elif role.code and role.language in ("javascript", "python"):
            self.code.append((role.language, role.code, line))
        for text in command.inner[:20] if '"' in role.text else ():
            self.read(text, dialect, line, layer, encoding, depth + 1)
        if command.heredoc and role.stdin:
            self.read(command.heredoc, "posix", line + 1, layer, encoding, depth + 1)
        if layer < 3:
            self._decoded(role, line, layer, depth)

    def _decoded(self, role: Role, line: int, layer: int, depth: int) -> None:
        """Read what long encoded words of a command say, as commands of the shell that they are for."""
        words = [role.code] if role.encoded else [*role.words, *role.command.reads]
        for word in words[:50]:
            for match in list(_ENCODED.finditer(word[: 1 << 18]))[:8]:
                for found in layers(match.group().encode("ascii"), self.budget):
                    if found.meaning in ("native", "archive"):
                        continue
                    text = found.content.decode("utf-8", "replace")
                    how = ",".join(found.encodings)
                    self._add(
                        "obfuscation.literal",
                        line,
                        role,
                        {
                            "encoding": how,
                            "length": len(match.group()),
                            "decoded": printable(found.content),
                            "runs": role.encoded,
                        },
                        layer,
                        "",
                    )
                    if depth < DEPTH and found.meaning in ("shell", "code", "text"):
                        within: Dialect = "powershell" if role.encoded else "posix"
                        self.read(text[:LONGEST], within, line, layer + 1, how, depth + 1)
                    break

    def _add(self, kind: str, line: int, role: Role, attributes: dict[str, Value], layer: int, encoding: str) -> None:
        known: dict[str, Value] = {**attributes, "language": "shell"}
        if layer:
            known["layer"] = layer
            known["encoding"] = encoding
        excerpt = printable(" ".join(role.text.split()).encode("utf-8", "replace"))
        self.found.append(Fact(kind, self.path, line, excerpt, self.sha256, attributes=known))


def _embedded(file: SourceFile, reader: _Reader) -> Iterator[Fact | Refusal]:
    """Facts of the JavaScript and Python that stands in the commands of a script, with the line of the command."""
    from pratique.releases.extract import facts_of_file

    for language, code, line in reader.code[:50]:
        raw = code.encode("utf-8", "replace")
        for one in facts_of_file(SourceFile(file.path, raw, file.sha256, language)):
            if isinstance(one, Refusal):
                yield one
            elif not one.kind.startswith("content."):
                yield Fact(one.kind, one.path, line, one.excerpt, one.sha256, one.delta, one.attributes)
