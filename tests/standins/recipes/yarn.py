"""yarn 1, and yarn 2 to 4 with both linkers."""

from __future__ import annotations

from tests.standins.packages import BEFORE_WINDOW, CARRIER, PAYLOAD
from tests.standins.registry import Registry
from tests.standins.sandbox import HOME, PROJECT, URL, Box, client

BERRY = ("yarn-2.4", "yarn-3.8", "yarn-4.0", "yarn-4.14", "yarn-4.18")
BLOCKS = {"yarn-4.14", "yarn-4.18"}
WHOLE = {"yarn-4.18"}
LOCK = PROJECT / "yarn.lock"
DROPPER = PROJECT / "node_modules" / PAYLOAD / "package.json"


def make(registry: Registry) -> None:
    with client(registry, "yarn-1") as box:
        classic(box)
        classic_formats(box)
        classic_git(box)
    for label in BERRY:
        with client(registry, label) as box:
            for linker in ("node-modules", "pnp"):
                berry(box, linker)
            berry_formats(box)
            if label == "yarn-4.18":
                berry_git(box)
                for linker in ("node-modules", "pnp"):
                    berry_start(box, linker)
                    box.registry.as_of = BEFORE_WINDOW
                    box.incident()
                    box.run("yarn", "install")
                    box.install(f"{linker}-clean", is_bulk)


def classic_start(box: Box) -> None:
    box.fresh()
    box.write(".npmrc", f"registry={URL}\n")


def classic(box: Box) -> None:
    """yarn 1: script run, script held back, and a checkout that holds the lockfile only."""
    classic_start(box)
    box.incident()
    box.run("yarn", "install")
    box.expect(ran=True)
    box.keep("yarn-lock", "ran", LOCK)
    box.keep("yarn-integrity", "ran", PROJECT / "node_modules" / ".yarn-integrity")
    box.keep("manifest", "dropper-ran", DROPPER)
    for name in (PAYLOAD, CARRIER):
        pattern = f".cache/yarn/v6/npm-{name}-*/node_modules/{name}/.yarn-metadata.json"
        box.keep("yarn-cache-metadata", name, box.only(pattern))
    pattern = ".cache/yarn/v6/npm-@standin-redirects-*/node_modules/@standin/redirects/.yarn-metadata.json"
    box.keep("yarn-cache-metadata", "scoped", box.only(pattern))
    box.install("ran")
    lock = LOCK.read_text()

    classic_start(box)
    box.incident()
    box.run("yarn", "install", "--ignore-scripts")
    box.expect(ran=False)
    box.keep("yarn-integrity", "ignore-scripts", PROJECT / "node_modules" / ".yarn-integrity")
    box.keep("manifest", "dropper-ignore-scripts", DROPPER)
    box.install("blocked")

    classic_start(box)
    box.incident()
    box.write("yarn.lock", lock)
    box.install("lock-only")


def classic_formats(box: Box) -> None:
    classic_start(box)
    box.formats()
    box.run("yarn", "install")
    box.keep("yarn-lock", "formats", LOCK)
    box.keep("yarn-integrity", "formats", PROJECT / "node_modules" / ".yarn-integrity")
    box.keep(
        "yarn-cache-metadata", "alias", box.only(".cache/yarn/v6/npm-colours4-*/node_modules/*/.yarn-metadata.json")
    )


def classic_git(box: Box) -> None:
    """A dependency from a git repository, and the incident project as it was before the window."""
    classic_start(box)
    box.incident(dependencies={"standin-git": f"git+{box.git_dependency()}"})
    box.run("yarn", "install")
    box.keep("yarn-lock", "git", LOCK)
    classic_start(box)
    box.registry.as_of = BEFORE_WINDOW
    box.incident()
    box.run("yarn", "install")
    box.install("clean")


