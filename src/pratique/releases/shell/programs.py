"""What programs of command lines are for: tables from a program's name to what it does."""

from __future__ import annotations

import re

from pratique.ecosystems.npm.commands import unwrapped


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


INTERPRETERS = word_set(
    """
    sh bash zsh dash ksh ash fish python python2 python3 py pypy pypy3 node nodejs bun deno perl ruby php lua pwsh
    powershell cmd osascript cscript wscript mshta tclsh iex invoke-expression eval source . tsx ts-node rundll32
    regsvr32 java
    """
)
"""Programs that run what they are given, in a file, a text, or by their input."""
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish"})
POWERSHELLS = frozenset({"powershell", "pwsh"})
CODE_FLAGS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("node", "nodejs", "bun", "tsx", "ts-node"), frozenset({"-e", "--eval", "-p", "--print", "-pe", "-ep"})
    ),
    **dict.fromkeys(("python", "python2", "python3", "py", "pypy", "pypy3"), frozenset({"-c"})),
    **dict.fromkeys(("perl", "ruby", "lua", "osascript"), frozenset({"-e", "-ne", "-pe", "-E", "-le"})),
    "php": frozenset({"-r"}),
    "deno": frozenset({"eval"}),
}
"""Flags behind which code stands."""
LANGUAGES = {
    **dict.fromkeys(("node", "nodejs", "bun", "deno", "tsx", "ts-node"), "javascript"),
    **dict.fromkeys(("python", "python2", "python3", "py", "pypy", "pypy3"), "python"),
}
DOWNLOADS = word_set(
    """
    curl wget wget2 iwr invoke-webrequest irm invoke-restmethod certutil bitsadmin start-bitstransfer aria2c axel
    httpie http https xh lwp-request fetch ftp tftp scp rsync sftp
    """
)
"""Programs that fetch from the network; `certutil` and `bitsadmin` with their words for it alone."""
SOCKETS = frozenset({"nc", "ncat", "netcat", "socat", "telnet", "openssl-s_client"})
LOOKUPS = frozenset({"nslookup", "dig", "host", "resolve-dnsname", "ping"})
_RECON = word_set("""
    whoami hostname id ifconfig ipconfig systeminfo wmic sw_vers system_profiler ioreg w last users groups lsb_release
    netstat ss arp route tasklist ps query net get-wmiobject get-ciminstance get-computerinfo
""")
_DAILY = word_set("uname arch nproc date getconf ver locale")
RECON: dict[str, bool] = {**dict.fromkeys(_RECON, False), **dict.fromkeys(_DAILY, True)}
"""Programs that say what machine or user this is; True: asked for every day."""
DELETES = word_set(
    """
    rm del erase rmdir rd unlink shred remove-item ri rimraf trash srm
    """
)
WRITES = word_set(
    """
    tee cp mv copy move xcopy robocopy install dd out-file set-content add-content ln rsync sed
    """
)
READERS = word_set(
    """
    cat type get-content gc head tail less more grep egrep rg find tar zip 7z cp copy xcopy scp base64 xxd openssl
    strings awk sed cut sort jq python python3 node curl wget findstr select-string gzip sqlite3 rsync ls dir test
    [ source .
    """
)
DECODERS: tuple[tuple[str, str, str], ...] = (
    ("base64", r"(?:^|\s)(?:-[A-Za-z]*[dD][A-Za-z]*|--decode)(?:\s|$)", "base64"),
    ("gbase64", r"(?:^|\s)(?:-d|-D|--decode)(?:\s|$)", "base64"),
    ("base32", r"(?:^|\s)(?:-d|-D|--decode)(?:\s|$)", "base32"),
    ("openssl", r"\bbase64\b.*\s-d\b|\s-d\b.*\bbase64\b|\benc\b.*\s-d\b|\s-d\s", "openssl"),
    ("xxd", r"(?:^|\s)-(?:r|p?s?r|r\s+-p|ps?\s+-r)(?:\s|$)", "hex"),
    ("certutil", r"-decode(?:hex)?\b", "base64"),
    ("uudecode", r"", "uu"),
    ("rev", r"", "reversed"),
    ("tr", r"A-Za-z.*N-ZA-Mn-za-m|a-zA-Z.*n-za-mN-ZA-M", "rot13"),
    ("gunzip", r"", "gzip"),
    ("zcat", r"", "gzip"),
    ("printf", r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3}){4}", "escapes"),
    ("echo", r"-[ne]*e[ne]*\s.*(?:\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}){4}", "escapes"),
)
"""Programs, the arguments with which they decode, and the form."""
ENCODERS: tuple[tuple[str, str, str], ...] = (
    ("base64", r"^(?!.*(?:-d\b|-D\b|--decode))", "base64"),
    ("openssl", r"\benc\b(?!.*\s-d\b)|\brsautl\b|\bpkeyutl\b|\bbase64\b(?!.*\s-d\b)", "openssl"),
    ("xxd", r"(?:^|\s)-p", "hex"),
    ("gpg", r"-(?:e|c|-encrypt|-symmetric)\b", "gpg"),
    ("tar", r"(?:^|\s)-?[A-Za-z]*c[A-Za-z]*", "tar"),
    ("zip", r"", "zip"),
    ("gzip", r"^(?!.*(?:-d\b|--decompress))", "gzip"),
    ("compress-archive", r"", "zip"),
)
PACKAGE_RUNNERS = re.compile(
    r"npx|bunx|pnpx|uvx|pipx|(?:pnpm|yarn) dlx|npm (?:exec|x)|bun x|deno run|uv run|uv tool run"
)
ENVIRONMENTS = frozenset({"env", "printenv", "set", "export", "declare", "typeset"})
_PROGRAM = re.compile(r"(?:.*[/\\])?(?P<name>[A-Za-z0-9_.\[-]+?)(?:\.(?:cmd|exe|com))?", re.DOTALL)


