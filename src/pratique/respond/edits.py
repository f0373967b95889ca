"""From bytes before and after to an edit of a plan: hunks of whole lines, and a diff that shows no secret."""

from __future__ import annotations

import difflib
import hashlib
import re

from pratique.model.plan import Edit, Hunk

_USER = re.compile(r"(?<=://)[^/@\s\"']+(?=@)")
_TOKEN = re.compile(r"(?i)(\b\w*(?:auth\w*|password|token|secret)\w*[\"']?\s*[=:]\s*)\S+")
PLAIN = frozenset(
    {
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "Pipfile.lock",
    }
)
"""Files whose neighbouring lines may be shown; others may hold secrets beside what is changed."""


def digest(content: bytes) -> str:
    """`sha256:<hexadecimal>` of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def edit(path: str, before: bytes | None, after: bytes) -> Edit:
    """The edit that turns a file into another; `before` is None where there is no file yet."""
    old, new = _lines(before or b""), _lines(after)
    first, last = _apart(old, new)
    matcher = difflib.SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last])
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    hunks = tuple(
        Hunk(
            offset=starts[first + a],
            remove=b"".join(old[first + a : first + b]),
            insert=b"".join(new[first + c : first + d]),
        )
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )
    context = 3 if path.rpartition("/")[2] in PLAIN else 0
    return Edit(
        path=path,
        before=None if before is None else digest(before),
        after=digest(after),
        hunks=hunks,
        diff=shown(old, new, path.rpartition("/")[2], context),
    )


def shown(old: list[bytes], new: list[bytes], name: str, context: int) -> str:
    """A unified diff for people, without user info of addresses."""
    rows = difflib.unified_diff(_texts(old), _texts(new), name, name, n=context, lineterm="")
    return "".join(f"{_redacted(row, hide=context == 0)}\n" for row in rows)


def _redacted(row: str, *, hide: bool) -> str:
    return _USER.sub("***", _TOKEN.sub(r"\1***", row) if hide else row)


def _lines(content: bytes) -> list[bytes]:
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + ([rest] if (rest := content.split(b"\n")[-1]) else [])


def _texts(lines: list[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines]


def _apart(old: list[bytes], new: list[bytes]) -> tuple[int, int]:
    """How many lines are the same at the start and at the end."""
    most = min(len(old), len(new))
    first = 0
    while first < most and old[first] == new[first]:
        first += 1
    last = 0
    while last < most - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return first, last
