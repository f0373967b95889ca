"""Settings for all tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ALLOWED_SKIPS = (
    "nothing is seen in this file when it is whole",
    "root reads every folder",
    "uv is not installed",
    "real clients cannot be had here",
)
"""Reasons that hold on any machine. In continuous integration every other skip is a part that was to run and did not:
`.ci/run` installs what the tests need, and runs them as a user who may."""

_skipped: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note every skip with its reason."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = re.sub(r"^Skipped: ", "", str(report.longrepr[2]))
        report.sections.append(("skip reason", reason))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the skips that fail the run."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = next((text for name, text in report.sections if name == "skip reason"), str(report.longrepr))
        if not reason.startswith(ALLOWED_SKIPS):
            _skipped.append(f"{report.nodeid}: {reason}")
    if _skipped and os.environ.get("CI"):
        terminalreporter.section("skipped although it was to run here", red=True)
        for line in _skipped:
            terminalreporter.line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In continuous integration a skip that is not allowed fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI") or hasattr(session.config, "workerinput"):
        return
    for report in reporter.stats.get("skipped", []):
        reason = next((text for name, text in report.sections if name == "skip reason"), str(report.longrepr))
        if not reason.startswith(ALLOWED_SKIPS) and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
