"""`pratique reach` on homes that are built to mislead, hang or fill it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pratique import api
from pratique.model.credential import ReachReport
from pratique.targets import reach as places
from pratique.targets.reach_places import Account, Place, Roots
from pratique.workflow import reach as workflow

TOKEN = "npm_" + "EXAMPLEa1" * 4
LINE = f"//registry.example/:_authToken={TOKEN}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def look(home: Path, **more: object) -> ReachReport:
    started = time.monotonic()
    report = api.reach(api.ReachRequest(home=str(home), **more))
    assert time.monotonic() - started < 60
    return report


def refused(report: ReachReport) -> set[tuple[str, str, str]]:
    return {(item.location, item.place, item.reason) for item in report.refusals if item.place.startswith("$HOME")}


def fields(report: ReachReport, location: str) -> list[str]:
    return [item.fact.field for item in report.credentials if item.location == location and "$HOME" in item.place]


def test_a_link_out_of_the_home_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(LINE)
    (home / ".npmrc").symlink_to(tmp_path / "elsewhere")
    (home / ".yarnrc").symlink_to("../elsewhere")
    report = look(home)
    assert refused(report) == {
        ("npm-rc", "$HOME/.npmrc", "leads out of the home folder"),
        ("yarn-classic", "$HOME/.yarnrc", "leads out of the home folder"),
    }
    assert fields(report, "npm-rc") == []


def test_a_folder_that_leads_out_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (home / ".ssh").symlink_to(tmp_path / "keys")
    (home / ".config").symlink_to("/etc")
    reasons = {reason for _, _, reason in refused(look(home))}
    assert reasons == {"leads out of the home folder"}


def test_links_inside_the_home_are_followed(home: Path) -> None:
    dotfiles = home / "dotfiles" / "npm"
    dotfiles.mkdir(parents=True)
    (dotfiles / "npmrc").write_text(LINE)
    (home / "current").symlink_to("dotfiles/npm")
    (home / ".npmrc").symlink_to(home / "current" / ".." / "npm" / "npmrc")
    assert fields(look(home), "npm-rc") == ["_authToken"]


def test_a_home_that_is_a_link_is_followed(home: Path, tmp_path: Path) -> None:
    (home / ".real").write_text(LINE)
    (home / ".npmrc").symlink_to(tmp_path / "link" / ".real")
    (tmp_path / "link").symlink_to(home)
    assert fields(look(tmp_path / "link"), "npm-rc") == ["_authToken"]


def test_a_link_into_a_named_project_is_followed(home: Path, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "npmrc").write_text(LINE)
    (home / ".npmrc").symlink_to("../shop/npmrc")
    assert fields(look(home, projects=(str(project),)), "npm-rc") == ["_authToken"]


def test_loops_of_links_end(home: Path) -> None:
    (home / ".npmrc").symlink_to(".yarnrc")
    (home / ".yarnrc").symlink_to(".npmrc")
    (home / ".ssh").symlink_to(".ssh")
    assert {reason for _, _, reason in refused(look(home))} == {"cannot be read"}


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def _device(path: Path) -> None:
    try:
        os.mknod(path, 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("make", [_fifo, _folder, _socket, _device])
def test_what_is_no_file_is_refused_and_never_read(home: Path, make: Callable[[Path], None]) -> None:
    make(home / ".npmrc")
    assert refused(look(home)) == {("npm-rc", "$HOME/.npmrc", "is no file")}


def test_what_is_no_file_among_keys_is_refused(home: Path) -> None:
    (home / ".ssh").mkdir()
    _fifo(home / ".ssh" / "id_pipe")
    _folder(home / ".ssh" / "sockets")
    assert refused(look(home)) == {("ssh-private", "$HOME/.ssh/id_pipe", "is no file")}


def test_a_file_of_ten_gigabytes_is_read_to_its_bound(home: Path) -> None:
    with (home / ".npmrc").open("wb") as file:
        file.write(LINE.encode() + b"#" * (2 << 20))
        file.truncate(10 << 30)
    report = look(home)
    assert fields(report, "npm-rc") == ["_authToken"]
    assert ("npm-rc", "$HOME/.npmrc", "too large") in refused(report)


def test_a_hundred_thousand_keys_are_bounded_and_said(home: Path) -> None:
    folder = home / ".ssh"
    folder.mkdir()
    first = folder / "key"
    first.write_text("no key")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        for number in range(100_000):
            if number % 30_000 == 0:
                first = folder / f"first{number}"
                first.write_text("no key")
            os.link(first.name, f"k{number:06}", src_dir_fd=descriptor, dst_dir_fd=descriptor)
    finally:
        os.close(descriptor)
    assert ("ssh-private", "$HOME/.ssh/*", "too many entries") in refused(look(home))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02" * 1000, "of an encoding that is not read"),
        (b"\xff\xfe\xff", "of an encoding that is not read"),
        (bytes(range(256)) * 8, "of an encoding that is not read"),
    ],
)
def test_bytes_that_are_no_text_are_refused(home: Path, content: bytes, reason: str) -> None:
    (home / ".npmrc").write_bytes(content)
    assert refused(look(home)) == {("npm-rc", "$HOME/.npmrc", reason)}


def test_a_file_in_utf_16_is_read(home: Path) -> None:
    (home / ".npmrc").write_bytes(LINE.encode("utf-16"))
    report = look(home)
    assert (fields(report, "npm-rc"), refused(report)) == (["_authToken"], set())


def test_a_bomb_of_anchors_ends_as_a_refusal(home: Path) -> None:
    lines = ['a0: &a0 ["x", "x", "x", "x", "x", "x", "x", "x", "x"]']
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 12)]
    (home / ".yarnrc.yml").write_text("npmAuthToken: " + TOKEN + "\n" + "\n".join(lines))
    report = look(home)
    assert fields(report, "yarn-berry") == ["npmAuthToken"]
    assert refused(report) == {("yarn-berry", "$HOME/.yarnrc.yml", "half understood")}


def test_deep_nesting_ends_as_a_refusal(home: Path) -> None:
    (home / ".circleci").mkdir()
    (home / ".circleci" / "cli.yml").write_text("token: " + "[" * 100_000)
    assert {location for location, _, _ in refused(look(home))} == {"circleci"}


def test_a_place_that_hangs_is_left_and_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".npmrc").write_text(LINE)
    (home / ".yarnrc").write_text(f'"//registry.example/:_authToken" "{TOKEN}"\n')
    real = places.look

    def hang(place: Place, roots: Roots) -> object:
        if place.shown == "$HOME/.npmrc":
            time.sleep(600)
        return real(place, roots)

    monkeypatch.setattr(places, "look", hang)
    report = look(home, seconds=0.5)
    assert refused(report) == {("npm-rc", "$HOME/.npmrc", "took too long")}
    assert fields(report, "yarn-classic") == ["_authToken"]


def test_a_home_that_does_not_answer_is_left_and_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.path.isdir

    def hang(path: str) -> bool:
        if str(path) == str(home):
            time.sleep(600)
        return real(path)

    monkeypatch.setattr(os.path, "isdir", hang)
    assert refused(look(home, seconds=0.5)) == {("folder", "$HOME", "took too long")}


@pytest.mark.parametrize(("number", "reason"), [(13, "permission denied"), (116, "cannot be read")])
def test_a_home_that_may_not_be_looked_at_is_a_refusal_and_no_mistake_of_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    real = os.stat

    def closed(path: object, *more: object, **named: object) -> object:
        if str(path) == str(home):
            raise OSError(number, os.strerror(number))
        return real(path, *more, **named)

    monkeypatch.setattr(os, "stat", closed)
    assert refused(look(home)) == {("folder", "$HOME", reason)}


def test_memory_is_never_written_to_disk() -> None:
    import resource

    from pratique.adapters.apart import apart

    found: list[object] = []
    account = Account(name="dev", home="/", uid=os.geteuid())

    def work(_):
        return str(resource.getrlimit(resource.RLIMIT_CORE)).encode()

    apart(1, work, lambda _, result: found.append(result), 30, places.as_account(account))
    assert found == [b"(0, 0)"]


def test_a_reader_that_ends_its_process_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".npmrc").write_text(LINE)
    real = workflow.seen

    def die(entry: places.Entry, *more: object) -> object:
        if entry.shown == "$HOME/.npmrc":
            os.kill(os.getpid(), 9)
        return real(entry, *more)

    monkeypatch.setattr(workflow, "seen", die)
    assert refused(look(home)) == {("npm-rc", "$HOME/.npmrc", "cannot be read")}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another account")
def test_what_an_account_may_not_read_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in home.parents:
        if folder.stat().st_uid == 0 and folder != Path("/") and "pytest" in str(folder):
            folder.chmod(0o755)
    (home / ".npmrc").write_text(LINE)
    (home / ".npmrc").chmod(0o600)
    (home / ".ssh").mkdir(mode=0o700)
    monkeypatch.setattr(places, "as_account", lambda _account: lambda: os.setuid(65534))
    assert refused(look(home)) >= {
        ("npm-rc", "$HOME/.npmrc", "permission denied"),
        ("ssh-private", "$HOME/.ssh/*", "permission denied"),
    }
    home.chmod(0o700)
    report = look(home)
    assert not report.complete
    assert {reason for _, _, reason in refused(report)} == {"permission denied"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another account")
def test_root_looks_with_the_rights_of_the_account(home: Path) -> None:
    import pwd

    from tests.fixtures_reach.sources import openssh_key

    number = pwd.getpwnam("nobody").pw_uid
    for folder in home.parents:
        if "pytest" in str(folder) and folder.stat().st_uid == 0:
            folder.chmod(0o755)
    (home / ".ssh").mkdir()
    (home / ".npmrc").write_bytes(LINE.encode("utf-16"))
    (home / ".yarnrc.yml").write_text(f"npmAuthToken: {TOKEN}\n")
    (home / ".ssh/key").write_text(openssh_key("x" * 64))
    for path in (home, *home.rglob("*")):
        os.chown(path, number, number)
        path.chmod(0o700 if path.is_dir() else 0o600)
    (home / ".pypirc").write_text(f"[x]\npassword = {TOKEN}\n")
    (home / ".pypirc").chmod(0o600)
    report = look(home, user="nobody")
    assert {item.location for item in report.credentials if "$HOME" in item.place} == {
        "npm-rc",
        "yarn-berry",
        "ssh-private",
    }
    assert refused(report) == {("pypirc", "$HOME/.pypirc", "permission denied")}


def test_a_place_of_the_system_that_is_closed_to_the_account_is_no_gap(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = places.look

    def closed(place: Place, roots: Roots) -> object:
        if place.location in ("npm-global", "npm-rc"):
            return iter([places.Entry(shown=place.shown, refused="permission denied")])
        return real(place, roots)

    monkeypatch.setattr(places, "look", closed)
    report = look(home)
    assert {location for location, _, _ in refused(report)} == {"npm-rc"}
    assert [item for item in report.refusals if item.location == "npm-global"] == []
    assert any("Closed to this account" in note and "/etc/npmrc" in note for note in report.notes)


_WATCHED = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND)
def watch(event, arguments):
    wrong = event.startswith(("socket.", "subprocess.", "os.exec", "os.spawn", "os.posix_spawn", "os.system", "urllib.", "pty."))
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        wrong = arguments[0] != os.devnull
    if event in ("os.rename", "os.remove", "os.mkdir", "os.chmod", "os.chown", "os.truncate", "os.utime", "shutil.rmtree"):
        wrong = True
    if wrong:
        os.write(log, f"{event} {arguments!r}\\n".encode())
sys.dont_write_bytecode = True
from pratique.doors.cli.entry import main
sys.addaudithook(watch)
sys.argv[0] = "pratique"
sys.exit(main())
"""


