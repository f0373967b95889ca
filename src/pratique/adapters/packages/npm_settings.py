"""Which registry this user's npm asks for a package: npm's own files and variables, read and never run.

The order is npm's: the environment, the project's `.npmrc`, the user's, that of the prefix, npm's own, npm's default.
A project's file may name registries and nothing else here: no credential, no authority, no variable of the environment
is taken out of it, for a project may be what is under suspicion.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pratique.adapters.packages.access import Access, Credential, split_secret, usable
from pratique.ecosystems.npm.npmrc import expand, has_variable, settings

_LARGEST = 1 << 20
_DEFAULT = re.compile(r"""\(\s*['"]registry['"],\s*\{\s*default:\s*['"](https?://[^'"]+)['"]""")
_DEFINITIONS = (
    ("node_modules", "@npmcli", "config", "lib", "definitions", "definitions.js"),
    ("lib", "utils", "config", "definitions.js"),
)
_SECRET = re.compile(r"(//.+):(_authToken|_auth|username|_password)")


def text_of(path: str) -> str | None:
    """The text of a small regular file; None where there is none or it cannot be read."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return None


class NpmSettings:
    """The settings in force for one user in one folder."""

    def __init__(self, environment: Mapping[str, str], home: str, folder: str) -> None:
        self._environment = environment
        self._values: dict[str, tuple[str, str]] = {}
        self._lists: dict[str, list[str]] = {}
        for key, value in self._variables():
            self._take(key, value, "the environment")
        user = self._path("userconfig") or os.path.join(home, ".npmrc")
        project = _project(folder, home)
        if project is not None and os.path.realpath(project) != os.path.realpath(user):
            self._file(project, "the project's .npmrc", trusted=False)
        self._file(user, "the user's .npmrc")
        programs = list(_programs(environment))
        named = self._path("globalconfig")
        for path in [named] if named else [os.path.join(prefix, "etc", "npmrc") for prefix in self._prefixes()]:
            self._file(path, "npm's global npmrc")
        for program in programs:
            self._file(os.path.join(program, "npmrc"), "npm's own npmrc")
        self.default = next((found for program in programs if (found := _default(program))), "")

    def access(self, name: str) -> Access | None:
        """The registry for a package; None where no setting names one and npm itself is not there to ask."""
        scope = name.partition("/")[0] if name.startswith("@") else ""
        for key in (f"{scope}:registry", "registry") if scope else ("registry",):
            found = self._values.get(key)
            if found is not None and usable(found[0]):
                return self._made(found[0], f"{key} in {found[1]}")
        return self._made(self.default, "npm's default") if self.default else None

    def _made(self, url: str, found_by: str) -> Access:
        plain, secret = split_secret(url)
        credentials = [*self._credentials()]
        if secret is not None:
            credentials.append(Credential(f"//{urlsplit(plain).netloc.lower()}{urlsplit(plain).path}", secret))
        authority = self._values.get("cafile", ("", ""))[0]
        extra = self._environment.get("NODE_EXTRA_CA_CERTS", "")
        proxies = {
            scheme: value
            for scheme, keys, variables in (
                ("https", ("https-proxy", "proxy"), ("HTTPS_PROXY", "https_proxy")),
                ("http", ("proxy",), ("HTTP_PROXY", "http_proxy")),
            )
            if (value := self._proxy(keys, variables))
        }
        return Access(
            plain,
            found_by,
            credentials=credentials,
            authorities=[path for path in (authority, extra) if path and path != "null"],
            certificates=[text.replace("\\n", "\n") for text in self._lists.get("ca", []) if "BEGIN" in text],
            proxies=proxies,
            unproxied=self._values.get("noproxy", ("", ""))[0]
            or self._environment.get("NO_PROXY")
            or self._environment.get("no_proxy", ""),
            replaced_host=urlsplit(self.default).hostname or "",
        )

    def _proxy(self, keys: tuple[str, ...], variables: tuple[str, ...]) -> str:
        for key in keys:
            value = self._values.get(key, ("", ""))[0]
            if value and value not in ("null", "false"):
                return value
        return next((found for name in variables if (found := self._environment.get(name))), "")

    def _credentials(self) -> Iterator[Credential]:
        import base64

        found: dict[str, dict[str, str]] = {}
        for key, (value, _) in self._values.items():
            match = _SECRET.fullmatch(key)
            if match and value:
                found.setdefault(match[1].lower(), {})[match[2]] = value
        for prefix, parts in found.items():
            if "_authToken" in parts:
                yield Credential(prefix, f"Bearer {parts['_authToken']}")
            elif "_auth" in parts:
                yield Credential(prefix, f"Basic {parts['_auth']}")
            elif "username" in parts and "_password" in parts:
                try:
                    password = base64.b64decode(parts["_password"])
                except ValueError:
                    continue
                pair = base64.b64encode(parts["username"].encode() + b":" + password).decode()
                yield Credential(prefix, f"Basic {pair}")

    def _variables(self) -> Iterator[tuple[str, str]]:
        """Settings out of the environment, as npm spells their keys."""
        for name, value in sorted(self._environment.items()):
            if name.lower().startswith("npm_config_") and value:
                key = name[11:]
                yield (key if key.startswith("//") else key[:1].lower() + key[1:].lower().replace("_", "-")), value

    def _file(self, path: str, label: str, *, trusted: bool = True) -> None:
        text = text_of(path)
        if text is None or "\0" in text:
            return
        own: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        for item in settings(text):
            if not trusted and not (item.key == "registry" or re.fullmatch(r"@[^:]+:registry", item.key)):
                continue
            value = item.value if item.value is not None else "true"
            if has_variable(value):
                filled = expand(value, self._environment) if trusted else None
                if filled is None:
                    continue
                own[item.key] = value = filled
            if item.key == "ca" or item.listed:
                lists.setdefault(item.key, []).append(value)
            own[item.key] = value
        for key, value in own.items():
            if key == "cafile" and not os.path.isabs(value):
                value = os.path.join(os.path.dirname(path), value)
            self._take(key, value, label)
        for key, values in lists.items():
            self._lists.setdefault(key, values)

    def _take(self, key: str, value: str, label: str) -> None:
        self._values.setdefault(key, (value, label))

    def _path(self, key: str) -> str:
        value = self._values.get(key, ("", ""))[0]
        return os.path.expanduser(value) if value else ""

    def _prefixes(self) -> Iterator[str]:
        """npm's prefix: as configured, or where the `node` on PATH lies."""
        configured = self._path("prefix")
        if configured:
            yield configured
            return
        for folder in self._environment.get("PATH", "").split(os.pathsep):
            node = os.path.join(folder, "node.exe" if os.name == "nt" else "node")
            if os.path.isabs(node) and os.path.isfile(node):
                real = os.path.dirname(os.path.realpath(node))
                yield real if os.name == "nt" else os.path.dirname(real)


def _programs(environment: Mapping[str, str]) -> Iterator[str]:
    """The folders of the npm packages that PATH leads to."""
    seen: set[str] = set()
    for folder in environment.get("PATH", "").split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        program = os.path.realpath(os.path.join(folder, "npm"))
        beside = os.path.join(os.path.dirname(os.path.realpath(os.path.join(folder, "node"))), "..", "lib")
        for found in (
            os.path.dirname(os.path.dirname(program)),
            os.path.normpath(os.path.join(beside, "node_modules", "npm")),
            os.path.join(folder, "node_modules", "npm"),
        ):
            if found not in seen and os.path.isfile(os.path.join(found, "package.json")):
                seen.add(found)
                yield found


def _default(program: str) -> str:
    """The registry that an npm asks without any setting, as its own file of definitions says."""
    for parts in _DEFINITIONS:
        match = _DEFAULT.search(text_of(os.path.join(program, *parts)) or "")
        if match:
            return match[1]
    return ""


def _project(folder: str, home: str) -> str | None:
    """The `.npmrc` of the project that a folder belongs to: beside the nearest manifest or tree above."""
    at = os.path.abspath(folder)
    while True:
        if any(os.path.exists(os.path.join(at, name)) for name in ("package.json", "node_modules")):
            return os.path.join(at, ".npmrc")
        if at in (os.path.dirname(at), home):
            return os.path.join(os.path.abspath(folder), ".npmrc")
        at = os.path.dirname(at)
