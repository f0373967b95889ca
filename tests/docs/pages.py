"""The pages of the documentation: their blocks, links and transcripts.

A fenced block marked `console` is a transcript: lines that start with `$ ` are commands, what follows is the output
that they must give. A line of three dots stands for any lines. A block marked `bash` is a script that must end with 0.
A comment above a block says what is special about it:

    <!-- not run: REASON -->     the block is not run, for this reason
    <!-- file: NAME -->          the block is written to this file before the next one runs

`python -m tests.docs.pages` writes the output of every transcript anew, as far as it holds no dots; read the
difference.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from scripts.make_picture import lay_out

ROOT = Path(__file__).resolve().parents[2]
SHELLS = ("console", "bash", "sh", "shell", "shell-session")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.M | re.S)
_COMMENT = re.compile(r"<!-- (?P<kind>not run|file): (?P<what>[^>]+?) -->\s*$")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\]\[]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)\)")
_MARK = "\x01"
WRITERS = ("python -m pratique.incidents.index", "python -m pratique.readers.discovery", "make ")
"""A block that starts with one of these is never run: it would write into the checkout that holds the page."""


class Block(msgspec.Struct, frozen=True):
    """One fenced block. `start` and `end` are the offsets of its body in the page."""

    language: str
    body: str
    start: int
    end: int
    indent: str
    not_run: str | None
    file: str | None


def pages() -> list[Path]:
    """Every Markdown page for people, in order."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.is_file())


def name(page: Path) -> str:
    """A page's path from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in _FENCE.finditer(text):
        comment = _COMMENT.search(text, 0, found.start())
        kind, what = (comment["kind"], comment["what"]) if comment and comment.end() == found.start() else ("", "")
        yield Block(
            language=found["language"],
            body=_dedent(found["body"], found["indent"]),
            start=found.start("body"),
            end=found.end("body"),
            indent=found["indent"],
            not_run=what if kind == "not run" else _writes(found["body"]),
            file=what if kind == "file" else _definition(found["language"], found["body"]),
        )


def _definition(language: str, body: str) -> str | None:
    """An incident's definition is shown under the only name it may have: its id."""
    found = re.match(r'id = "([\w-]+)"\n', body) if language == "toml" else None
    return f"{found[1]}.toml" if found else None


def _writes(body: str) -> str | None:
    starts = body.strip().removeprefix("$ ").startswith(WRITERS)
    return "writes into the checkout that holds the page" if starts else None


def _dedent(body: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))


def links(text: str) -> Iterator[str]:
    """The targets of a page's links, those inside blocks left out."""
    plain = re.sub(r"`[^`\n]*`", "`", _FENCE.sub("", text))
    for found in _LINK.finditer(plain):
        yield found["target"]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    found: dict[str, int] = {}
    out = set()
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", _FENCE.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = found.get(anchor, 0)
        found[anchor] = number + 1
        out.add(f"{anchor}-{number}" if number else anchor)
    return out


class Step(msgspec.Struct):
    """A command of a transcript and the output below it."""

    command: str
    output: list[str]


def transcript(body: str) -> list[Step]:
    """The commands of a console block. Lines after a command that start with `> ` belong to it."""
    steps: list[Step] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:], []))
        elif not steps:
            raise ValueError(f"a console block starts with a command, not with {line!r}")
        elif line.startswith("> ") and not steps[-1].output:
            steps[-1].command += "\n" + line[2:]
        else:
            steps[-1].output.append(line)
    return steps


class Terminal:
    """A place to run a page's blocks: the harbour of `make demo`, and `pratique` and `python` on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "here"
        self.folder.mkdir(parents=True)
        self.home = folder / "home"
        self.home.mkdir()
        binaries = folder / "bin"
        binaries.mkdir()
        for command, arguments in (("pratique", "-m pratique"), ("python", "")):
            script = binaries / command
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        self.environment = {
            "PATH": f"{binaries}:/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        lay_out(self.folder)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script here; both outputs in one."""
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        )

    def play(self, steps: list[Step]) -> list[list[str]]:
        """Run the commands of a transcript in one shell; the lines that each one printed."""
        mark = f"mark() {{ local code=$?; printf '{_MARK}\\n'; return $code; }}\n"
        result = self.run(mark + "mark\n".join(step.command + "\n" for step in steps) + "mark\n")
        parts = result.stdout.split(f"{_MARK}\n")
        if len(parts) != len(steps) + 1:
            raise AssertionError(f"the shell ended early:\n{result.stdout}")
        return [part.splitlines() for part in parts[:-1]]


def matches(wanted: list[str], got: list[str]) -> bool:
    """Whether lines are those that a transcript shows; a line of three dots stands for any number of lines."""
    parts = [".*" if line.strip() == "..." else re.escape(line.rstrip()) + "\n" for line in wanted]
    text = "".join(line.rstrip() + "\n" for line in got)
    return re.fullmatch("".join(parts), text, re.S) is not None


def main() -> int:
    """Write the outputs of all transcripts anew."""
    only = sys.argv[1:]
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if only and name(page) not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(Path(folder))
            pieces, position = [], 0
            for block in blocks(text):
                if block.file is not None and block.language not in SHELLS:
                    (terminal.folder / block.file).write_text(block.body, encoding="utf-8")
                if block.not_run is not None or block.language not in SHELLS:
                    continue
                if block.language == "bash":
                    terminal.run(block.body)
                    continue
                steps = transcript(block.body)
                lines = []
                for step, got in zip(steps, terminal.play(steps), strict=True):
                    first, *rest = step.command.split("\n")
                    lines += [f"$ {first}", *(f"> {line}" for line in rest)]
                    kept = "..." in [line.strip() for line in step.output]
                    lines += step.output if kept else [line.rstrip() for line in got]
                pieces += [text[position : block.start], "".join(f"{block.indent}{line}\n" for line in lines)]
                position = block.end
            page.write_text("".join([*pieces, text[position:]]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
