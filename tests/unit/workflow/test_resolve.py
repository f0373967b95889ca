"""What would have been installed: requests, documents, projects, lockfiles nearby."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.readers.discovery import load, modules
from pratique.workflow.resolve import MANIFESTS, SETTINGS

AXIOS = "axios-2026-03-31"
IN_WINDOW = datetime.datetime(2026, 3, 31, 1, 30, tzinfo=datetime.UTC).timestamp()
BEFORE = datetime.datetime(2026, 3, 30, 1, 30, tzinfo=datetime.UTC).timestamp()
AFTER = datetime.datetime(2026, 4, 2, tzinfo=datetime.UTC).timestamp()


def resolved(
    *asked: str, root: Path | None = None, at: float | None = None, until: float | None = None, **more: Any
) -> api.Resolutions:
    selection = api.select(incidents=[AXIOS], today=datetime.date(2026, 11, 20))
    requests = [api.asked_for(text, more.get("manager")) for text in asked]
    return api.resolve(
        api.ResolveRequest(
            targets=(api.TargetSpec(str(root)),) if root is not None else (),
            asked=tuple(item for item in requests if item is not None),
            incidents=selection.incidents,
            named=selection.named,
            start=at,
            end=until,
            **more,
        )
    )


def laid(root: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return root


def packument(**versions: str) -> dict[str, Any]:
    """A document of axios whose `latest` is the last version given."""
    texts = {key.lstrip("v").replace("_", "."): time for key, time in versions.items()}
    return {
        "name": "axios",
        "dist-tags": {"latest": list(texts)[-1]},
        "time": {"modified": "2026-11-20T00:00:00.000Z", **texts},
        "versions": {text: {"name": "axios", "version": text} for text in texts},
    }


TODAY = packument(v0_30_3="2026-02-18T17:19:20Z", v1_14_0="2026-03-27T19:01:40Z", v1_15_0="2026-04-08T10:00:00Z")


@pytest.mark.parametrize(
    ("request_text", "at", "outcome", "version"),
    [
        ("axios@^1.14.0", IN_WINDOW, "listed", "1.14.1"),
        ("axios@latest", IN_WINDOW, "listed", "1.14.1"),
        ("axios@*", IN_WINDOW, "listed", "1.14.1"),
        ("axios@1.14.1", IN_WINDOW, "listed", "1.14.1"),
        ("axios@^0.30.0", IN_WINDOW, "listed", "0.30.4"),
        ("axios@legacy", IN_WINDOW, "listed", "0.30.4"),
        ("axios@1.14.0", IN_WINDOW, "other", None),
        ("axios@^1.14.0", BEFORE, "other", None),
        ("axios@^1.14.0", AFTER, "other", None),
        ("axios@next", IN_WINDOW, "unknown", None),
    ],
)
def test_incident_data_alone(request_text: str, at: float, outcome: str, version: str | None) -> None:
    found = resolved(request_text, at=at)
    (answer,) = found.answers
    assert answer.outcome == outcome
    assert answer.inferred
    assert answer.spans[0].version == version
    assert found.exit_code == (4 if outcome in ("listed", "unknown") else 0)


@pytest.mark.parametrize("manager", ["npm", "pnpm", "yarn", "yarn@1", "bun"])
def test_every_manager_would_have_taken_it(manager: str) -> None:
    (answer,) = resolved("axios@^1.14.0", at=IN_WINDOW, manager=manager).answers
    assert answer.spans[0].version == "1.14.1"
    assert answer.manager == manager.partition("@")[0]


def test_over_a_window_it_says_from_when_to_when() -> None:
    (answer,) = resolved("axios@^1.14.0", at=BEFORE, until=AFTER).answers
    assert answer.text == (
        "would have resolved to axios 1.14.1 between 2026-03-31 00:21:58 and 03:15:30 UTC (npm; latest; inferred)"
    )
    assert [span.version for span in answer.spans] == [None, "1.14.1", None]
    assert answer.spans[1].incidents == (AXIOS,)


def test_a_document_gives_back_what_was_removed(tmp_path: Path) -> None:
    file = laid(tmp_path, {"axios.json": TODAY}) / "axios.json"
    (answer,) = resolved("axios@^1.13.0", at=BEFORE, until=AFTER + 30 * 86400, documents=(str(file),)).answers
    assert [span.version for span in answer.spans] == ["1.14.0", "1.14.1", "1.14.0", "1.15.0"]
    assert answer.outcome == "listed"
    assert answer.inferred


def test_a_document_alone_answers_for_a_package_that_no_incident_lists(tmp_path: Path) -> None:
    document = {**TODAY, "name": "other"}
    file = laid(tmp_path, {"other.json": document}) / "other.json"
    found = resolved("other@^1.0.0", at=BEFORE, documents=(str(file),))
    (answer,) = found.answers
    assert (answer.outcome, answer.spans[0].version, found.exit_code) == ("other", "1.14.0", 0)
    (answer,) = resolved("other@^1.0.0", documents=(str(file),)).answers
    assert answer.outcome == "unknown", "there is no time to answer for"


def test_now_is_no_inference(tmp_path: Path) -> None:
    file = laid(tmp_path, {"axios.json": TODAY}) / "axios.json"
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC).timestamp()
    (answer,) = resolved("axios@^1.13.0", at=now, documents=(str(file),)).answers
    assert not answer.inferred
    assert answer.spans[0].version == "1.15.0"


def test_a_registry_that_still_serves_it_is_believed(tmp_path: Path) -> None:
    kept = packument(v1_14_0="2026-03-27T19:01:40Z", v1_14_1="2026-03-31T00:21:58Z")
    file = laid(tmp_path, {"axios.json": kept}) / "axios.json"
    (answer,) = resolved("axios@^1.14.0", at=AFTER, documents=(str(file),)).answers
    assert answer.outcome == "listed"


def test_a_release_removed_at_an_unknown_time_is_named(tmp_path: Path) -> None:
    gone = {**TODAY, "time": {**TODAY["time"], "1.14.5": "2026-03-28T00:00:00Z"}}
    file = laid(tmp_path, {"axios.json": gone}) / "axios.json"
    (answer,) = resolved("axios@^1.14.0", at=BEFORE, documents=(str(file),)).answers
    assert any(note.startswith("1.14.5 was removed at a time that is not known") for note in answer.notes)


def test_a_folder_with_a_cooldown(tmp_path: Path) -> None:
    files = {"package.json": {"dependencies": {"axios": "^1.14.0"}, "packageManager": "npm@11.12.0"}}
    root = laid(tmp_path, {**files, ".npmrc": "min-release-age=7\n"})
    found = resolved(root=root)
    (answer,) = found.answers
    assert answer.outcome == "refused"
    assert answer.text.startswith("min-release-age of 7 days (.npmrc) would have refused axios 1.14.1 between")
    assert found.exit_code == 0, "the npm of this project minds it"
    (root / "package.json").write_text(json.dumps({"dependencies": {"axios": "^1.14.0"}}))
    assert resolved(root=root).exit_code == 4, "nobody knows which npm ran"


def test_an_npm_too_old_for_the_setting(tmp_path: Path) -> None:
    files = {"package.json": {"dependencies": {"axios": "^1.14.0"}, "packageManager": "npm@10.9.0"}}
    root = laid(tmp_path, {**files, ".npmrc": "min-release-age=7\n"})
    (answer,) = resolved(root=root).answers
    assert answer.outcome == "listed"
    assert answer.protections == ()


def test_overrides_are_applied_and_named(tmp_path: Path) -> None:
    manifest = {"dependencies": {"axios": "^1.13.0"}, "resolutions": {"axios": "1.14.0"}}
    root = laid(tmp_path, {"package.json": {**manifest, "packageManager": "yarn@4.9.0"}})
    (answer,) = resolved(root=root).answers
    assert answer.outcome == "other"
    assert answer.protections == ("resolutions forces axios to 1.14.0",)


LOCK = {
    "name": "other",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "other", "dependencies": {"middle": "^1.0.0"}},
        "node_modules/middle": {"version": "1.2.3", "dependencies": {"inner": "^2.0.0"}},
        "node_modules/inner": {"version": "2.0.0", "dependencies": {"axios": "^1.6.0"}},
        "node_modules/axios": {"version": "1.13.0"},
    },
}
YARN = """\
# yarn lockfile v1


