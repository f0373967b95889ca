"""The walk and the second look: everything counted, nothing followed, nothing written, refusals instead of failures."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from pratique.model.observation import FolderFact, PresenceFact, Question, Refusal
from pratique.model.ports import Artifact, Unreadable
from pratique.targets.boundaries import compile_globs
from pratique.targets.directory import Claimant, Dispatch, Options, Pending, Walk
from pratique.targets.files import read_regular
from pratique.targets.second_look import probe

LOCK = Claimant(0, ("package-lock.json",), (), (), (), 1000)
MANIFEST = Claimant(1, ("package.json",), (), (), (), 1000)
INDEX = Claimant(2, (), (), (), (("_cacache", "index-v5"),), 1000)
LOG = Claimant(3, (), (), (".log",), (("_logs",),), 1000)
BRANCH = Claimant(4, (), ("pnpm-lock.",), (".yaml",), (), 1000)
TABLE = Dispatch([LOCK, MANIFEST, INDEX, LOG, BRANCH], {"npm-cache-content": (("_cacache", "content-v2"),)})


def walk(root: Path, options: Options | None = None) -> tuple[Walk, list[tuple[int, Artifact]], list[Refusal]]:
    walking = Walk(root.as_uri(), str(root), TABLE, options or Options())
    items = list(walking.run([Pending("")]))
    artifacts = [item for item in items if not isinstance(item, Refusal)]
    return walking, artifacts, [item for item in items if isinstance(item, Refusal)]


def paths(items: list[tuple[int, Artifact]]) -> set[tuple[int, str]]:
    return {(key, artifact.path) for key, artifact in items}


def write(root: Path, relative: str, text: str = "{}") -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_claims_by_name_folder_and_suffix_and_counts_every_entry(tmp_path: Path) -> None:
    for name in (
        "a/package-lock.json",
        "a/pnpm-lock.main.yaml",
        "a/other.yaml",
        "h/_cacache/index-v5/aa/bb/cc",
        "h/_cacache/content-v2/sha512/aa/bb/cc",
        "h/_logs/x-debug-0.log",
        "h/_logs/x.txt",
        "plain.log",
    ):
        write(tmp_path, name)
    walking, artifacts, refusals = walk(tmp_path)
    assert paths(artifacts) == {
        (0, "a/package-lock.json"),
        (4, "a/pnpm-lock.main.yaml"),
        (2, "h/_cacache/index-v5/aa/bb/cc"),
        (3, "h/_logs/x-debug-0.log"),
    }
    assert refusals == []
    assert walking.skipped == {"npm-cache-content": 1}
    listed = sum(len(dirs) + len(files) for _, dirs, files in os.walk(tmp_path))
    below_skipped = sum(len(d) + len(f) for _, d, f in os.walk(tmp_path / "h/_cacache/content-v2"))
    assert walking.entries == listed - below_skipped


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder; the test below covers root")
def test_unreadable_folder_is_a_relevant_refusal(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    secret.chmod(0)
    try:
        _, _, refusals = walk(tmp_path)
    finally:
        secret.chmod(0o700)
    assert [(item.path, item.reason, item.relevant) for item in refusals] == [("secret", "permission denied", True)]


def test_folder_that_cannot_be_listed_is_a_relevant_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").mkdir()
    listing = os.scandir

    def refused(path: str) -> object:
        if path.rstrip("/").endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr("os.scandir", refused)
    _, _, refusals = walk(tmp_path)
    assert [(item.path, item.reason, item.relevant) for item in refusals] == [("secret", "permission denied", True)]


def test_links_are_not_followed_and_loops_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    write(outside, "package-lock.json")
    root.mkdir()
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(outside)
    write(root, "real/package-lock.json")
    (root / "package-lock.json").symlink_to(root / "real/package-lock.json")
    (root / "sub").mkdir()
    (root / "sub/package-lock.json").symlink_to(outside / "package-lock.json")
    walking, artifacts, refusals = walk(root)
    assert paths(artifacts) == {(0, "real/package-lock.json")}
    assert [item.path for item in refusals] == ["sub/package-lock.json"]
    assert walking.skipped == {"link-inside-target": 1}


def test_link_out_of_a_tree_is_a_gap_for_names_of_interest_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    tree = tmp_path / "root" / "node_modules"
    (tree / "@scope").mkdir(parents=True)
    for name in ("axios", "other", "@scope/pkg"):
        (tree / name).symlink_to(outside)
    _, _, refusals = walk(tmp_path / "root", Options(names=frozenset({"axios", "@scope/pkg"})))
    assert sorted(item.names for item in refusals) == [("@scope/pkg",), ("axios",)]


def test_tree_that_is_a_link_outside_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/node_modules").symlink_to(tmp_path / "outside")
    _, _, refusals = walk(tmp_path / "root")
    assert [item.path for item in refusals] == ["node_modules"]


def test_pipes_sockets_and_folders_with_a_claimed_name_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package-lock.json")
    (tmp_path / "sub/package.json").mkdir(parents=True)
    server = socket.socket(socket.AF_UNIX)
    previous = os.getcwd()
    os.chdir(tmp_path)
    try:
        server.bind("sub/package-lock.json")
    finally:
        os.chdir(previous)
    _, artifacts, _ = walk(tmp_path)
    reasons = []
    for _, artifact in artifacts:
        with pytest.raises(Unreadable) as caught:
            artifact.content()
        reasons.append(caught.value.reason)
    server.close()
    assert sorted(reasons) == ["is no regular file", "is no regular file but a named pipe"]


def test_file_over_the_limit_names_the_option_that_raises_it(tmp_path: Path) -> None:
    write(tmp_path, "package-lock.json", "x" * 1001)
    _, artifacts, _ = walk(tmp_path)
    with pytest.raises(Unreadable, match=r"1001 bytes.*--max-file"):
        artifacts[0][1].content()
    _, artifacts, _ = walk(tmp_path, Options(limit=2000))
    assert len(artifacts[0][1].content()) == 1001


def test_vanished_file_is_a_reason(tmp_path: Path) -> None:
    path = write(tmp_path, "package-lock.json")
    _, artifacts, _ = walk(tmp_path)
    path.unlink()
    with pytest.raises(Unreadable, match="vanished"):
        artifacts[0][1].content()


def test_growing_file_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "package-lock.json", "12345")
    real = os.fstat

    class Shorter:
        def __init__(self, status: os.stat_result) -> None:
            self.status = status
            self.st_size = 2

        def __getattr__(self, name: str) -> object:
            return getattr(self.status, name)

    monkeypatch.setattr("os.fstat", lambda descriptor: Shorter(real(descriptor)))
    assert read_regular(str(path), 100)[0] == b"12345"
    with pytest.raises(Unreadable, match="grew past the limit"):
        read_regular(str(path), 4)


def test_names_that_are_not_unicode_keep_their_bytes(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/package-lock.json", "wb") as file:
        file.write(b"{}")
    _, artifacts, _ = walk(tmp_path)
    location = artifacts[0][1].location()
    assert location.path == "caf�/package-lock.json"
    assert location.path_bytes == "Y2Fm6S9wYWNrYWdlLWxvY2suanNvbg=="
    assert artifacts[0][1].content() == b"{}"


def test_symlinked_root_is_opened_since_it_was_named(tmp_path: Path) -> None:
    write(tmp_path, "real/package-lock.json")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _, artifacts, _ = walk(tmp_path / "link")
    assert paths(artifacts) == {(0, "package-lock.json")}


def test_ten_thousand_claimed_files_in_one_folder(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"pnpm-lock.{number}.yaml").write_text("")
    walking, artifacts, _ = walk(tmp_path)
    assert len(artifacts) == walking.entries == 10_000


def test_nothing_is_written_and_access_times_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "package-lock.json")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = {item: item.stat() for item in tmp_path.rglob("*")}
    _, artifacts, _ = walk(tmp_path)
    artifacts[0][1].content()
    after = {item: item.stat() for item in tmp_path.rglob("*")}
    assert [status.st_mtime_ns for status in before.values()] == [status.st_mtime_ns for status in after.values()]
    if hasattr(os, "O_NOATIME"):
        assert path.stat().st_atime == 1_000_000_000


def test_excluded_paths_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path, "keep/package-lock.json")
    write(tmp_path, "vendor/package-lock.json")
    write(tmp_path, "a/vendor/deep/package-lock.json")
    walking, artifacts, _ = walk(tmp_path, Options(exclude=("vendor",)))
    assert paths(artifacts) == {(0, "keep/package-lock.json")}
    assert walking.skipped == {"excluded": 2}


@pytest.mark.parametrize(
    ("glob", "path", "out"),
    [
        ("vendor", "vendor", True),
        ("vendor", "a/vendor", True),
        ("a/vendor", "a/vendor", True),
        ("a/vendor", "b/a/vendor", False),
        ("*.json", "x/package-lock.json", True),
        ("vendor", "vendored", False),
    ],
)
def test_globs(glob: str, path: str, out: bool) -> None:
    test = compile_globs((glob,))
    assert test is not None
    assert test(path) is out


def test_quick_reads_manifests_and_nested_trees_and_says_what_it_left_out(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/a/package.json")
    write(tmp_path, "node_modules/a/lib/package.json")
    write(tmp_path, "node_modules/a/node_modules/b/package.json")
    write(tmp_path, "node_modules/@s/c/package.json")
    walking, artifacts, _ = walk(tmp_path, Options(quick=True))
    assert {path for _, path in paths(artifacts)} == {
        "node_modules/a/package.json",
        "node_modules/a/node_modules/b/package.json",
        "node_modules/@s/c/package.json",
    }
    assert walking.skipped["quick-package-folder"] == 3


def test_breadth_first_part_and_rest_cover_the_tree_once(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path, f"p{number}/sub/package-lock.json")
    first = Walk(tmp_path.as_uri(), str(tmp_path), TABLE, Options())
    items = [item for item in first.run([Pending("")], until=8) if not isinstance(item, Refusal)]
    rest = Walk(tmp_path.as_uri(), str(tmp_path), TABLE, Options())
    items += [item for item in rest.run(first.pending) if not isinstance(item, Refusal)]
    whole, everything, _ = walk(tmp_path)
    assert sorted(paths(items)) == sorted(paths(everything))
    assert first.entries + rest.entries == whole.entries


def test_other_file_systems_are_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "mount/package-lock.json")
    monkeypatch.setattr("pratique.targets.directory.mount_points", lambda root: frozenset({"mount"}))
    walking, artifacts, _ = walk(tmp_path)
    assert artifacts == []
    assert walking.skipped == {"other-file-system": 1}


def test_second_look_at_folders_and_paths(tmp_path: Path) -> None:
    write(tmp_path, "pkg/setup.js")
    uri = tmp_path.as_uri()
    answers = list(
        probe(
            uri,
            str(tmp_path),
            [
                Question("folder", uri, "pkg", ("package.json", "setup.js")),
                Question("folder", uri, "gone", ("setup.js",)),
                Question("presence", uri, "pkg/setup.js"),
                Question("presence", uri, "pkg/none"),
                Question("digest", uri, "pkg/setup.js", algorithm="sha256"),
            ],
        )
    )
    facts = [item.facts for item in answers if not isinstance(item, Refusal)]
    assert facts[0] == FolderFact(folder="pkg", exists=True, present=("setup.js",), absent=("package.json",))
    assert facts[1] == FolderFact(folder="gone", exists=False)
    assert facts[2] == PresenceFact(path="pkg/setup.js", exists=True, size=2)
    assert facts[3] == PresenceFact(path="pkg/none", exists=False)
    assert getattr(facts[4], "digest", "") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_second_look_that_fails_is_a_relevant_refusal(tmp_path: Path) -> None:
    (tmp_path / "pkg").write_text("a file, not a folder")
    uri = tmp_path.as_uri()
    answers = list(probe(uri, str(tmp_path), [Question("folder", uri, "pkg", ("setup.js",), names=("x",))]))
    assert isinstance(answers[0], Refusal)
    assert answers[0].relevant
    assert stat.S_ISREG((tmp_path / "pkg").stat().st_mode)
