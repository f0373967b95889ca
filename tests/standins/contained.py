"""Run a script in the sandbox of `pratique detonate`, in a process of its own, as root or as another account.

    found = contained(tmp_path, "echo in here", before=ACCOUNT)

The report is a dictionary: events, what was sent and asked, files, output, steps, why it ended.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

ACCOUNT = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_READING = "+dac_read_search"


def accounts() -> list[tuple[str, ...]]:
    """As whom a sandbox can be made here: this user, and, where this is root, another account too."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return [()]
    return [(), (*ACCOUNT, f"--inh-caps={_READING}", f"--ambient-caps={_READING}")]


def words(script: str, **asked: Any) -> list[str]:
    """The command line that runs a script in a sandbox."""
    return [sys.executable, "-m", "tests.standins.contained", json.dumps({"script": script, **asked})]


def environment() -> dict[str, str]:
    """What that command needs to know."""
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join((os.path.dirname(sys.executable), "/usr/bin", "/bin"))
    return {"PATH": path, "PYTHONPATH": os.pathsep.join([str(root), *sys.path]), "CANARY_OUTSIDE": "host-canary-7431"}


def contained(
    script: str,
    *,
    before: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    timeout: float = 60,
    **limits: Any,
) -> dict[str, Any]:
    """What one sandbox gave. `limits` are those of `pratique.model.detonation.Limits`, and `number` of the account."""
    asked = {"files": dict(files or {}), "limits": limits}
    done = subprocess.run(
        [*before, *words(script, **asked)], env=environment(), cwd="/", capture_output=True, text=True,
        timeout=timeout, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(asked: dict[str, Any]) -> None:
    """Make the sandbox and print what it gave."""
    from pratique.adapters.sandbox import authority, contain, toolchains
    from pratique.model.detonation import Account, Chamber, Limits

    limits = dict(asked["limits"])
    number = limits.pop("number", 1000)
    home = "/home/mara" if number else "/root"
    python = toolchains.python()
    made = authority.make()
    assert made is not None
    roots = "/etc/ssl/certs/ca-certificates.crt"
    chamber = Chamber(
        account=Account("mara" if number else "root", number, home, "tern"),
        folder=home,
        script=asked["script"],
        environment={"PATH": "/opt/bin:/usr/bin:/bin", "HOME": home, "SSL_CERT_FILE": roots},
        files={f"{home}/.profile": b"", roots: made.certificate,
               **{path: text.encode() for path, text in asked["files"].items()}},
        classify=lambda path: "other",
        attribute=lambda seen: None,
        programs=python.programs,
        links=python.links,
        authority=made,
        limits=Limits(**{"seconds": 20.0, "linger": 0.0, **limits}),
    )  # fmt: skip
    (found,) = contain([chamber])
    whole = msgspec.to_builtins(msgspec.structs.replace(found, output=b""))
    whole["output"] = found.output.decode("utf-8", "replace")
    sys.stdout.write(json.dumps(whole))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
