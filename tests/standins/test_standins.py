"""The stand-ins keep their promises: same bytes every time, the right window, and archives that unpack safely."""

from __future__ import annotations

import io
import json
import tarfile
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.standins import installs
from tests.standins.installs import UnsafeArchive, names, unpack
from tests.standins.packages import ALL, CARRIER, IN_WINDOW, PAYLOAD, moment, pack, release
from tests.standins.registry import Registry

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(registry: Registry, path: str) -> bytes:
    with OPENER.open(registry.url + path) as reply:
        return bytes(reply.read())


def document(registry: Registry, name: str) -> Any:
    return json.loads(fetch(registry, name))


def test_tarballs_never_change() -> None:
    wanted = "sha512-Kt/uY1aZcqbY8SjAF+pZe2On021Q7w3WMTxp/WqIKsg1Z1GKhnRAmiMAZAHIdpPy15dtAZ3QFKQQKvi7RzXABw=="
    assert release(PAYLOAD, "4.2.1").integrity == wanted


def test_tarballs_are_readable() -> None:
    for item in ALL:
        with tarfile.open(fileobj=io.BytesIO(item.tarball)) as archive:
            assert "package/package.json" in archive.getnames()


def test_long_contents_are_packed_in_several_blocks() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack({"long.txt": "x" * 200_000}))) as archive:
        member = archive.extractfile("package/long.txt")
        assert member is not None
        assert len(member.read()) == 200_000


def test_window_opens_and_closes_to_the_second() -> None:
    opening, closing = moment("2026-03-31T00:21:58"), moment("2026-03-31T03:15:30")
    with Registry(as_of=opening - timedelta(seconds=1)) as registry:
        assert document(registry, CARRIER)["dist-tags"]["latest"] == "1.14.0"
        registry.as_of = opening
        assert document(registry, CARRIER)["dist-tags"]["latest"] == "1.14.1"
        assert fetch(registry, f"{CARRIER}/-/{CARRIER}-1.14.1.tgz") == release(CARRIER, "1.14.1").tarball
        registry.as_of = closing
        after = document(registry, CARRIER)
        assert "1.14.1" not in after["versions"]
        assert "1.14.1" in after["time"]
        assert after["dist-tags"] == {"latest": "1.14.0", "legacy": "0.30.3"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(registry, f"{CARRIER}/-/{CARRIER}-1.14.1.tgz")
        caught.value.close()
        assert registry.requests[-1].status == 404


@pytest.mark.parametrize("path", ["@standin/redirects", "@standin%2fredirects", "@standin%2Fredirects"])
def test_scopes_may_be_escaped(path: str) -> None:
    with Registry(as_of=IN_WINDOW) as registry:
        assert document(registry, path)["name"] == "@standin/redirects"


@pytest.mark.parametrize("name", names())
def test_installs_unpack_and_show_what_their_name_says(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    expected = name.endswith(("ran", "moved-on", "caches-cleaned"))
    assert (root / "oracle" / "runs.jsonl").exists() == expected
    for path in (root / "project").glob(f"**/node_modules/{PAYLOAD}/index.js"):
        assert (path.parent / "setup.js").exists() == name.endswith("blocked")


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../outside", tarfile.REGTYPE, ""),
        ("/project/x", tarfile.REGTYPE, ""),
        ("elsewhere/x", tarfile.REGTYPE, ""),
        ("project/x", tarfile.LNKTYPE, "../outside"),
        ("project/x", tarfile.CHRTYPE, ""),
    ],
)
def test_unsafe_members_are_refused(
    name: str, kind: bytes, link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        archive.addfile(member)
    monkeypatch.setattr(installs, "FOLDER", tmp_path)
    with pytest.raises(UnsafeArchive):
        unpack("bad", tmp_path / "out")


def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, behind = tarfile.TarInfo("project/link"), tarfile.TarInfo("project/link/file")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        archive.addfile(link)
        archive.addfile(behind)
    monkeypatch.setattr(installs, "FOLDER", tmp_path)
    with pytest.raises(UnsafeArchive):
        unpack("bad", tmp_path / "out")
    assert not (tmp_path / "file").exists()
