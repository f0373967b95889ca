"""The HTML report in a real browser: quiet, self-contained, within the width of a telephone, hostile names inert.

Chromium is driven through its pipe of developer messages, so no driver and no port is needed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pratique.model.location import Location
from pratique.model.report import Report
from pratique.report.case_pages import pages
from pratique.report.renderer import renderer
from tests.unit.report.case_sample import EVERYTHING, dossier
from tests.unit.report.sample import REPORT
from tests.unit.report.strategies import HOSTILE

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


class Browser:
    """One page of a browser, spoken to over its pipe."""

    def __init__(self, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_browser, from_browser)]
        start = (
            "import os, sys; [os.dup2(int(sys.argv[n]), n + 2) for n in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"
        )
        program = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, *map(str, ends), *program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=ends,
        )
        for end in ends:
            os.close(end)
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self._read, False)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    _session: str | None = None

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 30
        while time.monotonic() < until:
            answers = [self._kept(answer) for answer in self._messages()]
            for answer in filter(None, answers):
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
        raise TimeoutError(method)

    def _kept(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """An answer to the last command; events are put aside."""
        if message.get("id") == self._number:
            return message
        self.events.append(message)
        return None

    def _messages(self) -> Iterator[dict[str, Any]]:
        with contextlib.suppress(BlockingIOError):
            self._buffer += os.read(self._read, 1 << 20)
        *whole, self._buffer = self._buffer.split(b"\0")
        if not whole:
            time.sleep(0.01)
        yield from (json.loads(part) for part in whole)

    def open(self, path: Path) -> None:
        """Load a file and wait until it has loaded."""
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.value("document.readyState") == "complete":
                return
            time.sleep(0.05)
        raise TimeoutError(str(path))

    def settle(self) -> None:
        """Let late events arrive."""
        for _ in range(5):
            time.sleep(0.05)
            self.value("0")

    def value(self, expression: str) -> Any:
        """The value of an expression, computed by the debugger, not by the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def requests(self) -> list[str]:
        """Addresses that the page asked for, its own aside."""
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return asked[1:]

    def complaints(self) -> list[str]:
        """What the page wrote to the console, and errors that were thrown or logged."""
        names = (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        )
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in names]

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(Exception):  # it may have ended by itself; what follows kills it else
            self._session = None
            self.ask("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        os.close(self._read)
        os.close(self._write)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def hostile() -> Report:
    """The fixed report with hostile text in every place that text from outside can take."""
    everything = " ".join(HOSTILE)
    sightings = tuple(
        msgspec.structs.replace(
            item, explanation=everything, purl=f"pkg:npm/{everything}", location=Location("file:///t", everything)
        )
        for item in REPORT.sightings
    )
    observations = tuple(
        msgspec.structs.replace(item, facts={everything: everything, "value": everything})
        for item in REPORT.observations
    )
    return msgspec.structs.replace(
        REPORT,
        sightings=sightings,
        observations=observations,
        subjects=tuple(msgspec.structs.replace(item, uri=f"file:///t/{everything}") for item in REPORT.subjects),
        incidents=tuple(
            msgspec.structs.replace(item, title=everything, summary=everything) for item in REPORT.incidents
        ),
        next_steps=(everything,),
        notes=(everything,),
        header=msgspec.structs.replace(REPORT.header, host=everything),
    )


def write(folder: Path, report: Report) -> Path:
    path = folder / "report.html"
    path.write_bytes(b"".join(renderer("html").render(report)))
    return path


@pytest.mark.parametrize("report", [REPORT, hostile()], ids=["fixed", "hostile"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "light"), (400, "dark")])
def test_quiet_self_contained_and_within_its_width(
    browser: Browser, tmp_path: Path, report: Report, width: int, scheme: str
) -> None:
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.ask("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(write(tmp_path, report))
    browser.value("document.querySelectorAll('details').forEach(item => { item.open = true })")
    assert browser.value("document.documentElement.scrollWidth") <= width
    browser.settle()
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.value("document.scripts.length + document.images.length") == 0
    assert (
        browser.value("document.querySelectorAll('iframe, object, embed, form, base, link, img, script').length") == 0
    )
    assert (
        browser.value("[...document.querySelectorAll('a')].every(a => a.getAttribute('href').startsWith('#'))") is True
    )
    missing = "[...document.querySelectorAll('a')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    assert browser.value(missing) == 0
    assert browser.value("getComputedStyle(document.querySelector('.verdict')).borderLeftStyle") == "solid"


def test_the_policy_stops_whatever_would_be_added(browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, REPORT)
    bad = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><p style='color:red'>"
    page.write_text(page.read_text("utf-8").replace("<main>", f"<main>{bad}"), "utf-8")
    browser.open(page)
    browser.settle()
    assert browser.value("document.title") != "ran"
    assert any("Content Security Policy" in text for text in browser.complaints())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough(browser: Browser, tmp_path: Path, scheme: str) -> None:
    browser.ask("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(write(tmp_path, REPORT))
    lowest = browser.value(CONTRAST)
    assert lowest >= 4.5


@pytest.mark.parametrize("text", ["shop-web", EVERYTHING], ids=["plain", "hostile"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_pages_of_a_case_are_quiet_and_within_their_width(
    browser: Browser, tmp_path: Path, text: str, width: int
) -> None:
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    made = pages(dossier(text))
    for name, page in made.items():
        (tmp_path / name).write_bytes(page)
    for name in made:
        browser.open(tmp_path / name)
        browser.settle()
        assert browser.value("document.documentElement.scrollWidth") <= width, name
        assert browser.complaints() == []
        assert browser.requests() == []
        assert browser.value("document.querySelectorAll('script, img, iframe, form, object').length") == 0
        links = browser.value("[...document.querySelectorAll('main a, nav a')].map(a => a.getAttribute('href'))")
        assert {link for link in links if not link.startswith("#")} <= made.keys()
        assert browser.value(CONTRAST) >= 4.5
    assert len(browser.ask("Page.printToPDF")["data"]) > 5_000


CONTRAST = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const found = parse(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  let lowest = 21;
  for (const node of document.querySelectorAll('p, li, dt, dd, th, td, h1, h2, h3, h4, code, a, summary, caption, span, strong')) {
    const style = getComputedStyle(node);
    const [a, b] = [light(parse(style.color)), light(ground(node))];
    lowest = Math.min(lowest, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
  }
  return lowest;
})()
"""


def test_printed_pages_show_what_is_folded(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(tmp_path, REPORT))
    browser.ask("Emulation.setEmulatedMedia", media="print")
    shown = browser.value("document.querySelector('.fact').getBoundingClientRect().height")
    browser.ask("Emulation.setEmulatedMedia", media="")
    assert shown > 0
    assert len(browser.ask("Page.printToPDF")["data"]) > 10_000
