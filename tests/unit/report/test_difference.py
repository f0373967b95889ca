"""What changed between two releases in its forms: one screen, a page without anything alive, JSON, SARIF."""

from __future__ import annotations

import html.parser
import json

import jsonschema
import pytest

from pratique.model.difference import Code, Entry, Passage, ReleaseDifference, Side
from pratique.model.observation import Refusal
from pratique.model.release import Fact, FileChange, Member
from pratique.report.difference_html import difference_html
from pratique.report.difference_json import difference_json
from pratique.report.difference_sarif import difference_sarif
from pratique.report.difference_schema import PATH, schema, text
from pratique.report.difference_text import difference_lines

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"'&{{ 7 * 7 }}"


def side(version: str) -> Side:
    return Side(f"pkg:npm/sample@{version}", "npm", "sample", version, "memory", "tarball", {"sha256": "0" * 64}, 3, 99)


def difference(*, hostile: str = "", many: int = 1) -> ReleaseDifference:
    member = Member("setup.js", 10, "1" * 64)
    return ReleaseDifference(
        *("pratique.difference/1", "0.1", "2026-01-01T00:00:00Z", ("diff",), side("1.0.0"), side("1.0.1"), "patch"),
        manifest=(Entry("package.json", f"scripts.postinstall{hostile}", None, f"node setup.js{hostile}"),),
        triggers=(
            Fact(
                *("trigger.lifecycle", f"package.json{hostile}", 7, f"node setup.js{hostile}"),
                delta="added",
                attributes={"event": "postinstall", "command": f"node setup.js{hostile}"},
            ),
        ),
        dependencies=(
            Fact("dependency.declared", delta="removed", attributes={"name": f"left{hostile}", "range": "1"}),
        ),
        capabilities=tuple(
            Fact(
                *("capability.network", f"setup{number}.js", 3, f"fetch(){hostile}"),
                delta="added",
                attributes={"api": "fetch", "destination": "collect.example", "reach": "lifecycle"},
            )
            for number in range(many)
        ),
        changes=tuple(
            FileChange(f"setup{number}.js{hostile}", "added", "javascript", None, member, 3, 0)
            for number in range(many)
        ),
        code=(
            Code(
                *(f"setup.js{hostile}", "javascript", "added"),
                added=(Passage(3, f"fetch('x')\nnext(){hostile}", outer=f"function go() {{{hostile}"),),
                removed=(Passage(9, "gone()"),),
                reach="lifecycle",
                repeated=2,
            ),
        ),
        kept_files=5,
        refusals=(Refusal(f"big.js{hostile}", "examine", "was not examined", True),),
    )


def test_the_screen() -> None:
    assert list(difference_lines(difference())) == [
        "sample 1.0.0 → 1.0.1 (npm, patch)",
        "  1 added, 5 files as before; 3 lines more, 0 fewer",
        "",
        "RUNS BY ITSELF",
        "  + script at install: event postinstall, command node setup.js  (package.json:7)",
        "",
        "DEPENDENCIES",
        "  - dependency: left 1  (registry)",
        "",
        "CAPABILITIES",
        "  + network: api fetch, destination collect.example, runs at install  (setup0.js:3)",
        "",
        "MANIFEST",
        "  + scripts.postinstall: node setup.js",
        "",
        "FILES",
        "  + setup0.js  javascript, +3",
        "",
        "CODE",
        "  setup.js  (javascript, added, runs at install)",
        "       in function go() {",
        "     3 + fetch('x')",
        "     4 + next()",
        "       … 2 passages as shown above",
        "",
        "NOT EXAMINED",
        "  big.js: was not examined",
    ]


def test_the_first_screen_stays_one_and_all_is_shown_on_request() -> None:
    large = difference(many=300)
    assert len(list(difference_lines(large))) < 50
    every = "\n".join(difference_lines(large, every=True))
    assert "setup299.js" in every
    assert "     9 - gone()" in every
    assert "(--all)" not in every


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_page_holds_nothing_alive() -> None:
    page = difference_html(difference(hostile=HOSTILE)).decode()
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.tags
    assert tags.tags.isdisjoint({"img", "link", "iframe", "a", "form", "object"})
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("href", "src")}
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "{{ 7 * 7 }}" in page
    assert page.count("&lt;script&gt;") >= 9
    assert "Not fully examined" in page


@pytest.mark.parametrize("hostile", ["", HOSTILE])
def test_json_meets_its_schema_and_holds_no_control_character(hostile: str) -> None:
    data = difference_json(difference(hostile=hostile))
    told = json.loads(data)
    jsonschema.validate(told, schema())
    assert (told["complete"], told["exit_code"]) == (False, 4)
    assert told["triggers"][0]["attributes"]["command"] == f"node setup.js{hostile}"
    assert b"\x1b" not in data
    assert "\u202e".encode() not in data


def test_the_published_schema_is_current() -> None:
    assert PATH.read_text("utf-8") == text()


def test_sarif_tells_what_came_and_what_was_not_examined() -> None:
    (run,) = json.loads(difference_sarif(difference(hostile=HOSTILE)))["runs"]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("difference.trigger.lifecycle", "warning"),
        ("difference.capability.network", "note"),
    ]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
