"""What makes each file of a release run: an install, a start of Python, a build, an import, or a command.

Roots are what the manifest and the triggers name; from there the imports lead on. A file may be reached in several
ways: the one that needs least of its user counts. That nothing was found to reach a file is no proof that nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.model.release import Fact, Member
from pratique.releases.imports import located, python_file, resolved

WAYS = ("lifecycle", "startup", "build", "import", "bin")
"""The ways a file comes to run, that which needs least of its user first."""
_INSTALL = ("preinstall", "install", "postinstall")
_ENTRIES = ("main", "module", "browser", "exports", "jsnext:main", "unpkg", "react-native")
_WORDS = re.compile(r"""[\s'"`;&|()<>=!,\[\]{}]+""")
_MOST_WORDS = 2000
_START = frozenset(("sitecustomize.py", "usercustomize.py"))

Root = tuple[str, str]
"""A file and the way it comes to run."""


def reach(
    ecosystem: str,
    members: Mapping[str, Member],
    manifest: bytes | None,
    triggers: Iterable[Fact],
    imports: Mapping[str, Iterable[Fact]],
) -> dict[str, str]:
    """How each reached file comes to run, one of WAYS.

    `manifest` is the package.json of an npm package. `triggers` are facts of kinds `trigger.*`; `imports` the facts
    `import.module` of each file.
    """
    folders = python_roots(members)
    roots = [*_of_triggers(triggers, members, folders)]
    if ecosystem == "npm":
        roots += _of_manifest(manifest, members)
    else:
        roots += _of_python(members, folders)
    found: dict[str, str] = {}
    for way in WAYS:
        stack = [path for path, how in roots if how == way and path not in found]
        while stack:
            path = stack.pop()
            if path in found:
                continue
            found[path] = way
            stack.extend(end for end in links(path, imports.get(path, ()), members, folders) if end not in found)
    return found


def links(path: str, imports: Iterable[Fact], members: Mapping[str, Member], folders: tuple[str, ...]) -> Iterator[str]:
    """The files of the release that a file imports. Importing a module of Python runs the packages above it too."""
    python = path.endswith((".py", ".pyw", ".pth"))
    for fact in imports:
        if fact.kind != "import.module":
            continue
        module = str(fact.attributes.get("module", ""))
        if not python:
            if module.startswith((".", "/")) or fact.attributes.get("form") == "relative":
                end = resolved(path, module, members)
                if end is not None:
                    yield end
            continue
        end = python_file(path, module, members, folders)
        while end is not None:
            yield end
            module = module.rpartition(".")[0]
            end = python_file(path, module, members, folders) if module.strip(".") else None


def python_roots(members: Mapping[str, Member]) -> tuple[str, ...]:
    """The folders in which absolute names of Python are looked for: the root, `src` and what wheels install from."""
    found = {""}
    for path in members:
        first, _, rest = path.partition("/")
        if first == "src" and rest:
            found.add("src")
        elif first.endswith(".data"):
            second = rest.partition("/")[0]
            if second in ("purelib", "platlib"):
                found.add(f"{first}/{second}")
    return tuple(sorted(found))


def words_of(command: str) -> list[str]:
    """The words of a command line that may name a file, without quotes and what joins commands."""
    return [word for word in _WORDS.split(command)[:_MOST_WORDS] if word and not word.startswith("-")]


def files_of(command: str, members: Mapping[str, Member], folders: tuple[str, ...] = ("",)) -> Iterator[str]:
    """The files of the release that a command line names."""
    words = words_of(command)
    for number, word in enumerate(words):
        end = located(word, members) if not word.startswith("/") else None
        if end is None and number and words[number - 1] in ("python", "python3") and word.isidentifier():
            end = python_file("", word, members, folders)
        if end is not None:
            yield end


def _of_triggers(facts: Iterable[Fact], members: Mapping[str, Member], folders: tuple[str, ...]) -> Iterator[Root]:
    """What the facts of triggers name."""
    for fact in facts:
        stated = fact.attributes
        if fact.kind == "trigger.lifecycle":
            way = "build" if stated.get("for_users") is False else "lifecycle"
            for key in ("file", "command"):
                yield from ((path, way) for path in files_of(str(stated.get(key, "")), members, folders))
        elif fact.kind == "trigger.bin":
            yield from ((path, "bin") for path in files_of(str(stated.get("target", "")), members, folders))
        elif fact.kind == "trigger.path-configuration":
            if fact.path in members:
                yield fact.path, "startup"
            for word in words_of(str(stated.get("code", ""))):
                end = python_file("", word, members, folders) if word.replace(".", "a").isidentifier() else None
                if end is not None:
                    yield end, "startup"
        elif fact.kind == "trigger.setup":
            if fact.path in members:
                yield fact.path, "build"
        elif fact.kind == "trigger.startup":
            if fact.path in members:
                yield fact.path, "startup"
        elif fact.kind in ("trigger.build-backend", "trigger.entry-point"):
            target = str(stated.get("backend", "") or stated.get("target", "")).partition(":")[0]
            command = stated.get("group") in ("console_scripts", "gui_scripts")
            way = "build" if fact.kind == "trigger.build-backend" else "bin" if command else "import"
            end = python_file("", target, members, folders) if target else None
            if end is not None:
                yield end, way


def _of_manifest(manifest: bytes | None, members: Mapping[str, Member]) -> Iterator[Root]:
    """What a package.json names: entries, commands, and scripts that run at install."""
    try:
        stated = msgspec.json.decode(manifest or b"{}")
    except (msgspec.DecodeError, RecursionError):
        stated = {}
    if not isinstance(stated, dict):
        stated = {}
    named = False
    for key in _ENTRIES:
        for text in _texts(stated.get(key)):
            named = True
            yield from ((path, "import") for path in _matching(text, members))
    if not named or "exports" not in stated:
        index = located(".", members)
        if index is not None:
            yield index, "import"
    commands = stated.get("bin")
    for text in _texts(commands):
        yield from ((path, "bin") for path in _matching(text, members))
    scripts = stated.get("scripts")
    if isinstance(scripts, dict):
        for event in _INSTALL:
            if isinstance(scripts.get(event), str):
                yield from ((path, "lifecycle") for path in files_of(scripts[event], members))


def _texts(value: object) -> Iterator[str]:
    """All texts in a value of JSON, however deep."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _matching(text: str, members: Mapping[str, Member]) -> Iterator[str]:
    """The files that an entry of a manifest names; a star stands for any."""
    if "*" not in text:
        end = located(text, members)
        if end is not None:
            yield end
        return
    before, _, after = text.removeprefix("./").partition("*")
    for path in members:
        if path.startswith(before) and path.endswith(after) and len(path) >= len(before) + len(after):
            yield path


def _of_python(members: Mapping[str, Member], folders: tuple[str, ...]) -> Iterator[Root]:
    """What Python loads by name: top-level packages and modules, configuration of paths, and setup code."""
    for path in members:
        folder, _, name = path.rpartition("/")
        if folder in folders:
            if name in _START or name.endswith(".pth"):
                yield path, "startup"
            elif name == "setup.py" and not folder:
                yield path, "build"
            elif name.endswith(".py"):
                yield path, "import"
        elif name == "__init__.py" and folder.rpartition("/")[0] in folders:
            yield path, "import"
