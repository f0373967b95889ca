"""Repair of npm's lockfiles: laws, reasons, and what real npm says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.locks.package_lock import CODEC
from pratique.ecosystems.npm.locks.spans import parse
from pratique.model.repair import Correction, LockedRelease
from tests.standins.packages import AFTER_WINDOW, BEFORE_WINDOW, IN_WINDOW
from tests.standins.real_clients import need, run
from tests.standins.registry import Registry

from .stage import CORRECTIONS, READERS, formats, good, incident, nothing, reason, releases

CASES = sorted(
    path
    for path in READERS.glob("package-lock/*/input/*.json")
    if "truncated" not in str(path) and path.name in CODEC.basenames
)
NPMS = ("npm-6", "npm-7", "npm-8", "npm-9", "npm-10", "npm-11", "npm-12")


def case(name: str) -> bytes:
    """A lockfile of real npm."""
    return next(path for path in CASES if path.parts[-3] == name).read_bytes()


def lock(packages: dict[str, Any], **more: Any) -> bytes:
    """A lockfile of version 3."""
    root = {"name": "p", "version": "1.0.0", **packages.pop("", {})}
    document = {"name": "p", "version": "1.0.0", "lockfileVersion": 3, "requires": True, **more}
    return (json.dumps({**document, "packages": {"": root, **packages}}, indent=2) + "\n").encode()


def entry(name: str, version: str, **more: Any) -> dict[str, Any]:
    """An entry as npm writes it."""
    release = releases(name, version)
    base = name.rpartition("/")[2]
    fields: dict[str, Any] = {
        "version": version,
        "resolved": f"http://registry.example/{name}/-/{base}-{version}.tgz",
        "integrity": release.integrity if release else "sha512-AAAA",
        "license": "MIT",
    }
    if release and release.manifest.get("dependencies"):
        fields["dependencies"] = dict(release.manifest["dependencies"])
    return {**fields, **more}


def hit(**more: Any) -> dict[str, Any]:
    """The packages of a project that the incident reached."""
    return {
        "": {"dependencies": {"axios": "^1.14.0"}},
        "node_modules/@standin/redirects": entry("@standin/redirects", "1.2.0"),
        "node_modules/axios": entry("axios", "1.14.1"),
        "node_modules/plain-crypto-js": entry("plain-crypto-js", "4.2.1", hasInstallScript=True),
        **more,
    }


def flat(content: bytes) -> dict[str, str]:
    """Every entry of both trees with its text."""
    text = content.decode()
    found: dict[str, str] = {}
    document = parse(text)
    packages = document.get("packages")
    for member in packages or ():
        found[member.key] = text[member.value.start : member.value.end]
    stack = [("", document.get("dependencies"))]
    while stack:
        head, part = stack.pop()
        for member in part or ():
            path = f"{head}node_modules/{member.key}"
            inner = member.value.get("dependencies")
            end = member.value.end if inner is None else inner.start
            found[f"legacy {path}"] = text[member.value.start : end]
            stack.append((f"{path}/", inner))
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parts[-3])
def test_laws_on_real_lockfiles(path: Path) -> None:
    """It parses, only what is named differs, nothing listed is left, and a second time changes nothing."""
    before = path.read_bytes()
    made = good(CODEC.repair(before, CORRECTIONS, releases))
    json.loads(made.content)
    assert (made.content == before) == (not made.changes)
    assert good(CODEC.repair(made.content, CORRECTIONS, releases)).changes == ()
    assert b"1.14.1" not in made.content
    assert b"plain-crypto-js" not in made.content
    named = {change.entry for change in made.changes}
    old, new = flat(before), flat(made.content)
    for key, text in old.items():
        if key.removeprefix("legacy ") not in named:
            assert new[key] == text
    assert new.keys() <= old.keys()


def test_equals_what_npm_wrote_before_the_window() -> None:
    assert good(CODEC.repair(case("npm-10-ran"), CORRECTIONS, releases)).content == case("npm-10-clean")


@pytest.mark.parametrize("label", NPMS)
def test_real_npm_writes_the_same_and_accepts_it(label: str, tmp_path: Path) -> None:
    """The repaired lockfile is, byte for byte, what npm writes where the listed releases never were; `npm ci` takes it."""
    client = need(label)
    words = ["install", "--package-lock-only", "--ignore-scripts"]
    with Registry() as registry:

        def locked(moment: Any, name: str) -> Path:
            registry.as_of = moment
            folder = tmp_path / name
            if label == "npm-6":
                incident(folder)
            else:
                formats(folder, registry.url)
            done = run(client, words, folder, registry)
            assert done.returncode == 0, done.stderr
            return folder

        hit_one, never = locked(IN_WINDOW, "hit"), locked(BEFORE_WINDOW, "never")
        before = (hit_one / "package-lock.json").read_bytes()
        assert b"1.14.1" in before
        made = good(CODEC.repair(before, CORRECTIONS, releases))
        assert made.content.decode() == (never / "package-lock.json").read_text()
        registry.as_of = AFTER_WINDOW
        (hit_one / "package-lock.json").write_bytes(made.content)
        done = run(client, ["ci", "--ignore-scripts"], hit_one, registry)
        assert done.returncode == 0, done.stderr
        assert (hit_one / "package-lock.json").read_bytes() == made.content
        installed = json.loads((hit_one / "node_modules" / "axios" / "package.json").read_text())
        assert installed["version"] == "1.14.0"
        shutil.rmtree(hit_one / "node_modules")


@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("unit", ["  ", "    ", "\t", ""])
@pytest.mark.parametrize("end", ["\n", ""])
def test_layout_stays(line: str, unit: str, end: str) -> None:
    """Indentation, line ends and the last line are those of the file."""

    def laid(document: Any) -> bytes:
        made = json.dumps(document, indent=unit) if unit else json.dumps(document, separators=(",", ":"))
        return (made + end).replace("\n", line).encode()

    before = json.loads(case("npm-8-ran"))
    after = json.loads(good(CODEC.repair(case("npm-8-ran"), CORRECTIONS, releases)).content)
    assert good(CODEC.repair(laid(before), CORRECTIONS, releases)).content == laid(after)


def test_escapes_and_marks_elsewhere_stay() -> None:
    odd = entry("standin-colours", "5.0.1", license="M\u00e9 \u2028")
    before = lock(hit(**{"node_modules/standin-colours": odd})).replace(b"5.0.1", b"5\\u002e0.1")
    assert good(CODEC.repair(b"\xef\xbb\xbf" + before, CORRECTIONS, releases)).content.count(b"5\\u002e0.1") == 2


names = st.sampled_from(["a", "b", "@s/c", "d-e"])


@given(st.data())
def test_laws_on_made_lockfiles(data: st.DataObject) -> None:
    """Whatever surrounds it: the rest stays byte for byte, and a repair is final."""
    packages = hit()
    for name in data.draw(st.sets(names)):
        packages[f"node_modules/{name}"] = entry(name, "1.0.0")
        packages[""]["dependencies"][name] = "1.0.0"
        if data.draw(st.booleans()):
            packages[f"node_modules/{name}"]["dependencies"] = {
                "axios": data.draw(st.sampled_from(["^1", "*", ">=1 <2"]))
            }
            if data.draw(st.booleans()):
                packages[f"node_modules/{name}/node_modules/axios"] = entry("axios", "1.14.1", dev=True)
    order = data.draw(st.permutations(list(packages)))
    before = lock({key: packages[key] for key in order})
    made = good(CODEC.repair(before, CORRECTIONS, releases))
    old, new = flat(before), flat(made.content)
    named = {change.entry for change in made.changes}
    assert {key for key in old if new.get(key) != old[key]} == named
    assert good(CODEC.repair(made.content, CORRECTIONS, releases)).content == made.content
    assert b"1.14.1" not in made.content
    assert [key for key in old if key in new] == list(new)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0 \n', max_size=60).map(str.encode))
def test_any_bytes_are_survived(content: bytes) -> None:
    CODEC.repair(content, CORRECTIONS, releases)


def test_deep_nesting_is_survived() -> None:
    assert "nested deeper" in reason(CODEC.repair(b'{"a":' * 5000 + b"1" + b"}" * 5000, CORRECTIONS, releases))


def test_a_dependant_that_excludes_the_good_release_is_named() -> None:
    packages = hit(**{"node_modules/tool": entry("tool", "2.0.0", dependencies={"axios": "1.14.1"})})
    packages[""]["dependencies"]["tool"] = "^2.0.0"
    said = reason(CODEC.repair(lock(packages), CORRECTIONS, releases))
    assert "tool@2.0.0 asks for axios 1.14.1" in said


def test_a_dependant_under_an_override_does_not_count() -> None:
    """Its range excludes what is locked already: the project decides."""
    packages = hit(**{"node_modules/tool": entry("tool", "2.0.0", dependencies={"axios": "0.27.2"})})
    packages[""]["dependencies"]["tool"] = "^2.0.0"
    assert good(CODEC.repair(lock(packages), CORRECTIONS, releases)).changes


def test_a_payload_that_another_asks_for_is_named() -> None:
    packages = hit(**{"node_modules/tool": entry("tool", "2.0.0", dependencies={"plain-crypto-js": "^4.2.0"})})
    packages[""]["dependencies"]["tool"] = "^2.0.0"
    assert "tool@2.0.0 asks for plain-crypto-js" in reason(CODEC.repair(lock(packages), CORRECTIONS, releases))


def test_a_dependency_that_the_lockfile_lacks_is_named() -> None:
    packages = hit()
    packages["node_modules/@standin/redirects"]["version"] = "0.9.0"
    said = reason(CODEC.repair(lock(packages), CORRECTIONS, releases))
    assert "axios@1.14.0 asks for @standin/redirects ^1.2.0, and the lockfile holds @standin/redirects@0.9.0" in said
    del packages["node_modules/@standin/redirects"]
    assert "does not hold" in reason(CODEC.repair(lock(packages), CORRECTIONS, releases))


def test_nothing_at_hand_is_said() -> None:
    assert "nothing at hand knows what axios 1.14.0" in reason(CODEC.repair(case("npm-11-ran"), CORRECTIONS, nothing))


def test_what_only_the_listed_release_asked_for_goes_too() -> None:
    packages = hit(
        **{
            "node_modules/extra": entry("extra", "1.0.0", dependencies={"deeper": "1"}),
            "node_modules/deeper": entry("deeper", "1.0.0"),
            "node_modules/stray": entry("stray", "1.0.0", extraneous=True),
        }
    )
    packages["node_modules/axios"]["dependencies"]["extra"] = "^1.0.0"
    made = good(CODEC.repair(lock(packages), CORRECTIONS, releases))
    left = json.loads(made.content)["packages"]
    assert set(left) == {"", "node_modules/@standin/redirects", "node_modules/axios", "node_modules/stray"}


def test_an_exact_pin_of_the_project_moves_with_it() -> None:
    packages = hit()
    packages[""]["dependencies"]["axios"] = "1.14.1"
    packages["packages/a"] = {"version": "1.0.0", "dependencies": {"axios": "^1.14.1"}}
    made = good(CODEC.repair(lock(packages), CORRECTIONS, releases))
    left = json.loads(made.content)["packages"]
    assert left[""]["dependencies"]["axios"] == "1.14.0"
    assert left["packages/a"]["dependencies"]["axios"] == "^1.14.0"
    assert left["node_modules/axios"]["version"] == "1.14.0"


def test_another_line_is_not_taken() -> None:
    packages = hit()
    packages["node_modules/axios"] = entry("axios", "0.30.4")
    packages[""]["dependencies"]["axios"] = "0.30.4"
    only = (Correction(name="axios", bad=frozenset({"0.30.4"}), good=("1.14.0",)), CORRECTIONS[1])
    assert "is in the line of 0.30.4" in reason(CODEC.repair(lock(packages), only, releases))
    made = good(CODEC.repair(lock(packages), CORRECTIONS, releases))
    assert made.release_of == (("axios", "0.30.3", "registry"),)


def test_bundled_git_and_address_are_reasons() -> None:
    packages = hit(**{"node_modules/b/node_modules/axios": entry("axios", "1.14.1", inBundle=True)})
    packages["node_modules/b"] = entry("b", "1.0.0", dependencies={"axios": "*"}, bundleDependencies=["axios"])
    assert "inside the archive of node_modules/b" in reason(CODEC.repair(lock(packages), CORRECTIONS, releases))
    packages = hit()
    packages["node_modules/axios"]["resolved"] = "git+ssh://git@host.example/axios.git#abc"
    assert "comes from no registry" in reason(CODEC.repair(lock(packages), CORRECTIONS, releases))
    packages = hit()
    packages[""]["dependencies"]["axios"] = "http://registry.example/axios/-/axios-1.14.1.tgz"
    assert "by its address" in reason(CODEC.repair(lock(packages), CORRECTIONS, releases))


def test_an_archive_by_its_address_in_version_1_is_a_reason() -> None:
    entry_1 = {"version": "http://mirror.test/axios/-/axios-1.14.1.tgz", "integrity": "sha512-x"}
    content = json.dumps({"lockfileVersion": 1, "dependencies": {"axios": entry_1}}).encode()
    assert "comes from no registry" in reason(CODEC.repair(content, CORRECTIONS, releases))


def test_flags_and_alias_stay_and_fields_follow_the_manifest() -> None:
    packages = hit()
    packages["node_modules/axios"] = entry("axios", "1.14.1", dev=True, optional=True, peer=True, bin={"x": "y"})
    rich = LockedRelease(
        name="axios",
        version="1.14.0",
        manifest={
            "name": "axios",
            "bin": "./cli.js",
            "engines": {"node": ">=14"},
            "funding": "https://fund.example",
            "license": {"type": "BSD", "url": "x"},
            "optionalDependencies": {"@standin/redirects": "1"},
            "dependencies": {"@standin/redirects": "1"},
            "peerDependencies": {"nowhere": "*"},
            "peerDependenciesMeta": {"nowhere": {"optional": True}},
            "os": ["linux"],
            "scripts": {"install": "node x"},
        },
        integrity="sha512-BBBB",
    )
    made = good(CODEC.repair(lock(packages), CORRECTIONS, lambda name, version: rich))
    left = json.loads(made.content)["packages"]["node_modules/axios"]
    assert list(left) == [
        "version", "resolved", "integrity", "dev", "hasInstallScript", "license", "optional", "os", "peer", "bin",
        "engines", "funding", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
    ]  # fmt: skip
    assert left["bin"] == {"axios": "cli.js"}
    assert left["funding"] == {"url": "https://fund.example"}


def test_duplicates_and_unknown_versions_are_reasons() -> None:
    text = lock(hit()).decode().replace('"node_modules/plain-crypto-js": {', '"node_modules/axios": {', 1)
    assert "stands twice" in reason(CODEC.repair(text.encode(), CORRECTIONS, releases))
    assert "lockfileVersion" in reason(CODEC.repair(lock(hit()).replace(b'n": 3', b'n": 9'), CORRECTIONS, releases))
    conflict = lock(hit()).replace(b'  "packages"', b'<<<<<<< ours\n  "packages"')
    assert "not whole JSON" in reason(CODEC.repair(conflict, CORRECTIONS, releases))


def test_version_1_with_nested_copies() -> None:
    """The nested payload goes with its last neighbour, and an emptied part too."""
    document = {
        "lockfileVersion": 1,
        "requires": True,
        "dependencies": {
            "@standin/redirects": {"version": "1.2.0"},
            "axios": {
                "version": "1.14.1",
                "resolved": "http://registry.example/axios/-/axios-1.14.1.tgz",
                "integrity": "sha512-x",
                "requires": {"@standin/redirects": "^1.2.0", "plain-crypto-js": "^4.2.1"},
                "dependencies": {"plain-crypto-js": {"version": "4.2.1"}},
            },
            "b": {
                "version": "1.0.0",
                "requires": {"axios": "^0.30.0"},
                "dependencies": {
                    "axios": {"version": "0.30.4", "requires": {"plain-crypto-js": "^4.2.1"}},
                    "plain-crypto-js": {"version": "4.2.1"},
                },
            },
        },
    }
    made = good(CODEC.repair(json.dumps(document, indent=2).encode(), CORRECTIONS, releases))
    left = json.loads(made.content)["dependencies"]
    assert left["axios"] == {
        "version": "1.14.0",
        "resolved": "http://registry.example/axios/-/axios-1.14.0.tgz",
        "integrity": releases("axios", "1.14.0").integrity,
        "requires": {"@standin/redirects": "^1.2.0"},
    }
    assert left["b"]["dependencies"] == {
        "axios": {
            "version": "0.30.3",
            "integrity": releases("axios", "0.30.3").integrity,
            "requires": {"@standin/redirects": "^1.2.0"},
        }
    }
