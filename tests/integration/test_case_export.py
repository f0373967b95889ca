"""The archive for an auditor: whole, signed, without raw bytes unless for a named reader, and every change is found."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyrage
import pytest

from pratique.casefile import export as exports
from pratique.model.case import EvidenceItem
from pratique.model.errors import CaseError, UsageError
from pratique.workflow.case import new_case
from pratique.workflow.case_export import export_case
from tests.integration.test_check_command import AXIOS, run
from tests.standins.installs import unpack
from tests.unit.report.case_sample import dossier
from tests.unit.report.sample import REPORT

TOKEN = "".join(("npm", "_", "EXAMPLE" * 5, "0"))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    unpack("npm-11-ran", tmp_path / "machine")
    assert run("case", "new", tmp_path / "case", "--incident", AXIOS, home=home).returncode == 0
    done = run("check", tmp_path / "machine", "--case", tmp_path / "case", home=home)
    assert done.returncode == 11, done.stderr
    (tmp_path / "npmrc").write_text(f"//registry.example/:_authToken={TOKEN}\n")
    assert run("case", "add", tmp_path / "case", tmp_path / "npmrc", "--sensitive", home=home).returncode == 0
    assert run("case", "seal", tmp_path / "case", home=home).returncode == 0
    return tmp_path / "case"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = {}
        for info in archive:
            file = archive.extractfile(info)
            assert file is not None
            found[info.name.partition("/")[2]] = file.read()
        return found


def packed(path: Path, content: dict[str, bytes]) -> Path:
    with gzip.open(path, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(f"pratique-case-0/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_an_export_holds_what_an_auditor_needs_and_no_raw_bytes(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home)
    assert done.returncode == 0, done.stderr
    found = members(tmp_path / "e.tar.gz")
    expected = {"README.txt", "index.html", "evidence.html", "rotation.html", "coverage.html", "timeline.html"}
    expected |= {"report-1.json", "report-1.sarif", "report-1.vex.json", "timeline.csv", "evidence.json"}
    expected |= {"excerpts.json", "coverage.json", "receipts.json", "journal.ndjson", "statement.dsse.json"}
    assert expected <= found.keys()
    assert not any(name.startswith("raw/") for name in found)
    whole = b"".join(found.values())
    assert TOKEN.encode() not in whole
    assert b"plain-crypto-js" in found["excerpts.json"]
    evidence = json.loads(found["evidence.json"])
    digest = hashlib.sha256((tmp_path / "machine/project/package-lock.json").read_bytes()).hexdigest()
    assert f"sha256:{digest}" in {item["digest"] for item in evidence["copied"]}
    proof = run("case", "verify", tmp_path / "e.tar.gz", "--format", "json", home=home)
    assert proof.returncode == 4
    assert json.loads(proof.stdout)["disagreements"] == []
    trusted = home / ".config/pratique/keys/signing.key.pub"
    assert run("case", "verify", tmp_path / "e.tar.gz", "--trusted", trusted).returncode == 0
    journal = run("case", "status", case, "--format", "json", home=home)
    assert json.loads(journal.stdout)["entries"] == len(found["journal.ndjson"].splitlines()) + 1


def test_raw_evidence_opens_for_its_reader_alone(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    reader, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    words = ["--include-raw", "--recipient", str(reader.to_public())]
    done = run("case", "export", case, "--output", tmp_path / "e.tar.gz", *words, home=home)
    assert done.returncode == 0, done.stderr
    raw = {name: data for name, data in members(tmp_path / "e.tar.gz").items() if name.startswith("raw/")}
    secret = (tmp_path / "npmrc").read_bytes()
    name = f"raw/{hashlib.sha256(secret).hexdigest()}.age"
    assert pyrage.decrypt(raw[name], [reader]) == secret
    for path, data in raw.items():
        assert hashlib.sha256(pyrage.decrypt(data, [reader])).hexdigest() == path[4:-4]
        assert TOKEN.encode() not in data
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(raw[name], [other])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--include-raw"], "raw evidence is only exported encrypted"),
        (["--include-raw", "--recipient", "age1nonsense"], "is no recipient"),
        (["--include-raw", "--recipient", "PRIVATE"], "is a private key"),
        (["--include-raw", "--recipient", "nowhere.pub"], "cannot be read"),
    ],
)
def test_no_reader_no_raw_bytes(case: Path, tmp_path: Path, words: list[str], reason: str) -> None:
    private = tmp_path / "private"
    private.write_text(str(pyrage.x25519.Identity.generate()))
    words = [str(private) if word == "PRIVATE" else word for word in words]
    done = run("case", "export", case, "--output", tmp_path / "e.tar.gz", *words, home=tmp_path / "home")
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "e.tar.gz").exists()
    assert not list(tmp_path.glob(".*.draft"))


def test_what_exists_is_not_overwritten(case: Path, tmp_path: Path) -> None:
    (tmp_path / "e.tar.gz").write_text("mine")
    done = run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=tmp_path / "home")
    assert done.returncode == 2
    assert (tmp_path / "e.tar.gz").read_text() == "mine"


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a page": (
        lambda found: found.update({"index.html": found["index.html"] + b" "}),
        "index.html: has another digest",
    ),
    "missing": (
        lambda found: found.pop("timeline.csv") and None,
        "timeline.csv: is named by the statement and missing",
    ),
    "added": (lambda found: found.update({"more.html": b""}), "more.html: is not named by the statement"),
    "an entry": (
        lambda found: found.update({"journal.ndjson": found["journal.ndjson"].replace(b'"opened"', b'"note"', 1)}),
        "entry 1: its digest does not fit what it says",
    ),
    "an entry gone": (
        lambda found: found.update({"journal.ndjson": found["journal.ndjson"].partition(b"\n")[2]}),
        "entry 1: does not follow the one before it",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_named(case: Path, tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    assert run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home).returncode == 0
    found = members(tmp_path / "e.tar.gz")
    change, words = CHANGES[name]
    change(found)
    done = run("case", "verify", packed(tmp_path / "changed.tar.gz", found), home=home)
    assert done.returncode == 5
    assert words in done.stdout


def test_a_signature_of_somebody_else_is_told(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home).returncode == 0
    found = members(tmp_path / "e.tar.gz")
    document = json.loads(found["statement.dsse.json"])
    signature = document["envelope"]["signatures"][0]["sig"]
    document["envelope"]["signatures"][0]["sig"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    found["statement.dsse.json"] = json.dumps(document).encode()
    done = run("case", "verify", packed(tmp_path / "changed.tar.gz", found), home=home)
    assert done.returncode == 5
    assert "the signature of the statement" in done.stdout
    other = tmp_path / "other.pub"
    other.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiT7TkRNYQ6SIkkI+9CZ2xI5+2HdlHMQVZOeb5GUNyy\n")
    done = run("case", "verify", tmp_path / "e.tar.gz", "--trusted", other, home=home)
    assert done.returncode == 5
    assert "by none of the trusted keys" in done.stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar"), gzip.compress(b"x" * 3000)[:-9]],
    ids=["empty", "no gzip", "no tar", "cut off"],
)
def test_what_is_no_export_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "e.tar.gz").write_bytes(content)
    done = run("case", "verify", tmp_path / "e.tar.gz")
    assert done.returncode == 2
    assert "export of a case" in done.stderr


def damaged_middle(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes(200) + content[half + 200 :]


def header_bomb(kind: bytes, size: int) -> bytes:
    """A tar whose first header says that the next one takes so many bytes, packed small."""
    info = tarfile.TarInfo("pratique-case-0/index.html")
    info.type, info.size = kind, size
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))


def header_chain() -> bytes:
    """Headers that describe headers, without an end."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 0
    return gzip.compress(info.tobuf(tarfile.PAX_FORMAT) * 5000)


