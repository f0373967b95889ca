"""Draw the screens of the demo as pictures of a terminal.

    python scripts/make_picture.py            writes first-screen.svg, elsewhere.svg, recovery.svg and microscope.svg
    python scripts/make_picture.py --check    only says whether they are current

What `make demo` lays out is laid out in a temporary folder and checked by the command line as it stands; a picture
shows what was printed, with nothing added but colour; of a plan, what is another in every run is cut: its digest, the
days of later looks. The same output gives the same bytes. Text stays text: it can be
selected and searched.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

import demo.__main__ as harbour
from demo import elsewhere, microscope, recovery

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
COMMANDS = {
    "first-screen": "pratique check build/demo/harbour",
    "elsewhere": f"pratique check {' '.join(elsewhere.WORDS)}",
    "recovery": f"pratique {' '.join(recovery.PLAN)}",
    "microscope": f"pratique {' '.join(microscope.WORDS)}",
}
TITLES = {
    "first-screen": "The first screen of a check",
    "elsewhere": "The first screen of a check of a history, an image, a log, a mirror and a bundle",
    "recovery": "A plan on one screen",
    "microscope": "The judgement of a release on one screen",
}
COLUMNS = 100
CELL, LINE, SIZE = 8.4, 20, 14
MARGIN, BAR = 20, 34

COLOURS = {
    "plain": "#d6dae0",
    "dim": "#8b94a1",
    "prompt": "#7fd18b",
    "bad": "#ff7b72",
    "warn": "#f0b35e",
    "mild": "#e3d27a",
    "good": "#7fd18b",
    "next": "#7cc4ff",
}
_WORDS = re.compile(r"\b(?P<word>executed|active|RAN|installed|fetched|resolved|declared|undecided)\b")
_WORD_STYLES = {"executed": "bad", "active": "bad", "RAN": "bad", "installed": "warn", "undecided": "warn"}
_HEADS = {
    "AFFECTED": "bad",
    "UNDER INVESTIGATION": "warn",
    "NOT AFFECTED": "good",
    "NOTHING EXAMINED": "warn",
    "NEXT": "next",
    "NOT EXAMINED": "warn",
    "SCOPE": "dim",
    "PLAN": "plain",
    "PRESERVE": "next",
    "CONTAIN": "next",
    "REVERT": "next",
    "ROTATE": "next",
    "VERIFY": "next",
    "MONITOR": "next",
    "PREVENT": "next",
    "COMMUNICATE": "next",
    "NOT PLANNED": "warn",
    "Digest of this plan": "dim",
    "NOTE": "dim",
    "BLOCK": "bad",
    "ALSO SEEN": "dim",
    "EXAMINED": "dim",
    "RARITY": "dim",
}


def screen(name: str) -> list[str]:
    """What a command prints about what the demo lays out."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "recovery":
            return planned(Path(folder))
        if name == "microscope":
            microscope.lay_out(Path(folder))
        elif name == "elsewhere":
            elsewhere.lay_out(Path(folder))
        else:
            lay_out(Path(folder))
        result = subprocess.run(
            [sys.executable, "-m", *COMMANDS[name].split(), *(["--no-cache"] if name == "elsewhere" else [])],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != (13 if name == "microscope" else 11):
        raise RuntimeError(f"exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout.replace(f"{os.path.realpath(folder)}/", "").splitlines()


def planned(folder: Path) -> list[str]:
    """What the plan of the demo prints. The reach is that of a disk, for what this machine holds is another thing."""
    played = recovery.Recovery(folder, ROOT / "src")
    played.lay_out()
    home = folder / "disk" / "home" / "dev"
    home.mkdir(parents=True)
    (home / ".npmrc").write_bytes((played.home / ".npmrc").read_bytes())
    (folder / "disk" / "etc").mkdir()
    (folder / "disk" / "etc" / "passwd").write_text("dev:x:1000:1000::/home/dev:/bin/sh\n", encoding="utf-8")
    for words, done in played.collected("--root", "disk", "--user", "dev"):
        if done.returncode not in (0, 4, 11):
            raise RuntimeError(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    done = played.planned()
    if done.returncode not in (0, 4) or "PLAN  " not in done.stdout:
        raise RuntimeError(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:\N{HORIZONTAL ELLIPSIS}", done.stdout)
    text = re.sub(r"(?<=again on )[0-9]{4}-[0-9]{2}-[0-9]{2}", "\N{HORIZONTAL ELLIPSIS}", text)
    return text.replace(f"{folder}/", "").splitlines()


def lay_out(folder: Path) -> None:
    """The harbour of `make demo`, at its place below another folder."""
    before = harbour.BUILD, harbour.HARBOUR
    harbour.BUILD = folder / "build" / "demo"
    harbour.HARBOUR = harbour.BUILD / "harbour"
    try:
        harbour.HARBOUR.mkdir(parents=True)
        for name, (install, clock) in harbour.FLEET.items():
            harbour.moor(name, install, harbour.at(clock))
        harbour.protected(harbour.HARBOUR / "projects" / "protected-app")
    finally:
        harbour.BUILD, harbour.HARBOUR = before


def draw(name: str, lines: list[str]) -> str:
    """The picture of a terminal that shows a command and these lines."""
    rows = [f"$ {COMMANDS[name]}", *lines]
    width = round(COLUMNS * CELL) + 2 * MARGIN
    height = BAR + len(rows) * LINE + MARGIN
    label = escape(" ".join(" ".join(rows).split()))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' role="img" aria-labelledby="title text">',
        "<!-- Generated: python scripts/make_picture.py -->",
        f'<title id="title">{TITLES[name]}</title>',
        f'<desc id="text">{label}</desc>',
        "<style>",
        "text { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
        f" font-size: {SIZE}px; white-space: pre; }}",
        *(f".{name} {{ fill: {colour}; }}" for name, colour in COLOURS.items()),
        ".head { font-weight: bold; }",
        "</style>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9" fill="#14181f" stroke="#5b6470"/>',
        f'<path d="M1 {BAR - 8}H{width - 1}" stroke="#2a303a"/>',
        *(f'<circle cx="{18 + 16 * index}" cy="13" r="4.5" fill="#3a424e"/>' for index in range(3)),
    ]
    for number, row in enumerate(rows):
        if row:
            out.append(_row(row, BAR + number * LINE + SIZE, first=number == 0))
    return "\n".join([*out, "</svg>", ""])


def _row(row: str, y: int, *, first: bool) -> str:
    """One line of text; its length is fixed, so that columns stand in line in every font."""
    spans = "".join(
        f'<tspan class="{style}">{escape(text, quote=False)}</tspan>' for text, style in _spans(row, first=first)
    )
    return (
        f'<text x="{MARGIN}" y="{y}" textLength="{len(row) * CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
        f' xml:space="preserve">{spans}</text>'
    )


def _spans(row: str, *, first: bool) -> Iterator[tuple[str, str]]:
    """Pieces of a line, each with its style."""
    if first:
        yield "$ ", "prompt"
        yield row[2:], "plain"
        return
    for head, style in _HEADS.items():
        if row.startswith(f"{head}  "):
            quiet = row.endswith("  nothing relevant")
            yield head, f"{'dim' if quiet else style} head"
            row = row[len(head) :]
            if style == "dim":
                yield row, "dim"
                return
            break
    position = 0
    for found in _WORDS.finditer(row):
        yield row[position : found.start()], "plain"
        yield found["word"], _WORD_STYLES.get(found["word"], "mild")
        position = found.end()
        if found["word"] != "RAN" and row.startswith("  ") and not row.startswith("  and"):
            break
    yield row[position:], "plain"


def main() -> int:
    """Write the pictures, or with --check say which is not current."""
    stale = 0
    for name in COMMANDS:
        path, text = PICTURES / f"{name}.svg", draw(name, screen(name))
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path}: is not current; run python scripts/make_picture.py\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
