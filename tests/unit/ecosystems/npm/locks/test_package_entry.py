"""What npm's lockfile says of one release: its address."""

from __future__ import annotations

import pytest

from pratique.ecosystems.npm.locks.package_entry import derived
from pratique.model.repair import LockedRelease


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://mirror.test/npm/axios/-/axios-1.14.1.tgz", "https://mirror.test/npm/axios/-/axios-1.14.0.tgz"),
        (
            "https://host.test/artifactory/api/npm/all/axios/-/axios-1.14.1.tgz?x=1",
            "https://host.test/artifactory/api/npm/all/axios/-/axios-1.14.0.tgz",
        ),
        (f"http://m.test/axios/-/axios-1.14.1.tgz#{'a' * 40}", f"http://m.test/axios/-/axios-1.14.0.tgz#{'b' * 40}"),
        ("http://m.test/axios/download/axios-1.14.1.tgz", "http://m.test/axios/download/axios-1.14.0.tgz"),
        ("http://m.test/download/axios/1.14.1/" + "c" * 64, None),
        ("http://own.test/some/1", "http://own.test/some/other"),
    ],
)
def test_the_host_and_form_of_an_address_stay(address: str, wanted: str | None) -> None:
    release = LockedRelease(
        name="axios", version="1.14.0", manifest={}, sha1="b" * 40, tarball="http://own.test/some/other"
    )
    assert derived(address, "axios", "1.14.1", release) == wanted
