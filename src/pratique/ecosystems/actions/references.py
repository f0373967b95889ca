"""References to actions: a full commit is fixed, a tag or branch may point anywhere at any time."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REPOSITORY = re.compile(
    r"(?:https?://(?:[^/@\s]*@)?[^/@\s]+/)?(?P<owner>[A-Za-z0-9_.-]+)/(?P<name>[A-Za-z0-9_.-]+?)(?:\.git)?"
    r"(?P<path>/[^@\s]*)?@(?P<ref>\S(?:.*\S)?)",
    re.DOTALL,
)
_IMAGE = re.compile(r"docker://(?P<name>[^\s@]+?)(?::(?P<tag>[A-Za-z0-9_.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?")
_LONGEST = 2048


class Reference(msgspec.Struct, frozen=True):
    """What a `uses:` asks for.

    `repository`: `name` is `owner/name` in small letters, `ref` a commit, tag or branch. `image`: a container image and
    its tag or digest. `local`: a path in the same repository, as it stands there.
    """

    kind: Literal["repository", "image", "local"]
    name: str
    ref: str = ""
    path: str = ""

    @property
    def commit(self) -> str | None:
        """The full commit, or the digest of an image; None where the reference can be moved."""
        fixed = is_commit(self.ref) or self.ref.startswith("sha256:")
        return self.ref if fixed else None


def reference(text: str) -> Reference | None:
    """What a `uses:` asks for; None where it is nothing that a runner would take."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if text.startswith(("./", "../")):
        return Reference("local", text)
    image = _IMAGE.fullmatch(text)
    if image:
        return Reference("image", image["name"], image["digest"] or image["tag"] or "")
    match = _REPOSITORY.fullmatch(text)
    if not match:
        return None
    ref = match["ref"]
    lowered = ref.lower()
    return Reference(
        "repository",
        f"{match['owner']}/{match['name']}".lower(),
        lowered if is_commit(lowered) else ref,
        (match["path"] or "").strip("/"),
    )


def is_commit(reference: str) -> bool:
    """Whether a reference is a full commit, which cannot be moved."""
    return COMMIT.fullmatch(reference) is not None


def admits(version: str, asked: str) -> bool:
    """Whether a reference may have led to a listed release.

    A full commit leads to itself alone; a tag or branch may have led to any listed commit, and to a listed tag only
    where it is that tag.
    """
    if is_commit(asked):
        return version == asked
    return is_commit(version) or version == asked
