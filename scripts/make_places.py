"""Write the places of credentials by themselves, for what needs nothing else of the table.

python -m scripts.make_places
"""

from __future__ import annotations

import json
from pathlib import Path

import pratique.readers.credentials
from pratique.readers.credentials.paths import stated


def main() -> None:
    """Write the file beside the table."""
    folder = Path(pratique.readers.credentials.__path__[0])
    (folder / "paths.json").write_text(json.dumps(stated(), indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
