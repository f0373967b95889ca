"""The same incident where nobody looks: a history, an image, a log of continuous integration, a mirror, a bundle.

The history is made by git, the storage of the mirror and the bundles were made by the real tools, and the image is
written as the OCI layout that builders write, from a real install. Times are those of 31 March 2026.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.standins.installs import unpack

CASES = Path(__file__).parent.parent / "tests" / "golden" / "readers"
LOCK = """{
  "name": "shop",
  "lockfileVersion": 3,
  "packages": {
    "": {"name": "shop", "dependencies": {"axios": "^1.14.0"}},
    "node_modules/axios": {"version": "%s"}
  }
}
"""
_WHO = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
_WHEN = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")


def history(folder: Path) -> Path:
    """A repository whose branches are innocent: the bad lockfile stands in a merge, and another in a stash."""
    folder.mkdir(parents=True)
    lock = folder / "package-lock.json"

    def git(when: str, *words: str) -> None:
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
        environment |= dict.fromkeys(_WHO[0], "Sam") | dict.fromkeys(_WHO[1], "sam@shop.example")
        environment |= dict.fromkeys(_WHEN, f"2026-{when}Z")
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)

    def write(version: str) -> None:
        lock.write_text(LOCK % version, encoding="utf-8")

    git("03-27T09:00:00", "init", "--quiet", "--initial-branch=main")
    write("1.13.0")
    git("03-27T09:00:00", "add", "--all")
    git("03-27T09:00:00", "commit", "--quiet", "--message", "Start")
    git("03-30T10:00:00", "checkout", "--quiet", "-b", "update")
    write("1.13.2")
    git("03-30T10:00:00", "commit", "--quiet", "--all", "--message", "Update axios")
    git("03-30T10:00:00", "checkout", "--quiet", "main")
    write("1.13.1")
    git("03-30T11:00:00", "commit", "--quiet", "--all", "--message", "Pin axios")
    git("03-31T01:12:00", "merge", "--quiet", "--strategy=ours", "--no-commit", "update")
    write("1.14.1")
    git("03-31T01:12:00", "add", "--all")
    git("03-31T01:12:00", "commit", "--quiet", "--message", "Merge update")
    write("1.14.0")
    git("03-31T08:30:00", "commit", "--quiet", "--all", "--message", "Go back to axios 1.14.0")
    git("03-31T08:30:00", "branch", "--quiet", "--delete", "--force", "update")
    write("0.30.4")
    git("03-31T02:40:00", "stash", "--quiet")
    return folder


def image(folder: Path, install: str = "npm-11-ran") -> Path:
    """An OCI layout: a base layer, one in which npm installed, and one in which the tree was deleted."""
    (folder / "blobs/sha256").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        project = unpack(install, Path(place)) / "project"
        layers = [
            (_tar({"etc/os-release": b'ID="example"\n'}), "2026-03-02T00:00:00Z", "ADD rootfs.tar / # base", False),
            (_packed(project, "app"), "2026-03-31T00:41:30Z", "RUN npm install", False),
            (b"", "2026-03-31T00:41:31Z", "ENV NODE_ENV=production", True),
            (_tar({"app/.wh.node_modules": b""}), "2026-03-31T09:10:00Z", "RUN rm -r node_modules", False),
        ]

    def blob(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    full = [layer for layer, *_, empty in layers if not empty]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin", "NPM_TOKEN=placeholder"], "Labels": {"org.example.team": "shop"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in full]},
        "history": [
            {"created": created, "created_by": by, **({"empty_layer": True} if empty else {})}
            for _, created, by, empty in layers
        ],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "config.v1+json"),
        "layers": [blob(gzip.compress(layer, mtime=0), "layer.v1.tar+gzip") for layer in full],
    }
    top = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    top["annotations"] = {"org.opencontainers.image.ref.name": "shop:2026.03.31"}
    index = {"schemaVersion": 2, "manifests": [top]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return folder


def _tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _packed(source: Path, name: str) -> bytes:
    """A folder as a layer, in order of name, owned by nobody in particular."""
    out = io.BytesIO()

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = 1774917687
        return info

    with tarfile.open(fileobj=out, mode="w") as archive:
        for path in sorted(source.rglob("*")):
            archive.add(path, f"{name}/{path.relative_to(source).as_posix()}", recursive=False, filter=plain)
    return out.getvalue()


AXIOS = "https://registry.example/axios/-/axios-1.14.1.tgz"
PAYLOAD = "https://registry.example/plain-crypto-js/-/plain-crypto-js-4.2.1.tgz"
STEP = """2026-03-31T00:58:01.1000000Z ##[group]Run npm ci --loglevel http
2026-03-31T00:58:01.1000001Z \x1b[36;1mnpm ci --loglevel http\x1b[0m
2026-03-31T00:58:01.1000002Z shell: /usr/bin/bash -e {0}
2026-03-31T00:58:01.1000003Z env:
2026-03-31T00:58:01.1000004Z   NPM_TOKEN: ***
2026-03-31T00:58:01.1000005Z ##[endgroup]
2026-03-31T00:58:02.3310000Z npm http fetch GET 200 {AXIOS} 113ms (cache miss)
2026-03-31T00:58:02.4420000Z npm http fetch GET 200 {PAYLOAD} 98ms (cache miss)
2026-03-31T00:58:04.0010000Z added 24 packages in 3s
""".replace("{AXIOS}", AXIOS).replace("{PAYLOAD}", PAYLOAD)
SETUP = """2026-03-31T00:57:40.0000000Z Current runner version: '2.333.0'
2026-03-31T00:57:40.1000000Z ##[group]GITHUB_TOKEN Permissions
2026-03-31T00:57:40.1000001Z Contents: write
2026-03-31T00:57:40.1000002Z Metadata: read
2026-03-31T00:57:40.1000003Z ##[endgroup]
2026-03-31T00:57:40.2000000Z Secret source: Actions
2026-03-31T00:57:40.9000000Z Complete job name: build
"""
LAST = "2026-03-31T00:58:42.0000000Z Cleaning up orphan processes\n"
DEPLOY = """2026-03-31T00:58:30.0000000Z ##[group]Run ./deploy.sh
2026-03-31T00:58:30.0000001Z shell: /usr/bin/bash -e {0}
2026-03-31T00:58:30.0000002Z env:
2026-03-31T00:58:30.0000003Z   AWS_SECRET_ACCESS_KEY: ***
2026-03-31T00:58:30.0000004Z ##[endgroup]
2026-03-31T00:58:41.0000000Z done
"""


def run_log(path: Path) -> Path:
    """The log archive of one run, as GitHub Actions hands it out (documented form)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    members = {
        "0_build.txt": SETUP + STEP + DEPLOY + LAST,
        "build/1_Set up job.txt": SETUP,
        "build/2_Install.txt": STEP,
        "build/3_Deploy.txt": DEPLOY,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), "\ufeff" + text)
    return path


def mirror(folder: Path) -> Path:
    """The storage and the log of a Verdaccio."""
    shutil.copytree(CASES / "mirror/verdaccio-storage/verdaccio-6.8/input/storage", folder / "storage")
    shutil.copy(CASES / "mirror/mirror-log/verdaccio-6.8-json/input/verdaccio.log", folder)
    return folder


def bundle(folder: Path) -> Path:
    """The output of a bundler, minified, without a map."""
    shutil.copytree(CASES / "bundle/bundle/vite-7/input", folder)
    return folder


WORDS = ("git:repositories", "image:images", "ci-log:runs", "mirror:mirror", "web")
"""The targets as they are named on the command line, in the folder of it all."""


def lay_out(folder: Path) -> None:
    """All of it."""
    history(folder / "repositories/shop")
    image(folder / "images/shop")
    run_log(folder / "runs/4711.zip")
    mirror(folder / "mirror")
    bundle(folder / "web")
