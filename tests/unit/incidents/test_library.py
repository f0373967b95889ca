"""The strict loader: each thing that must not pass, with the message that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from pratique.incidents.library import check_sri, load_directory, load_file, parse, role_of
from pratique.model.errors import IncidentError
from pratique.model.incident import Role

SRI = "sha512-" + "A" * 86 + "=="
GOOD = """
id = "example-2026-01-02"
revision = 1
updated = 2026-01-03
title = "An example"
summary = "For tests."
status = "closed"
completeness = "fixed"
next_steps = ["One", "Two", "Three"]

[[references]]
id = "one"
title = "First source"
kind = "advisory"

[[references]]
id = "two"
title = "Second source"
kind = "issue"

[[components]]
ecosystem = "npm"
name = "example"
role = "carrier"
trigger = "install"
source = "one"

[[components.versions]]
version = "1.0.0"
published = 2026-01-02T01:00:00Z
removed = 2026-01-02T02:00:00Z
sha1 = "0000000000000000000000000000000000000000"
sha512 = "SRI"
source = "two"

[[components.versions]]
version = "1.0.1"
role = "decoy"

[[windows]]
start = 2026-01-02T01:00:00Z
end = 2026-01-02T02:00:00Z
basis = "observed"
source = "one"
component = "example"

[[triggers]]
id = "install"
kind = "install-script"
script = "postinstall"

[[tampering]]
id = "swap"
component = "example"
version = "1.0.0"
present_before = ["setup.js"]
absent_after = ["setup.js"]
manifest_version_after = "0.9.0"
decoy_integrity = "SRI"
source = "one"

[[indicators]]
id = "host"
type = "domain"
value = "bad.example[.]test"
confidence = "medium"
meaning = "executed"
sources = ["one", "two"]

[[evidence]]
order = 1
what = "Processes"
why = "They end"

[[evidence]]
order = 2
what = "Files"
why = "They are deleted"

[[remediation]]
id = "collect"
action = "Collect"

