"""A repaired lockfile is shown to its real client, and nothing of a hostile project starts while it is."""

from __future__ import annotations

import json
import os
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pratique.adapters.clients.rows import ROWS, rows
from pratique.adapters.clients.scratch import with_certificates
from pratique.adapters.clients.settings import npm_settings
from pratique.ecosystems.npm.locks import bun_lock, package_lock, pnpm_lock, yarn_berry, yarn_classic
from pratique.respond.situation import Project, ProjectFile, Proof
from pratique.workflow.proof import prover
from tests.standins.packages import AFTER_WINDOW, ALL, IN_WINDOW, Release
from tests.standins.real_clients import SMALL, need, run
from tests.standins.registry import Registry
from tests.unit.ecosystems.npm.locks.stage import CORRECTIONS, formats, good, releases, write

PATCH = "\n".join(
    (
        "diff --git a/index.js b/index.js",
        "--- a/index.js",
        "+++ b/index.js",
        "@@ -1,3 +1,4 @@",
        " 'use strict';",
        "+// patched",
        " ",
        " module.exports = { standIn: true };",
        "",
    )
)

LOCKS = {
    "npm": ("package-lock.json", ("install", "--package-lock-only", "--ignore-scripts")),
    "pnpm": ("pnpm-lock.yaml", ("install", "--lockfile-only", "--ignore-scripts")),
    "yarn-1": ("yarn.lock", ("install", "--ignore-scripts")),
    "yarn-3": ("yarn.lock", ("install", "--mode=update-lockfile", "--no-immutable")),
    "yarn-4": ("yarn.lock", ("install", "--mode=update-lockfile", "--no-immutable")),
    "bun": ("bun.lock", ("install", "--lockfile-only", "--ignore-scripts")),
}


def made(label: str, folder: Path, registry: Registry, **more: object) -> tuple[str, str]:
    """A locked project of a real client; the name of its lockfile and the path to search."""
    client = need(label)
    name, words = next(value for key, value in LOCKS.items() if label.startswith(key))
    write(folder, "package.json", {"name": "p", "version": "1.0.0", "dependencies": {"axios": "^1.14.0"}, **more})
    done = run(client, words, folder, registry)
    assert (folder / name).exists(), done.stdout + done.stderr
    write(folder, ".npmrc", f"registry={registry.url}\n")
    write(folder, ".yarnrc", f'registry "{registry.url}"\n')
    settings = {"npmRegistryServer": registry.url.rstrip("/"), "unsafeHttpWhitelist": ["127.0.0.1"]}
    write(folder, ".yarnrc.yml", json.dumps(settings))
    return name, f"{client.folder}{os.pathsep}{Path(client.command[0]).parent}"


def shown(folder: Path, search: str, *names: str, seconds: float = 120) -> Proof:
    """What the client says of files of a project."""
    files = tuple(ProjectFile(path=str(path), content=path.read_bytes()) for path in folder.iterdir() if path.is_file())
    project = Project(folder=str(folder), files=files)
    return prover(search=search, seconds=seconds)(
        project, {str(folder / name): (folder / name).read_bytes() for name in names}
    )


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings decides."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.lower().startswith("npm_config"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")


@pytest.mark.parametrize("label", SMALL)
def test_accepted_and_refused(label: str, tmp_path: Path) -> None:
    """As it was locked it is accepted; where the manifest asks for something else, it is refused."""
    with Registry(as_of=AFTER_WINDOW) as registry:
        name, search = made(label, tmp_path, registry)
        proof = shown(tmp_path, search, name)
        assert proof.accepted is True, proof.words
        assert need(label).version in proof.words
        assert not (tmp_path / "node_modules").exists() or label == "yarn-1"
        write(tmp_path, "package.json", {"name": "p", "version": "1.0.0", "dependencies": {"axios": "^0.30.0"}})
        proof = shown(tmp_path, search, name)
        assert proof.accepted is False, proof.words


CODECS = [
    ("npm-11", package_lock),
    ("pnpm-10", pnpm_lock),
    ("pnpm-12", pnpm_lock),
    ("yarn-1", yarn_classic),
    ("yarn-3.8", yarn_berry),
    ("yarn-4.18", yarn_berry),
    ("bun-1.4", bun_lock),
]


