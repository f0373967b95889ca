"""Every link of the documentation leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import ROOT, anchors, links, name, pages


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in links(text):
        if urlsplit(target).scheme:
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{name(page)}: {target} leads nowhere"
        assert goal.is_relative_to(ROOT), f"{name(page)}: {target} leads out of the repository"
        if anchor:
            assert anchor in anchors(goal.read_text(encoding="utf-8")), f"{name(page)}: {target} has no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    start = ROOT / "README.md"
    seen, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        for target in links(page.read_text(encoding="utf-8")):
            goal = (page.parent / target.partition("#")[0]).resolve()
            if goal.suffix == ".md" and goal.is_file() and goal not in seen:
                seen.add(goal)
                waiting.append(goal)
    assert [name(page) for page in pages() if page not in seen] == []
