"""What the readers of Python's formats make of single files."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import msgspec
import pytest

from pratique.model.location import Inside
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.pypi import (
    archives,
    conda_history,
    installed,
    pip_cache,
    pipfile,
    pipfile_lock,
    pyproject,
    record,
    requirements,
    requirements_folder,
    requirements_suffixed,
    setup_cfg,
    startup,
    uv_cache,
)
from tests.golden.harness import in_memory, plain
from tests.standins.python_packages import RELEASES, sdist, wheel

LITELLM = Interest({"PyPI": frozenset({"litellm"})})


def facts(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["facts"]["name"], item["facts"].get("version") or item["facts"].get("range")) for item in records]


def reasons(records: list[dict[str, Any]]) -> list[str]:
    return [item["reason"] for item in records if "reason" in item]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("litellm==1.82.8".encode("utf-16"), "==1.82.8"),
        (b"\xef\xbb\xbflitellm==1.82.8", "==1.82.8"),
        ("# coding: latin-1\n# caf\xe9\nlitellm==1.82.8".encode("latin-1"), "==1.82.8"),
        (b"# caf\xe9 without a coding line\r\nlitellm==1.82.8\r\n", "==1.82.8"),
        (b"LiteLLM[proxy]==1.82.8 # why", "==1.82.8"),
        (b"litellm==1.82.8;python_version>'3'", "==1.82.8"),
    ],
)
def test_encodings_and_spellings(data: bytes, expected: str) -> None:
    found = plain(requirements.READER, in_memory(data, "requirements.txt"), LITELLM)
    assert facts(found) == [("litellm", expected)]


def test_a_secret_in_a_requirement_is_not_told() -> None:
    text = b"--index-url https://u:hunter2@h.test/\n-r https://u:hunter2@h.test/r.txt\nlitellm @ https://u:hunter2@h.test/litellm-1.82.8.tar.gz?t=hunter2\n"
    found = plain(requirements.READER, in_memory(text, "requirements.txt"), LITELLM)
    assert facts([item for item in found if "facts" in item]) == [("litellm", "==1.82.8")]
    assert reasons(found) == ["line 2 includes a file that does not lie here"]
    assert "hunter2" not in str(found)


def test_a_file_is_read_by_one_of_the_three_readers() -> None:
    for path, owner in (
        ("requirements.txt", requirements),
        ("requirements-dev.txt", requirements),
        ("requirements/requirements-dev.txt", requirements),
        ("dev-requirements.txt", requirements_suffixed),
        ("requirements/dev-requirements.txt", requirements_suffixed),
        ("requirements/base.txt", requirements_folder),
    ):
        readers = [requirements] if requirements.by_prefix(path.rpartition("/")[2]) else []
        for module in (requirements_suffixed, requirements_folder):
            if plain(module.READER, in_memory(b"litellm==1.82.8", path), LITELLM):
                readers.append(module)
        if owner is requirements_suffixed:
            assert owner in readers
        assert owner in readers
        assert requirements not in readers or readers == [requirements]


def test_installed_packages_requirements_are_their_authors() -> None:
    path = "v/lib/python3.11/site-packages/x/requirements.txt"
    assert plain(requirements.READER, in_memory(b"litellm==1.82.8", path), LITELLM) == []
    path = "v/lib/python3.11/site-packages/x/pyproject.toml"
    assert plain(pyproject.READER, in_memory(b'[project]\ndependencies=["litellm"]', path), LITELLM) == []


def in_archive(data: bytes, outer: str, member: str) -> Artifact:
    item = in_memory(data, member)
    return msgspec.structs.replace(
        item,
        outer=outer,
        inside=(Inside("member", "", member),),
        container=lambda: ("sha256:" + "0" * 64,),
    )


METADATA = b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\nbody\n"


@pytest.mark.parametrize(
    ("outer", "member", "depth", "record_kind"),
    [
        ("x.whl", "litellm-1.82.8.dist-info/METADATA", "fetched", "archive"),
        ("function.zip", "litellm-1.82.8.dist-info/METADATA", "installed", "installed-record"),
        (
            "disk.tar",
            "v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA",
            "installed",
            "installed-record",
        ),
        ("x.tar.gz", "litellm-1.82.8/PKG-INFO", "fetched", "archive"),
    ],
)
def test_metadata_in_archives(outer: str, member: str, depth: str, record_kind: str) -> None:
    found = plain(installed.READER, in_archive(METADATA, outer, member), LITELLM)
    assert [(item["facts"]["depth"], item["facts"]["record"]) for item in found] == [(depth, record_kind)]
    assert bool(found[0]["facts"].get("integrity")) is (record_kind == "archive")


def test_the_record_of_a_wheel_is_no_install() -> None:
    listing = b"litellm/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
    path = "litellm-1.82.8.dist-info/RECORD"
    assert plain(record.READER, in_archive(listing, "litellm-1.82.8-py3-none-any.whl", path), LITELLM) == []
    assert plain(record.READER, in_memory(listing, f"archive-v0/x/{path}"), LITELLM) == []
    assert len(plain(record.READER, in_memory(listing, f"v/site-packages/{path}"), LITELLM)) == 1


def test_paths_of_a_record_never_leave_its_folder() -> None:
    rows, reason = record.listed(
        "../../bin/x,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n/etc/passwd,,\nC:\\x.py,,\na.py,md5=x,1\n"
    )
    assert rows == [("a.py", "")]
    assert reason is None


def test_metadata_that_cannot_be_read_still_tells_by_its_folder() -> None:
    def fail() -> bytes:
        raise Unreadable("permission denied")

    item = msgspec.structs.replace(in_memory(b"", "v/litellm-1.82.8.dist-info/METADATA"), content=fail)
    found = plain(installed.READER, item, LITELLM)
    assert [entry.get("facts", {}).get("record") for entry in found] == ["folder-name", None]
    assert found[1]["relevant"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"import os\n", "os"),
        (b"import\tx.y\n", "x.y"),
        (b"\xef\xbb\xbfimport os\n", "os"),
        (b"# c\r\nimport os; x\r\n", "os"),
        (b"import os\rimport sys", "os"),
        (b"/path\x0cimport os\n", "os"),
        ("/path\u2028import os\n".encode(), "os"),
        (b" import os\n", None),
        (b"important\n/path\n", None),
        (b"", None),
    ],
)
def test_lines_that_run(text: bytes, expected: str | None) -> None:
    found = plain(startup.READER, in_memory(text, "v/lib/python3.12/site-packages/x.pth"), LITELLM)
    assert [item["facts"].get("program") for item in found] == ([expected] if expected else [])
    assert plain(startup.READER, in_memory(text, "models/x.pth"), LITELLM) == []


def test_site_packages_itself_may_be_the_target() -> None:
    item = msgspec.structs.replace(in_memory(b"import os\n", "x.pth"), target="file:///v/site-packages")
    assert len(plain(startup.READER, item, LITELLM)) == 1


@pytest.mark.parametrize("make", [wheel, sdist])
def test_archives_tell_their_release_by_themselves(make: Any) -> None:
    release = next(item for item in RELEASES if item[:2] == ("litellm", "1.82.8"))
    name = "http-v2/0/1/2/3/4/" + "0" * 56 + ".body"
    found = plain(pip_cache.READER, in_memory(make(release)[1], name), LITELLM)
    assert facts(found) == [("litellm", "1.82.8")]
    assert plain(pip_cache.READER, in_memory(make(release)[1], name), Interest({"PyPI": frozenset({"ctx"})})) == []
    cut = plain(pip_cache.READER, in_memory(make(release)[1][:40], name), LITELLM)
    assert reasons(cut) or make is sdist
    assert plain(pip_cache.READER, in_memory(b"<html>", name), LITELLM) == []


def test_a_part_of_a_file() -> None:
    part = archives.Part(io.BytesIO(b"0123456789"), 2, 5)
    assert part.read() == b"23456"
    assert part.seek(-2, 2) == 3
    assert part.read(9) == b"56"
    assert part.seek(1) == 1
    assert part.seek(1, 1) == 2
    assert part.read(1) == b"4"


def test_first_value_of_messagepack() -> None:
    data = msgspec.msgpack.encode(["a", 1])
    assert uv_cache.first_value(data) == ["a", 1]
    assert uv_cache.first_value(data + b"tail" + len(data).to_bytes(8, "little")) == ["a", 1]
    assert uv_cache.first_value(b"\xc1") is None
    assert uv_cache.first_value(b"") is None


AWAY = "https://registry.example/archive.zip"


@pytest.mark.parametrize(
    ("reader", "path", "text", "reason"),
    [
        (pyproject.READER, "pyproject.toml", '[project]\ndependencies = ["LiteLLM >= 1 ??"]', pyproject.NOT_UNDERSTOOD),
        (pyproject.READER, "pyproject.toml", f'[project]\ndependencies = ["litellm @ {AWAY}"]', pyproject.NO_VERSION),
        (
            pyproject.READER,
            "pyproject.toml",
            f'[tool.poetry.dependencies]\nlitellm = {{url = "{AWAY}"}}',
            pyproject.NO_VERSION,
        ),
        (pipfile.READER, "Pipfile", f'[packages]\nlitellm = {{file = "{AWAY}"}}', pyproject.NO_VERSION),
        (
            pipfile_lock.READER,
            "Pipfile.lock",
            f'{{"_meta": {{}}, "default": {{"litellm": {{"file": "{AWAY}"}}}}}}',
            "names a package without its version",
        ),
        (setup_cfg.READER, "setup.cfg", "[options]\ninstall_requires =\n  litellm=>1\n", pyproject.NOT_UNDERSTOOD),
        (requirements.READER, "requirements.txt", f"litellm @ {AWAY}\n", f"line 1 {pyproject.NO_VERSION}"),
    ],
)
def test_a_requirement_that_tells_no_version_is_a_gap(reader: Reader, path: str, text: str, reason: str) -> None:
    found = plain(reader, in_memory(text.encode(), path), LITELLM)
    assert [(item["reason"], item["relevant"], item["names"]) for item in found] == [(reason, True, ["litellm"])]
    assert plain(reader, in_memory(text.encode(), path), Interest({"PyPI": frozenset({"ctx"})})) == []


def test_sources_without_a_release_are_no_gap() -> None:
    text = '[project]\ndependencies = ["litellm @ git+https://registry.example/litellm", "litellm @ file:///litellm"]'
    assert plain(pyproject.READER, in_memory(text.encode(), "pyproject.toml"), LITELLM) == []


def test_an_archive_in_a_pipfile_tells_its_version() -> None:
    text = b'[packages]\nlitellm = {file = "https://registry.example/litellm-1.82.8.tar.gz"}'
    assert facts(plain(pipfile.READER, in_memory(text, "Pipfile"), LITELLM)) == [("litellm", "==1.82.8")]


def test_requirements_of_setuptools_on_one_line_stand_between_semicolons() -> None:
    text = b"[options]\ninstall_requires = harbour; litellm==1.82.8\n"
    assert facts(plain(setup_cfg.READER, in_memory(text, "setup.cfg"), LITELLM)) == [("litellm", "==1.82.8")]


def test_the_refusals_of_many_lines_leave_no_name_out() -> None:
    interest = Interest({"PyPI": frozenset({"litellm", "ctx", "absent"})})
    text = b"litellm=>1\n" * 30
    found = plain(requirements.READER, in_memory(text + b"ctx=>1\n", "requirements.txt"), interest)
    assert len(found) == 21
    assert (found[-1]["reason"], found[-1]["names"]) == (
        "has 11 more lines that were not understood",
        ["ctx", "litellm"],
    )
    found = plain(
        requirements.READER, in_memory(text + b"-r https://registry.example/r.txt\n", "requirements.txt"), interest
    )
    assert not found[-1].get("names")


@pytest.mark.parametrize(
    ("text", "told", "why"),
    [
        (b"+https://conda.example/forge/noarch::litellm-1.82.8-py_0\n", [("litellm", "1.82.8")], []),
        (b"+litellm-1.82.8\n", [], ["line 1 installs a package in a way that was not understood"]),
        (b"+other-1.82.8\n", [], []),
        (b"+noarch::litellm-1.82.8-py_0", [("litellm", "1.82.8")], ["ends in the middle of a line"]),
    ],
)
def test_lines_of_conda(text: bytes, told: list[tuple[str, str]], why: list[str]) -> None:
    found = plain(conda_history.READER, in_memory(text, "e/conda-meta/history"), LITELLM)
    assert facts([item for item in found if "facts" in item]) == told
    assert reasons(found) == why


def test_what_a_cache_holds_without_a_release() -> None:
    name = "http-v2/0/1/2/3/4/" + "0" * 56 + ".body"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("main/setup.py", "")
    assert reasons(plain(pip_cache.READER, in_memory(held.getvalue(), name), LITELLM)) == [
        "is a zip file that tells no release"
    ]
    assert plain(pip_cache.READER, in_memory(gzip.compress(b"<html>" * 99), name), LITELLM) == []
    assert reasons(plain(pip_cache.READER, in_memory(gzip.compress(bytes(9000)), name), LITELLM)) == [
        "is packed in a way that tells no release"
    ]
