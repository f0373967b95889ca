"""Trees that resist: pipes, devices, loops, locked folders, files that vanish or grow, and far too much of everything."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique import api
from pratique.targets import files
from tests.integration.examine import examined, visible

BAD_LOCK = (
    '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/axios": {"version": "1.14.1", '
    '"resolved": "https://registry.example/axios/-/axios-1.14.1.tgz"}}}'
)
GOOD_LOCK = BAD_LOCK.replace("1.14.1", "1.14.0")


def write(root: Path, relative: str, text: str = GOOD_LOCK) -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def relevant(report: api.Report) -> dict[str, str]:
    return {item.path: item.reason for item in report.coverage.refusals if item.relevant}


@pytest.mark.parametrize("jobs", [1, 2])
def test_pipes_sockets_devices_and_folders_under_claimed_names(jobs: int, tmp_path: Path) -> None:
    write(tmp_path, "ok/package-lock.json")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe/package-lock.json")
    (tmp_path / "pipe/node_modules/axios").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe/node_modules/axios/package.json")
    (tmp_path / "folder/yarn.lock").mkdir(parents=True)
    server = socket.socket(socket.AF_UNIX)
    (tmp_path / "s").mkdir()
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        server.bind("s/bun.lock")
    finally:
        os.chdir(before)
    report = examined(tmp_path, jobs=jobs)
    server.close()
    assert report.exit_code == 4
    assert relevant(report) == {
        "pipe/package-lock.json": "is no regular file but a named pipe",
        "pipe/node_modules/axios/package.json": "is no regular file but a named pipe",
        "s/bun.lock": "is no regular file",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
@pytest.mark.parametrize("kind", ["zero", "null"])
def test_device_under_a_claimed_name(kind: str, tmp_path: Path) -> None:
    numbers = {"zero": (1, 5), "null": (1, 3)}
    try:
        os.mknod(tmp_path / "package-lock.json", 0o20666, os.makedev(*numbers[kind]))
        with open(tmp_path / "package-lock.json", "rb"):
            pass
    except OSError as error:
        pytest.skip(f"no device file can be made or opened here: {error.strerror}")
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert relevant(report) == {"package-lock.json": "is no regular file but a character device"}


def test_link_to_a_device_or_to_itself_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").symlink_to("/dev/zero")
    (tmp_path / "yarn.lock").symlink_to("yarn.lock")
    (tmp_path / "bun.lock").symlink_to("nowhere")
    report = examined(tmp_path)
    assert sorted(relevant(report)) == ["bun.lock", "package-lock.json", "yarn.lock"]
    assert report.exit_code in (3, 4)


def test_loops_of_links_end(tmp_path: Path) -> None:
    write(tmp_path, "a/package-lock.json", BAD_LOCK)
    (tmp_path / "a/b").mkdir()
    (tmp_path / "a/b/up").symlink_to("../..")
    (tmp_path / "a/b/node_modules").symlink_to("..")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/axios").symlink_to("axios")
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert [item.location.path for item in report.sightings] == ["a/package-lock.json"]
    assert "node_modules/axios" in relevant(report)


def test_root_that_is_a_link_is_examined_as_what_it_names(tmp_path: Path) -> None:
    write(tmp_path, "real/package-lock.json", BAD_LOCK)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "chain").symlink_to("link")
    assert examined(tmp_path / "chain").exit_code == 10
    (tmp_path / "file").symlink_to("real/package-lock.json")
    assert examined(tmp_path / "real/package-lock.json").exit_code == 10


def test_named_file_that_is_a_link_is_no_silence(tmp_path: Path) -> None:
    write(tmp_path, "real/package-lock.json", BAD_LOCK)
    (tmp_path / "package-lock.json").symlink_to("real/package-lock.json")
    report = examined(tmp_path / "package-lock.json")
    assert report.exit_code in (4, 10)
    assert visible(report)


def as_nobody(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program without root's right to read everything; skips where this system offers no way."""
    command = [sys.executable, "-c", code, *arguments]
    if os.geteuid() == 0:
        tool = shutil.which("setpriv")
        if tool is None:
            pytest.skip("setpriv is not installed, and root reads every folder")
        command = [
            tool,
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            *command,
        ]
    source = str(Path(api.__file__).resolve().parents[1])
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
        env={"PYTHONPATH": f"{source}:{':'.join(item for item in sys.path if item)}", "PATH": os.environ["PATH"]},
    )


