"""Benign input: a large corpus gives 0 with every bundled incident, and the cases where the list must not be misread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.assess.catalogue import Catalogue
from tests.golden.harness import cases, claimed, readers
from tests.integration.examine import TODAY, everything, examined, rendered
from tests.standins.installs import names, unpack

INCIDENTS = everything().incidents
AXIOS = "1.14.1"


def write(root: Path, relative: str, content: str | bytes | dict[str, Any] = "") -> None:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2) + "\n" if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def lock(packages: dict[str, Any]) -> dict[str, Any]:
    return {"name": "x", "lockfileVersion": 3, "requires": True, "packages": {"": {"name": "x"}, **packages}}


def entry(name: str, version: str, **more: Any) -> dict[str, Any]:
    base = name.rpartition("/")[2]
    return {"version": version, "resolved": f"https://registry.example/{name}/-/{base}-{version}.tgz", **more}


def seen(report: api.Report) -> list[tuple[str, str, str]]:
    return [(item.purl, item.status, item.depth) for item in report.sightings]


BROKEN = (
    b"",
    b"{",
    b"{ name: 'x' }",
    b'{"name": "{{name}}", "version": "{{version}}", "dependencies": {{dependencies}} }',
    b'{"name": "<%= name %>",\n<% if (x) { %>"private": true<% } %>}',
    b'{\n  // a comment\n  "name": "x",\n}',
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'"text"',
    b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n",
    b"module.exports = {}",
)


def lay_templates(root: Path) -> None:
    """Manifests of generators, test suites and documentation: no package managers ever read them."""
    for number in range(40):
        for index, content in enumerate(BROKEN):
            place = ("templates", "test/fixtures", "generators/app", "__fixtures__", "docs/examples")[number % 5]
            write(root, f"p{number}/{place}/case-{index}/package.json", content)
        write(
            root,
            f"p{number}/package.json",
            {"name": f"p{number}", "version": "1.0.0", "dependencies": {"left-pad": "^1.3.0"}},
        )
        write(root, f"p{number}/package-lock.json", lock({"node_modules/left-pad": entry("left-pad", "1.3.0")}))
    write(root, "nameless/package.json", {"private": True, "type": "module"})
    write(
        root, "versions/package.json", {"name": 7, "version": [], "dependencies": [], "overrides": "x", "scripts": None}
    )
    write(root, "esm/dist/package.json", {"type": "module"})


def lay_trees(root: Path) -> None:
    """Installed trees with the odd files that real packages ship."""
    tree = "shop/node_modules"
    packages = {}
    for number in range(300):
        name = f"package-{number}" if number % 3 else f"@scope/package-{number}"
        packages[f"node_modules/{name}"] = entry(name, "1.0.0")
        write(root, f"{tree}/{name}/package.json", {"name": name, "version": "1.0.0", "main": "index.js"})
    write(root, "shop/package.json", {"name": "shop", "version": "1.0.0"})
    write(root, "shop/package-lock.json", lock(packages))
    write(root, f"{tree}/.package-lock.json", lock(packages))
    write(root, f"{tree}/resolve/package.json", {"name": "resolve", "version": "1.22.8"})
    write(root, f"{tree}/resolve/test/resolver/malformed_package_json/package.json", b"{\n")
    write(root, f"{tree}/resolve/test/resolver/invalid_main/package.json", {"name": "invalid", "main": ["x"]})
    write(root, f"{tree}/resolve/test/resolver/false_main/package.json", {"name": "x", "main": False})
    for name in ("rxjs", "tslib", "@babel/runtime"):
        write(root, f"{tree}/{name}/package.json", {"name": name, "version": "7.0.0"})
        write(root, f"{tree}/{name}/esm/package.json", {"type": "module"})
        write(root, f"{tree}/{name}/helpers/esm/package.json", {"type": "module", "sideEffects": False})
    for name in ("npm", "create-app", "json5", "es-abstract"):
        write(root, f"{tree}/{name}/package.json", {"name": name, "version": "2.0.0"})
        write(root, f"{tree}/{name}/template/package.json", BROKEN[3])
    write(root, f"{tree}/shipped-lock/package.json", {"name": "shipped-lock", "version": "1.0.0"})
    write(root, f"{tree}/shipped-lock/yarn.lock", b"")
    write(root, f"{tree}/shipped-lock/test/yarn.lock", b"# yarn lockfile v1\n\n\n")
    write(root, f"{tree}/other-lock/package.json", {"name": "other-lock", "version": "1.0.0"})
    write(
        root,
        f"{tree}/other-lock/yarn.lock",
        b'# yarn lockfile v1\n\n\nleft-pad@^1.3.0:\n  version "1.3.0"\n  resolved "https://registry.example/left-pad/-/left-pad-1.3.0.tgz#5b8a3a7765dfe001261dde915589e782f8c94d1e"\n',
    )
    write(root, f"{tree}/other-lock/package-lock.json", lock({"node_modules/left-pad": entry("left-pad", "1.3.0")}))
    (root / tree / "empty-package").mkdir(parents=True)
    (root / tree / ".bin").mkdir()
    (root / tree / ".bin/tool").symlink_to("../package-1/cli.js")
    (root / tree / ".cache").mkdir()


def lay_layouts(root: Path) -> None:
    """Lockfiles in layouts that people and tools make."""
    (root / "empty/node_modules").mkdir(parents=True)
    write(root, "fresh/package.json", {"name": "fresh", "version": "1.0.0"})
    write(root, "fresh/package-lock.json", {"name": "fresh", "lockfileVersion": 3, "requires": True, "packages": {}})
    write(root, "old/package-lock.json", {"name": "old", "version": "1.0.0", "lockfileVersion": 1})
    write(root, "minified/package-lock.json", json.dumps(lock({"node_modules/left-pad": entry("left-pad", "1.3.0")})))
    write(
        root, "tabs/package-lock.json", json.dumps(lock({"node_modules/axios": entry("axios", "1.14.0")}), indent="\t")
    )
    write(
        root,
        "windows/package-lock.json",
        json.dumps(lock({"node_modules/axios": entry("axios", "1.14.0")}), indent=2).replace("\n", "\r\n"),
    )
    write(
        root,
        "mark/package-lock.json",
        b"\xef\xbb\xbf" + json.dumps(lock({"node_modules/axios": entry("axios", "1.13.2")})).encode(),
    )
    write(
        root,
        "classic/yarn.lock",
        b"# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n",
    )
    write(
        root,
        "classic-windows/yarn.lock",
        b'# yarn lockfile v1\r\n\r\n\r\naxios@^1.0.0:\r\n  version "1.14.0"\r\n  resolved "https://registry.example/axios/-/axios-1.14.0.tgz"\r\n',
    )
    write(
        root,
        "pnpm/pnpm-lock.yaml",
        b"lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n  .: {}\n",
    )
    write(root, "pnpm-old/pnpm-lock.yaml", b"lockfileVersion: 5.4\n\nspecifiers: {}\n")
    write(
        root,
        "bun/bun.lock",
        b'{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "x",\n    },\n  },\n  "packages": {},\n}\n',
    )
    write(root, "deno/deno.lock", {"version": "5"})
    write(root, ".npmrc", b"registry=https://registry.example/\nfund=false\n")
    write(root, ".yarnrc.yml", b"nodeLinker: node-modules\n")
    write(
        root,
        "home/.npm/_logs/2026-11-20T12_00_00_000Z-debug-0.log",
        b"0 verbose cli /usr/bin/node /usr/bin/npm\n1 info using npm@10.9.0\n2 verbose exit 0\n3 info ok\n",
    )
    write(root, "home/.bash_history", b"ls\nnpm ci\nnpm install left-pad\ngit status\n")


def test_a_large_benign_corpus_gives_0(tmp_path: Path) -> None:
    lay_templates(tmp_path)
    lay_trees(tmp_path)
    lay_layouts(tmp_path)
    report = examined(tmp_path, everything(), jobs=2, seconds=60)
    assert [(r.path, r.reason) for r in report.coverage.refusals if r.relevant] == []
    assert seen(report) == []
    assert report.exit_code == 0
    assert report.coverage.complete
    assert report.coverage.artifacts > 900
    assert any(not r.relevant for r in report.coverage.refusals), "templates are counted, not hidden"


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_part_of_the_corpus_gives_0_alone(jobs: int, tmp_path: Path) -> None:
    for name, lay in (("templates", lay_templates), ("trees", lay_trees), ("layouts", lay_layouts)):
        lay(tmp_path / name)
        report = examined(tmp_path / name, everything(), jobs=jobs)
        assert report.exit_code == 0, (name, seen(report), [r for r in report.coverage.refusals if r.relevant])


@pytest.mark.parametrize("name", [name for name in names() if "clean" in name.split("-")])
def test_real_clean_installs_give_0(name: str, tmp_path: Path) -> None:
    unpack(name, tmp_path)
    report = examined(tmp_path, everything())
    assert (report.exit_code, seen(report)) == (0, [])


def clean_cases() -> list[Path]:
    """Golden cases whose records name no listed release or file of any incident and no refusal."""
    listed = {
        (component.name, version.version)
        for incident in INCIDENTS
        for component in incident.components
        for version in component.versions
    }
    files = Catalogue(INCIDENTS).interest.basenames
    found = []
    for _, case in cases():
        expectation = case / "expected.json"
        if not expectation.is_file():
            continue
        records = json.loads(expectation.read_text(encoding="utf-8"))
        facts = [record.get("facts", {}) for record in records]
        named = {(fact.get("name"), fact.get("version") or fact.get("exact")) for fact in facts}
        named |= {tuple(item.rpartition("@")[::2]) for fact in facts for item in fact.get("packages", ())}
        ranges = [fact for fact in facts if fact.get("kind") == "range"]
        if any(name.rpartition("/")[2] in files for fact in facts for name in fact.get("files", ())):
            continue
        if not named & listed and not ranges and not any("reason" in record for record in records):
            found.append(case)
    return found


def test_golden_cases_without_a_listed_release_give_no_sighting(tmp_path: Path) -> None:
    found = clean_cases()
    assert len(found) >= 20
    known = readers()
    for case in found:
        root = case / "input"
        report = examined(root, everything(), formats=("json",))
        if any(claimed(known[case.parent.name], p.relative_to(root).as_posix()) for p in root.rglob("*")):
            assert [item for item in seen(report) if item[1] == "affected"] == [], case


MIRRORS = {
    "registry": "https://registry.example/axios/-/axios-1.14.1.tgz",
    "artifactory": "https://mirror.example/artifactory/api/npm/npm-remote/axios/-/axios-1.14.1.tgz",
    "nexus": "https://nexus.example:8443/repository/npm-group/axios/-/axios-1.14.1.tgz",
    "download": "https://mirror.example/axios/download/axios-1.14.1.tgz?cache=0&sync_timestamp=1",
    "cdn": "http://cdn.example/axios/-/axios-1.14.1.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "user-info": "https://user:word@mirror.example/npm/axios/-/axios-1.14.1.tgz",
    "none": None,
}


@pytest.mark.parametrize("shape", MIRRORS)
def test_any_registry_host_counts(shape: str, tmp_path: Path) -> None:
    url = MIRRORS[shape]
    good = {"version": AXIOS} | ({"resolved": url} if url else {})
    write(tmp_path, "npm/package-lock.json", lock({"node_modules/axios": good}))
    write(tmp_path, "npm-1/package-lock.json", {"lockfileVersion": 1, "dependencies": {"axios": good}})
    resolved = f'  resolved "{url}"\n' if url else ""
    write(tmp_path, "yarn/yarn.lock", f'# yarn lockfile v1\n\n\naxios@^1.14.0:\n  version "{AXIOS}"\n{resolved}')
    if url:
        tarball = f"{{integrity: sha512-x, tarball: {url.partition('#')[0]}}}"
    else:
        tarball = "{integrity: sha512-x}"
    write(
        tmp_path,
        "pnpm/pnpm-lock.yaml",
        f"lockfileVersion: '9.0'\n\npackages:\n\n  axios@{AXIOS}:\n    resolution: {tarball}\n",
    )
    for folder in ("npm", "npm-1", "yarn", "pnpm"):
        report = examined(tmp_path / folder)
        assert report.exit_code == 10, folder
        assert {item[0] for item in seen(report)} == {f"pkg:npm/axios@{AXIOS}"}, folder


@pytest.mark.parametrize(
    ("origin", "packages"),
    [
        (
            "git",
            {"node_modules/axios": {"version": AXIOS, "resolved": "git+ssh://git@git.example/axios/axios.git#0123456"}},
        ),
        ("git", {"node_modules/axios": {"version": AXIOS, "resolved": "git+https://git.example/axios.git#0123456"}}),
        ("file", {"node_modules/axios": {"version": AXIOS, "resolved": "file:vendor/axios-1.14.1.tgz"}}),
        (
            "workspace",
            {
                "packages/axios": {"name": "axios", "version": AXIOS},
                "node_modules/axios": {"resolved": "packages/axios", "link": True},
            },
        ),
    ],
)
def test_source_that_is_no_registry_is_taken_out_and_listed(
    origin: str, packages: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path, "package-lock.json", lock(packages))
    report = examined(tmp_path)
    assert report.exit_code == 0
    assert [item[1] for item in seen(report)] == ["not_affected"]
    assert origin in report.sightings[0].explanation
    assert f"pkg:npm/axios@{AXIOS}" in rendered(report, ("json",))["json"]


def test_alias_to_another_package_is_not_the_listed_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        "package-lock.json",
        lock({"node_modules/axios": {"name": "@safe/axios", **entry("@safe/axios", AXIOS)}}),
    )
    assert seen(examined(tmp_path)) == []
    write(tmp_path, "package-lock.json", lock({"node_modules/http": {"name": "axios", **entry("axios", AXIOS)}}))
    assert examined(tmp_path).exit_code == 10


def test_security_holding_stub_is_no_sighting(tmp_path: Path) -> None:
    names_of_all = [c.name for i in INCIDENTS for c in i.components if c.ecosystem == "npm" and c.all_versions][:20]
    for number, name in enumerate([*names_of_all, "plain-crypto-js"]):
        write(tmp_path, f"p{number}/package-lock.json", lock({f"node_modules/{name}": entry(name, "0.0.1-security.0")}))
        write(tmp_path, f"q{number}/node_modules/{name}/package.json", {"name": name, "version": "0.0.1-security"})
    report = examined(tmp_path, everything())
    assert (report.exit_code, seen(report)) == (0, [])


OVERRIDES = """lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

