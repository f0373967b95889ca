"""deno 1.46 to 2.9."""

from __future__ import annotations

import json

from tests.standins.packages import BEFORE_WINDOW, PAYLOAD
from tests.standins.registry import Registry
from tests.standins.sandbox import HOME, PROJECT, URL, Box, client

LABELS = ("deno-1.46", "deno-2.0", "deno-2.3", "deno-2.9")
WHOLE = {"deno-2.9"}
LOCK = PROJECT / "deno.lock"
STATE = PROJECT / "node_modules" / ".deno" / f"{PAYLOAD}@4.2.1"
DROPPER = STATE / "node_modules" / PAYLOAD / "package.json"
ALLOW = f"--allow-scripts=npm:{PAYLOAD}"


def make(registry: Registry) -> None:
    for label in LABELS:
        with client(registry, label) as box:
            incident(box)
            formats(box)
            specifiers(box)


def start(box: Box) -> None:
    box.fresh()
    box.write(".npmrc", f"registry={URL}\n")
    box.environment["DENO_NO_UPDATE_CHECK"] = "1"
    if box.label == "deno-1.46":
        box.environment["DENO_FUTURE"] = "1"


def is_bulk(name: str) -> bool:
    """Compiled code of deno's own library; the analysis cache beside it names the same scripts."""
    return name == "home/.cache/deno/v8_code_cache_v2"


def keep_state(box: Box, case: str) -> None:
    markers = sorted(path for path in STATE.iterdir() if path.is_file())
    box.keep("deno-state", case, *markers, *sorted((PROJECT / "node_modules" / ".deno").glob(".*")))
    box.keep("manifest", f"dropper-{case}", DROPPER)


def incident(box: Box) -> None:
    """Script allowed, script held back, and lockfile only."""
    label = box.label
    start(box)
    box.incident()
    box.run("deno", "install", ALLOW)
    box.expect(ran=True)
    box.keep("deno-lock", "ran", LOCK)
    keep_state(box, "ran")
    if label in WHOLE:
        box.keep("deno-state", "analysis", *sorted((HOME / ".cache" / "deno").glob("node_analysis_cache_v2*")))
        box.install("ran", is_bulk)

    start(box)
    box.incident()
    box.run("deno", "install")
    box.expect(ran=False)
    keep_state(box, "blocked")
    if label in WHOLE:
        box.install("blocked", is_bulk)
        start(box)
        box.incident()
        box.run("deno", "install", "--lockfile-only")
        box.expect(ran=False)
        box.install("lock-only", is_bulk)
        start(box)
        box.registry.as_of = BEFORE_WINDOW
        box.incident()
        box.run("deno", "install")
        box.install("clean", is_bulk)


def formats(box: Box) -> None:
    """Alias, scope, bundle, peer and platform; folder and tarball dependencies are not supported by deno."""
    start(box)
    box.formats(workspaces=False)
    document = json.loads((PROJECT / "package.json").read_text())
    for name in ("local-dep", "remote-inner"):
        del document["dependencies"][name]
    box.write("package.json", document)
    box.run("deno", "install")
    box.keep("deno-lock", "formats", LOCK)


def specifiers(box: Box) -> None:
    """Packages named in the source instead of in a manifest; deno 1.46 writes its older lockfile for them."""
    start(box)
    box.environment.pop("DENO_FUTURE", None)
    box.write("deno.json", {"imports": {"carrier": "npm:axios@^1.14.0"}})
    box.write("main.ts", 'import "carrier";\nimport "npm:@standin/redirects@1.2.0";\n')
    box.run("deno", "cache", "main.ts")
    box.keep("deno-lock", "specifiers", LOCK)
