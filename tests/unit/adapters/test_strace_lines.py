"""What strace writes is read whole, in one part or two, and any bytes give a call, nothing, or a count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.supervisor.strace_lines import (
    Begun,
    Call,
    Lines,
    ThreadEnded,
    address,
    listed,
    messages,
    place,
    split,
    unescaped,
)


def test_a_call_with_its_parts() -> None:
    line = b'515   execve("/bin/true", ["/bin/true", "a\\nb", "\\303\\251, [x]"], ["HOME=/root", "A=\\"b, c\\""]) = 0\n'
    call = Lines().take(line)
    assert isinstance(call, Call)
    assert (call.thread, call.name, call.result, call.error) == (515, "execve", 0, "")
    assert unescaped(call.arguments[0]) == b"/bin/true"
    assert [unescaped(one) for one in listed(call.arguments[1])] == [b"/bin/true", b"a\nb", "é, [x]".encode()]
    assert [unescaped(one) for one in listed(call.arguments[2])] == [b"HOME=/root", b'A="b, c"']


def test_a_call_that_fails_and_one_that_opens() -> None:
    lines = Lines()
    failed = lines.take(
        b'9 openat(AT_FDCWD</tmp>, "nothere", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n'
    )
    assert isinstance(failed, Call)
    assert (failed.result, failed.error) == (-1, "ENOENT")
    assert place(failed.arguments[0]) == b"/tmp"
    opened = lines.take(b'9 openat(5</a\\"b>, "x\\") = 3", O_RDONLY) = 3</tmp/x>\n')
    assert isinstance(opened, Call)
    assert (opened.result, unescaped(opened.arguments[1]), place(opened.arguments[0])) == (3, b'x") = 3', b'/a"b')


def test_a_call_in_two_parts_is_one() -> None:
    lines = Lines()
    assert lines.take(b"467 vfork( <unfinished ...>\n") == Begun(467, "vfork")
    assert lines.take(b'515 unlink("a") = 0\n') == Call(515, "unlink", (b'"a"',), 0, "")
    assert lines.take(b"467 <... vfork resumed>)              = 515\n") == Call(467, "vfork", (), 515, "")


@pytest.mark.parametrize(
    "name",
    [b"a) = -1 EACCES (b", b"a\\) = 0", b"x <unfinished ...>", b"<... execve resumed>) = 0", b"+++ exited with 0 +++"],
)
def test_a_name_cannot_pass_for_the_end_of_a_call(name: bytes) -> None:
    escaped = name.replace(b"\\", b"\\\\")
    call = Lines().take(b'7 unlink("' + escaped + b'") = -1 ENOENT (No such file or directory)\n')
    assert isinstance(call, Call)
    assert (unescaped(call.arguments[0]), call.result, call.error) == (name, -1, "ENOENT")


def test_an_execution_by_another_thread_is_one_of_the_first_and_has_succeeded() -> None:
    lines = Lines()
    begun = lines.take(b'9386 execve("/bin/true", ["true"], ["A=b"] <pid changed to 9376 ...>\n')
    assert begun == Begun(9386, "execve")
    call = lines.take(b"9376 +++ superseded by execve in pid 9386 +++\n")
    assert call == Call(9376, "execve", (b'"/bin/true"', b'["true"]', b'["A=b"]'), 0, "")
    assert lines.take(b"9376 <... execve resumed>)             = -1 (errno 18446744073709551359)\n") is None
    assert not lines.strange


def test_what_is_sent_is_found_in_messages() -> None:
    text = (
        b'[{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="33\\1", iov_len=3}], msg_iovlen=1}, msg_len=3}, '
        b'{msg_hdr={msg_name={sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.1")}, msg_iov=[]}}]'
    )
    (first, content), (second, nothing) = messages(text)
    assert (first, unescaped(content), nothing) == (b"NULL", b"33\1", b"")
    assert address(second) == ("inet", "192.0.2.1", 53)


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        (b"7 +++ exited with 3 +++\n", ThreadEnded(7, 3, "")),
        (b"7 +++ killed by SIGKILL +++\n", ThreadEnded(7, None, "SIGKILL")),
        (b"7 +++ killed by SIGSEGV (core dumped) +++\n", ThreadEnded(7, None, "SIGSEGV")),
    ],
)
def test_an_end_is_told(line: bytes, ended: ThreadEnded) -> None:
    assert Lines().take(line) == ended


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}', ("inet", "127.0.0.1", 53)),
        (
            b'{sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), '
            b"sin6_scope_id=0}",
            ("inet6", "::1", 9),
        ),
        (b'{sa_family=AF_UNIX, sun_path="/run/x"}', ("unix", "/run/x", None)),
        (b'{sa_family=AF_UNIX, sun_path=@"x"}', ("unix", "@x", None)),
        (b"{sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}", ("", "", None)),
        (b"NULL", ("", "", None)),
    ],
)
def test_addresses_are_read(text: bytes, found: tuple[str, str, int | None]) -> None:
    assert address(text) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(line: bytes) -> None:
    lines = Lines()
    lines.take(line)
    lines.take(b"12 " + line)
    lines.take(b"12 open(" + line)
    lines.take(b"12 <... open resumed>" + line)
    split(line)
    unescaped(b'"' + line)
    listed(b"[" + line)
    place(line)
    address(line)
    list(messages(line))
    list(messages(b"[{msg_hdr={msg_iov=[" + line))


@given(st.lists(st.binary(max_size=12), max_size=5))
def test_texts_come_out_as_they_went_in(texts: list[bytes]) -> None:
    written = b", ".join(b'"' + b"".join(b"\\%03o" % one for one in text) + b'"' for text in texts)
    assert [unescaped(one) for one in listed(b"[" + written + b"]")] == texts
