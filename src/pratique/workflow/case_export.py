"""Export a case for an auditor: one signed archive with everything but raw bytes, and those only for a named reader."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from pratique.adapters import signing
from pratique.adapters.naming import name_once
from pratique.casefile import export as exports
from pratique.casefile.case import Case
from pratique.casefile.seal import PAYLOAD, encoded
from pratique.model.dossier import Dossier
from pratique.model.errors import CaseError, UsageError
from pratique.readers.credentials import tokens
from pratique.report.case_pages import armed, as_json, pages
from pratique.report.case_timeline import rendered
from pratique.report.renderer import renderer
from pratique.report.words import clip, printable
from pratique.workflow.case_seal import signing_key_of
from pratique.workflow.dossier import dossier

HELD_BACK = {"plan": "a dead man's switch waits for its sweep; a plan from before may hold what sets it off"}
"""Kinds of entry whose body stays while a switch is armed."""
KEPT_BACK = {
    "reach": "keyed fingerprints do not leave the machine; reach.json holds the rest",
    "verification": "keyed fingerprints do not leave the machine; verification.json holds the rest of the last one",
}
"""Kinds of entry whose body stays: what may leave of it stands in a file of its own."""
EXCERPTED = ("lockfile", "hidden-lockfile", "manifest", "cache-index")
_EXCERPT_LINES = 12
_EXCERPT_BYTES = 4 << 20
_USER_INFO = re.compile(r"//[^/@\s\"']*@")
_SECRET_FIELD = re.compile(r"(?i)[\"']?[\w.-]*(?:token|password|passwd|secret|_auth|authorization|credential|apikey)")
README = """This is the export of a case that pratique keeps: see index.html first.

statement.dsse.json   names every other file with its SHA-256, signed (in-toto Statement in a DSSE envelope)
journal.ndjson        every entry of the journal; each covers the digest of the one before it
report-N.json         what was found; report-N.html the same for people
evidence.json         what was copied: where it was, size, times, SHA-256; what could not be copied, and why
excerpts.json         lines of that evidence that name listed releases, without user info, tokens and secrets
reach.json            credentials in reach, never their values; plan.json, receipts.json what was planned and done
timeline.csv          everything that has a time, with the columns that timesketch imports
raw/                  only where it was asked for: the bytes of evidence, encrypted for one reader (age)

