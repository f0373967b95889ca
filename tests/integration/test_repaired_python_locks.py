"""Lockfiles of the Python world, made by the real clients with a bad release and repaired: the clients accept them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.ecosystems.locks import codecs_of
from pratique.ecosystems.pypi.locks import pyproject
from pratique.model.repair import Correction, LockedRelease, Repaired
from pratique.respond.revert.overrides import pins_of, rules
from tests.standins import python_packages
from tests.standins.python_index import served
from tests.standins.real_python_clients import need, run

CORRECTIONS = (Correction(name="litellm", bad=frozenset({"1.82.7", "1.82.8"}), good=("1.82.6",), ecosystem="PyPI"),)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index on loopback that serves the stand-ins, the listed ones too."""
    folder = tmp_path_factory.mktemp("index")
    python_packages.write(folder, sources=True)
    with served(folder) as url:
        yield url


def known(index: str):
    """What the index would tell of a release."""

    def releases(name: str, version: str) -> LockedRelease | None:
        for release in python_packages.RELEASES:
            if release[:2] == (name, version):
                files = []
                for make in (python_packages.wheel, python_packages.sdist):
                    file, data = make(release)
                    digest = hashlib.sha256(data).hexdigest()
                    url = f"{index.removesuffix('simple/')}files/{file}"
                    files.append({"filename": file, "url": url, "hashes": {"sha256": digest}})
                manifest = {"files": files, "requires_dist": list(release[2]), "requires_python": ">=3.8"}
                return LockedRelease(name=name, version=version, manifest=manifest)
        return None

    return releases


def project(asked: str, more: str = "") -> str:
    """A pyproject.toml."""
    return (
        '[project]\nname = "harbour"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["{asked}", "standin-colours"]\n{more}'
    )


def ok(name: str, arguments: list[str], folder: Path, index: str) -> str:
    """Run a client that must accept what it is given."""
    done = run(name, arguments, folder, index)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def repaired(path: Path, index: str) -> Repaired:
    """Repair a lockfile in its place."""
    content = path.read_bytes()
    assert b"1.82.8" in content
    (codec,) = codecs_of(path.name)
    out = codec.repair(content, CORRECTIONS, known(index))
    assert isinstance(out, Repaired), out
    assert b"1.82.8" not in out.content
    again = codec.repair(out.content, CORRECTIONS, known(index))
    assert again == Repaired(content=out.content, changes=())
    path.write_bytes(out.content)
    return out


@pytest.mark.parametrize("asked", ["litellm>=1.82", "litellm==1.82.8"])
def test_uv_accepts_it(asked: str, tmp_path: Path, index: str) -> None:
    (tmp_path / "pyproject.toml").write_text(project(asked))
    ok("uv", ["lock"], tmp_path, index)
    repaired(tmp_path / "uv.lock", index)
    if "==" in asked:
        made = pyproject.CODEC.repair((tmp_path / "pyproject.toml").read_bytes(), CORRECTIONS, known(index))
        assert isinstance(made, Repaired)
        (tmp_path / "pyproject.toml").write_bytes(made.content)
    before = (tmp_path / "uv.lock").read_bytes()
    ok("uv", ["lock", "--check"], tmp_path, index)
    said = ok("uv", ["sync", "--frozen", "--no-install-project"], tmp_path, index)
    assert "litellm==1.82.6" in said
    assert (tmp_path / "uv.lock").read_bytes() == before


