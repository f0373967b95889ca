"""Every shell block of the documentation runs and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import SHELLS, Terminal, blocks, matches, name, pages, transcript

NOT_RUN = {
    "CONTRIBUTING.md": 2,
    "README.md": 3,
    "docs/how-to/add-a-reader.md": 2,
    "docs/how-to/block-what-packages-do.md": 1,
    "docs/how-to/check-a-mounted-disk.md": 1,
    "docs/how-to/check-ci-logs.md": 1,
    "docs/how-to/check-from-outside.md": 7,
    "docs/how-to/check-images.md": 1,
    "docs/how-to/detonate-a-release.md": 1,
    "docs/how-to/export-a-case.md": 2,
    "docs/how-to/guard-an-install.md": 1,
    "docs/how-to/keep-a-case.md": 4,
    "docs/how-to/watch-a-machine.md": 1,
    "docs/how-to/what-could-it-reach.md": 3,
    "docs/how-to/prove-it-is-over.md": 3,
    "docs/how-to/rotate-in-order.md": 1,
    "docs/how-to/write-a-release-rule.md": 2,
    "docs/reference/behaviour-evaluation.md": 1,
    "docs/reference/evaluation.md": 1,
    "docs/how-to/write-an-incident.md": 1,
}
"""How many shell blocks of a page are not run; each says why in a comment above it."""

WITH_BLOCKS = [page for page in pages() if any(block.language in SHELLS for block in blocks(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name)
def test_shell_blocks_run_and_print_what_they_show(page: Path, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.file is not None:
            (terminal.folder / block.file).write_text(block.body, encoding="utf-8")
        if block.language not in SHELLS or block.not_run is not None:
            continue
        if block.language == "bash":
            result = terminal.run("set -eu\n" + block.body)
            assert result.returncode == 0, f"{block.body}\n{result.stdout}"
            continue
        assert block.language == "console", f"mark the block console or bash, not {block.language}"
        steps = transcript(block.body)
        for step, got in zip(steps, terminal.play(steps), strict=True):
            shown = "\n".join(got)
            assert matches(step.output, got), f"$ {step.command}\nprinted\n{shown}\nRefresh: python -m tests.docs.pages"


def test_blocks_that_are_not_run_are_counted_and_say_why() -> None:
    found = {}
    for page in WITH_BLOCKS:
        reasons = [block.not_run for block in blocks(page.read_text("utf-8")) if block.not_run is not None]
        assert all(len(reason.split()) >= 4 for reason in reasons)
        if reasons:
            found[name(page)] = len(reasons)
    assert found == NOT_RUN


def test_no_shell_block_hides_under_another_name() -> None:
    for page in pages():
        for block in blocks(page.read_text("utf-8")):
            if block.language not in SHELLS:
                starts = block.body.lstrip().startswith(("$ ", "pratique "))
                assert block.language == "text" or not starts, f"{name(page)}: mark it console:\n{block.body}"
