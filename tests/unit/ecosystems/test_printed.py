"""What the lines of package managers say."""

from __future__ import annotations

import pytest

from pratique.ecosystems.printed import Said, line, npm_line, printed
from pratique.ecosystems.pypi.commands import commands


def said(found: list[Said]) -> list[tuple[str, str, str, str]]:
    return [(item.ecosystem, item.name, item.version, item.script or item.depth) for item in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> plain-crypto-js@4.2.1 postinstall", ("npm", "plain-crypto-js", "4.2.1", "postinstall")),
        ("> a@1.0.0 postinstall /home/x/node_modules/a", ("npm", "a", "1.0.0", "postinstall")),
        ("+ axios 1.14.1", ("npm", "axios", "1.14.1", "installed")),
        ("+ @s/n@1.0.0-rc.1", ("npm", "@s/n", "1.0.0-rc.1", "installed")),
        ("+ six==1.16.0", ("PyPI", "six", "1.16.0", "installed")),
        ("~ six==1.16.0", ("PyPI", "six", "1.16.0", "installed")),
        ("installed axios@1.14.1", ("npm", "axios", "1.14.1", "installed")),
        ("├── axios@1.14.1", ("npm", "axios", "1.14.1", "installed")),
        ("│ └─┬ axios@1.14.1 deduped", ("npm", "axios", "1.14.1", "installed")),
        ("├─ axios@1.14.1", ("npm", "axios", "1.14.1", "resolved")),
        ("➤ YN0013: │ axios@npm:1.14.1 can't be found in the cache", ("npm", "axios", "1.14.1", "fetched")),
        ("➤ YN0007: │ a@npm:1.0.0 must be built because", ("npm", "a", "1.0.0", "install")),
        ("Collecting six==1.16.0 (from -r r.txt (line 1))", ("PyPI", "six", "1.16.0", "resolved")),
        ("Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)", ("PyPI", "six", "1.16.0", "fetched")),
        ("Downloading six-1.16.0-py2.py3-none-any.whl.metadata (1 kB)", ("PyPI", "six", "1.16.0", "resolved")),
        ("Using cached a_b-1.0.tar.gz (1 kB)", ("PyPI", "a_b", "1.0", "fetched")),
        ("Successfully installed zope-interface-5.0", ("PyPI", "zope-interface", "5.0", "installed")),
        ("- Installing six (1.16.0)", ("PyPI", "six", "1.16.0", "resolved")),
        ("• Updating six (1.15.0 -> 1.16.0)", ("PyPI", "six", "1.16.0", "resolved")),
        (".../node_modules/esbuild postinstall$ node install.js", ("npm", "esbuild", "", "postinstall")),
        (
            "node_modules/.pnpm/esbuild@0.19.0/node_modules/esbuild: Running postinstall script...",
            ("npm", "esbuild", "0.19.0", "postinstall"),
        ),
    ],
)
def test_a_line_names_a_release(text: str, expected: tuple[str, str, str, str]) -> None:
    assert said(list(line(text))) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "> shop@1.0.0 build",
        "> node setup.js",
        "+ echo axios 1.14.1",
        "+++",
        "├─ axios@^1.14.0",
        "Collecting six",
        "Successfully installed",
        "Requirement already satisfied: six",
        ".../node_modules/esbuild build$ x",
        "➤ YN0000: Done in 0s 532ms",
        "",
    ],
)
def test_other_lines_name_none(text: str) -> None:
    assert said(list(line(text))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm silly placeDep ROOT ms@2.1.3 OK for: x@1.0.0 want: ^2", ("npm", "ms", "2.1.3", "resolved")),
        ("npm warn deprecated inflight@1.0.6: leaks", ("npm", "inflight", "1.0.6", "resolved")),
        ("npm info run a@1.0.0 postinstall node_modules/a node x.js", ("npm", "a", "1.0.0", "postinstall")),
        ("npm info lifecycle a@1.0.0~postinstall: a@1.0.0", ("npm", "a", "1.0.0", "postinstall")),
        ("npm warn install-scripts   a@1.0.0 (postinstall: node x)", ("npm", "a", "1.0.0", "installed")),
    ],
)
def test_a_line_of_npm_names_a_release(text: str, expected: tuple[str, str, str, str]) -> None:
    assert said(list(npm_line(text))) == [expected]


def test_who_names_what() -> None:
    assert printed("npm", ()) == "none"
    assert printed("pnpm", ()) == "direct"
    assert printed("pip", ()) == "all"
    assert printed("pip", ("--quiet",)) == "none"


@pytest.mark.parametrize(
    ("text", "manager", "verb", "packages"),
    [
        ("pip install litellm==1.82.7 -r r.txt", "pip", "install", ("litellm==1.82.7",)),
        ("python3 -m pip install --user 'a[x]>=1'", "pip", "install", ("a>=1",)),
        ("sudo X=1 pip3.11 download a -d out", "pip", "download", ("a",)),
        ("uv pip install a==1.0", "uv", "install", ("a==1.0",)),
        ("uv sync --frozen", "uv", "sync", ()),
        ("poetry install --no-root", "poetry", "install", ()),
        ("pip install https://user:pass@host.test/a.whl", "pip", "install", ()),
    ],
)
def test_python_commands(text: str, manager: str, verb: str, packages: tuple[str, ...]) -> None:
    assert [(c.manager, c.verb, c.packages) for c in commands(text)] == [(manager, verb, packages)]


@pytest.mark.parametrize("text", ["pip list", "pip --version", "uv --help", "echo pip install a", "", "python x.py"])
def test_what_installs_nothing_is_no_command(text: str) -> None:
    assert list(commands(text)) == []
