"""Logs of continuous integration, made of what real clients printed.

`tests/fixtures/ci-output/<client>.<what>.txt` holds the bytes that a client wrote with `CI=true` against the stand-in
registry (`record_ci.py`). The runners themselves cannot run here: what they add (times, groups, the lines before and
after) is written here in the form that public logs of runner 2.322 to 2.337 and GitLab's documentation show.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

OUTPUT = Path(__file__).resolve().parents[1] / "fixtures" / "ci-output"
IN_WINDOW = datetime.datetime(2026, 3, 31, 1, 10, tzinfo=datetime.UTC)
CHECKOUT = "34e114876b0b11c390a56381ad16ebd13914f8d5"


def output(name: str) -> str:
    """What a client printed."""
    return (OUTPUT / f"{name}.txt").read_text(encoding="utf-8")


class Step:
    """One step: the title of its group, the lines of its head, and what it printed."""

    def __init__(
        self,
        title: str,
        printed: str = "",
        *,
        script: str = "",
        env: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        self.title = title
        self.printed = printed
        self.script = script
        self.env = env or {}
        self.inputs = inputs or {}

    def lines(self) -> Iterator[str]:
        """The step as the runner prints it."""
        yield f"##[group]{self.title}"
        for line in self.script.splitlines():
            yield f"\x1b[36;1m{line}\x1b[0m"
        if self.inputs:
            yield "with:"
            yield from (f"  {name}: {value}" for name, value in self.inputs.items())
        if self.script:
            yield "shell: /usr/bin/bash -e {0}"
        if self.env:
            yield "env:"
            yield from (f"  {name}: {value}" for name, value in self.env.items())
        yield "##[endgroup]"
        yield from self.printed.replace("::group::", "##[group]").replace("::endgroup::", "##[endgroup]").splitlines()


def run(script: str, printed: str, **env: str) -> Step:
    """A step with a script."""
    return Step(f"Run {script.splitlines()[0]}", printed, script=script, env=env)


def use(reference: str, printed: str = "", **inputs: str) -> Step:
    """A step that uses an action."""
    return Step(f"Run {reference}", printed, inputs=inputs)


def checkout() -> Step:
    """The step that nearly every job begins with."""
    return use(
        "actions/checkout@v4",
        "Syncing repository: octo/shop\n[command]/usr/bin/git version\ngit version 2.53.0\n"
        "[command]/usr/bin/git log -1 --format=%H\n3f2a9f1f0c4a5b6d7e8f90112233445566778899\n",
        repository="octo/shop",
        token="***",
        **{"persist-credentials": "true"},
    )


def job_lines(
    name: str,
    steps: Sequence[Step],
    *,
    downloads: Sequence[str] = (),
    permissions: Sequence[str] = ("Contents: read", "Metadata: read"),
) -> Iterator[str]:
    """Every line of a job, without times."""
    yield "Current runner version: '2.331.0'"
    yield "##[group]Operating System"
    yield from ("Ubuntu", "24.04.3", "LTS")
    yield "##[endgroup]"
    yield "##[group]GITHUB_TOKEN Permissions"
    yield from permissions
    yield "##[endgroup]"
    yield from ("Secret source: Actions", "Prepare workflow directory", "Prepare all required actions")
    yield "Getting action download info"
    yield f"Download action repository 'actions/checkout@v4' (SHA:{CHECKOUT})"
    yield from (f"Download action repository {item}" for item in downloads)
    yield f"Complete job name: {name}"
    for step in steps:
        yield from step.lines()
    yield "Post job cleanup."
    yield "Cleaning up orphan processes"


def stamped(lines: Iterator[str] | Sequence[str], start: datetime.datetime = IN_WINDOW) -> str:
    """Lines with the times of a runner: seven digits, a tenth of a second between them."""
    made = []
    for number, line in enumerate(lines):
        moment = start + datetime.timedelta(milliseconds=100 * number)
        made.append(f"{moment:%Y-%m-%dT%H:%M:%S.%f}5Z {line}\n")
    return "".join(made)


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """The archive of a run. Its members carry the date that GitHub gives them, which is none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in files.items():
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue().replace(b"\x00\x00\x21\x00", b"\x00\x00\x00\x00")


def gitlab(script: Sequence[tuple[str, str]], *, start: datetime.datetime = IN_WINDOW, times: bool = False) -> str:
    """A job's trace: sections with carriage returns, green commands."""
    seconds = int(start.timestamp())
    lines = [
        "\x1b[0KRunning with gitlab-runner 17.5.0 (0000aaaa)\x1b[0;m",
        "\x1b[0K  on green-1.runners.example/default aaaa1111, system ID: s_0000\x1b[0;m",
        f"section_start:{seconds}:prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the environment\x1b[0;m\x1b[0;m",
        f"section_end:{seconds + 2}:prepare_executor\r\x1b[0K",
        f"section_start:{seconds + 2}:get_sources\r\x1b[0K\x1b[0K\x1b[36;1mGetting source\x1b[0;m\x1b[0;m",
        "Checking out 1ecfd275 as detached HEAD (ref is main)...",
        f"section_end:{seconds + 4}:get_sources\r\x1b[0K",
        f"section_start:{seconds + 4}:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting\x1b[0;m\x1b[0;m",
    ]
    for command, printed in script:
        lines.append(f"\x1b[32;1m$ {command}\x1b[0;m")
        lines += printed.splitlines()
    lines += [f"section_end:{seconds + 60}:step_script\r\x1b[0K", "\x1b[32;1mJob succeeded\x1b[0;m"]
    if times:
        lines = [
            f"{start + datetime.timedelta(milliseconds=50 * n):%Y-%m-%dT%H:%M:%S.%f}Z 00O {x}"
            for n, x in enumerate(lines)
        ]
    return "\n".join(lines) + "\n"
