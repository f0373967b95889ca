"""Words for what changed between two releases, shared by its forms."""

from __future__ import annotations

from pratique.model.difference import Entry, ReleaseDifference
from pratique.model.release import Fact, FileChange
from pratique.report.words import count, one_line

MARKS = {"added": "+", "removed": "-", "changed": "~", "moved": ">", "kept": " ", "unknown": "?"}
REACHED = {
    "lifecycle": "runs at install",
    "startup": "runs at every start of Python",
    "build": "runs when it is built",
    "import": "runs when it is imported",
    "bin": "runs as a command",
}
SECTIONS = (
    ("triggers", "Runs by itself"),
    ("dependencies", "Dependencies"),
    ("trust", "Trust path"),
    ("capabilities", "Capabilities"),
    ("contents", "Contents"),
)
"""Sections of facts in the order in which they are shown."""

_KINDS = {
    "trigger.lifecycle": "script at install",
    "trigger.bin": "command on the path",
    "trigger.path-configuration": "code at every start of Python",
    "trigger.setup": "setup code",
    "trigger.build-backend": "build backend",
    "trigger.entry-point": "entry point",
    "trigger.startup": "module that Python imports by itself",
    "dependency.declared": "dependency",
    "dependency.undeclared": "imported and not declared",
    "dependency.bundled": "copy inside",
    "manifest.identity": "calls itself otherwise",
    "registry.field": "not told by the registry",
    "registry.age": "age",
    "registry.rhythm": "rhythm of releases",
}
_TOLD = (
    *("event", "name", "group", "range", "command", "target", "backend", "code", "place", "what", "publisher", "field"),
    *("api", "steps", "destination", "within", "host", "form", "interface", "module", "to", "source"),
    *("stated", "expected", "state", "encoding", "format", "actual", "release_days", "rank"),
)
"""Attributes that are told, in this order."""


def subject(fact: Fact) -> str:
    """What a fact speaks of, in words."""
    if fact.kind == "trigger.lifecycle" and fact.attributes.get("for_users") is False:
        return "script, not at install"
    return _KINDS.get(fact.kind, fact.kind.partition(".")[2].replace("-", " ").replace(".", " "))


def details(fact: Fact) -> str:
    """What a fact says, as `api https.request, destination collect.example`."""
    stated = fact.attributes
    if fact.kind == "dependency.declared":
        return _dependency(fact)
    if fact.kind == "registry.field":
        return one_line(str(stated.get("field", "")))
    if fact.kind == "registry.popularity":
        return f"rank {stated['rank']}" if stated.get("rank") else "not among the popular packages"
    parts = [f"{name} {one_line(str(stated[name]))}" for name in _TOLD if stated.get(name) not in (None, "", False)]
    if stated.get("previous") not in (None, ""):
        parts.append(f"before {one_line(str(stated['previous']))}")
    if stated.get("new_in_package") is True:
        parts.append("new in the package")
    if stated.get("reach") in REACHED:
        parts.append(REACHED[str(stated["reach"])])
    return ", ".join(parts)


def _dependency(fact: Fact) -> str:
    """A dependency: its name, the range as it was and is, and what is unusual about it."""
    stated = {name: one_line(str(value)) for name, value in fact.attributes.items()}
    ranges = [stated[name] for name in ("previous", "range") if stated.get(name)]
    parts = [" ".join([stated.get("name", ""), " → ".join(ranges)]).strip()]
    if stated.get("group") not in (None, "", "dependencies", "runtime"):
        parts.append(stated["group"])
    if stated.get("source") not in (None, "", "registry"):
        parts.append(f"from {stated['source']}")
    if fact.attributes.get("imported") in (False, "no"):
        parts.append("imported nowhere")
    return ", ".join(parts)


def place(fact: Fact) -> str:
    """Where a fact stands."""
    return f"{fact.path}:{fact.line}" if fact.line else fact.path or "registry"


def entry_words(entry: Entry) -> str:
    """A field that differs: what it was, what it is."""
    if entry.before is None:
        return f"{entry.field}: {one_line(entry.after or '')}"
    if entry.after is None:
        return f"{entry.field}: was {one_line(entry.before)}"
    return f"{entry.field}: {one_line(entry.before)} → {one_line(entry.after)}"


def entry_mark(entry: Entry) -> str:
    """Whether a field came, went or changed."""
    return "+" if entry.before is None else "-" if entry.after is None else "~"


def change_words(change: FileChange) -> str:
    """What kind of file changed, and by how much."""
    parts = [change.kind]
    if change.change == "moved":
        parts.append(f"was {change.moved_from}")
    elif change.added_lines is None:
        sizes = [f"{member.size:,}" for member in (change.before, change.after) if member is not None]
        parts.append(f"{' → '.join(sizes)} bytes")
    else:
        parts += [f"+{change.added_lines:,}"] if change.added_lines else []
        parts += [f"-{change.removed_lines:,}"] if change.removed_lines else []
    return ", ".join(parts)


def title(difference: ReleaseDifference) -> str:
    """The two releases, and what the step between them is."""
    before, after = difference.before, difference.after
    step = f", {difference.kind}" if difference.kind not in ("unknown", "first") else ""
    names = f"{before.name} {before.version}".strip(), f"{after.name} {after.version}".strip()
    second = after.version if before.name == after.name and after.version else names[1]
    return f"{names[0] or before.source} → {second or after.source} ({after.ecosystem}{step})"


def totals(difference: ReleaseDifference) -> str:
    """How much changed."""
    changes = difference.changes
    names = ("added", "changed", "removed", "moved")
    counts = [f"{sum(change.change == name for change in changes):,} {name}" for name in names]
    added = sum(change.added_lines or 0 for change in changes)
    removed = sum(change.removed_lines or 0 for change in changes)
    lines = f"{added:,} lines more, {removed:,} fewer"
    return f"{', '.join(part for part in counts if not part.startswith('0 ')) or 'nothing changed'}, " + (
        f"{count(difference.kept_files, 'file')} as before; {lines}"
    )


def exit_code(difference: ReleaseDifference) -> int:
    """0; 4 where something relevant was not examined."""
    return 0 if difference.complete else 4
