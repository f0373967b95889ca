"""Variables with their values: which of them are credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.assignments import Assignment
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import is_token, matches
from pratique.readers.credentials.judgement import MOST, judge
from pratique.readers.credentials.material import fact, is_path_name, is_secret_name, looks_random, named


def of_variables(found: Iterable[Assignment], row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Variables whose name says that they hold a secret, and values that a format or their look gives away.

    A name for a file gives a reference. A variable that is assigned twice counts for each value of its own.
    """
    seen: set[tuple[str, str]] = set()
    whole = True
    for item in found:
        whole = whole and item.ends
        if (item.name, item.value) in seen:
            continue
        seen.add((item.name, item.value))
        made = one(item.name, item.value, row, fingerprint)
        if made is not None:
            if len(seen) > MOST * 10:
                yield "too many entries"
                return
            yield made
    if not whole:
        yield "half understood"


def one(name: str, value: str, row: Row, fingerprint: Fingerprint) -> CredentialFact | None:
    """The credential of one variable, None where it is none."""
    judged = judge(value)
    if judged == "nothing":
        return None
    secret = is_secret_name(name) or matches(row.fields, (name,))
    if is_path_name(name) and is_secret_name(name.rpartition("_")[0]) and not is_token(value):
        return CredentialFact(field=named([name]), state="reference", protection="unknown")
    if secret and judged == "material" and len(value) < 2000 and value.isdigit() and len(value) < 6:
        return None
    if secret or is_token(value) or (judged == "encrypted") or (judged == "material" and looks_random(value)):
        return fact(named([name]), value, row, fingerprint)
    return None