[[remediation]]
id = "rotate"
action = "Rotate"
after = ["collect"]
""".replace("SRI", SRI)


def test_a_sound_definition_loads() -> None:
    incident = parse(GOOD, where="example.toml")
    (component,) = incident.components
    assert [role_of(component, version) for version in component.versions] == [Role.CARRIER, Role.DECOY]
    assert incident.windows[0].end is not None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "An example"', 'titel = "An example"', "unknown field `titel`"),
        ('script = "postinstall"', 'scripts = "postinstall"', "unknown field `scripts` - at `$.triggers[0]`"),
        ('status = "closed"', 'status = "gone"', "Invalid enum value 'gone' - at `$.status`"),
        ('role = "carrier"\n', "", "missing required field `role` - at `$.components[0]`"),
        ('ecosystem = "npm"', 'ecosystem = "cargo"', "Invalid enum value 'cargo'"),
        ("revision = 1", 'revision = "1"', "Expected `int`, got `str` - at `$.revision`"),
        ("revision = 1", "revision = ", "is not TOML"),
        ("0" * 40, "0" * 39, "versions[1.0.0].sha1: needs 40 hexadecimal digits, has 39 characters"),
        ("0" * 40, "G" * 40, "versions[1.0.0].sha1: needs 40 hexadecimal digits"),
        (f'sha512 = "{SRI}"', 'sha512 = "sha512-!!!"', "versions[1.0.0].sha512: is not decodable base64"),
        (f'sha512 = "{SRI}"', 'sha512 = "sha512-AAAA"', "sha512: decodes to 3 bytes instead of 64"),
        (f'sha512 = "{SRI}"', 'sha512 = "AAAA"', "sha512: needs the prefix sha512-"),
        (f'decoy_integrity = "{SRI}"', 'decoy_integrity = "sha512-AAAA"', "tampering[swap].decoy_integrity: decodes"),
        ("end = 2026-01-02T02:00:00Z", "end = 2026-01-01T02:00:00Z", "windows[0]: end is before start"),
        ("start = 2026-01-02T01:00:00Z", "start = 2026-01-02T01:00:00", "windows[0]: times must be in UTC"),
        ("start = 2026-01-02T01:00:00Z", "start = 2026-01-02T01:00:00+02:00", "windows[0]: times must be in UTC"),
        ('component = "example"\n\n[[triggers', 'component = "other"\n\n[[triggers', "'other' is not a component"),
        ("removed = 2026-01-02T02", "removed = 2026-01-02T00", "versions[1.0.0]: removed before it was published"),
        ('source = "two"', 'source = "three"', "versions[1.0.0].source: 'three' is not a reference id"),
        ('trigger = "install"', 'trigger = "import"', "components[example].trigger: 'import' is not a trigger id"),
        ('version = "1.0.1"', 'version = "1.0.0"', "versions[1.0.0]: listed twice"),
        ('id = "two"', 'id = "one"', "references[one]: listed twice"),
        ('sources = ["one", "two"]', "sources = []", "indicators[host].sources: at least one source is required"),
        ('sources = ["one", "two"]', 'sources = ["one"]', "indicators[host].confidence: medium needs two sources"),
        ('sources = ["one", "two"]', 'sources = ["one", "one"]', "medium needs two sources"),
        ('sources = ["one", "two"]', 'sources = ["one", "six"]', "sources: 'six' is not a reference id"),
        ("bad.example[.]test", "bad.example.test", "indicators[host].value: must be stored defanged"),
        ("bad.example[.]test", "http://bad.example[.]test", "must not hold a live URL"),
        (
            'value = "bad.example[.]test"',
            'match = "regex"\nvalue = "bad.example[.test"',
            "indicators[host].value: is no regular expression",
        ),
        ('type = "domain"', 'type = "file-hash"', "must be sha256: and 64 hexadecimal digits"),
        ('after = ["collect"]', 'after = ["rotate"]', "remediation[rotate].after: 'rotate' is no earlier step"),
        ("order = 2", "order = 1", "evidence: order must rise"),
        ('"Two", "Three"', '"Two", "Three", "Four"', "next_steps: at most three"),
        ('id = "example-2026', 'id = "Example 2026', "may hold only small letters, digits, dots and hyphens"),
    ],
)
def test_an_unsound_definition_is_refused(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(IncidentError) as caught:
        parse(GOOD.replace(old, new, 1), where="example.toml")
    assert str(caught.value).startswith("example.toml: ")
    assert message in str(caught.value)


def test_components_need_versions_or_an_explicit_word() -> None:
    start, _, rest = GOOD.partition("[[components.versions]]")
    none = start + rest[rest.index("[[windows]]") :]
    with pytest.raises(IncidentError, match="lists no version; say all_versions = true"):
        parse(none, where="example.toml")
    every = none.replace('role = "carrier"', 'role = "carrier"\nall_versions = true')
    assert parse(every, where="example.toml").components[0].all_versions


def test_a_definition_needs_a_component() -> None:
    head = GOOD.partition("[[components]]")[0]
    with pytest.raises(IncidentError, match="components: none is listed"):
        parse(head, where="example.toml")


def test_a_dead_mans_switch_needs_an_order() -> None:
    text = GOOD.replace('after = ["collect"]', "").replace("revision = 1", 'revision = 1\ndead_man_switch = "Erases"')
    with pytest.raises(IncidentError, match="a dead man's switch needs ordered steps"):
        parse(text, where="example.toml")


def test_the_file_name_is_the_id(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(IncidentError, match="id: 'example-2026-01-02' differs from the file name 'other'"):
        load_file(path)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(IncidentError, match=r"missing\.toml: cannot be read: No such file"):
        load_file(tmp_path / "missing.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b'id = "\xff"')
    with pytest.raises(IncidentError, match="is not UTF-8 at byte 6"):
        load_file(path)


HEADER = "name\tversion\tpublished\tremoved\tsha1\tsha512\tsource\n"
DEFAULTS = '\n[versions]\necosystem = "npm"\nrole = "carrier"\nsource = "one"\n'


def test_a_version_list_adds_components_and_versions() -> None:
    rows = "example\t2.0.0\t2026-01-02T03:00:00Z\t\t\t\ttwo\n# a comment\n\nother\t1.0.0\t\t\t\t\t\n"
    incident = parse(GOOD + DEFAULTS, HEADER + rows, where="example.toml")
    assert [(part.name, part.source) for part in incident.components] == [("example", "one"), ("other", "one")]
    assert [version.version for version in incident.components[0].versions] == ["1.0.0", "1.0.1", "2.0.0"]


@pytest.mark.parametrize(
    ("defaults", "text", "message"),
    [
        (DEFAULTS, "name\tversion\n", r"versions\.tsv: line 1 must name the columns"),
        (DEFAULTS, HEADER + "a\t1.0.0\n", r"line 2: 2 columns instead of 7"),
        (DEFAULTS, HEADER + "a\t\t\t\t\t\t\n", r"line 2: name and version are required"),
        (DEFAULTS, HEADER + "a\t1.0.0\tyesterday\t\t\t\t\n", r"line 2: published 'yesterday' is not an ISO 8601 time"),
        (DEFAULTS, HEADER + "a\t1.0.0\t\t\t123\t\t\n", r"sha1: needs 40 hexadecimal digits, has 3"),
        (DEFAULTS, HEADER + "a\t1.0.0\t\t\t\t\tsix\n", r"'six' is not a reference id"),
        (DEFAULTS, HEADER + "example\t1.0.0\t\t\t\t\t\n", r"versions\[1\.0\.0\]: listed twice"),
        (DEFAULTS + 'colour = "red"\n', HEADER, r"versions: unknown key 'colour'"),
        ("", HEADER, r"\[versions\] with ecosystem and role is required"),
        (DEFAULTS, None, r"\[versions\] is given but there is no version list"),
    ],
)
def test_an_unsound_version_list_is_refused(defaults: str, text: str | None, message: str) -> None:
    with pytest.raises(IncidentError, match=message):
        parse(GOOD + defaults, text, where="example.toml")


def test_a_folder_loads_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.toml").write_text(GOOD.replace("example-2026-01-02", name), encoding="utf-8")
    (tmp_path / "a.versions.tsv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(IncidentError, match=r"a\.toml"):
        load_directory(tmp_path)
    (tmp_path / "a.versions.tsv").unlink()
    assert [incident.id for incident in load_directory(tmp_path)] == ["a", "b"]


def test_subresource_integrity() -> None:
    assert check_sri(SRI) == []
    assert check_sri("sha1-AAAA") == ["needs the prefix sha512-"]