overrides:
  axios@1.14.1: 1.14.0
  axios@0.30.4: 0.30.3
  plain-crypto-js@4.2.1: '-'

importers:

  .:
    dependencies:
      axios:
        specifier: ^1.14.0
        version: 1.14.0

packages:

  axios@1.14.0:
    resolution: {integrity: sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==}

snapshots:

  axios@1.14.0: {}
"""


def test_bad_versions_under_overrides_alone_give_0(tmp_path: Path) -> None:
    write(tmp_path, "pnpm-lock.yaml", OVERRIDES)
    write(
        tmp_path,
        "package.json",
        {
            "name": "x",
            "dependencies": {"axios": "^1.14.0"},
            "pnpm": {"overrides": {"axios@1.14.1": "1.14.0", "plain-crypto-js@4.2.1": "-"}},
        },
    )
    report = examined(tmp_path)
    assert report.exit_code == 0
    assert {item.status for item in report.sightings} <= {"not_affected"}


def test_override_and_a_bad_lock_entry_gives_10(tmp_path: Path) -> None:
    write(tmp_path, "pnpm/pnpm-lock.yaml", OVERRIDES.replace("axios@1.14.0:", "axios@1.14.1:"))
    assert examined(tmp_path / "pnpm").exit_code == 10
    write(
        tmp_path,
        "npm/package.json",
        {"name": "x", "dependencies": {"axios": "^1.14.0"}, "overrides": {"axios": "1.14.0"}},
    )
    write(tmp_path, "npm/package-lock.json", lock({"node_modules/axios": entry("axios", AXIOS)}))
    assert examined(tmp_path / "npm").exit_code == 10


@pytest.mark.parametrize("field", ["dependencies", "devDependencies", "optionalDependencies"])
@pytest.mark.parametrize("pin", [AXIOS, f"={AXIOS}", f"v{AXIOS}", f"npm:axios@{AXIOS}"])
def test_exact_pin_in_an_own_manifest_is_declared(field: str, pin: str, tmp_path: Path) -> None:
    write(tmp_path, "package.json", {"name": "x", field: {"http" if pin.startswith("npm:") else "axios": pin}})
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert seen(report) == [(f"pkg:npm/axios@{AXIOS}", "affected", "declared")]


def test_declared_range_without_a_lock_is_a_gap_for_a_named_incident_and_one_line_for_others(tmp_path: Path) -> None:
    write(tmp_path, "package.json", {"name": "x", "dependencies": {"axios": "^1.14.0"}})
    named = examined(tmp_path)
    assert named.exit_code == 4
    assert [item[1:] for item in seen(named)] == [("under_investigation", "declared")], "inferred, beside the gap"
    quiet = api.Selection(
        tuple(item for item in INCIDENTS if item.id == "axios-2026-03-31" and item.status != "active"),
        frozenset(),
        {},
        (),
    )
    if not quiet.incidents:
        pytest.skip("the incident is active")
    report = examined(tmp_path, quiet)
    assert report.exit_code == 0
    assert [(s.rule, s.count) for s in report.coverage.skipped_by_rule if "declared" in s.rule] == [
        ("declared-range-without-lock-for-inactive-incident", 1)
    ]


@pytest.mark.parametrize("settings", ["pnpm-workspace.yaml", ".npmrc", ".yarnrc.yml", "bunfig.toml"])
def test_settings_resolve_no_range(settings: str, tmp_path: Path) -> None:
    write(tmp_path, "package.json", {"name": "x", "dependencies": {"axios": "^1.14.0"}})
    write(tmp_path, settings, "packages: ['packages/*']\n" if settings.startswith("pnpm") else "\n")
    assert examined(tmp_path).exit_code == 4


@pytest.mark.parametrize("where", [".", "packages/app"])
def test_declared_range_with_a_lock_in_its_workspace_root_is_nothing(where: str, tmp_path: Path) -> None:
    write(tmp_path, f"{where}/package.json", {"name": "x", "dependencies": {"axios": "^1.14.0"}})
    write(tmp_path, "package-lock.json", lock({"node_modules/axios": entry("axios", "1.14.0")}))
    assert examined(tmp_path).exit_code == 0


def test_range_of_an_installed_package_is_nothing(tmp_path: Path) -> None:
    write(
        tmp_path, "node_modules/x/package.json", {"name": "x", "version": "1.0.0", "dependencies": {"axios": "^1.14.0"}}
    )
    assert examined(tmp_path).exit_code == 0


def test_one_release_in_two_incidents_is_sighted_in_each(tmp_path: Path) -> None:
    second = api.select(incidents=["axios-2026-03-31"], bad=[f"axios@{AXIOS}"], today=TODAY)
    assert len(second.incidents) == 2
    write(tmp_path, "package-lock.json", lock({"node_modules/axios": entry("axios", AXIOS)}))
    report = examined(tmp_path, second)
    assert {item.incident for item in report.sightings} == {item.id for item in second.incidents}
    assert report.exit_code == 10
    assert all(item.worst == "affected" for item in report.incidents)
