"""Codecs of lockfiles on files that the real clients wrote: what changes, what stays, and what never happens."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.ecosystems.locks import codecs, codecs_of
from pratique.model.observation import ComponentFact
from pratique.model.ports import Artifact, Interest
from pratique.model.repair import Change, Correction, LockedRelease, Repaired, Unrepairable
from pratique.readers.discovery import load, modules
from tests.standins import python_packages
from tests.standins.packages import ALL

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "readers"
PAIRS = {
    "yarn-classic": "npm/yarn-lock",
    "yarn-berry": "npm/yarn-lock",
    "bun-lock": "npm/bun-lock",
    "uv-lock": "pypi/uv-lock",
    "poetry-lock": "pypi/poetry-lock",
    "pdm-lock": "pypi/pdm-lock",
    "pipfile-lock": "pypi/pipfile-lock",
    "pylock": "pypi/pylock",
    "requirements": "pypi/requirements",
}
"""Codec and the folder of real files of its format."""

CORRECTIONS = (
    Correction(name="axios", bad=frozenset({"1.14.1", "0.30.4"}), good=("1.14.0", "0.30.3")),
    Correction(name="plain-crypto-js", bad=frozenset({"4.2.1"})),
    Correction(name="litellm", bad=frozenset({"1.82.7", "1.82.8"}), good=("1.82.6",), ecosystem="PyPI"),
)
BAD = {
    ("axios", "1.14.1"),
    ("axios", "0.30.4"),
    ("plain-crypto-js", "4.2.1"),
    ("litellm", "1.82.7"),
    ("litellm", "1.82.8"),
}


def releases(name: str, version: str) -> LockedRelease | None:
    """The stand-ins, as their registries would tell of them."""
    for item in ALL:
        if (item.name, item.version) == (name, version):
            manifest = dict(item.manifest)
            return LockedRelease(
                name=name, version=version, manifest=manifest, integrity=item.integrity, sha1=item.shasum
            )
    for release in python_packages.RELEASES:
        if release[:2] == (name, version):
            files = []
            for make in (python_packages.wheel, python_packages.sdist):
                file, data = make(release)
                url = f"https://registry.example/files/{file}"
                files.append({"filename": file, "url": url, "hashes": {"sha256": hashlib.sha256(data).hexdigest()}})
            manifest = {"files": files, "requires_dist": list(release[2]), "requires_python": ">=3.8"}
            return LockedRelease(name=name, version=version, manifest=manifest)
    return None


def real_files() -> list[tuple[str, Path]]:
    """Codec and every real file that it is for."""
    out = []
    for folder in sorted(set(PAIRS.values())):
        for path in sorted((GOLDEN / folder).glob("*/input/**/*")):
            if path.is_file():
                out += [(c.name, path) for c in codecs_of(str(path), path.read_bytes()) if PAIRS.get(c.name) == folder]
    return out


FILES = real_files()
READERS = {reader.name: reader for module in modules() if (reader := load(module))}
BY_NAME = {codec.name: codec for codec in codecs()}


def facts(name: str, path: Path, content: bytes) -> list[ComponentFact]:
    """What the reader of the format sees in a content."""
    reader = READERS[PAIRS[name].rpartition("/")[2]]
    artifact = Artifact("file:///x", path.name, lambda: content, lambda: None, lambda suffix: None)
    found = reader.read(artifact, Interest({}, everything=True))
    return [fact for item in found if isinstance(fact := getattr(item, "facts", None), ComponentFact)]


def listed(name: str, path: Path, content: bytes) -> set[tuple[str, str]]:
    """The listed releases that the reader of the format sees."""
    return {(fact.name, fact.version) for fact in facts(name, path, content)} & BAD


def test_every_format_has_one_codec() -> None:
    names = [codec.name for codec in codecs()]
    assert len(set(names)) == len(names)
    assert set(PAIRS) <= set(names)
    assert "workflow" in names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("web/yarn.lock", ["yarn-classic"]),
        ("bun.lock", ["bun-lock"]),
        ("pylock.docs.toml", ["pylock"]),
        ("requirements-dev.txt", ["requirements"]),
        ("dev_requirements.txt", ["requirements"]),
        ("constraints.txt", ["requirements"]),
        ("notes.txt", []),
        (".github/workflows/ci.yml", ["workflow"]),
        ("workflows/ci.yml", []),
    ],
)
def test_a_codec_is_found_by_the_path(path: str, names: list[str]) -> None:
    assert [codec.name for codec in codecs_of(path)] == names


@pytest.mark.parametrize(
    ("name", "path"), FILES, ids=lambda value: value if isinstance(value, str) else value.parts[-4]
)
def test_nothing_listed_is_left_and_a_second_repair_does_nothing(name: str, path: Path) -> None:
    content = path.read_bytes()
    out = BY_NAME[name].repair(content, CORRECTIONS, releases)
    if isinstance(out, Unrepairable):
        told = re.compile("truncated|conflict|grammar|berry-sources|shipped-in-package|pnp|formats|workspace")
        assert told.search(str(path)), out.reason
        return
    assert listed(name, path, out.content) == set()
    assert bool(out.changes) == (out.content != content)
    assert bool(out.changes) == bool(listed(name, path, content)) or b"litellm==1.82.8\n" in content
    again = BY_NAME[name].repair(out.content, CORRECTIONS, releases)
    assert again == Repaired(content=out.content, changes=())
    before = {fact for fact in facts(name, path, content) if (fact.name, fact.version) not in BAD}
    kept = {(fact.name, fact.version, fact.integrity) for fact in before}
    assert kept <= {(fact.name, fact.version, fact.integrity) for fact in facts(name, path, out.content)}


@pytest.mark.parametrize(
    ("name", "path"), FILES, ids=lambda value: value if isinstance(value, str) else value.parts[-4]
)
def test_line_ends_stay(name: str, path: Path) -> None:
    content = path.read_bytes()
    out = BY_NAME[name].repair(content, CORRECTIONS, releases)
    if isinstance(out, Unrepairable) or b"\r" in content:
        return
    turned = BY_NAME[name].repair(content.replace(b"\n", b"\r\n"), CORRECTIONS, releases)
    assert isinstance(turned, Repaired)
    assert turned.content == out.content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("name", sorted(PAIRS))
@given(seed=st.data())
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_an_answer(name: str, seed: st.DataObject) -> None:
    path = seed.draw(st.sampled_from([path for codec, path in FILES if codec == name]))
    content = bytearray(path.read_bytes())
    cut = seed.draw(st.integers(0, len(content)))
    end = seed.draw(st.integers(cut, min(len(content), cut + 40)))
    content[cut:end] = seed.draw(st.binary(max_size=8) | st.sampled_from([b"", b"\n", b'"', b"]", b"}", b",", b"\\"]))
    if seed.draw(st.booleans()):
        del content[seed.draw(st.integers(0, len(content))) :]
    out = BY_NAME[name].repair(bytes(content), CORRECTIONS, releases)
    if isinstance(out, Repaired) and not out.changes:
        assert out.content == bytes(content)


def test_nothing_is_known_of_the_good_release() -> None:
    for name, path in FILES:
        out = BY_NAME[name].repair(path.read_bytes(), CORRECTIONS, lambda name, version: None)
        assert isinstance(out, Unrepairable) or not out.changes or "hash" not in path.read_text()


CLASSIC = b"""# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.
# yarn lockfile v1