@pytest.mark.parametrize(
    "content",
    [
        header_bomb(tarfile.XHDTYPE, 8 << 30),
        header_bomb(tarfile.GNUTYPE_LONGNAME, 8 << 30),
        header_bomb(tarfile.GNUTYPE_SPARSE, 8 << 30),
        header_bomb(tarfile.REGTYPE, 7 << 30),
        header_chain(),
        damaged_middle(gzip.compress(random.Random(4).randbytes(40_000))),
    ],
    ids=["pax", "long name", "sparse", "huge member", "chain", "damaged"],
)
def test_an_archive_that_was_made_to_harm_is_refused_in_little_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "e.tar.gz").write_bytes(content)
    done = run("case", "verify", tmp_path / "e.tar.gz")
    assert done.returncode == 2, done.stderr
    assert "export of a case" in done.stderr or "more than an export can hold" in done.stderr


def test_too_many_members_too_long_names_and_what_stands_twice(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tmp_path / "many.tar.gz"
    packed(many, {f"{number}.html": b"" for number in range(30)})
    monkeypatch.setattr(exports, "MOST_MEMBERS", 20)
    with pytest.raises(CaseError, match="more than an export can hold"), open(many, "rb") as file:
        exports.examine(file, "many")
    monkeypatch.undo()
    long = packed(tmp_path / "long.tar.gz", {"x" * 2000: b""})
    with pytest.raises(CaseError, match="more than an export can hold"), open(long, "rb") as file:
        exports.examine(file, "long")
    home = tmp_path / "home"
    assert run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home).returncode == 0
    found = members(tmp_path / "e.tar.gz")
    twice = packed(tmp_path / "twice.tar.gz", {**found, "/statement.dsse.json": found["statement.dsse.json"]})
    done = run("case", "verify", twice, home=home)
    assert done.returncode == 5


