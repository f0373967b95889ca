"""Lines of strace become events with the right process: whoever forks, changes its folder, or is a thread."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.supervisor.strace_events import Traced
from pratique.adapters.supervisor.strace_lines import Lines
from pratique.model.event import Cause, Event, PathClass
from pratique.model.supervision import Seen, Supervision

ROOT = b'10 execve("/usr/bin/node", ["node", "install.js"], ["npm_package_name=anchor"]) = 0'


def _class(path: str) -> PathClass:
    if path.endswith(".npmrc"):
        return "credential"
    return "temporary" if path.startswith("/var/tmp/") else "other"


def _attribute(seen: Seen) -> Cause | None:
    name = seen.environment.get("npm_package_name")
    return Cause("npm", name, "1.0.0", "install", "environment") if name else seen.above


def _events(lines: Sequence[bytes]) -> list[Event]:
    events: list[Event] = []
    request = Supervision(("node",), "/project", {}, _class, _attribute)
    traced = Traced(request, events.append, frozenset((1, 2)), "/fifo/log")
    reader = Lines()
    for line in lines:
        found = reader.take(line + b"\n")
        if found is not None:
            traced.take(found)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return events


def _told(event: Event) -> tuple[str, int, int, str]:
    assert event.process is not None
    return event.kind, event.process.pid, event.process.parent, event.path


def test_what_a_package_starts_is_below_it() -> None:
    first, second = _events(
        [
            ROOT,
            b"10 vfork( <unfinished ...>",
            b'11 execve("/bin/sh", ["sh", "-c", "x"], ["A=b"]) = 0',
            b"10 <... vfork resumed>) = 11",
            b"11 +++ exited with 0 +++",
        ]
    )
    assert _told(first) == ("process.start", 10, 0, "/usr/bin/node")
    assert _told(second) == ("process.start", 11, 10, "/bin/sh")
    assert first.process is not None
    assert first.process.script == "/project/install.js"
    assert second.cause == Cause("npm", "anchor", "1.0.0", "install", "environment")


def test_of_two_that_fork_at_once_the_result_says_whose_child_it_is() -> None:
    events = _events(
        [
            ROOT,
            b"10 clone(child_stack=NULL, flags=SIGCHLD) = 11",
            b"10 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>",
            b"11 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>",
            b'999999999 chdir("/srv") = 0',
            b"11 <... clone resumed>) = 999999999",
            b"10 <... clone resumed>) = 12",
            b'999999999 execve("./a", ["./a"], []) = 0',
            b'12 execve("/bin/b", ["b"], []) = 0',
        ]
    )
    assert [_told(one)[1:] for one in events[1:]] == [(999999999, 11, "/srv/a"), (12, 10, "/bin/b")]


def test_a_thread_is_no_process_and_may_begin_a_program() -> None:
    events = _events(
        [
            ROOT,
            b"10 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 12",
            b'12 openat(AT_FDCWD</project>, ".npmrc", O_RDONLY|O_CLOEXEC) = 3</project/.npmrc>',
            b'12 execve("/bin/true", ["true"], []  <pid changed to 10 ...>',
            b"10 +++ superseded by execve in pid 12 +++",
            b"10 <... execve resumed>) = -1 (errno 18446744073709551359)",
        ]
    )
    assert [_told(one) for one in events[1:]] == [
        ("file.read", 10, 0, "/project/.npmrc"),
        ("process.start", 10, 0, "/bin/true"),
    ]


def test_what_was_written_runs_and_goes() -> None:
    events = _events(
        [
            ROOT,
            b'10 openat(AT_FDCWD</project>, "/var/tmp/a b", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</var/tmp/a b>',
            b'10 chmod("/var/tmp/a b", 0755) = 0',
            b'10 rename("/var/tmp/a b", "/var/tmp/c") = 0',
            b'10 execve("/var/tmp/c", ["c"], []) = 0',
            b'10 unlinkat(AT_FDCWD</project>, "/var/tmp/c", 0) = 0',
            b'10 unlinkat(AT_FDCWD</project>, "/var/tmp/c", 0) = -1 ENOENT (No such file or directory)',
        ]
    )
    assert [one.kind for one in events[1:]] == [
        "file.write",
        "file.mode",
        "file.rename",
        "process.start",
        "file.delete",
    ]
    assert (events[2].detail["mode"], events[3].target) == ("0o755", "/var/tmp/c")
    assert [events[4].dropped, events[5].dropped] == [True, True]


def test_a_program_in_memory_is_told_by_either_way() -> None:
    events = _events(
        [
            ROOT,
            b'10 memfd_create("x", 0) = 4</memfd:x>(deleted)',
            b"10 clone(child_stack=NULL, flags=SIGCHLD) = 11",
            b'11 execve("/proc/self/fd/4", ["kworker"], []) = 0',
            b'10 execveat(4</memfd:x>(deleted), "", ["kworker"], [], AT_EMPTY_PATH) = 0',
        ]
    )
    assert [one.kind for one in events[1:]] == ["memory.program", "process.start"] * 2
    assert {one.path for one in events[1:]} == {"/memfd:x (deleted)"}


def test_the_network_is_told_with_results() -> None:
    query = rb"\22\64\1\0\0\1\0\0\0\0\0\0\7collect\7invalid\0\0\1\0\1"
    events = _events(
        [
            ROOT,
            b'10 connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16)'
            b" = -1 EINPROGRESS (Operation now in progress)",
            b'10 connect(4<socket:[2]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.2")}, 16) = 0',
            b'10 sendmmsg(4<socket:[2]>, [{msg_hdr={msg_name=NULL, msg_iov=[{iov_base="' + query + b'", iov_len=33}]}, '
            b"msg_len=33}], 1, MSG_NOSIGNAL) = 1",
            b'10 connect(5<socket:[3]>, {sa_family=AF_UNIX, sun_path="/run/docker.sock"}, 18) = -1 EACCES (Denied)',
        ]
    )
    assert [(one.kind, one.outcome, one.address, one.host) for one in events[1:]] == [
        ("network.connect", "unknown", "192.0.2.1", ""),
        ("network.connect", "done", "192.0.2.2", ""),
        ("network.name", "done", "192.0.2.2", "collect.invalid"),
        ("network.connect", "failed", "/run/docker.sock", ""),
    ]


def test_what_is_done_to_the_guard_is_told() -> None:
    events = _events(
        [
            ROOT,
            b"10 kill(2, SIGKILL) = 0",
            b"10 kill(2, 0) = 0",
            b"10 ptrace(PTRACE_ATTACH, 1) = -1 EPERM (Operation not permitted)",
            b'10 openat(AT_FDCWD</project>, "/fifo/log", O_WRONLY) = 3</fifo/log>',
            b"10 io_uring_setup(8, {flags=0}) = -1 ENOSYS (Function not implemented) (INJECTED)",
        ]
    )
    assert [one.kind for one in events[1:]] == ["guard.tampering"] * 3 + ["file.write", "guard.gap"]


CALLS = (
    "execve", "execveat", "clone", "clone3", "vfork", "chdir", "fchdir", "openat", "openat2", "connect", "sendto",
    "sendmsg", "sendmmsg", "bind", "unlinkat", "renameat2", "symlinkat", "link", "fchmodat", "memfd_create", "kill",
    "ptrace", "setpgid", "setsid", "truncate", "io_uring_setup",
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.sampled_from(CALLS),
            st.binary(max_size=40),
            st.sampled_from((b"0", b"3", b"-1 EPERM (x)")),
        )
    )
)
def test_any_arguments_are_taken(rows: list[tuple[int, str, bytes, bytes]]) -> None:
    lines = [ROOT]
    for thread, name, content, result in rows:
        lines.append(b"%d %s(%s) = %s" % (thread, name.encode(), content.replace(b"\n", b""), result))
        lines.append(b'%d %s("%s", [], []) = %s' % (thread, name.encode(), content.hex().encode(), result))
        lines.append(b"%d +++ exited with 0 +++" % thread)
    _events(lines)
