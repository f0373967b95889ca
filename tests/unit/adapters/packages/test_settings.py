"""Which registry is asked and what it is sent: npm's, pip's and uv's files and variables, read and never run."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pratique.adapters.packages.access import Access, Credential, split_secret
from pratique.adapters.packages.npm_settings import NpmSettings
from pratique.adapters.packages.python_settings import PythonSettings, default_index

SECRET = "s3cr3t-value"  # a stand-in


def npm(tmp_path: Path, user: str = "", project: str = "", environment: dict[str, str] | None = None) -> NpmSettings:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    (home / ".npmrc").write_text(user)
    (folder / ".npmrc").write_text(project)
    (folder / "package.json").write_text("{}")
    return NpmSettings({"PATH": "", **(environment or {})}, str(home), str(folder))


def test_scopes_and_order(tmp_path: Path) -> None:
    found = npm(
        tmp_path,
        user="registry=https://user.example/npm\n@corp:registry=https://corp.example/\n",
        project="registry=https://project.example/\n",
    )
    plain, scoped = found.access("axios"), found.access("@corp/thing")
    assert plain is not None
    assert scoped is not None
    assert plain.url == "https://project.example/"
    assert "project" in plain.found_by
    assert scoped.url == "https://corp.example/"
    by_variable = npm(tmp_path, environment={"NPM_CONFIG_REGISTRY": "https://env.example/x"}).access("axios")
    assert by_variable is not None
    assert by_variable.url == "https://env.example/x/"


def test_without_any_setting_nothing_is_asked(tmp_path: Path) -> None:
    assert npm(tmp_path).access("axios") is None


def test_a_token_goes_to_its_own_registry_alone(tmp_path: Path) -> None:
    found = npm(
        tmp_path,
        user=f"registry=https://user.example/npm/\n//user.example/npm/:_authToken={SECRET}\n//other.example/:_authToken=zzz\n",
    ).access("axios")
    assert found is not None
    assert found.authorization("https://user.example/npm/axios") == f"Bearer {SECRET}"
    for url in (
        "https://user.example/elsewhere/axios",
        "https://user.example.evil.test/npm/axios",
        "https://user.example:444/npm/axios",
        "https://files.example/npm/axios.tgz",
    ):
        assert found.authorization(url) is None, url
    assert SECRET not in repr(found)


def test_a_project_gets_no_credential_and_no_variable(tmp_path: Path) -> None:
    found = npm(
        tmp_path,
        project="registry=https://evil.test/\n//evil.test/:_authToken=${NPM_TOKEN}\n@x:registry=https://evil.test/${NPM_TOKEN}/\ncafile=/evil.pem\n",
        environment={"NPM_TOKEN": SECRET},
    )
    access = found.access("axios")
    assert access is not None
    assert access.authorization("https://evil.test/axios") is None
    scoped = found.access("@x/y")
    assert scoped is not None
    assert SECRET not in scoped.url


def test_names_and_passwords(tmp_path: Path) -> None:
    password = base64.b64encode(SECRET.encode()).decode()
    found = npm(
        tmp_path,
        user=f"registry=https://user.example/\n//user.example/:username=ann\n//user.example/:_password={password}\n",
    )
    access = found.access("axios")
    assert access is not None
    expected = base64.b64encode(f"ann:{SECRET}".encode()).decode()
    assert access.authorization("https://user.example/axios") == f"Basic {expected}"


def test_npms_default_is_read_out_of_npm_itself(tmp_path: Path) -> None:
    program = tmp_path / "prefix" / "lib" / "node_modules" / "npm"
    folder = program / "node_modules" / "@npmcli" / "config" / "lib" / "definitions"
    folder.mkdir(parents=True)
    (program / "package.json").write_text("{}")
    (folder / "definitions.js").write_text(
        "x: new Definition('registry', {\n    default: 'https://default.example/',\n"
    )
    (tmp_path / "prefix" / "bin").mkdir()
    (tmp_path / "prefix" / "bin" / "node").write_text("")
    access = npm(tmp_path, environment={"PATH": str(tmp_path / "prefix" / "bin")}).access("axios")
    assert access is not None
    assert access.url == "https://default.example/"
    assert access.found_by == "npm's default"
    assert access.replaced_host == "default.example"


def python(tmp_path: Path, environment: dict[str, str] | None = None) -> tuple[Access, ...]:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    given = {"PATH": "", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), **(environment or {})}
    return PythonSettings(given, str(tmp_path / "home"), str(work)).accesses()


def test_pips_indexes(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = https://ann:{SECRET}@index.example/simple\nextra-index-url = https://more.example/simple\n"
    )
    found = python(tmp_path)
    assert [access.url for access in found] == ["https://more.example/simple/", "https://index.example/simple/"]
    assert SECRET not in repr(found)
    header = found[1].authorization("https://index.example/files/x.whl")
    assert header is not None
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == f"ann:{SECRET}"
    assert found[1].authorization("https://files.example/x.whl") is None
    given = python(tmp_path, {"PIP_INDEX_URL": "https://env.example/simple"})
    assert given[-1].url == "https://env.example/simple/"


def test_uvs_indexes(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "pyproject.toml").write_text(
        '[[tool.uv.index]]\nname = "a"\nurl = "https://own.example/simple"\ndefault = true\n'
        f'[[tool.uv.index]]\nurl = "https://ann:{SECRET}@evil.test/simple"\n'
    )
    found = python(tmp_path, {"PIP_CONFIG_FILE": "/dev/null"})
    assert [access.url for access in found] == ["https://own.example/simple/"]
    named = python(tmp_path, {"PIP_CONFIG_FILE": "/dev/null", "UV_DEFAULT_INDEX": "https://env.example/simple"})
    assert [access.url for access in named] == ["https://env.example/simple/"]


def test_netrc(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://index.example/simple\n")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".netrc").write_text(f"machine index.example login ann password {SECRET}\n")
    (access,) = python(tmp_path)
    assert access.authorization("https://index.example/simple/x/") is not None
    assert access.authorization("https://other.example/") is None


def test_pips_default_is_read_out_of_pip_itself(tmp_path: Path) -> None:
    folder = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "pip" / "_internal" / "models"
    folder.mkdir(parents=True)
    (folder / "index.py").write_text('PyPI = PackageIndex("https://default.example/", x="y")\n')
    assert default_index({"VIRTUAL_ENV": str(tmp_path / "venv"), "PATH": ""}) == "https://default.example/simple/"


@pytest.mark.parametrize("text", ["[global\nindex-url", "\0\0", "index-url = x"])
def test_a_damaged_file_of_pip_is_no_setting(tmp_path: Path, text: str) -> None:
    (tmp_path / "pip.conf").write_text(text)
    python(tmp_path)


def test_secrets_are_taken_out_of_addresses() -> None:
    plain, header = split_secret(f"https://ann:{SECRET}@host.example/x")
    assert plain == "https://host.example/x"
    assert header is not None
    assert split_secret("https://host.example/x") == ("https://host.example/x", None)
    assert SECRET not in repr(Credential("//host.example", f"Bearer {SECRET}"))


def test_proxies_leave_this_machine_and_named_hosts_alone() -> None:
    access = Access(
        "https://a.example/", "x", proxies={"https": "http://proxy.example:3128"}, unproxied="b.example,.c.example"
    )
    assert access.proxy_for("https://a.example/x") == "http://proxy.example:3128"
    for url in ("https://127.0.0.1/x", "https://localhost/x", "https://b.example/x", "https://d.c.example/"):
        assert access.proxy_for(url) is None
