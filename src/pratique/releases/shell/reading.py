"""What each simple command can do: its roles, from its program, its words and its redirections."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.model.release import Value
from pratique.releases.content.excerpts import defanged
from pratique.releases.javascript.places import (
    PUBLISH,
    SECRET_NAME,
    TOKEN_COMMANDS,
    WORKFLOWS,
    agent_place,
    credential_place,
    persistence_place,
)
from pratique.releases.shell.commands import Simple
from pratique.releases.shell.programs import (
    CODE_FLAGS,
    DECODERS,
    DELETES,
    DOWNLOADS,
    ENCODERS,
    ENVIRONMENTS,
    INTERPRETERS,
    LANGUAGES,
    LOOKUPS,
    PACKAGE_RUNNERS,
    POWERSHELLS,
    READERS,
    RECON,
    SHELLS,
    SOCKETS,
    WRITES,
    program_of,
    started,
    word_set,
)

Effect = tuple[str, dict[str, Value]]


class Role(msgspec.Struct):
    """What one command does, for facts (`effects`) and for what belongs together (the rest).

    `saves` and `runs`, `deletes` are names of files; `code` is text that it runs, `language` of what; `stdin` says that
    it runs its input; `sends` that it gives something to the network; `carries` what secret its output is.
    """

    command: Simple
    words: list[str]
    program: str
    text: str
    effects: list[Effect] = []
    download: str = ""
    network: str = ""
    sends: bool = False
    saves: list[str] = []
    runs: list[str] = []
    deletes: list[str] = []
    decode: str = ""
    carries: str = ""
    stdin: bool = False
    code: str = ""
    language: str = ""
    encoded: bool = False
    self_delete: bool = False
    background: bool = False


_URL = re.compile(r"(?:https?|ftp|tftp|wss?)://[^\s'\"<>|;]+", re.IGNORECASE)
_HOST = re.compile(
    r"^(?:[a-z0-9-]+\.)+[a-z]{2,24}(?::\d+)?(?:/\S*)?$|^(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:/\S*)?$", re.IGNORECASE
)
_RAW = re.compile(r"^(?:[a-z]+://)?(?:[^/@]*@)?(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{?(?:env:)?([A-Za-z_]\w{0,80})\}?|%([A-Za-z_]\w{0,80})%")
_SEND_FLAGS = re.compile(
    r"(?:^|\s)(?:-[a-zA-Z]*[dFT]\b|--data(?:-\w+)?|--form(?:-string)?|--upload-file|--json|--post-(?:data|file)|--body-(?:data|file)"
    r"|-Body|-InFile|-X\s*(?:POST|PUT|PATCH)|--request\s+(?:POST|PUT|PATCH)|-Method\s+(?:Post|Put|Patch))(?=[\s=@'\"]|$)"
)
_SELF = re.compile(
    r"""^["']?(?:\$0|\$\{0\}|%~?f?0|%~[dpnxf]*0|\$\{?BASH_SOURCE(?:\[0\])?\}?|\$MyInvocation\.MyCommand\.(?:Path|Definition)|\$PSCommandPath)["']?$""",
    re.IGNORECASE,
)
_DEV = re.compile(r"/dev/(tcp|udp)/([^/\s]+)/([^\s'\"]+)")
_CLASS = re.compile(
    r"\.download(?:string|file|data)\s*\(|net\.sockets|\.upload(?:string|file|data)\s*\(", re.IGNORECASE
)
_FROM_BASE64 = re.compile(r"frombase64string", re.IGNORECASE)
_SHELL_SCRIPT = re.compile(r'do shell script "([^"]{1,4000})"')
"""What AppleScript hands to a shell."""
_CLIPBOARD = frozenset(
    {"pbpaste", "pbcopy", "xclip", "xsel", "clip", "get-clipboard", "set-clipboard", "wl-paste", "wl-copy"}
)
_ENCODED = re.compile(r"[-/]e(?:c|nc?o?d?e?d?c?o?m?m?a?n?d?)?", re.IGNORECASE)
_OWN_MANIFEST = re.compile(r"(?:\./|\.\\|\$\{?PWD\}?/|\$\(pwd\)/|%~dp0|\$\{?INIT_CWD\}?/)?package\.json", re.IGNORECASE)
"""The manifest beside a script's folder of work; one in a folder that was built is no swap."""
_PUBLISHERS = frozenset({"npm", "pnpm", "yarn", "bun", "lerna", "twine", "vsce", "cnpm", "jsr", "deno"})
_DEVICE = re.compile(r"/dev/(?:tcp|udp)/", re.IGNORECASE)
_NOWHERE = frozenset({"/dev/null", "nul", "$null", "/dev/stdout", "/dev/stderr"})


