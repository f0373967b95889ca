"""Workflows of GitHub Actions: a `uses:` that names a listed release gets the full commit of a good one.

The tag stands behind it as a comment. A tag or branch may have pointed to a listed commit: it is replaced too, by a
release of its own line. A step of a payload has to be taken out by hand.
"""

from __future__ import annotations

import re

from pratique.ecosystems.actions.references import admits, is_commit, reference
from pratique.ecosystems.edits import Span, decoded, edited
from pratique.ecosystems.repairs import Unfit, Wanted, known, line_of, sources, total
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired

ECOSYSTEM = "GitHub Actions"
_USES = re.compile(
    r"^(?P<head>[ \t]*(?:-[ \t]+)?(?:\"uses\"|'uses'|uses)[ \t]*:[ \t]+)(?P<quote>[\"']?)(?P<text>[^\s\"'#]+)(?P=quote)"
    r"(?P<rest>[ \t]*(?:#[^\r\n]*)?)(?=\r?$)",
    re.MULTILINE,
)


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed reference. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    wanted = Wanted(corrections, ECOSYSTEM)
    changes: list[Change] = []
    used: list[LockedRelease] = []
    spans: list[Span] = []
    for match in _USES.finditer(text):
        asked = reference(match["text"])
        if asked is None or asked.kind != "repository":
            continue
        correction = wanted.by_name.get(asked.name)
        if correction is None or not any(admits(bad, asked.ref) for bad in correction.bad):
            continue
        good = wanted.good(correction)
        if not good:
            raise Unfit(f"{match['text']} has no known good release: take the step out")
        version = wanted.near(correction, asked.ref)
        if version is None and line_of(asked.ref) and not is_commit(asked.ref):
            raise Unfit(f"no good release of {correction.name} is in the line of {asked.ref}")
        version = version or good[0]
        record = releases(correction.name, version)
        commit = version if is_commit(version) else record.manifest.get("commit") if record else None
        if not isinstance(commit, str) or not is_commit(commit):
            commit = str(known(releases, correction.name, version).manifest.get("commit") or "")
            if not is_commit(commit):
                raise Unfit(f"the commit of {correction.name} {version} is not known")
        at = match["text"].rindex("@")
        now = f"{match['text'][:at]}@{commit}"
        comment = f" # {version}" if version != commit else ""
        new = f"{match['head']}{match['quote']}{now}{match['quote']}{comment}"
        spans.append(Span(match.start(), match.end(), new))
        changes.append(Change(entry=match["text"], was=asked.ref, now=commit, why=f"the commit of {version}"))
        if record is not None:
            used.append(record)
    return Repaired(
        content=edited(text, spans).encode() if spans else content,
        changes=tuple(sorted(changes)),
        release_of=sources(used),
    )


CODEC = LockCodec(
    name="workflow",
    basenames=("action.yml", "action.yaml"),
    managers=("actions",),
    ecosystem=ECOSYSTEM,
    repair=total(repair),
    pattern=r"\.(?:github|gitea|forgejo)/workflows/.+\.ya?ml",
)
