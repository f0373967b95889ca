"""Releases given by hand and in the flat lists that circulate."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.incidents import flat
from pratique.incidents.library import check
from pratique.model.errors import IncidentError
from pratique.model.incident import Incident, Role

TODAY = datetime.date(2026, 1, 2)
SHA1 = "0123456789abcdef0123456789abcdef01234567"
SHA256 = SHA1 + "0123456789abcdef01234567"
SRI = "sha512-" + "A" * 86 + "=="


def bad(*texts: str) -> Incident:
    return flat.from_bad(texts, window=None, today=TODAY)


def listed(folder: Path, text: str) -> Incident:
    path = folder / "list.txt"
    path.write_text(text, encoding="utf-8")
    return flat.from_list(path, window=None, today=TODAY)


def releases(incident: Incident) -> list[str]:
    return [
        f"{part.ecosystem}:{part.name}@{version}"
        for part in incident.components
        for version in (["*"] if part.all_versions else [item.version for item in part.versions])
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("axios@1.14.1,0.30.4", ["npm:axios@0.30.4", "npm:axios@1.14.1"]),
        ("npm:axios@1.14.1", ["npm:axios@1.14.1"]),
        ("@scope/name@1.0.0", ["npm:@scope/name@1.0.0"]),
        ("npm:@scope/name@1.0.0-rc.1", ["npm:@scope/name@1.0.0-rc.1"]),
        ("pkg:npm/%40scope/name@1.0.0", ["npm:@scope/name@1.0.0"]),
        ("pkg:pypi/litellm@1.82.7", ["PyPI:litellm@1.82.7"]),
        ("PyPI:litellm@1.82.7", ["PyPI:litellm@1.82.7"]),
        ("pypi:litellm==1.82.7", ["PyPI:litellm@1.82.7"]),
        ("torchtriton==2.0.0+0d7e753227", ["PyPI:torchtriton@2.0.0+0d7e753227"]),
        (f"github-actions:owner/action@{SHA1}", [f"GitHub Actions:owner/action@{SHA1}"]),
        ("axios@*", ["npm:axios@*"]),
    ],
)
def test_one_release(text: str, expected: list[str]) -> None:
    incident = bad(text)
    assert releases(incident) == expected
    assert check(incident) == []
    assert {part.role for part in incident.components} == {Role.CARRIER}
    assert incident.completeness == "partial"
    assert incident.updated == TODAY
    assert incident.windows == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("axios", "has no version; write NAME@VERSION"),
        ("@scope/name", "has no version"),
        ("axios@", "axios has no version"),
        ("axios@latest", "'latest' is not an exact npm version"),
        ("axios@^1.14.0", "'^1.14.0' is not an exact npm version"),
        ("axios@1.x", "'1.x' is not an exact npm version"),
        ("axios@>=1.14.1", "'>=1.14.1' is not an exact npm version"),
        ("a b@1.0.0", "'a b' is no npm package name"),
        ("conan:zlib@1.0.0", "ecosystem 'conan' is not known"),
        ("go:example@1.0.0", "names no release that can be looked for; not used: ecosystem go (1)"),
        ("pkg:npm/axios", "has no version"),
        ("pkg:", "is no package URL"),
        ("pkg:npm/axios@1.14.1?repository=x", "qualifiers and subpaths are not used"),
        ("github-actions:owner/action@v1", "'v1' is not a full commit"),
    ],
)
def test_what_is_no_release_is_named(text: str, message: str) -> None:
    with pytest.raises(IncidentError) as caught:
        bad(text)
    assert str(caught.value).startswith("--bad: ")
    assert message in str(caught.value)


def test_the_id_depends_on_the_releases_and_not_on_their_order() -> None:
    assert bad("axios@1.14.1,0.30.4").id == bad("axios@0.30.4", "npm:axios@1.14.1").id
    assert bad("axios@1.14.1").id != bad("axios@0.30.4").id
    assert bad("axios@1.14.1").id.startswith("bad-")


def test_a_window_is_kept_and_must_make_sense() -> None:
    start = datetime.datetime(2026, 3, 31, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(hours=3)
    incident = flat.from_bad(["axios@1.14.1"], window=(start, end), today=TODAY)
    assert (incident.windows[0].start, incident.windows[0].end) == (start, end)
    assert flat.from_bad(["axios@1.14.1"], window=(start, None), today=TODAY).windows[0].end is None
    with pytest.raises(IncidentError, match="end is before start"):
        flat.from_bad(["axios@1.14.1"], window=(end, start), today=TODAY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# note\n\naxios@1.14.1\n- @a/b@1.0.0 # why\n", ["npm:@a/b@1.0.0", "npm:axios@1.14.1"]),
        (
            "axios:1.14.1\n@a/b:1.0.0\npypi:litellm:1.82.7\n",
            ["PyPI:litellm@1.82.7", "npm:@a/b@1.0.0", "npm:axios@1.14.1"],
        ),
        ("axios: 1.14.1, 0.30.4\n@a/b: 1.0.0\n", ["npm:@a/b@1.0.0", "npm:axios@0.30.4", "npm:axios@1.14.1"]),
        ("axios 1.14.1\n@a/b 1.0.0\n", ["npm:@a/b@1.0.0", "npm:axios@1.14.1"]),
        ("litellm==1.82.7\n", ["PyPI:litellm@1.82.7"]),
        ("axios,1.14.1\n@a/b,1.0.0\n", ["npm:@a/b@1.0.0", "npm:axios@1.14.1"]),
        ("axios@1.14.1,0.30.4\n", ["npm:axios@0.30.4", "npm:axios@1.14.1"]),
        ("npm,axios,1.14.1\npypi,litellm,1.82.7\n", ["PyPI:litellm@1.82.7", "npm:axios@1.14.1"]),
        (f"github-actions,owner/action,{SHA1}\n", [f"GitHub Actions:owner/action@{SHA1}"]),
        ("axios\t1.14.1\n", ["npm:axios@1.14.1"]),
        ("name,version\naxios,1.14.1\n", ["npm:axios@1.14.1"]),
        ('Package,Version\norb,"4.4.1, 4.4.2"\n', ["npm:orb@4.4.1", "npm:orb@4.4.2"]),
        (
            "Package,Version\necho,= 0.0.7\n@a/b,= 1.0.0 || = 1.0.1\n",
            ["npm:@a/b@1.0.0", "npm:@a/b@1.0.1", "npm:echo@0.0.7"],
        ),
        ("version\tname\tecosystem\n1.82.7\tlitellm\tPyPI\n", ["PyPI:litellm@1.82.7"]),
        ("pkg:npm/%40a/b@1.0.0\r\npkg:npm/c@1.0.0\r\n", ["npm:@a/b@1.0.0", "npm:c@1.0.0"]),
        ("\ufeffaxios@1.14.1\n", ["npm:axios@1.14.1"]),
        ('"axios@1.14.1"\n`c@1.0.0`\n', ["npm:axios@1.14.1", "npm:c@1.0.0"]),
        ("axios@1.14.1\naxios@1.14.1\n", ["npm:axios@1.14.1"]),
    ],
)
def test_lines(tmp_path: Path, text: str, expected: list[str]) -> None:
    incident = listed(tmp_path, text)
    assert releases(incident) == expected
    assert incident.title == "Releases listed in list.txt"


@pytest.mark.parametrize(
    "text",
    [
        f"axios,1.14.1,{SHA1},{SHA256},{SRI}\n",
        f"axios@1.14.1,{SHA256},{SRI},{SHA1.upper()}\n",
        f"name,version,shasum,sha256,integrity\naxios,1.14.1,{SHA1},{SHA256},{SRI}\n",
        f"name,version,hash\naxios,1.14.1,{SHA1}\naxios,1.14.1,sha256:{SHA256}\naxios,1.14.1,{'0' * 128}\n",
        f"axios,1.14.1,{SHA1}\naxios,1.14.1,{SHA256}\naxios,1.14.1,{SRI}\naxios,1.14.1,\n",
    ],
)
def test_digests(tmp_path: Path, text: str) -> None:
    (version,) = listed(tmp_path, text).components[0].versions
    assert (version.sha1, version.sha256, version.sha512) == (SHA1, SHA256, SRI)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'\n", "line 1: holds no release"),
        ("a@1.0.0\ngarbage\n", "line 2: 'garbage' has no version"),
        ("a@1.0.0\n\n# c\nb@latest\n", "line 4: 'latest' is not an exact npm version"),
        ("a@1.0.0\nb@\nc\n", "line 2: b has no version; line 3: 'c' has no version"),
        (f"a,1.0.0,{SHA1[:-1]}\n", "line 1: a digest of 39 hexadecimal digits is of no known kind"),
        ("a,1.0.0,sha512-AAAA\n", "line 1: 'sha512-AAAA' decodes to 3 bytes instead of 64"),
        ("a,1.0.0,sha512-!!!\n", "line 1: 'sha512-!!!' is not decodable base64"),
        (f"a,1.0.0,1.0.1,{SHA1}\n", "line 1: a digest belongs to one version, a has 2 in this line"),
        (f"a,1.0.0,{SHA1}\na,1.0.0,{SHA1[::-1]}\n", "line 2: a 1.0.0 is given with two different sha1"),
        (f"name,version,sha256\na,1.0.0,{SHA1}\n", "line 2: the column sha256 holds a digest of another kind"),
        ("name,version\na\n", "line 2: has 1 columns, the header has 2"),
        ("name,version\n,1.0.0\n", "line 2: has no package name"),
        ("name,version\na,\n", "line 2: a has no version"),
        ("name,version,sha1\na,1.0.0,none\n", "line 2: 'none' is no digest"),
        ("ecosystem,name,version\nconan,a,1.0.0\n", "line 2: ecosystem 'conan' is not known"),
        ("", "names no release that can be looked for"),
        ("{", "is not JSON"),
        ('{"a": 1}', "is JSON of no known form"),
        ('[{"x": 1}]', "record[0]: is no OSV record"),
        ('[{"affected": [{}]}]', "record[0]: affected must name a package"),
        ('{"entries": [{"ecosystem": "npm"}]}', "entries[0]: package must be a string"),
        (
            '{"entries": [{"ecosystem": "npm", "package": "a", "versions": "1"}]}',
            "entries[0]: versions must be an array",
        ),
        ('{"a": ["1.0.0"], "b": [1]}', "object[1]: versions of b must be an array of strings"),
    ],
)
def test_nothing_is_skipped_silently(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(IncidentError) as caught:
        listed(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'list.txt'}: ")
    assert message in str(caught.value)


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(IncidentError, match=r"line 10: .*; and 5 more"):
        listed(tmp_path, "x\n" * 15)


def test_unreadable_lists_are_named(tmp_path: Path) -> None:
    with pytest.raises(IncidentError, match="cannot be read: No such file"):
        flat.from_list(tmp_path / "missing", window=None, today=TODAY)
    path = tmp_path / "latin"
    path.write_bytes(b"a\xff")
    with pytest.raises(IncidentError, match="is not UTF-8 at byte 1"):
        flat.from_list(path, window=None, today=TODAY)


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("a@1.0.0\ncomposer:x/y:1.0.0\n", "ecosystem composer (1)"),
        ("a@1.0.0\nb@0.0.1-security\nb@0.0.1-security.0\n", "placeholder of the registry (2)"),
        ("name,version,severity\na,1.0.0,high\n", "column severity (1)"),
    ],
)
def test_what_cannot_be_used_is_counted(tmp_path: Path, text: str, unused: str) -> None:
    incident = listed(tmp_path, text)
    assert releases(incident) == ["npm:a@1.0.0"]
    assert f"Not used: {unused}." in incident.summary


def test_a_bumblebee_catalogue(tmp_path: Path) -> None:
    catalogue = {
        "schema_version": "0.2.0",
        "entries": [
            {"id": "1", "ecosystem": "npm", "package": "keyv", "versions": ["6.0.0"], "severity": "critical"},
            {"id": "2", "ecosystem": "pypi", "package": "every", "versions": ["*"]},
            {"id": "3", "ecosystem": "go", "package": "example.test/x", "versions": ["*"]},
        ],
        "allowlist": [{"id": "4", "ecosystem": "npm", "package": "keyv", "versions": ["6.0.0"]}],
    }
    incident = listed(tmp_path, json.dumps(catalogue))
    assert releases(incident) == ["PyPI:every@*", "npm:keyv@6.0.0"]
    assert "Not used: allowlist (1), ecosystem go (1)." in incident.summary


@pytest.mark.parametrize("form", ["one", "array", "vulns"])
def test_osv_records(tmp_path: Path, form: str) -> None:
    record = {
        "id": "MAL-2026-1",
        "aliases": ["GHSA-1"],
        "affected": [
            {"package": {"ecosystem": "npm", "name": "@a/b"}, "versions": ["1.0.0"], "ranges": [{"type": "SEMVER"}]},
            {"package": {"ecosystem": "Go", "name": "x"}, "versions": ["1.0.0"]},
            {"package": {"ecosystem": "npm", "name": "ranged"}, "ranges": [{"type": "SEMVER"}]},
        ],
    }
    withdrawn = {"id": "MAL-2026-2", "withdrawn": "2026-01-01T00:00:00Z", "affected": []}
    document = {"one": record, "array": [record, withdrawn], "vulns": {"vulns": [record, withdrawn]}}[form]
    incident = listed(tmp_path, json.dumps(document))
    assert releases(incident) == ["npm:@a/b@1.0.0"]
    assert incident.aliases == ("MAL-2026-1", "GHSA-1")
    assert "ecosystem go (1), range (2)" in incident.summary
    assert ("withdrawn record (1)" in incident.summary) == (form != "one")


def test_an_object_of_names(tmp_path: Path) -> None:
    incident = listed(tmp_path, json.dumps({"axios": ["1.14.1"], "pypi:ctx": ["0.2.2"]}))
    assert releases(incident) == ["PyPI:ctx@0.2.2", "npm:axios@1.14.1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "affected", "package", "ecosystem", "name", "versions", "ranges", "entries", "vulns", "aliases"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("document", [False, True])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_releases_or_an_error(tmp_path: Path, document: bool, data: st.DataObject) -> None:
    parts = st.text(alphabet=st.sampled_from("a1.@/:,=# \t\"'-*{[]}|~^<>%pkgnm\x00é\n"), max_size=60)
    text = json.dumps(data.draw(JSON)) if document else data.draw(parts)
    try:
        incident = listed(tmp_path, text)
    except IncidentError:
        return
    assert check(incident) == []
    assert incident.components