def roles_of(command: Simple, text: str, own_name: str) -> Role:
    """What a command does. `text` is its text as written, `own_name` the name of the script that it stands in."""
    if any(pair in (["command", "-v"], ["command", "-V"]) for pair in zip_pairs(command.words[:6])):
        return Role(command, [], "", text)
    words, detached, hidden = started(command.words)
    program = program_of(words[0].lstrip("@")) if words else ""
    role = Role(command, words, program, text)
    if command.joined == "&":
        detached = True
    role.background = detached
    line = " ".join(words)[:8192]
    _environment(role, line)
    _network(role, line)
    _codec(role, line)
    _files(role, own_name)
    _places(role, line)
    _runs(role, line, detached=detached, hidden=hidden or _silent(command))
    return role


def zip_pairs(words: list[str]) -> list[list[str]]:
    """Every word with the one behind it."""
    return [words[at : at + 2] for at in range(len(words) - 1)]


def _silent(command: Simple) -> bool:
    return any(target.lower() in _NOWHERE for target in command.writes)


def _environment(role: Role, line: str) -> None:
    words, program = role.words, role.program
    whole = (program in ENVIRONMENTS and (len(words) == 1 or words[1:] in (["-p"], ["-0"]))) or (
        re.search(
            r"(?:gci|get-childitem|dir|ls|gi|get-item)\s+env:|/proc/(?:self|\d+|\$\$)/environ|\benv:\*",
            line,
            re.IGNORECASE,
        )
    )
    if whole:
        role.carries = "environment-read"
        role.effects.append(("capability.environment-read", {"name": "*", "whole": True}))
    for one, other in _VARIABLE.findall(line)[:50]:
        name = one or other
        if name.isupper() and SECRET_NAME.search(name):
            role.effects.append(("capability.environment-read", {"name": name[:80], "whole": False}))


def _destination(role: Role, line: str) -> str:
    """The address that a command names, as written and defanged; empty where none can be read."""
    found = _URL.search(line) or _URL.search(role.text[:8192])
    if found:
        return _shown(found.group())
    for word in role.words[1:]:
        if _HOST.match(word) and not re.search(r"\.(?:sh|js|py|txt|json|tgz|gz|zip|exe|log|md|pem|crt)$", word):
            return _shown(word)
    return ""


def _shown(address: str) -> str:
    text = defanged(address)
    return (text if "://" in text else text.replace(".", "[.]"))[:160]


