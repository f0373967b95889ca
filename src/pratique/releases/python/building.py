"""What makes code of a Python release run: setup code, build backends, entry points, commands.

Each is a fact with a key, so that it can be held against the same of the predecessor.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Refusal
from pratique.model.release import Fact, Release, Value
from pratique.releases.python.metadata import document, refusal, requirement, table, text_of, texts
from pratique.releases.python.source import shortened

Keyed = tuple[tuple[str, ...], Fact]
_HOOK = re.compile(r"['\"]([a-z_0-9]{2,40})['\"]\s*:")
_CLASSES = re.compile(r"\bcmdclass\s*=\s*(\{[^}]{0,2000}\}|dict\([^)]{0,2000}\))")
_KEYWORD = re.compile(r"\b([a-z_0-9]{2,40})\s*=")
_RUN_AT_INSTALL = (
    "install",
    "develop",
    "egg_info",
    "build_py",
    "build_ext",
    "sdist",
    "bdist_egg",
    "bdist_wheel",
    "build",
)
_SUBCLASS = re.compile(
    r"^class\s+\w+\(\s*(?:[\w.]*\.)?_?(install|develop|egg_info|build_py|build_ext|bdist_egg|build)\s*\)",
    re.MULTILINE,
)
_UNASKED = re.compile(
    r"pytest11|distutils\..*|setuptools\..*|egg_info\.writers|keyring\.backends|poetry(?:\.application)?\.plugin|hatch"
    r"|virtualenv\..*|tox|flask\.commands|celery\.commands|jupyter_.*|nbconvert\..*|pdm|twine\.registered_commands|build_meta"
)
"""Groups whose entry points are loaded when another program starts, without being asked for."""
_COMMANDS = frozenset(
    [
        "python",
        "python3",
        "pip",
        "pip3",
        "sudo",
        "su",
        "ls",
        "cat",
        "cp",
        "mv",
        "rm",
        "cd",
        "sh",
        "bash",
        "zsh",
        "git",
        "ssh",
        "scp",
        "curl",
        "wget",
        "docker",
        "kubectl",
        "node",
        "npm",
        "npx",
        "yarn",
        "pnpm",
        "make",
        "gcc",
        "cc",
        "ld",
        "find",
        "grep",
        "sed",
        "awk",
        "env",
        "which",
        "tar",
        "gpg",
        "aws",
        "gcloud",
        "az",
        "terraform",
        "vim",
        "vi",
        "nano",
        "uv",
        "poetry",
        "pytest",
    ]
)
_MOST = 400


def facts(release: Release) -> Iterator[Keyed | Refusal]:
    """Every trigger of a release, keyed by what it is. What cannot be read is a refusal."""
    refusals: list[Refusal] = []
    if release.files.form != "wheel":
        yield from _setup(release, refusals)
        yield from _project(release, refusals)
    yield from _entry_points(release, refusals)
    yield from _scripts(release)
    yield from refusals


def _fact(release: Release, path: str, kind: str, line: int, excerpt: str, attributes: dict[str, Value]) -> Fact:
    member = release.files.members.get(path)
    return Fact(kind, path, line, shortened(excerpt), member.sha256 if member else "", attributes=attributes)


def _setup(release: Release, refusals: list[Refusal]) -> Iterator[Keyed]:
    """setup.py and setup.cfg: which commands of setuptools they put their own in the place of."""
    path = "setup.py"
    if path in release.files.members:
        text = text_of(release, path)
        if isinstance(text, Refusal):
            refusals.append(text)
            text = ""
        hooks = _hooks(text)
        found = re.search(r"\bcmdclass\b", text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        excerpt = text.splitlines()[line - 1] if text else ""
        attributes: dict[str, Value] = {"form": path, "hooks": ", ".join(hooks), "file": path}
        yield ("trigger.setup", path), _fact(release, path, "trigger.setup", line, excerpt, attributes)
    path = "setup.cfg"
    settings = _settings(release, path, refusals)
    for section, key in (("options", "cmdclass"), ("global", "command_packages"), ("options", "setup_requires")):
        value = settings.get(section, {}).get(key, "").strip()
        if value:
            hooks = [one.partition("=")[0].strip() for one in value.splitlines() if one.strip()]
            attributes = {"form": f"setup.cfg {key}", "hooks": ", ".join(hooks)[:160], "file": path}
            yield ("trigger.setup", path, key), _fact(release, path, "trigger.setup", 0, value, attributes)


def _hooks(text: str) -> list[str]:
    """The commands that setup code replaces, as far as they are spelled out; `cmdclass` where they are not."""
    found: set[str] = set()
    for match in _CLASSES.finditer(text):
        names = _HOOK.findall(match[1]) if match[1].startswith("{") else _KEYWORD.findall(match[1])
        found.update(names or ["cmdclass"])
    if "cmdclass" in text:
        found.update(match[1] for match in _SUBCLASS.finditer(text))
        found = found or {"cmdclass"}
    return [name for name in _RUN_AT_INSTALL if name in found] + sorted(found.difference(_RUN_AT_INSTALL))


def _settings(release: Release, path: str, refusals: list[Refusal]) -> dict[str, dict[str, str]]:
    """The sections of a file of settings; empty where there is none, or it is none."""
    if path not in release.files.members:
        return {}
    text = text_of(release, path)
    if isinstance(text, Refusal):
        refusals.append(text)
        return {}
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of entry points keep their letters
    try:
        parser.read_string(text.removeprefix("\ufeff"))
    except (configparser.Error, ValueError):
        refusals.append(refusal(path, "is no file of sections and settings"))
        return {}
    return {section: {key: value or "" for key, value in parser.items(section)} for section in parser.sections()}


def _project(release: Release, refusals: list[Refusal]) -> Iterator[Keyed]:
    """pyproject.toml: the backend that builds, what it needs, and code that build tools are told to run."""
    path = "pyproject.toml"
    if path not in release.files.members:
        return
    stated = document(release, path, refusals)
    build = table(stated, "build-system")
    wanted = texts(build.get("requires"))
    needs = [one for text in wanted if (one := requirement(text)) is not None]
    paths = texts(build.get("backend-path"))
    backend = build.get("build-backend")
    attributes: dict[str, Value] = {
        "backend": backend[:160] if isinstance(backend, str) else "setuptools.build_meta:__legacy__",
        "in_tree": bool(paths),
        "requires": ", ".join(one.name for one in needs)[:400],
    }
    direct = [one for one in needs if one.source != "registry"]
    if direct:
        attributes["direct"] = ", ".join(one.range for one in direct)[:200]
    excerpt = f"build-backend = {attributes['backend']}"
    yield ("trigger.build-backend", path), _fact(release, path, "trigger.build-backend", 0, excerpt, attributes)
    for name, file in _build_code(table(stated, "tool")):
        known: dict[str, Value] = {"form": name, "hooks": "build", "file": file[:160]}
        place = file if file in release.files.members else path
        yield ("trigger.setup", path, name), _fact(release, place, "trigger.setup", 0, f"{name} = {file}", known)


def _build_code(tool: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Code of the release that a build tool runs: the setting that says so, and the file."""
    hatch = table(tool, "hatch")
    for place in ("build", "metadata"):
        hook = table(hatch, place, "hooks", "custom")
        if hook or "custom" in table(hatch, place, "hooks"):
            name = "hatch_build.py"
            yield f"tool.hatch.{place}.hooks.custom", str(hook.get("path", name))
    for target, settings in table(hatch, "build", "targets").items():
        hook = table(settings, "hooks", "custom")
        if hook or "custom" in table(settings, "hooks"):
            yield f"tool.hatch.build.targets.{target}.hooks.custom", str(hook.get("path", "hatch_build.py"))
    source = table(hatch, "version")
    if source.get("source") == "code" and isinstance(source.get("path"), str):
        yield "tool.hatch.version.source", str(source["path"])
    poetry = table(tool, "poetry").get("build")
    if isinstance(poetry, str):
        yield "tool.poetry.build", poetry
    elif isinstance(poetry, dict) and isinstance(poetry.get("script"), str):
        yield "tool.poetry.build.script", poetry["script"]
    pdm = table(tool, "pdm", "build")
    for key in ("custom-hook", "run-setuptools"):
        if pdm.get(key):
            yield f"tool.pdm.build.{key}", str(pdm[key]) if isinstance(pdm[key], str) else "pdm_build.py"
    for command, target in table(tool, "setuptools", "cmdclass").items():
        yield f"tool.setuptools.cmdclass.{command}", str(target)


