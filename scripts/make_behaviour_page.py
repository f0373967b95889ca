"""Write the page of behaviour rules: each rule that comes with the program, and the words that rules can use.

python -m scripts.make_behaviour_page            writes docs/reference/behaviour-rules.md
python -m scripts.make_behaviour_page --check    only says whether it is current
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pratique.behaviour.library import bundled
from pratique.behaviour.modifiers import KNOWN
from pratique.behaviour.vocabulary import CATEGORIES, EVERYWHERE, PRODUCTS
from pratique.model.event import SEVERITIES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "behaviour-rules.md"


def page() -> str:
    """The page's text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    rules = bundled()
    yield from ("# Behaviour rules", "", "<!-- Generated: python -m scripts.make_behaviour_page -->", "")
    yield "Rules that judge what a command does, as [Sigma](https://sigmahq.io/) documents. `pratique rules explain"
    yield "NAME` tells one whole. How to write your own, and exceptions:"
    yield "[write-a-behaviour-rule.md](../how-to/write-a-behaviour-rule.md). None names a campaign."
    yield from ("", "| Rule | Level | What it sees | May also be |", "|---|---|---|---|")
    for one in sorted(rules, key=lambda rule: (-SEVERITIES.index(rule.level), rule.name)):
        yield f"| `{one.name}` | {one.level} | {one.head.title} | {'; '.join(one.head.false_positives)} |"
    yield from ("", "## Log sources", "")
    yield f"`product` may be {', '.join(PRODUCTS)}, or be left out. Names marked with a star are not Sigma's own."
    yield from ("", "| Category | Events | Fields beside those of every event |", "|---|---|---|")
    for category in CATEGORIES.values():
        star = "*" if category.own else ""
        yield f"| `{category.name}`{star} | {category.meaning} | {', '.join(category.shown) or 'none'} |"
    yield from ("", "## Fields of every event", "", "| Field | What it is |", "|---|---|")
    yield from (f"| `{name}` | {meaning} |" for name, (_, meaning) in EVERYWHERE.items())
    shown = {name: meaning for one in CATEGORIES.values() for name, (_, meaning) in one.shown.items()}
    yield from ("", "## Fields of some", "", "| Field | What it is |", "|---|---|")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in sorted(shown.items()))
    yield from ("", "## Modifiers", "")
    yield from textwrap.wrap(", ".join(f"`{name}`" for name in KNOWN) + ".", 118)


def main(arguments: list[str]) -> int:
    """Write the page, or say that it is not current."""
    made = page()
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text("utf-8") == made:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not current: python -m scripts.make_behaviour_page", file=sys.stderr)
        return 1
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