def _network(role: Role, line: str) -> None:
    program, words = role.program, role.words
    lower = line.lower()
    if program in DOWNLOADS or _CLASS.search(role.text[:8192]):
        if program == "certutil" and "urlcache" not in lower:
            return
        if program == "bitsadmin" and "transfer" not in lower and "addfile" not in lower:
            return
        if program == "fetch" and not _URL.search(line):
            return
        where = _destination(role, line)
        if program in ("rsync", "scp", "sftp") and not re.search(r"\S+@\S+:|\S+::?\S*/", line):
            return
        role.sends = bool(_SEND_FLAGS.search(line)) or ".upload" in lower or program in ("scp", "sftp", "rsync")
        api = program if program in DOWNLOADS else "Net.WebClient"
        known: dict[str, Value] = {"api": api, "destination": where}
        raw = _RAW.match(where.replace("[.]", ".").replace("hxxp", "http"))
        if raw and not raw[1].startswith(("127.", "0.", "169.254.")):
            known["raw_address"] = True
        role.network = where or "unknown"
        role.effects.append(("capability.network", {**known, "method": "", "sends": role.sends}))
        if not role.sends:
            role.download = where or "unknown"
            role.effects.append(("capability.download", {"api": api, "destination": where}))
            role.saves += _saved(program, words, role.command)
    elif program in SOCKETS or (program == "openssl" and "s_client" in words):
        role.network, role.sends = _destination(role, line) or "unknown", True
        role.effects.append(("capability.network", {"api": program, "destination": role.network, "sends": True}))
        if re.search(r"(?:^|\s)-[a-z]*[ec]\s*\S*(?:sh|cmd)|exec:|system:", lower):
            role.stdin = True
            role.download = role.network
    elif program in LOOKUPS and (role.command.inner or "$" in line):
        role.network, role.sends = "name service", True
        role.effects.append(("capability.network", {"api": program, "destination": "", "sends": True}))
    for match in _DEV.finditer(role.text[:8192]):
        role.network, role.sends = f"{match[2].replace('.', '[.]')}:{match[3]}"[:160], True
        role.effects.append(
            ("capability.network", {"api": f"/dev/{match[1]}", "destination": role.network, "sends": True})
        )
        if program in SHELLS or program in LANGUAGES:
            role.download, role.stdin = role.network, True


def _saved(program: str, words: list[str], command: Simple) -> list[str]:
    """The files that a download is written to."""
    saved = [target for target in command.writes if target.lower() not in _NOWHERE and not target.startswith("&")]
    for at, word in enumerate(words[:-1]):
        if re.fullmatch(r"-[a-zA-Z]*[oO]|--output(?:-document)?|-OutFile|-Destination", word, re.IGNORECASE):
            following = words[at + 1]
            if not (program == "curl" and word.endswith("O")) and following != "-" and not following.startswith("http"):
                saved.append(following)
    saved += [word.partition("=")[2] for word in words if re.match(r"--output(?:-document)?=", word)]
    remote = (
        program == "curl" and any(re.fullmatch(r"-[a-zA-Z]*O[a-zA-Z]*|--remote-name", word) for word in words)
    ) or (program in ("wget", "aria2c", "axel") and not saved and not re.search(r"(?:^|\s)-[a-z]*O-", " ".join(words)))
    if remote:
        saved += [url.rstrip("/").rpartition("/")[2].partition("?")[0] for url in words if _URL.match(url)]
    if program in ("certutil", "bitsadmin") and len(words) > 2:
        saved.append(words[-1])
    return [name for name in saved if name]


def _codec(role: Role, line: str) -> None:
    rest = " ".join(role.words[1:])[:4096]
    for table, kind in ((DECODERS, "decode"), (ENCODERS, "encode")):
        for program, pattern, form in table:
            if role.program == program and re.search(pattern, rest, re.DOTALL):
                role.effects.append((f"capability.{kind}", {"api": program, "form": form}))
                if kind == "decode":
                    role.decode = form
                break
    if _FROM_BASE64.search(role.text[:65536]):
        role.decode = "base64"
        role.effects.append(("capability.decode", {"api": "FromBase64String", "form": "base64"}))
    del line


def _files(role: Role, own_name: str) -> None:
    program, words, command = role.program, role.words, role.command
    if program in DELETES:
        targets = [word for word in words[1:] if not re.match(r"-|/[a-zA-Z]$|env:", word, re.IGNORECASE)]
        role.deletes += targets
        own = [target for target in targets if _SELF.match(target) or (own_name and _name(target) == own_name)]
        role.effects.append(("capability.file-delete", {"api": program, "target": " ".join(targets)[:160]}))
        if own:
            role.self_delete = True
            role.effects.append(("capability.self-delete", {"api": f"{program} {own[0]}"[:160]}))
    written = [
        target
        for target in command.writes
        if target.lower() not in _NOWHERE and not target.startswith("&") and not _DEVICE.match(target)
    ]
    if program in WRITES and not (program == "sed" and not re.search(r"(?:^|\s)-[a-zA-Z]*i", " ".join(words[:4]))):
        rest = [word for word in words[1:] if not word.startswith("-")]
        written += rest if program == "tee" else [word[3:] for word in words if word.startswith("of=")] or rest[-1:]
    for target in written[:20]:
        role.effects.append(("capability.file-write", {"api": program or ">", "target": target[:160]}))
        if _OWN_MANIFEST.fullmatch(target):
            role.effects.append(("capability.manifest-swap", {"api": f"{program or '>'} {target}"[:160]}))
    if not role.saves:
        role.saves += written


