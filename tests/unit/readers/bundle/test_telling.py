"""What tells a release in text that a bundler wrote."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from pratique.ecosystems.npm.signatures import SIGNATURES
from pratique.model.observation import BundledFact, ComponentFact, ContentFact, DigestFact, Observation, Refusal
from pratique.model.ports import Interest, Reader
from pratique.readers.bundle import output, source_map, statistics
from tests.golden.harness import ROOT, in_memory

NAMES = frozenset({"axios", "ua-parser-js", "left", "@scope/right"})
INTEREST = Interest({"npm": NAMES}, signatures=SIGNATURES)
CASES = ROOT / "bundle" / "bundle"
MARKS = "ERR_BAD_OPTION_VALUE isAxiosError XSRF-TOKEN"


def told(reader: Reader, data: bytes | str, interest: Interest = INTEREST) -> list[Any]:
    """What a reader says, short: (name, version, what tells it), (name, possible versions), or a reason."""
    raw = data.encode() if isinstance(data, str) else data
    found: list[Any] = []
    for item in reader.read(in_memory(raw, "shop/dist/main.js"), interest):
        if isinstance(item, Refusal):
            found.append(item.reason)
            continue
        assert isinstance(item, Observation)
        fact = item.facts
        if isinstance(fact, ComponentFact):
            found.append((fact.name, fact.version, fact.told_by))
        elif isinstance(fact, BundledFact):
            found.append((fact.name, fact.versions))
        elif isinstance(fact, ContentFact | DigestFact):
            found.append(fact.value if isinstance(fact, ContentFact) else fact.path)
    return found


def bundles() -> list[Path]:
    return [path for path in sorted(CASES.glob("*/input/**/*.js")) if "truncated" not in path.parts]


@pytest.mark.parametrize("path", bundles(), ids=lambda path: path.relative_to(CASES).parts[0])
def test_every_bundler_leaves_the_version(path: Path) -> None:
    expected = "0.7.28" if "ua-parser" in str(path) else "0.30.4" if "axios-0" in str(path) else "1.14.1"
    assert [item[1:] for item in told(output.READER, path.read_bytes())] == [(expected, "constant")]


@pytest.mark.parametrize("path", bundles(), ids=lambda path: path.relative_to(CASES).parts[0])
def test_another_version_is_told_as_what_it_is(path: Path) -> None:
    data = path.read_bytes().replace(b"1.14.1", b"1.14.0").replace(b"0.30.4", b"0.30.3").replace(b"0.7.28", b"0.7.27")
    assert [item[1] for item in told(output.READER, data)] in (["1.14.0"], ["0.30.3"], ["0.7.27"])


@pytest.mark.parametrize("path", bundles(), ids=lambda path: path.relative_to(CASES).parts[0])
def test_other_constants_in_the_same_bundle_do_not_hide_it(path: Path) -> None:
    data = b'var a="2.0.0",VERSION="3.1.4",n="4.0.0";' + path.read_bytes() + b';var x={version:"5.5.5",name:"y"}'
    versions: set[str] = set()
    for item in told(output.READER, data):
        versions |= set(item[1]) if isinstance(item[1], tuple) else {item[1]}
    assert {"1.14.1", "0.30.4", "0.7.28"} & versions


@pytest.mark.parametrize(
    "text",
    [
        'const bad = "1.14.1";',
        'if (axios.isAxiosError(error)) cookies.get("XSRF-TOKEN"); const version = "1.14.1";',
        'const banned = {name: "axios", version: "1.14.1"};',
        "// see https://example.test/axios/1.14.1",
        'import axios from "axios"; // 1.14.1',
        "/*! laxios v1.14.1 */ /*! axios-mock v1.14.1 */",
    ],
)
def test_a_version_alone_is_no_package(text: str) -> None:
    assert told(output.READER, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{MARKS} "[Axios v1.14.1] x"', [("axios", "1.14.1", "constant")]),
        (f'{MARKS} const Ze="1.14.1"; "[Axios v"+Ze+"]"', [("axios", "1.14.1", "constant")]),
        (f"{MARKS} const Ze=`1.14.1`; `[Axios v${{Ze}}]`", [("axios", "1.14.1", "constant")]),
        (f'{MARKS} b={{r:"0.30.4"}} "[Axios v"+n+"]"', [("axios", "0.30.4", "constant")]),
        (f'{MARKS} b={{r:"0.30.4"}} n="2.0.0" "[Axios v"+n+"]"', [("axios", ("0.30.4", "2.0.0"))]),
        (f'{MARKS} "[Axios v1.14.0] x" "[Axios v1.14.1] x"', [("axios", v, "constant") for v in ("1.14.0", "1.14.1")]),
        (
            f'{MARKS} "[Axios v1.14.0] x" q={{r:"0.30.4"}} "[Axios v"+n+"]"',
            [("axios", "1.14.0", "constant"), ("axios", ("0.30.4",))],
        ),
        (f'{MARKS} f("1.14.1")', [("axios", "1.14.1", "literal")]),
        (f'{MARKS} f("1.14.1") g("2.0.0")', [("axios", ("1.14.1", "2.0.0"))]),
        (MARKS, [("axios", ())]),
        ("// node_modules/left/index.js", [("left", ())]),
        ('"./node_modules/@scope/right/lib/a.mjs": (', [("@scope/right", ())]),
        ("// node_modules/other/node_modules/left/index.js", [("left", ())]),
        ("// node_modules/.pnpm/left@1.2.3/node_modules/left/index.js", [("left", "1.2.3", "path")]),
        ("// node_modules/.pnpm/@scope+right@1.2.3_x@1.0.0/node_modules/@scope/right/i.js", [("@scope/right", "1.2.3", "path")]),
        ('exclude: ["node_modules/left/", "node_modules/left"]', []),
        ("/*! left v1.2.3 | MIT */", [("left", "1.2.3", "banner")]),
        ("/*! @scope/right 1.2.3-rc.1 */", [("@scope/right", "1.2.3-rc.1", "banner")]),
        ("/**\n * @license left.js 1.2.3\n */", [("left", "1.2.3", "banner")]),
        ("/*! Left - version 1.2.3 */", [("left", "1.2.3", "banner")]),
        ('e={name:"left",version:"1.2.3",description:"x"}', [("left", "1.2.3", "manifest")]),
        ('{\\"name\\": \\"left\\",\\n  \\"version\\": \\"1.2.3\\",\\n  \\"main\\": \\"x\\"', [("left", "1.2.3", "manifest")]),
    ],
)  # fmt: skip
def test_text_of_bundles(text: str, expected: list[Any]) -> None:
    assert sorted(told(output.READER, text), key=str) == sorted(expected, key=str)


def test_an_incident_brings_its_own_signature() -> None:
    from pratique.model.signature import Signature

    own = Signature(marks=("leftMark", "otherMark"), least=2, direct=(r"LEFT@(\d+\.\d+\.\d+)",))
    interest = Interest({"npm": NAMES}, signatures={"left": own})
    assert told(output.READER, "leftMark otherMark LEFT@1.2.3", interest) == [("left", "1.2.3", "constant")]
    assert told(output.READER, "leftMark LEFT@1.2.3", interest) == []


def test_text_of_indicators_is_looked_for() -> None:
    interest = Interest({"npm": NAMES}, fragments={"bundle": ("controlObject",), "configuration": ("other",)})
    assert told(output.READER, "window.controlObject={} other", interest) == ["controlObject"]


def test_a_map_inside_the_file_is_read() -> None:
    document = {"version": 3, "sources": ["../node_modules/axios/lib/env/data.js"], "sourcesContent": ['export const VERSION = "1.14.1";']}  # fmt: skip
    inline = base64.b64encode(json.dumps(document).encode()).decode()
    text = f"x\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{inline}\n"
    assert told(output.READER, text) == [("axios", "1.14.1", "constant")]
    both = f"{text}{text.replace(inline, base64.b64encode(json.dumps(mapped_left()).encode()).decode())}"
    assert told(output.READER, both) == [("axios", "1.14.1", "constant"), ("left", ())]
    assert any("a source map in it" in str(item) for item in told(output.READER, text[:150]))
    code = 'x="//# sourceMappingURL=data:application/json;charset=utf-8;base64,"+encode(map)'
    assert told(output.READER, code) == []


def mapped_left() -> dict[str, Any]:
    return {"version": 3, "sources": ["../node_modules/left/index.js"]}


def test_what_is_no_text_is_told() -> None:
    assert any("no text" in item for item in told(output.READER, "var a".encode("utf-16-le")))
    assert any("no text" in item for item in told(output.READER, b"\x1f\x8b\x08"))
    assert any("not UTF-8" in item for item in told(output.READER, b"caf\xe9"))
    text = f'{MARKS} "[Axios v1.14.1] x"'
    assert ("axios", "1.14.1", "constant") in told(output.READER, text.encode("utf-16"))


def mapped(sources: list[Any], contents: list[Any] | None = None, **more: Any) -> str:
    return json.dumps({"version": 3, "sources": sources, "sourcesContent": contents, "mappings": "", **more})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped(["webpack://shop/./node_modules/left/index.js"]), [("left", ())]),
        (mapped(["../node_modules/.pnpm/left@1.2.3/node_modules/left/i.js"]), [("left", "1.2.3", "path")]),
        (mapped(["..\\node_modules\\left\\index.js"]), [("left", ())]),
        (mapped(["left/index.js"], sourceRoot="/app/node_modules"), [("left", ())]),
        (mapped(["\u0000/app/node_modules/left/i.js?commonjs-module"]), [("left", ())]),
        (
            mapped(["node_modules/left/package.json"], ['{"name": "left", "version": "1.2.3"}']),
            [("left", "1.2.3", "manifest")],
        ),
        (mapped(["node_modules/left/i.js"], ["/*! left v1.2.3 */"]), [("left", "1.2.3", "banner")]),
        (mapped(["node_modules/left/i.js", None], [None, 3]), [("left", ())]),
        (mapped([], sections=[{"map": json.loads(mapped(["node_modules/left/i.js"]))}]), [("left", ())]),
        (")]}'\n" + mapped(["node_modules/left/i.js"]), [("left", ())]),
        (mapped(["node_modules/left/i.js"], ['exports.version = "1.2.3"']), [("left", "1.2.3", "literal")]),
        (mapped(["node_modules/left/i.js"], ['exports.version = "1.2.3"; VERSION = "2.0.0"']), [("left", ())]),
        (mapped(["src/left.js"], ['const VERSION = "1.14.1"']), []),
        (mapped(["node_modules/axios/lib/env/data.js"], ['module.exports = {\n "version": "0.30.4"\n};']), [("axios", "0.30.4", "constant")]),
    ],
)  # fmt: skip
def test_source_maps(text: str, expected: list[Any]) -> None:
    assert told(source_map.READER, text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"sources": 3}', '{"sources": [4]}', "<!doctype html>", '{"sections": [{"url": "x"}]}'],
)
def test_what_is_no_whole_source_map_is_refused(text: str) -> None:
    refusals = [item for item in told(source_map.READER, text) if isinstance(item, str)]
    assert len(refusals) == 1


def test_a_listed_digest_among_the_contents_is_told() -> None:
    import hashlib

    digest = hashlib.sha256(b"inert").hexdigest()
    interest = Interest({"npm": NAMES}, digests={"sha256": frozenset({digest})})
    assert told(source_map.READER, mapped(["src/a.js", "b.js"], ["inert", "other"]), interest) == ["src/a.js"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"inputs": {"node_modules/left/i.js": {}}}', [("left", ())]),
        ('{"a": "..\\\\node_modules\\\\left\\\\i.js"}', [("left", ())]),
        ('{"a": "node_modules/.pnpm/left@1.2.3/node_modules/left/i.js"}', [("left", "1.2.3", "path")]),
    ],
)
def test_statistics(text: str, expected: list[Any]) -> None:
    assert told(statistics.READER, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "node_modules/a/" * 200_000,
        "/*!" * 500_000,
        "*! " + " " * 2_000_000,
        'name:"left",version:"1.2.3",' * 100_000,
        f"{MARKS} " + '{a:"1.2.3",' * 200_000,
        f"{MARKS} " + '"[Axios v"+a+' * 100_000,
        f"{MARKS} " + "axios/lib/env/data.js" * 50_000,
        f"{MARKS} " + "".join(f'"[Axios v"+a{number}+"]"' for number in range(20_000)),
        "sourceMappingURL=data:application/json;base64,AAAAAAAAAAAAAAAAAAAA " * 50_000,
    ],
    ids=range(9),
)
def test_hostile_text_ends_in_time(text: str) -> None:
    start = time.monotonic()
    told(output.READER, text)
    assert time.monotonic() - start < 10


def test_parts_of_a_map_of_wrong_types_are_said() -> None:
    path = "webpack:///./node_modules/left/index.js"
    odd = "has sources or contents that are no text"
    for contents in ({"0": "x"}, [7]):
        assert told(source_map.READER, json.dumps({"sources": [path], "sourcesContent": contents}))[-1] == odd
    assert told(source_map.READER, json.dumps({"sources": [path], "sections": {}}))[-1] == "its sections are no list"


def test_a_listed_digest_in_a_map_inside_the_output() -> None:
    import hashlib

    digest = hashlib.sha256(b"bad()").hexdigest()
    interest = Interest({"npm": NAMES}, digests={"sha256": frozenset({digest})})
    inner = base64.b64encode(json.dumps({"sources": ["src/a.js"], "sourcesContent": ["bad()"]}).encode()).decode()
    text = f"x\n//# sourceMappingURL=data:application/json;base64,{inner}\n"
    assert told(output.READER, text, interest) == ["src/a.js"]
