"""No value of any credential that `pratique reach` looks at stands anywhere in what it writes.

Driven by the table: a row without a recipe in `tests/fixtures_reach` fails here, and so does a recipe whose credential
is not found, for then its test would prove nothing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Row, Secret
from pratique.readers.credentials.table import reader_of, table
from tests.fixtures_reach import Ground, lay_all, recipes, traces

ROWS = [row.id for row in table().rows]
SEED = 20261126


class Runs:
    """The command run over one ground in every way, and every byte that came of it."""

    def __init__(self, folder: Path) -> None:
        self.ground = lay_all(SEED)
        self.disk = folder / "disk"
        self.ground.lay(self.disk)
        self.own = folder / "own"
        self.own.mkdir()
        self.found: set[str] = set()
        self.told: list[dict[str, object]] = []
        self.written: list[tuple[str, bytes]] = []
        self.commands: list[tuple[str, int]] = []
        project = str(self.disk / "srv/shop")
        live = ["--home", str(self.disk / "home/dev"), "--project", project]
        for name, arguments in {
            "text": [*live, "--all"],
            "screen": live,
            "json": [*live, "--format", "json"],
            "markdown": [*live, "--format", "markdown"],
            "marked": [*live, "--format", "json", "--fingerprint"],
            "disk": ["--root", str(self.disk), "--user", "dev", "--project", project, "--format", "json"],
            "file": [*live, "--output", str(folder / "out.json")],
        }.items():
            self.run(name, arguments)
        case = folder / "case"
        self.run("case-new", [str(case)], ["case", "new"])
        self.run("case", [*live, "--case", str(case)])
        for path in sorted(folder.rglob("*")):
            if path.is_file() and self.disk not in path.parents:
                self.written.append((str(path.relative_to(folder)), path.read_bytes()))
        self.leaks = self._leaks()

    def _leaks(self) -> dict[str, set[str]]:
        """The rows of which a part of a secret stands in what was written, with where: every window is looked up."""
        wanted: dict[int, dict[bytes, str]] = {}
        for row, secrets in self.ground.secrets.items():
            for secret in secrets:
                for trace in traces(secret):
                    wanted.setdefault(len(trace), {})[trace] = row
        leaks: dict[str, set[str]] = {}
        for name, content in self.written:
            for size, known in wanted.items():
                windows = {content[at : at + size] for at in range(len(content) - size + 1)}
                for trace in windows & known.keys():
                    leaks.setdefault(known[trace], set()).add(name)
        return leaks

    def run(self, name: str, arguments: list[str], verb: list[str] | None = None) -> None:
        """Run the command as a process of its own, with the variables of the ground."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", "src"),
            "HOME": str(self.own),
            "PYTHONFAULTHANDLER": "1",
            "PYTHONDEVMODE": "1",
            **self.ground.environment,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pratique", *(verb or ["reach"]), *arguments],
            env=environment,
            capture_output=True,
            timeout=300,
            check=False,
        )
        self.commands.append((name, done.returncode))
        self.written += [(f"{name}.stdout", done.stdout), (f"{name}.stderr", done.stderr)]
        if done.stdout.startswith(b"{"):
            credentials = json.loads(done.stdout)["credentials"]
            self.found |= {item["location"] for item in credentials}
            self.told += credentials


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("reach"))


def test_every_row_has_a_recipe_and_no_recipe_stands_alone() -> None:
    assert set(recipes()) == set(ROWS)


def test_the_command_ran_in_every_way(runs: Runs) -> None:
    assert {code for _, code in runs.commands} <= {0, 4}, [
        (name, code, dict(runs.written)[f"{name}.stderr"][-2000:]) for name, code in runs.commands
    ]
    assert {"case-new", "case"} <= {name for name, _ in runs.commands}
    assert any(name.endswith("journal.sqlite") for name, _ in runs.written)
    assert any(name.endswith("fingerprint.key") for name, _ in runs.written)


@pytest.mark.parametrize("row", ROWS)
def test_the_credential_of_a_row_is_found(runs: Runs, row: str) -> None:
    assert row in runs.found


def test_what_is_private_is_told_as_yes_or_no_without_a_path(runs: Runs) -> None:
    private = {row.id for row in table().rows if row.personal}
    told = [item for item in runs.told if item["location"] in private and item["place"] != "environment"]
    assert {item["location"] for item in told} <= private
    for item in told:
        assert item["place"] == "(in this home)"
        assert not {"mode", "modified", "born", "tracked"} & item.keys()
        assert "identity" not in item["fact"]


@pytest.mark.parametrize("row", ROWS)
def test_no_part_of_a_secret_is_written_anywhere(runs: Runs, row: str) -> None:
    assert sorted(runs.leaks.get(row, ())) == []


def test_what_is_written_is_searched(runs: Runs) -> None:
    """A secret that is written is found: else the test above would prove nothing."""
    row, secrets = next((row, secrets) for row, secrets in runs.ground.secrets.items() if secrets)
    runs.written.append(("planted", b"words " + secrets[0][3:10][::-1].encode("utf-16-le") + b" words"))
    try:
        assert runs._leaks() == {row: {"planted"}}
    finally:
        runs.written.pop()


def _contents(ground: Ground) -> Iterator[bytes]:
    yield from ground.files.values()


def _facts(row: Row, content: bytes) -> list[object]:
    return list(reader_of(row.format)(content, row, lambda _class, _secret: None))


@pytest.mark.parametrize("row", ROWS)
def test_facts_do_not_depend_on_the_characters_of_a_value(row: str) -> None:
    entry = table().row(row)
    if entry.look != "content" or not entry.format:
        return
    first, second = (lay_all(seed, only=row) for seed in (1, 2))
    for one, other in zip(_contents(first), _contents(second), strict=True):
        assert _public(_facts(entry, one)) == _public(_facts(entry, other))


def _public(facts: list[object]) -> list[object]:
    """The facts without the fingerprints of public keys, which belong to the pair and not to the value."""
    return [
        msgspec.structs.replace(
            fact, identity=tuple((name, value) for name, value in fact.identity if name != "fingerprint")
        )
        if isinstance(fact, CredentialFact)
        else fact
        for fact in facts
    ]


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_while_reading_shows_nothing(row: str) -> None:
    from pratique.targets.reach import Entry
    from pratique.targets.reach_places import Account
    from pratique.workflow.reach_worker import seen

    def fail(_class: str, secret: Secret) -> str:
        raise ValueError(secret.use(lambda value: value.decode()))

    entry = table().row(row)
    ground = lay_all(3, only=row)
    account = Account(name="dev", home="/home/dev")
    for content in _contents(ground):
        for cut in (content, content[: len(content) // 2], content.replace(b"=", b"\0")):
            answer = msgspec.json.encode(seen(Entry(shown="$HOME/x", content=cut), entry, account, fail))
            for secret in ground.secrets.get(row, []):
                assert not any(trace in answer for trace in traces(secret))


def test_a_secret_is_never_shown() -> None:
    secret = Secret("correct horse")
    for use in (repr, str, format, bytes, hash, len, list, lambda item: item == item, msgspec.json.encode):
        with pytest.raises(TypeError) as caught:
            use(secret)
        assert not re.search("correct|horse", str(caught.value))