def _places(role: Role, line: str) -> None:
    program, words, command = role.program, role.words, role.command
    text = role.text[:8192]
    written = {effect["target"] for kind, effect in role.effects if kind == "capability.file-write"}
    read = [word for word in (*words[1:], *command.reads) if word[:160] not in written]
    if program in READERS or command.reads:
        for word in read[:100]:
            place = credential_place(word.lstrip("@").rpartition("=@")[2] or word)
            if place:
                role.carries = role.carries or f"credential-read ({place})"
                role.effects.append(("capability.credential-read", {"place": place}))
    elif place := credential_place(line) if program in DOWNLOADS and role.network else "":
        role.effects.append(("capability.credential-read", {"place": place}))
    if TOKEN_COMMANDS.search(line):
        role.carries = role.carries or "credential-read (token-command)"
        role.effects.append(("capability.credential-read", {"place": "token-command"}))
    targets = " \n".join(map(str, written))
    place = persistence_place(targets) or (
        persistence_place(text) if program in _STARTERS or not words or (command.writes and program != "cat") else ""
    )
    if place:
        role.effects.append(("capability.persistence", {"place": place}))
    if agent := agent_place(targets):
        role.effects.append(("capability.agent-configuration", {"place": agent}))
    if WORKFLOWS.search(targets):
        role.effects.append(("capability.workflow-write", {"place": "workflow"}))
    if (PUBLISH.search(line) and program not in _PUBLISHERS) or _publishes(program, words):
        role.effects.append(("capability.own-publish", {"api": " ".join(words[:3])[:80]}))
    if program in RECON and not (program in ("date", "net", "query", "ps") and len(words) < 2 and not RECON[program]):
        role.effects.append(("capability.host-recon", {"api": program, "weak": RECON[program]}))
    if program in _CLIPBOARD:
        role.effects.append(("capability.clipboard", {"api": program}))
    if program in ("sleep", "start-sleep", "timeout"):
        seconds = _seconds(words)
        if seconds >= 30:
            role.effects.append(("capability.delay", {"api": program, "seconds": seconds}))
    if (program in ("[", "[[", "test", "if") or words[:1] == ["[["]) and re.search(
        r"\$\{?(?:CI|GITHUB_ACTIONS|GITLAB_CI|CONTINUOUS_INTEGRATION|LANG|TZ)\b|%CI%", line
    ):
        role.effects.append(("capability.condition", {"on": "CI"}))


_STARTERS = word_set(
    """
    crontab systemctl launchctl schtasks reg register-scheduledtask new-service sc update-rc.d chkconfig pm2 git
    at
    """
)


def _publishes(program: str, words: list[str]) -> bool:
    """Whether a manager of packages is asked to publish, or to make a token."""
    verbs = [word for word in words[1:6] if not word.startswith("-")][:2]
    if program == "twine":
        return "upload" in verbs
    return program in _PUBLISHERS and (
        verbs[:1] == ["publish"] or verbs in (["npm", "publish"], ["token", "create"], ["dist-tag", "add"])
    )


def _seconds(words: list[str]) -> int:
    total = 0
    for word in words[1:4]:
        match = re.fullmatch(r"(\d{1,9})(?:\.\d*)?([smhd]?)", word)
        if match:
            total += int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    return total