def test_uv_accepts_a_constraint_together_with_it_and_keeps_to_it(tmp_path: Path, index: str) -> None:
    (tmp_path / "pyproject.toml").write_text(project("litellm>=1.82"))
    ok("uv", ["lock"], tmp_path, index)
    out = repaired(tmp_path / "uv.lock", index)
    files = {name: (tmp_path / name).read_bytes() for name in ("pyproject.toml", "uv.lock")}
    (way,) = rules("uv", "uv.lock", files, pins_of(out.changes, CORRECTIONS), "2026-06-30")
    assert b"# Until 2026-06-30" in way.files["pyproject.toml"]
    for name, new in way.files.items():
        (tmp_path / name).write_bytes(new)
    ok("uv", ["lock", "--check"], tmp_path, index)
    (tmp_path / "uv.lock").unlink()
    ok("uv", ["lock"], tmp_path, index)
    assert "1.82.8" not in (tmp_path / "uv.lock").read_text().partition("[[package]]")[2]


def test_pip_accepts_pins_with_digests(tmp_path: Path, index: str) -> None:
    (tmp_path / "requirements.in").write_text("litellm\nstandin-colours\n")
    ok(
        "uv",
        ["pip", "compile", "-q", "--generate-hashes", "requirements.in", "-o", "requirements.txt"],
        tmp_path,
        index,
    )
    repaired(tmp_path / "requirements.txt", index)
    arguments = ["install", "--dry-run", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    text = (tmp_path / "requirements.txt").read_text()
    (tmp_path / "wheels.txt").write_text(text.replace("standin-colours==2.0.post1", "#"))
    pins = [block for block in text.split("\n") if block]
    assert pins
    said = ok("pip", [*arguments, "-r", "requirements.txt"], tmp_path, index)
    assert "Would install" in said
    assert "litellm-1.82.6" in said


def test_pip_accepts_a_pylock_of_uv(tmp_path: Path, index: str) -> None:
    (tmp_path / "pyproject.toml").write_text(project("litellm>=1.82"))
    ok("uv", ["lock"], tmp_path, index)
    ok("uv", ["export", "-q", "--no-emit-project", "--format", "pylock.toml", "-o", "pylock.toml"], tmp_path, index)
    repaired(tmp_path / "pylock.toml", index)
    ok("uv", ["venv", "-q"], tmp_path, index)
    said = ok("uv", ["pip", "sync", "--dry-run", "--preview", "pylock.toml"], tmp_path, index)
    assert "litellm==1.82.6" in said


def test_poetry_accepts_it(tmp_path: Path, index: str) -> None:
    source = f'\n[[tool.poetry.source]]\nname = "x"\nurl = "{index}"\npriority = "primary"\n[tool.poetry]\npackage-mode = false\n'
    (tmp_path / "pyproject.toml").write_text(project("litellm>=1.82", source))
    ok("poetry", ["lock", "-n"], tmp_path, index)
    repaired(tmp_path / "poetry.lock", index)
    ok("poetry", ["check", "--lock", "-n"], tmp_path, index)
    assert "litellm (1.82.6)" in ok("poetry", ["install", "--dry-run", "-n", "--no-root"], tmp_path, index)


def test_pdm_accepts_it(tmp_path: Path, index: str) -> None:
    source = f'\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{index}"\nverify_ssl = false\n'
    (tmp_path / "pyproject.toml").write_text(project("litellm>=1.82", source))
    ok("pdm", ["lock"], tmp_path, index)
    repaired(tmp_path / "pdm.lock", index)
    ok("pdm", ["lock", "--check"], tmp_path, index)
    assert "litellm 1.82.6" in ok("pdm", ["install", "--frozen-lockfile", "--no-self", "--dry-run"], tmp_path, index)


def test_pipenv_accepts_it(tmp_path: Path, index: str) -> None:
    need("pipenv")
    (tmp_path / "Pipfile").write_text(
        f'[[source]]\nurl = "{index}"\nverify_ssl = false\nname = "x"\n\n[packages]\nlitellm = ">=1.82"\nstandin-colours = "*"\n'
    )
    ok("pipenv", ["lock"], tmp_path, index)
    repaired(tmp_path / "Pipfile.lock", index)
    ok("pipenv", ["verify"], tmp_path, index)
    assert "litellm==1.82.6" in ok("pipenv", ["requirements", "--hash"], tmp_path, index)
