"""The settings that a client is given: those that decide whether a lockfile fits, or where packages come from.

Nothing that starts or names a program is among them, and no secret. Bytes of setting files go in, neutral texts come
out; no file is opened here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from pratique.ecosystems.npm import npmrc
from pratique.ecosystems.npm.urls import strip_url

LARGEST_MANIFEST = 8 << 20
"""No manifest, patch, certificate or setting file above so many bytes is looked at."""

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
PNPM_KEYS = frozenset(
    (
        "packages", "catalog", "catalogs", "overrides", "patchedDependencies", "packageExtensions",
        "ignoredOptionalDependencies", "nodeLinker", "linkWorkspacePackages", "injectWorkspacePackages",
        "preferWorkspacePackages", "autoInstallPeers", "excludeLinksFromLockfile", "peersSuffixMaxLength",
        "dedupePeerDependents", "dedupeInjectedDeps", "strictPeerDependencies", "sharedWorkspaceLockfile",
        "peerDependencyRules", "supportedArchitectures", "blockExoticSubdeps", "resolvePeersFromWorkspaceRoot",
        "hoist", "hoistPattern", "publicHoistPattern", "shamefullyHoist", "allowUnusedPatches",
    )
)  # fmt: skip
"""Settings of pnpm that a client is given, in its workspace file or in a manifest."""
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
        kept = {key: value for key, value in document.items() if key in PNPM_KEYS}
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


def _yaml(content: bytes | None) -> dict[str, Any] | None:
    """A mapping of a small YAML file; None where it is none. Nesting that has no bound is not looked at."""
    if content is None or len(content) > LARGEST_MANIFEST:
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