Check it:  pratique case verify THIS-FILE
"""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    path: str
    sha256: str
    size: int
    files: int
    raw: int
    """Pieces of evidence in it, encrypted."""
    signer: str
    """Fingerprint of the key that signed it."""


def export_case(
    case: Case,
    output: Path,
    *,
    include_raw: bool = False,
    recipients: Sequence[str] = (),
    ssh_key: Path | None = None,
) -> Exported:
    """Write the archive and an entry that says so. Raises CaseError, UsageError.

    Raw bytes go in with `include_raw` alone, encrypted to `recipients`: age or SSH public keys.
    """
    if include_raw and not recipients:
        raise UsageError(
            "raw evidence is only exported encrypted",
            where="--include-raw",
            advice="Name who may open it: --recipient age1... or an SSH public key",
        )
    if recipients and not include_raw:
        raise UsageError("names a reader of raw evidence", where="--recipient", advice="Add --include-raw")
    readers = _recipients(recipients) if include_raw else []
    if Path(case.folder).resolve() in output.resolve().parents:
        raise UsageError("lies in the case itself", where=str(output), advice="Name a file outside of it")
    if os.path.lexists(output):
        raise UsageError("exists already", where=str(output), advice="Name another file")
    whole = dossier(case)
    draft = output.with_name(f".{output.name}.{os.getpid()}.draft")
    try:
        with open(draft, "xb") as file:
            os.chmod(draft, 0o600)
            files, raw, signer = _written(case, whole, file, readers, ssh_key)
            file.flush()
            os.fsync(file.fileno())
        size = draft.stat().st_size
        digest = _digest(draft)
        name_once(draft, output)
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}", where=str(output), advice="Name a file in a folder with room"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    done = Exported(path=str(output.absolute()), sha256=digest, size=size, files=files, raw=raw, signer=signer)
    case.append("export", {"sha256": digest, "size": size, "files": files, "raw": raw, "to": list(recipients)})
    return done


def _written(
    case: Case, whole: Dossier, file: BinaryIO, readers: list[Any], ssh_key: Path | None
) -> tuple[int, int, str]:
    """Write the archive; how many files and raw pieces, and who signed."""
    packing = exports.Packing(file, f"pratique-case-{whole.id[:8]}", _seconds(whole.journal[-1].time))
    for name, content in _files(case, whole):
        packing.add(name, content)
    raw = 0
    for digest in dict.fromkeys(item.digest for item in whole.evidence) if readers else ():
        with tempfile.TemporaryFile(dir=Path(file.name).parent) as encrypted:
            _encrypt(case, digest, encrypted, readers)
            size = encrypted.tell()
            encrypted.seek(0)
            packing.add_stream(f"raw/{digest.removeprefix('sha256:')}.age", encrypted, size)
        raw += 1
    about = {"time": case.author.time(), "who": case.author.who, "tool": case.author.tool, "raw": raw}
    payload = exports.statement(whole.id, whole.head, len(whole.journal), packing.digests, about)
    message = encoded(PAYLOAD, payload)
    if ssh_key is not None:
        signed = signing.sign_with_ssh(ssh_key, message)
    else:
        signed = signing.sign(signing_key_of(case), message)
    signer = exports.Signer(kind=signed.kind, public=signed.public)
    packing.close(exports.envelope(payload, signer, signed.keyid, signed.signature))
    return len(packing.digests) + 1, raw, signed.keyid


def _files(case: Case, whole: Dossier) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", README.encode()
    yield from pages(whole).items()
    for number, report in enumerate(whole.reports, 1):
        for form in ("json", "html", "sarif", "openvex"):
            suffix = {"openvex": "vex.json"}.get(form, form)
            yield f"report-{number}.{suffix}", b"".join(renderer(form).render(report))
    yield "timeline.csv", b"".join(rendered(whole, "csv"))
    yield "timeline.json", b"".join(rendered(whole, "json"))
    plain = as_json(whole)
    yield "evidence.json", _json({"copied": plain["evidence"], "missing": plain["missing"]})
    yield "excerpts.json", _json(list(_excerpts(case, whole)))
    yield "coverage.json", _json([msgspec.to_builtins(report.coverage) for report in whole.reports])
    if whole.reach is not None:
        yield "reach.json", _json({"reach": plain["reach"], "rotations": plain["rotations"]})
    waiting = bool(armed(whole))
    if whole.plan is not None and not (waiting and any(step.triggers_dead_man_switch for step in whole.plan.steps)):
        from pratique.report.plan_json import plan_json

        yield "plan.json", plan_json(whole.plan)
    yield "receipts.json", _json({"receipts": plain["receipts"], "sweeps": plain["sweeps"]})
    if whole.verification is not None:
        yield "verification.json", _json(plain["verification"])
    yield (
        exports.JOURNAL,
        b"".join(exports.journal_lines(case.journal.rows(), KEPT_BACK | HELD_BACK if waiting else KEPT_BACK)),
    )


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2) + b"\n"


def _excerpts(case: Case, whole: Dossier) -> Iterator[dict[str, Any]]:
    """Lines of evidence that name a release which was sighted."""
    names = {
        sighting.purl.partition("@")[0].rpartition("/")[2].replace("%40", "@")
        for report in whole.reports
        for sighting in report.sightings
    } - {""}
    seen: set[str] = set()
    for item in whole.evidence:
        if item.sensitive or item.kind not in EXCERPTED or item.digest in seen or item.size > _EXCERPT_BYTES:
            continue
        seen.add(item.digest)
        lines = []
        for number, line in enumerate(case.content(item.digest).decode("utf-8", "replace").splitlines(), 1):
            if any(name in line for name in names):
                lines.append({"line": number, "text": redacted(line, names)})
                if len(lines) == _EXCERPT_LINES:
                    break
        if lines:
            yield {"what": item.what, "source": item.source, "digest": item.digest, "lines": lines}


def redacted(line: str, names: set[str]) -> str:
    """A line of a lockfile or manifest without user info, tokens and secrets, clipped around the first of `names`."""
    text = _USER_INFO.sub("//", line.strip())
    if tokens.holds(text) or _SECRET_FIELD.search(text):
        return "[left out: it may hold a secret]"
    start = max(0, min((text.find(name) for name in names if name in text), default=0) - 60)
    return printable(clip(text[start:], 200))


def _recipients(texts: Sequence[str]) -> list[Any]:
    try:
        import pyrage
    except ImportError:
        raise UsageError(
            "raw evidence needs the package pyrage, which is not installed", advice="Run: pip install 'pratique[case]'"
        ) from None
    found: list[Any] = []
    for text in texts:
        words = _public_key(text)
        kind = pyrage.x25519.Recipient if words.startswith("age1") else pyrage.ssh.Recipient
        try:
            found.append(kind.from_str(words))
        except (pyrage.RecipientError, ValueError):
            raise UsageError(
                "is no recipient", where=f"--recipient {text[:60]}", advice="Name an age or SSH public key, or its file"
            ) from None
    return found


def _public_key(text: str) -> str:
    """A public key as it was given, or as the file of that name holds it. Never a private key."""
    words = text
    if not text.startswith(("age1", "ssh-")):
        try:
            words = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UsageError("cannot be read", where=f"--recipient {text[:60]}") from None
    if "PRIVATE KEY" in words or "AGE-SECRET-KEY" in words.upper():
        raise UsageError(
            "is a private key", where="--recipient", advice="Name the public half: what the reader gave you"
        )
    return next((line.strip() for line in words.splitlines() if line.strip() and line[0] != "#"), "")


def _encrypt(case: Case, digest: str, file: Any, readers: list[Any]) -> None:
    import pyrage

    pyrage.encrypt_io(_Stream(case.chunks(digest)), file, readers)


class _Stream:
    """Chunks as a file: the bytes of evidence never lie in the clear on a disk."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end."""
        parts = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        whole = b"".join(parts)
        self._rest = whole[size:] if size >= 0 else b""
        return whole[:size] if size >= 0 else whole


