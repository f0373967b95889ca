"""Every reader on every case: golden equality, totality on damaged input, and the shape of the plugs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Interest, Unreadable
from pratique.readers import discovery
from tests.golden.harness import ALL, ROOT, cases, claimed, in_memory, plain, readers, records

READERS = readers()
CASES = list(cases())
HEADINGS = ("## Reads", "## Leaves out", "## References")


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}/{case.name}" for name, case in CASES])
def test_case_gives_exactly_its_expected_records(name: str, case: Path) -> None:
    assert name in READERS, f"{case}: no reader is called {name}"
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert records(READERS[name], case) == expected


@pytest.mark.parametrize("name", READERS)
def test_reader_has_cases_and_one_is_truncated(name: str) -> None:
    folders = [case for reader, case in CASES if reader == name]
    assert folders, f"{name}: has no case below {ROOT}"
    assert any("truncated" in case.name for case in folders), f"{name}: has no truncated case"


@pytest.mark.parametrize("name", READERS)
def test_documentation_has_the_headings_of_its_page(name: str) -> None:
    import importlib

    module = next(claim.module for claim in discovery.claims() if claim.name == name)
    text = importlib.import_module(module).__doc__ or ""
    assert [heading for heading in HEADINGS if heading not in text] == []


def test_names_are_unique_and_the_index_is_current() -> None:
    names = [discovery.load(module).name for module in discovery.modules()]
    assert len(names) == len(set(names))
    generated = Path(discovery.__file__).with_name("claims.py").read_text(encoding="utf-8")
    assert generated == discovery.build()


def samples(name: str) -> list[tuple[str, bytes]]:
    """Real inputs of a reader, small ones first."""
    found = []
    for reader, case in CASES:
        if reader == name:
            root = case / "input"
            for path in sorted(root.rglob("*")):
                relative = path.relative_to(root).as_posix()
                if path.is_file() and claimed(READERS[name], relative):
                    found.append((relative, path.read_bytes()))
    return sorted(found, key=lambda item: len(item[1]))[:6]


@pytest.mark.parametrize("name", READERS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_bytes_give_records_or_a_refusal(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    choices = samples(name)
    path, original = data.draw(st.sampled_from(choices)) if choices else ("x", b"")
    content = data.draw(
        st.one_of(
            st.binary(max_size=200),
            st.integers(0, len(original)).map(lambda n: original[:n]),
            st.tuples(st.integers(0, max(len(original) - 1, 0)), st.binary(min_size=1, max_size=8)).map(
                lambda p: original[: p[0]] + p[1] + original[p[0] + len(p[1]) :]
            ),
        )
    )
    for interest in (ALL, Interest({reader.ecosystem: frozenset({"axios", "plain-crypto-js"})})):
        try:
            out = list(reader.read(in_memory(content, path), interest))
        except Unreadable:
            continue
        assert all(isinstance(item, Observation | Refusal) for item in out)
        plain(reader, in_memory(content, path), interest)