def berry_git(box: Box) -> None:
    """A dependency from a git repository."""
    berry_start(box, "node-modules")
    configuration = (PROJECT / ".yarnrc.yml").read_text()
    box.write(".yarnrc.yml", configuration + 'approvedGitRepositories: ["**"]\n')
    box.incident(dependencies={"standin-git": f"{box.git_dependency()}#head=main"})
    box.run("yarn", "install")
    box.keep("yarn-lock", "git", LOCK)


def berry_start(box: Box, linker: str, *more: str) -> None:
    box.fresh()
    lines = [
        "enableTelemetry: false",
        f"nodeLinker: {linker}",
        f'npmRegistryServer: "{URL.rstrip("/")}"',
        'unsafeHttpWhitelist: ["registry.example"]',
        *more,
    ]
    if box.label == "yarn-2.4":
        lines.remove("enableTelemetry: false")
    box.write(".yarnrc.yml", "\n".join(lines) + "\n")
    box.write("yarn.lock", "")


def keep_state(box: Box, case: str, linker: str) -> None:
    """The build record, and the map that the linker leaves."""
    build = PROJECT / ".yarn" / ("build-state.yml" if box.label == "yarn-2.4" else "install-state.gz")
    if build.exists():
        box.keep("yarn-build-state", case, build)
    if linker == "node-modules":
        box.keep("yarn-state", case, PROJECT / "node_modules" / ".yarn-state.yml")
        box.keep("manifest", f"dropper-{case}", DROPPER)
    else:
        box.keep("yarn-pnp", case, PROJECT / (".pnp.js" if box.label == "yarn-2.4" else ".pnp.cjs"))


def is_bulk(name: str) -> bool:
    """The 256 empty folders of the shared content store."""
    return name.startswith("home/.yarn/berry/index/")


def berry(box: Box, linker: str) -> None:
    """yarn 2 to 4 with one linker: script run, script held back, and lockfile only."""
    whole = box.label in WHOLE
    berry_start(box, linker, "enableScripts: true")
    box.incident()
    box.run("yarn", "install")
    box.expect(ran=True)
    keep_state(box, f"{linker}-ran", linker)
    if linker == "pnp":
        box.keep("yarn-lock", "ran", LOCK)
        keep_zip(box)
    if whole:
        box.install(f"{linker}-ran", is_bulk)

    berry_start(box, linker, *([] if box.label in BLOCKS else ["enableScripts: false"]))
    box.incident()
    box.run("yarn", "install")
    box.expect(ran=False)
    keep_state(box, f"{linker}-blocked", linker)
    if whole:
        box.install(f"{linker}-blocked", is_bulk)

    if whole:
        berry_start(box, linker)
        box.incident()
        box.run("yarn", "install", "--mode=update-lockfile")
        box.expect(ran=False)
        box.install(f"{linker}-lock-only", is_bulk)

    if linker == "pnp" and box.label != "yarn-2.4":
        berry_start(box, linker, "enableScripts: true", "pnpEnableInlining: false")
        box.incident()
        box.run("yarn", "install")
        box.keep("yarn-pnp", "pnp-data", PROJECT / ".pnp.data.json")


def keep_zip(box: Box) -> None:
    folders = [HOME / ".yarn" / "berry" / "cache", PROJECT / ".yarn" / "cache"]
    for folder, case in zip(folders, ("global", "project"), strict=True):
        for found in sorted(folder.glob(f"{PAYLOAD}-npm-4.2.1-*.zip")):
            box.keep("yarn-berry-cache-zip", case, found)


def berry_formats(box: Box) -> None:
    berry_start(box, "node-modules", "enableScripts: true")
    box.formats()
    box.run("yarn", "install")
    box.keep("yarn-lock", "formats", LOCK)
    box.keep("yarn-state", "formats", PROJECT / "node_modules" / ".yarn-state.yml")
    berry_start(box, "pnp", "enableScripts: true")
    box.formats()
    box.run("yarn", "install")
    if box.label == "yarn-4.18":
        box.keep("yarn-pnp", "pnp-formats", PROJECT / ".pnp.cjs")
