"""Write the generated pages: commands, readers, the Python surface and the list of all pages.

    python scripts/make_reference.py            writes the pages of docs/reference and docs/README.md
    python scripts/make_reference.py --check    only says which page is not current

The reference comes from the code alone: the commands' own help, the readers' docstrings and claims, `pratique.api`. The
list of pages comes from their headings and first sentences, the page of rotation from the providers' data.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from pratique import api
from pratique.doors.cli.commands import pratique
from pratique.model.ports import MEBIBYTE, Reader
from pratique.readers import discovery
from pratique.readers.credentials import reference as credentials
from pratique.respond.rotate import reference as rotation

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_NOTICE = "<!-- Generated: python scripts/make_reference.py -->"


def cli() -> str:
    """The page of commands."""
    lines = [
        "# Commands",
        "",
        _NOTICE,
        "",
        "What each command takes, and its defaults. The report goes to standard output; progress, warnings and errors",
        "go to standard error. Exit codes are explained in [exit-codes.md](exit-codes.md).",
        "",
        "| Command | Does |",
        "|---|---|",
    ]
    found = list(_commands(pratique, "pratique"))
    for path, command in found:
        if not isinstance(command, click.Group):
            lines.append(f"| [`{path}`](#{path.replace(' ', '-')}) | {_first(command)} |")
    for path, command in found:
        lines += ["", f"## {path}", "", *_usage(path, command), "", *_options(command)]
    return "\n".join(lines) + "\n"


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below one, itself first, in order of name."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            if not inner.hidden:
                yield from _commands(inner, f"{path} {name}")


def _first(command: click.Command) -> str:
    return _cell(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _usage(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield "```text"
    yield " ".join([path, *command.collect_usage_pieces(context)])
    yield "```"
    if command.help:
        yield ""
        yield from _paragraphs(command.help)


def _paragraphs(text: str) -> Iterator[str]:
    """A docstring's paragraphs, without the mark that tells click to leave one unwrapped."""
    yield from inspect.cleandoc(text).replace("\b\n", "").splitlines()


def _options(command: click.Command) -> Iterator[str]:
    options = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
    yield "| Option | Value | Default | Meaning |"
    yield "|---|---|---|---|"
    for option in options:
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        yield f"| {names} | {_value(option)} | {_default(option)} | {_cell(option.help or _said(option))} |"
    helps = (
        "" if "-h" in {name for option in options for name in option.opts} else "| `-h`, `--help` | | | Print help. |"
    )
    if helps:
        yield helps


def _said(option: click.Option) -> str:
    """What an option without a help text is for, where its name is a contract."""
    known = {"format_name": "Form of the report on standard output.", "format": "Form of the output."}
    return known.get(option.name or "", "")


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.IntRange):
        return f"{option.type.min} to {option.type.max}"
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    shape = option.metavar or option.type.name.upper()
    repeat = ", repeatable" if option.multiple else ""
    return f"`{shape}`{repeat}".replace("|", "\\|")


def _default(option: click.Option) -> str:
    value: Any = option.default
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return f"`{value}`" if plain and not option.is_flag else ""


def _cell(text: str) -> str:
    """One line that fits in a table cell."""
    return " ".join(text.replace("\b", "").split()).replace("|", "\\|")


def readers() -> str:
    """The page of readers."""
    found = sorted(
        ((discovery.load(claim.module), claim.module) for claim in discovery.claims()),
        key=lambda item: (item[0].ecosystem, item[0].name),
    )
    lines = [
        "# What is read",
        "",
        _NOTICE,
        "",
        f"{len(found)} readers, one for each format. A reader is handed bytes and gives facts or a refusal; it never",
        'opens a file itself. "About" is the subject that its facts belong to. "A refusal counts" says when a file',
        "that could not be read keeps the verdict from being `not_affected`: `always`; `in a named folder`, where it",
        "lies in a folder of a listed package; or `never`, for files that cannot show a release.",
        "",
        "To add a reader, see [how-to/add-a-reader.md](../how-to/add-a-reader.md).",
        "",
        "| Reader | Reads | Files | About |",
        "|---|---|---|---|",
    ]
    for reader, module in found:
        title = _title(module).removesuffix(".")
        lines.append(f"| [`{reader.name}`](#{reader.name}) | {_cell(title)} | {_claims(reader)} | {reader.subject} |")
    for reader, module in found:
        lines += ["", *_reader(reader, module)]
    return "\n".join(lines) + "\n"


