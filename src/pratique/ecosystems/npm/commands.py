"""The command lines of JavaScript package managers: what a line of shell asked a manager to do.

`commands(line)` splits a line of a POSIX shell, fish or PowerShell into simple commands, looks behind `sudo`, `env`,
`time`, assignments and the like, and parses those that start a package manager. What is kept: the manager, its verb
written out in full, package specifiers and the names of flags. What is never kept: values of flags, arguments of the
program that is run, anything that is neither a verb, a specifier nor a flag's name. Every step takes time linear in
the length of the line.

A runner goes by its manager's name: `npx` is `npm exec`, `pnpx` is `pnpm dlx`, `bunx` is `bun x`, `yarnpkg` is `yarn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from pratique.ecosystems.npm.urls import strip_url, tarball_release

Shell = Literal["posix", "powershell"]


class Command(msgspec.Struct, frozen=True):
    """A package manager was asked to do something.

    `packages` are the specifiers as typed, URLs without secrets; `names` the packages behind them (of an alias the real
    one). `doubtful` are words behind a flag of which it is not known whether it takes a value: they are either its
    value or a package, and may be kept only where they name a package that was asked about.
    """

    manager: str
    verb: str
    packages: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


MENTION = re.compile(r"\b(?:npm|npx|pnpm|pnpx|yarn|bun|deno|corepack)", re.IGNORECASE)
"""Whether a line is worth parsing: every manager's name starts with one of these."""

_PIECES = {
    "posix": re.compile(
        r"(?P<comment>(?:^|(?<=[\s;&|()`]))#[^\n]*)"
        r"|(?P<blank>(?:[ \t\r\f\v]|\\\r?\n)+)"
        r"|(?P<redirect>(?:&>>?|\d*(?:>>?|<<?<?|<>)[|&-]?(?:\d+-?)?))"
        r"|(?P<separator>[\n;&|()`]+)"
        r"|(?P<single>'[^']*'?)"
        r'|(?P<double>"(?:\\.|[^"\\])*"?)'
        r"|(?P<escaped>\\.?)"
        r"|(?P<plain>[^\s;&|()<>`'\"\\]+)"
        r"|(?P<blank2>\s)",
        re.DOTALL,
    ),
    "powershell": re.compile(
        r"(?P<comment>(?:^|(?<=[\s;&|(){}]))#[^\n]*)"
        r"|(?P<blank>(?:[ \t\r\f\v]|`\r?\n)+)"
        r"|(?P<redirect>(?:[\d*]?>>?(?:&\d)?))"
        r"|(?P<separator>[\n;&|(){}]+)"
        r"|(?P<single>'(?:[^']|'')*'?)"
        r'|(?P<double>"(?:`.|""|[^"`])*"?)'
        r"|(?P<escaped>`.?)"
        r"|(?P<plain>[^\s;&|(){}>`'\"]+)"
        r"|(?P<blank2>\s)",
        re.DOTALL,
    ),
}


def simple_commands(line: str, shell: Shell = "posix") -> Iterator[list[str]]:
    """The words of every simple command of a line, without quotes, comments and redirections."""
    words: list[str] = []
    word: str | None = None
    skip = False
    for match in _PIECES[shell].finditer(line):
        kind, text = match.lastgroup, match.group()
        if kind == "comment":
            continue
        if kind in ("blank", "blank2", "separator", "redirect"):
            if word is not None and not skip:
                words.append(word)
            if word is not None:
                word, skip = None, False
            if kind == "redirect":
                skip = text[-1] in "<>|&" or text.endswith("<<-")
            elif kind == "separator":
                yield words
                words, skip = [], False
            continue
        word = (word or "") + _unquoted(kind, text, shell)
    if word is not None and not skip:
        words.append(word)
    yield words


