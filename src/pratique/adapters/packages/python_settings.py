"""Which indexes this user's pip or uv asks: their own files and variables, read and never run.

pip's settings win where both have some; further indexes come first, as uv has it, so that the name of a private project
is not asked for elsewhere. A project's `uv.toml` or `pyproject.toml` may name indexes, without credentials.
"""

from __future__ import annotations

import configparser
import glob
import netrc
import os
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pratique.adapters.packages.access import Access, Credential, prefix_of, split_secret, usable
from pratique.adapters.packages.npm_settings import text_of

_OWN = re.compile(r"""^PyPI = PackageIndex\(\s*["'](https?://[^"']+)["']""", re.MULTILINE)
_MODULE = os.path.join("pip", "_internal", "models", "index.py")


class PythonSettings:
    """The settings in force for one user in one folder."""

    def __init__(self, environment: Mapping[str, str], home: str, folder: str) -> None:
        self._environment = environment
        self._home = home
        self._authorities = [
            value for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if (value := environment.get(name))
        ]
        self._indexes: list[tuple[str, str]] = []
        self._pip()
        if not self._indexes:
            self._uv(folder)

    def accesses(self) -> tuple[Access, ...]:
        """The indexes in the order in which they are asked; none where no setting names one and pip is not there."""
        found = [item for item in self._indexes if usable(item[0])]
        if not any(not label.startswith("further") for _, label in found):
            own = default_index(self._environment)
            if own:
                found.append((own, "pip's default"))
        found.sort(key=lambda item: not item[1].startswith("further"))
        return tuple(self._made(url, label) for url, label in dict(found).items())

    def _made(self, url: str, label: str) -> Access:
        plain, secret = split_secret(url)
        credentials = [Credential(prefix_of(plain), secret)] if secret is not None else []
        if secret is None:
            credentials += self._netrc(urlsplit(plain).hostname or "", plain)
        get = self._environment.get
        proxies = {
            scheme: value
            for scheme in ("https", "http")
            if (value := get(f"{scheme.upper()}_PROXY") or get(f"{scheme}_proxy"))
        }
        return Access(
            plain,
            label,
            credentials=credentials,
            authorities=list(dict.fromkeys(self._authorities)),
            proxies=proxies,
            unproxied=get("NO_PROXY") or get("no_proxy") or "",
        )

    def _netrc(self, host: str, url: str) -> Iterator[Credential]:
        import base64

        path = self._environment.get("NETRC") or os.path.join(self._home, ".netrc")
        try:
            found = netrc.netrc(path).hosts.get(host)
        except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
            return
        if found is not None and found[2]:
            pair = base64.b64encode(f"{found[0]}:{found[2]}".encode()).decode()
            yield Credential(prefix_of(url), f"Basic {pair}")

    def _pip(self) -> None:
        values: dict[str, tuple[str, str]] = {}
        for path in self._pip_files():
            parser = configparser.RawConfigParser(strict=False)
            try:
                parser.read_string(text_of(path) or "")
            except (configparser.Error, ValueError):
                continue
            for section in ("global", "install", "download"):
                for key, value in parser.items(section) if parser.has_section(section) else ():
                    values[key.replace("_", "-")] = (value, "pip's configuration")
        for key in ("index-url", "extra-index-url", "cert"):
            given = self._environment.get(f"PIP_{key.upper().replace('-', '_')}")
            if given:
                values[key] = (given, "the environment")
        if "cert" in values:
            self._authorities.append(values["cert"][0])
        for url in values.get("extra-index-url", ("", ""))[0].split():
            self._indexes.append((url, f"further index in {values['extra-index-url'][1]}"))
        if "index-url" in values:
            self._indexes.append((values["index-url"][0].strip(), f"index-url in {values['index-url'][1]}"))

    def _pip_files(self) -> list[str]:
        """pip's files, the weakest first."""
        named = self._environment.get("PIP_CONFIG_FILE", "")
        if named == os.devnull:
            return []
        base = self._environment.get("XDG_CONFIG_HOME") or os.path.join(self._home, ".config")
        found = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"]
        if sys.platform == "darwin":
            found += ["/Library/Application Support/pip/pip.conf"]
            found += [os.path.join(self._home, "Library", "Application Support", "pip", "pip.conf")]
        if os.name == "nt":
            roaming = self._environment.get("APPDATA") or os.path.join(self._home, "AppData", "Roaming")
            found = [os.path.join(self._home, "pip", "pip.ini"), os.path.join(roaming, "pip", "pip.ini")]
        else:
            found += [os.path.join(self._home, ".pip", "pip.conf"), os.path.join(base, "pip", "pip.conf")]
        virtual = self._environment.get("VIRTUAL_ENV")
        if virtual:
            found.append(os.path.join(virtual, "pip.ini" if os.name == "nt" else "pip.conf"))
        return [*found, *([named] if named else [])]

    def _uv(self, folder: str) -> None:
        environment = self._environment
        for url in environment.get("UV_INDEX", "").split() + environment.get("UV_EXTRA_INDEX_URL", "").split():
            self._indexes.append(
                (url.partition("=")[2] if re.match(r"[\w-]+=http", url) else url, "further index of uv")
            )
        own = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL")
        if own:
            self._indexes.append((own, "uv's index in the environment"))
            return
        base = environment.get("XDG_CONFIG_HOME") or os.path.join(self._home, ".config")
        tables = list(_project_tables(folder))
        for path in (os.path.join(base, "uv", "uv.toml"), "/etc/uv/uv.toml"):
            tables.append((_toml(path), "uv.toml", True))
        for table, label, trusted in tables:
            found = list(_of_table(table, label))
            self._indexes += [
                (url, shown) for url, shown in found if trusted or (usable(url) and urlsplit(url).username is None)
            ]
            if any(not shown.startswith("further") for _, shown in found):
                return


