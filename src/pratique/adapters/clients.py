"""Ask a real package manager whether it takes a lockfile, in a scratch copy where nothing of the project can start.

The manager is one of this machine, by absolute path outside the project. The copy holds manifests without scripts, the
lockfile, patches and archives that manifests name, and settings of an allow-list: no credentials, no script, no
plug-in, no program of the project. It runs with a bare environment and an empty home, as a group that is ended when its
time is over, in namespaces of its own where the system gives them; its words say so.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pratique.adapters import disk
from pratique.ecosystems.npm import npmrc
from pratique.ecosystems.npm.urls import strip_url
from pratique.model.ports import Unreadable

SECONDS = 300.0
"""So long a client may take."""
MOST_MANIFESTS = 5000
MOST_FOLDERS = 50_000
DEEPEST = 8
LARGEST_COPY = 64 << 20
_LARGEST_MANIFEST = 8 << 20
_KEPT_OUTPUT = 1 << 18
_SKIPPED = frozenset({"node_modules", ".git", ".hg", ".svn", ".yarn", ".pnpm-store", ".venv", "venv", "__pycache__"})


class Answer(msgspec.Struct, frozen=True):
    """What a client said. `accepted` is None where it could not be asked."""

    accepted: bool | None
    words: str
    completed: bytes | None = None
    """The lockfile with what the client added to it and nothing else can know; None where it added nothing."""


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


# settings that decide whether a lockfile fits, or where packages come from; nothing that starts or names a program

_NPM_KEYS = frozenset(
    (
        "registry", "strict-ssl", "cafile", "legacy-peer-deps", "install-links", "install-strategy",
        "legacy-bundling", "omit-lockfile-registry-resolved", "replace-registry-host", "allow-remote",
        "allow-git", "allow-file", "allow-directory", "node-linker", "auto-install-peers",
        "exclude-links-from-lockfile", "inject-workspace-packages", "link-workspace-packages",
        "prefer-workspace-packages", "shared-workspace-lockfile", "peers-suffix-max-length",
        "dedupe-peer-dependents", "dedupe-injected-deps", "strict-peer-dependencies",
        "resolve-peers-from-workspace-root", "hoist", "hoist-pattern", "public-hoist-pattern",
        "shamefully-hoist", "disturl",
    )
)  # fmt: skip
_PNPM_KEYS = frozenset(
    (
        "packages", "catalog", "catalogs", "overrides", "patchedDependencies", "packageExtensions",
        "ignoredOptionalDependencies", "nodeLinker", "linkWorkspacePackages", "injectWorkspacePackages",
        "preferWorkspacePackages", "autoInstallPeers", "excludeLinksFromLockfile", "peersSuffixMaxLength",
        "dedupePeerDependents", "dedupeInjectedDeps", "strictPeerDependencies", "sharedWorkspaceLockfile",
        "peerDependencyRules", "supportedArchitectures", "blockExoticSubdeps", "resolvePeersFromWorkspaceRoot",
        "hoist", "hoistPattern", "publicHoistPattern", "shamefullyHoist", "allowUnusedPatches",
    )
)  # fmt: skip
_YARN_KEYS = frozenset(
    (
        "nodeLinker", "npmRegistryServer", "unsafeHttpWhitelist", "enableStrictSsl", "compressionLevel",
        "nmHoistingLimits", "packageExtensions", "catalog", "catalogs", "supportedArchitectures",
        "defaultProtocol", "defaultSemverRangePrefix", "checksumBehavior",
    )
)  # fmt: skip


def npm_settings(files: Mapping[str, bytes]) -> dict[str, str]:
    """A `.npmrc` with the allowed keys of the user's and the project's, without secrets and variables."""
    lines: dict[str, str] = {}
    for name in ("user .npmrc", ".npmrc"):
        text = files.get(name, b"").decode("utf-8", "replace")
        for item in npmrc.settings(text):
            key, value = item.key, item.value
            scoped = re.fullmatch(r"@[\w.~-]+:registry", key)
            if (key not in _NPM_KEYS and not scoped) or value is None or npmrc.has_variable(value):
                continue
            if scoped or key == "registry":
                value = strip_url(value)
            if key == "cafile" and not os.path.isabs(value):
                continue
            if not re.search(r"[\r\n]", value):
                lines[f"{key}[]" if item.listed else key] = value
    return {".npmrc": "".join(f"{key}={json.dumps(value)}\n" for key, value in lines.items())}


def pnpm_settings(files: Mapping[str, bytes]) -> dict[str, str]:
    """A `.npmrc` and a `pnpm-workspace.yaml` with the allowed keys; JSON is YAML too."""
    made = npm_settings(files)
    document = _yaml(files.get("pnpm-workspace.yaml"))
    if document is not None:
        kept = {key: value for key, value in document.items() if key in _PNPM_KEYS}
        registries = document.get("registries")
        if isinstance(registries, dict):
            kept["registries"] = {str(key): strip_url(str(value)) for key, value in registries.items()}
        if kept:
            made["pnpm-workspace.yaml"] = json.dumps(kept, indent=2, default=str) + "\n"
    return made


def yarn_settings(files: Mapping[str, bytes]) -> dict[str, str]:
    """A `.yarnrc.yml` with the allowed keys; no `yarnPath`, no plug-in."""
    document = _yaml(files.get(".yarnrc.yml")) or {}
    kept: dict[str, Any] = {key: value for key, value in document.items() if key in _YARN_KEYS}
    if isinstance(kept.get("npmRegistryServer"), str):
        kept["npmRegistryServer"] = strip_url(kept["npmRegistryServer"])
    scopes = document.get("npmScopes")
    if isinstance(scopes, dict):
        kept["npmScopes"] = {
            str(scope): {"npmRegistryServer": strip_url(str(item["npmRegistryServer"]))}
            for scope, item in scopes.items()
            if isinstance(item, dict) and "npmRegistryServer" in item
        }
    if "${" in json.dumps(kept, default=str):
        kept = {key: value for key, value in kept.items() if "${" not in json.dumps(value, default=str)}
    return {".yarnrc.yml": json.dumps({**kept, "enableScripts": False}, indent=2, default=str) + "\n"}


def yarn_classic_settings(files: Mapping[str, bytes]) -> dict[str, str]:
    """A `.npmrc`, and a `.yarnrc` with the registry alone."""
    made = npm_settings(files)
    text = files.get(".yarnrc", b"").decode("utf-8", "replace")
    match = re.search(r'^"?registry"?\s+"?(https?://[^\s"]+)', text, re.MULTILINE)
    if match:
        made[".yarnrc"] = f"registry {json.dumps(strip_url(match[1]))}\n"
    return made


def bun_settings(files: Mapping[str, bytes]) -> dict[str, str]:
    """A `.npmrc`, and a `bunfig.toml` with the registries alone."""
    import tomllib

    made = npm_settings(files)
    try:
        document = tomllib.loads(files.get("bunfig.toml", b"").decode())
    except (ValueError, RecursionError):
        return made
    install = document.get("install")
    if not isinstance(install, dict):
        return made
    lines = ["[install]"]
    registry = install.get("registry")
    address = registry.get("url") if isinstance(registry, dict) else registry
    if isinstance(address, str):
        lines.append(f"registry = {json.dumps(strip_url(address))}")
    if install.get("linker") in ("hoisted", "isolated"):
        lines.append(f'linker = "{install["linker"]}"')
    scopes = install.get("scopes")
    if isinstance(scopes, dict):
        lines.append("[install.scopes]")
        for scope, item in scopes.items():
            address = item.get("url") if isinstance(item, dict) else item
            if isinstance(address, str):
                lines.append(f"{json.dumps(str(scope))} = {json.dumps(strip_url(address))}")
    return {**made, "bunfig.toml": "\n".join(lines) + "\n"}


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


def _yaml(content: bytes | None) -> dict[str, Any] | None:
    """A mapping of a small YAML file; None where it is none. Nesting that has no bound is not looked at."""
    if content is None or len(content) > _LARGEST_MANIFEST:
        return None
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(content, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > 32 or isinstance(event, yaml.AliasEvent):
                return None
        document = yaml.load(content, Loader=loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        return None
    return document if isinstance(document, dict) else None


def _major(
    pattern: str, table: Mapping[int, tuple[int, int]], other: tuple[int, int]
) -> Callable[[str], tuple[int, int]]:
    def versions(text: str) -> tuple[int, int]:
        match = re.search(pattern, text, re.MULTILINE)
        return table.get(int(match[1]), other) if match else other

    return versions


_ANY = (0, 1 << 30)
_NODE = {
    "COREPACK_ENABLE_NETWORK": "0",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "DO_NOT_TRACK": "1",
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "2000",
    "pnpm_config_fetch_retries": "1",
    "pnpm_config_fetch_retry_mintimeout": "1000",
}

ROWS: tuple[Row, ...] = (
    Row(
        manager="npm",
        lockfiles=("package-lock.json", "npm-shrinkwrap.json"),
        program="npm",
        arguments=("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        versions=_major(r'"lockfileVersion":\s*(\d+)', {1: (5, 1 << 30), 4: (12, 1 << 30)}, (7, 1 << 30)),
        settings=npm_settings,
        environment={**_NODE, "npm_config_ignore_scripts": "true", "npm_config_update_notifier": "false"},
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
            **_NODE,
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
        environment={**_NODE, "YARN_IGNORE_PATH": "1"},
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
            **_NODE,
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


def ask(
    folder: str,
    name: str,
    files: Mapping[str, bytes],
    *,
    search: str | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """Ask the manager of the lockfile `name` in a project's folder.

    `files` holds new bytes by path relative to the folder; what is not there is read from the folder. `search` stands
    for PATH. Never raises.
    """
    folder = os.path.realpath(folder)
    content = files.get(name)
    if content is None:
        content = _read(os.path.join(folder, name), LARGEST_COPY)
    if content is None:
        return Answer(None, f"{name} cannot be read")
    chosen = rows(name, content)
    if not chosen:
        return Answer(None, f"no client is asked about {name}: show it to yours by hand")
    row = chosen[0]
    try:
        with tempfile.TemporaryDirectory(prefix="pratique-proof-", ignore_cleanup_errors=True) as scratch:
            return _asked(row, folder, name, content, files, os.path.realpath(scratch), search, seconds)
    except OSError as error:
        return Answer(None, f"no scratch copy can be made: {(error.strerror or type(error).__name__).lower()}")


def _asked(
    row: Row,
    folder: str,
    name: str,
    content: bytes,
    files: Mapping[str, bytes],
    scratch: str,
    search: str | None,
    seconds: float,
) -> Answer:
    copy, home = os.path.join(scratch, "project"), os.path.join(scratch, "home")
    os.mkdir(copy)
    os.mkdir(home)
    low, high = row.versions(content.decode("utf-8", "replace"))
    hand = f"by hand, in a copy: {by_hand(row)}"
    found, seen = None, []
    for program in _programs(row.program, folder, search):
        version = _version(program, home, scratch, folder, search)
        if version is None:
            continue
        seen.append(version)
        if low <= int(version.partition(".")[0]) < high:
            found = program, version
            break
    if found is None:
        if seen:
            return Answer(None, f"{row.program} {', '.join(seen)} does not read this lockfile; {hand}")
        return Answer(None, f"{row.program} is not on this machine; {hand}")
    program, version = found
    _lay(row, folder, copy, files)
    if not os.path.exists(os.path.join(copy, row.manifests[0])):
        return Answer(None, f"its {row.manifests[0]} cannot be read; {hand}")
    _write(os.path.join(copy, name), content)
    neutral = row.settings(setting_files(folder, files))
    for setting, text in neutral.items():
        text = _with_certificates(text, home)
        _write(os.path.join(copy, setting), text.encode())
    hidden = [os.path.realpath(place) for place in (folder, os.path.expanduser("~"))]
    prefix, how = _apart(hidden, [program, *_node(folder, search), scratch], network=row.network)
    environment = {**_bare(home, program, folder, search), **row.environment, **_proxies()}
    status, said = _run([*prefix, program, *row.arguments], copy, environment, seconds)
    words = f"{row.program} {version} {' '.join(row.arguments)}"
    if status is None:
        return Answer(None, f"{words} took longer than {seconds:.0f} s; {hand}")
    if status == 0:
        after = _read(os.path.join(copy, name), LARGEST_COPY)
        if after is not None and after != content and row.completes(content, after):
            return Answer(True, f"{words} accepts it in a scratch copy and adds its own digests, {how}", after)
        if after != content:
            return Answer(False, f"{words} ends well but writes the lockfile anew, {how}")
        return Answer(True, f"{words} accepts it in a scratch copy, {how}")
    line = _telling(said, row.refuses, scratch)
    if line is not None:
        return Answer(False, f"{words} refuses it: {line}")
    return Answer(None, f"{words} could not tell ({_last(said, scratch, status)}); {hand}")


def _with_certificates(text: str, home: str) -> str:
    """Settings that name a copy of the certificates, which may lie where the client does not see them."""

    def copied(match: re.Match[str]) -> str:
        content = _read(os.path.realpath(json.loads(match[1])), _LARGEST_MANIFEST)
        if content is None or b"PRIVATE KEY" in content:
            return ""
        _write(os.path.join(home, "certificates.pem"), content)
        return f"cafile={json.dumps(os.path.join(home, 'certificates.pem'))}"

    return re.sub(r'^cafile=("(?:[^"\\]|\\.)*")$', copied, text, flags=re.MULTILINE)


# the copy


def setting_files(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The setting files that may hold allowed keys: the project's by name, the user's with `user` before it."""
    found: dict[str, bytes] = {}
    for name in (".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml", ".yarnrc", "bunfig.toml"):
        content = files.get(name)
        if content is None:
            content = _read(os.path.join(folder, name), _LARGEST_MANIFEST)
        if content is not None:
            found[name] = content
    users = [os.path.expanduser("~/.npmrc"), "/usr/local/etc/npmrc", "/usr/etc/npmrc", "/etc/npmrc"]
    own = b"\n".join(
        text for text in (_read(os.path.realpath(path), _LARGEST_MANIFEST) for path in reversed(users)) if text
    )
    for variable in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(variable):
            own += f"\nregistry={os.environ[variable]}".encode()
    found["user .npmrc"] = own
    return found