def _document(module: str) -> str:
    return inspect.cleandoc(sys.modules[module].__doc__ or "")


def _title(module: str) -> str:
    return _document(module).split("\n\n", 1)[0].replace("\n", " ")


def _claims(reader: Reader) -> str:
    """The files that a reader claims, in words."""
    below = " or ".join(f"`{'/'.join(marker)}/`" for marker in reader.folders)
    names = [f"`{name}`" for name in reader.basenames]
    starts = " or ".join(f"`{prefix}`" for prefix in reader.prefixes)
    names += [f"`*{suffix}`" if suffix else "every file that nobody else claims" for suffix in reader.suffixes]
    text = ", ".join(names) or "every file"
    if starts:
        text += f" whose name starts with {starts}"
    return _cell(f"{text} below {below}" if below else text)


def _reader(reader: Reader, module: str) -> Iterator[str]:
    relevance = {"always": "always", "named-folder": "in a named folder", "never": "never"}[reader.relevance]
    yield f"## {reader.name}"
    yield ""
    yield _title(module)
    yield ""
    yield f"- Module: `{module.replace('.', '/')}.py`"
    yield f"- Files: {_claims(reader)}"
    if reader.doors != ("files",):
        yield f"- In targets of kind: {', '.join(f'`{door}:`' for door in reader.doors)}"
    yield f"- Largest file: {reader.limit // MEBIBYTE} MiB; `--max-file` changes it"
    yield f"- About: {reader.subject}. A refusal counts: {relevance}."
    body = _document(module).partition("\n\n")[2]
    if body:
        yield ""
        for line in body.splitlines():
            if line.startswith("## "):
                yield f"#{line}"
                yield ""
            else:
                yield line


def surface() -> str:
    """The page of the Python surface."""
    lines = [
        "# The Python surface",
        "",
        _NOTICE,
        "",
        "`pratique.api` is the only module whose names are kept stable; everything else may change. A check in Python:",
        "",
        "```python",
        "import datetime",
        "from pathlib import Path",
        "",
        "from pratique import api",
        "",
        'selection = api.select(incidents=["axios-2026-03-31"], today=datetime.date.today())',
        'request = api.CheckRequest(targets=tuple(api.specify(["."])), incidents=selection.incidents)',
        "report = api.check(request)",
        "print(report.exit_code, [(item.incident, item.status, item.depth) for item in report.verdicts])",
        'Path("report.json").write_bytes(b"".join(api.renderer("json").render(report)))',
        "```",
        "",
        "| Name | What it is |",
        "|---|---|",
    ]
    names = sorted(api.__all__, key=lambda name: (name.lower(), name.swapcase()))
    for name in names:
        anchor = name.lower() + ("-1" if name.lower() in names and name.lower() != name else "")
        lines.append(f"| [`{name}`](#{anchor}) | {_summary(name)} |")
    for name in names:
        lines += ["", *_name(name, getattr(api, name))]
    lines += ["", "## Errors", "", "Each says what is wrong, where, and what to do. The command line exits with 2.", ""]
    lines += ["```text", *_tree(api.PratiqueError), "```"]
    return "\n".join(lines) + "\n"


_CONSTANTS = {
    "FORMATS": "The names of the report formats.",
    "SCHEMA": "The name and version of the report's JSON form.",
    "VERSION": "The version of this program.",
}


def _summary(name: str) -> str:
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    return _cell(inspect.cleandoc(getattr(api, name).__doc__ or "").split("\n\n")[0])


