"""What every bundled definition keeps to, and facts that must not go wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pratique.incidents.library import BUNDLED, load_directory, load_file
from pratique.model.incident import Incident

FILES = sorted(BUNDLED.glob("*.toml"))
TEXTS = sorted([*FILES, *BUNDLED.glob("*.tsv")])
# Host names are put together here so that no file of the project names a registry.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npm", "org"),
        ("jsr", "io"),
    )
]
BLOCKED_BY = {
    "ignore-scripts",
    "allow-list",
    "allow-git",
    "cooldown",
    "frozen-lockfile",
    "hash-pinning",
    "single-index",
    "pinned-commit",
    "workspace-trust",
    "workflow-review",
}
SECRETS = {
    "npm-token",
    "vcs-token",
    "cloud-key",
    "ssh-key",
    "ci-secret",
    "env-file",
    "environment",
    "browser-data",
    "wallet",
    "password-vault",
    "oidc-publish-token",
}


@pytest.fixture(scope="module")
def library() -> dict[str, Incident]:
    return {incident.id: incident for incident in load_directory(BUNDLED)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_definition_loads_and_says_what_to_do(path: Path) -> None:
    incident = load_file(path)
    assert incident.next_steps
    assert all(len(step) <= 80 for step in incident.next_steps)
    assert incident.remediation
    assert incident.prevention
    assert incident.evidence
    assert incident.references
    assert all(set(trigger.blocked_by) <= BLOCKED_BY for trigger in incident.triggers)
    assert {secret.kind for secret in incident.secrets} <= SECRETS
    assert len(incident.title) <= 100
    for component in incident.components:
        assert component.source is not None, f"{component.name} names no source"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_file_names_a_registry_or_a_live_bad_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for host in REGISTRIES:
        assert host not in text
    if path.suffix == ".toml":
        document = tomllib.loads(text)
        live = {str(reference.get("url", "")) for reference in document.get("references", ())}
        for url in re.findall(r"https?://[^\s\"']+", text):
            assert url in live, f"{url} is live and no reference"
        for indicator in document.get("indicators", ()):
            if indicator["type"] in ("domain", "ip", "url"):
                bare = indicator["value"].replace("[.]", ".").replace("hxxp", "http")
                assert bare not in text


def test_version_lists_belong_to_definitions() -> None:
    assert {path.name.removesuffix(".versions.tsv") for path in BUNDLED.glob("*.tsv")} <= {path.stem for path in FILES}


def test_lists_hold_exact_versions_only(library: dict[str, Incident]) -> None:
    exact = {
        "npm": re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"),
        "PyPI": re.compile(r"\d+(\.\d+)*(\+[0-9a-z]+)?"),
        "GitHub Actions": re.compile(r"[0-9a-f]{40}"),
    }
    for incident in library.values():
        for component in incident.components:
            assert not component.all_versions
            for version in component.versions:
                assert exact[component.ecosystem].fullmatch(version.version), (incident.id, component.name, version)
                assert "-security" not in version.version


def releases(incident: Incident) -> set[str]:
    return {f"{part.name}@{version.version}" for part in incident.components for version in part.versions}


def test_known_mistakes_of_public_lists_stay_out(library: dict[str, Incident]) -> None:
    everything = set().union(*(releases(incident) for incident in library.values()))
    for wrong in (
        "axios@0.30.0",
        "axios@1.9.4",
        "axios@1.14.0",
        "axios@0.30.3",
        "@ctrl/tinycolor@4.1.0",
        "@tanstack/history@1.161.6",
        "plain-crypto-js@0.0.1-security.0",
        "pytorch-lightning@2.6.2",
        "flatmap-stream@0.1.0",
        "ultralytics@8.3.43",
        "ultralytics@8.3.44",
    ):
        assert wrong not in everything
    texts = "".join(path.read_text(encoding="utf-8") for path in FILES)
    for invented in ("axios-transport-layer", "AxiomRAT", "2553649f232204966871cea80a5d0d6adc700ca", "calltan"):
        assert invented not in texts


@pytest.mark.parametrize(
    ("incident", "packages", "versions"),
    [
        ("chaindrop-2026-08-04", 443, 2235),
        ("antv-2026-05-19", 323, 643),
        ("tanstack-2026-05-11", 172, 406),
        ("redhat-cloud-services-2026-06-01", 32, 96),
        ("phantom-gyp-2026-06-03", 57, 287),
        ("shai-hulud-2-2025-11-24", 795, 1075),
        ("hades-2026-06-07", 19, 37),
        ("mastra-2026-06-17", 144, 145),
        ("ironworm-2026-06-03", 37, 37),
    ],
)
def test_counts_of_the_waves(library: dict[str, Incident], incident: str, packages: int, versions: int) -> None:
    found = library[incident]
    assert len(found.components) == packages
    assert sum(len(component.versions) for component in found.components) == versions


def test_tanstack_itself_has_84_releases_of_42_packages(library: dict[str, Incident]) -> None:
    own = [part for part in library["tanstack-2026-05-11"].components if part.name.startswith("@tanstack/")]
    assert (len(own), sum(len(part.versions) for part in own)) == (42, 84)


def test_one_name_can_stand_in_incidents_years_apart(library: dict[str, Incident]) -> None:
    old, new = releases(library["node-ipc-2022-03"]), releases(library["node-ipc-2026-05-14"])
    assert old.isdisjoint(new)
    assert "node-ipc@9.2.2" in old
    assert "node-ipc@9.2.3" in new


def test_a_release_of_the_campaigns_stands_in_one_incident_only(library: dict[str, Incident]) -> None:
    seen: dict[str, str] = {}
    for incident in library.values():
        for component in incident.components:
            for version in component.versions:
                key = f"{component.ecosystem}:{component.name}@{version.version}"
                assert key not in seen, f"{key} stands in {seen.get(key)} and {incident.id}"
                seen[key] = incident.id


def test_a_watched_token_is_revoked_last(library: dict[str, Incident]) -> None:
    watched = [incident for incident in library.values() if incident.dead_man_switch]
    assert {"tanstack-2026-05-11", "antv-2026-05-19", "hades-2026-06-07", "chaindrop-2026-08-04"} <= {
        incident.id for incident in watched
    }
    for incident in watched:
        assert incident.destructive
        steps = {step.id: step for step in incident.remediation}
        assert "confirm" in steps["rotate"].after
        assert "disarm" in steps["confirm"].after
        assert "collect" in steps["disarm"].after
        assert "nothing yet" in incident.next_steps[0]


def test_axios(library: dict[str, Incident]) -> None:
    axios = library["axios-2026-03-31"]
    by_name = {component.name: component for component in axios.components}
    assert {"1.14.1", "0.30.4"} == {version.version for version in by_name["axios"].versions}
    first = by_name["axios"].versions[0]
    assert first.sha1 is not None
    assert len(first.sha1) == 40
    roles = {version.version: version.role for version in by_name["plain-crypto-js"].versions}
    assert roles == {"4.2.1": None, "4.2.0": "decoy"}
    (rule,) = axios.tampering
    assert rule.absent_after == ("setup.js", "package.md")
    assert rule.manifest_version_after == "4.2.0"
    ids = [step.id for step in axios.remediation]
    assert ids.index("collect") < ids.index("rebuild")
    infrastructure = {item.id for item in axios.indicators if item.meaning == "infrastructure"}
    assert all(item.confidence == "low" for item in axios.indicators if item.id in infrastructure)