def _unquoted(kind: str | None, text: str, shell: Shell) -> str:
    if kind == "single":
        inner = text[1:-1] if len(text) > 1 and text.endswith("'") else text[1:]
        return inner.replace("''", "'") if shell == "powershell" else inner
    if kind == "double":
        inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
        return re.sub(r"\\([\\\"$`\n])" if shell == "posix" else r"`(.)", r"\1", inner)
    return text[1:] if kind == "escaped" else text


_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
_WRAPPERS: dict[str, frozenset[str]] = {
    word: frozenset(valued.split())
    for word, valued in {
        "!": "",
        "{": "",
        "builtin": "",
        "caffeinate": "-t -w",
        "chronic": "",
        "command": "",
        "cross-env": "",
        "do": "",
        "doas": "-u -C",
        "elif": "",
        "else": "",
        "env": "-u --unset -C --chdir",
        "exec": "-a",
        "if": "",
        "ionice": "-c -n -p",
        "nice": "-n --adjustment",
        "nocorrect": "",
        "noglob": "",
        "nohup": "",
        "proxychains": "-f",
        "proxychains4": "-f",
        "setsid": "",
        "stdbuf": "-i -o -e",
        "sudo": "-u --user -g --group -h --host -p --prompt -C -D --chdir -R -T -U -r -t",
        "then": "",
        "time": "-f --format -o --output",
        "timeout": "-s --signal -k --kill-after",
        "torsocks": "",
        "until": "",
        "while": "",
        "winpty": "",
        "xargs": "-n -I -P -L -d -a -s -E",
    }.items()
}
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_PROGRAM = re.compile(r"(?:.*[/\\])?(?P<name>[A-Za-z0-9_-]+?)(?:\.(?:cmd|exe|ps1|bat))?", re.DOTALL)
_RUNNERS = {"npx": ("npm", "exec"), "pnpx": ("pnpm", "dlx"), "bunx": ("bun", "x")}
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun", "deno"})


def commands(line: str, shell: Shell = "posix", *, depth: int = 0) -> Iterator[Command]:
    """Every package manager's command of a line."""
    for words in simple_commands(line, shell):
        rest = unwrapped(words)
        if not rest:
            continue
        program = _program(rest[0])
        if program in _SHELLS and depth < 3:
            inner = _inner_line(rest)
            if inner is not None:
                yield from commands(inner, depth=depth + 1)
            continue
        command = _command(program, rest[1:])
        if command is not None:
            yield command


def _program(word: str) -> str:
    match = _PROGRAM.fullmatch(word) if len(word) <= 4096 else None
    name = match["name"].lower() if match else ""
    return "yarn" if name == "yarnpkg" else name


def unwrapped(words: list[str]) -> list[str]:
    """The words behind assignments and programs that start another one."""
    at = 0
    while at < len(words):
        word = words[at]
        if _ASSIGNMENT.match(word):
            at += 1
            continue
        valued = _WRAPPERS.get(word if len(word) == 1 else _program(word))
        if valued is None:
            break
        at += 1
        while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
            at += 2 if words[at] in valued else 1
        if _program(word) == "timeout":
            at += 1
    return words[at:]


def _inner_line(words: list[str]) -> str | None:
    """What stands behind `-c` of a shell."""
    for at, word in enumerate(words[1:-1], start=1):
        if re.fullmatch(r"-[a-z]*c", word[:9]):
            return words[at + 1]
        if not word.startswith("-"):
            return None
    return None


def _table(text: str) -> dict[str, str]:
    """Verb or abbreviation -> verb, from lines `verb abbreviation...`."""
    rows = [line.split() for line in text.strip().splitlines()]
    return {word: row[0] for row in rows for word in row}


