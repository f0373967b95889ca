"""Write a page for every release rule, the list of them, and the page of the words that rules speak in.

    python -m scripts.make_rule_pages            writes release-rules.md, release-facts.md and release-rules/
    python -m scripts.make_rule_pages --check    only says which page is not current

What a rule wants and how rarely it fires comes from its TOML; the examples from its cases below tests/golden/rules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pratique.releases.judge import THRESHOLDS
from pratique.releases.rules.language import Rule
from pratique.releases.rules.library import bundled, texts_of_bundled
from pratique.releases.rules.words import rule_lines
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
CASES = ROOT / "tests" / "golden" / "rules"
_NOTICE = "<!-- Generated: python -m scripts.make_rule_pages -->"
_LINES = 24
_WIDTH = 118


def pages() -> dict[Path, str]:
    """Every page by its path."""
    rules = tuple(bundled())
    made = {REFERENCE / "release-rules.md": index(rules), REFERENCE / "release-facts.md": facts()}
    texts = dict(texts_of_bundled())
    for rule in rules:
        made[REFERENCE / "release-rules" / f"{rule.id}.md"] = page(rule, texts[f"{rule.id}.toml"])
    return made


def index(rules: tuple[Rule, ...]) -> str:
    """The list of all rules, the rarest first."""
    lines = [
        "# Rules for releases",
        "",
        _NOTICE,
        "",
        "What `pratique inspect` looks for in a release. A rule weighs as many decades as it is rare among ordinary",
        "releases: 3 means one in a thousand, as measured. Of a family the heaviest finding counts; families add up. A",
        f"note needs {THRESHOLDS['note']:g} decades, a review {THRESHOLDS['review']:g} and a block",
        f"{THRESHOLDS['block']:g}, out of rules that may raise that level. A rule with a floor raises that by itself.",
        "How it was measured:",
        "[evaluation.md](evaluation.md). How to write one:",
        "[write-a-release-rule.md](../how-to/write-a-release-rule.md). The words that rules speak in:",
        "[release-facts.md](release-facts.md).",
        "",
        "| Rule | May raise | Fired on | Decades | Sees |",
        "|---|---|---|---|---|",
    ]
    for rule in sorted(rules, key=lambda one: (-one.weight, one.id)):
        rate = rule.base_rate
        fired = f"{rate.alarms} of {rate.transitions}" if rate is not None else "not measured"
        link = f"[{rule.id}](release-rules/{rule.id}.md)"
        lines.append(f"| {link} | {rule.ceiling} | {fired} | {rule.weight:.1f} | {rule.title} |")
    return "\n".join(lines) + "\n"


def facts() -> str:
    """The page of the vocabulary."""
    lines = [
        "# Facts about releases",
        "",
        _NOTICE,
        "",
        "What is read in a release, without judgement. Rules name these kinds and attributes, nothing else. Facts of",
        f"code may also carry {', '.join(f'`{name}`' for name in CODE_ATTRIBUTES)}.",
        "",
        "| Kind | Meaning | Attributes |",
        "|---|---|---|",
    ]
    for kind, (meaning, attributes) in WORDS.items():
        lines.append(f"| `{kind}` | {meaning} | {', '.join(f'`{name}`' for name in attributes)} |")
    return "\n".join(lines) + "\n"


def page(rule: Rule, text: str) -> str:
    """The page of one rule."""
    described = list(rule_lines(rule))
    lines = [f"# {rule.title}", "", _NOTICE, "", f"Rule `{rule.id}`. {rule.why}.", "", "```text"]
    lines += [line.replace("\n", " ") for line in described[1:]]
    lines += ["```", "", "## The rule", "", "```toml", *text.rstrip().splitlines(), "```"]
    for wanted, title in (("fires", "An inert example on which it fires"), ("quiet", "One on which it stays quiet")):
        folder = CASES / rule.id / wanted
        cases = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if cases:
            lines += ["", f"## {title}", "", *_case(cases[0])]
    return "\n".join(_cut(line) for line in lines) + "\n"


def _case(case: Path) -> Iterator[str]:
    """The files of a case that are new or differ."""
    yield "```text"
    for path in sorted(path for path in case.rglob("*") if path.is_file()):
        relative = path.relative_to(case)
        before = case / "before" / Path(*relative.parts[1:])
        if relative.parts[0] == "before" or (before.is_file() and before.read_bytes() == path.read_bytes()):
            continue
        yield f"--- {relative.as_posix()}"
        try:
            content = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            yield f"({path.stat().st_size} bytes that are no text)"
            continue
        yield from (line.replace("```", "'''") for line in content[:_LINES])
        if len(content) > _LINES:
            yield f"({len(content) - _LINES} lines more)"
    yield "```"


def _cut(line: str) -> str:
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in line.expandtabs(2))
    return shown if len(shown) <= _WIDTH or shown.startswith("|") else shown[: _WIDTH - 1] + "…"


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are not current."""
    made = pages()
    stray = set((REFERENCE / "release-rules").glob("*.md")) - made.keys()
    if "--check" in arguments:
        wrong = [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
        for path in sorted((*wrong, *stray)):
            print(f"{path.relative_to(ROOT)} is not current: python -m scripts.make_rule_pages", file=sys.stderr)
        return 1 if wrong or stray else 0
    for path in stray:
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
