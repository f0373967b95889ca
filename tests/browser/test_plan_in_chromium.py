"""A plan's page in a real browser: quiet, within the width of a telephone, nothing of a hostile name runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.report.plans import render_plan
from pratique.respond.plan import compose
from tests.browser.test_html_in_chromium import CHROMIUM, Browser
from tests.unit.report.test_plans import hostile
from tests.unit.respond.planning import examine, situation_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.mark.parametrize("kind", ["real", "hostile"])
def test_the_page_is_quiet_and_fits_a_telephone(browser: Browser, kind: str, tmp_path: Path) -> None:
    plan = hostile() if kind == "hostile" else compose(situation_of(examine(tmp_path, ("axios", "1.14.1"))))
    path = tmp_path / "plan.html"
    path.write_bytes(render_plan(plan, "html"))
    for media in ("screen", "print"):
        browser.ask("Emulation.setEmulatedMedia", media=media)
        for width in (320, 390, 1200):
            browser.ask(
                "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 400
            )
            browser.open(path)
            browser.settle()
            assert browser.requests() == []
            assert browser.complaints() == []
            assert browser.value("document.scripts.length") == 0
            assert browser.value("document.documentElement.scrollWidth") <= width, (media, width)
            assert browser.value("document.querySelectorAll('.step').length") == len(plan.steps)
