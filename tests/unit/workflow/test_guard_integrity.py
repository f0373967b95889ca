"""Installed packages against the archives that npm kept of them: what differs is told, what cannot be compared is said."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from pratique.ecosystems.npm.layout import cached_content_path
from pratique.model.event import Cause, Event, Watched
from pratique.workflow.guard_integrity import Ran, compared
from pratique.workflow.guard_pictures import Picture

FILES = {
    "package.json": b'{"name": "anchor"}',
    "setup.js": b"// inert\n",
    "bin/run": b"#!/bin/sh\r\ntrue\r\n",
    "deps/.gitignore": b"x\n",
}
CAUSE = Cause("npm", "anchor", "1.0.0", "postinstall", "environment")


class Install:
    """A project with one installed package, npm's list and npm's cache."""

    def __init__(self, root: Path) -> None:
        self.project, self.cache = root / "project", root / "cache" / "_cacache"
        self.folder = self.project / "node_modules" / "anchor"
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as archive:
            for name, content in FILES.items():
                entry = tarfile.TarInfo(f"package/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
                place = self.folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        digest = base64.b64encode(hashlib.sha512(made.getvalue()).digest()).decode()
        self.integrity = f"sha512-{digest}"
        self.kept = Path(cached_content_path(str(self.cache), self.integrity) or "")
        self.kept.parent.mkdir(parents=True)
        self.kept.write_bytes(made.getvalue())
        self.list = self.project / "node_modules" / ".package-lock.json"
        self.note({"integrity": self.integrity, "resolved": "https://registry.example/anchor/-/anchor-1.0.0.tgz"})

    def note(self, entry: object) -> None:
        """What npm notes of the package."""
        self.list.write_text(json.dumps({"packages": {"node_modules/anchor": entry}}), "utf-8")

    def compared(self) -> tuple[tuple[Event, ...], Watched]:
        return compared([Ran(CAUSE, str(self.folder))], str(self.cache), str(self.project), 5, 7)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    return Install(tmp_path)


def test_what_is_as_it_was_is_compared_and_gives_nothing(install: Install) -> None:
    (install.folder / "bin/run").write_bytes(b"#!/bin/sh\ntrue\n")
    (install.folder / "deps/.gitignore").rename(install.folder / "deps/.npmignore")
    (install.folder / "build.log").write_bytes(b"added by a build")
    events, row = install.compared()
    assert events == ()
    assert (row.seen, row.reason) == (
        "part",
        "1 package whose script ran compared with the archive; others were not",
    )


def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(install: Install) -> None:
    picture = Picture(str(install.folder), 5)
    for name in ("setup.js", "package.json"):
        (install.folder / name).unlink()
        os.mkfifo(install.folder / name)
    _, row = install.compared()
    assert (row.seen, "a file of it cannot be read" in row.reason) == ("none", True)
    assert {one[:2] for one in picture.differences()} == {
        ("integrity.changed", "setup.js"),
        ("integrity.changed", "package.json"),
    }
    assert "setup.js" in Picture(str(install.folder), 5).files


def test_what_is_gone_and_what_is_other_is_told_with_digests(install: Install) -> None:
    (install.folder / "setup.js").unlink()
    (install.folder / "package.json").write_bytes(b'{"name": "anchor", "version": "0.9.0"}')
    events, _ = install.compared()
    assert [(one.kind, one.path_class, Path(one.path).name, one.sequence) for one in events] == [
        ("integrity.changed", "manifest", "package.json", 5),
        ("integrity.missing", "package", "setup.js", 6),
    ]
    assert events[0].sha256_before == hashlib.sha256(FILES["package.json"]).hexdigest()
    assert events[0].sha256_after == hashlib.sha256(b'{"name": "anchor", "version": "0.9.0"}').hexdigest()
    assert {one.cause for one in events} == {CAUSE}


def test_an_archive_that_was_given_as_a_file_is_where_it_was_given(install: Install) -> None:
    install.kept.rename(install.project / "anchor.tgz")
    install.note({"integrity": install.integrity, "resolved": "file:anchor.tgz"})
    (install.folder / "setup.js").unlink()
    events, _ = install.compared()
    assert [one.kind for one in events] == ["integrity.missing"]


def _lost(install: Install) -> None:
    install.kept.unlink()


def _another(install: Install) -> None:
    with tarfile.open(install.kept, "w:gz") as archive:
        archive.add(install.folder / "setup.js", "package/setup.js")


def _broken(install: Install) -> None:
    install.kept.write_bytes(b"no archive")


def _no_list(install: Install) -> None:
    install.list.write_bytes(b"[" * 100_000)


def _not_named(install: Install) -> None:
    install.list.write_text('{"packages": {}}', "utf-8")


def _no_digest(install: Install) -> None:
    install.note({"integrity": "md5-x"})


def _gone(install: Install) -> None:
    install.folder.rename(install.folder.with_name("other"))


def _outside(install: Install) -> None:
    install.note({"integrity": install.integrity, "resolved": "file:../../../../nowhere.tgz"})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_lost, "its archive is not kept"),
        (_another, "the archive is not the one that npm noted"),
        (_broken, "its archive cannot be opened"),
        (_no_list, "npm's list of what it installed cannot be read"),
        (_not_named, "does not name it"),
        (_no_digest, "npm noted no digest of it"),
        (_gone, "is not installed any more"),
        (_outside, "its archive is not kept"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_and_called_nothing(install: Install, damage: object, reason: str) -> None:
    assert callable(damage)
    damage(install)
    events, row = install.compared()
    assert events == ()
    assert row.seen == "none"
    assert reason in row.reason
