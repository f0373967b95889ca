"""What Python runs by itself at every start: lines of .pth files, and sitecustomize.

Python's `site` reads each line of a `.pth` file that lies in a folder of packages: one that begins with `import` and a
space or tab is run as a whole, with what follows its semicolons; any other is a folder. A byte order mark before the
first line is passed over by newer versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile, Value
from pratique.releases.python.extractor import Examiner, refusal
from pratique.releases.python.source import NotTextError, Source, shortened

_PLAIN = re.compile(r"import[ \t]+[A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*[ \t]*;?[ \t]*")
_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_GUARDED = re.compile(
    r"import[ \t]+os[ \t]*;[ \t]*"
    r"(?:(?:os\.environ\.get|os\.getenv)\((?P<one>['\"])\w+(?P=one)\)"
    r"|(?P<two>['\"])\w+(?P=two)[ \t]+in[ \t]+os\.environ)"
    rf"[ \t]+and[ \t]+__import__\((?P<three>['\"]){_NAME}(?P=three)\)[ \t]*;?[ \t]*"
)
MOST_LINES = 400
LONGEST = 4 << 20


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """One trigger for each line that runs, with the facts of its code.

    `plain` lines only import a module; `loads` holds for them, and for those that do so where a variable is set.

    Bytes that are no text give a refusal.
    """
    if len(file.content) > LONGEST:
        yield refusal(file, f"more than {LONGEST >> 20} MiB of lines", True)
        return
    try:
        source = Source(file.content)
    except NotTextError as error:
        yield refusal(file, str(error), True)
        return
    lines = source.text.decode("utf-8", "replace").splitlines()
    ran = [(number, line) for number, line in enumerate(lines, 1) if line.startswith(("import ", "import\t"))]
    for number, line in ran[:MOST_LINES]:
        attributes: dict[str, Value] = {"code": shortened(line)[:160], "language": "python"}
        if _PLAIN.fullmatch(line):
            attributes["plain"] = True
        if _PLAIN.fullmatch(line) or _GUARDED.fullmatch(line):
            attributes["loads"] = True
        yield Fact("trigger.path-configuration", file.path, number, shortened(line), file.sha256, attributes=attributes)
        inner = Source(line.encode("utf-8", "replace"))
        yield from Examiner(file).examine(inner, 0, "", number)
    if len(ran) > MOST_LINES:
        yield refusal(file, f"more than {MOST_LINES} lines that run", True)
