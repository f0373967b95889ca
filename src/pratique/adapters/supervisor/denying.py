"""Refusals that cannot be raced: calls of packages' scripts that are carried out here, on what was judged.

A call that is let go on is read again by the kernel, and another thread may have changed its memory meanwhile. So files
are opened here and the descriptor is handed over; connections are made here on a copy of the socket; renames and links
are made here. What was judged is what happens. (seccomp_unotify(2), "CAVEATS".)

Only for processes with the account, the root and the mounts of this one: for others a file opened here could be one
that they may not open, so those calls are refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Mapping

from pratique.adapters.supervisor.calls import O_WRITES, Call
from pratique.adapters.supervisor.kernel import Listener, Notification
from pratique.adapters.supervisor.origins import Origins, within
from pratique.adapters.supervisor.programs import is_interpreter, scripts_of
from pratique.adapters.supervisor.reaching import DONE, MOST_WAITING, Reaching
from pratique.adapters.supervisor.reading import Memory, link, status
from pratique.adapters.supervisor.tree import Known
from pratique.model.event import Cause
from pratique.model.supervision import Denials

_NO_EXECUTION = 0x8
"""MFD_NOEXEC_SEAL (Linux 6.3)."""
_MOST_SETTINGS = 1 << 20
SETTINGS = ("npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf")
"""Endings of files of settings of package managers that hold secrets beside what a manager must know."""
_REMOVE_FOLDER = 0x200
"""AT_REMOVEDIR."""
_MEMORY = frozenset(("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore"))
"""The machine's memory; as what lies on a disk without its file system, for root alone."""
_LIBC = ctypes.CDLL(None, use_errno=True)


