"""How each manager is asked: its lockfiles, versions, command, environment, and the words of a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from pratique.adapters.clients.settings import (
    bun_settings,
    npm_settings,
    pnpm_settings,
    yarn_classic_settings,
    yarn_settings,
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """How one manager is asked. To ask another, add a row to `ROWS`."""

    manager: str
    lockfiles: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]
    versions: Callable[[str], tuple[int, int]]
    """The lockfile's text to the first major version that reads it, and the first that does not any more."""
    ours: Callable[[str], bool] = lambda text: True
    """Whether a lockfile of this name is this manager's: yarn 1 and later ones share a name."""
    settings: Callable[[Mapping[str, bytes]], Mapping[str, str]] = lambda files: {}
    """The project's and the user's setting files, by name, to the neutral ones to write."""
    environment: Mapping[str, str] = {}
    refuses: tuple[str, ...] = ()
    """Words that mean: this lockfile is not taken."""
    completes: Callable[[bytes, bytes], bool] = lambda before, after: False
    """Whether what the client wrote is the lockfile with no more than what was left open in it."""
    network: bool = True
    manifests: tuple[str, ...] = ("package.json",)


def adds_checksums(before: bytes, after: bytes) -> bool:
    """Whether a yarn.lock has more `checksum` lines than before, and nothing else is different."""
    old = iter(before.splitlines())
    want = next(old, None)
    for line in after.splitlines():
        if line == want:
            want = next(old, None)
        elif not line.startswith(b"  checksum: "):
            return False
    return want is None


def _major(
    pattern: str, table: Mapping[int, tuple[int, int]], other: tuple[int, int]
) -> Callable[[str], tuple[int, int]]:
    def versions(text: str) -> tuple[int, int]:
        match = re.search(pattern, text, re.MULTILINE)
        return table.get(int(match[1]), other) if match else other

    return versions


_ANY = (0, 1 << 30)
NODE = {
    "COREPACK_ENABLE_NETWORK": "0",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "DO_NOT_TRACK": "1",
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "2000",
    "pnpm_config_fetch_retries": "1",
    "pnpm_config_fetch_retry_mintimeout": "1000",
}
"""Environment of every client that Node runs: nothing is fetched for the client itself, and retries are few."""

ROWS: tuple[Row, ...] = (
    Row(
        manager="npm",
        lockfiles=("package-lock.json", "npm-shrinkwrap.json"),
        program="npm",
        arguments=("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        versions=_major(r'"lockfileVersion":\s*(\d+)', {1: (5, 1 << 30), 4: (12, 1 << 30)}, (7, 1 << 30)),
        settings=npm_settings,
        environment={**NODE, "npm_config_ignore_scripts": "true", "npm_config_update_notifier": "false"},
        refuses=("EUSAGE", "EINTEGRITY", "are in sync", "EJSONPARSE", "Invalid Version"),
    ),
    Row(
        manager="pnpm",
        lockfiles=("pnpm-lock.yaml",),
        program="pnpm",
        arguments=("install", "--frozen-lockfile", "--ignore-scripts", "--ignore-pnpmfile"),
        versions=_major(
            r"^lockfileVersion: '?(\d+)", {5: (3, 8), 6: (8, 9), 9: (9, 1 << 30)}, (9, 1 << 30)
        ),
        settings=pnpm_settings,
        environment={
            **NODE,
            "npm_config_ignore_scripts": "true",
            "npm_config_manage_package_manager_versions": "false",
            "npm_config_minimum_release_age": "0",
            "pnpm_config_minimum_release_age": "0",
            "pnpm_config_pm_on_fail": "ignore",
        },
        refuses=(
            "ERR_PNPM_OUTDATED_LOCKFILE", "ERR_PNPM_BROKEN_LOCKFILE", "ERR_PNPM_TARBALL_INTEGRITY",
            "ERR_PNPM_LOCKFILE", "ERR_PNPM_FROZEN_LOCKFILE", "ERR_PNPM_NO_LOCKFILE", "ERR_PNPM_UNEXPECTED_PKG_CONTENT",
        ),
    ),
    Row(
        manager="yarn",
        lockfiles=("yarn.lock",),
        program="yarn",
        arguments=("install", "--frozen-lockfile", "--ignore-scripts", "--non-interactive"),
        versions=lambda text: (1, 2),
        ours=lambda text: "\n__metadata:" not in text,
        settings=yarn_classic_settings,
        environment={**NODE, "YARN_IGNORE_PATH": "1"},
        refuses=("needs to be updated", "Integrity check failed", "Invalid value type", "Unknown token"),
    ),
    Row(
        manager="yarn",
        lockfiles=("yarn.lock",),
        program="yarn",
        arguments=("install", "--immutable", "--mode=skip-build"),
        versions=_major(r"^  version: (\d+)", {4: (2, 4), 5: (3, 4), 6: (3, 4)}, (4, 1 << 30)),
        ours=lambda text: "\n__metadata:" in text,
        settings=yarn_settings,
        environment={
            **NODE,
            "YARN_IGNORE_PATH": "1",
            "YARN_ENABLE_SCRIPTS": "0",
            "YARN_ENABLE_TELEMETRY": "0",
            "YARN_ENABLE_GLOBAL_CACHE": "0",
        },
        refuses=("YN0028", "YN0018", "would have been modified by this install"),
        completes=adds_checksums,
    ),
    Row(
        manager="bun",
        lockfiles=("bun.lock", "bun.lockb"),
        program="bun",
        arguments=("install", "--frozen-lockfile", "--ignore-scripts"),
        versions=lambda text: (1, 1 << 30),
        settings=bun_settings,
        environment={"DO_NOT_TRACK": "1"},
        refuses=("lockfile is frozen", "Integrity check failed", "failed to parse lockfile", "InvalidLockfile"),
    ),
    Row(
        manager="uv",
        lockfiles=("uv.lock",),
        program="uv",
        arguments=("lock", "--check", "--no-build", "--no-python-downloads", "--no-config"),
        versions=lambda text: _ANY,
        environment={"UV_NO_BUILD": "1"},
        refuses=("needs to be updated", "Failed to parse `uv.lock`", "hash mismatch"),
        manifests=("pyproject.toml",),
    ),
)  # fmt: skip


def rows(name: str, content: bytes) -> list[Row]:
    """The rows for a lockfile of this name."""
    text = content.decode("utf-8", "replace")
    return [row for row in ROWS if name in row.lockfiles and row.ours(text)]


def by_hand(row: Row) -> str:
    """The command for a person."""
    return " ".join((row.program, *row.arguments))