_VERBS: dict[str, dict[str, str]] = {
    "npm": _table("""
        install i in ins inst insta instal isnt isnta isntal isntall add
        ci clean-install ic install-clean isntall-clean
        install-test it
        install-ci-test cit clean-install-test sit
        update up upgrade udpate
        uninstall un unlink remove rm r
        exec x
        view v info show
        init create innit
        link ln
        rebuild rb
        explain why
        list ls la ll
        dedupe ddp
        run run-script rum urn
        test t tst
        config c
        login adduser add-user
        audit
        outdated
        prune
        pack
        publish
        unpublish
        deprecate
        docs home
        repo
        bugs issues
        search s se find
        fund
        query
        diff
        dist-tag dist-tags
        owner author
        get
        set
        logout
        token
        whoami
        cache
        doctor
        ping
        sbom
        version
        shrinkwrap
        approve-scripts
        deny-scripts
        trust
        start
        stop
        restart
        edit
        explore
        access
        team
        org ogr
        profile
        pkg
        prefix
        root
        bin
        help hlep
        completion
        find-dupes
        """),
    "pnpm": _table("""
        install i
        add
        update up upgrade
        remove rm uninstall un
        dlx
        exec
        create
        why
        list ls la ll
        outdated
        link ln
        unlink dislink
        rebuild rb
        approve-builds
        ignored-builds
        fetch
        import
        patch
        patch-commit
        patch-remove
        pack
        publish
        audit
        view info show
        store
        self-update
        env
        run run-script
        test t
        start
        deploy
        dedupe
        prune
        config c
        get
        set
        setup
        root
        bin
        licenses
        server
        init
        doctor
        login
        logout
        cache
        help
        """),
    "yarn": _table("""
        install
        add
        global
        up
        upgrade
        upgrade-interactive
        remove
        dlx
        exec
        create
        why
        info
        link
        unlink
        import
        pack
        publish
        npm
        set
        config
        cache
        plugin
        policies
        run
        node
        version
        versions
        dedupe
        rebuild
        patch
        patch-commit
        unplug
        constraints
        init
        list
        outdated
        audit
        check
        autoclean
        bin
        help
        login
        logout
        owner
        tag
        team
        stage
        search
        explain
        test
        start
        """),
    "bun": _table("""
        install i
        add a
        remove rm
        update
        x
        create c
        link
        unlink
        pm
        outdated
        why
        info
        audit
        patch
        patch-commit
        publish
        run
        test
        build
        init
        repl
        upgrade
        exec
        """),
    "deno": _table("""
        add
        install i
        remove rm
        uninstall
        run
        serve
        cache
        x
        outdated
        update
        create
        info
        approve-scripts
        eval
        test
        bench
        check
        compile
        task
        lint
        fmt
        doc
        init
        audit
        publish
        upgrade
        repl
        """),
    "corepack": _table("""
        prepare
        use
        up
        install
        hydrate
        pack
        enable
        disable
        cache
        """),
}

_MANY = {
    "npm": "install install-test update uninstall link rebuild explain list pack outdated approve-scripts deny-scripts"
    " docs repo bugs",
    "pnpm": "install add update remove why list outdated link unlink rebuild approve-builds",
    "yarn": "add up upgrade upgrade-interactive remove why link unlink rebuild unplug",
    "bun": "install add remove update link unlink outdated",
    "deno": "add install remove uninstall cache outdated update approve-scripts",
    "corepack": "prepare use install",
}
"""Verbs whose words all are packages."""

_ONE = {
    "npm": "exec view init unpublish deprecate explore edit",
    "pnpm": "dlx create patch view",
    "yarn": "dlx create info patch",
    "bun": "x create why info patch",
    "deno": "run serve x create info",
}
"""Verbs whose first word is a package; what follows belongs to something else and is not looked at."""

_UNDER = {
    ("npm", "cache"): {"add": "cache add"},
    ("pnpm", "store"): {"add": "store add"},
    ("yarn", "global"): {word: f"global {word}" for word in ("add", "remove", "upgrade")},
    ("bun", "pm"): {"trust": "pm trust"},
}
"""Verbs of two words whose further words are packages."""

