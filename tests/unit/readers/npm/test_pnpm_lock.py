"""pnpm's lockfiles: both ways of reading agree, damage is seen, nothing is lost or leaked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import EVERYTHING, Interest
from pratique.readers.npm import pnpm_lock, pnpm_virtual_store_lock
from pratique.readers.npm.pnpm_lock import quick, resolve, strict
from pratique.readers.npm.pnpm_paths import folder_of, parse_path, without_suffix
from pratique.readers.npm.pnpm_yaml import Unexpected, conflict_sides, read_tree, strict_trees
from tests.golden.harness import ALL, ROOT, in_memory

LOCKS = sorted(
    path for reader in ("pnpm-lock", "pnpm-virtual-store-lock") for path in (ROOT / "npm" / reader).rglob("*.yaml")
)
DAMAGED = {"truncated", "merge-conflict", "duplicate-keys"}
WHOLE = [path for path in LOCKS if not DAMAGED & set(path.parts)]
SMALL = ROOT / "npm" / "pnpm-lock" / "pnpm-12-ran" / "input" / "pnpm-lock.yaml"
OLD = ROOT / "npm" / "pnpm-lock" / "pnpm-7-ran" / "input" / "pnpm-lock.yaml"


def outcome(text: str | bytes, path: str = "pnpm-lock.yaml") -> tuple[set[tuple[str, str]], list[str]]:
    """Releases and reasons of refusals."""
    data = text.encode() if isinstance(text, str) else text
    out = list(pnpm_lock.read(in_memory(data, path), ALL))
    found = {(item.facts.name, item.facts.version) for item in components(out)}
    return found, [item.reason for item in out if isinstance(item, Refusal)]


def components(out: list[Observation | Refusal]) -> list[Observation]:
    return [item for item in out if isinstance(item, Observation) and isinstance(item.facts, ComponentFact)]


def both(text: str) -> tuple[list[Observation | Refusal] | None, list[Observation | Refusal]]:
    """What the quick way says (None where it does not understand the text) and what the strict way says."""
    artifact = in_memory(text.encode(), "pnpm-lock.yaml")
    slow = list(strict(artifact, pnpm_lock.READER, EVERYTHING, "lock", (), text))
    try:
        return quick(artifact, pnpm_lock.READER, EVERYTHING, "lock", (), text), slow
    except Unexpected:
        return None, slow


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: str(path.relative_to(ROOT / "npm")))
def test_quick_and_strict_way_agree_on_every_fixture(path: Path) -> None:
    fast, slow = both(path.read_text(encoding="utf-8"))
    assert fast is not None, "the quick way does not understand what pnpm itself wrote"
    assert fast == slow


@pytest.mark.parametrize("path", [SMALL, OLD], ids=["9.0", "5.4"])
def test_quick_and_strict_way_agree_wherever_a_line_is_missing(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for index in range(len(lines)):
        for text in ("".join(lines[:index]), "".join(lines[:index] + lines[index + 1 :])):
            if not text.strip():
                continue
            fast, slow = both(text)
            assert fast is None or fast == slow, index


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_quick_and_strict_way_agree_on_changed_text(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(WHOLE)).read_text(encoding="utf-8")
    place = data.draw(st.integers(0, len(text)))
    change = data.draw(st.text(alphabet="ax1:@'\"#-{}[]|>&*~? \n,", max_size=4))
    fast, slow = both(text[:place] + change + text[place + data.draw(st.integers(0, 3)) :])
    assert fast is None or fast == slow


def test_cutting_between_any_two_lines_of_form_9_is_seen() -> None:
    lines = SMALL.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = outcome("".join(lines))[0]
    for index in range(1, len(lines)):
        found, reasons = outcome("".join(lines[:index]))
        assert reasons or found == whole, f"cut after line {index}: {lines[index - 1]!r}"


@pytest.mark.parametrize("path", [SMALL, OLD], ids=["9.0", "5.4"])
@pytest.mark.parametrize("change", ["mark", "carriage returns", "utf-16"])
def test_encodings_and_line_ends_change_nothing(path: Path, change: str) -> None:
    text = path.read_text(encoding="utf-8")
    data = {
        "mark": text.encode("utf-8-sig"),
        "carriage returns": text.replace("\n", "\r\n").encode(),
        "utf-16": text.encode("utf-16"),
    }[change]
    assert outcome(data) == outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        "\xff\xfe\xfd",
        "",
        "\n\n",
        "- a\n",
        "text\n",
        "{}\n",
        "lockfileVersion: '99.0'\n",
        "packages: text\n",
        "a: &x [*x]\n",
        "a: *x\n",
        "? [a, b]\n: c\n",
        "[" * 100_000,
        "a: " * 1000,
        "\t\t\n",
        "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n",
        "---\n",
        "---\n---\n",
        "\x00",
    ],
)
def test_what_is_no_whole_lockfile_is_refused(text: str) -> None:
    data = text.encode("latin-1")
    assert any(isinstance(item, Refusal) for item in pnpm_lock.read(in_memory(data, "pnpm-lock.yaml"), ALL))


def test_a_bomb_of_anchors_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert strict_trees("\n".join(lines)).damage == "repeats anchors too often"


def test_an_empty_project_is_no_damage() -> None:
    text = "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n  .: {}\n"
    assert outcome(text) == (set(), [])
    assert outcome("lockfileVersion: 5.4\n\nspecifiers: {}\n") == (set(), [])


def test_both_sides_of_a_conflict_are_listed_and_the_ancestor_is_not() -> None:
    text = "a\n<<<<<<< ours\nb\n||||||| base\nc\n=======\nd\n>>>>>>> theirs\ne\n"
    assert conflict_sides(text) == ["a\nb\ne\n", "a\nd\ne\n"]


def test_another_layout_of_the_same_data_gives_the_same_records() -> None:
    text = SMALL.read_text(encoding="utf-8")
    found = outcome(text)
    assert outcome("# a comment\n" + text.replace("\n\n", "\n")) == found
    assert outcome(text.replace("  ", "    ")) == found


def test_a_bad_version_in_overrides_or_catalogs_is_no_component() -> None:
    path = ROOT / "npm" / "pnpm-lock" / "overrides-and-catalogs" / "input" / "pnpm-lock.yaml"
    found, reasons = outcome(path.read_bytes())
    assert ("axios", "1.14.1") not in found
    assert reasons == []


def test_only_names_of_interest_are_given() -> None:
    out = list(
        pnpm_lock.read(in_memory(SMALL.read_bytes(), "x/pnpm-lock.yaml"), Interest({"npm": frozenset({"axios"})}))
    )
    assert [(item.facts.name, item.facts.version) for item in components(out)] == [("axios", "1.14.1")]
    assert len(out) == 1


def test_secrets_in_urls_are_lost() -> None:
    path = ROOT / "npm" / "pnpm-lock" / "sources" / "input" / "pnpm-lock.yaml"
    assert "secret" in path.read_text(encoding="utf-8")
    assert "secret" not in repr(list(pnpm_lock.read(in_memory(path.read_bytes(), "pnpm-lock.yaml"), ALL)))


def test_any_other_lock_yaml_is_left_alone() -> None:
    data = SMALL.read_bytes()
    assert list(pnpm_virtual_store_lock.read(in_memory(data, "a/lock.yaml"), ALL)) == []
    assert list(pnpm_virtual_store_lock.read(in_memory(data, "a.pnpm/lock.yaml"), ALL)) == []
    assert len(list(pnpm_virtual_store_lock.read(in_memory(data, ".pnpm/lock.yaml"), ALL))) == 3


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("/axios/1.14.1", "axios", "1.14.1"),
        ("/@s/n/1.2.3-rc.1_react@18.2.0", "@s/n", "1.2.3-rc.1"),
        ("/@s/n/3.0.0_7drhdt4t3q3rz6x6b7plgtnyxu", "@s/n", "3.0.0"),
        ("/n/1.0.0/peer@2.0.0", "n", "1.0.0"),
        ("/axios@1.14.1", "axios", "1.14.1"),
        ("/@s/n@1.2.3(react@18.3.1)(b@1.0.0(c@2.0.0))", "@s/n", "1.2.3"),
        ("axios@1.14.1", "axios", "1.14.1"),
        ("@s/n@1.2.3+build(patch_hash=00)(a@1.0.0)", "@s/n", "1.2.3+build"),
        ("n@work:1.2.3", "n", "1.2.3"),
        ("node@runtime:22.0.0", "node", None),
        ("n@file:local (copy)", "n", None),
        ("n@https://files.example/n-1.0.0.tgz", "n", None),
        ("n@git+ssh://git@git.example/n.git#00", "n", None),
        ("registry.example/@s/n/1.2.3", "@s/n", "1.2.3"),
        ("registry.example/n@1.2.3", "n", "1.2.3"),
        ("github.com/owner/name/0123456789abcdef", None, None),
        ("@files.example/a/b/c", None, None),
        ("file:local", None, None),
        ("", None, None),
        ("/", None, None),
        ("(", None, None),
        (")", None, None),
    ],
)
def test_dependency_paths(path: str, name: str | None, version: str | None) -> None:
    parsed = parse_path(path)
    assert (parsed.name, parsed.version) == (name, version)


@given(st.text(alphabet="/@:()_.a1-", max_size=30))
def test_any_text_is_a_dependency_path(text: str) -> None:
    parse_path(text)
    assert text.startswith(without_suffix(text))
    assert folder_of(text, "a") is None or "/" not in folder_of(text, "a").split("/")[1]


@pytest.mark.parametrize(
    ("path", "name", "folder"),
    [
        ("/axios/1.14.1", "axios", ".pnpm/axios@1.14.1/node_modules/axios"),
        ("/@s/n/1.2.3_a@1.0.0", "@s/n", ".pnpm/@s+n@1.2.3_a@1.0.0/node_modules/@s/n"),
        ("/@s/n@1.2.3(a@1.0.0)(b@2.0.0)", "@s/n", ".pnpm/@s+n@1.2.3_a@1.0.0_b@2.0.0/node_modules/@s/n"),
        ("a@1.0.0(b@2.0.0(c@3.0.0))", "a", ".pnpm/a@1.0.0_b@2.0.0_c@3.0.0_/node_modules/a"),
        ("JSONStream@1.3.5", "JSONStream", None),
        ("a@1.0.0(" + "b" * 60 + "@1.0.0)", "a", None),
    ],
)
def test_folders_of_the_virtual_store(path: str, name: str, folder: str | None) -> None:
    assert folder_of(path, name) == folder


@pytest.mark.parametrize(
    ("reference", "form", "path"),
    [
        ("1.2.3_b@1.0.0", "slashes", "/n/1.2.3_b@1.0.0"),
        ("/chalk/4.1.2", "slashes", "/chalk/4.1.2"),
        ("1.2.3(b@1.0.0)", "slash-at", "/n@1.2.3(b@1.0.0)"),
        ("1.2.3(b@1.0.0)", "bare", "n@1.2.3(b@1.0.0)"),
        ("chalk@4.1.2", "bare", "chalk@4.1.2"),
        ("@s/chalk@4.1.2", "bare", "@s/chalk@4.1.2"),
        ("git+ssh://git@git.example/n.git#00", "bare", "n@git+ssh://git@git.example/n.git#00"),
        ("work:1.2.3", "bare", "n@work:1.2.3"),
        ("link:../n", "bare", None),
    ],
)
def test_references(reference: str, form: pnpm_lock.Form, path: str | None) -> None:
    assert resolve("n", reference, form) == path


def test_block_and_flow_values_mean_the_same_both_ways() -> None:
    text = "a: |-\n  one\n\n  two\nb: {c: 'it''s', d: \"x, y\", e: null}\nf: [g, '*']\n"
    text += "h:\n  - '@i'\n  - j\nk:\nl: ~\nm: {}\n"
    assert repr_of(read_tree(text).documents[0]) == repr_of(strict_trees(text).documents[0])


def repr_of(node: object) -> object:
    pairs = getattr(node, "pairs", None)
    if pairs is not None:
        return [(key, repr_of(value)) for key, value in pairs]
    return [repr_of(item) for item in node] if isinstance(node, list) else node