def _lay(row: Row, folder: str, copy: str, files: Mapping[str, bytes]) -> None:
    """Copy manifests without what they would start, patches, and archives that a manifest names."""
    count = 0
    named: set[str] = set()
    for relative in _walk(folder):
        base = os.path.basename(relative)
        if base in row.manifests:
            count += 1
            if count > MOST_MANIFESTS:
                break
            content = files.get(relative)
            if content is None:
                content = _read(os.path.join(folder, relative), _LARGEST_MANIFEST)
            if content is not None:
                named |= _archives(relative, content)
                _write(os.path.join(copy, relative), _harmless(content) if base == "package.json" else content)
        elif base.endswith((".patch", ".diff")):
            content = _read(os.path.join(folder, relative), _LARGEST_MANIFEST)
            if content is not None:
                _write(os.path.join(copy, relative), content)
    for relative, content in files.items():
        if os.path.basename(relative) in row.manifests:
            _write(os.path.join(copy, relative), _harmless(content) if relative.endswith(".json") else content)
    for relative in named:
        content = _read(os.path.join(folder, relative), LARGEST_COPY)
        if content is not None:
            _write(os.path.join(copy, relative), content)


def _harmless(content: bytes) -> bytes:
    """A manifest without scripts and without the version of the manager that it wants fetched."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not isinstance(document, dict):
        return content
    for key in ("scripts", "packageManager", "devEngines", "gypfile", "volta", "trustedDependencies"):
        document.pop(key, None)
    inner = document.get("pnpm")
    if isinstance(inner, dict):
        document["pnpm"] = {key: value for key, value in inner.items() if key in _PNPM_KEYS}
    return json.dumps(document, indent=2).encode()


def _archives(relative: str, content: bytes) -> set[str]:
    """Archives below the project that a manifest asks for by `file:`."""
    found = set()
    for text in re.findall(rb'"(?:file:)?([^"\\:]{1,400}\.(?:tgz|tar\.gz))"', content):
        path = os.path.normpath(os.path.join(os.path.dirname(relative), text.decode("utf-8", "replace")))
        if not os.path.isabs(path) and not path.startswith(".."):
            found.add(path)
    return found


def _walk(folder: str) -> Iterator[str]:
    """Relative paths of the files of a project, without what was installed and without following links."""
    stack = [("", 0)]
    folders = 0
    while stack and folders < MOST_FOLDERS:
        folders += 1
        at, depth = stack.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(folder, at)) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                relative = f"{at}/{entry.name}" if at else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if (entry.name not in _SKIPPED or relative == ".yarn") and depth < DEEPEST:
                        stack.append((relative, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield relative


def _read(path: str, largest: int) -> bytes | None:
    try:
        return disk.read(path, largest)[0]
    except Unreadable:
        return None


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


# the program


def _folders(folder: str, search: str | None) -> list[str]:
    """Absolute folders of the search path that lie outside the project and in no installed tree."""
    inside = os.path.realpath(folder) + os.sep
    parts = (os.environ.get("PATH", "") if search is None else search).split(os.pathsep)
    if search is None:
        parts += ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin", os.path.expanduser("~/.bun/bin")]
    kept = []
    for part in parts:
        real = os.path.realpath(part)
        if os.path.isabs(part) and not f"{real}{os.sep}".startswith(inside) and part not in kept:
            kept.append(part)
    return kept


def _programs(program: str, folder: str, search: str | None) -> Iterator[str]:
    inside = os.path.realpath(folder) + os.sep
    names = (f"{program}.exe", f"{program}.cmd") if sys.platform == "win32" else (program,)
    for place in _folders(folder, search):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not os.path.realpath(path).startswith(inside):
                yield path


def _node(folder: str, search: str | None) -> list[str]:
    """The first Node of the search path, which the managers need."""
    return list(_programs("node", folder, search))[:1]


def _version(program: str, home: str, scratch: str, folder: str, search: str | None) -> str | None:
    """What a program calls itself, asked in an empty folder."""
    environment = {**_bare(home, program, folder, search), **_NODE, "YARN_IGNORE_PATH": "1"}
    status, said = _run([program, "--version"], home, environment, 30.0)
    match = re.search(r"(?:^|\s)v?(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)", said)
    return match[1] if status == 0 and match else None


def _bare(home: str, program: str, folder: str, search: str | None) -> dict[str, str]:
    """A whole environment: nothing of this process's own is in it."""
    path = dict.fromkeys([os.path.dirname(program), *map(os.path.dirname, _node(folder, search)), "/usr/bin", "/bin"])
    bare = {
        "PATH": os.pathsep.join(path),
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": home,
        "XDG_CACHE_HOME": os.path.join(home, ".cache"),
        "XDG_CONFIG_HOME": os.path.join(home, ".config"),
        "XDG_DATA_HOME": os.path.join(home, ".local", "share"),
        "LANG": "C.UTF-8",
        "CI": "true",
        "NO_COLOR": "1",
        "npm_config_userconfig": os.path.join(home, "none"),
        "npm_config_globalconfig": os.path.join(home, "none-either"),
        "npm_config_cache": os.path.join(home, ".npm"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "/bin/false",
    }
    if sys.platform == "win32":
        bare |= {key: os.environ[key] for key in ("SystemRoot", "ComSpec", "PATHEXT") if key in os.environ}
    return bare


def _proxies() -> dict[str, str]:
    """The proxies of this machine, where they need no credentials."""
    kept = {}
    for name in (
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "NODE_EXTRA_CA_CERTS",
    ):
        value = os.environ.get(name, "")
        address = name.lower() in ("http_proxy", "https_proxy")
        if value and (not address or ("@" not in value and urlsplit(value).scheme in ("http", "https"))):
            kept[name] = value
    return kept


_UNSHARE = "/usr/bin/unshare"
_HIDE = (
    'while [ "$1" != -- ]; do mount -t tmpfs -o size=64m,mode=755 tmpfs "$1" || exit 97; shift; done; shift; exec "$@"'
)


def _apart(hidden: list[str], needed: list[str], *, network: bool) -> tuple[list[str], str]:
    """Words that start a program apart from this machine, as far as the system lets us, and how to call that.

    In a mount namespace the project and the home are empty folders, unless something that is needed lies in them.
    """
    if not os.path.exists(_UNSHARE):
        return [], "without namespaces"
    real = [os.path.realpath(path) for path in needed] + needed
    empty = [
        place
        for place in dict.fromkeys(hidden)
        if os.path.isdir(place) and place != "/" and not any(f"{path}/".startswith(f"{place}/") for path in real)
    ]
    mounts = ["/bin/sh", "-c", _HIDE, "sh", *empty, "--"]
    base = [_UNSHARE, "--user", "--map-root-user", "--mount", "--ipc"]
    more = [] if network else ["--net"]
    for extra, how in (
        (["--pid", "--fork", "--kill-child", "--mount-proc"], "user, mount and process namespaces"),
        ([], "user and mount namespaces"),
    ):
        prefix = [*base, *more, *extra, *mounts]
        try:
            done = subprocess.run(  # noqa: S603 (unshare, by absolute path)
                [*prefix, "/bin/true"],
                env={},
                cwd="/",
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0:
            seen = "" if len(empty) == len(set(hidden)) else ", the home folder in sight"
            return prefix, f"in {how}{seen}"
    return [], "without namespaces"


def _run(command: list[str], cwd: str, environment: Mapping[str, str], seconds: float) -> tuple[int | None, str]:
    """Status and the end of what a program says; the status is None where its time was over. Its group is ended."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(  # noqa: S603 (an absolute path outside the project; see above)
                command,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                close_fds=True,
            )
        except OSError as error:
            return 127, error.strerror or type(error).__name__
        status: int | None
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _KEPT_OUTPUT))
        return status, output.read().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and everything that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def _plain(line: str, scratch: str) -> str:
    """A line for people: no colours, no user info, no path of the copy."""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", line)
    text = re.sub(r"//[^/\s@]+@", "//", text).replace(f"{scratch}/project", ".").replace(scratch, ".")
    return "".join(mark for mark in text if mark.isprintable()).strip()[:300]


def _telling(said: str, refuses: tuple[str, ...], scratch: str) -> str | None:
    """The line that says that a lockfile is not taken, with the next where it says little; None where none does."""
    lines = [line for line in (_plain(item, scratch) for item in said.splitlines()) if line]
    for number, line in enumerate(lines):
        if any(word in line for word in refuses):
            more = [
                item
                for item in lines[number + 1 : number + 6]
                if re.search(r"(?:Missing|Invalid):|specifier|-> ", item)
            ]
            return " ".join([line, *more[:1]])[:400]
    return None


def _last(said: str, scratch: str, status: int) -> str:
    lines = [line for line in (_plain(item, scratch) for item in said.splitlines()) if line]
    telling = [line for line in lines if re.search(r"error|ERR|code|refused|denied", line, re.IGNORECASE)]
    return (telling or lines or [f"status {status}"])[0]


__all__ = ["ROWS", "SECONDS", "Answer", "Row", "ask", "by_hand", "rows"]