CHECK = """
import json, sys
from pratique import api
report = api.check(api.CheckRequest(targets=tuple(api.specify([sys.argv[1]])), incidents=api.select(incidents=["axios-2026-03-31"], today=__import__("datetime").date(2026, 11, 20)).incidents))
print(json.dumps([report.exit_code, sorted([r.path, r.reason] for r in report.coverage.refusals if r.relevant)]))
"""


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that others may enter, and its parents too."""
    for parent in [tmp_path, *tmp_path.parents]:
        if (
            parent.owner() == Path.home().owner()
            and str(parent).startswith(os.path.realpath("/tmp"))
            and parent != Path("/tmp")
        ):
            parent.chmod(0o755)
    yield tmp_path
    for folder in tmp_path.rglob("*"):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o755)


def test_unreadable_folders_and_files_are_gaps(open_folder: Path) -> None:
    probe = as_nobody("import pratique.api")
    if probe.returncode != 0:
        pytest.skip(f"another user cannot run this interpreter: {probe.stderr.strip()[-80:]}")
    write(open_folder, "readable/package-lock.json")
    write(open_folder, "locked/package-lock.json", BAD_LOCK)
    write(open_folder, "listed-only/package-lock.json", BAD_LOCK)
    write(open_folder, "file/package-lock.json", BAD_LOCK).chmod(0)
    write(open_folder, "node_modules/axios/package.json", '{"name": "axios", "version": "1.14.1"}').chmod(0)
    (open_folder / "locked").chmod(0)
    (open_folder / "listed-only").chmod(0o444)
    done = as_nobody(CHECK, str(open_folder))
    assert done.returncode == 0, done.stderr
    denied = "permission denied"
    assert done.stdout.strip() == (
        f'[4, [["file/package-lock.json", "{denied}"], ["listed-only/package-lock.json", "{denied}"], '
        f'["locked", "{denied}"], ["node_modules/axios/package.json", "{denied}"]]]'
    )


def test_file_that_vanishes_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "package-lock.json", BAD_LOCK)
    before = files.read_regular

    def vanish(name: str, limit: int) -> tuple[bytes, os.stat_result]:
        path.unlink(missing_ok=True)
        return before(name, limit)

    monkeypatch.setattr(files, "read_regular", vanish)
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert relevant(report) == {"package-lock.json": "vanished while it was examined"}


def test_folder_that_vanishes_before_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "package-lock.json")
    write(tmp_path, "sub/package-lock.json", BAD_LOCK)
    before = os.scandir

    def vanish(path: str) -> object:
        if str(path).rstrip("/").endswith("sub"):
            (tmp_path / "sub").rename(tmp_path.parent / "elsewhere")
        return before(path)

    monkeypatch.setattr(os, "scandir", vanish)
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert relevant(report) == {"sub": "vanished while it was examined"}


def test_file_that_grows_without_end_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "package-lock.json", BAD_LOCK)
    ended = threading.Event()

    def grow() -> None:
        with open(path, "ab", buffering=0) as file:
            while not ended.is_set() and file.tell() < 8 << 20:
                file.write(b" " * 4096)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        report = examined(tmp_path, limit=1 << 20)
    finally:
        ended.set()
        writer.join()
    assert report.exit_code in (4, 10)
    assert visible(report)


def test_file_that_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "package-lock.json", BAD_LOCK)
    before = os.fstat

    def shrink(descriptor: int) -> os.stat_result:
        status = before(descriptor)
        if status.st_ino == path.stat().st_ino:
            os.truncate(path, 40)
        return status

    monkeypatch.setattr(os, "fstat", shrink)
    assert examined(tmp_path).exit_code == 4


@pytest.mark.parametrize("name", ["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"])
def test_lockfile_of_200_megabytes_is_refused_with_the_option_that_reads_it(name: str, tmp_path: Path) -> None:
    with open(tmp_path / name, "wb") as file:
        file.truncate(200_000_000)
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert "--max-file" in relevant(report)[name]
    assert "200000000" in relevant(report)[name]


def big_lock(path: Path) -> None:
    """200 MB of package-lock.json in npm's own layout, the bad entry last."""
    entry = (
        '    "node_modules/filler-{number:07d}": {{\n      "version": "1.0.0",\n'
        '      "resolved": "https://registry.example/filler/-/filler-1.0.0.tgz",\n'
        '      "integrity": "sha512-' + "A" * 86 + '==",\n      "license": "' + "M" * 1500 + '"\n    }},\n'
    )
    size = len(entry.format(number=0))
    with open(path, "w") as file:
        file.write('{\n  "name": "big",\n  "lockfileVersion": 3,\n  "packages": {\n')
        block = 1000
        for start in range(0, 200_000_000 // size, block):
            file.write("".join(entry.format(number=number) for number in range(start, start + block)))
        file.write('    "node_modules/axios": {\n      "version": "1.14.1"\n    }\n  }\n}\n')


BIG = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from pratique import api
report = api.check(api.CheckRequest(targets=tuple(api.specify([sys.argv[1]])), incidents=api.select(incidents=["axios-2026-03-31"], today=__import__("datetime").date(2026, 11, 20)).incidents, limit=256 << 20))
print(report.exit_code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, [r.reason for r in report.coverage.refusals])
"""


def test_lockfile_of_200_megabytes_is_read_where_the_limit_allows_it(tmp_path: Path) -> None:
    big_lock(tmp_path / "package-lock.json")
    done = subprocess.run(
        [sys.executable, "-c", BIG, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": ":".join(item for item in sys.path if item)},
    )
    code, memory, rest = done.stdout.strip().split(" ", 2)
    assert (code, rest) == ("10", "[]"), done.stderr
    assert int(memory) < 1200, f"{memory} MB for 200 MB of lockfile"


def test_ten_thousand_lockfiles_in_one_folder(tmp_path: Path) -> None:
    text = "lockfileVersion: '9.0'\n\npackages:\n\n  axios@1.14.0:\n    resolution: {integrity: sha512-x}\n"
    for number in range(10_000):
        (tmp_path / f"pnpm-lock.branch-{number}.yaml").write_text(text)
    (tmp_path / "pnpm-lock.yaml").write_text(text.replace("1.14.0", "1.14.1"))
    report = examined(tmp_path, jobs=2, seconds=60)
    assert report.coverage.entries == 10_001
    assert report.coverage.artifacts == 10_001
    assert report.exit_code == 10


def test_deep_folders_are_walked_to_their_end(tmp_path: Path) -> None:
    """Deeper than a path may be long: what the system cannot open by one path is a gap, not silence."""
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(60):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        Path("package-lock.json").write_text(BAD_LOCK)
    finally:
        os.chdir(before)
    report = examined(tmp_path)
    assert report.exit_code in (3, 4, 10)
    assert visible(report)
    assert any("longer than the system allows" in reason for reason in relevant(report).values())


def test_a_gap_without_any_artifact_is_a_gap_and_not_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").symlink_to("/nowhere/package-lock.json")
    report = examined(tmp_path)
    assert report.exit_code in (3, 4)
    assert not report.coverage.complete


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A hundred sightings and sightings do not pile up copies of the files they came from."""
    for number in range(100):
        write(tmp_path, f"p{number}/package-lock.json", BAD_LOCK + " " * 200_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = examined(tmp_path)
    assert len(report.sightings) == 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_link_to_a_file_of_another_name_inside_is_read_by_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "shared/lock.txt", BAD_LOCK)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/package-lock.json").symlink_to("../shared/lock.txt")
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert [item.location.path for item in report.sightings] == ["app/package-lock.json"]


def test_tree_that_is_a_link_to_a_folder_of_another_name_inside_is_a_gap(tmp_path: Path) -> None:
    write(tmp_path, "package-lock.json")
    write(tmp_path, "deps/axios/package.json", '{"name": "axios", "version": "1.14.1"}')
    (tmp_path / "node_modules").symlink_to("deps")
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert list(relevant(report)) == ["node_modules"]


def test_tree_that_is_a_link_to_sources_is_none(tmp_path: Path) -> None:
    """Some projects link their sources into a tree to name them without a path."""
    write(tmp_path, "package-lock.json")
    write(tmp_path, "src/app/package.json", '{"name": "app", "version": "1.0.0"}')
    (tmp_path / "src/node_modules").symlink_to(".")
    report = examined(tmp_path)
    assert report.exit_code == 0
