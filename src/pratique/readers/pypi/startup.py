"""What Python runs at every start: .pth and .start files in site-packages, sitecustomize.py, usercustomize.py.

## Reads
Files directly in `site-packages` or `dist-packages`. Of a `.pth` file the lines that begin with `import` and a space
or tab: Python executes them at every start, whatever the program is, also those that follow a byte order mark (run
from Python 3.13), those after a form feed or another mark that ends a line (run from 3.13), and those in a hidden file
(run up to 3.12). Of a `.start` file (PEP 829, Python 3.15) each entry point. `sitecustomize.py` and
`usercustomize.py` are programs as a whole.

## Leaves out
What the code does: no line is kept, and the module of a plain `import` alone is named. Paths in `.pth` files. Other
places on `sys.path`. `.pth` files elsewhere: there they are weights of models, or inert.

## References
Python documentation "site"; PEP 829; tried with Python 3.9, 3.11, 3.12 and 3.13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.layout import starts_here
from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.text import decode_text, refuse

_IMPORT = re.compile(r"^import[ \t]+([A-Za-z_][\w.]*)?", re.MULTILINE)
_ENTRY = re.compile(r"^[ \t]*([A-Za-z_][\w.]*)(?::[A-Za-z_][\w.]*)?[ \t]*(?:#.*)?$", re.MULTILINE)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one trigger for a file that runs code."""
    folder, _, basename = artifact.path.rpartition("/")
    at_root = not folder and artifact.target.rstrip("/").endswith(("site-packages", "dist-packages"))
    if not starts_here(f"site-packages/{basename}" if at_root else artifact.path):
        return
    programs: list[str] = []
    if basename.endswith(".py"):
        programs = [basename]
    else:
        try:
            data = artifact.content()
        except Unreadable as error:
            yield refuse(artifact, READER, error.reason)
            return
        text = decode_text(data)
        if text is None:
            text = data.decode("latin-1")
        text = "\n".join(text.removeprefix("\ufeff").splitlines())
        if "\0" in text:
            yield refuse(artifact, READER, "holds bytes that are no text")
        found = _IMPORT.finditer(text) if basename.endswith(".pth") else _ENTRY.finditer(text)
        programs = [match[1] or "" for match in found]
    if programs or basename in interest.basenames:
        fact = TriggerFact(
            tool="python",
            when="interpreter-start" if programs else "never",
            program=programs[0] or None if programs else None,
            files=(basename,),
        )
        times = artifact.modified_time("the file was last written, or unpacked into a cache that it is linked from")
        yield Observation(READER.name, artifact.location(), fact, times)


READER = Reader(
    name="python-startup",
    ecosystem="PyPI",
    read=read,
    basenames=("sitecustomize.py", "usercustomize.py"),
    suffixes=(".pth", ".start"),
    relevance="named-folder",
    resolves=False,
    content="name",
    doors=("files", "host"),
)
