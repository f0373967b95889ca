"""Archives that grow: zip files in caches, gzip of a state file, and databases that promise more than they hold."""

from __future__ import annotations

import functools
import gzip
import io
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.examine import examined

CACHE = Path(".yarn/cache")
ENTRY = "plain-crypto-js-npm-4.2.1-de5f76faef-10c0.zip"
MANIFEST = b'{"name": "plain-crypto-js", "version": "4.2.1"}'
MEMBER = "node_modules/plain-crypto-js/package.json"
GROWTH = 150_000
"""Kilobytes that the process may grow by while it meets a bomb."""


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1984, 6, 22, 21, 50, 0)), data, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


@functools.cache
def bombs() -> dict[str, bytes]:
    """Archives by what is wrong with them."""
    zeros = b"\0" * (64 << 20)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packed.compress(zeros) + packed.flush()
    whole = zipped({MEMBER: MANIFEST})
    lying = bytearray(zipped({MEMBER: MANIFEST * 100}))
    directory = lying.rindex(b"PK\x01\x02")
    lying[directory + 24 : directory + 28] = struct.pack("<I", 10)
    large = zipped({MEMBER: b" " * (64 << 20)})
    return {
        "one-large-manifest": large,
        "large-file-beside": zipped({MEMBER: MANIFEST, "node_modules/plain-crypto-js/x": zeros}),
        "many-members": zipped({f"node_modules/plain-crypto-js/{n}/package.json": b"{}" for n in range(20_000)}),
        "size-that-lies": bytes(lying),
        "tail-cut": whole[:-8],
        "many-end-records": whole + b"PK\x05\x06" * 50_000,
        "nested": zipped({MEMBER: MANIFEST, "inner.zip": large}),
        "name-that-climbs": zipped({"../../../../tmp/package.json": MANIFEST, MEMBER: MANIFEST}),
        "raw-deflate": one[: 1 << 20],
        "count-that-lies": whole[:-12] + struct.pack("<HHIIH", 65535, 65535, 1 << 31, 0, 0)[:12],
    }


LABELS = (
    "one-large-manifest",
    "large-file-beside",
    "many-members",
    "size-that-lies",
    "tail-cut",
    "many-end-records",
    "nested",
    "name-that-climbs",
    "raw-deflate",
    "count-that-lies",
)


@pytest.mark.parametrize("label", LABELS)
def test_zip_bomb_in_a_yarn_cache(label: str, tmp_path: Path) -> None:
    (tmp_path / CACHE).mkdir(parents=True)
    (tmp_path / CACHE / ENTRY).write_bytes(bombs()[label])
    assert set(bombs()) == set(LABELS)
    before = peak()
    report = examined(tmp_path, seconds=10)
    assert report.exit_code in (4, 10)
    assert peak() - before < GROWTH
    assert not Path("/tmp/package.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: gzip.compress(b"\xff\x0f" + b"\0" * (100 << 20), 9), id="zeros"),
        pytest.param(lambda: gzip.compress(gzip.compress(b"\0" * (100 << 20), 9), 9), id="twice"),
        pytest.param(lambda: b"".join([gzip.compress(b"\xff\x0fo")] * 50_000), id="many-members"),
        pytest.param(lambda: gzip.compress(b"\xff\x0f" + b"o" * 2_000_000), id="deep-objects"),
        pytest.param(lambda: gzip.compress(b"\xff\x0f;" + b'"\x01a' * 2_000_000), id="many-keys"),
        pytest.param(lambda: gzip.compress(b"\xff\x0fA\xff\xff\xff\xff\x0f"), id="huge-array"),
        pytest.param(lambda: gzip.compress(b'\xff\x0f"\xff\xff\xff\xff\x0f'), id="huge-text"),
        pytest.param(lambda: gzip.compress(b"x" * 1000)[:-9], id="cut"),
    ],
)
def test_gzip_bomb_in_an_install_state(content: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / ".yarn").mkdir()
    (tmp_path / ".yarn/install-state.gz").write_bytes(content())
    before = peak()
    report = examined(tmp_path, seconds=15)
    assert report.exit_code == 4
    assert peak() - before < 3 * GROWTH
