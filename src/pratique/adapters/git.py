"""The one program that collecting verbs start: git, by absolute path, with fixed arguments and neutral configuration.

Nothing of a scanned repository's configuration may start a program: no hook, filter, pager, monitor, signature check or
transport (law 10). Only object commands are safe in a hostile repository (git 2.39: `rev-list`, `cat-file --batch`,
`for-each-ref`, `ls-tree`, `diff-tree`, `log --raw`); who calls this names no other.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, cast

from pratique.adapters import machine
from pratique.model.ports import Git, Unreadable

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "/bin/false",
}
CONFIGURATION = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=",
    "log.showSignature=false",
    "gpg.program=/bin/false",
    "diff.external=",
    "protocol.allow=never",
    "core.commitGraph=false",
)
COMMANDS = frozenset({"rev-list", "cat-file", "for-each-ref", "ls-tree", "diff-tree", "log", "rev-parse", "show-ref"})
"""Commands that start nothing of a repository with these settings (tried with markers, git 2.39.5)."""
_ERRORS = 4096


def starter() -> Git | None:
    """How git is started here; None where there is no git."""
    program = machine.git()
    return None if program is None else _Starter(program)


class _Starter:
    """Starts one git program."""

    def __init__(self, program: str) -> None:
        self.program = program

    @contextlib.contextmanager
    def __call__(
        self, repository: str, arguments: Sequence[str], feed: Iterable[bytes] | None = None
    ) -> Iterator[BinaryIO]:
        """See `pratique.model.ports.Git`. `repository` is the folder of its database."""
        if arguments[0] not in COMMANDS:
            raise ValueError(f"git {arguments[0]} may start programs of a repository")
        options = [word for setting in CONFIGURATION for word in ("-c", setting)]
        command = [self.program, "--no-pager", "--no-optional-locks", *options, f"--git-dir={repository}", *arguments]
        process = subprocess.Popen(  # noqa: S603 (git alone, by absolute path; see above)
            command,
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            close_fds=True,
        )
        said: list[bytes] = []
        helpers = [threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)]
        if feed is not None:
            helpers.append(threading.Thread(target=_feed, args=(process.stdin, feed), daemon=True))
        for helper in helpers:
            helper.start()
        whole = False
        try:
            yield cast(BinaryIO, process.stdout)
            whole = True
        finally:
            if not whole:
                process.kill()
            cast(BinaryIO, process.stdout).close()
            status = process.wait()
            for helper in helpers:
                helper.join(timeout=5)
        if status not in (0, -13):
            reason = b"".join(said).decode("utf-8", "replace").strip().partition("\n")[0]
            raise Unreadable(f"git {arguments[0]} failed: {reason[:200] or f'status {status}'}")


def _listen(stream: BinaryIO | None, said: list[bytes]) -> None:
    """Take what git complains about; the first of it is kept."""
    if stream is None:
        return
    kept = 0
    while part := stream.read(_ERRORS):
        if kept < _ERRORS:
            said.append(part)
            kept += len(part)
    stream.close()


def _feed(stream: BinaryIO | None, feed: Iterable[bytes]) -> None:
    """Write the input of a command."""
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ValueError):
        for part in feed:
            stream.write(part)
    with contextlib.suppress(BrokenPipeError, ValueError):
        stream.close()