_CREATES = frozenset({("npm", "init"), ("pnpm", "create"), ("yarn", "create"), ("bun", "create")})
_EXECUTES = frozenset({("npm", "exec"), ("pnpm", "dlx"), ("yarn", "dlx"), ("bun", "x")})
_UNKNOWN_IS_SCRIPT = frozenset({"pnpm", "yarn", "bun", "deno"})


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SWITCHES = _set("""
    all allow-same-version always-auth audit bun cached caret check-files dangerously-allow-all-scripts dedupe
    dev dry-run engine-strict exact expect-results experimental-vm-modules fix-lockfile flat force
    foreground-scripts frozen-lockfile fund global global-style help if-present ignore-build-scripts
    ignore-dep-scripts ignore-engines ignore-existing ignore-optional ignore-platform ignore-pnpmfile
    ignore-scripts ignore-workspace ignore-workspace-root-check immutable immutable-cache include-workspace-root
    inline-builds install-links interactive json latest legacy-bundling legacy-peer-deps link-duplicates
    lockfile-only long lts mode-update-lockfile non-interactive offline only-dev only-production optional
    package-lock package-lock-only parallel parseable peer prefer-dedupe prefer-frozen-lockfile prefer-offline
    prefer-online prod production progress provenance pure-lockfile quiet recursive reload resolution-only save
    save-bundle save-catalog save-dev save-exact save-optional save-peer save-prod save-text-lockfile
    shamefully-hoist shell-mode shrinkwrap silent skip-integrity-check strict-allow-scripts
    strict-peer-dependencies strict-peer-deps strict-ssl tilde trust unsafe-perm update-checksums use-stderr
    verbose version workspace-root workspaces yarn yes
""")
_VALUED = _set("""
    access allow-build allow-scripts audit-level auth-type backend before bin-links-dir ca cache cache-dir
    cache-folder cafile call cert certfile config cpu cwd depth dir email env-file filter filter-prod from
    global-bin-dir global-dir global-folder globalconfig https-proxy import-map include init-module
    install-strategy key keyfile libc link-folder linker location lockfile-dir loglevel logs-dir logs-max
    maxsockets min-release-age minimum-release-age mode modules-folder mutex name network-concurrency
    network-timeout node-linker node-options node-version noproxy omit only os otp otplease package
    preferred-cache-folder prefix proxy registry reporter root save-prefix scope script-shell searchlimit seed
    shell state-dir store-dir tag test-pattern to use-node-version use-yarnrc user-agent userconfig username
    virtual-store-dir which workspace workspace-concurrency
""")
_SECRET = re.compile(r"auth|token|pass|secret|otp|key|cert|user|mail|cred", re.IGNORECASE)
_SHORT_VALUED = {
    "npm": frozenset("wcpC"),
    "pnpm": frozenset("CFc"),
    "yarn": frozenset("p"),
    "bun": frozenset("cp"),
    "deno": frozenset("cnL"),
    "corepack": frozenset("o"),
}
_FLAG = re.compile(r"--[a-z][a-z0-9-]{0,39}|-[A-Za-z]{1,3}", re.ASCII)


class _Arguments:
    """The words behind a manager's name, told apart into flags and positional words."""

    def __init__(self, manager: str, words: list[str]) -> None:
        self.manager = manager
        self.words = words
        self.at = 0
        self.flags: set[str] = set()
        self.packages_of_flags: list[str] = []
        self.perhaps: set[int] = set()
        self.only_words = False

    def next(self) -> str | None:
        """The next positional word, None at the end. `doubt()` tells whether it may be a flag's value."""
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if self.only_words or not word.startswith("-") or word == "-":
                return word
            if word == "--":
                self.only_words = True
                continue
            self._flag(word)
        return None

    def doubt(self) -> bool:
        """Whether the word that `next` gave last may be the value of the flag before it."""
        return self.at - 1 in self.perhaps

    def _flag(self, word: str) -> None:
        name, equals, value = word.partition("=")
        following = self.words[self.at] if self.at < len(self.words) else None
        long = name.lstrip("-")
        switched = value if equals else following if following in ("true", "false") else None
        if _FLAG.fullmatch(name):
            off = switched == "false" and name.startswith("--")
            self.flags.add(f"--no-{long}".replace("--no-no-", "--") if off else name)
        if equals:
            if long in ("package", "p") and self.manager in ("npm", "yarn", "bun", "pnpm"):
                self.packages_of_flags.append(value)
            return
        if following is None or following.startswith("-"):
            return
        if switched is not None:
            self.at += 1
            return
        if self._takes_value(name, long):
            if long in ("package", "p"):
                self.packages_of_flags.append(following)
            self.at += 1
        elif name.startswith("--") and self.manager != "deno" and long not in _SWITCHES and not long.startswith("no-"):
            self.perhaps.add(self.at)

    def _takes_value(self, name: str, long: str) -> bool:
        if not _FLAG.fullmatch(name):
            return True
        if name.startswith("--"):
            return long in _VALUED or (long not in _SWITCHES and _SECRET.search(long) is not None)
        return long in _SHORT_VALUED.get(self.manager, frozenset())


