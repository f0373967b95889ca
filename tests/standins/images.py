"""Container images made by hand, for what real producers do not write: layers out of entries, layouts, archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Entries = Mapping[str, bytes | str | None]
"""Path to content; text is the target of a symbolic link, or of a hard link where it starts with `=`; None a folder."""


def layer(entries: Entries, *, mtime: int = 1774920000) -> bytes:
    """The tar of a layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.mtime = mtime
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, str):
                hard = content.startswith("=")
                info.type, info.linkname = (tarfile.LNKTYPE if hard else tarfile.SYMTYPE), content.lstrip("=")
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
                continue
            archive.addfile(info)
    return out.getvalue()


def sha256(data: bytes) -> str:
    """A digest as images write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Layout:
    """An OCI image layout that is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifests: list[dict[str, Any]] = []
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes) -> str:
        """Write a blob; gives its digest."""
        digest = sha256(data)
        (self.folder / "blobs/sha256" / digest[7:]).write_bytes(data)
        return digest

    def document(self, value: Any) -> str:
        """Write a blob of JSON; gives its digest."""
        return self.blob(json.dumps(value).encode())

    def image(
        self,
        name: str | None,
        layers: Sequence[bytes],
        *,
        steps: Sequence[str] = (),
        config: dict[str, Any] | None = None,
        annotations: dict[str, str] | None = None,
        packed: bool = True,
    ) -> str:
        """Write an image of plain layers; gives the digest of its manifest. Without a name nothing names it."""
        history = [{"created": "2026-03-31T00:40:00Z", "created_by": text} for text in steps]
        document = {
            "architecture": "amd64",
            "os": "linux",
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [sha256(data) for data in layers]},
            "history": history,
        }
        kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if packed else "")
        rows = []
        for data in layers:
            content = gzip.compress(data, mtime=0) if packed else data
            rows.append({"mediaType": kind, "digest": self.blob(content), "size": len(content)})
        manifest = {
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": self.document(document)},
            "layers": rows,
            "annotations": annotations or {},
        }
        digest = self.document(manifest)
        if name is not None:
            self.name(name, digest)
        return digest

    def name(self, name: str, digest: str, **more: Any) -> None:
        """Let the index name a manifest."""
        row = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1}
        self.manifests.append({**row, "annotations": {"org.opencontainers.image.ref.name": name}, **more})
        self.close()

    def close(self) -> Path:
        """Write the index."""
        index = {"schemaVersion": 2, "manifests": self.manifests}
        (self.folder / "index.json").write_text(json.dumps(index))
        return self.folder


def packed(folder: Path, path: Path, *, mode: str = "w") -> Path:
    """A folder as one tar."""
    with tarfile.open(path, mode) as archive:
        for item in sorted(folder.rglob("*")):
            archive.add(item, item.relative_to(folder).as_posix(), recursive=False)
    return path
