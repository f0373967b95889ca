"""The programs of this machine: which one is meant, and how it is started bare, apart, and for a bounded time."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pratique.adapters.clients.rows import NODE

_KEPT_OUTPUT = 1 << 18


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


def programs(program: str, folder: str, search: str | None) -> Iterator[str]:
    """Absolute paths of the programs of a name on the search path, in its order, none of them of the project."""
    inside = os.path.realpath(folder) + os.sep
    names = (f"{program}.exe", f"{program}.cmd") if sys.platform == "win32" else (program,)
    for place in _folders(folder, search):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not os.path.realpath(path).startswith(inside):
                yield path


def node(folder: str, search: str | None) -> list[str]:
    """The first Node of the search path, which the managers need."""
    return list(programs("node", folder, search))[:1]


def version_of(program: str, home: str, scratch: str, folder: str, search: str | None) -> str | None:
    """What a program calls itself, asked in an empty folder."""
    environment = {**bare_environment(home, program, folder, search), **NODE, "YARN_IGNORE_PATH": "1"}
    status, said = run([program, "--version"], home, environment, 30.0)
    match = re.search(r"(?:^|\s)v?(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)", said)
    return match[1] if status == 0 and match else None


def bare_environment(home: str, program: str, folder: str, search: str | None) -> dict[str, str]:
    """A whole environment: nothing of this process's own is in it."""
    path = dict.fromkeys([os.path.dirname(program), *map(os.path.dirname, node(folder, search)), "/usr/bin", "/bin"])
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


def proxies() -> dict[str, str]:
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


def apart(hidden: list[str], needed: list[str], *, network: bool) -> tuple[list[str], str]:
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


def run(command: list[str], cwd: str, environment: Mapping[str, str], seconds: float) -> tuple[int | None, str]:
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