@pytest.mark.parametrize(("label", "codec"), CODECS)
def test_a_repaired_lockfile_is_accepted(label: str, codec: object, tmp_path: Path) -> None:
    with Registry(as_of=IN_WINDOW) as registry:
        name, search = made(label, tmp_path, registry)
        registry.as_of = AFTER_WINDOW
        before = (tmp_path / name).read_bytes()
        repaired = good(codec.CODEC.repair(before, CORRECTIONS, releases))
        assert repaired.changes
        (tmp_path / name).write_bytes(repaired.content)
        proof = shown(tmp_path, search, name)
        assert proof.accepted is True, proof.words
        for path, content in proof.completed.items():
            assert codec is yarn_berry
            assert path == str(tmp_path / name)
            added = set(content.splitlines()) - set(repaired.content.splitlines())
            assert len(added) == 1
            assert added.pop().startswith(b"  checksum: ")
            (tmp_path / name).write_bytes(content)
            again = shown(tmp_path, search, name)
            assert (again.accepted, again.completed) == (True, {})
        assert bool(proof.completed) == (codec is yarn_berry)
        (tmp_path / name).write_bytes(before)
        assert shown(tmp_path, search, name).accepted is not True


def test_a_wrong_digest_is_refused(tmp_path: Path) -> None:
    with Registry(as_of=AFTER_WINDOW) as registry:
        name, search = made("npm-11", tmp_path, registry)
        (tmp_path / name).write_text(re.sub("sha512-......", "sha512-AAAAAA", (tmp_path / name).read_text(), count=1))
        proof = shown(tmp_path, search, name)
        assert proof.accepted is False
        assert "EINTEGRITY" in proof.words


def test_missing_too_old_and_no_network_are_no_answer(tmp_path: Path) -> None:
    with Registry(as_of=AFTER_WINDOW) as registry:
        name, search = made("npm-11", tmp_path, registry)
    proof = shown(tmp_path, search, name, seconds=200)
    assert proof.accepted is None
    assert "by hand, in a copy: npm ci --ignore-scripts" in proof.words
    empty = tmp_path / "empty"
    empty.mkdir()
    proof = shown(tmp_path, str(empty), name)
    assert proof.accepted is None
    assert "npm is not on this machine" in proof.words
    (empty / "npm").write_text("#!/bin/sh\necho 6.14.18\n")
    (empty / "npm").chmod(0o755)
    assert "npm is not on this machine" in shown(tmp_path, str(empty), name).words, "a program inside the project"
    old = tmp_path.parent / f"{tmp_path.name}-old"
    old.mkdir()
    (empty / "npm").rename(old / "npm")
    proof = shown(tmp_path, str(old), name)
    assert proof.accepted is None
    assert "npm 6.14.18 does not read this lockfile" in proof.words


def test_a_project_behind_a_link_and_one_without_a_manifest(tmp_path: Path) -> None:
    """A link on the way to the project does not hide its manifests; without one there is no answer."""
    with Registry(as_of=AFTER_WINDOW) as registry:
        name, search = made("pnpm-10", tmp_path / "real", registry)
        (tmp_path / "link").symlink_to("real")
        proof = shown(tmp_path / "link", search, name)
        assert proof.accepted is True, proof.words
        (tmp_path / "real" / "package.json").unlink()
        proof = shown(tmp_path / "real", search, name)
        assert proof.accepted is None
        assert "its package.json cannot be read" in proof.words


def test_certificates_are_copied_and_keys_are_not(tmp_path: Path) -> None:
    place, home = tmp_path / "ca.pem", tmp_path / "home"
    place.write_text("-----BEGIN CERTIFICATE-----\n")
    text = npm_settings({"user .npmrc": f"cafile={place}\n".encode()})[".npmrc"]
    copied = with_certificates(text, str(home))
    assert copied == f'cafile="{home}/certificates.pem"\n'
    assert (home / "certificates.pem").read_text() == place.read_text()
    place.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert with_certificates(text, str(home)) == "\n"


def test_workspaces_archives_and_patches_are_in_the_copy(tmp_path: Path) -> None:
    """A frozen install of a workspace with a folder, an alias and a patch is accepted."""
    client = need("pnpm-10")
    with Registry(as_of=AFTER_WINDOW) as registry:
        formats(tmp_path, registry.url, workspaces=False)
        write(tmp_path, "patches/axios.patch", PATCH)
        write(
            tmp_path,
            "pnpm-workspace.yaml",
            "packages: ['packages/*']\npatchedDependencies:\n  axios@1.14.0: patches/axios.patch\n",
        )
        done = run(client, ["install", "--lockfile-only"], tmp_path, registry)
        assert done.returncode == 0, done.stdout
        assert "patch_hash" in (tmp_path / "pnpm-lock.yaml").read_text()
        write(tmp_path, ".npmrc", f"registry={registry.url}\n")
        proof = shown(tmp_path, f"{client.folder}{os.pathsep}{Path(client.command[0]).parent}", "pnpm-lock.yaml")
    assert proof.accepted is True, proof.words