def test_what_disagrees_a_thousand_times_is_counted(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home).returncode == 0
    found = members(tmp_path / "e.tar.gz")
    line = found["journal.ndjson"].splitlines(keepends=True)[1]
    found["journal.ndjson"] = line * 1000
    done = run("case", "verify", packed(tmp_path / "changed.tar.gz", found), "--format", "json", home=home)
    assert done.returncode == 5
    named = json.loads(done.stdout)["disagreements"]
    assert len(named) == exports.MOST_NAMED + 1
    assert named[-1].endswith("more disagreements")


def test_a_head_that_was_noted_is_asked_of_an_export_too(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("case", "export", case, "--output", tmp_path / "e.tar.gz", home=home).returncode == 0
    trusted = home / ".config/pratique/keys/signing.key.pub"
    entries = [json.loads(line) for line in members(tmp_path / "e.tar.gz")["journal.ndjson"].splitlines()]
    words = ["case", "verify", tmp_path / "e.tar.gz", "--trusted", trusted, "--head"]
    assert run(*words, entries[2]["digest"]).returncode == 0
    done = run(*words, "0" * 64)
    assert done.returncode == 5
    assert "no entry has the head that was noted" in done.stdout


def test_a_disk_without_hard_links_takes_an_export_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with new_case(tmp_path / "case", key=tmp_path / "key") as opened:
        done = export_case(opened, tmp_path / "e.tar.gz")
        assert hashlib.sha256((tmp_path / "e.tar.gz").read_bytes()).hexdigest() == done.sha256
        with pytest.raises(UsageError, match="exists already"):
            export_case(opened, tmp_path / "e.tar.gz")
        with pytest.raises(UsageError, match="in the case itself"):
            export_case(opened, tmp_path / "case/e.tar.gz")
        with pytest.raises(UsageError, match="cannot be written"):
            export_case(opened, tmp_path / "e.tar.gz/e.tar.gz")


def test_fingerprints_of_credentials_stay(tmp_path: Path) -> None:
    reach = dossier().reach
    with new_case(tmp_path / "case", key=tmp_path / "key") as opened:
        opened.append("reach", reach)
        opened.append("verification", {"status": "affected", "open": [], "reach": msgspec.to_builtins(reach)})
        item = EvidenceItem(what="manifest", source="/x", digest="", size=0, kind="manifest")
        opened.keep(item, b'{"axios": "1"}')
        export_case(opened, tmp_path / "e.tar.gz")
        assert reach is not None
        fingerprint = reach.credentials[0].fact.fingerprint
        assert fingerprint
    found = members(tmp_path / "e.tar.gz")
    assert fingerprint.encode() not in b"".join(found.values())
    lines = [json.loads(line) for line in found["journal.ndjson"].splitlines()]
    assert [line["kind"] for line in lines if "left_out" in line] == ["reach", "verification"]
    assert json.loads(found["verification.json"])["reach"]["credentials"]
    assert json.loads(found["reach.json"])["reach"]["credentials"][0]["id"] == "c0"


@pytest.mark.parametrize("swept", [False, True])
def test_while_a_switch_is_armed_no_plan_from_before_goes_out(tmp_path: Path, swept: bool) -> None:
    from pratique.model.case import Sweep
    from pratique.workflow.case import new_case
    from pratique.workflow.case_export import export_case

    incident = next(item for item in REPORT.incidents if item.id == AXIOS)
    assert incident.guidance is not None
    guidance = msgspec.structs.replace(incident.guidance, dead_man_switch="A service watches the token.")
    others = tuple(item for item in REPORT.incidents if item is not incident)
    report = msgspec.structs.replace(REPORT, incidents=(msgspec.structs.replace(incident, guidance=guidance), *others))
    plan = dossier().plan
    assert plan is not None
    words = "Revoke the token at its issuer now"
    step = msgspec.structs.replace(plan.steps[3], title=words, triggers_dead_man_switch=True)
    with new_case(tmp_path / "case", key=tmp_path / "key") as opened:
        opened.append("report", report)
        opened.append("plan", msgspec.structs.replace(plan, steps=(*plan.steps[:3], step)))
        if swept:
            for other in report.incidents:
                opened.append("sweep", Sweep(incident=other.id, outcome="removed", basis="by-hand"))
        export_case(opened, tmp_path / "e.tar.gz")
    found = members(tmp_path / "e.tar.gz")
    said = [name for name, content in found.items() if words.encode() in content]
    assert ("plan.json" in said, "journal.ndjson" in said) == (swept, swept)
    assert bool(said) is swept
    proof = run("case", "verify", tmp_path / "e.tar.gz")
    assert proof.returncode == 4