def _command(program: str, words: list[str], runner: str | None = None) -> Command | None:
    """What a manager was asked to do; None where the program is none or was asked for its version or help only."""
    if program in _RUNNERS:
        program, runner = _RUNNERS[program]
    if program == "corepack":
        return _corepack(words)
    if program not in _MANAGERS:
        return None
    arguments = _Arguments(program, words)
    known = _VERBS[program]
    verb = runner
    if verb is None:
        word = arguments.next()
        while word is not None and word not in known and arguments.doubt():
            word = arguments.next()
        if program == "yarn" and word in ("workspace", "workspaces"):
            word = arguments.next()
            word = arguments.next() if word is not None else None
        if word is None:
            if program != "yarn" or arguments.flags & {"--version", "-v", "--help", "-h"}:
                return None
            word = "install"
        verb = known.get(word)
        if program == "deno" and verb is None and word.startswith("npm:"):
            arguments.at -= 1
            verb = "run"
        if verb is None:
            return Command(program, "run", flags=_sorted(arguments.flags)) if program in _UNKNOWN_IS_SCRIPT else None
    return _parsed(program, verb, arguments)


def _parsed(program: str, verb: str, arguments: _Arguments) -> Command:
    """A command whose manager and verb are known."""
    many = verb in _MANY.get(program, "").split()
    under = _UNDER.get((program, verb))
    if under is not None:
        word = arguments.next()
        if word in under:
            verb, many = under[word], True
    collected: list[tuple[str, bool]] = []
    if many:
        while (word := arguments.next()) is not None:
            collected.append((word, arguments.doubt()))
    elif verb in _ONE.get(program, "").split():
        word = arguments.next()
        if word is not None and arguments.doubt():
            first = word
            word = arguments.next()
            unsure = tuple(filter(None, (first, word)))
            return _unsure(program, verb, arguments, unsure)
        executes = (program, verb) in _EXECUTES
        if word is not None and not (executes and arguments.packages_of_flags):
            collected.append((word, False))
        if executes:
            collected = [*((value, False) for value in arguments.packages_of_flags), *collected]
    packages: list[str] = []
    doubtful: list[str] = []
    names: set[str] = set()
    for word, doubt in collected:
        read = specifier(_created(word) if (program, verb) in _CREATES else word, deno=program == "deno")
        if read is None:
            continue
        text, name = read
        if doubt and not re.search(r"[^@/]@[~^=v]?\d+\.", text):
            doubtful.append(text)
            continue
        packages.append(text)
        if name:
            names.add(name)
    return Command(program, verb, tuple(packages), frozenset(names), _sorted(arguments.flags), tuple(doubtful))


def _unsure(program: str, verb: str, arguments: _Arguments, words: tuple[str, ...]) -> Command:
    """A command that takes one package, of which either of two words may be it."""
    found = (specifier(word, deno=program == "deno") for word in words)
    doubtful = tuple(read[0] for read in found if read is not None)
    return Command(program, verb, flags=_sorted(arguments.flags), doubtful=doubtful)


def _sorted(flags: set[str]) -> tuple[str, ...]:
    return tuple(sorted(flags))