def test_time_is_bounded_and_the_group_ends(tmp_path: Path) -> None:
    project, programs = tmp_path / "project", tmp_path / "programs"
    write(project, "package.json", {})
    write(project, "package-lock.json", {"lockfileVersion": 3})
    write(
        programs,
        "npm",
        '#!/bin/sh\n[ "$1" = --version ] && echo 11.0.0 && exit\n(sleep 5; touch "$TMPDIR/../../late") &\nsleep 60\n',
    )
    (programs / "npm").chmod(0o755)
    proof = shown(project, str(programs), "package-lock.json", seconds=1)
    assert proof.accepted is None
    assert "longer than 1 s" in proof.words


def test_no_secret_reaches_a_client(tmp_path: Path) -> None:
    """The neutral settings hold allowed keys alone, and addresses without user info."""
    secret = "hush-hush"
    files = {
        ".npmrc": (
            f"registry=https://user:{secret}@mirror.test/npm/?t={secret}\n//mirror.test/:_authToken={secret}\n"
            f"@s:registry=https://{secret}@s.test/\n_auth={secret}\nscript-shell=/bin/evil\nnode-options=--require x\n"
            "cafile=./x.pem\nlegacy-peer-deps=true\nkey=${HOME}\nregistry=${TOKEN}\n"
        ).encode(),
        "pnpm-workspace.yaml": b"packages: ['a']\nconfigDependencies: {x: '1'}\npnpmfile: x\nscriptShell: y\nallowBuilds: {z: true}\n",
        ".yarnrc.yml": (
            f"npmAuthToken: {secret}\nyarnPath: x.cjs\nplugins: [y]\nnpmRegistryServer: 'https://u:{secret}@y.test/'\n"
            f"npmScopes: {{s: {{npmRegistryServer: 'https://u:{secret}@z.test', npmAuthToken: {secret}}}}}\n"
        ).encode(),
        ".yarnrc": f'yarn-path "x.js"\nregistry "https://u:{secret}@r.test/"\n'.encode(),
        "bunfig.toml": f'preload=["./x"]\n[install]\nregistry={{url="https://b.test", token="{secret}"}}\n'.encode(),
    }
    texts = ""
    for row in ROWS:
        texts += "".join(row.settings(files).values())
    for word in (
        secret,
        "evil",
        "require",
        "x.cjs",
        "x.js",
        "preload",
        "configDependencies",
        "plugins",
        "allowBuilds",
        "x.pem",
    ):
        assert word not in texts
    for word in (
        "https://mirror.test/npm/",
        "https://s.test/",
        "legacy-peer-deps",
        "https://y.test/",
        "https://z.test",
        "b.test",
    ):
        assert word in texts


