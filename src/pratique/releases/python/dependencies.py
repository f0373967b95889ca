"""The dependencies that a Python release declares, against what it imports and what it declared before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Release, Value
from pratique.releases.python import gate
from pratique.releases.python.import_names import NO_IMPORT, distributions_of, modules_of
from pratique.releases.python.metadata import Metadata, Requirement, refusal
from pratique.releases.python.source import NotTextError, Source

BUDGET = 64 << 20
"""So many bytes of Python are looked through for the imports of files that have no facts."""
_NOT_CODE = re.compile(
    r"(?:^|/)(?:tests?|testing|docs?|examples?|benchmarks?|scripts?|tools|ci)(?:/|$)|(?:^|/)(?:setup|conftest|noxfile)\.py$"
)


_TEXTS = (".py", ".pyw", ".pyx", ".pth", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".sh", ".txt")
_DECLARES = re.compile(
    r"(?:^|/)(?:[^/]+\.(?:dist|egg)-info/.*|requirements[^/]*\.txt|pyproject\.toml|setup\.(?:cfg|py)|[^/]*\.lock)$"
)


def facts(
    release: Release,
    metadata: Metadata,
    predecessor: Release | None,
    before: Metadata | None,
    file_facts: Mapping[str, tuple[Fact, ...]],
) -> Iterator[Fact | Refusal]:
    """A fact for each dependency that is declared or was removed, and for packages imported without being declared."""
    new = {(one.name, one.extra): one for one in metadata.requirements}
    old = {(one.name, one.extra): one for one in before.requirements} if before is not None else {}
    earlier, known = _earlier(release, before)
    imported, complete, refusals = imports(release, file_facts)
    yield from refusals
    states = {name: used(name, imported, complete) for name, _ in new}
    named = mentioned(release, [name for name, state in states.items() if state == "no"])
    states.update(dict.fromkeys(named, "unknown"))
    for key, one in new.items():
        delta: Delta = "unknown"
        previous = old.get(key)
        if before is not None:
            delta = "added" if previous is None else "kept" if previous.range == one.range else "changed"
        attributes = _attributes(one)
        if previous is not None and delta == "changed":
            attributes["previous"] = previous.range
        if delta == "added" and any(name == one.name for name, _ in old):
            attributes["moved_from"] = next(_group(extra) for name, extra in old if name == one.name)
        attributes["imported"] = states[one.name]
        if one.name in named:
            attributes["named"] = named[one.name]
        attributes["seen_before"] = "yes" if one.name in earlier else "no" if known else "unknown"
        fact = metadata.fact("dependency.declared", one.line, one.text, attributes)
        yield _with(fact, delta)
    for key, one in old.items():
        if key not in new:
            attributes = {**_attributes(one), "range": "", "previous": one.range, "seen_before": "yes"}
            yield _with(metadata.fact("dependency.declared", 0, one.text, attributes), "removed")
    for text in metadata.unread:
        yield refusal(metadata.path, f"a dependency that is none: {text[:80]}", relevant=True)
    if metadata.complete:
        yield from _undeclared(release, new, predecessor, before, imported)


def _with(fact: Fact, delta: Delta) -> Fact:
    import msgspec

    return msgspec.structs.replace(fact, delta=delta)


def _group(extra: str) -> str:
    return "optional" if extra else "dependencies"


def _attributes(one: Requirement) -> dict[str, Value]:
    found: dict[str, Value] = {
        "name": one.name,
        "range": one.range[:200],
        "group": _group(one.extra),
        "source": one.source,
        "own_scope": False,
    }
    if one.extra:
        found["extra"] = one.extra
    return found


def used(name: str, imported: Mapping[str, str], complete: bool) -> str:
    """Whether a distribution is imported: yes, no, or unknown where its modules may be called otherwise."""
    wanted = modules_of(name)
    held = {module.lower() for module in imported}
    if wanted & held:
        return "yes"
    if not complete or name in NO_IMPORT or name.startswith(("types-", "nvidia-", "pytest-")):
        return "unknown"
    words = [word for word in name.split("-") if len(word) > 3]
    if any(word in module for word in words for module in held):
        return "unknown"
    plain = name.replace("-", "")
    near = any(len(module) > 4 and (plain.startswith(module) or module.startswith(plain)) for module in held)
    return "unknown" if near else "no"


def mentioned(release: Release, names: list[str]) -> dict[str, str]:
    """Distributions whose name stands in a text of the release, with the first file: a command, a plug-in, a setting.

    What only declares dependencies, and prose, says nothing.
    """
    found: dict[str, str] = {}
    if not names:
        return found
    spelled = {name: re.compile(re.escape(name.encode()).replace(rb"\-", rb"[-_.]?"), re.IGNORECASE) for name in names}
    left = BUDGET
    for path, member in release.files.members.items():
        if not path.endswith(_TEXTS) or _DECLARES.search(path):
            continue
        left -= member.size
        if left < 0 or len(found) == len(names):
            break
        try:
            content = release.files.read(path)
        except Unreadable:
            continue
        for name, pattern in spelled.items():
            if name not in found and pattern.search(content):
                found[name] = path
    return found


def _earlier(release: Release, before: Metadata | None) -> tuple[set[str], bool]:
    """Names that earlier versions declared, and whether that is known of all of them."""
    names = {one.name for one in before.requirements} if before is not None else set()
    history = release.record.history
    complete = history.state == "present"
    published = release.record.published.value
    for one in history.value or ():
        later = published is not None and one.published is not None and one.published >= published
        if one.version == release.version or later:
            continue
        if one.dependencies is None:
            complete = False
        names.update(normalise(name) for name in one.dependencies or ())
    return names, complete


def imports(release: Release, file_facts: Mapping[str, tuple[Fact, ...]]) -> tuple[dict[str, str], bool, list[Refusal]]:
    """Packages that any file imports, with the first file; whether every Python file was looked at; what was not."""
    found: dict[str, str] = {}
    refusals: list[Refusal] = []
    complete = True
    left = BUDGET
    for path, member in release.files.members.items():
        if not path.endswith((".py", ".pyw", ".pyx", ".pth")):
            continue
        known = [fact for fact in file_facts.get(path, ()) if fact.kind == "import.module"]
        if known or path in file_facts:
            for fact in known:
                if fact.attributes.get("form") != "relative":
                    found.setdefault(str(fact.attributes.get("package", "")), path)
            continue
        left -= member.size
        if left < 0:
            complete = False
            continue
        try:
            source = Source(release.files.read(path))
        except (Unreadable, NotTextError):
            complete = False
            continue
        for module, _ in gate.imported(source):
            if not module.startswith("."):
                found.setdefault(module.partition(".")[0], path)
    found.pop("", None)
    if left < 0:
        refusals.append(refusal("", f"imports were looked for in {BUDGET >> 20} MiB of Python alone", relevant=False))
    return {name: path for name, path in found.items() if name not in gate.STANDARD}, complete, refusals


def _undeclared(
    release: Release,
    new: Mapping[tuple[str, str], Requirement],
    predecessor: Release | None,
    before: Metadata | None,
    imported: Mapping[str, str],
) -> Iterator[Fact]:
    """Packages that code imports and nothing declares: whoever owns the name is given control."""
    names = {name for name, _ in new}
    allowed = {module for name in names for module in modules_of(name)}
    own = {path.partition("/")[0].removesuffix(".py") for path in release.files.members}
    own |= {
        path.split("/")[1].removesuffix(".py")
        for path in release.files.members
        if path.startswith("src/") and "/" in path
    }
    folders = {part for path in release.files.members for part in path.split("/")[:-1]}
    files = {path.rpartition("/")[2].partition(".")[0] for path in release.files.members}
    allowed |= modules_of(release.name)
    earlier = {one.name for one in before.requirements} if before is not None else set()
    for module, path in sorted(imported.items()):
        if module in own or module in folders or module in files or module.lower() in allowed or _NOT_CODE.search(path):
            continue
        if not module.isidentifier() or distributions_of(module) & names:
            continue
        delta: Delta = "unknown"
        if predecessor is not None and before is not None:
            had = distributions_of(module) & earlier
            delta = "changed" if had else "kept" if _names(predecessor, path, module) else "added"
        member = release.files.members.get(path)
        digest = member.sha256 if member is not None else ""
        yield Fact("dependency.undeclared", path, 0, module, digest, delta, {"name": module})


def _names(predecessor: Release, path: str, module: str) -> bool:
    """Whether the predecessor's file at the same path names a module."""
    if path not in predecessor.files.members:
        return False
    try:
        return module.encode() in predecessor.files.read(path)
    except Unreadable:
        return False
