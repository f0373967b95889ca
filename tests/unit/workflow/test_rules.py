"""A team's rules: found in their folders, tried on folders of files, told where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pratique.doors.cli.commands import pratique
from pratique.model.errors import ConfigurationError
from pratique.workflow.rule_cases import read_case
from pratique.workflow.rules import rules_at_hand, try_rules

RULE = """id = "network-new"
title = "The network is used"
scope = "diff"
family = "code"
ceiling = "note"
words = "{release} uses the network at {net.at}"
why = "it did not before"

[[all]]
fact = "capability.network"
as = "net"
"""
QUIET = "module.exports = 1;\n"
LOUD = 'const https = require("https");\nhttps.get("https://harbour.example/");\n'


def lay_out(folder: Path, rule: str = RULE) -> Path:
    """A rule with one case of each kind."""
    (folder / "network-new.toml").write_text(rule, "utf-8")
    for wanted, case, before, after in (("fires", "get", QUIET, LOUD), ("quiet", "same", LOUD, LOUD)):
        for name, text in (("before", before), ("after", after)):
            place = folder / "network-new" / wanted / case / name
            place.mkdir(parents=True)
            (place / "index.js").write_text(text, "utf-8")
            manifest = {"name": "harbour", "version": "1.0.1" if name == "after" else "1.0.0", "main": "index.js"}
            (place / "package.json").write_text(json.dumps(manifest), "utf-8")
    return folder


def test_cases_are_folders_of_files(tmp_path: Path) -> None:
    rules = rules_at_hand([str(lay_out(tmp_path))], without_bundled=True)
    tried = list(try_rules(rules.rules, str(tmp_path)))
    assert [(one.case, one.fired, one.right) for one in tried] == [("get", True, True), ("same", False, True)]
    assert tried[0].words == "harbour 1.0.1 uses the network at index.js:2"


def test_the_command_says_what_is_not_as_wanted(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, RULE.replace("capability.network", "capability.clipboard"))
    done = CliRunner().invoke(pratique, ["rules", "test", str(folder)], standalone_mode=False)
    assert done.return_value == 12
    assert "NO  network-new  fires/get  did not fire" in done.output
    assert "1 not as wanted" in done.output


def test_a_rule_without_cases_is_told(tmp_path: Path) -> None:
    (tmp_path / "network-new.toml").write_text(RULE, "utf-8")
    with pytest.raises(ConfigurationError, match="no case for 'fires'"):
        list(try_rules(rules_at_hand([str(tmp_path)], without_bundled=True).rules, str(tmp_path)))


def test_a_folder_that_is_none_and_a_rule_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be listed"):
        rules_at_hand([str(tmp_path / "gone")])
    with pytest.raises(ConfigurationError, match="there is no rule"):
        rules_at_hand([str(tmp_path)], without_bundled=True)
    (tmp_path / "other.toml").write_text(RULE, "utf-8")
    with pytest.raises(ConfigurationError, match=r"Call the file network-new\.toml"):
        rules_at_hand([str(tmp_path)])
    (tmp_path / "other.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        rules_at_hand([str(tmp_path)])


@pytest.mark.parametrize(
    "text",
    [
        "[record]\ncolour = 1\n",
        "at = 'yesterday'\n",
        "= =\n",
        "[record]\npublished = 'x'\n",
        "[[facts]]\nkind = 'capability.network'\n",
        "[[facts]]\nkind = 'trust.invalid'\nattributes = { colour = 1 }\n",
    ],
)
def test_a_case_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    folder = lay_out(tmp_path)
    (folder / "network-new" / "fires" / "get" / "case.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=r"case\.toml"):
        list(try_rules(rules_at_hand([str(folder)], without_bundled=True).rules, str(folder)))


def test_a_fact_from_outside_is_of_the_release_or_of_a_dependency(tmp_path: Path) -> None:
    for folder in ("after", "dependencies/mooring/after"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "package.json").write_text('{"name": "harbour"}', "utf-8")
    text = """
[[facts]]
kind = "trust.invalid"
attributes = { what = "signature", proof = true }

[[dependencies.mooring.facts]]
kind = "registry.mismatch"
"""
    (tmp_path / "case.toml").write_text(text, "utf-8")
    found = read_case(str(tmp_path))
    (own,) = [fact for fact in found.examination.facts if fact.kind == "trust.invalid"]
    assert own.attributes == {"what": "signature", "proof": True}
    inner = {fact.kind for fact in found.dependencies[0].examination.facts}
    assert "registry.mismatch" in inner
    assert "trust.invalid" not in inner