def _seconds(time: str) -> int:
    return int(datetime.datetime.fromisoformat(time).timestamp())


def _digest(path: Path) -> str:
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(cast(Any, file), "sha256").hexdigest()


class ExportProof(msgspec.Struct, frozen=True, kw_only=True):
    """What was recomputed of an export."""

    schema: str
    case: str
    head: str
    files: int
    entries: int
    left_out: int
    signer: str
    trusted: bool
    disagreements: tuple[str, ...]
    not_verified: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 everything agrees · 4 what could be verified agrees · 5 something disagrees."""
        if self.disagreements:
            return 5
        return 4 if self.not_verified else 0


EXPORT_PROOF = "pratique.case-export-proof/1"


def verify_export(path: Path, *, trusted: Sequence[Path] = (), head: str | None = None) -> ExportProof:
    """Recompute an export, offline. Raises CaseError where it is none, ConfigurationError for a file without keys.

    With `head`, an entry must have that digest.
    """
    keys: set[bytes] = set()
    for name in trusted:
        keys |= signing.trusted(name)[0]
    try:
        with open(path, "rb") as file:
            found = exports.examine(file, str(path), head or "")
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror}", where=str(path)) from None
    signer = found.signer or exports.Signer(kind="", public="")
    wrong = signing.verify(signer.kind, signer.public, found.signed, found.signature)
    disagreements = [f"the signature of the statement: {wrong}"] if wrong else []
    known = signing.is_trusted(signer.public, frozenset(keys))
    if keys and not known and not wrong:
        disagreements.append("the statement is signed, and by none of the trusted keys")
    if head is not None and not found.noted:
        disagreements.append(f"no entry has the head that was noted: {head[:80]}")
    open_ones = []
    if not keys:
        open_ones.append(f"whose key {signing.fingerprint(signer.public)} is: compare it, or name it with --trusted")
    return ExportProof(
        schema=EXPORT_PROOF,
        case=found.case,
        head=found.head,
        files=found.files,
        entries=found.entries,
        left_out=found.left_out,
        signer=signing.fingerprint(signer.public),
        trusted=known,
        disagreements=(*disagreements, *found.disagreements),
        not_verified=tuple(open_ones),
    )