class Denying:
    """What is refused in one run. `wrote` says whether a path was written in it; `absolute` resolves what is named.

    `began` is when the run began, in seconds since 1970. `given` holds files of the supervisor by path: whatever lies
    there, a package's processes get these bytes.
    """

    def __init__(
        self,
        denials: Denials,
        listener: Listener,
        wrote: Callable[[str], bool],
        absolute: Callable[[Known, int, str], str],
        began: float,
        given: Mapping[str, bytes],
    ) -> None:
        self.given = given
        self.denials = denials
        self.listener = listener
        self.absolute = absolute
        self.origins = Origins(denials, wrote, began)
        self._user = os.geteuid()
        self._mounts = link("/proc/self/ns/mnt")
        self._waiting = threading.Semaphore(MOST_WAITING)
        self.reaching = Reaching(denials, listener, lambda known, path: self._own(known, absolute(known, -1, path)))

    def applies(self, known: Known) -> bool:
        """Whether a process is refused anything: one that comes from a package of which no exception is made."""
        return self.denials.any and not known.bound <= self.denials.exempt

    def label(self, cause: Cause, folder: str) -> str:
        """The name by which a package's processes are bound. A name of which an exception is made counts where the
        package lies in a folder of that name: a manifest can claim any.
        """
        name = cause.name
        if name not in self.denials.exempt or cause.ecosystem != "npm" or folder.endswith(f"/node_modules/{name}"):
            return name
        return f"{name}, in {folder}"

    def foreign(self, known: Known) -> bool:
        """Whether a process has another account, root or mounts than this one, so that nothing may be done for it."""
        identity = status(known.pid).get("Uid", "").split()
        return (
            not identity
            or any(one != str(self._user) for one in identity)
            or link(f"/proc/{known.pid}/root") != "/"
            or link(f"/proc/{known.pid}/ns/mnt") != self._mounts
        )

    # files

    def open(
        self, given: Notification, call: Call, known: Known, memory: Memory, seen: Callable[[str, int], None]
    ) -> int:
        """Open a file for a process. `seen` is told the file's real path and the errno it is refused with, or 0."""
        path = memory.text(given.arguments[call.path])
        folder = given.arguments[call.folder] if call.folder >= 0 else -1
        flags = given.arguments[call.flags] & 0xFFFFFFFF if call.flags >= 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        mode = given.arguments[call.flags + 1 if call.flags >= 0 else 1] & 0o7777
        if not self.listener.valid(given.cookie):
            return DONE
        if self.foreign(known):
            return errno.EACCES
        where = self._own(known, self.absolute(known, folder, path))
        try:
            descriptor, real = (
                self._ours(where) or self._stripped(where, flags) or self._opened(known, where, flags, mode)
            )
        except _WaitsError as pipe:
            return self._later(given, pipe, bool(flags & os.O_CLOEXEC))
        except OSError as error:
            if isinstance(error, _RefusedError):
                seen(error.path, error.errno or errno.EACCES)
            return error.errno or errno.EACCES
        try:
            seen(real, 0)
            if not self.listener.hand_over(given.cookie, descriptor, bool(flags & os.O_CLOEXEC)):
                return errno.EMFILE if self.listener.valid(given.cookie) else DONE
        finally:
            os.close(descriptor)
        return DONE

    def _later(self, given: Notification, pipe: _WaitsError, close_on_exec: bool) -> int:
        """Open a pipe, which waits for its other end, in a thread."""
        if not self._waiting.acquire(blocking=False):
            os.close(pipe.held)
            return errno.EAGAIN

        def work() -> None:
            try:
                descriptor = os.open(f"/proc/self/fd/{pipe.held}", pipe.flags)
                try:
                    self.listener.hand_over(given.cookie, descriptor, close_on_exec)
                finally:
                    os.close(descriptor)
            except OSError as error:
                with contextlib.suppress(OSError):
                    self.listener.refuse(given.cookie, error.errno or errno.EIO)
            finally:
                os.close(pipe.held)
                self._waiting.release()

        threading.Thread(target=work, daemon=True).start()
        return DONE

    def _ours(self, path: str) -> tuple[int, str] | None:
        """A file of the supervisor, out of memory."""
        content = self.given.get(path)
        return (_sealed(content), path) if content is not None else None

    def _stripped(self, path: str, flags: int) -> tuple[int, str] | None:
        """A file of settings without the secrets in it; None where it is none, or is opened to be written."""
        if self.denials.reads is None or flags & O_WRITES or not path.endswith(SETTINGS):
            return None
        try:
            held = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (flags & os.O_NOFOLLOW))
        except OSError:
            return None  # the usual way finds the same
        try:
            found = os.fstat(held)
            if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_SETTINGS:
                return None
            real = link(f"/proc/self/fd/{held}")
            content = self.denials.stripped(real, os.read(held, _MOST_SETTINGS))
        finally:
            os.close(held)
        return (_sealed(content), real) if content is not None else None

    def _own(self, known: Known, path: str) -> str:
        """A path of /proc that speaks of the process itself, as it is here."""
        for begin in ("/proc/self", "/proc/thread-self"):
            if path == begin or path.startswith(begin + "/"):
                return f"/proc/{known.pid}{path[len(begin) :]}"
        for begin, number in (("/dev/stdin", 0), ("/dev/stdout", 1), ("/dev/stderr", 2)):
            if path == begin:
                return f"/proc/{known.pid}/fd/{number}"
        return f"/proc/{known.pid}/fd{path[len('/dev/fd') :]}" if path.startswith("/dev/fd") else path

    def _opened(self, known: Known, path: str, flags: int, mode: int) -> tuple[int, str]:
        """A descriptor of the file and its real path. Raises OSError, _RefusedError where the policy refuses it."""
        keep = flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW) | os.O_CLOEXEC
        for _ in range(8):
            try:
                held = os.open(path, os.O_PATH | os.O_CLOEXEC | (flags & os.O_NOFOLLOW))
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
                made = self._made(known, path, flags, mode)
                if made is None:
                    continue  # it appeared meanwhile
                return made, link(f"/proc/self/fd/{made}")
            try:
                if flags & os.O_CREAT and flags & os.O_EXCL:
                    raise OSError(errno.EEXIST, "exists")
                real = link(f"/proc/self/fd/{held}")
                found = os.fstat(held)
                self._judge(known, real, found)
                if flags & O_WRITES and self._keeps(known, real):
                    raise _RefusedError(real)
                if stat.S_ISLNK(found.st_mode) and not flags & os.O_PATH:
                    raise OSError(errno.ELOOP, "is a link")
                if stat.S_ISFIFO(found.st_mode) and not flags & os.O_NONBLOCK:
                    raise _WaitsError(os.dup(held), keep)
                return os.open(f"/proc/self/fd/{held}", keep), real
            finally:
                os.close(held)
        raise OSError(errno.EAGAIN, "changes all the time")

    def _made(self, known: Known, path: str, flags: int, mode: int) -> int | None:
        """A file that was not there, made; None where it is there after all."""
        mask = int(status(known.pid).get("Umask", "0022"), 8)
        parent = os.open(os.path.dirname(path) or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        former = os.umask(mask)
        try:
            name = os.path.basename(path)
            place = f"{link(f'/proc/self/fd/{parent}').rstrip('/')}/{name}"
            if self._keeps(known, place):
                raise _RefusedError(place)
            return os.open(name, flags | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=parent)
        except FileExistsError:
            if os.path.islink(path) and not os.path.exists(path):
                raise OSError(errno.ENOENT, "leads nowhere") from None  # a link that leads nowhere is not filled
            return None
        finally:
            os.umask(former)
            os.close(parent)

    def _keeps(self, known: Known, place: str) -> bool:
        """Whether a place may not be written: what runs again, and evidence of what a package is."""
        if self.denials.writes is not None and self.denials.writes(place):
            return True
        if place in self.given:
            return True
        starts = self.denials.starts
        installed = starts is not None and (starts(place) or within(place, self.origins.managers))
        if installed and not within(place, self.origins.places):
            return True
        return self.denials.evidence and self._own_evidence(known, place)

    def _own_evidence(self, known: Known, place: str) -> bool:
        """Whether a place is the manifest of the package that caused a process, or the script that it runs."""
        name = known.cause.name if known.cause is not None else ""
        if place.endswith(f"/node_modules/{name}/package.json"):
            return True
        return bool(known.script) and "/node_modules/" in place and os.path.realpath(known.script) == place

    def _judge(self, known: Known, real: str, found: os.stat_result) -> None:
        """Raise _RefusedError where a file may not be had."""
        denied = self.denials.reads
        by_name = denied is not None and stat.S_ISREG(found.st_mode) and denied(real)
        if by_name or (found.st_dev, found.st_ino) in self.denials.files:
            raise _RefusedError(real)
        if stat.S_ISBLK(found.st_mode) or real in _MEMORY:
            raise _RefusedError(real)
        if real.startswith("/proc/"):
            number = real.split("/")[2]
            if number.isdecimal() and real.endswith(("/environ", "/mem", "/auxv")) and int(number) != known.pid:
                raise _RefusedError(real)
        if self.origins.is_dropped(real, found) and self._is_script(known, real):
            raise _RefusedError(real)

    def _is_script(self, known: Known, real: str) -> bool:
        """Whether a file is what an interpreter was started on, by its arguments as the kernel has them now.

        That is each file that is named before the first that was not dropped: which options take a file as their value
        differs from one interpreter to the other.
        """
        program = link(f"/proc/{known.pid}/exe")
        if not is_interpreter(known.executable) and not is_interpreter(program):
            return False
        try:
            with open(f"/proc/{known.pid}/cmdline", "rb") as file:
                words = tuple(os.fsdecode(one) for one in file.read(1 << 16).split(b"\0")[:-1])
        except OSError:
            return False
        if known.script and os.path.realpath(self.absolute(known, -1, known.script)) == real:
            return True
        for word in scripts_of(program, words):
            place = os.path.realpath(self.absolute(known, -1, word))
            if place == real or (not os.path.exists(place) and os.path.splitext(real)[0] == place):
                return True
            if os.path.isdir(place) and self.denials.watches(place + "/"):
                if real.startswith(place + "/"):
                    return True
            elif os.path.isfile(place) and not self.origins.is_dropped(place, os.stat(place)):
                return False
        return False

    # renames and links

    def rename(
        self, given: Notification, call: Call, known: Known, memory: Memory, refused: Callable[[str], None]
    ) -> int:
        """Rename or link a file for a process."""
        symbolic = call.name.startswith("symlink")
        text = memory.text(given.arguments[call.path]) if symbolic else ""
        before = "/" if symbolic else self._named(given, call.folder, call.path, known, memory)
        after = self._named(given, call.other_folder, call.other_path, known, memory)
        flags = given.arguments[4] & 0xFFFFFFFF if call.name in ("renameat2", "linkat") else 0
        if not self.listener.valid(given.cookie):
            return DONE
        if self.foreign(known):
            return errno.EACCES
        descriptors: list[int] = []
        try:
            for path in (before, after):
                parent = os.path.dirname(path.rstrip("/")) or "/"
                descriptors.append(os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
            first, second = (os.path.basename(path.rstrip("/")) for path in (before, after))
            for descriptor, name in zip(descriptors, (first, second), strict=True):
                if symbolic and name != second:
                    continue
                place = f"{link(f'/proc/self/fd/{descriptor}').rstrip('/')}/{name}"
                if self._holds(place) or self._keeps(known, place):
                    refused(place)
                    return errno.EACCES
            if symbolic:
                os.symlink(text, second, dir_fd=descriptors[1])
            elif call.kind == "rename":
                names = (os.fsencode(first), os.fsencode(second))
                if _LIBC.syscall(
                    _RENAME[os.uname().machine], descriptors[0], names[0], descriptors[1], names[1], flags
                ):
                    return ctypes.get_errno()
            else:
                follow = bool(flags & 0x400)  # AT_SYMLINK_FOLLOW
                if follow and self._holds(os.path.realpath(first and before)):
                    refused(before)
                    return errno.EACCES
                os.link(first, second, src_dir_fd=descriptors[0], dst_dir_fd=descriptors[1], follow_symlinks=False)
        except OSError as error:
            return error.errno or errno.EACCES
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self.listener.answer(given.cookie, 0)
        return DONE

    def truncate(self, given: Notification, call: Call, known: Known, memory: Memory) -> tuple[str, int]:
        """Truncate a file for a process: its real path, empty where none was found, and the verdict."""
        path = self._named(given, call.folder, call.path, known, memory)
        if not self.listener.valid(given.cookie):
            return "", DONE
        if self.foreign(known):
            return "", errno.EACCES
        try:
            held = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            return "", error.errno or errno.EACCES
        try:
            real = link(f"/proc/self/fd/{held}")
            if self._keeps(known, real):
                return real, errno.EACCES
            os.truncate(f"/proc/self/fd/{held}", given.arguments[1])
        except OSError as error:
            return "", error.errno or errno.EACCES
        finally:
            os.close(held)
        self.listener.answer(given.cookie, 0)
        return real, DONE

    def delete(
        self, given: Notification, call: Call, known: Known, memory: Memory, refused: Callable[[str], None]
    ) -> int:
        """Delete a file or folder for a process."""
        path = self._named(given, call.folder, call.path, known, memory)
        flags = given.arguments[2] & 0xFFFFFFFF if call.name == "unlinkat" else 0
        if not self.listener.valid(given.cookie):
            return DONE
        if self.foreign(known):
            return errno.EACCES
        try:
            parent = os.open(os.path.dirname(path.rstrip("/")) or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            return error.errno or errno.EACCES
        try:
            name = os.path.basename(path.rstrip("/"))
            place = f"{link(f'/proc/self/fd/{parent}').rstrip('/')}/{name}"
            if self.denials.evidence and self._own_evidence(known, place):
                refused(place)
                return errno.EACCES
            if call.name == "rmdir" or flags & _REMOVE_FOLDER:
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)
        except OSError as error:
            return error.errno or errno.EACCES
        finally:
            os.close(parent)
        self.listener.answer(given.cookie, 0)
        return DONE

    def _named(self, given: Notification, folder: int, path: int, known: Known, memory: Memory) -> str:
        text = memory.text(given.arguments[path])
        return self._own(known, self.absolute(known, given.arguments[folder] if folder >= 0 else -1, text))

    def _holds(self, place: str) -> bool:
        """Whether a place is one of credentials, or a folder above one."""
        denied = self.denials.reads
        return place in self.denials.holding or (denied is not None and denied(place))

    def memory_file(self, given: Notification, memory: Memory, close_on_exec: bool) -> int:
        """A file in memory that cannot be executed."""
        name = memory.text(given.arguments[0], 249)
        flags = given.arguments[1] & 0xFFFFFFFF
        try:
            descriptor = os.memfd_create(name, flags & ~0x10 | _NO_EXECUTION | os.MFD_CLOEXEC)
        except (OSError, ValueError):
            return errno.EACCES
        try:
            self.listener.hand_over(given.cookie, descriptor, close_on_exec)
        finally:
            os.close(descriptor)
        return DONE


_RENAME = {"x86_64": 316, "aarch64": 276}
"""renameat2(2)."""


def _sealed(content: bytes) -> int:
    """A file in memory with these bytes, which cannot be changed."""
    descriptor = os.memfd_create("given", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


class _WaitsError(Exception):
    """A pipe, the opening of which waits for its other end: what holds it, and how it is opened."""

    def __init__(self, held: int, flags: int) -> None:
        super().__init__("waits for its other end")
        self.held, self.flags = held, flags


class _RefusedError(OSError):
    """A file that the policy refuses."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.EACCES, "is refused by the policy")
        self.path = path