def _name(name: str, value: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    if name in _CONSTANTS:
        yield f"{_CONSTANTS[name]} Now `{value!r}`." if name != "VERSION" else _CONSTANTS[name]
        return
    if not inspect.isclass(value):
        yield "```python"
        yield from _signature(name, value)
        yield "```"
        yield ""
    yield from inspect.cleandoc(value.__doc__ or "").splitlines()
    fields: dict[str, Any] = getattr(value, "__annotations__", {}) if inspect.isclass(value) else {}
    if fields:
        yield ""
        yield "Fields: " + ", ".join(f"`{field}`" for field in fields if not field.startswith("_")) + "."


def _signature(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """A signature in source form, one parameter a line where it is long."""
    signature = inspect.signature(function)
    parts = []
    star = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        text = f"{parameter.name}: {parameter.annotation}"
        if parameter.default is not parameter.empty:
            default = parameter.default
            text += f" = {default.__name__ if callable(default) else repr(default)}"
        parts.append(text)
    whole = f"{name}({', '.join(parts)}) -> {signature.return_annotation}"
    if len(whole) <= 100:
        yield whole
        return
    yield f"{name}("
    for part in parts:
        yield f"    {part},"
    yield f") -> {signature.return_annotation}"


def _tree(error: type, indent: str = "") -> Iterator[str]:
    """The tree of errors."""
    kind = (error.__doc__ or "").split("\n")[0]
    yield f"{indent}{error.__name__:<{24 - len(indent)}} {kind}"
    inners: list[type] = error.__subclasses__()
    for inner in sorted(inners, key=lambda found: found.__name__):
        if not inner.__module__.startswith("pratique."):
            continue
        yield from _tree(inner, f"{indent}  ")


_SHELVES = {
    "tutorial": "Learn by doing",
    "how-to": "Do one thing",
    "reference": "Look something up",
    "explanation": "Understand",
    "decisions": "Why it is so",
}


def index() -> str:
    """The list of all pages: their headings and first sentences."""
    lines = ["# Documentation", "", _NOTICE, ""]
    lines += ["In a bad hour: [the first hour](tutorial/first-hour.md).", ""]
    for shelf, title in _SHELVES.items():
        lines += [f"## {title}", ""]
        for path in sorted((DOCS / shelf).glob("*.md")):
            heading, sentence = _opening(path.read_text(encoding="utf-8"))
            lines.append(f"- [{heading}]({shelf}/{path.name}){sentence}")
        for path in sorted((DOCS / shelf).glob("*.json")):
            lines.append(f"- [{path.name}]({shelf}/{path.name})")
        lines.append("")
    return "\n".join(lines)


def _opening(text: str) -> tuple[str, str]:
    """A page's heading, and its first sentence where it starts with plain words."""
    heading = text.partition("\n")[0].removeprefix("# ")
    for paragraph in re.sub(r"<!--.*?-->", "", text.partition("\n")[2], flags=re.S).strip().split("\n\n"):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
        if re.match(r"\d{4}-\d\d-\d\d\. ", plain):
            continue
        found = re.match(r"[\w\"'`~*-].*?[.?!:](?= |$)", plain)
        return heading, f": {found[0].rstrip(':')}" if found and "|" not in found[0] else ""
    return heading, ""


PAGES: dict[str, Callable[[], str]] = {
    "reference/cli.md": cli,
    "reference/readers.md": readers,
    "reference/api.md": surface,
    "reference/rotation.md": lambda: rotation.page(_NOTICE),
    "reference/credentials.md": lambda: credentials.page(_NOTICE),
    "README.md": index,
}
"""Pages below `docs`, and what makes each. The list comes last: it quotes the others."""


def main() -> int:
    """Write every page, or with --check say which is not current."""
    stale = 0
    for name, make in PAGES.items():
        path = DOCS / name
        text = make()
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale += 1
            sys.stderr.write(f"{path}: is not current; run python scripts/make_reference.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
