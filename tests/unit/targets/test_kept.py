"""Caches, stores and mirrors: what each holds of a release, and what damage in them does."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.targets.kept import berry, npm_caches, npm_metadata, pnpm_store, python_caches
from pratique.targets.kept.folder import Folder
from pratique.targets.kept.found import digests_of, plain
from pratique.targets.kept.installed import npm_copies, open_installed, python_copies


def sri(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def cached(root: Path, key: str, data: bytes, *, moment: int = 1, damage: bool = False) -> None:
    """Put an entry into a cache as npm does."""
    integrity = sri(data)
    digest = hashlib.sha512(data).hexdigest()
    place = root / "content-v2" / "sha512" / digest[:2] / digest[2:4] / digest[4:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    line = json.dumps({"key": key, "integrity": integrity, "time": moment})
    sum_ = hashlib.sha1(line.encode()).hexdigest() if not damage else "0" * 40
    bucket = hashlib.sha256(key.encode()).hexdigest()
    index = root / "index-v5" / bucket[:2] / bucket[2:4] / bucket[4:]
    index.parent.mkdir(parents=True, exist_ok=True)
    with index.open("a") as file:
        file.write(f"\n{sum_}\t{line}")


REQUEST = "make-fetch-happen:request-cache:"
BASE = "https://registry.example"


def test_npms_cache(tmp_path: Path) -> None:
    root = tmp_path / "_cacache"
    cached(root, f"{REQUEST}{BASE}/alpha/-/alpha-1.0.0.tgz", b"one")
    cached(root, f"{REQUEST}{BASE}/@s%2fbeta/-/beta-2.0.0.tgz", b"two")
    cached(root, f"{REQUEST}{BASE}/alpha", b'{"name":"alpha","versions":{}}', moment=5)
    cached(root, f"{REQUEST}https://other.example/alpha", b'{"name":"alpha","versions":{"x":{}}}', moment=9)
    cached(root, f"{REQUEST}{BASE}/alpha/-/alpha-6.6.6.tgz", b"damaged", damage=True)
    (cache,) = npm_caches.caches(str(tmp_path))
    (held,) = cache.archives("alpha", "1.0.0")
    assert Path(held.path).read_bytes() == b"one"
    assert [Path(one.path).read_bytes() for one in cache.archives("@s/beta", "2.0.0")] == [b"two"]
    assert list(cache.archives("alpha", "6.6.6")) == []
    assert list(cache.archives("alpha", "9.9.9")) == []
    assert cache.versions("alpha") == ["1.0.0"]
    assert len(next(iter(cache.documents("alpha", BASE)))) == len(b'{"name":"alpha","versions":{}}')
    assert len(list(cache.documents("alpha"))) == 2
    os.unlink(held.path)
    assert list(cache.archives("alpha", "1.0.0")) == []


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_bytes_in_an_index_do_no_harm(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("cache")
    place = root / "index-v5" / "aa" / "bb" / "cc"
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    cache = npm_caches.NpmCache(str(root))
    assert list(cache.archives("alpha", "1.0.0")) == []
    assert list(cache.documents("alpha")) == []


def store(root: Path, files: dict[str, bytes]) -> Path:
    """A store of pnpm 10 with one release."""
    rows = {}
    for name, data in files.items():
        digest = hashlib.sha512(data).hexdigest()
        place = root / "v10" / "files" / digest[:2] / digest[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        rows[name] = {"integrity": sri(data), "mode": 0o644, "size": len(data), "checkedAt": 1}
    index = root / "v10" / "index" / "aa" / f"{'b' * 62}-@s+alpha@1.0.0.json"
    index.parent.mkdir(parents=True)
    index.write_text(json.dumps({"name": "@s/alpha", "version": "1.0.0", "files": rows}))
    return index


def test_pnpms_store(tmp_path: Path) -> None:
    store(tmp_path, {"package.json": b"{}", "lib/a.js": b"1"})
    assert pnpm_store.versions(str(tmp_path), "@s/alpha") == ["1.0.0"]
    (index,) = pnpm_store.indexes(str(tmp_path), "@s/alpha", "1.0.0", "")
    opened = pnpm_store.open_index(index, "@s/alpha", "1.0.0")
    assert opened is not None
    assert opened.read("lib/a.js") == b"1"
    assert list(opened.members) == ["lib/a.js", "package.json"]
    assert pnpm_store.open_index(index, "@s/alpha", "2.0.0") is None
    assert list(pnpm_store.indexes(str(tmp_path), "../alpha", "1.0.0", "")) == []


def test_what_was_changed_in_pnpms_store_is_a_refusal(tmp_path: Path) -> None:
    index = store(tmp_path, {"a.js": b"1", "b.js": b"2", "../c.js": b"3"})
    changed = hashlib.sha512(b"1").hexdigest()
    (tmp_path / "v10" / "files" / changed[:2] / changed[2:]).write_bytes(b"other")
    gone = hashlib.sha512(b"2").hexdigest()
    (tmp_path / "v10" / "files" / gone[:2] / gone[2:]).unlink()
    opened = pnpm_store.open_index(str(index), "@s/alpha", "1.0.0")
    assert opened is not None
    assert opened.members == {}
    assert {one.path for one in opened.refusals if one.relevant} == {"a.js", "b.js", "../c.js"}


def test_documents_of_pnpm_and_yarn(tmp_path: Path) -> None:
    plain_form = tmp_path / "metadata-v1.3" / "registry.example" / "alpha.json"
    plain_form.parent.mkdir(parents=True)
    plain_form.write_text('{"name":"alpha","versions":{"1.0.0":{}}}')
    one, two = b'{"version":"1.0.0"}', b'{"version":"1.0.1"}'
    meta = b'{"etag":"x"}'
    index = json.dumps(
        {
            "name": "alpha",
            "distTags": {"latest": "1.0.1"},
            "time": {"1.0.0": "2026-01-01T00:00:00Z"},
            "versions": [["1.0.0", 0, len(one)], ["1.0.1", len(one), len(two)]],
        }
    ).encode()
    lines = tmp_path / "v12" / "metadata" / "registry.example" / "alpha.jsonl"
    lines.parent.mkdir(parents=True)
    whole = b"pnpm-meta-v1 %d %d\n" % (len(meta), len(index)) + meta + index + one + two
    lines.write_bytes(whole)
    documents = [json.loads(data) for data in npm_metadata.pnpm_documents(str(tmp_path), "alpha")]
    assert {tuple(document["versions"]) for document in documents} == {("1.0.0",), ("1.0.0", "1.0.1")}
    lines.write_bytes(whole[:-3])
    assert len(list(npm_metadata.pnpm_documents(str(tmp_path), "alpha"))) == 1
    berry_form = tmp_path / "metadata" / "npm" / "abc" / "registry.example" / "@s-alpha.json"
    berry_form.parent.mkdir(parents=True)
    berry_form.write_text('{"metadata":{"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{}}}}')
    (document,) = npm_metadata.yarn_documents(str(tmp_path), "@s/alpha")
    assert json.loads(document)["name"] == "@s/alpha"


def test_a_folder_of_archives(tmp_path: Path) -> None:
    for path in (
        "alpha-1.0.0.tgz",
        "s-alpha-1.0.0.tgz",
        "@s/alpha/alpha-1.0.0.tgz",
        "alpha/alpha-2.0.0.tgz",
        "+f/aa/x/beta_lib-1.0-py3-none-any.whl",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    folder = Folder(str(tmp_path))
    assert [Path(one.path).read_bytes() for one in folder.npm_archives("alpha", "1.0.0")] == [b"alpha-1.0.0.tgz"]
    assert [Path(one.path).read_bytes() for one in folder.npm_archives("@s/alpha", "1.0.0")] == [
        b"@s/alpha/alpha-1.0.0.tgz",
        b"s-alpha-1.0.0.tgz",
    ]
    assert folder.npm_versions("alpha") == ("1.0.0", "2.0.0")
    assert [Path(one.path).name for one in folder.python_archives("beta-lib", "1.0.0")] == [
        "beta_lib-1.0-py3-none-any.whl"
    ]
    assert list(folder.python_archives("beta-lib", "2")) == []


def test_documents_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "@s" / "alpha").mkdir(parents=True)
    (tmp_path / "@s" / "alpha" / "package.json").write_text('{"name":"@s/alpha","versions":{}}')
    (tmp_path / "alpha").mkdir()
    (tmp_path / "alpha" / "package.json").write_text('{"name":"alpha"}')
    (tmp_path / "simple" / "beta-lib").mkdir(parents=True)
    (tmp_path / "simple" / "beta-lib" / "index.html").write_text("<a>")
    folder = Folder(str(tmp_path))
    assert len(list(folder.npm_documents("@s/alpha"))) == 1
    assert list(folder.npm_documents("alpha")) == []
    assert len(list(folder.python_pages("beta-lib"))) == 1


def test_pips_cache_answers_for_an_address(tmp_path: Path) -> None:
    url = "https://files.example/alpha-1.0-py3-none-any.whl"
    digest = hashlib.sha224(url.encode()).hexdigest()
    place = tmp_path / "http-v2" / Path(*digest[:5]) / f"{digest}.body"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"wheel")
    held = python_caches.pip_archive(str(tmp_path), url)
    assert held is not None
    assert held.path == str(place)
    assert python_caches.pip_page(str(tmp_path), url) == b"wheel"
    assert python_caches.pip_archive(str(tmp_path), url + "x") is None
    built = tmp_path / "wheels" / "aa" / "bb" / "cc" / "dd" / "alpha-1.0-py3-none-any.whl"
    built.parent.mkdir(parents=True)
    built.write_bytes(b"x")
    assert [one.copy for one in python_caches.pip_wheels(str(tmp_path), "alpha", "1.0.0")] == [True]


def test_installed_copies(tmp_path: Path) -> None:
    for path, version in (("alpha", "1.0.0"), (".pnpm/@s+beta@2.0.0/node_modules/@s/beta", "2.0.0")):
        (tmp_path / path).mkdir(parents=True)
        name = "alpha" if path == "alpha" else "@s/beta"
        (tmp_path / path / "package.json").write_text(json.dumps({"name": name, "version": version}))
    assert len(list(npm_copies([str(tmp_path)], "alpha", "1.0.0"))) == 1
    assert len(list(npm_copies([str(tmp_path)], "@s/beta", "2.0.0"))) == 1
    assert list(npm_copies([str(tmp_path)], "alpha", "2.0.0")) == []
    info = tmp_path / "gamma-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("gamma.py,,\ngone.py,,\n../../bin/x,,\ngamma-1.0.dist-info/RECORD,,\n")
    (tmp_path / "gamma.py").write_text("1")
    (held,) = python_copies([str(tmp_path)], "gamma", "1.0.0")
    opened = open_installed(held.path)
    assert set(opened.members) == {"gamma.py", "gamma-1.0.dist-info/RECORD"}
    assert opened.read("gamma.py") == b"1"
    assert [one.path for one in opened.refusals if one.relevant] == ["gone.py"]


def test_a_zip_that_yarn_made(tmp_path: Path) -> None:
    import zipfile

    from pratique.model.errors import TargetError

    path = tmp_path / "@s-alpha-npm-1.0.0-0123456789-10c0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("node_modules/@s/alpha/package.json", "{}")
        archive.writestr("node_modules/other/x.js", "1")
    assert npm_caches.yarn_versions(str(tmp_path), "@s/alpha") == ["1.0.0"]
    (held,) = npm_caches.yarn_archives(str(tmp_path), "@s/alpha", "1.0.0")
    opened = berry.open_zip_of_yarn(held.path, "@s/alpha")
    assert list(opened.members) == ["package.json"]
    assert opened.read("package.json") == b"{}"
    opened.close()
    path.write_bytes(b"PK")
    with pytest.raises(TargetError):
        berry.open_zip_of_yarn(str(path), "@s/alpha")


def test_digests_and_names() -> None:
    assert digests_of(f"{sri(b'a')} sha1-!! md5-AAAA") == {"sha512": frozenset({hashlib.sha512(b"a").hexdigest()})}
    assert not any(plain(text) for text in ("", ".", "..", "a/b", "a\0", "a*", "a\\b"))
    assert plain("@s+alpha")