def _watched(
    arguments: list[str], environment: dict[str, str], home: Path, log: Path
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "-c", _WATCHED, str(Path(api.__file__).parent.parent), str(log), *arguments],
        env={**os.environ, **environment, "HOME": str(home)},
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_nothing_is_started_sent_or_written(home: Path, tmp_path: Path) -> None:
    from tests.fixtures_reach import lay_all

    ground = lay_all(5)
    disk = tmp_path / "disk"
    ground.lay(disk)
    log = tmp_path / "log"
    log.touch()
    arguments = ["reach", "--home", str(disk / "home/dev"), "--project", str(disk / "srv/shop"), "--format", "json"]
    done = _watched(arguments, ground.environment, home, log)
    assert done.returncode in (0, 4), done.stderr.decode()
    assert len(json.loads(done.stdout)["credentials"]) > 30
    assert log.read_text() == ""
    done = _watched([*arguments, "--fingerprint"], ground.environment, home, log)
    assert log.read_text() != "", "the watch does not see what is written"


def test_access_times_are_kept(home: Path) -> None:
    (home / ".npmrc").write_text(LINE)
    os.utime(home / ".npmrc", (1_700_000_000, 1_700_000_000))
    look(home)
    assert (home / ".npmrc").stat().st_atime == 1_700_000_000


