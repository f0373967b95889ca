"""Whether a wheel is what it says: its name and version, its list of files with their digests, its top folders."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.files import release_of_info
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Refusal
from pratique.model.release import Fact, Release, Value
from pratique.releases.python import gate
from pratique.releases.python.building import Keyed
from pratique.releases.python.import_names import modules_of
from pratique.releases.python.metadata import Metadata, refusal, text_of
from pratique.releases.python.source import shortened

_MOST = 20
_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
_ROOT = re.compile(r"(?:src/)?|[^/]+\.data/(?:purelib|platlib)/")


def identity(release: Release, metadata: Metadata) -> Iterator[Keyed]:
    """Where a release calls itself otherwise than what was asked for, or its folder of metadata does."""
    stated = metadata.fields
    pairs = [("name", stated.get("name", ""), release.name, _same_name), ("version", stated.get("version", ""),
             release.version, _same_version)]  # fmt: skip
    folder = metadata.path.partition("/")[0]
    named = release_of_info(folder)
    if named is not None:
        pairs.append(("folder name", named[0], release.name, _same_name))
        pairs.append(("folder version", named[1].replace("_", "-"), release.version, _same_version))
    for field, said, expected, same in pairs:
        if said and expected and not same(said, expected):
            attributes: dict[str, Value] = {"field": field, "stated": said[:120], "expected": expected[:120]}
            fact = metadata.fact("manifest.identity", 0, f"{field}: {said}", attributes)
            yield ("manifest.identity", field), fact


def _same_name(one: str, other: str) -> bool:
    return normalise(one) == normalise(other)


def _same_version(one: str, other: str) -> bool:
    from packaging.version import InvalidVersion, Version

    if len(one) > 200 or len(other) > 200:
        return one == other
    try:
        return Version(one) == Version(other)
    except (InvalidVersion, ValueError):  # ValueError: a number of more digits than Python converts
        return one == other


def listed(release: Release) -> Iterator[Keyed | Refusal]:
    """Files of a wheel that its RECORD does not list, lists with another digest, or lists and are not there."""
    if release.files.form != "wheel":
        return
    members = release.files.members
    paths = [path for path in members if re.fullmatch(r"[^/]+\.dist-info/RECORD", path)]
    if len(paths) != 1:
        yield refusal("RECORD", "the wheel has none" if not paths else "the wheel has several")
        return
    path = paths[0]
    text = text_of(release, path)
    if isinstance(text, Refusal):
        yield text
        return
    stated: dict[str, str] = {}
    try:
        for row in csv.reader(text.splitlines()):
            if len(row) >= 2:
                stated[row[0].replace("\\", "/")] = row[1]
    except csv.Error:
        yield refusal(path, "is no list of comma-separated values")
        return
    own = path.rpartition("/")[0]
    wrong: list[tuple[str, str, str]] = []
    for name, member in members.items():
        if name in (f"{own}/{one}" for one in _SIGNATURES):
            continue
        if name not in stated:
            wrong.append(("RECORD", "", name))
            continue
        kind, _, digest = stated[name].partition("=")
        if kind == "sha256" and _hexadecimal(digest) != member.sha256:
            wrong.append(("RECORD digest", digest, name))
    wrong += [("RECORD missing", name, "") for name in stated if name not in members and not name.endswith("/")]
    for field, said, expected in wrong[:_MOST]:
        attributes: dict[str, Value] = {"field": field, "stated": said[:160], "expected": expected[:160]}
        place = expected or path
        digest = members[place].sha256 if place in members else ""
        fact = Fact(
            "manifest.identity", place, 0, shortened(f"{field}: {expected or said}"), digest, attributes=attributes
        )
        yield ("manifest.identity", field, expected or said), fact
    if len(wrong) > _MOST:
        yield refusal(path, f"differs from the wheel in {len(wrong)} files, of which {_MOST} are told")


def _hexadecimal(digest: str) -> str:
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""


def foreign(release: Release) -> Iterator[Keyed]:
    """Top folders and modules of a wheel that are called like Python's own, or like another, popular distribution."""
    if release.files.form != "wheel":
        return
    from pratique.releases.names import popular

    listed_names = popular("PyPI")
    own = modules_of(release.name)
    told: set[str] = set()
    for path in release.files.members:
        rest = _ROOT.match(path)
        inner = path[rest.end() :] if rest else path
        first, slash, _ = inner.partition("/")
        if ("." in first and not first.endswith(".py")) or first.endswith((".data", ".dist-info")):
            continue
        module = first.removesuffix(".py")
        if module in told or not module.isidentifier() or (not slash and not first.endswith(".py")):
            continue
        told.add(module)
        of = "python" if module in gate.STANDARD else ""
        rank = listed_names.rank(normalise(module))
        if not of and 0 < rank <= 2000 and module.lower() not in own and normalise(module) != normalise(release.name):
            of = normalise(module)
        if of:
            attributes: dict[str, Value] = {"module": module, "of": of}
            digest = release.files.members[path].sha256
            yield ("manifest.shadow", module), Fact("manifest.shadow", path, 0, module, digest, attributes=attributes)