def _corepack(words: list[str]) -> Command | None:
    """Corepack's own verbs, or the manager that it was asked to start."""
    arguments = _Arguments("corepack", words)
    word = arguments.next()
    if word is None:
        return None
    manager = _program(word.partition("@")[0])
    if manager in _MANAGERS or manager in _RUNNERS:
        return _command(manager, words[arguments.at :])
    verb = _VERBS["corepack"].get(word)
    return _parsed("corepack", verb, arguments) if verb else None


def _created(word: str) -> str:
    """The package behind `npm init foo`: `create-foo`, of a scope `@scope/create` or `@scope/create-foo`."""
    if "://" in word or word.startswith((".", "/")):
        return word
    at = word.find("@", 1)
    name, tail = (word, "") if at < 0 else (word[:at], word[at:])
    if name.startswith("@"):
        scope, slash, base = name.partition("/")
        return (
            f"{scope}/create{tail}" if not slash else f"{scope}/{base if _is_create(base) else f'create-{base}'}{tail}"
        )
    if "/" in name:
        return word
    return f"{name if _is_create(name) else f'create-{name}'}{tail}"


def _is_create(name: str) -> bool:
    return name == "create" or name.startswith("create-")


_NAME = r"(?:@[A-Za-z0-9_~][A-Za-z0-9._~-]{0,213}/)?[A-Za-z0-9_~][A-Za-z0-9._~-]{0,213}"
_REGISTRY = re.compile(rf"(?P<name>{_NAME})(?:@(?P<range>.*))?", re.DOTALL)
_RANGE = re.compile(r"[A-Za-z0-9.^~<>=*|+ -]{1,100}", re.ASCII)
_HOSTED = re.compile(
    r"(?:(?:github|gitlab|bitbucket|gist):)?[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}(?:#.*)?", re.DOTALL
)
_COPIED = re.compile(
    r"[^@/:\s]{1,100}@(?P<rest>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+:[A-Za-z0-9_./~-]{1,300})(?:#.*)?", re.DOTALL
)


def specifier(word: str, *, deno: bool = False) -> tuple[str, str | None] | None:
    """A package specifier without secrets, and the name of the package behind it; None for anything else.

    Local folders and archives are nothing here. Of a range that is not understood the name alone is kept.
    """
    if len(word) > 2048 or any(ord(char) < 33 and char != " " for char in word):
        return None
    if deno:
        match = re.match(rf"npm:/?(?P<name>{_NAME})(?:@(?P<range>[^/]*))?(?:/|$)", word)
        if not match:
            return None
        word = match["name"] + (f"@{match['range']}" if match["range"] else "")
    if "://" in word.partition("@")[0]:
        return _from_url(word)
    if word.endswith((".tgz", ".tar.gz")) and "://" not in word:
        return None
    match = _REGISTRY.fullmatch(word)
    if match and not _COPIED.fullmatch(word):
        name, asked = match["name"], match["range"]
        if asked is None or _RANGE.fullmatch(asked):
            return word, name
        if asked.startswith("npm:"):
            inner = specifier(asked[4:]) if "npm:" not in asked[4:] else None
            return (f"{name}@npm:{inner[0]}", inner[1]) if inner else (name, name)
        if "://" in asked:
            source = _from_url(asked)
            return (f"{name}@{source[0]}", source[1] or name) if source else (name, name)
        return name, name
    if _HOSTED.fullmatch(word) and not word.startswith("."):
        return word.partition("#")[0], None
    copied = _COPIED.fullmatch(word)
    return (copied["rest"], None) if copied else None


def _from_url(url: str) -> tuple[str, str | None] | None:
    """A URL without user info, query and fragment, and the package whose registry archive it names."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.scheme not in (
        "http",
        "https",
        "git",
        "ssh",
        "git+http",
        "git+https",
        "git+ssh",
    ):
        return None
    release = tarball_release(url)
    return strip_url(url), release[0] if release else None
