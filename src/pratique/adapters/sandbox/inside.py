"""The process between this program and a suspect: it makes the namespaces, the tree and the network, and supervises.

It lives outside of the suspect's processes and files. Started by an account, it is root of a user namespace of its own;
started by root, it stays root. The suspect is a user of a namespace below, without any capability.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import NoReturn

from pratique.adapters.sandbox import filters, kernel, network, sink, tree
from pratique.adapters.sandbox.contents import contents
from pratique.adapters.sandbox.frames import Ending, Happened, Writer
from pratique.adapters.supervisor import supervise
from pratique.adapters.supervisor.calls import Machine
from pratique.model.detonation import Chamber
from pratique.model.event import Event
from pratique.model.supervision import Confinement, Ended, Supervision

NOBODY = 65534
"""Who the suspect is to this machine where root starts it."""
SHELL = "/bin/sh"
_NAMESPACES = {
    "mounts": kernel.NEW_MOUNTS,
    "network": kernel.NEW_NETWORK,
    "messages between processes": kernel.NEW_MESSAGES,
    "the host's name": kernel.NEW_HOST_NAME,
    "control groups": kernel.NEW_GROUPS,
}
_READY_SECONDS = 5


class Prepared:
    """A sandbox that stands: `owner` is the suspect's user in this process's namespace."""

    def __init__(self, chamber: Chamber, machine: Machine, stage: str, told: Writer, sent: int) -> None:
        self.chamber, self.machine, self.told = chamber, machine, told
        self.root = os.path.join(stage, "root")
        self.private = os.path.join(stage, "own")
        self.by_root = kernel.may_be_another(NOBODY)
        self.owner = NOBODY if self.by_root else 0
        self.started: list[int] = []
        self.first = 0
        self.reached: set[tuple[str, int]] = set()
        self.answers = True
        self._namespaces()
        self.six = network.all_local()
        kernel.host_name(chamber.account.host)
        tree.build(self.root, chamber, self.owner)
        self._memory_for_keys()
        self.channel = self._sink(sent)
        self._processes()
        tree.close(self.root, chamber.account)

    def _namespaces(self) -> None:
        if not self.by_root:
            user, group = os.geteuid(), os.getegid()
            kernel.unshare(kernel.NEW_USER, "a user namespace")
            kernel.map_user(0, user, 0, group)
        for what, flag in _NAMESPACES.items():
            kernel.unshare(flag, f"a namespace of {what}")
        kernel.die_with_parent(signal.SIGKILL)
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)

    def _memory_for_keys(self) -> None:
        kernel.mount("tmpfs", self.private, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700,size=16m")
        if self.owner:
            os.chown(self.private, self.owner, self.owner)

    def _sink(self, sent: int) -> socket.socket:
        """Start what answers; returns the channel that tells it where a suspect is about to go."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def answer() -> NoReturn:
            ours.close()
            if self.owner:
                kernel.bound_rights(kernel.BIND_LOW_PORTS)
                kernel.become(self.owner)
            kernel.give_up_rights(kernel.BIND_LOW_PORTS)
            kernel.die_with_parent(signal.SIGKILL)
            chamber = self.chamber
            made = sink.Sink(theirs, Writer(sent), chamber.registry, chamber.served, chamber.authority, self.private)
            sink.serve(made)
            os._exit(0)

        self.started.append(_forked(answer, self.told))
        theirs.close()
        ours.settimeout(_READY_SECONDS)
        return ours

    def _processes(self) -> None:
        """Enter the namespace of processes that children will be in, and start its first one, which takes orphans."""
        kernel.unshare(kernel.NEW_PROCESSES, "a namespace of processes")
        reader, writer = os.pipe()

        def first() -> NoReturn:
            os.close(reader)
            kernel.die_with_parent(signal.SIGKILL)
            try:
                tree.process_table(self.root)
                os.write(writer, b"y")
            except OSError as error:
                os.write(writer, b"n" + os.fsencode(str(error.strerror)))
                os._exit(1)
            kernel.look_like("/sbin/init")
            kernel.close_to_others()
            os.closerange(0, 1 << 16)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)
            while True:
                try:
                    os.waitpid(-1, 0)
                except ChildProcessError:
                    # Nobody to wait for now; an orphan that comes ends this sleep by its SIGCHLD, or is taken later.
                    time.sleep(0.05)

        self.first = _forked(first, self.told)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        if answer[:1] != b"y":
            raise OSError(1, f"a table of processes of its own: {os.fsdecode(answer[1:])}")

    # in the suspect's process

    def enter(self) -> None:
        """Become the suspect: its root, its user, no rights, its limits, the filter. Raises OSError."""
        account, limits = self.chamber.account, self.chamber.limits
        os.setsid()
        kernel.unshare(kernel.NEW_MOUNTS, "a namespace of mounts")
        kernel.pivot(self.machine, self.root)
        group = self.owner
        if self.owner:
            kernel.become(self.owner)
        # Limits of users' processes count in the namespace in which they are set.
        kernel.unshare(kernel.NEW_USER, "a user namespace")
        kernel.map_user(account.number, self.owner, account.number, group)
        kernel.give_up_rights()
        os.umask(0o022)
        for name, value in (
            ("NPROC", limits.processes),
            ("FSIZE", limits.file),
            ("DATA", limits.memory_each),
            ("CPU", int(limits.seconds + limits.linger) + 5),
            ("CORE", 0),
            ("NOFILE", 4096),
            ("MEMLOCK", 1 << 20),
            ("MSGQUEUE", 1 << 18),
        ):
            kernel.limit(name, value)
        kernel.put("/proc/self/oom_score_adj", b"1000")
        kernel.set_filter(self.machine, filters.program(self.machine))

    # in the process between

    def arriving(self, address: str, port: int) -> None:
        """A process is about to connect or send: let something listen there. The loopback is the suspect's own."""
        key = (address, port)
        if key in self.reached or address.startswith(("127.", "::ffff:127.", "0.")) or address in ("::1", "::"):
            return
        self.reached.add(key)
        if self.answers and not sink.ask(self.channel, address.removeprefix("::ffff:"), port):
            self.answers = False

    def supervised(self, told: Callable[[Event], None]) -> Ended:
        """Run the script to its end."""
        chamber = self.chamber
        request = Supervision(
            command=(SHELL, "-c", chamber.script),
            folder=chamber.folder,
            environment=chamber.environment,
            classify=chamber.classify,
            attribute=chamber.attribute,
            reads=True,
            linger=chamber.limits.linger,
            ends_survivors=True,
            seconds=chamber.limits.seconds,
            confinement=Confinement(self.enter, self.arriving, (self.first, *self.started)),
        )
        return supervise(request, told)

    def steps(self) -> dict[str, int]:
        """The exit codes that the script noted. The suspect could write there: they are for reading, not for proof."""
        found: dict[str, int] = {}
        folder = self.root + tree.STEPS
        for name in sorted(os.listdir(folder))[:32]:
            try:
                descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            with os.fdopen(descriptor, "rb") as file:
                text = file.read(8).strip()
            if text.isdigit():
                found[name] = int(text)
        return found

    def end_all(self) -> None:
        """End the first process of the namespace, and so every process in it."""
        os.kill(self.first, signal.SIGKILL)
        os.waitpid(self.first, 0)


