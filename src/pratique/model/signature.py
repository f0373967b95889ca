"""How a package is told in text that no longer names it, such as the output of a bundler."""

from __future__ import annotations

import msgspec


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Strings that survive minifiers, and patterns that give the version.

    The package is there where at least `least` of `marks` occur. Group 1 of a pattern in `direct` is the version
    itself, in `named` the expression that holds it, whose definition is then looked for. `constants` are shapes that
    hold the version where nothing names it: asked last, since other packages may use them too.
    """

    marks: tuple[str, ...]
    least: int = 1
    direct: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
