"""What a JSON web token says of itself: for whom, since when, until when. Its signature is neither read nor checked."""

from __future__ import annotations

import base64
import json

from pratique.readers.credentials.material import moment, pairs

_MOST = 65_536

Claims = tuple[tuple[tuple[str, str], ...], str | None, str | None]
"""Identity, expiry, when it was made."""


def claims(value: str) -> Claims:
    """The claims of a token that may be shown; nothing where it is no JSON web token."""
    parts = value.strip().split(".")
    if len(parts) != 3 or not parts[0].startswith("eyJ") or len(parts[1]) > _MOST:
        return (), None, None
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), parse_int=str)
    except (ValueError, RecursionError):
        return (), None, None
    if not isinstance(found, dict):
        return (), None, None
    audience = found.get("aud")
    audience = audience[0] if isinstance(audience, list) and audience else audience
    said = [(name, found.get(claim)) for name, claim in (("subject", "sub"), ("issuer", "iss"))]
    said.append(("audience", audience))
    identity = pairs(*((name, text) for name, text in said if isinstance(text, str)))
    return identity, moment(found.get("exp", "")), moment(found.get("iat", ""))
