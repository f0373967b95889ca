"""A repository of The Update Framework on loopback, made with `tuf` and keys of our own."""

from __future__ import annotations

import contextlib
import datetime
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)


class Repository:
    """Root, targets with one delegation for a registry's keys, snapshot, timestamp; each publish is one version."""

    def __init__(self, folder: Path, registry: str = "registry.example") -> None:
        self.folder = folder
        self.registry = registry
        (folder / "targets" / registry).mkdir(parents=True)
        self.signers = {
            role: CryptoSigner.generate_ecdsa() for role in ("root", "timestamp", "snapshot", "targets", registry)
        }
        self.version = 0
        root = Root(consistent_snapshot=False, expires=_later(365))
        for role in ("root", "timestamp", "snapshot", "targets"):
            root.add_key(self.signers[role].public_key, role)
        self.root = self._write(Metadata(root), "root", "1.root.json")

    def publish(self, trusted_root: bytes, keys: bytes | None, *, days: int = 30) -> None:
        """Sign and write one more version."""
        self.version += 1
        (self.folder / "targets" / "trusted_root.json").write_bytes(trusted_root)
        targets = Targets(version=self.version, expires=_later(days))
        targets.targets["trusted_root.json"] = TargetFile.from_data("trusted_root.json", trusted_root)
        delegated = Targets(version=self.version, expires=_later(days))
        signer = self.signers[self.registry]
        role = DelegatedRole(self.registry, [signer.public_key.keyid], 1, True, paths=[f"{self.registry}/*"])
        targets.delegations = Delegations({signer.public_key.keyid: signer.public_key}, {self.registry: role})
        if keys is not None:
            name = f"{self.registry}/keys.json"
            (self.folder / "targets" / self.registry / "keys.json").write_bytes(keys)
            delegated.targets[name] = TargetFile.from_data(name, keys)
        self._write(Metadata(targets), "targets", "targets.json")
        self._write(Metadata(delegated), self.registry, f"{self.registry}.json")
        snapshot = Snapshot(version=self.version, expires=_later(days))
        snapshot.meta["targets.json"] = MetaFile(version=self.version)
        snapshot.meta[f"{self.registry}.json"] = MetaFile(version=self.version)
        self._write(Metadata(snapshot), "snapshot", "snapshot.json")
        timestamp = Timestamp(version=self.version, expires=_later(days))
        timestamp.snapshot_meta = MetaFile(version=self.version)
        self._write(Metadata(timestamp), "timestamp", "timestamp.json")

    def _write(self, metadata: Metadata, role: str, name: str) -> bytes:
        metadata.sign(self.signers[role])
        data = metadata.to_bytes()
        (self.folder / name).write_bytes(data)
        return data


def _later(days: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=days)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