def program_of(word: str) -> str:
    """The name of a program without its folder and suffix, in lower case; `.` and `[` are names too."""
    if word in (".", "["):
        return word
    match = _PROGRAM.fullmatch(word) if len(word) <= 4096 else None
    return match["name"].lower() if match else ""


_PREFIXES = frozenset(
    {"nohup", "setsid", "disown", "start", "start-process", "saps", "daemonize", "busybox", "call", "@echo"}
)


def started(words: list[str]) -> tuple[list[str], bool, bool]:
    """The words of the program that is started behind others that start it; whether it is detached, and hidden."""
    detached = hidden = False
    for _ in range(8):
        before = words
        words = _assigned(unwrapped(words))
        first = program_of(words[0].lstrip("@")) if words else ""
        detached = detached or any(
            program_of(word) in ("nohup", "setsid") for word in before[: len(before) - len(words)]
        )
        if first in _PREFIXES:
            line = " ".join(words[:12]).lower()
            detached = detached or first not in ("busybox", "call", "@echo")
            hidden = hidden or bool(re.search(r"/b\b|/min\b|hidden", line))
            words = _behind_flags(words[1:], windows=first in ("start", "start-process", "saps"))
        if words == before:
            break
        if not words and program_of(before[0]) == "env" and len(before) == 1:
            words = before
            break
    line = " ".join(words).lower()
    if re.search(r"-w(?:in(?:dowstyle)?)?\s+(?:hidden|1\b)", line[:4096]):
        hidden = True
    return words, detached, hidden


def _assigned(words: list[str]) -> list[str]:
    """PowerShell's `$name = command` without its left side."""
    return words[2:] if len(words) > 2 and words[0].startswith("$") and words[1] in ("=", "+=") else words


def _behind_flags(words: list[str], *, windows: bool) -> list[str]:
    at = 0
    while at < len(words) and (
        words[at].startswith("-") or (windows and (words[at].startswith("/") or words[at] in ("", "hidden", "Hidden")))
    ):
        at += 1
    return words[at:]
