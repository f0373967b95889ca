"""What makes each file run, from triggers and imports."""

from __future__ import annotations

import json

from pratique.model.release import Fact
from pratique.releases.imports import imports, located, python_file
from pratique.releases.reach import files_of, reach
from tests.unit.releases.opened import InMemory


def reached(files: dict[str, bytes], ecosystem: str = "npm", triggers: tuple[Fact, ...] = ()) -> dict[str, str]:
    opened = InMemory(files)
    kinds = {"js": "javascript", "cjs": "javascript", "py": "python"}
    facts = {
        path: imports(path, content, kinds.get(path.rpartition(".")[2], "text"), "") for path, content in files.items()
    }
    return reach(ecosystem, opened.members, files.get("package.json"), triggers, facts)


def test_a_package_of_npm() -> None:
    manifest = {
        "main": "./lib",
        "exports": {".": {"import": "./esm.js"}, "./parts/*": "./parts/*.js"},
        "bin": {"run": "bin/run.js"},
        "scripts": {"postinstall": "node ./scripts/install || exit 0", "test": "node test.js"},
    }
    files = {
        "package.json": json.dumps(manifest).encode(),
        "lib/index.js": b"const a = require('./a')\nconst fs = require('fs')\n",
        "lib/a.js": b"import('./b.cjs')\n",
        "lib/b.cjs": b"require('../lib')\n",
        "esm.js": b"",
        "parts/one.js": b"",
        "bin/run.js": b'require("../lib/only.js")',
        "lib/only.js": b"",
        "scripts/install.js": b"require('./help')",
        "scripts/help.js": b"",
        "test.js": b"",
        "unused.js": b"",
    }
    assert reached(files) == {
        "lib/index.js": "import",
        "lib/a.js": "import",
        "lib/b.cjs": "import",
        "esm.js": "import",
        "parts/one.js": "import",
        "bin/run.js": "bin",
        "lib/only.js": "bin",
        "scripts/install.js": "lifecycle",
        "scripts/help.js": "lifecycle",
    }


def test_of_several_ways_that_which_needs_least_counts() -> None:
    files = {"package.json": b'{"main": "a.js", "scripts": {"install": "node a.js"}}', "a.js": b""}
    assert reached(files) == {"a.js": "lifecycle"}
    files = {"package.json": b"not json", "index.js": b"require('./a')", "a.js": b""}
    assert reached(files) == {"index.js": "import", "a.js": "import"}


def test_triggers_lead_to_files() -> None:
    files = {"binding.gyp": b"", "tools/gen.js": b"require('./deep')", "tools/deep.js": b"", "prepare.js": b""}
    implicit = Fact("trigger.lifecycle", "binding.gyp", attributes={"event": "install", "command": "node tools/gen.js"})
    prepare = Fact("trigger.lifecycle", "package.json", attributes={"file": "prepare.js", "for_users": False})
    assert reached(files, triggers=(implicit, prepare)) == {
        "tools/gen.js": "lifecycle",
        "tools/deep.js": "lifecycle",
        "prepare.js": "build",
    }


def test_a_package_of_python() -> None:
    files = {
        "sample/__init__.py": b"from . import (\n    a,\n    nothing,\n)\nimport os\n",
        "sample/a.py": b"from sample.deep.b import value\n",
        "sample/deep/__init__.py": b"",
        "sample/deep/b.py": b"from ..c import *\n",
        "sample/c.py": b"",
        "sample/command.py": b"from . import d\n",
        "sample/d.py": b"",
        "sample/unused.py": b"",
        "hook.py": b"",
        "start.pth": b"import begin; begin.now()\n",
        "begin.py": b"",
        "setup.py": b"import tools\n",
        "tools.py": b"",
    }
    triggers = (
        Fact("trigger.path-configuration", "start.pth", attributes={"code": "import begin; begin.now()"}),
        Fact("trigger.entry-point", attributes={"group": "console_scripts", "target": "sample.command:main"}),
    )
    assert reached(files, "PyPI", triggers) == {
        "sample/__init__.py": "import",
        "sample/a.py": "import",
        "sample/deep/__init__.py": "import",
        "sample/deep/b.py": "import",
        "sample/c.py": "import",
        "hook.py": "import",
        "sample/command.py": "bin",
        "sample/d.py": "bin",
        "start.pth": "startup",
        "begin.py": "startup",
        "setup.py": "build",
        "tools.py": "build",
    }


def test_names_that_lead_out_lead_nowhere() -> None:
    members = InMemory({"a.js": b"", "index.js": b""}).members
    assert located("../a.js", members) is None
    assert located(".", members) == "index.js"
    assert python_file("a.py", "...b", members, ("",)) is None
    assert list(files_of("node ../../a.js && sh -c 'node a.js'", members)) == ["a.js"]


def test_cheap_imports_tell_packages_from_files_and_builtins() -> None:
    content = b"import x from 'pkg/sub'\nrequire(\"@a/b/c\")\nrequire('fs')\nrequire('node:os')\nimport './x'\n"
    told = [dict(one.attributes) for one in imports("a.js", content, "javascript", "")]
    assert told == [
        {"module": "pkg/sub", "package": "pkg", "form": "package"},
        {"module": "@a/b/c", "package": "@a/b", "form": "package"},
        {"module": "fs", "form": "builtin"},
        {"module": "node:os", "form": "builtin"},
        {"module": "./x", "form": "relative"},
    ]
    assert imports("a.txt", content, "text", "") == ()
