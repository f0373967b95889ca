"""Command lines reduced to what may be told: arguments may hold secrets, so that no line is ever kept.

What is kept of a command:

- the names of its programs, without their folders;
- the names of its options: `--token=abc` becomes `--token=…`, `-pSecret` becomes `-p…`;
- paths, told by their start (`/`, `~`, `./`, `C:\\`) or by the suffix of a script; a part of one that looks like a
  token becomes `…`;
- of a URL its scheme, host and port; no user, password, path or query;
- of a package manager's command its verb and the packages that it names;
- which globs of indicators the line matched, spelled as the indicator spells them.

Every other word becomes `…`. The code of `sh -c` is taken apart into commands and told in the same way; code of other
languages is not told. A glob that starts with the name of a program is compared with commands of that program alone,
and one that starts with an option with none that merely reads or looks for text: who searches for an indicator, or
edits a file about it, is no trace of it.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import shlex
from collections.abc import Iterator, Sequence

import msgspec

from pratique.ecosystems.npm.commands import commands, simple_commands

LONGEST = 1 << 20
"""Characters of one command line that are looked at."""
MOST_WORDS = 48
_MOST_COMMANDS = 20_000
_MOST_NAMED = 2000
_UNTOLD = "…"
_LONG = re.compile(r"(--[A-Za-z][A-Za-z0-9-]{0,40})(=.*)?", re.DOTALL)
_URL = re.compile(r"([a-z][a-z0-9+.-]{1,15})://(?:[^/?#@\s]*@)?(\[[0-9a-f:.]+\]|[\w.-]{1,253})(?::(\d{1,5}))?", re.I)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
SCRIPT = re.compile(
    r".{0,1024}\.(?:[cm]?[jt]sx?|sh|bash|zsh|fish|py[wc]?|ps1|psm1|bat|cmd|exe|vbs|vbe|wsf|hta|rb|pl|php|jar|lua|scpt"
    r"|applescript|service|timer)",
    re.DOTALL | re.IGNORECASE,
)
_PART = re.compile(r"[\w.@+~%$(){} ,#=-]{1,100}")
_TOKEN = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9+=_-]{20,}")
_NAME = re.compile(r"[\w.+@-]{1,64}")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_SHELLS = frozenset(["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"])
_WINDOWS_SHELLS = frozenset(["cmd", "powershell", "pwsh"])
_INTERPRETER = re.compile(
    r"(?:sh|bash|dash|zsh|ksh|ash|fish|node|nodejs|bun|deno|perl|ruby|php|lua|osascript|cscript|wscript|mshta"
    r"|powershell|pwsh|cmd|java|source|\.|pypy3?|pythonw?(?:\d+(?:\.\d+)*)?|perl5?(?:\.\d+)*|ruby\d*(?:\.\d+)*|tsx|ts-node)",
    re.IGNORECASE,
)
_WRAPPERS_NAMES = """
sudo doas env nohup setsid nice ionice timeout time stdbuf exec caffeinate chroot busybox command
start flock systemd-run run-parts dbus-run-session
"""
_WRAPPERS = frozenset(_WRAPPERS_NAMES.split())
_KEYWORDS = frozenset(["if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "(", ")", "time", "coproc"])
_CLOSING = frozenset(["fi", "done", "esac", "case", "for", "in", "function", ";;"])
_VALUED = frozenset(["-u", "-g", "-n", "-c", "-k", "-s", "-S", "-C", "-o", "-i", "-e", "--user", "--group", "--signal"])
_CODE = frozenset(["-c", "-e", "-m", "-p", "--eval", "--print", "-pe", "-ne", "-E", "-r", "-command", "--command"])
_OPTION_VALUES = frozenset(["--require", "--import", "--loader", "-W", "-X", "-I", "--experimental-loader", "-C"])
_LOOKING_NAMES = """
grep egrep fgrep zgrep rg ag ack sed awk gawk mawk less more most cat bat head tail vi vim nvim view
nano emacs ed code subl find fd locate ps pgrep pkill top htop echo printf man git jq yara sigma
osqueryi lsof strings file stat ls diff sha256sum shasum sha1sum md5sum cp mv rm rsync scp tar zip
tee xargs findstr type select-string certutil notepad open pratique watch logger journalctl wc sort
curl-config pbcopy test [
"""
_RUNNING_NAMES = """
sh bash dash zsh ksh ash fish busybox python python2 python3 node deno bun perl ruby php lua osascript pwsh powershell
eval source . xargs ssh sudo env at batch crontab
"""
_RUNNING = frozenset(_RUNNING_NAMES.split())
"""Programs that run what they are given as text, or may."""
_LOOKING = frozenset(_LOOKING_NAMES.split())
"""Programs that read, look for, copy or show text: a command of theirs that holds a line is not that line."""


class Reduced(msgspec.Struct, frozen=True):
    """What may be told of a command. `cut`: it was longer than is looked at."""

    programs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    script: str | None = None
    files: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    cut: bool = False


def program(word: str) -> str:
    """The name of a program out of the word that starts it: no folder, no `.exe`; empty where it is no name."""
    name = re.split(r"[\\/]", word.strip("\"'").lstrip("-@"))[-1]
    name = name.removesuffix(":")
    if word == ".":
        return word
    name = name[:-4] if name.lower().endswith(".exe") else name
    return name if _NAME.fullmatch(name) else ""


def told(word: str) -> str:
    """One word as it may be told."""
    if len(word) > 4096:
        return _UNTOLD
    option = _LONG.fullmatch(word)
    if option:
        return option[1] + (f"={told(option[2][1:])}" if option[2] else "")
    if word.startswith("-"):
        return word if re.fullmatch(r"-[A-Za-z]", word) else f"{word[:2]}…" if re.match(r"-[A-Za-z]", word) else _UNTOLD
    url = _URL.match(word)
    if url:
        return f"{url[1].lower()}://{url[2].lower()}{f':{url[3]}' if url[3] else ''}/…"
    if word.startswith(("/", "~/", "./", "../")) or _DRIVE.match(word) or SCRIPT.fullmatch(word):
        return _path(word)
    return _UNTOLD


def _path(word: str) -> str:
    parts = re.split(r"([\\/])", word)
    shown = [part if part in ("", "/", "\\") or _safe_part(part) else _UNTOLD for part in parts]
    return "".join(shown)[:240]


def _safe_part(part: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]:", part)) or (
        _PART.fullmatch(part) is not None and _TOKEN.fullmatch(part.partition(".")[0]) is None
    )


def reduced(
    argv: Sequence[str], folder: str | None = None, globs: Sequence[str] = (), *, known: str | None = None
) -> Reduced:
    """The arguments of a process, reduced. `folder` is its working folder, `known` the name of its executable."""
    words = list(argv)
    if len(words) == 1 and " " in words[0] and not words[0].startswith("/") and not _DRIVE.match(words[0]):
        words = words[0].split()  # a title that a program gave itself
    size, kept = 0, []
    for word in words:
        size += len(word) + 1
        kept.append(word[: max(0, LONGEST - (size - len(word) - 1))])
        if size > LONGEST:
            break
    cut = size > LONGEST
    found = list(_commands(kept, known))
    programs: dict[str, None] = {}
    if kept and (first := program(kept[0])):
        programs[first] = None
    script = _script(kept, known)
    if script is not None:
        stem = re.split(r"[\\/]", script)[-1].partition(".")[0]
        stem = stem.removesuffix("-cli")
        if stem in ("npm", "npx", "yarn", "pnpm", "bun", "corepack"):
            programs[stem] = None
    asked = _managed(kept)
    shown = asked or [told(word) for word in kept[1:MOST_WORDS]]
    if len(kept) > MOST_WORDS and not asked:
        shown.append(_UNTOLD)
    return Reduced(
        programs=tuple(programs),
        words=tuple(_joined(shown)),
        script=absolute(script, folder) if script is not None and _tellable(script) else None,
        files=_files(found)[:_MOST_NAMED],
        hosts=_hosts(kept),
        matched=matched(found, globs),
        cut=cut,
    )


def reduced_line(text: str, globs: Sequence[str] = (), *, windows: bool = False) -> Reduced:
    """A line of shell, or of a unit or entry that starts commands, reduced."""
    cut = len(text) > LONGEST
    text = text[:LONGEST]
    found: list[list[str]] = []
    for words in simple_commands(text.replace("\\", "/") if windows else text):
        if words:
            found += _commands(words, None)
        if len(found) >= _MOST_COMMANDS:
            cut = True
            break
    programs = dict.fromkeys(name for words in found if (name := program(words[0])))
    files = _files(found)
    cut = cut or len(files) > _MOST_NAMED or len(programs) > _MOST_NAMED
    return Reduced(
        programs=tuple(programs)[:_MOST_NAMED],
        files=files[:_MOST_NAMED],
        hosts=_hosts([word for words in found for word in words]),
        matched=matched(found, globs),
        cut=cut,
    )


_HERE = re.compile(r"<<-?[ \t]*(?P<mark>[A-Za-z_][A-Za-z0-9_]{0,63}|'[^'\n]{1,64}'|\"[^\"\n]{1,64}\")")
_MOST_TEXTS = 64
_SPAN = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|(?<![^\s;|&(])#[^\n]*|\n|<<<|<<", re.DOTALL)


def _without_texts(code: str) -> str:
    """A script without the here-documents that a program which only reads or copies text is given.

    Those of shells and interpreters stay: what stands in them is run.
    """
    if "<<" not in code:
        return code
    kept: list[str] = []
    start = line = at = texts = 0
    ends: list[str] = []
    while match := _SPAN.search(code, at):
        at = match.end()
        if match[0] == "<<":
            texts += 1
            if texts > _MOST_TEXTS:
                break
            here = _HERE.match(code, match.start())
            words = re.split(r"[\s;|&()<>]+", code[line : code.find("\n", at) if "\n" in code[at : at + 4096] else at])
            known = {program(word).lower() for word in words if word}
            if here is not None and known & _LOOKING and not known & _RUNNING:
                ends.append(here["mark"].strip("'\""))
        elif match[0] == "\n":
            for mark in ends:
                closing = re.compile(rf"^\t*{re.escape(mark)}$", re.MULTILINE).search(code, at)
                if closing is None:
                    return "".join([*kept, code[start:]])
                kept.append(code[start:at])
                start = at = closing.end()
            ends = []
            line = at
    return "".join([*kept, code[start:]])


def _commands(words: list[str], known: str | None, depth: int = 0) -> Iterator[list[str]]:
    """The commands that a command consists of: itself, behind wrappers, and those in the code of a shell."""
    words = _unwrapped(words)
    if not words:
        return
    yield words
    name = program(words[0]).lower()
    own = {name, (known or "").lower()}
    if depth >= 4:
        return
    code = None
    if own & _SHELLS:
        for index, word in enumerate(words[1:8], start=1):
            if re.fullmatch(r"-[a-z]*c[a-z]*", word) and index + 1 < len(words):
                code = words[index + 1]
                break
    elif own & _WINDOWS_SHELLS:
        for index, word in enumerate(words[1:16], start=1):
            if word.lower() in ("/c", "/k", "/s/c", "-command", "-c"):
                code = " ".join(words[index + 1 :])
                break
    if code:
        count = 0
        for inner in simple_commands(_without_texts(code)):
            if inner:
                yield from _commands(inner, None, depth + 1)
                count += 1
            if count >= _MOST_COMMANDS:
                return


def _unwrapped(words: list[str]) -> list[str]:
    """Without assignments and programs that only start another one."""
    for _ in range(8):
        while words and (_ASSIGNMENT.match(words[0]) or words[0] in _KEYWORDS):
            words = words[1:]
        if words and words[0] in _CLOSING:
            return []
        if not words or program(words[0]).lower() not in _WRAPPERS or len(words) == 1:
            return words
        rest = words[1:]
        while rest and (
            rest[0].startswith("-") or _ASSIGNMENT.match(rest[0]) or re.fullmatch(r"[\d.]+[smhd]?", rest[0])
        ):
            valued = rest[0] in _VALUED
            rest = rest[2:] if valued else rest[1:]
        if not rest:
            return words
        words = rest
    return words


def _script(argv: Sequence[str], known: str | None) -> str | None:
    """The script that an interpreter was told to run, as it was spelled."""
    words = _unwrapped(list(argv[:MOST_WORDS]))
    if not words:
        return None
    name = program(words[0]).lower()
    if not _INTERPRETER.fullmatch(name):
        if not known or not _INTERPRETER.fullmatch(program(known).lower()):
            return None
        name = program(known).lower()
    rest = words[1:]
    if name in ("powershell", "pwsh"):
        for index, word in enumerate(rest[:-1]):
            if word.lower() in ("-file", "-f", "/file"):
                return rest[index + 1]
        return None
    index = 0
    while index < len(rest):
        word = rest[index]
        if name in ("cmd", "cscript", "wscript") and word.startswith("/"):
            index += 1
        elif word == "--":
            return rest[index + 1] if index + 1 < len(rest) else None
        elif word in _CODE and name != "cmd":
            return None
        elif word.startswith("-"):
            index += 2 if word in _OPTION_VALUES else 1
        elif name in ("bun", "deno") and word in ("run", "x"):
            index += 1
        else:
            return word
    return None


def _tellable(script: str) -> bool:
    """Whether a word is surely a file: a path whose parts look like names, or with the suffix of a script."""
    if "/" not in script and "\\" not in script and not SCRIPT.fullmatch(script):
        return False
    return len(script) <= 1024 and all(_safe_part(part) for part in re.split(r"[\\/]", script) if part)


def absolute(path: str, folder: str | None) -> str | None:
    """A path made absolute, with `.` and `..` worked out; None where the folder is not known."""
    plain = path.replace("\\", "/")
    if re.match(r"[A-Za-z]:/", plain) or plain.startswith("/"):
        start = plain
    elif folder is None:
        return None
    else:
        start = f"{folder.rstrip('/')}/{plain}".replace("\\", "/")
    parts: list[str] = []
    for part in start.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    joined = "/".join(parts)
    return joined if re.match(r"[A-Za-z]:", joined) else f"/{joined}"


def _files(found: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Paths of programs and scripts that commands run; not those that they merely read."""
    files: dict[str, None] = {}
    for words in found:
        first = words[0].strip("\"'@-+:!|")
        if ("/" in first or "\\" in first) and _tellable(first):
            files[first] = None
        script = _script(words, None)
        if script is not None and _tellable(script):
            files[script] = None
        name = program(words[0]).lower()
        for word in words[1:MOST_WORDS] if name not in _LOOKING else ():
            if word.startswith("-") or _ASSIGNMENT.match(word):
                continue
            if SCRIPT.fullmatch(word) and "://" not in word and _tellable(word):
                files[word] = None
    return tuple(files)


def _hosts(words: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for word in words:
        if "://" in word:
            for url in _URL.finditer(word[:65_536]):
                found[url[2].lower().strip("[]") + (f":{url[3]}" if url[3] else "")] = None
    return tuple(found)[:_MOST_NAMED]


def _managed(argv: Sequence[str]) -> list[str]:
    """The verb and the packages of a package manager's command."""
    if not argv or sum(map(len, argv)) > 16_384 or program(argv[0]).lower() in _SHELLS:
        return []
    try:
        found = list(commands(shlex.join(argv)))
    except (ValueError, RecursionError):
        return []
    return [word for item in found[:1] for word in (item.verb, *item.packages[:MOST_WORDS])]


def _joined(words: Sequence[str]) -> Iterator[str]:
    last = ""
    for word in words:
        if word != _UNTOLD or last != _UNTOLD:
            yield word
        last = word


@functools.lru_cache(maxsize=256)
def _glob(glob: str) -> tuple[re.Pattern[str], str]:
    """A glob as a test of a whole line, and the program or option that it starts with."""
    text = glob.replace("[.]", ".").replace("hxxp", "http")
    head = re.split(r"[\s*?]", text.lstrip("*"), maxsplit=1)[0]
    return re.compile(fnmatch.translate(text.replace("[", "[[]")), re.IGNORECASE), head.lower()


def matched(found: Sequence[Sequence[str]], globs: Sequence[str]) -> tuple[str, ...]:
    """Those of the globs that one of the commands matches."""
    if not globs:
        return ()
    lines = [(program(words[0]).lower(), _line(words)) for words in found]
    hit = []
    for glob in globs:
        test, head = _glob(glob)
        for name, line in lines:
            if name in _LOOKING or (head and not head.startswith(("-", "/")) and program(head) != name):
                continue
            if test.match(line):
                hit.append(glob)
                break
    return tuple(hit)


def _line(words: Sequence[str]) -> str:
    """The command with its program's bare name, and a blank at the end, where globs may end in one."""
    return " ".join([program(words[0]) or words[0], *words[1:]])[:LONGEST] + " "
