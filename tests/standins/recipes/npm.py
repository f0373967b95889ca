"""npm 6 to 12."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.standins.packages import AFTER_WINDOW, BEFORE_WINDOW, CARRIER, PAYLOAD
from tests.standins.registry import Registry
from tests.standins.sandbox import HOME, PROJECT, URL, Box, client, npm_cache_entry, packument_key, tarball_key

LABELS = ("npm-6", "npm-7", "npm-8", "npm-9", "npm-10", "npm-11", "npm-12")
WHOLE = {"npm-6", "npm-8", "npm-10", "npm-11", "npm-12"}
NPMRC = f"registry={URL}\n"
HIDDEN = PROJECT / "node_modules" / ".package-lock.json"
DROPPER = PROJECT / "node_modules" / PAYLOAD / "package.json"


def logs() -> list[Path]:
    return sorted((HOME / ".npm" / "_logs").glob("*debug*.log"))


def make(registry: Registry) -> None:
    for label in LABELS:
        with client(registry, label) as box:
            incident(box)
            formats(box)
            if label in {"npm-6", "npm-7", "npm-10"}:
                failing(box)
            if label in {"npm-7", "npm-9", "npm-11", "npm-12"}:
                npx(box)
            if label in {"npm-10", "npm-12"}:
                cache_history(box)
                configuration(box)
            if label in {"npm-6", "npm-8", "npm-11"}:
                git(box)
            if label == "npm-10":
                clean(box)
                moved_on(box)
            if label == "npm-11":
                settings(box)
                whole_tree(box)


def start(box: Box, npmrc: str = NPMRC) -> None:
    box.fresh()
    box.write(".npmrc", npmrc)


def incident(box: Box) -> None:
    """The axios project: script allowed, script held back, and lockfile only."""
    label = box.label
    start(box)
    box.incident(**({"allowScripts": {PAYLOAD: True}} if label == "npm-12" else {}))
    box.run("npm", "install")
    box.expect(ran=True)
    box.keep("package-lock", "ran", PROJECT / "package-lock.json")
    box.keep("manifest", "project", PROJECT / "package.json")
    box.keep("manifest", "dropper-ran", DROPPER)
    box.keep("manifest", "carrier", PROJECT / "node_modules" / CARRIER / "package.json")
    box.keep("npm-cache-index", "tarball", npm_cache_entry(tarball_key(PAYLOAD, "4.2.1")))
    box.keep("npm-cache-index", "packument", npm_cache_entry(packument_key(PAYLOAD)))
    box.keep("npm-cache-index", "scoped-packument", npm_cache_entry(packument_key("@standin/redirects")))
    if label == "npm-6":
        for entry in sorted((HOME / ".npm" / "_cacache" / "index-v5").glob("*/*/*")):
            if f"range-manifest:{URL}{PAYLOAD}" in entry.read_text():
                box.keep("npm-cache-index", "range-manifest", entry)
    else:
        box.keep("hidden-lockfile", "ran", HIDDEN)
    if logs():
        box.keep("npm-debug-log", "ran", *logs())
    if label in WHOLE:
        box.install("ran")

    start(box, NPMRC if label == "npm-12" else NPMRC + "ignore-scripts=true\n")
    box.incident()
    box.run("npm", "install")
    box.expect(ran=False)
    state = "blocked" if label == "npm-12" else "ignore-scripts"
    box.keep("manifest", f"dropper-{state}", DROPPER)
    if label != "npm-6":
        box.keep("hidden-lockfile", state, HIDDEN)
    if logs():
        box.keep("npm-debug-log", state, *logs())
    if label in WHOLE:
        box.install("blocked")

    if label in {"npm-8", "npm-10", "npm-12"}:
        start(box)
        box.incident()
        box.run("npm", "install", "--ignore-scripts")
        box.expect(ran=False)
        box.keep("npm-debug-log", "ignore-scripts-typed", *logs())

    start(box)
    box.incident()
    box.run("npm", "install", "--package-lock-only")
    box.expect(ran=False)
    if logs():
        box.keep("npm-debug-log", "lock-only", *logs())
    if label in WHOLE:
        box.install("lock-only")


def formats(box: Box) -> None:
    """Every kind of dependency the lockfile can hold, then a shrinkwrap of it."""
    start(box, NPMRC + ("allow-remote=all\n" if box.label in {"npm-11", "npm-12"} else ""))
    box.formats(workspaces=box.label != "npm-6")
    box.run("npm", "install")
    box.keep("package-lock", "formats", PROJECT / "package-lock.json")
    if box.label != "npm-6":
        box.keep("hidden-lockfile", "formats", HIDDEN)
    if box.label in {"npm-6", "npm-10"}:
        box.run("npm", "shrinkwrap")
        box.keep("package-lock", "shrinkwrap", PROJECT / "npm-shrinkwrap.json")


def failing(box: Box) -> None:
    """A dependency script that ends with code 3, beside the incident."""
    start(box)
    box.incident(dependencies={CARRIER: "^1.14.0", "standin-fails": "1.0.0"})
    done = box.run("npm", "install", check=False)
    if not done.returncode:
        raise RuntimeError("the failing script did not fail the install")
    box.keep("npm-debug-log", "failed-script", *logs())


def npx(box: Box) -> None:
    """A command run from the registry without installing it in the project."""
    box.fresh()
    box.write(".npmrc", NPMRC)
    box.environment["npm_config_prefix"] = "/opt/global"
    box.run("npx", "--yes", "standin-cli@^1.0.0")
    box.keep("manifest", "npx-command", box.only(".npm/_npx/*/package.json"))
    box.keep("hidden-lockfile", "npx", box.only(".npm/_npx/*/node_modules/.package-lock.json"))


def cache_history(box: Box) -> None:
    """Cache lines that were revalidated, and lines that a user deleted."""
    start(box)
    box.incident()
    box.run("npm", "install")
    box.run("npm", "view", CARRIER, "version", "--prefer-online")
    box.registry.as_of = AFTER_WINDOW
    box.run("npm", "view", CARRIER, "version", "--prefer-online")
    box.keep("npm-cache-index", "refreshed", npm_cache_entry(packument_key(CARRIER)))
    box.run("npm", "cache", "clean", tarball_key(PAYLOAD, "4.2.1"), "--force")
    box.keep("npm-cache-index", "deleted", npm_cache_entry(tarball_key(PAYLOAD, "4.2.1")))


def configuration(box: Box) -> None:
    """Configuration files as npm itself writes them."""
    start(box)
    pairs = [f"registry={URL}", f"@standin:registry={URL}", "ignore-scripts=true"]
    if box.label == "npm-12":
        pairs.append("min-release-age=7")
    for pair in pairs:
        box.run("npm", "config", "set", pair, "--location=project")
    box.keep("npm-configuration", "project", PROJECT / ".npmrc")
    box.run("npm", "config", "set", f"//{URL.split('/')[2]}/:_authToken=${{STANDIN_TOKEN}}", "--location=user")
    box.run("npm", "config", "set", "ignore-scripts=false", "--location=user")
    box.keep("npm-configuration", "user", HOME / ".npmrc")


def git(box: Box) -> None:
    """A dependency from a git repository."""
    start(box)
    box.incident(dependencies={"standin-git": f"git+{box.git_dependency()}"})
    box.run("npm", "install")
    box.keep("package-lock", "git", PROJECT / "package-lock.json")
    if box.label != "npm-6":
        box.keep("hidden-lockfile", "git", HIDDEN)


def clean(box: Box) -> None:
    """The same project installed before the window: nothing of the incident is anywhere."""
    box.fresh(BEFORE_WINDOW)
    box.write(".npmrc", NPMRC)
    box.incident()
    box.run("npm", "install")
    box.expect(ran=False)
    box.keep("package-lock", "clean", PROJECT / "package-lock.json")
    box.install("clean")


def moved_on(box: Box) -> None:
    """The script ran; later the user goes back to the good version, and later still clears tree and cache."""
    start(box)
    box.incident()
    box.run("npm", "install")
    box.expect(ran=True)
    box.registry.as_of = AFTER_WINDOW
    box.run("npm", "install", "--prefer-online", f"{CARRIER}@1.14.0")
    if (PROJECT / "node_modules" / PAYLOAD).exists():
        raise RuntimeError("the payload is still in the tree")
    box.keep("npm-debug-log", "moved-on", *logs()[-1:])
    box.install("moved-on")
    shutil.rmtree(PROJECT / "node_modules")
    box.run("npm", "cache", "clean", "--force")
    box.run("npm", "ci")
    box.install("caches-cleaned")


def settings(box: Box) -> None:
    """Settings that change the shape of the lockfiles."""
    start(box, NPMRC + "omit-lockfile-registry-resolved=true\n")
    box.incident()
    box.run("npm", "install")
    box.keep("package-lock", "no-resolved", PROJECT / "package-lock.json")
    box.keep("hidden-lockfile", "no-resolved", HIDDEN)
    start(box, NPMRC + "install-strategy=linked\n")
    box.incident()
    box.run("npm", "install")
    box.keep("hidden-lockfile", "linked", HIDDEN)


def whole_tree(box: Box) -> None:
    """Outside a project: a global install, which has no hidden lockfile, and a command run by npx."""
    for state, command in (
        ("global-ran", ("npm", "install", "--global", "standin-cli")),
        ("npx-ran", ("npx", "--yes", "standin-cli@^1.0.0")),
    ):
        start(box)
        prefix = HOME / ".npm-global"
        (prefix / "lib").mkdir(parents=True)
        for place in (prefix, prefix / "lib"):
            shutil.chown(place, 1000, 1000)
        (HOME / ".npmrc").write_text(f"registry={URL}\nprefix={prefix}\n")
        box.run(*command)
        box.expect(ran=True)
        box.install(state)