"@standin/redirects@^1.2.0":
  version "1.2.0"
  resolved "https://registry.example/@standin/redirects/-/redirects-1.2.0.tgz#78"
  integrity sha512-TgS7eqQ==

axios@1.14.1, axios@^1.14.0:
  version "1.14.1"
  resolved "https://mirror.test/npm/axios/-/axios-1.14.1.tgz#ea"
  integrity sha512-TH5PSA==
  dependencies:
    "@standin/redirects" "^1.2.0"
    plain-crypto-js "^4.2.1"

axios@~1.14.0-0:
  version "1.14.0"
  resolved "https://mirror.test/npm/axios/-/axios-1.14.0.tgz#e9"
  integrity sha512-PkIE5U==
  dependencies:
    "@standin/redirects" "^1.2.0"

plain-crypto-js@^4.2.1:
  version "4.2.1"
  resolved "https://mirror.test/npm/plain-crypto-js/-/plain-crypto-js-4.2.1.tgz#f8"
  integrity sha512-Kt==
"""


def classic(content: bytes) -> Repaired | Unrepairable:
    return BY_NAME["yarn-classic"].repair(content, CORRECTIONS, releases)


def test_patterns_join_the_entry_of_the_good_version_and_a_pin_follows_the_manifest() -> None:
    out = classic(CLASSIC)
    assert isinstance(out, Repaired)
    text = out.content.decode()
    assert "\naxios@1.14.0, axios@^1.14.0, axios@~1.14.0-0:\n" in text
    assert text.count('version "1.14.0"') == 1
    assert "plain-crypto-js" not in text
    assert out.content.endswith(b'  dependencies:\n    "@standin/redirects" "^1.2.0"\n')
    assert [change.entry for change in out.changes] == ["axios@1.14.0, axios@^1.14.0", "plain-crypto-js@^4.2.1"]


def test_a_dependant_that_asks_for_nothing_else_is_told() -> None:
    more = CLASSIC + b'\nwrapper@^1.0.0:\n  version "1.0.0"\n  dependencies:\n    axios "1.14.1"\n'
    out = classic(more)
    assert isinstance(out, Unrepairable)
    assert "wrapper@^1.0.0 asks for axios@1.14.1" in out.reason


def test_a_payload_that_another_package_asks_for_is_told() -> None:
    more = CLASSIC + b'\nwrapper@^1.0.0:\n  version "1.0.0"\n  dependencies:\n    plain-crypto-js "^4.2.1"\n'
    out = classic(more)
    assert isinstance(out, Unrepairable)
    assert "plain-crypto-js" in out.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"# yarn lockfile v1", b"# yarn lockfile v9"), "version line"),
        ((b"axios@1.14.1, ", b"axios@https://x.test/axios-1.14.1.tgz, "), "by name"),
        ((b"integrity sha512-Kt==\n", b"integrity sha512-Kt=="), "middle of a line"),
        ((b"\naxios@~1.14", b"\n<<<<<<< ours\naxios@~1.14"), "merge conflict"),
    ],
)
def test_what_cannot_be_repaired_is_told(change: tuple[bytes, bytes], reason: str) -> None:
    out = classic(CLASSIC.replace(*change))
    assert isinstance(out, Unrepairable)
    assert reason in out.reason


def test_bun_binary_is_told_with_the_command() -> None:
    binary = next(GOLDEN.glob("npm/bun-lockb/*/input/**/bun.lockb")).read_bytes()
    out = BY_NAME["bun-lock"].repair(binary, CORRECTIONS, releases)
    assert isinstance(out, Unrepairable)
    assert "bun install --save-text-lockfile" in out.reason


def test_yarn_berry_takes_a_checksum_that_is_known() -> None:
    path = next(GOLDEN.glob("npm/yarn-lock/yarn-4.18-ran/input/yarn.lock"))

    def more(name: str, version: str) -> LockedRelease | None:
        found = releases(name, version)
        if found is None:
            return None
        manifest = {**found.manifest, "checksums": {"10c0": "3de114"}}
        return LockedRelease(name=name, version=version, manifest=manifest, integrity=found.integrity)

    out = BY_NAME["yarn-berry"].repair(path.read_bytes(), CORRECTIONS, more)
    assert isinstance(out, Repaired)
    assert b"\n  checksum: 10c0/3de114\n" in out.content


BERRY_PIN = (
    (b"axios@npm:^1.14.0", b"axios@npm:1.14.1"),
    (b'axios: "npm:^1.14.0"', b'axios: "npm:1.14.1"'),
)


def test_a_pin_of_the_project_follows_in_yarn_berry_and_bun() -> None:
    content = next(GOLDEN.glob("npm/yarn-lock/yarn-4.18-ran/input/yarn.lock")).read_bytes()
    for old, new in BERRY_PIN:
        content = content.replace(old, new)
    out = BY_NAME["yarn-berry"].repair(content, CORRECTIONS, releases)
    assert isinstance(out, Repaired)
    assert b'"axios@npm:1.14.0":' in out.content
    assert b'axios: "npm:1.14.0"' in out.content
    assert b"1.14.1" not in out.content
    content = next(GOLDEN.glob("npm/bun-lock/bun-1.4-ran/input/bun.lock")).read_bytes()
    out = BY_NAME["bun-lock"].repair(
        content.replace(b'"axios": "^1.14.0"', b'"axios": "1.14.1"'), CORRECTIONS, releases
    )
    assert isinstance(out, Repaired)
    assert b'"axios": "1.14.0"' in out.content
    assert b"1.14.1" not in out.content


def workflow(text: str, good: tuple[str, ...] = ("v45.0.9",)) -> Repaired | Unrepairable:
    bad = frozenset({"0e58ed8671d6b60d0890c21b07f8835ace038e67"})
    correction = Correction(name="tj-actions/changed-files", bad=bad, good=good, ecosystem="GitHub Actions")
    commit = "a" * 40

    def known(name: str, version: str) -> LockedRelease:
        return LockedRelease(name=name, version=version, manifest={"commit": commit})

    return BY_NAME["workflow"].repair(text.encode(), (correction,), known)


def test_an_action_gets_the_full_commit_with_its_tag() -> None:
    text = (
        "jobs:\n  a:\n    steps:\n      - uses: tj-actions/changed-files@v45  # latest\n"
        "      - name: x\n        uses: 'tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67'\r\n"
        "      - uses: actions/checkout@v4\n      # uses: tj-actions/changed-files@v45\n"
    )
    out = workflow(text)
    assert isinstance(out, Repaired)
    new = f"tj-actions/changed-files@{'a' * 40}"
    assert out.content.decode() == (
        f"jobs:\n  a:\n    steps:\n      - uses: {new} # v45.0.9\n"
        f"      - name: x\n        uses: '{new}' # v45.0.9\r\n"
        "      - uses: actions/checkout@v4\n      # uses: tj-actions/changed-files@v45\n"
    )
    assert len(out.changes) == 2
    again = workflow(out.content.decode())
    assert again == Repaired(content=out.content, changes=())


def test_an_action_of_another_line_is_told() -> None:
    out = workflow("    - uses: tj-actions/changed-files@v35\n")
    assert isinstance(out, Unrepairable)
    assert "line of v35" in out.reason


REQUIREMENTS = b"""litellm==1.82.8 \\
    --hash=sha256:aa
    # via -r requirements.in
