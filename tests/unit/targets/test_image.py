"""Images that lie, are cut, huge, or no images at all: what can be read is read, and the rest is said."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any, Literal

import pytest
import zstandard

from pratique.model.errors import TargetError
from pratique.model.location import Inside
from pratique.model.observation import FolderFact, LayerFact, Observation, Question, Refusal
from pratique.model.ports import Claimant, Kept, Options, Unit, Unreadable
from pratique.targets import manifests
from pratique.targets.dispatch import Dispatch
from pratique.targets.image import TARGET, find, units
from tests.standins.images import Layout, layer, packed, sha256

URI = "image+file:///x"
FILE = layer({"app/package.json": b'{"name": "app"}'})


def planned(path: Path) -> tuple[list[Unit], list[str], list[str]]:
    """Units, relevant refusals, and notes."""
    listed: list[Unit] = []
    gaps: list[str] = []
    notes: list[str] = []
    for item in units(str(path), URI, Options()):
        if isinstance(item, Unit):
            listed.append(item)
        else:
            (gaps if item.relevant else notes).append(item.reason)
    return listed, gaps, notes


def seen(path: Path) -> tuple[list[str], list[str]]:
    """Paths that were handed out, and all relevant refusals."""
    table = Dispatch([Claimant(0, ("package.json",), (), (), (), 1000)], {})
    listed, gaps, _ = planned(path)
    paths = []
    for unit in listed:
        for item in TARGET.open(unit, table, Options()):
            if isinstance(item, Refusal):
                gaps.append(item.reason)
            elif isinstance(item, tuple):
                try:
                    item[1].content()
                    paths.append(item[1].path)
                except Unreadable as error:
                    gaps.append(error.reason)
    return sorted(paths), gaps


def asked(path: Path, *questions: Question) -> list[Observation | Refusal]:
    return list(TARGET.probe(str(path), URI, questions, Options()))


def digest_of(data: bytes) -> str:
    return sha256(gzip.compress(data, mtime=0))


def history(digest: str, path: str) -> Question:
    return Question("history", URI, path, inside=(Inside("layer", digest, path),))


def fact_of(path: Path, question: Question) -> LayerFact:
    (answer,) = asked(path, question)
    assert isinstance(answer, Observation)
    assert isinstance(answer.facts, LayerFact)
    assert answer.location.inside == question.inside
    return answer.facts


# what is an image


def test_find_gives_all_images_of_a_folder(tmp_path: Path) -> None:
    for name in ("a/one", "two"):
        Layout(tmp_path / name).image("t", [FILE])
    packed(tmp_path / "two", tmp_path / "three.tar")
    packed(tmp_path / "two", tmp_path / "four.tar.gz", mode="w:gz")
    (tmp_path / "other.tar").write_bytes(FILE)
    (tmp_path / "cut.tar").write_bytes((tmp_path / "three.tar").read_bytes()[:2000])
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "web").mkdir()
    (tmp_path / "web/manifest.json").write_text('{"name": "a web application"}')
    (tmp_path / "web/version").write_text("1")
    found = [Path(item).relative_to(tmp_path).as_posix() for item in find(str(tmp_path))]
    assert found == ["a/one", "cut.tar", "four.tar.gz", "three.tar", "two"]
    assert find(str(tmp_path / "two")) == [str(tmp_path / "two")]


def test_an_image_without_its_index_does_not_vanish_among_others(tmp_path: Path) -> None:
    Layout(tmp_path / "good").image("t", [FILE])
    hurt = Layout(tmp_path / "hurt")
    hurt.image("t", [FILE])
    for name in ("index.json", "oci-layout"):
        (hurt.folder / name).unlink()
    packed(hurt.folder, tmp_path / "hurt.tar")
    folder = docker(tmp_path / "old", [FILE])
    for name in ("manifest.json", "repositories"):
        (folder / name).unlink()
    packed(folder, tmp_path / "old.tar.gz", mode="w:gz")
    (folder / "manifest.json").write_text("[]")
    packed(folder, tmp_path / "empty.tar")
    found = [Path(item).relative_to(tmp_path).as_posix() for item in find(str(tmp_path))]
    assert found == ["empty.tar", "good", "hurt", "hurt.tar", "old", "old.tar.gz"]
    for name in found:
        assert seen(tmp_path / name)[0] == ["app/package.json"]


def test_images_lie_at_any_depth_and_what_cannot_be_looked_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, outside = tmp_path / "in", tmp_path / "far.tar"
    Layout(folder / "a/b/c/d/e/f/g").image("t", [FILE])
    packed(folder / "a/b/c/d/e/f/g", outside)
    packed(folder / "a/b/c/d/e/f/g", folder / "KEPT.TAR")
    (folder / "latest.tar").symlink_to("KEPT.TAR")
    (folder / "link.tar").symlink_to(outside)
    (folder / "plain").write_bytes(b"")
    (folder / "named.tar").symlink_to("plain")
    (folder / "closed").mkdir()
    real = os.scandir

    def scandir(path: str) -> Any:
        if os.path.basename(path.rstrip("/")) == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = [Path(item).relative_to(folder).as_posix() for item in find(str(folder))]
    assert found == ["KEPT.TAR", "a/b/c/d/e/f/g", "closed", "link.tar", "named.tar"]
    assert planned(folder / "closed")[1] == [".: permission denied"]
    assert len(planned(folder / "link.tar")[1]) == 1
    (folder / "/".join("x" * 66)).mkdir(parents=True)
    with pytest.raises(TargetError, match="deeper than 64"):
        find(str(folder))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"text", "is no image"), (b"", "is no image: is empty"), (FILE, "is an archive, but of no image")],
)
def test_a_file_that_is_no_image(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(TargetError, match=reason):
        find(str(tmp_path / "x"))


def test_a_folder_that_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="is no image and holds none"):
        find(str(tmp_path))
    (tmp_path / "overlay-images").mkdir()
    with pytest.raises(TargetError, match="without `image:`"):
        find(str(tmp_path))
    (tmp_path / "pipe").touch()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(TargetError, match="no regular file"):
        find(str(tmp_path / "fifo"))


# documents that lie


def test_a_manifest_that_names_itself(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("good", [FILE])
    inner = f"sha256:{1:064}"
    loop = json.dumps({"schemaVersion": 2, "manifests": [{"digest": inner}, {"digest": inner}]}).encode()
    (tmp_path / f"x/blobs/sha256/{1:064}").write_bytes(loop)
    layout.name("loop", inner)
    paths, gaps = seen(tmp_path / "x")
    assert paths == ["app/package.json"]
    assert any("does not match" in item for item in gaps)
    assert len(gaps) < 5


def test_indexes_in_indexes(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    digest = layout.image(None, [FILE])
    for _ in range(4):
        digest = layout.document({"schemaVersion": 2, "manifests": [{"digest": digest}]})
    layout.name("deep", digest)
    assert seen(tmp_path / "x") == (["app/package.json"], [])
    (fact,) = {fact_of(tmp_path / "x", history(digest_of(FILE), "app/package.json"))}
    assert fact.images == ("deep",)
    for _ in range(6):
        digest = layout.document({"schemaVersion": 2, "manifests": [{"digest": digest}]})
    layout.manifests.clear()
    layout.name("deeper", digest)
    paths, gaps = seen(tmp_path / "x")
    assert paths == ["app/package.json"]  # its manifest is one that nothing names
    assert any("8 indexes already" in item for item in gaps)


def test_platforms_and_attestations(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    first, second = layer({"a/package.json": b"{}"}), layer({"b/package.json": b"{}"})
    rows: list[dict[str, Any]] = []
    for data, machine in ((first, "amd64"), (second, "arm64")):
        rows.append({"digest": layout.image(None, [data]), "platform": {"os": "linux", "architecture": machine}})
    statement = layout.blob(b'{"_type": "https://in-toto.test/Statement", "predicate": {}}')
    attestation = layout.document(
        {
            "schemaVersion": 2,
            "config": {"digest": layout.document({})},
            "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": statement}],
        }
    )
    rows.append(
        {
            "digest": attestation,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        }
    )
    layout.name("shop:1", layout.document({"schemaVersion": 2, "manifests": rows}))
    assert seen(tmp_path / "x") == (["a/package.json", "b/package.json"], [])
    listed, _, notes = planned(tmp_path / "x")
    assert len(listed) == 2
    assert notes == [f"{attestation}: is an attestation, no file system"]
    fact = fact_of(tmp_path / "x", history(digest_of(second), "b/package.json"))
    assert fact.images == ("shop:1 (linux/arm64)",)


def test_an_attestation_that_carries_a_file_system_is_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("good", [layer({"ok": b""})])
    hidden = layout.image(None, [FILE])
    layout.name("", hidden)
    layout.manifests[-1]["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    layout.close()
    assert seen(tmp_path / "x")[0] == ["app/package.json"]


def test_content_that_does_not_match_its_digest(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE])
    other = gzip.compress(layer({"other/package.json": b"{}"}))
    (tmp_path / "x/blobs/sha256" / digest_of(FILE)[7:]).write_bytes(other)
    listed, gaps, _ = planned(tmp_path / "x")
    assert [unit.key for unit in listed] == [f"layer:{sha256(other)}"]
    assert len(gaps) == 1
    assert "layer 1 of 1" in gaps[0]
    assert f"does not match that digest but {sha256(other)}" in gaps[0]
    assert seen(tmp_path / "x")[0] == ["other/package.json"]


def test_layers_that_are_not_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE, layer({"second/package.json": b"{}"})])
    (tmp_path / "x/blobs/sha256" / digest_of(FILE)[7:]).unlink()
    paths, gaps = seen(tmp_path / "x")
    assert paths == ["second/package.json"]
    assert gaps == [f"layer {digest_of(FILE)}: is not there"]
    layout = Layout(tmp_path / "y")
    row = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": f"sha256:{3:064}"}
    layout.name("w", layout.document({"config": {"digest": layout.document({})}, "layers": [row]}))
    assert seen(tmp_path / "y")[1] == [f"layer sha256:{3:064} (a foreign layer): is not there"]


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "../x", "", "md5:00", 7, None, "sha256:" + "A" * 64])
def test_digests_that_are_none(tmp_path: Path, digest: object) -> None:
    layout = Layout(tmp_path / "x")
    layout.name("t", layout.document({"config": {"digest": digest}, "layers": [{"digest": digest}, digest, None]}))
    layout.manifests.append({"digest": digest})
    layout.close()
    paths, gaps = seen(tmp_path / "x")
    assert paths == []
    assert gaps


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"{}", b"null", b"[" * 100_000, b'{"manifests": {"a": 1}}', b'{"layers": [[]], "config": 1}'],
    ids=lambda document: repr(document[:12]),
)
@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
def test_documents_of_any_shape(tmp_path: Path, name: str, document: bytes) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE])
    (tmp_path / "x" / name).write_bytes(document)
    paths, gaps = seen(tmp_path / "x")
    assert paths == ["app/package.json"]
    assert gaps or name == "manifest.json" or document == b"{}" or b"manifests" in document or b"layers" in document


def test_many_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MOST_LAYERS", 50)
    layout = Layout(tmp_path / "x")
    layout.image("t", [layer({f"{number}/package.json": b"{}"}) for number in range(60)])
    paths, gaps = seen(tmp_path / "x")
    assert len(paths) == 50
    assert any("60 layers: 50 of them were looked at" in item for item in gaps)


def test_ten_thousand_times_one_layer(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    row = {"digest": layout.blob(FILE)}
    layout.name("t", layout.document({"config": {"digest": layout.document({})}, "layers": [row] * 10_000}))
    listed, gaps, _ = planned(tmp_path / "x")
    assert len(listed) == 1
    assert gaps == []
    fact = fact_of(tmp_path / "x", history(sha256(FILE), "app/package.json"))
    assert (fact.index, fact.layers, fact.gone_in) == (9_999, 10_000, None)


# bytes that lie


def test_a_layer_that_is_cut(tmp_path: Path) -> None:
    data = layer({"a/package.json": b"{}", "b/package.json": b"x" * 900})
    layout = Layout(tmp_path / "x")
    layout.image("t", [data[:2000], layer({"c": b""})], packed=False)
    paths, gaps = seen(tmp_path / "x")
    assert "a/package.json" in paths
    assert gaps
    assert all("cut off" in item for item in gaps)
    inside = (Inside("layer", sha256(data[:2000]), "a"),)
    (answer,) = asked(tmp_path / "x", Question("folder", URI, "a", ("package.json",), inside=inside))
    assert isinstance(answer, Refusal)
    assert answer.relevant


def test_layers_of_all_compressions_whatever_their_type_says(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    rows = []
    for number, pack in enumerate((bytes, gzip.compress, zstandard.compress)):
        blob = layout.blob(pack(layer({f"{number}/package.json": b"{}"})))
        rows.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": blob})
    layout.name("t", layout.document({"config": {"digest": layout.document({})}, "layers": rows}))
    assert seen(tmp_path / "x") == (["0/package.json", "1/package.json", "2/package.json"], [])


def test_devices_pipes_and_names_that_lead_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", errors="surrogateescape") as archive:
        for name, kind in (("dev/package.json", tarfile.CHRTYPE), ("pipe/package.json", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
        for name in ("../../up/package.json", "/root/package.json", "\udcff/package.json", "n" * 300 + "/package.json"):
            info = tarfile.TarInfo(name)
            info.size = 2
            archive.addfile(info, io.BytesIO(b"{}"))
    Layout(tmp_path / "x").image("t", [out.getvalue()])
    paths, gaps = seen(tmp_path / "x")
    assert paths == sorted(["up/package.json", "root/package.json", "\udcff/package.json", "n" * 300 + "/package.json"])
    assert gaps == []


def test_links_in_a_layout_are_not_followed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE])
    blob = tmp_path / "x/blobs/sha256" / digest_of(FILE)[7:]
    blob.rename(tmp_path / "outside")
    blob.symlink_to(tmp_path / "outside")
    paths, gaps = seen(tmp_path / "x")
    assert paths == []
    assert "is a link" in gaps[0]


def test_a_layer_that_changes_while_it_is_examined(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE])
    (unit,), _, _ = planned(tmp_path / "x")
    blob = tmp_path / "x/blobs/sha256" / digest_of(FILE)[7:]
    blob.write_bytes(gzip.compress(layer({"ok": b""})))
    found = list(TARGET.open(unit, Dispatch([], {}), Options()))
    assert isinstance(found[-1], Refusal)
    assert "changed while" in found[-1].reason
    assert not any(isinstance(item, Kept) for item in found)


# archives


def docker(folder: Path, layers: list[bytes], *, tags: list[str] | None = None) -> Path:
    """An archive as `docker save` wrote it before version 25."""
    folder.mkdir()
    names = []
    for number, data in enumerate(layers):
        name = f"{number:064}"
        (folder / name).mkdir()
        (folder / name / "layer.tar").write_bytes(data)
        names.append(f"{name}/layer.tar")
    config = {"rootfs": {"diff_ids": [sha256(data) for data in layers]}, "config": {"Env": ["TOKEN=abc", "PATH=/"]}}
    text = json.dumps(config).encode()
    (folder / f"{sha256(text)[7:]}.json").write_bytes(text)
    rows = [{"Config": f"{sha256(text)[7:]}.json", "RepoTags": tags, "Layers": names}]
    (folder / "manifest.json").write_text(json.dumps(rows))
    (folder / "repositories").write_text("{}")
    return folder


@pytest.mark.parametrize("form", ["tar", "tar.gz", "folder"])
def test_docker_archives(tmp_path: Path, form: str) -> None:
    second = layer({"app/.wh.package.json": b""})
    path = docker(tmp_path / "x", [FILE, second], tags=["shop:1", "shop:2"])
    if form != "folder":
        path = packed(path, tmp_path / f"x.{form}", mode="w:gz" if form == "tar.gz" else "w")
    assert find(str(path)) == [str(path)]
    assert seen(path) == (["app/package.json"], [])
    fact = fact_of(path, history(sha256(FILE), "app/package.json"))
    assert (fact.index, fact.layers, fact.gone_in, fact.gone_how) == (0, 2, 1, "deleted")
    assert fact.images == ("shop:1", "shop:2")
    assert fact.environment == ("PATH", "TOKEN")
    assert fact.diff_id == sha256(FILE)


def test_a_docker_archive_without_its_manifest(tmp_path: Path) -> None:
    folder = docker(tmp_path / "x", [FILE])
    (folder / "manifest.json").unlink()
    assert find(str(folder)) == [str(folder)]
    assert seen(folder)[0] == ["app/package.json"]


def test_a_compressed_archive_is_read_in_one_unit_with_its_links(tmp_path: Path) -> None:
    linked = layer({"store/1": b"{}", "b/package.json": "=store/1"})
    path = packed(docker(tmp_path / "x", [FILE, linked]), tmp_path / "x.tar.gz", mode="w:gz")
    assert len(planned(path)[0]) == 1
    assert seen(path) == (["app/package.json", "b/package.json"], [])


def test_two_members_of_one_name(tmp_path: Path) -> None:
    folder = docker(tmp_path / "x", [FILE])
    packed(folder, tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar", "a") as archive:
        archive.add(folder / "repositories", f"{0:064}/layer.tar")
    assert seen(tmp_path / "x.tar")[0] == ["app/package.json"]


def test_of_two_members_of_one_name_the_last_is_read_of_a_compressed_archive(tmp_path: Path) -> None:
    folder = docker(tmp_path / "x", [layer({"b/package.json": b"{}"})])
    packed(folder, tmp_path / "x.tar")
    (tmp_path / "first").write_bytes(FILE)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "first", f"{0:064}/layer.tar")
        for item in sorted(folder.rglob("*")):
            archive.add(item, item.relative_to(folder).as_posix(), recursive=False)
    paths, gaps = seen(tmp_path / "x.tar.gz")
    assert paths == ["b/package.json"]
    assert gaps == [f"{0:064}/layer.tar: stands in it twice; the first was not looked at"]


def sparse(path: Path, mode: Literal["w", "w:gz"]) -> Path:
    """An image whose one layer is a sparse member, as GNU tar writes one (PAX sparse 0.1)."""
    headers = {"GNU.sparse.size": str(len(FILE)), "GNU.sparse.map": f"0,{len(FILE)}", "GNU.sparse.numblocks": "1"}
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(f"{0:064}/layer.tar")
        info.size, info.pax_headers = len(FILE), headers
        archive.addfile(info, io.BytesIO(FILE))
        archive.addfile(tarfile.TarInfo("repositories"))
    return path


def test_a_sparse_member_is_told_whatever_the_archive_is_compressed_with(tmp_path: Path) -> None:
    for path in (sparse(tmp_path / "x.tar", "w"), sparse(tmp_path / "x.tar.gz", "w:gz")):
        assert f"{0:064}/layer.tar: is a sparse member" in seen(path)[1]


@pytest.mark.parametrize("form", ["tar", "tar.gz"])
def test_links_in_an_archive_lead_from_its_root(tmp_path: Path, form: str) -> None:
    folder = docker(tmp_path / "x", [FILE])
    (folder / f"{0:064}/layer.tar").rename(folder / "kept.tar")
    (folder / f"{0:064}/layer.tar").symlink_to("/kept.tar")
    assert seen(packed(folder, tmp_path / f"x.{form}", mode="w:gz" if form == "tar.gz" else "w")) == (
        ["app/package.json"],
        [],
    )


def test_more_folders_of_blobs_than_are_read_are_told(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    layout.image("t", [FILE])
    for number in range(20):
        (tmp_path / f"x/blobs/a{number}").mkdir()
    assert "blobs: holds more than 20 entries; the rest was not looked at" in seen(tmp_path / "x")[1]


def test_an_archive_that_is_cut(tmp_path: Path) -> None:
    whole = packed(
        docker(tmp_path / "x", [FILE, layer({"b/package.json": b"{}"})]), tmp_path / "whole.tar"
    ).read_bytes()
    for cut in range(512, len(whole) - 10240, 1024):
        path = tmp_path / "cut.tar"
        path.write_bytes(whole[:cut])
        paths, gaps = seen(path)
        assert gaps, cut
        assert set(paths) <= {"app/package.json", "b/package.json"}


# the second look


def test_a_base_image_at_hand(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    base = layout.image("node:20", [FILE])
    own = layer({"own/package.json": b"{}"})
    told = {"org.opencontainers.image.base.name": "node:20", "org.opencontainers.image.base.digest": base}
    layout.image("shop", [FILE, own], annotations=told, steps=["RUN a", "RUN npm ci"])
    fact = fact_of(tmp_path / "x", history(digest_of(own), "own/package.json"))
    assert (fact.base, fact.base_name, fact.created_by) == (False, "node:20", "RUN npm ci")
    assert fact.created == "2026-03-31T00:40:00.000Z"
    fact = fact_of(tmp_path / "x", history(digest_of(FILE), "app/package.json"))
    assert set(fact.images) == {"node:20", "shop"}


def test_no_value_of_an_image_is_told(tmp_path: Path) -> None:
    secret = "npm_0123456789abcdef0123456789abcdef0123"
    layout = Layout(tmp_path / "x")
    layout.image(
        "t",
        [FILE],
        steps=[f"RUN |1 TOKEN={secret} /bin/sh -c curl https://u:{secret}@h.test/?k={secret} # buildkit"],
        config={"Env": [f"NPM_TOKEN={secret}", secret], "Labels": {"maintainer": secret, secret + "=": "x"}},
        annotations={"org.opencontainers.image.base.name": f"https://u:{secret}@h.test/base"},
    )
    fact = fact_of(tmp_path / "x", history(digest_of(FILE), "app/package.json"))
    assert fact.environment[0] == "NPM_TOKEN"
    assert fact.labels == ("maintainer",)
    assert fact.created_by == "RUN curl …"
    assert fact.base_name == "https://h.test/base"


def test_folders_as_of_a_layer(tmp_path: Path) -> None:
    first = layer({"m/setup.js": b"", "m/package.json": b"1", "record.json": b"1"})
    second = layer({"m/.wh.setup.js": b"", "m/package.json": b"2"})
    third = layer({".wh.m": b"", "record.json": b"2"})
    layout = Layout(tmp_path / "x")
    layout.image("t", [first, second, third])

    def state(data: bytes) -> FolderFact:
        digest = digest_of(data)
        question = Question(
            "folder",
            URI,
            "m",
            ("package.json", "setup.js"),
            inside=(Inside("layer", digest, "m"),),
            beside=("m/package.json", "record.json"),
        )
        (answer,) = asked(tmp_path / "x", question)
        assert isinstance(answer, Observation)
        assert isinstance(answer.facts, FolderFact)
        return answer.facts

    before, after, gone = state(first), state(second), state(third)
    assert before.present == ("package.json", "setup.js")
    assert (after.present, after.absent) == (("package.json",), ("setup.js",))
    assert after.beside == (
        Inside("layer", digest_of(second), "m/package.json"),
        Inside("layer", digest_of(first), "record.json"),
    )
    assert gone.exists is False
    assert gone.beside == (Inside("layer", digest_of(third), "record.json"),)


def test_questions_that_an_image_cannot_answer(tmp_path: Path) -> None:
    Layout(tmp_path / "x").image("t", [FILE])
    for question in (
        Question("presence", URI, "app"),
        Question("history", URI, "app", inside=(Inside("layer", "sha256:none", "app"),)),
        Question("history", URI, "app", inside=(Inside("commit", "0", "app"),)),
    ):
        (answer,) = asked(tmp_path / "x", question)
        assert isinstance(answer, Refusal)
        assert answer.relevant
    assert asked(tmp_path / "x") == []
    (answer,) = asked(tmp_path / "gone", Question("presence", URI, "app"))
    assert isinstance(answer, Refusal)
