"""Text that an attacker chose, in every place that reaches an output: inert in all of them, and still told."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pratique import api
from tests.integration.examine import FORMATS, TODAY, examined, live_characters, rendered

TEXTS = {
    "colour": "\x1b[31mred\x1b[0m",
    "terminal-link": "\x1b]8;;https://evil.example\x07text\x1b]8;;\x07",
    "title-and-clipboard": "\x1b]0;title\x07\x1b]52;c;cHduZWQ=\x07",
    "one-byte-escape": "\x9b31m",
    "carriage-return": "safe\rNOT AFFECTED",
    "lines": "a\nNOT AFFECTED\n::error::text\n##vso[task.complete]\n",
    "next-line": "a\u0085b\u2028c\u2029d",
    "backspace": "bad\b\b\bgood\x7f",
    "right-to-left": "\u202egpj.exe\u2066x\u200f",
    "script": "<script>alert(1)</script>",
    "image": "\"><img src=x onerror='alert(1)'>",
    "comment": "--><svg/onload=alert(1)><!--",
    "style": "</style></title></textarea><iframe src=javascript:alert(1)>",
    "template": "{{7*7}}{% for x in y %}${7*7}#{7*7}",
    "traversal": "../../../../../../etc/passwd",
    "windows": "..\\..\\C:\\Windows\\system32",
    "link": "[text](javascript:alert(1)) ![x](https://evil.example/x)",
    "table": "a | b | c\n|---|---|\n`code` **bold** # head",
    "shell": "$(touch pwned) `touch pwned`; touch pwned",
    "formula": '=HYPERLINK("https://evil.example")',
    "percent": "%s%n%x%(name)s",
    "astral": "\U0001f4a9\u0301\u0301\u0301\ufdfd" + "\u0301" * 200,
    "long": "x" * 40_000,
    "wide": "\u6587" * 3_000,
}
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
"""A span of code: what stands in it is shown as it is."""
IDS = list(TEXTS)
VALUES = list(TEXTS.values())


class Elements(HTMLParser):
    """Names of elements and attributes, and where links go."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: dict[str, int] = {}
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action", "formaction", "data", "poster", "srcset") and value:
                self.links.add(value)


def assert_inert(report: api.Report) -> dict[str, str]:
    """No format carries text that its reader would act on."""
    texts = rendered(report)
    for name, text in texts.items():
        assert live_characters(text) == set(), name
    for name in ("json", "sarif", "cyclonedx"):
        if name in texts:
            json.loads(texts[name])
    for line in texts["ndjson"].splitlines():
        json.loads(line)
    screen = texts["text"].splitlines()
    assert len(screen) <= 24
    assert max(map(len, screen)) <= 100
    assert not any(line.startswith(("::", "##vso", "##[")) for line in screen)
    if "html" in texts:
        page = Elements(texts["html"])
        assert page.tags.keys().isdisjoint({"img", "iframe", "object", "embed", "svg/onload=alert(1)", "textarea"})
        assert page.tags.get("script", 0) <= 1
        assert not [name for name in page.attributes if name.startswith("on")]
        assert not [link for link in page.links if not link.startswith(("#", "https://"))]
        assert not [link for link in page.links if "evil.example" in link]
    if "markdown" in texts:
        prose = CODE.sub("", texts["markdown"])
        for wrong in ("<script", "<img", "<svg", "<iframe", "](javascript:", "![x]"):
            assert wrong not in prose, wrong
    return texts