litellm-payload==9.9 \\
    --hash=sha256:bb
    # via litellm
standin-tools==1.1.0 \\
    --hash=sha256:cc
"""


def test_a_payload_goes_with_its_comments() -> None:
    payload = Correction(name="litellm_payload", bad=frozenset({"9.9.0"}), ecosystem="PyPI")
    out = BY_NAME["requirements"].repair(REQUIREMENTS, (*CORRECTIONS, payload), releases)
    assert isinstance(out, Repaired)
    text = out.content.decode()
    assert text.startswith("litellm==1.82.6 \\\n    --hash=sha256:1a44")
    assert text.endswith("    # via -r requirements.in\nstandin-tools==1.1.0 \\\n    --hash=sha256:cc\n")
    assert [(c.entry, c.now) for c in out.changes] == [("litellm-payload==9.9", None), ("litellm==1.82.8", "1.82.6")]


def test_what_only_the_listed_release_needed_goes_from_uv_lock() -> None:
    content = next(GOLDEN.glob("pypi/uv-lock/uv-0.13/input/project/uv.lock")).read_bytes()
    content = content.replace(
        b'source = { registry = "https://registry.example/simple/" }\ndependencies = [\n',
        b'source = { registry = "https://registry.example/simple/" }\ndependencies = [\n    { name = "evil" },\n',
    )
    content += (
        b'\n[[package]]\nname = "evil"\nversion = "1.0"\nsource = { registry = "https://registry.example/simple/" }\n'
    )
    evil = Correction(name="evil", bad=frozenset({"1.0"}), ecosystem="PyPI")
    out = BY_NAME["uv-lock"].repair(content, (*CORRECTIONS, evil), releases)
    assert isinstance(out, Repaired)
    assert b"evil" not in out.content
    swept = BY_NAME["uv-lock"].repair(content, CORRECTIONS, releases)
    assert isinstance(swept, Repaired)
    assert swept.content == out.content
    assert Change(entry="evil 1.0", was="1.0", why="nothing asks for it any more") in swept.changes
