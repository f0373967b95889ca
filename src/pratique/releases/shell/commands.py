"""Lines of a shell as simple commands with what joins them: pipes, the background, redirections, lines.

The words are told apart as `pratique.ecosystems.npm.commands` does it; here what lies between them is kept as well.
Three dialects: `posix` (also fish), `powershell`, `batch`. Every step takes time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

Dialect = Literal["posix", "powershell", "batch"]
LONGEST = 1 << 20
"""The bytes of a script that are read."""
MOST = 20_000
"""The commands of a script that are read."""
DEEPEST = 40
"""How deep substitutions lie in each other; what lies deeper is read as commands beside them."""


class Simple(msgspec.Struct):
    """A simple command. `words` without quotes; `inner` are the texts of substitutions in it, unread.

    `joined` says what leads to the next one: `|`, `&&`, `||`, `;`, `&` or nothing. `writes` and `reads` are targets of
    redirections. `quoted`: it begins with a quoted text. `line` counts from 0 in the text, where `begin` and `end` lie.
    """

    words: list[str]
    line: int
    begin: int
    end: int = 0
    joined: str = ""
    writes: list[str] = []
    reads: list[str] = []
    inner: list[str] = []
    heredoc: str = ""
    quoted: bool = False


_PIECES = {
    "posix": re.compile(
        r"(?P<comment>(?:^|(?<=[\s;&|()`]))#[^\n]*)"
        r"|(?P<blank>(?:[ \t\r\f\v]|\\\r?\n)+)"
        r"|(?P<process>[<>]\()"
        r"|(?P<redirect>&>>?|\d*(?:>>?|<<<|<<-?|<>|<)[|&]?(?:\d+-?)?)"
        r"|(?P<substitution>\$\(\(?)"
        r"|(?P<separator>[\n;&|()`]+)"
        r"|(?P<single>\$?'[^']*'?)"
        r'|(?P<double>\$?"(?:\\.|[^"\\])*"?)'
        r"|(?P<escaped>\\.?)"
        r"|(?P<plain>(?:\$\{[^}\n]{0,200}\}|[^\s;&|()<>`'\"\\$]|\$(?!\())+)"
        r"|(?P<rest>.)",
        re.DOTALL,
    ),
    "powershell": re.compile(
        r"(?P<comment>(?:^|(?<=[\s;&|(){}]))#[^\n]*|<\#.*?\#>)"
        r"|(?P<blank>(?:[ \t\r\f\v]|`\r?\n)+)"
        r"|(?P<redirect>[\d*]?>>?(?:&\d)?)"
        r"|(?P<substitution>[$@&.]?\()"
        r"|(?P<separator>[\n;&|(){}]+)"
        r"|(?P<single>'(?:[^']|'')*'?)"
        r'|(?P<double>"(?:`.|""|[^"`])*"?)'
        r"|(?P<escaped>`.?)"
        r"|(?P<plain>(?:[^\s;&|(){}>`'\"$@.]|[$@.](?!\())+)"
        r"|(?P<rest>.)",
        re.DOTALL,
    ),
    "batch": re.compile(
        r"(?P<comment>(?:^|(?<=\n))[ \t]*(?:@?rem\b|::)[^\n]*)"
        r"|(?P<blank>(?:[ \t\r\f\v]|\^\r?\n)+)"
        r"|(?P<redirect>\d?>>?(?:&\d)?|<)"
        r"|(?P<separator>[\n&|()]+)"
        r'|(?P<double>"[^"\n]*"?)'
        r"|(?P<escaped>\^.?)"
        r"|(?P<plain>[^\s&|()<>\"^]+)"
        r"|(?P<rest>.)",
        re.DOTALL | re.IGNORECASE,
    ),
}
_SUBSTITUTED = re.compile(r"\$\(((?:[^()]|\([^()]*\)){0,4000})\)|`([^`]{1,4000})`")


def parsed(text: str, dialect: Dialect) -> Iterator[Simple]:
    """The simple commands of a text, in order; at most `MOST`. Substitutions within them come as commands as well.

    What stands in `$(...)` or backticks outside quotes is a command of its own, before what it is a part of; inside
    double quotes it is in `inner`. Comments and here-documents are no commands.
    """
    state = _State()
    stack: list[_State] = []
    pieces = _PIECES[dialect]
    at = line = given = 0
    total = len(text)
    while at < total and given < MOST:
        match = pieces.match(text, at)
        if match is None:
            return
        kind, piece = match.lastgroup or "rest", match.group()
        here, at = at, match.end()
        if kind == "comment":
            continue
        if kind in ("plain", "single", "double", "escaped", "rest"):
            state.add(piece, kind, dialect, here, line)
        elif kind == "blank":
            state.close_word()
        elif kind == "redirect":
            state.redirect(piece, here, line)
        elif kind in ("substitution", "process") and len(stack) < DEEPEST:
            for _ in range(piece.count("(")):
                state.add("", "plain", dialect, here, line)
                stack.append(state)
                state = _State(opened=at)
        else:
            for command in state.ended(_join(piece), here):
                if dialect == "powershell" and command.quoted and len(command.words) == 1:
                    continue
                given += 1
                yield command
            if stack and piece.startswith((")", "`")):
                for _ in range(min(len(stack), len(piece) - len(piece.lstrip(")`")))):
                    inner = text[state.opened : here]
                    state = stack.pop()
                    state.substituted(inner)
                rest = piece.lstrip(")`")
                if rest:
                    for command in state.ended(_join(rest), here):
                        given += 1
                        yield command
            if "\n" in piece and state.heredocs:
                at = state.skip_heredocs(text, at)
        line += text.count("\n", here, at)
    for waiting in (state, *reversed(stack)):
        yield from waiting.ended("", total)


def _join(piece: str) -> str:
    """What a run of separators means for the command before it."""
    bare = piece.strip("\n ()`{}")
    if bare.startswith(("|", "&", ";")):
        return next((sign for sign in ("&&", "||", "|", "&") if bare.startswith(sign)), ";")
    return ";"


class _State:
    """A command that is being read."""

    def __init__(self, opened: int = 0) -> None:
        self.opened = opened
        self.command: Simple | None = None
        self.last: Simple | None = None
        self.word: str | None = None
        self.target: str | None = None
        self.heredocs: list[tuple[str, Simple]] = []

    def _at(self, here: int, line: int) -> Simple:
        if self.command is None:
            self.command = Simple([], line, here, here, "", [], [], [])
        return self.command

    def add(self, piece: str, kind: str, dialect: Dialect, here: int, line: int) -> None:
        """Another piece of a word."""
        if self.command is None:
            self._at(here, line).quoted = kind in ("single", "double")
        command = self._at(here, line)
        if kind == "double" and dialect == "posix" and ("$(" in piece or "`" in piece):
            command.inner += [one or other for one, other in _SUBSTITUTED.findall(piece)]
        elif kind == "double" and dialect == "powershell" and "$(" in piece:
            command.inner += [one for one, _ in _SUBSTITUTED.findall(piece)]
        self.word = (self.word or "") + _unquoted(kind, piece, dialect)

    def substituted(self, inner: str) -> None:
        """A substitution has ended whose text was `inner`."""
        if self.command is not None:
            self.command.inner.append(inner)

    def close_word(self) -> None:
        """The word has ended: it is an argument, or the target of the redirection before it."""
        if self.word is None or self.command is None:
            return
        if self.target is None:
            self.command.words.append(self.word)
        elif self.target == "heredoc":
            self.heredocs.append((self.word, self.command))
        elif self.target == "write":
            self.command.writes.append(self.word)
        elif self.target == "read":
            self.command.reads.append(self.word)
        self.word = self.target = None

    def redirect(self, piece: str, here: int, line: int) -> None:
        """A redirection: the word that follows is its target, unless it names a number itself."""
        if self.word is not None and self.word.isdigit() is False:
            self.close_word()
        self.word = None
        self._at(here, line)
        if "<<<" in piece:
            self.target = "read"
        elif "<<" in piece:
            self.target = "heredoc"
        elif piece[-1:].isdigit() and "&" in piece:
            self.target = None
        else:
            self.target = "read" if "<" in piece and ">" not in piece else "write"

    def ended(self, joined: str, here: int) -> Iterator[Simple]:
        """The command, where there is one; another one may follow."""
        self.close_word()
        command, self.command, self.target = self.command, None, None
        if command is not None and (command.words or command.writes or command.inner):
            command.joined, command.end = joined, here
            yield command

    def skip_heredocs(self, text: str, at: int) -> int:
        """Where the text goes on behind the here-documents that were begun; each is kept with its command."""
        for mark, command in self.heredocs:
            end = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE).search(text, at)
            command.heredoc = text[at : end.start() if end else len(text)]
            at = end.end() if end else len(text)
        self.heredocs = []
        return at


def _unquoted(kind: str, text: str, dialect: Dialect) -> str:
    if kind == "single":
        text = text.removeprefix("$")
        inner = text[1:-1] if len(text) > 1 and text.endswith("'") else text[1:]
        return inner.replace("''", "'") if dialect == "powershell" else inner
    if kind == "double":
        text = text.removeprefix("$")
        inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
        if dialect == "batch":
            return inner
        return re.sub(r"\\([\\\"$`\n])" if dialect == "posix" else r"`(.)", r"\1", inner)
    return text[1:] if kind == "escaped" else text