axios@^1.6.0:
  version "1.13.0"
  resolved "https://registry.example/axios/-/axios-1.13.0.tgz#2553649f2322049666871cea80a5d0d6adc700ca"

inner@^2.0.0:
  version "2.0.0"
  resolved "https://registry.example/inner/-/inner-2.0.0.tgz#2553649f2322049666871cea80a5d0d6adc700ca"
  dependencies:
    axios "^1.6.0"

middle@^1.0.0:
  version "1.2.3"
  resolved "https://registry.example/middle/-/middle-1.2.3.tgz#2553649f2322049666871cea80a5d0d6adc700ca"
  dependencies:
    inner "^2.0.0"
"""


@pytest.mark.parametrize(("name", "lock"), [("package-lock.json", LOCK), ("yarn.lock", YARN)])
def test_a_lockfile_nearby_tells_who_would_have_let_it_in(tmp_path: Path, name: str, lock: Any) -> None:
    root = laid(
        tmp_path,
        {
            "bare/package.json": {"dependencies": {"middle": "^1.1.0"}},
            "locked/package.json": {"dependencies": {"middle": "^1.0.0"}},
            f"locked/{name}": lock,
        },
    )
    found = resolved(root=root)
    (answer,) = found.answers
    assert answer.location is not None
    assert answer.location.path == "bare/package.json"
    place = f"{tmp_path.name}/locked/{name}"
    assert answer.asked_by == (f"middle@1.2.3 ({place})", f"inner@2.0.0 ({place})")
    assert (answer.name, answer.range, answer.outcome) == ("axios", "^1.6.0", "listed")
    assert found.exit_code == 4


def test_a_lock_in_a_circle_ends(tmp_path: Path) -> None:
    packages = {
        "": {},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "*"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "*"}},
    }
    root = laid(
        tmp_path,
        {
            "bare/package.json": {"dependencies": {"a": "*"}},
            "locked/package-lock.json": {"lockfileVersion": 3, "packages": packages},
        },
    )
    assert resolved(root=root).answers == ()


def test_a_locked_project_is_answered_for_a_build_that_ignores_the_lock(tmp_path: Path) -> None:
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/axios": {"version": "1.14.0"}}}
    manifest = {"dependencies": {"axios": "^1.14.0"}}
    root = laid(tmp_path, {"package.json": manifest, "package-lock.json": lock})
    left = resolved(root=root)
    assert (left.answers, left.locked, left.exit_code) == ((), 1, 0)
    (answer,) = resolved(root=root, ignore_locks=True).answers
    assert answer.outcome == "listed"
    assert any(note.startswith("a lockfile or tree here resolves it") for note in answer.notes)


def test_nothing_examined_and_nothing_asked_for(tmp_path: Path) -> None:
    assert resolved(root=tmp_path).exit_code == 3
    laid(tmp_path, {"package.json": {"dependencies": {"left": "^1.0.0"}}})
    found = resolved(root=tmp_path)
    assert (found.exit_code, found.answers) == (0, ())


def test_a_lockfile_that_is_cut_off_is_told(tmp_path: Path) -> None:
    laid(tmp_path, {"package.json": {"dependencies": {"left": "^1.0.0"}}, "package-lock.json": '{"packages": {'})
    found = resolved(root=tmp_path)
    assert found.exit_code == 4
    assert found.unread[0].place == "package-lock.json"


def test_ten_thousand_versions_end_in_time(tmp_path: Path) -> None:
    """A window in which more changes than are looked at says so."""
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    versions = {f"1.{n // 100}.{n % 100}": start + datetime.timedelta(minutes=n) for n in range(10_000)}
    document = {
        "name": "big",
        "dist-tags": {"latest": "1.99.99"},
        "time": {text: when.isoformat() for text, when in versions.items()},
        "versions": {text: {} for text in versions},
    }
    file = laid(tmp_path, {"big.json": document}) / "big.json"
    at = start.timestamp() + 5_000 * 60
    (answer,) = resolved("big@^1.0.0", at=at, documents=(str(file),)).answers
    assert answer.spans[0].version == "1.50.0"
    (answer,) = resolved("big@^1.0.0", at=start.timestamp(), until=at, documents=(str(file),)).answers
    assert answer.outcome == "unknown"
    assert any("more than 1000 changes" in note for note in answer.notes)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"name": 1}', '{"name": "a", "versions": 3}', "[" * 5000])
def test_a_document_that_is_none_is_a_usage_error(tmp_path: Path, text: str) -> None:
    file = laid(tmp_path, {"x.json": text}) / "x.json"
    with pytest.raises(api.UsageError):
        resolved("axios@^1", at=AFTER, documents=(str(file),))


def test_an_index_document_of_python(tmp_path: Path) -> None:
    files = [
        {"filename": "thing-1.0-py3-none-any.whl", "upload-time": "2026-03-01T00:00:00Z"},
        {"filename": "thing-1.1.tar.gz", "upload-time": "2026-03-20T00:00:00Z"},
        {"filename": "thing-1.2-py3-none-any.whl", "upload-time": "2026-03-29T00:00:00Z", "yanked": "bad"},
    ]
    file = laid(tmp_path, {"thing.json": {"name": "Thing", "files": files}}) / "thing.json"
    (answer,) = resolved("pypi:thing@>=1", at=BEFORE, documents=(str(file),)).answers
    assert (answer.manager, answer.spans[0].version) == ("pip", "1.1")
    (answer,) = resolved("thing@==1.2", at=BEFORE, documents=(str(file),), manager="uv").answers
    assert (answer.manager, answer.spans[0].version) == ("uv", "1.2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("axios@^1", ("npm", "axios", "^1")),
        ("@scope/name@1.x || 2", ("npm", "@scope/name", "1.x || 2")),
        ("npm:axios@latest", ("npm", "axios", "latest")),
        ("pypi:My_Thing@>=1", ("PyPI", "my-thing", ">=1")),
        ("axios", None),
        ("@scope/name", None),
        ("./folder", None),
    ],
)
def test_words_that_ask_for_a_package(text: str, expected: tuple[str, str, str] | None) -> None:
    found = api.asked_for(text)
    assert (None if found is None else (found.ecosystem, found.name, found.range)) == expected


def test_an_unknown_manager_is_a_usage_error() -> None:
    with pytest.raises(api.UsageError):
        resolved("axios@^1", manager="cargo")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (
            {
                "pyproject.toml": '[project]\nname = "a"\ndependencies = ["thing>=1"]\n[tool.uv]\nexclude-newer = "7 days"\n'
            },
            "exclude-newer of 7 days (pyproject.toml)",
        ),
        ({"requirements.txt": "thing>=1\n", "uv.toml": 'exclude-newer = "P7D"\n'}, "exclude-newer of P7D (uv.toml)"),
        (
            {"requirements.txt": "thing>=1\n", "pip.conf": "[install]\nuploaded-prior-to = P7D\n"},
            "uploaded-prior-to of P7D (pip.conf)",
        ),
    ],
)
def test_a_cooldown_of_python_is_minded_and_named(tmp_path: Path, files: dict[str, str], named: str) -> None:
    uploads = [
        {"filename": "thing-1.0-py3-none-any.whl", "upload-time": "2026-03-01T00:00:00Z"},
        {"filename": "thing-1.1-py3-none-any.whl", "upload-time": "2026-03-30T00:00:00Z"},
    ]
    laid(
        tmp_path,
        {"thing.json": {"name": "thing", "files": uploads}, **{f"p/{key}": text for key, text in files.items()}},
    )
    (answer,) = resolved(root=tmp_path / "p", at=IN_WINDOW, documents=(str(tmp_path / "thing.json"),)).answers
    assert answer.spans[0].version == "1.0"
    assert answer.spans[0].held_back == "1.1"
    assert answer.protections == (f"{named}, as it is set now",)


@pytest.mark.parametrize("text", ["axios@>>1 foo", "axios@catalog:", "axios@jsr:^1", "pypi:axios@~~1", "pypi:axios@^1"])
@pytest.mark.parametrize("at", [None, IN_WINDOW])
def test_a_range_that_is_not_understood_is_no_negative(text: str, at: float | None) -> None:
    found = resolved(text, at=at)
    assert found.exit_code == 4
    assert found.answers[0].text == "cannot be told: the range is in no form that is understood here"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"dependencies": {"axi'),
        ("pyproject.toml", "[project]\ndependencies = ["),
        ("Pipfile", "[packages\n"),
        (".npmrc", "\0\0"),
        (".yarnrc.yml", 'npmMinimalAgeGate: [\n"'),
        ("bunfig.toml", "[install\n"),
        ("pnpm-workspace.yaml", "minimumReleaseAge: {\n"),
        ("uv.toml", "exclude-newer = ["),
    ],
)
def test_a_manifest_or_setting_that_cannot_be_read_is_no_negative(tmp_path: Path, name: str, text: str) -> None:
    laid(tmp_path, {"package.json": {"dependencies": {"axios": "1.13.0"}}, name: text})
    found = resolved(root=tmp_path, at=IN_WINDOW)
    assert found.exit_code == 4
    assert [item.place for item in found.unread] == [name]


def test_readers_that_decide_an_answer_are_known() -> None:
    readers = {reader for names in MANIFESTS.values() for reader in names} | set(SETTINGS)
    assert readers <= {load(module).name for module in modules()}


def test_settings_alone_are_no_manifest(tmp_path: Path) -> None:
    laid(tmp_path, {".npmrc": "save=true\n"})
    assert resolved(root=tmp_path, at=IN_WINDOW).exit_code == 3
    found = resolved("axios@1.13.0", root=tmp_path, at=IN_WINDOW)
    assert found.exit_code == 4
    assert found.unread[0].reason == "holds no manifest that a package manager reads"


def test_a_folder_without_a_manifest_of_the_manager_is_told(tmp_path: Path) -> None:
    laid(tmp_path, {"package.json": {"dependencies": {"axios": "1.13.0"}}})
    assert resolved(root=tmp_path, at=IN_WINDOW, manager="pnpm").exit_code == 0
    found = resolved(root=tmp_path, at=IN_WINDOW, manager="uv")
    assert found.exit_code == 4
    assert found.unread[0].reason == "holds no manifest that uv reads"


def test_an_action_is_not_answered_by_the_rules_of_npm(tmp_path: Path) -> None:
    text = "on: push\njobs:\n a:\n  runs-on: x\n  steps:\n  - uses: tj-actions/changed-files@v45\n"
    laid(tmp_path, {".github/workflows/a.yml": text})
    every = api.select(today=datetime.date(2026, 11, 20), every=True)
    request = api.ResolveRequest(
        targets=(api.TargetSpec(str(tmp_path)),), incidents=every.incidents, named=every.named, start=IN_WINDOW
    )
    found = api.resolve(request)
    assert (found.exit_code, found.answers[0].outcome, found.answers[0].manager) == (4, "unknown", "none")


@pytest.mark.parametrize("modified", [None, "2026-11-20T00:00:00.000Z"])
def test_a_document_without_times_decides_nothing_about_the_past(tmp_path: Path, modified: str | None) -> None:
    document = {**TODAY, "modified": modified}
    del document["time"]
    file = laid(tmp_path, {"axios.json": document}) / "axios.json"
    found = resolved("axios@>=1.14.0", "axios@>=1.14.1", at=IN_WINDOW, manager="yarn@4.9.0", documents=(str(file),))
    assert (found.exit_code, [answer.outcome for answer in found.answers]) == (4, ["unknown", "unknown"])


def bad_from(begin: datetime.datetime, *asked: str, root: Path | None = None, **more: Any) -> api.Resolutions:
    """Asked about a release of which only the beginning is known."""
    selection = api.select(bad=["axios@1.14.1"], window=(begin, None), today=datetime.date(2026, 11, 20))
    requests = [api.asked_for(text) for text in asked]
    return api.resolve(
        api.ResolveRequest(
            targets=(api.TargetSpec(str(root)),) if root is not None else (),
            asked=tuple(item for item in requests if item is not None),
            incidents=selection.incidents,
            named=selection.named,
            **more,
        )
    )


START = datetime.datetime(2026, 3, 31, tzinfo=datetime.UTC)


def test_a_document_older_than_the_release_does_not_remove_it(tmp_path: Path) -> None:
    old = packument(v1_13_0="2026-02-18T17:19:20Z", v1_14_0="2026-03-27T19:01:40Z")
    old["time"]["modified"] = "2026-03-28T00:00:00.000Z"
    file = laid(tmp_path, {"axios.json": old}) / "axios.json"
    found = bad_from(START, "axios@^1.14.0", start=IN_WINDOW, documents=(str(file),))
    assert found.answers[0].outcome == "listed"


@pytest.mark.parametrize(("age", "outcome"), [("save=true", "listed"), ("min-release-age=7", "unknown")])
def test_a_first_moment_alone_is_no_negative(tmp_path: Path, age: str, outcome: str) -> None:
    """Until when it could be had is not known: it may have outlived the cooldown."""
    manifest = {"dependencies": {"axios": "^1.14.0"}, "packageManager": "npm@11.12.0"}
    laid(tmp_path, {"package.json": manifest, ".npmrc": age})
    found = bad_from(START, root=tmp_path)
    assert (found.exit_code, found.answers[0].outcome) == (4, outcome)


def test_a_cooldown_whose_value_is_not_known_is_no_negative(tmp_path: Path) -> None:
    """An older release than the one picked without it may have been the listed one."""
    manifest = {"dependencies": {"axios": "^0.30.0"}, "packageManager": "npm@11.12.0"}
    newer = packument(v0_30_3="2026-02-18T17:19:20Z", v0_30_5="2026-03-31T01:10:00Z", v1_14_0="2026-03-27T19:01:40Z")
    laid(tmp_path, {"package.json": manifest, ".npmrc": "min-release-age=${AGE}\n", "axios.json": newer})
    found = resolved(root=tmp_path, at=IN_WINDOW, documents=(str(tmp_path / "axios.json"),))
    assert (found.exit_code, found.answers[0].outcome) == (4, "unknown")


def test_two_documents_of_one_package_are_a_usage_error(tmp_path: Path) -> None:
    laid(tmp_path, {"a.json": TODAY, "b.json": TODAY})
    with pytest.raises(api.UsageError):
        resolved("axios@^1", at=AFTER, documents=(str(tmp_path / "a.json"), str(tmp_path / "b.json")))