def test_a_key_that_ssh_settings_name_is_looked_at(home: Path, tmp_path: Path) -> None:
    from tests.fixtures_reach.sources import openssh_key

    for folder in (".ssh", "keys"):
        (home / folder).mkdir()
    (home / ".ssh/config").write_text(
        f"IdentityFile ~/keys/deploy\nIdentityFile {tmp_path}/other\nIdentityFile ~/none\n"
    )
    (home / "keys/deploy").write_text(openssh_key("x" * 64))
    (tmp_path / "other").write_text(openssh_key("x" * 64))
    report = look(home)
    found = [item.place for item in report.credentials if item.location == "ssh-private" and "$HOME" in item.place]
    assert found == ["$HOME/keys/deploy"]
    assert [item.reason for item in report.refusals if "names" in item.place] == ["leads out of the home folder"]


def test_a_system_that_opens_by_path_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_FROM_FOLDERS", False)
    (home / ".npmrc").write_text(LINE)
    (home / ".ssh").mkdir()
    (home / ".ssh" / "folder").mkdir()
    (tmp_path / "elsewhere").write_text(LINE)
    (home / ".yarnrc").symlink_to(tmp_path / "elsewhere")
    _folder(home / ".netrc")
    report = look(home)
    assert fields(report, "npm-rc") == ["_authToken"]
    assert {(place, reason) for _, place, reason in refused(report)} == {
        ("$HOME/.yarnrc", "leads out of the home folder"),
        ("$HOME/.netrc", "is no file"),
    }