@pytest.mark.parametrize("label", SMALL)
def test_a_hostile_project_starts_nothing(label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary in every place where a client would run something: none sings."""
    nest, folder = tmp_path / "nest", tmp_path / "project"
    nest.mkdir()
    shell = f"#!/bin/sh\ntouch {nest}/$(basename $0)-$$\n"
    line = f"touch {nest}/script"
    module = f"require('fs').writeFileSync('{nest}/module', '')\n"
    hostile = Release(
        {"name": "standin-canary", "version": "1.0.0", "scripts": {"preinstall": line, "postinstall": line}},
        datetime(2025, 1, 1, tzinfo=UTC),
        files={"index.js": "", "binding.gyp": "{}"},
    )
    with Registry((*ALL, hostile), as_of=AFTER_WINDOW) as registry:
        name, search = made(label, folder, registry, dependencies={"axios": "^1.14.0", "standin-canary": "^1.0.0"})
        document = json.loads((folder / "package.json").read_text())
        document["scripts"] = dict.fromkeys(
            ("preinstall", "install", "postinstall", "prepare", "prepublish", "dependencies", "pnpm:devPreinstall"),
            line,
        )
        document["packageManager"] = "pnpm@1.0.0"
        document["trustedDependencies"] = ["standin-canary"]
        document["pnpm"] = {"onlyBuiltDependencies": ["standin-canary"], "neverBuiltDependencies": []}
        write(folder, "package.json", document)
        for tool in ("evil.sh", "bin/npm", "bin/pnpm", "bin/yarn", "bin/bun", "bin/node", "node_modules/.bin/npm"):
            write(folder, tool, shell)
            (folder / tool).chmod(0o755)
        for tool in ("canary.js", ".pnpmfile.cjs", ".pnpmfile.mjs", ".yarn/releases/yarn.cjs", ".yarn/plugins/p.cjs"):
            write(folder, tool, module)
        write(folder, "binding.gyp", "{}")
        write(folder, "node_modules/.hooks/preinstall", shell)
        for path in (".env", ".env.yarn"):
            write(folder, path, f"NODE_OPTIONS=--require {folder}/canary.js\n")
        write(
            folder,
            ".npmrc",
            f"registry={registry.url}\nscript-shell={folder}/evil.sh\nshell={folder}/evil.sh\ngit={folder}/evil.sh\n"
            f"node-options=--require {folder}/canary.js\nglobal-pnpmfile={folder}/canary.js\npnpmfile={folder}/canary.js\n"
            f"ignore-scripts=false\nonload-script={folder}/canary.js\ndangerously-allow-all-builds=true\n",
        )
        if label.startswith("pnpm"):
            write(
                folder,
                "pnpm-workspace.yaml",
                f"packages: ['.']\npnpmfile: {folder}/canary.js\nscriptShell: {folder}/evil.sh\n"
                "dangerouslyAllowAllBuilds: true\nallowBuilds: {standin-canary: true}\n",
            )
        write(
            folder,
            ".yarnrc",
            f'yarn-path "{folder}/canary.js"\nscript-shell "{folder}/evil.sh"\nregistry "{registry.url}"\n',
        )
        write(
            folder,
            ".yarnrc.yml",
            f"yarnPath: .yarn/releases/yarn.cjs\nplugins: [.yarn/plugins/p.cjs]\nenableScripts: true\n"
            f"npmRegistryServer: {registry.url.rstrip('/')}\nunsafeHttpWhitelist: [127.0.0.1]\n"
            "injectEnvironmentFiles: [.env]\n",
        )
        write(folder, "bunfig.toml", f'preload = ["./canary.js"]\n[install]\nregistry = "{registry.url}"\n')
        monkeypatch.setenv("NODE_OPTIONS", f"--require {folder}/canary.js")
        monkeypatch.setenv("npm_config_script_shell", f"{folder}/evil.sh")
        proof = shown(folder, f"{folder}/bin{os.pathsep}{search}", name)
    assert list(nest.iterdir()) == []
    assert proof.accepted is True, proof.words


def test_canaries_can_sing(tmp_path: Path) -> None:
    """The same script fires where a client is asked without the adapter: the test above would see it."""
    client = need("npm-11")
    write(tmp_path, "package.json", {"name": "p", "scripts": {"postinstall": f"touch {tmp_path}/sung"}})
    with Registry() as registry:
        assert run(client, ["install"], tmp_path, registry).returncode == 0
    assert (tmp_path / "sung").exists()


def test_a_registry_that_wants_credentials_is_no_answer(tmp_path: Path) -> None:
    class Closed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Closed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Registry(as_of=AFTER_WINDOW) as registry:
            name, search = made("npm-11", tmp_path, registry)
            port, there = f":{registry.port}/", f":{server.server_address[1]}/"
        for file in (name, ".npmrc"):
            (tmp_path / file).write_text((tmp_path / file).read_text().replace(port, there))
        proof = shown(tmp_path, search, name)
        assert proof.accepted is None
        assert "E401" in proof.words
    finally:
        server.shutdown()
        server.server_close()


def test_rows_and_words() -> None:
    """Each lockfile has one row; those of both yarns are told apart."""
    assert [row.versions("") for row in rows("yarn.lock", b"# yarn lockfile v1\n")] == [(1, 2)]
    (berry,) = rows("yarn.lock", b"# x\n\n__metadata:\n  version: 8\n")
    assert berry.versions("__metadata:\n  version: 8\n")[0] == 4
    (npm,) = rows("npm-shrinkwrap.json", b'{"lockfileVersion": 1}')
    assert npm.versions('"lockfileVersion": 1') == (5, 1 << 30)
    assert rows("Cargo.lock", b"") == []
    project = Project(folder="/nowhere", files=())
    offline = prover(online=False)(project, {"/nowhere/package-lock.json": b'{"lockfileVersion": 3}'})
    assert offline.accepted is None
    assert "asked with --online alone" in offline.words
    assert prover()(project, {}).accepted is None
    assert "poetry check --lock" in prover()(project, {"/nowhere/poetry.lock": b""}).words