def _project_tables(folder: str) -> Iterator[tuple[dict[str, Any], str, bool]]:
    at = os.path.abspath(folder)
    own, project = _toml(os.path.join(at, "uv.toml")), _toml(os.path.join(at, "pyproject.toml"))
    if own:
        yield own, "the project's uv.toml", False
    tool = project.get("tool")
    table = tool.get("uv") if isinstance(tool, dict) else None
    if isinstance(table, dict):
        yield table, "the project's pyproject.toml", False


def _of_table(table: Mapping[str, Any], label: str) -> Iterator[tuple[str, str]]:
    rows = table.get("index")
    for row in rows if isinstance(rows, list) else ():
        url = row.get("url") if isinstance(row, dict) else None
        if isinstance(url, str) and not row.get("explicit"):
            yield url, f"index in {label}" if row.get("default") else f"further index in {label}"
    further = table.get("extra-index-url")
    for url in further if isinstance(further, list) else ():
        if isinstance(url, str):
            yield url, f"further index in {label}"
    own = table.get("index-url")
    if isinstance(own, str):
        yield own, f"index-url in {label}"


def _toml(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text_of(path) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def default_index(environment: Mapping[str, str]) -> str:
    """The index that a pip asks without any setting, as its own file says; empty where no pip is found."""
    for path in _pip_modules(environment):
        match = _OWN.search(text_of(path) or "")
        if match:
            return f"{match[1].rstrip('/')}/simple/"
    for path in sorted(
        glob.glob(os.path.join(glob.escape(os.path.dirname(os.__file__)), "ensurepip", "_bundled", "pip-*.whl"))
    ):
        try:
            with zipfile.ZipFile(path) as archive:
                match = _OWN.search(archive.read(_MODULE.replace(os.sep, "/")).decode("utf-8", "replace"))
        except (OSError, KeyError, zipfile.BadZipFile, RuntimeError):
            continue
        if match:
            return f"{match[1].rstrip('/')}/simple/"
    return ""


def _pip_modules(environment: Mapping[str, str]) -> Iterator[str]:
    """Where the file of pip that names its index may lie: beside this Python, and the ones on PATH."""
    roots = [sys.prefix, sys.base_prefix]
    virtual = environment.get("VIRTUAL_ENV")
    if virtual:
        roots.insert(0, virtual)
    for folder in environment.get("PATH", "").split(os.pathsep):
        for name in ("pip", "pip3", "python3"):
            program = os.path.join(folder, name)
            if os.path.isabs(program) and os.path.exists(program):
                roots += [os.path.dirname(folder), os.path.dirname(os.path.dirname(os.path.realpath(program)))]
    seen = set()
    for root in dict.fromkeys(roots):
        for pattern in (
            os.path.join("lib", "python3*", "site-packages"),
            os.path.join("lib", "python3", "dist-packages"),
            os.path.join("Lib", "site-packages"),
            os.path.join("versions", "*", "lib", "python3*", "site-packages"),
        ):
            for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern, _MODULE))):
                if path not in seen:
                    seen.add(path)
                    yield path
