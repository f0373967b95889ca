"""The places of all rows of the table, by themselves: read at once where nothing else of the table is needed.

`python -m scripts.make_places` writes them anew after a change of the table; a test compares them.
"""

from __future__ import annotations

import json
from importlib.resources import files

FILE = files("pratique.readers.credentials") / "paths.json"


def paths() -> tuple[str, ...]:
    """The templates of places of credentials on Linux, as the table writes them (`$HOME/.npmrc`), without doubles."""
    return tuple(json.loads(FILE.read_bytes()))


def stated() -> tuple[str, ...]:
    """The same, out of the table."""
    from pratique.readers.credentials.table import table

    return tuple(dict.fromkeys(path for row in table().rows for path in row.paths))