def _runs(role: Role, line: str, *, detached: bool, hidden: bool) -> None:
    """The process that a command starts, with what it runs: a file, its input, or code in the line."""
    program, words = role.program, role.words
    if not words or program in _BUILT_IN or program in _QUIET or not program or program[:1] == "." != program:
        return
    known: dict[str, Value] = {"api": program, "command": defanged(" ".join(words))[:160], "shell": True}
    if detached:
        known["detached"] = True
    if hidden:
        known["hidden"] = True
    runner = PACKAGE_RUNNERS.match(line)
    if program in INTERPRETERS:
        _interpreted(role)
    elif (
        words[0].startswith(("./", "../", "/", "~/", "$HOME/", "$TMPDIR/", ".\\", "%TEMP%", "$env:", "&"))
        or "/" in words[0]
    ):
        role.runs.append(words[0])
    if runner is not None and program not in INTERPRETERS:
        known["api"] = runner.group()
    role.effects.append(("capability.process", known))


_BUILT_IN = word_set(
    """
    echo cd export set unset if then else elif fi for do done while until case esac exit return true false test [
    [[ ]] { } local readonly declare typeset shift trap read function pushd popd printf let : break continue wait
    alias setlocal endlocal goto rem pause title shopt ulimit umask type command hash param write-host
    write-output write-error foreach in try catch new-object sleep start-sleep timeout pwd dirname basename throw
    """
)
_QUIET = word_set(
    """
    cat ls mkdir md touch grep egrep sed awk cut sort uniq head tail wc tr find xargs dir test-path join-path
    get-item new-item cp mv copy move rm del rmdir rd env printenv realpath readlink mktemp seq tee diff
    """
)


def _interpreted(role: Role) -> None:
    """What an interpreter is given to run."""
    program, words = role.program, role.words
    rest = words[1:]
    if program in ("eval", "iex", "invoke-expression"):
        role.code, role.language = " ".join(rest), "shell"
        role.stdin = program != "eval"
        return
    if program in SHELLS or program in POWERSHELLS or program == "cmd":
        role.language = "shell"
        for at, word in enumerate(rest):
            low = word.lower()
            if program in POWERSHELLS and _ENCODED.fullmatch(word) and low not in ("-e:", "-ep"):
                role.code, role.encoded = "".join(rest[at + 1 : at + 2]), True
                return
            if (program in SHELLS and re.fullmatch(r"-[a-z]*c", word)) or (
                low in ("-c", "-command", "/c", "/k", "/s/c") and program not in SHELLS
            ):
                role.code = " ".join(rest[at + 1 :]) if program not in SHELLS else "".join(rest[at + 1 : at + 2])
                return
            if low in ("-file", "-f") and program in POWERSHELLS:
                role.runs += rest[at + 1 : at + 2]
                return
            if not word.startswith("-") and not (program == "cmd" and word.startswith("/")) and at == _first(rest):
                role.runs.append(word)
                return
        role.stdin = not [word for word in rest if not word.startswith(("-", "/"))] or "-s" in rest
        return
    flags = CODE_FLAGS.get(program, frozenset())
    for at, word in enumerate(rest):
        if word in flags:
            role.code, role.language = "".join(rest[at + 1 : at + 2]), LANGUAGES.get(program, program)
            called = _SHELL_SCRIPT.findall(role.code) if program == "osascript" else []
            if called:
                role.code, role.language = "\n".join(called), "shell"
            return
    named = [word for word in rest if not word.startswith("-")]
    if program in ("bun", "deno") and named[:1] == ["run"]:
        named = named[1:]
    role.runs += named[:1]
    role.stdin = not named or "-" in rest


def _first(rest: list[str]) -> int:
    """The place of the first word that is no flag, behind values of the flags that take one."""
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        at += 2 if rest[at].lower() in ("-executionpolicy", "-ep", "-ex", "-o", "-windowstyle", "-w", "-version") else 1
    return at


def _name(path: str) -> str:
    return re.split(r"[\\/]", path.strip("\"'"))[-1]


def effects_in_order(role: Role) -> Iterator[Effect]:
    """The effects of a role, each once."""
    seen: set[tuple[str, str]] = set()
    for kind, attributes in role.effects:
        key = (kind, repr(sorted(attributes.items())))
        if key not in seen:
            seen.add(key)
            yield kind, attributes