def _entry_points(release: Release, refusals: list[Refusal]) -> Iterator[Keyed]:
    """entry_points.txt, or what pyproject.toml and setup.cfg say of entry points where it is not built yet."""
    pattern = r"[^/]+\.dist-info/entry_points\.txt|(?:src/)?[^/]+\.egg-info/entry_points\.txt"
    paths = sorted(path for path in release.files.members if re.fullmatch(pattern, path))
    listed: list[tuple[str, str, str, str]] = []
    for path in paths[:1]:
        for group, entries in _settings(release, path, refusals).items():
            listed += [(path, group, name, target) for name, target in entries.items()]
    if not paths and release.files.form != "wheel":
        path = "pyproject.toml"
        project = table(document(release, path, []), "project")
        groups = {"console_scripts": table(project, "scripts"), "gui_scripts": table(project, "gui-scripts")}
        groups.update({group: table(entries) for group, entries in table(project, "entry-points").items()})
        for group, stated in groups.items():
            listed += [(path, group, name, str(target)) for name, target in stated.items()]
    for path, group, name, target in listed[:_MOST]:
        attributes: dict[str, Value] = {"group": group[:120], "name": name[:120], "target": target.strip()[:160]}
        if _UNASKED.fullmatch(group):
            attributes["unasked"] = True
        fact = _fact(release, path, "trigger.entry-point", 0, f"[{group}] {name} = {target}", attributes)
        yield ("trigger.entry-point", group, name), fact
        if group in ("console_scripts", "gui_scripts") and name in _COMMANDS and not _own(release, name):
            known: dict[str, Value] = {"name": name, "target": target.strip()[:160], "shadows": True}
            yield ("trigger.bin", name), _fact(release, path, "trigger.bin", 0, f"{name} = {target}", known)
    if len(listed) > _MOST:
        refusals.append(refusal(paths[0] if paths else "pyproject.toml", f"more than {_MOST} entry points"))


def _scripts(release: Release) -> Iterator[Keyed]:
    """Files of a wheel that are put on the path as they are."""
    for path in release.files.members:
        first, _, rest = path.partition("/")
        if first.endswith(".data") and rest.startswith("scripts/"):
            name = rest.rpartition("/")[2]
            attributes: dict[str, Value] = {"name": name[:120], "target": path[:200]}
            if name in _COMMANDS and not _own(release, name):
                attributes["shadows"] = True
            yield ("trigger.bin", name), _fact(release, path, "trigger.bin", 0, path, attributes)


def _own(release: Release, name: str) -> bool:
    """Whether a command is called like the release that brings it."""
    return normalise(release.name).startswith(name.rstrip("3"))
