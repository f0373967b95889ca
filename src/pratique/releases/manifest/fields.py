"""What else a manifest says: commands that are put on the path, entries, and fields that tell whose package it is."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterator

from pratique.model.release import Delta, Fact, Release, Value
from pratique.releases.manifest.commands import found
from pratique.releases.manifest.document import Manifest, written

FIELDS = (
    "name", "type", "main", "exports", "module", "browser", "imports", "types", "bin", "directories", "gypfile",
    "workspaces", "publishConfig", "overrides", "resolutions", "engines", "os", "cpu", "packageManager", "repository",
    "author", "contributors", "maintainers", "license", "homepage", "bugs", "description", "files", "private", "binary",
    "config", "esnext", "jsnext:main", "unpkg", "jsdelivr", "react-native", "sideEffects", "funding", "dist",
)  # fmt: skip
"""Fields whose change is told; `version`, scripts and dependencies have facts of their own."""

PROGRAMS = frozenset(
    re.findall(
        r"\S+",
        "node nodejs npm npx yarn yarnpkg pnpm pnpx bun bunx deno corepack git sh bash zsh fish dash python "
        "python2 python3 pip pip3 pipx uv uvx poetry conda ruby gem bundle perl php composer java javac mvn "
        "gradle go cargo rustc rustup gcc cc g++ clang make cmake curl wget ssh scp sftp rsync sudo su doas "
        "docker docker-compose podman kubectl helm terraform aws az gcloud gh glab vim vi nano code cursor "
        "claude codex gemini ls cat cp mv rm mkdir rmdir touch ln chmod chown chgrp find grep sed awk sort "
        "uniq head tail cut tr xargs tee tar gzip gunzip zip unzip openssl gpg env which whereis where ps "
        "kill killall top ping nc netcat dig nslookup host hostname whoami id ifconfig ip ipconfig systemctl "
        "service crontab mount umount dd df du date echo printf test true false sleep exit cd pwd export "
        "source alias eval exec time less more man powershell pwsh cmd reg explorer open xdg-open start "
        "security launchctl osascript brew apt apt-get yum dnf apk snap choco winget psql mysql sqlite3 "
        "redis-cli mongo mongosh ",
    )
)
"""Commands of systems and of the clients of package worlds: no package but their own should be called so."""

OWNERS: dict[str, tuple[str, ...]] = {
    "tsc": ("typescript",),
    "tsserver": ("typescript",),
    "jest": ("jest", "jest-cli"),
    "webpack": ("webpack", "webpack-cli", "webpack-command"),
    "babel": ("@babel/cli", "babel-cli"),
    "ng": ("@angular/cli",),
    "vue": ("@vue/cli", "vue-cli"),
    "vite": ("vite", "rolldown-vite"),
    "next": ("next",),
    "nest": ("@nestjs/cli",),
    "nx": ("nx", "@nrwl/cli", "@nx/cli"),
    "tsx": ("tsx",),
    "gulp": ("gulp", "gulp-cli"),
    "grunt": ("grunt", "grunt-cli"),
    "node": ("node", "node-bin"),
    "npm": ("npm",),
    "npx": ("npm", "npx"),
    "yarn": ("yarn", "@yarnpkg/cli", "@yarnpkg/cli-dist", "corepack"),
    "yarnpkg": ("yarn", "@yarnpkg/cli", "@yarnpkg/cli-dist", "corepack"),
    "pnpm": ("pnpm", "@pnpm/exe", "corepack"),
    "pnpx": ("pnpm", "@pnpm/exe", "corepack", "pnpx"),
    "bun": ("bun",),
    "bunx": ("bun",),
    "claude": ("@anthropic-ai/claude-code",),
    "codex": ("@openai/codex",),
    "gemini": ("@google/gemini-cli",),
    "playwright": ("playwright", "@playwright/test", "playwright-core"),
    "sass": ("sass", "sass-embedded", "dart-sass"),
    "prisma": ("prisma",),
    "wrangler": ("wrangler", "@cloudflare/wrangler"),
}
"""Command to the packages that rightly bring it, where that is not the package of the same name alone."""
MOST_POPULAR = 300


def bins(manifest: Manifest | None, name: str) -> dict[str, str]:
    """Command to target, from `bin` (a text stands for the package's own name); without a manifest none."""
    if manifest is None:
        return {}
    value = manifest.plain.get("bin")
    if isinstance(value, str):
        return {name.rpartition("/")[2]: value}
    return manifest.strings("bin")


@functools.cache
def _popular() -> frozenset[str]:
    """The names of the most popular packages without a scope: most bring a command of that name."""
    from pratique.releases.names import popular

    return frozenset(name for name in popular("npm").first(MOST_POPULAR) if not name.startswith("@"))


def shadows(command: str, package: str) -> str:
    """The program or package whose command a `bin` of a package would hide; empty where none."""
    plain = command.lower().removesuffix(".cmd").removesuffix(".exe").removesuffix(".ps1")
    bare = package.rpartition("/")[2]
    if package in OWNERS.get(plain, ()):
        return ""
    if plain in OWNERS:
        return OWNERS[plain][0]
    if plain == bare and not package.startswith("@") and plain not in PROGRAMS:
        return ""
    if plain in PROGRAMS:
        return plain
    return plain if plain in _popular() and plain != bare else ""


def bin_facts(release: Release, manifest: Manifest, before: Manifest | None) -> Iterator[Fact]:
    """A fact for each command that the release puts on the path, or no longer does."""
    new, old = bins(manifest, release.name), bins(before, release.name)
    for name, target in new.items():
        delta: Delta = "unknown"
        if before is not None:
            delta = "added" if name not in old else "kept" if old[name] == target else "changed"
        known: dict[str, Value] = {"name": name, "target": target, "shadows": shadows(name, release.name)}
        path = found(target, release.files.members)
        if path:
            known["file"] = path
        elif posixpath.normpath(target).startswith(".."):
            known["outside"] = True
        keys = ("bin", name) if manifest.table("bin") else ("bin",)
        yield manifest.fact("trigger.bin", keys, f"{name}: {target}", delta, **known)
    for name, target in old.items():
        if name not in new:
            yield manifest.fact(
                "trigger.bin", ("bin",), f"{name}: {target}", "removed", name=name, target=target, shadows=""
            )


def field_facts(manifest: Manifest, before: Manifest | None) -> Iterator[Fact]:
    """A fact for each field that differs from the predecessor's; without one for each field that is there."""
    for field in FIELDS:
        new = manifest.plain.get(field)
        old = before.plain.get(field) if before is not None else None
        if before is not None and new == old:
            continue
        if new is None and old is None:
            continue
        delta: Delta = "unknown"
        if before is not None:
            delta = "added" if old is None else "removed" if new is None else "changed"
        known: dict[str, Value] = {"field": field, "value": written(new) if new is not None else ""}
        if old is not None:
            known["previous"] = written(old)
        yield manifest.fact(
            "manifest.field", (field,), f"{field}: {written(new) if new is not None else ''}", delta, **known
        )