def package_lock(root: Path, key: str, entry: Mapping[str, object]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    document = {"lockfileVersion": 3, "packages": {"": {}, key: entry}}
    (root / "package-lock.json").write_text(json.dumps(document))


def test_every_format_is_rendered() -> None:
    assert {"text", "json", "ndjson"} <= set(FORMATS)


@pytest.mark.parametrize("text", VALUES, ids=IDS)
def test_in_an_alias_a_link_and_an_integrity(text: str, tmp_path: Path) -> None:
    entry = {
        "name": "axios",
        "version": "1.14.1",
        "resolved": f"https://x.example/{text}",
        "integrity": f"sha512-{text}",
    }
    package_lock(tmp_path, f"node_modules/{text}", entry)
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert_inert(report)


@pytest.mark.parametrize("text", [value for value in VALUES if len(value.encode()) < 200 and "/" not in value])
def test_in_the_name_of_a_folder(text: str, tmp_path: Path) -> None:
    package_lock(tmp_path / text, "node_modules/axios", {"version": "1.14.1"})
    (tmp_path / text / "yarn.lock").write_bytes(b"\xff\xfe\xff")
    (tmp_path / text / "sub").mkdir()
    (tmp_path / text / "sub/node_modules").symlink_to("/nowhere")
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert len(report.coverage.refusals) == 2
    assert_inert(report)
    assert_inert(examined(tmp_path / text))


def test_in_the_name_of_a_folder_that_is_no_unicode(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe\x9b31m")
    os.mkdir(folder)
    (Path(folder) / "package-lock.json").write_text(
        '{"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": "1.14.1"}}}'
    )
    (Path(folder) / "yarn.lock").write_bytes(b"\xff")
    for target in (tmp_path, folder):
        report = examined(target, jobs=2)
        assert report.exit_code == 10
        assert_inert(report)


@pytest.mark.parametrize("text", VALUES, ids=IDS)
def test_in_a_reason(text: str, tmp_path: Path) -> None:
    """Keys that stand twice and fields that are wrong are named in reasons."""
    key = json.dumps(text)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/.yarn-integrity").write_text(
        f'{{"lockfileEntries": {{{key}: "", {key}: ""}}, {key}: 1, {key}: 2}}'
    )
    (tmp_path / "bun.lock").write_text(f'{{"lockfileVersion": {key}, "packages": {{{key}: {key}, {key}: {key}}}}}')
    (tmp_path / "pnpm-lock.yaml").write_text(f"lockfileVersion: {key}\npackages:\n  ? {key}\n  : {key}\n{key}: {key}\n")
    (tmp_path / "yarn.lock").write_text(f"{key}:\n  version {key}\n{key}: {key}\n")
    (tmp_path / "deno.lock").write_text(f'{{"version": {key}, "npm": {{{key}: {key}}}}}')
    (tmp_path / ".npmrc").write_text(f"min-release-age={key}\nregistry={key}\nallow-scripts={key}\n")
    report = examined(tmp_path)
    assert report.exit_code == 4
    assert_inert(report)


@pytest.mark.parametrize("text", VALUES, ids=IDS)
def test_in_a_log(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "_logs"
    folder.mkdir()
    line = text.replace("\n", " ").replace("\r", " ")
    (folder / "2026-03-31T00_33_05_000Z-debug-0.log").write_text(
        "0 verbose cli /usr/bin/node /usr/bin/npm\n"
        f'1 verbose argv "install" "{line}" "axios@1.14.1"\n'
        f"2 verbose cwd {line}\n"
        f"3 http fetch GET 200 https://x.example/axios/-/axios-1.14.1.tgz?{line} 3ms\n"
        f"4 info run axios@1.14.1 postinstall {line}\n"
    )
    report = examined(tmp_path)
    assert report.exit_code == 11
    assert_inert(report)


@pytest.mark.parametrize("text", VALUES, ids=IDS)
def test_in_a_list_of_bad_releases(text: str, tmp_path: Path) -> None:
    """A list is taken from elsewhere: what it names must not act on who reads the answer."""
    listed = tmp_path / "list.csv"
    listed.write_text(f"name,version\n{json.dumps(text)},1.0.0\naxios,1.14.1\n")
    try:
        selection = api.select(bad_lists=[listed], today=TODAY)
    except api.PratiqueError as error:
        message = str(error)
        assert live_characters(message) == set()
        return
    package_lock(tmp_path / "p", f"node_modules/{text}", {"version": "1.0.0"})
    package_lock(tmp_path / "q", "node_modules/axios", {"version": "1.14.1"})
    report = examined(tmp_path / "q", selection)
    assert report.exit_code == 10
    assert_inert(report)
    assert_inert(examined(tmp_path / "p", selection))


@pytest.mark.parametrize("text", VALUES, ids=IDS)
def test_in_an_error_of_the_command(text: str) -> None:
    for wrong in (f"npm:{text}@1.0.0", f"axios@{text}", text):
        try:
            api.select(bad=[wrong], today=TODAY)
        except api.PratiqueError as error:
            assert live_characters(str(error)) == set()
    with pytest.raises(api.PratiqueError) as caught:
        api.specify([f"/nowhere/a/b/c/d/e/f/g/h/{text}"])
    assert live_characters(str(caught.value)) == set()
