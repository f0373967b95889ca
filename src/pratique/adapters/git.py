"""The one program that collecting verbs start: git, by absolute path, with fixed arguments and neutral configuration.

Nothing of a scanned repository's configuration may start a program: no hook, filter, pager, monitor, signature check or
transport (law 10). Only commands that look at objects, refs and the index alone are safe in a hostile repository (git
2.39); those that are used here are named below, and no other is started.
"""

from __future__ import annotations

import contextlib
import io
import select
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from pratique.adapters import machine
from pratique.model.ports import Git, Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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
    "GIT_WORK_TREE": "/",
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
    "core.deltaBaseCacheLimit=96m",
    "core.bigFileThreshold=512m",
    "advice.graftFileDeprecated=false",
)
COMMANDS = frozenset({"rev-list", "cat-file", "for-each-ref", "ls-files"})
"""Commands that start nothing of a repository with these settings (tried with markers, git 2.39.5)."""
_ONLY_STAGED = ("ls-files", "-s", "-z")
"""`ls-files` looks at the index alone in this form; in others it may start a monitor or a filter."""
PATIENCE = 300.0
"""So many seconds git may say nothing while its output is waited for: a pipe or a device in a hostile repository."""
_ERRORS = 4096
_PIPE = 1 << 20
_HARMLESS = ("hint:", "warning: ignoring dangling symref")
"""What git says of a repository that nothing is missing from."""


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
        if arguments[0] not in COMMANDS or (arguments[0] == "ls-files" and tuple(arguments) != _ONLY_STAGED):
            raise ValueError(f"git {arguments[0]} may start programs of a repository")
        options = [word for setting in CONFIGURATION for word in ("-c", setting)]
        command = [self.program, "--no-pager", "--no-optional-locks", *options, f"--git-dir={repository}", *arguments]
        process = subprocess.Popen(  # noqa: S603 (git alone, by absolute path; see above)
            command,
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
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
        watched = _Watched(cast(io.FileIO, process.stdout), process)
        stream = io.BufferedReader(watched, _PIPE)
        told: Unreadable | None = None
        whole = False
        try:
            yield cast(BinaryIO, stream)
            whole = True
        except Unreadable as error:
            told = error
            whole = _ends(process)
        finally:
            if not whole:
                process.kill()
            stream.close()
            status = process.wait()
            for helper in helpers:
                helper.join(timeout=5)
        words = b"".join(said).decode("utf-8", "replace").splitlines()
        reason = next((line.strip() for line in words if line.strip() and not line.startswith(_HARMLESS)), "")[:200]
        if watched.stalled:
            raise Unreadable(f"git {arguments[0]} gave nothing for {PATIENCE:.0f} seconds")
        if status not in (0, -13) and whole:
            raise Unreadable(f"git {arguments[0]} failed: {reason or f'status {status}'}")
        if told is not None:
            raise told
        if reason:
            raise Unreadable(f"git {arguments[0]} complained: {reason}")


def _ends(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process ends by itself now."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
        return True
    return False


class _Watched(io.RawIOBase):
    """What git prints; a long silence ends it."""

    def __init__(self, source: io.FileIO, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self.source = source
        self.process = process
        self.stalled = False
        self.poll: select.poll | None = None
        if hasattr(select, "poll"):
            self.poll = select.poll()
            self.poll.register(source, select.POLLIN)
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import fcntl

            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _PIPE)  # type: ignore[attr-defined,unused-ignore]  # Linux alone

    def readable(self) -> bool:
        """It is read alone."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """The next bytes."""
        if self.poll is not None and not self.poll.poll(PATIENCE * 1000):
            self.stalled = True
            self.process.kill()
            return 0
        return self.source.readinto(buffer)

    def close(self) -> None:
        """Close the pipe."""
        self.source.close()
        super().close()


def _listen(stream: IO[bytes] | None, said: list[bytes]) -> None:
    """Take what git complains about; the first of it is kept."""
    if stream is None:
        return
    kept = 0
    with contextlib.suppress(OSError, ValueError):
        while part := stream.read(_ERRORS):
            if kept < _ERRORS:
                said.append(part)
                kept += len(part)
        stream.close()


def _feed(stream: IO[bytes] | None, feed: Iterable[bytes]) -> None:
    """Write the input of a command."""
    if stream is None:
        return
    try:
        with contextlib.suppress(OSError, ValueError):
            for part in feed:
                view = memoryview(part)
                while view:
                    view = view[stream.write(view) :]
    finally:
        with contextlib.suppress(OSError, ValueError):
            stream.close()