def _forked(work: Callable[[], NoReturn], told: Writer) -> int:
    """Start a child that does its work and never comes back here."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException as error:  # noqa: BLE001  whatever it is, the child ends here; the reason is passed on
        told(Ending(failed=f"{type(error).__name__}: {error}"))
    finally:
        os._exit(1)


def live(chamber: Chamber, machine: Machine, stage: str, events: int, sent: int, output: int) -> NoReturn:
    """Be the process between, from its start to its end.

    `stage` holds the empty folders `root` and `own`, where the caller removes them afterwards: what is mounted on them
    here is seen by nobody outside. The descriptors take events, what was sent, and output.
    """
    told = Writer(events)
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((null, output, output)):
            os.dup2(descriptor, number)
        _lived(Prepared(chamber, machine, stage, told, sent))
    except OSError as error:
        told(Ending(failed=str(error.strerror or error)))
    except BaseException as error:  # noqa: BLE001  a process of its own: the reason is passed on, and it ends
        told(Ending(failed=f"{type(error).__name__}: {error}"))
    finally:
        os._exit(0)


def _lived(prepared: Prepared) -> None:
    chamber, told = prepared.chamber, prepared.told
    before = {one.path: one.sha256 for one in contents(prepared.root, chamber.programs).found}
    ended = prepared.supervised(lambda event: told(Happened(event)))
    prepared.end_all()
    after = contents(prepared.root, chamber.programs)
    gaps = [*ended.watch.gaps, *after.gaps]
    if not prepared.answers:
        gaps.append("the sink ended before the suspect: later connections were refused instead of being answered")
    if not prepared.six:
        gaps.append("this machine has no IPv6: connections by it fail instead of being answered")
    prepared.channel.close()
    for pid in prepared.started:
        os.waitpid(pid, 0)
    told(
        Ending(
            parts={
                "before": before,
                "after": after.found,
                "steps": prepared.steps(),
                "survivors": ended.survivors,
                "watch": ended.watch,
                "timed_out": ended.timed_out,
                "gaps": gaps,
            }
        )
    )
