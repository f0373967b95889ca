"""What a project asks for in setuptools' own form: setup.cfg.

## Reads
`install_requires`, `setup_requires`, `tests_require` of `[options]`, and every list of `[options.extras_require]`.

## Leaves out
`setup.py`, which is a program. `file:` references. A file that is no such configuration is a refusal where it spells a
name of interest.

## References
setuptools 84.2, "Configuring setuptools using setup.cfg files".
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator

from pratique.ecosystems.pypi.layout import shipped_in
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.pyproject import facts_of, spelled_in, told
from pratique.readers.text import decode_text

_KEYS = ("install_requires", "setup_requires", "tests_require", "install-requires", "setup-requires", "tests-require")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one range for each requirement of a name of interest. Raises Unreadable."""
    if shipped_in(artifact.path) is not None:
        return
    wanted = interest.wanted("PyPI")
    text = decode_text(artifact.content())
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=", ":"))
    try:
        parser.read_string(text if text is not None else "?")
    except (configparser.Error, ValueError, AttributeError, RecursionError):
        names = spelled_in(text or "", wanted)
        reason = "is no configuration of setuptools"
        yield artifact.refusal(READER.name, reason, relevant=bool(names) or text is None, names=names)
        return
    times = artifact.modified_time("the manifest was last written")
    for section, keys in (("options", _KEYS), ("options.extras_require", None)):
        if not parser.has_section(section):
            continue
        for key, value in parser.items(section):
            if keys is not None and key not in keys:
                continue
            field = f"{section}.{key}"
            for asked in _listed(value or ""):
                for fact in facts_of(asked, field, wanted):
                    yield told(artifact, READER, fact, asked, times)


def _listed(value: str) -> list[str]:
    """The requirements of one key: one a line, or on a single line between semicolons."""
    lines = value.replace(";\n", "\n").splitlines() if "\n" in value else value.split(";")
    return [line.partition(" #")[0].strip() for line in lines]


READER = Reader(
    name="setup-cfg",
    ecosystem="PyPI",
    read=read,
    basenames=("setup.cfg",),
    relevance="named-folder",
    resolves=False,
)
