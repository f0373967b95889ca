"""The golden cases of the log reader: `python -m tests.standins.ci_cases` writes their inputs anew."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from tests.standins.ci_logs import Step, checkout, gitlab, job_lines, output, run, stamped, use

CASES = Path(__file__).resolve().parents[1] / "golden" / "readers" / "ci" / "ci-log"
TJ = "tj-actions/changed-files"
BAD = "0e58ed8671d6b60d0890c21b07f8835ace038e67"
TJ_WINDOW = datetime.datetime(2025, 3, 14, 18, tzinfo=datetime.UTC)
CLIENTS = {
    "npm-6": ("npm install", "npm-6.default"),
    "npm-6-http": ("npm install --loglevel http", "npm-6.http"),
    "npm-10-foreground": ("npm install --foreground-scripts", "npm-10.fg"),
    "npm-11": ("npm ci", "npm-11.default"),
    "npm-11-http": ("npm ci --loglevel http", "npm-11.http"),
    "npm-11-info": ("npm ci --loglevel info", "npm-11.info"),
    "npm-11-silly": ("npm ci --loglevel silly", "npm-11.silly"),
    "npm-11-cached": ("npm ci --loglevel http", "npm-11.cached"),
    "npm-11-failing": ("npm install axios@9.9.9", "npm-11.failing"),
    "npm-11-ls": ("npm ls --all", "npm-11.ls"),
    "npm-12": ("npm ci", "npm-12.default"),
    "pnpm-9": ("pnpm install", "pnpm-9.default"),
    "pnpm-10": ("pnpm install", "pnpm-10.default"),
    "pnpm-10-allowed": ("pnpm install", "pnpm-10.allowed"),
    "pnpm-10-ndjson": ("pnpm install --reporter ndjson", "pnpm-10.ndjson"),
    "pnpm-10-list": ("pnpm list --depth 5", "pnpm-10.list"),
    "yarn-1": ("yarn install", "yarn-1.default"),
    "yarn-1-verbose": ("yarn install --verbose", "yarn-1.verbose"),
    "yarn-1-add": ("yarn add axios@1.14.1", "yarn-1.add"),
    "yarn-1-list": ("yarn list", "yarn-1.list"),
    "yarn-3.8": ("yarn install", "yarn-3.8.default"),
    "yarn-4.18": ("yarn install", "yarn-4.18.default"),
    "yarn-4.18-on-github": ("yarn install", "yarn-4.18.gha"),
    "bun-1.4-trusted": ("bun install", "bun-1.4.trusted"),
    "bun-1.4-add": ("bun add axios@1.14.1", "bun-1.4.add"),
    "bun-1.4-verbose": ("bun install --verbose", "bun-1.4.verbose"),
    "pip": ("pip install six==1.16.0 attrs", "pip.default"),
    "pip-download": ("python -m pip download six==1.16.0 -d d", "pip.download"),
    "pip-satisfied": ("pip install six==1.16.0", "pip.satisfied"),
    "uv": ("uv pip install six==1.16.0 attrs", "uv.default"),
}


def job(command: str, printed: str, *more: Step) -> str:
    """A job whose second step installs."""
    return stamped(job_lines("build", [checkout(), run(command, printed, NPM_TOKEN="***"), *more]))


def inputs() -> Iterator[tuple[str, str]]:
    """Case and path, and what the file holds."""
    for name, (command, printed) in CLIENTS.items():
        yield f"{name}/input/0_build.txt", job(command, output(printed))
    tail = [run("npm run build", "ok\n"), run("npm publish", "+ shop@1.0.0\n", NODE_AUTH_TOKEN="***")]
    whole = job("npm ci --loglevel http", output("npm-11.http"), *tail)
    yield "whole-job/input/0_build.txt", "\ufeff" + whole
    yield "truncated/input/0_build.txt", whole[: whole.index("plain-crypto-js-4.2.1.tgz 20ms") + 20]
    yield (
        "step-file/input/run/build/3_Run npm ci.txt",
        stamped(list(run("npm ci --loglevel http", output("npm-11.http")).lines())),
    )
    action = [checkout(), use(f"{TJ}@v45", "ok\n", token="***"), run("npm test", "ok\n")]
    lines = list(job_lines("lint", action, downloads=[f"'{TJ}@v45' (SHA:{BAD})"], permissions=["PullRequests: write"]))
    yield "action-by-tag/input/1_lint.txt", stamped(lines, TJ_WINDOW)
    skipped = [checkout(), run("npm test", "ok\n")]
    lines = list(job_lines("lint", skipped, downloads=[f"'{TJ}@v45' (SHA:{BAD})", "'octo/old@v1'"]))
    yield "action-not-used/input/1_lint.txt", stamped(lines, TJ_WINDOW)
    package = [
        "##[group]Download immutable action package 'octo/tool@v4'",
        "Version: 4.2.2",
        f"Digest: sha256:{'c' * 64}",
        "Source commit SHA: 11bd71901bbe5b1630ceea73d27597364c9af683",
        "##[endgroup]",
        f"Uses: octo/shared/.github/workflows/release.yml@refs/tags/v1 ({'5' * 40})",
    ]
    lines = list(job_lines("release / publish", [use("octo/tool@v4", "ok\n")]))
    yield "immutable-package/input/0_release  publish.txt", stamped([*lines[:14], *package, *lines[14:]])
    shown = [f"build\t{step}\t{line}" for step, line in _tabbed(whole)]
    yield "command-line-client/input/run.log", "\n".join(shown) + "\n"
    script = [("npm ci --loglevel http", output("npm-11.http")), ("pnpm install", output("pnpm-10.allowed"))]
    yield "gitlab/input/build.log", gitlab(script)
    yield "gitlab-times/input/build.log", gitlab(script[:1], times=True)
    yield "gitlab-limit/input/build.log", gitlab(script[:1])[:-40] + "\nJob's log exceeded limit of 4194304 bytes.\n"
    plain = ["+ npm ci --loglevel http", *output("npm-11.http").splitlines()]
    yield "plain/input/console", "\n".join(plain) + "\n"
    yield (
        "plain-times/input/console.txt",
        "".join(f"[2026-03-31T01:10:00.{n:03d}+02:00] {x}\n" for n, x in enumerate(plain)),
    )
    yield "no-zone/input/console.txt", "".join(f"2026-03-31 01:10:00,{n:03d} {x}\n" for n, x in enumerate(plain))
    marked = "".join(f"\x1b_bk;t={1774919400000 + n}\x07{x}\r\n" for n, x in enumerate(["~~~ Running", *plain]))
    yield "buildkite/input/job.log", marked
    docker = ["#9 [4/5] RUN npm ci --loglevel http", *(f"#9 {n}.123 {x}" for n, x in enumerate(plain[1:]))]
    yield "buildkit/input/0_image.txt", job("docker build .", "\n".join(docker))
    mixed = [f"web:build: {x}" for x in output("npm-11.info").splitlines()]
    other = [
        "api:build: compiling",
        "\x1b[2K\x1b[1G\x1b[33mapi:build:\x1b[0m 10%\rapi:build: 20%\rnpm http cache x@http://registry.example/axios/-/axios-1.14.1.tgz 0ms",
    ]
    yield (
        "interleaved/input/0_build.txt",
        job("npx turbo run build", "\n".join(x for pair in zip(mixed, other * 20, strict=False) for x in pair)),
    )


def _tabbed(text: str) -> Iterator[tuple[str, str]]:
    step = "Set up job"
    for line in text.splitlines():
        if "##[group]Run " in line:
            step = line.partition("##[group]")[2].replace("Run npm ci --loglevel http", "Install")
        yield step, line


def main() -> None:
    """Write every input."""
    for name, text in inputs():
        place = CASES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())


if __name__ == "__main__":
    main()
