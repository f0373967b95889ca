"""Verification of attestations and signatures, warm, against sigstore's own verifier and pypi-attestations.

    python -m benchmarks.attestations [--rounds 200] [--packages 1500] [--data DIR]

Attestations are made by an authority of our own. Ours is the whole way from the bytes of the registry's answer to a
result with claims; the peer parses the same bundle and verifies it (`Verifier.verify_dsse`), without the checks of key
ids, kinds, subjects and claims that ours adds. The lockfile is verified by a program that is started anew, from
documents on the disk. With `--data DIR` the Python peer is pypi-attestations' own `verify` on a genuine attestation of
that folder, offline, with the roots that sigstore brings. Ends with an error where anything does not verify, or a limit
is missed: 5 ms for an attestation, 2 s for the lockfile.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAME, VERSION, ARCHIVE = "crate", "1.2.3", b"the bytes of an archive"
MOST_MS = 5.0
MOST_SECONDS = 2.0


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """The median of so many rounds, in milliseconds, after ten that are not counted."""
    times = []
    for number in range(rounds + 10):
        start = time.perf_counter()
        work()
        if number >= 10:
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def attestations(rounds: int) -> list[dict[str, Any]]:
    """One row for each generation: ours, and the peer where it takes it."""
    from sigstore.models import Bundle
    from sigstore.verify import policy

    from pratique.releases.attestations.npm import verify_npm
    from tests.standins import authority as own

    roots = own.roots()
    expected = {"integrity": hashlib.sha512(ARCHIVE).hexdigest()}
    built, published = (own.statement(NAME, VERSION, ARCHIVE, kind) for kind in (own.PROVENANCE, own.PUBLISH))
    rows = []
    for label, kind, bundle in (
        ("provenance 0.3, dsse, by sigstore", own.PROVENANCE, own.by_certificate(built)),
        ("provenance 0.2, intoto", own.PROVENANCE, own.by_certificate(built, "0.2", "intoto 0.0.2")),
        (
            "provenance 0.1, intoto, no proof",
            own.PROVENANCE,
            own.by_certificate(built, "0.1", "intoto 0.0.2", proof=False),
        ),
        ("publication 0.2, dsse", own.PUBLISH, own.by_registry(published)),
    ):
        answer, raw = own.answer((kind, bundle)), json.dumps(bundle)

        def ours(answer: bytes = answer, label: str = label) -> None:
            (found,) = verify_npm(answer, NAME, VERSION, expected, roots)
            if found.outcome != "verified":
                raise SystemExit(f"{label}: {found.outcome}: {found.reason}")

        def peer(raw: str = raw) -> None:
            roots.sigstore_verifier.verify_dsse(Bundle.from_json(raw), policy.OIDCIssuerV2(own.ISSUER))

        try:
            peer()
            theirs: float | None = median_ms(peer, rounds)
        except Exception as error:  # noqa: BLE001  # the peer does not take this generation, which is told
            print(f"{label}: sigstore: {str(error).splitlines()[0][:90]}", file=sys.stderr)
            theirs = None
        rows.append({"what": label, "ours": median_ms(ours, rounds), "peer": theirs})
    return rows


def python_attestation(rounds: int, folder: Path) -> dict[str, Any] | None:
    """The genuine attestation of a wheel in a folder; None where there is none."""
    from pypi_attestations import Attestation, Distribution
    from sigstore.verify import policy

    from pratique.releases.attestations.python import file_of, verify_python
    from pratique.workflow.trust_roots import roots_in_force

    wheels = {path.name: path for path in folder.rglob("*.whl")}
    roots = roots_in_force()
    for path in sorted(folder.rglob("*provenance.json")):
        document = path.read_bytes()
        file = file_of(document)
        wheel = next((place for name, place in wheels.items() if name.endswith(file)), None)
        if wheel is None:
            continue
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        one = json.dumps(json.loads(document)["attestation_bundles"][0]["attestations"][0])

        def ours(document: bytes = document, file: str = file, digest: str = digest) -> None:
            (found,) = verify_python(document, file, {"archive": digest}, roots)
            if found.outcome != "verified":
                raise SystemExit(f"{file}: {found.outcome}: {found.reason}")

        def peer(one: str = one, file: str = file, digest: str = digest) -> None:
            issuer = policy.OIDCIssuerV2("https://token.actions.githubusercontent.com")
            Attestation.model_validate_json(one).verify(issuer, Distribution(name=file, digest=digest), offline=True)

        return {"what": f"PyPI {file}", "ours": median_ms(ours, rounds), "peer": median_ms(peer, max(5, rounds // 10))}
    return None


def lockfile(packages: int, rounds: int) -> tuple[float, float]:
    """Seconds of the whole program over a lockfile of so many packages, and megabytes of documents."""
    from tests.standins import authority as own

    with tempfile.TemporaryDirectory(prefix="pratique-benchmark-") as name:
        folder = Path(name)
        (folder / "documents").mkdir()
        locked: dict[str, Any] = {"": {"name": "quay", "version": "1.0.0"}}
        size = 0
        for number in range(packages):
            crate = f"crate-{number}"
            versions, times = {}, {}
            for minor in range(40):
                version = f"1.{minor}.0"
                integrity = own.integrity(f"{crate} {version}".encode())
                signed = [own.registry_signature(crate, version, integrity)] if minor == 20 else []
                dist = {
                    "integrity": integrity,
                    "signatures": signed,
                    "tarball": f"https://registry.example/{crate}.tgz",
                }
                versions[version] = {"name": crate, "version": version, "readme": "text " * 200, "dist": dist}
                times[version] = own.stamp(own.SIGNED)
            document = {"name": crate, "dist-tags": {"latest": "1.39.0"}, "versions": versions, "time": times}
            size += (folder / "documents" / f"{crate}.json").write_bytes(json.dumps(document).encode())
            locked[f"node_modules/{crate}"] = {
                "version": "1.20.0",
                "resolved": f"https://registry.example/{crate}/-/{crate}-1.20.0.tgz",
                "integrity": versions["1.20.0"]["dist"]["integrity"],
            }
        content = {"name": "quay", "version": "1.0.0", "lockfileVersion": 3, "packages": locked}
        (folder / "package-lock.json").write_text(json.dumps(content))
        (folder / "root.json").write_bytes(own.trusted_root())
        (folder / "keys.json").write_bytes(own.registry_keys())
        command = [sys.executable, "-m", "pratique", "trust", "--offline", "--no-memory"]
        command += ["--lockfile", "package-lock.json", "--from", "documents"]
        command += ["--trusted-root", "root.json", "--keys", "keys.json"]
        environment = os.environ | {"PRATIQUE_ISOLATED": "no", "PYTHONPATH": str(ROOT / "src")}
        spent = []
        for _ in range(rounds):
            start = time.perf_counter()
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
            spent.append(time.perf_counter() - start)
            if done.returncode or f"{packages} of".encode() not in done.stdout:
                raise SystemExit(
                    f"the lockfile did not verify: {done.stdout.decode()[-500:]}{done.stderr.decode()[-500:]}"
                )
        return statistics.median(spent), size / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--packages", type=int, default=1500)
    parser.add_argument("--data", type=Path, metavar="DIR")
    options = parser.parse_args()
    rows = attestations(options.rounds)
    if options.data is not None:
        with tempfile.TemporaryDirectory(prefix="pratique-benchmark-") as name:
            os.environ |= {"XDG_DATA_HOME": f"{name}/data", "XDG_CACHE_HOME": f"{name}/cache"}
            row = python_attestation(options.rounds, options.data)
            rows += [row] if row is not None else []
    print("| warm | ours, ms | peer, ms | ratio |")
    print("|---|---:|---:|---:|")
    for row in rows:
        peer = f"{row['peer']:.2f}" if row["peer"] is not None else "refuses it"
        ratio = f"{row['ours'] / row['peer']:.2f}" if row["peer"] is not None else ""
        print(f"| {row['what']} | {row['ours']:.2f} | {peer} | {ratio} |")
    seconds, megabytes = lockfile(options.packages, 5)
    print(f"| lockfile of {options.packages:,} packages, {megabytes:.0f} MB of documents | {1000 * seconds:.0f} | | |")
    missed = [row["what"] for row in rows if row["ours"] > MOST_MS]
    if seconds > MOST_SECONDS:
        missed.append("lockfile")
    for what in missed:
        print(f"LIMIT MISSED  {what}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
