"""`inspect`: judge releases by what they change, before any advisory: references to transitions to a report."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.adapters.packages import kept as packages
from pratique.adapters.packages.kept import Kept
from pratique.adapters.results import Results
from pratique.ecosystems.references import Reference, parse
from pratique.model.errors import ConfigurationError, UsageError
from pratique.model.observation import Refusal
from pratique.model.release import RELEASE_SCHEMA, Inspection, ReleaseReport, Transition
from pratique.releases.judge import judge
from pratique.releases.rules.library import Rules, bundled, rules_of, texts_of_bundled
from pratique.version import VERSION
from pratique.workflow import remembered
from pratique.workflow.acquire import Acquirer
from pratique.workflow.documents import READER, NotHad
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import DEPTH, Asking, Examiner
from pratique.workflow.trust_join import extra_is_there

_NEEDED = ("tree_sitter", "tree_sitter_javascript", "tree_sitter_python", "tree_sitter_typescript")


class InspectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to inspect, and how.

    `references` are texts as a person writes them; `lockfiles` the paths of a lockfile as it was and as it is.
    `folders` hold archives. `offline`: nothing is fetched; `online`: for paths too. `at`: seconds since the epoch.
    `source` and `rebuild`: folders of the tagged source and of a rebuild, that one release is compared with.
    `rules`: a folder of further rules. `trust`: fetch and verify attestations too. `jobs`: processes, 0: as many as
    there are processors.
    """

    references: tuple[str, ...] = ()
    lockfiles: tuple[str, str] | None = None
    against: str = "auto"
    folders: tuple[str, ...] = ()
    offline: bool = False
    online: bool = False
    at: float | None = None
    depth: int = DEPTH
    rules: Path | None = None
    jobs: int = 0
    command: tuple[str, ...] = ()
    remember: bool = True
    source: str = ""
    rebuild: str = ""
    trust: bool = False


def inspect(request: InspectRequest) -> ReleaseReport:
    """Examine and judge what was asked for. Nothing of a release is executed.

    Raises UsageError, ConfigurationError for rules that cannot be used, TargetError for a path where no release lies.
    """
    need_extra()
    if request.offline and request.online:
        raise UsageError("--offline and --online exclude each other")
    if bool(request.references) == (request.lockfiles is not None):
        raise UsageError("names no release", where="inspect", advice="Name releases, or --lockfile OLD NEW")
    for folder in request.folders:
        if not os.path.isdir(folder):
            raise UsageError("is no folder", where=f"--from {folder}", advice="Name a folder that holds archives")
    for folder in (request.source, request.rebuild):
        if folder and (len(request.references) != 1 or not os.path.isdir(folder)):
            advice = "Name one release, and the folder of its source or of a rebuild"
            raise UsageError("cannot be compared with", where=folder, advice=advice)
    if request.trust and not extra_is_there():
        advice = "Run: pip install 'pratique[trust]'"
        raise UsageError("needs the package cryptography, which is not installed", where="--trust", advice=advice)
    rules = _rules(request.rules)
    references = [parse(text) for text in request.references]
    if request.against not in ("auto", "none"):
        parse(request.against)
    kept = Kept(packages.default_folder() if request.remember else None)
    facts = remembered.store() if request.remember else None
    found: list[Inspection] = []
    refusals: list[Refusal] = []
    with _around(request, kept, online=not request.offline) as around:
        asking = Asking(
            against=request.against,
            at=request.at,
            depth=request.depth,
            source=request.source,
            rebuild=request.rebuild,
            trust=request.trust,
        )
        if request.lockfiles is not None:
            found += _lockfiles(request, Acquirer(around), asking, facts, rules, refusals)
        else:
            with _around(request, kept, online=request.online) as apart:
                examiner = Examiner(Acquirer(around), asking, facts)
                of_paths = Examiner(Acquirer(apart), asking, facts)
                for reference in references:
                    chosen = of_paths if reference.ecosystem is None else examiner
                    found += [_judged(one, rules) for one in _examined(chosen, reference, refusals)]
    if request.remember:
        kept.forget_oldest()
        if facts is not None:
            facts.forget_beyond(remembered.MOST_BYTES)
    return ReleaseReport(
        schema=RELEASE_SCHEMA,
        version=VERSION,
        generated=clock.iso(clock.now()),
        command=request.command,
        inspections=tuple(found),
        refusals=tuple(refusals),
        rules=rules.digest,
    )


def need_extra() -> None:
    """Raises UsageError where the packages that read code are not installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"needs the package {missing[0].replace('_', '-')}, which is not installed",
            where="inspect",
            advice="Run: pip install 'pratique[inspect]'",
        )


def _around(request: InspectRequest, kept: Kept, *, online: bool) -> Surroundings:
    return Surroundings(folders=request.folders, online=online, kept=kept)


def _rules(folder: Path | None) -> Rules:
    """The rules that come with the program, and those of a folder, which replace others of their name."""
    if folder is None:
        return bundled()
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
        texts = [(path.name, path.read_text(encoding="utf-8")) for path in files]
    except OSError as error:
        raise ConfigurationError((error.strerror or "cannot be read").lower(), where=f"--rules {folder}") from None
    except UnicodeDecodeError:
        raise ConfigurationError("holds a rule that is no UTF-8", where=f"--rules {folder}") from None
    if not texts:
        raise ConfigurationError("holds no rule", where=f"--rules {folder}", advice="Name a folder of TOML files")
    own = {name for name, _ in texts}
    return rules_of([*((name, text) for name, text in texts_of_bundled() if name not in own), *texts])


def _examined(examiner: Examiner, reference: Reference, refusals: list[Refusal]) -> list[Transition]:
    """The transitions of one reference; what cannot be had at all is a refusal. Raises TargetError for a path."""
    try:
        return examiner.reference(reference)
    except NotHad as error:
        names = (reference.name,) if reference.name else ()
        refusals.append(Refusal(reference.text, READER, str(error)[:500], True, names=names))
        return []


def _judged(transition: Transition, rules: Rules) -> Inspection:
    return Inspection(transition, judge(transition, rules))


def _lockfiles(
    request: InspectRequest,
    acquirer: Acquirer,
    asking: Asking,
    facts: Results | None,
    rules: Rules,
    refusals: list[Refusal],
) -> list[Inspection]:
    """The inspections of every transition between two lockfiles."""
    from pratique.adapters import machine
    from pratique.workflow.lockfile_transitions import difference, read_lockfile, transitions

    assert request.lockfiles is not None
    old, new = request.lockfiles
    changes = difference(read_lockfile(old, new), read_lockfile(new, old))
    waiting = 1 if request.offline else 2
    jobs = request.jobs or machine.processors() * waiting
    found, gaps = transitions(changes, acquirer, asking, facts, jobs)
    refusals += gaps
    refusals += [Refusal(purl, READER, "is gone from the lockfile", False) for purl in changes.removed]
    return [_judged(one, rules) for one in found]
