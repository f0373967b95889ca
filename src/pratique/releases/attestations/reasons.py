"""Why something was not verified: two exceptions that stay inside this package, and text made short and plain."""

from __future__ import annotations

from pratique.model.inert import one_line

LONGEST = 240


class Rejected(Exception):  # noqa: N818  # a result, not a failure of the program
    """Something disagrees: the signature, the log, the certificate, the subject."""


class NotExamined(Exception):  # noqa: N818  # a result, not a failure of the program
    """It could not be verified, and nothing was seen that disagrees."""


def shown(text: object) -> str:
    """Foreign text for a reason: one printable line of at most 240 characters."""
    plain = one_line(str(text)).strip()
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
