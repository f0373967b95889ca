"""Where machines keep what they start by themselves, by system: pairs of a place and of whom to ask about its files.

A place is a path from the root, or from a home; `*` stands for any name, a last `**` for files at any depth. The second
part is empty where readers are asked about the file's own path.
"""

from __future__ import annotations

from pratique.targets.places import Platform

Places = tuple[tuple[str, str], ...]


def _plain(text: str) -> Places:
    return tuple((line.strip(), "") for line in text.strip().split("\n"))


_SHELLS = """
.bash_login
.bash_logout
.bash_profile
.bashrc
.kshrc
.profile
.zlogin
.zlogout
.zprofile
.zshenv
.zshrc
.config/fish/config.fish
.config/fish/conf.d/*
.config/husky/init.sh
"""

_AGENTS: Places = (
    (".claude/settings.json", ""),
    (".claude/settings.local.json", ""),
    (".claude/*", ""),
    (".cursor/*", ""),
    (".gemini/*", ""),
    (".vscode/*", ""),
    (".mcp.json", ""),
    (".gitconfig", ""),
    (".config/git/config", ""),
    (".git-templates/hooks/*", ""),
    (".git-template/hooks/*", ""),
    (".git_template/hooks/*", ""),
    (".git_templates/hooks/*", ""),
    (".githooks/*", ""),
    (".git-hooks/*", ""),
    (".config/git/hooks/*", ""),
    (".config/git/templates/hooks/*", ""),
    (".gitlab-runner/config.toml", ""),
    (".runner", ""),
    ("*/.runner", ""),
    (".*/.runner", ""),
)

_CODE: tuple[str, ...] = ("settings.json", "tasks.json", "mcp.json")


def _code(folder: str) -> Places:
    """The files of an editor's user folder, which are those of a checkout by another name."""
    return tuple((f"{folder}/{name}", f".vscode/{name}") for name in _CODE)


def _units(*folders: str) -> Places:
    """Drop-ins of units, which a reader knows as units of those folders."""
    return tuple((f"{folder}/*.d/*.conf", f"systemd/{folder.rpartition('/')[2]}/*.service") for folder in folders)


PER_SYSTEM: dict[Platform, Places] = {
    "linux": (
        *_plain("""
        etc/systemd/system/*
        etc/systemd/user/*
        run/systemd/system/*
        lib/systemd/system/*
        usr/lib/systemd/system/*
        usr/local/lib/systemd/system/*
        usr/lib/systemd/user/*
        usr/local/lib/systemd/user/*
        var/lib/systemd/linger/*
        etc/cron.d/*
        etc/cron.hourly/*
        etc/cron.daily/*
        etc/cron.weekly/*
        etc/cron.monthly/*
        etc/crontabs/*
        etc/periodic/*/*
        var/spool/cron/crontabs/*
        var/spool/cron/tabs/*
        var/spool/cron/*
        var/spool/cron/atjobs/*
        var/spool/at/*
        etc/xdg/autostart/*
        etc/profile
        etc/bash.bashrc
        etc/bashrc
        etc/zshrc
        etc/zshenv
        etc/zprofile
        etc/zsh/zshrc
        etc/zsh/zshenv
        etc/zsh/zprofile
        etc/fish/config.fish
        etc/fish/conf.d/*
        etc/profile.d/*
        etc/rc.local
        etc/hosts
        etc/gitlab-runner/config.toml
        usr/share/git-core/templates/hooks/*
        .runner
        */.runner
        opt/*/.runner
        srv/*/.runner
        usr/lib/python3*/dist-packages/*
        usr/lib/python3*/site-packages/*
        usr/lib64/python3*/site-packages/*
        usr/local/lib/python3*/dist-packages/*
        usr/local/lib/python3*/site-packages/*
        var/log/syslog
        var/log/syslog.1
        var/log/messages
        var/log/messages.1
        var/log/daemon.log
        var/log/daemon.log.1
        var/log/dnsmasq.log
        var/log/pihole.log
        var/log/pihole/pihole.log
        var/log/unbound.log
        var/log/unbound/unbound.log
        var/log/named/query.log
        var/log/named/queries.log
        """),
        ("etc/crontab", "etc/cron.d/*"),
        ("etc/anacrontab", "etc/cron.d/*"),
        *_units(
            "etc/systemd/system",
            "etc/systemd/user",
            "run/systemd/system",
            "lib/systemd/system",
            "usr/lib/systemd/system",
            "usr/lib/systemd/user",
        ),
    ),
    "macos": (
        *_plain("""
        Library/LaunchAgents/*
        Library/LaunchDaemons/*
        private/etc/periodic/*/*
        private/var/at/tabs/*
        private/var/at/jobs/*
        private/etc/profile
        private/etc/bashrc
        private/etc/zshrc
        private/etc/zshenv
        private/etc/zprofile
        private/etc/hosts
        Library/Python/*/site-packages/*
        Library/Frameworks/Python.framework/Versions/*/lib/python3*/site-packages/*
        opt/homebrew/lib/python3*/site-packages/*
        usr/local/lib/python3*/site-packages/*
        *.reg
        """),
        ("private/etc/crontab", "etc/cron.d/*"),
    ),
    "windows": _plain("""
        Windows/System32/Tasks/**
        ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp/*
        Windows/System32/drivers/etc/hosts
        Windows/System32/config/SOFTWARE
        Windows/System32/config/SYSTEM
        *.reg
        actions-runner/.runner
        */.runner
        """),
}

PER_HOME: dict[Platform, Places] = {
    "linux": (
        *_plain("""
            .config/systemd/user/*
            .local/share/systemd/user/*
            .config/autostart/*
            .local/lib/python3*/site-packages/*
            """),
        *_units(".config/systemd/user", ".local/share/systemd/user"),
        *_plain(_SHELLS),
        *_AGENTS,
        *_code(".config/Code/User"),
        *_code(".config/VSCodium/User"),
        *_code(".config/Cursor/User"),
    ),
    "macos": (
        *_plain("""
            Library/LaunchAgents/*
            Library/Python/*/lib/python/site-packages/*
            """),
        *_plain(_SHELLS),
        *_AGENTS,
        *_code("Library/Application Support/Code/User"),
        *_code("Library/Application Support/Cursor/User"),
    ),
    "windows": (
        *_plain("""
            NTUSER.DAT
            AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/*
            AppData/Roaming/Python/Python*/site-packages/*
            AppData/Local/Programs/Python/Python*/Lib/site-packages/*
            Documents/WindowsPowerShell/Microsoft.PowerShell_profile.ps1
            Documents/WindowsPowerShell/profile.ps1
            Documents/PowerShell/Microsoft.PowerShell_profile.ps1
            Documents/PowerShell/profile.ps1
            """),
        *_plain(_SHELLS),
        *_AGENTS,
        *_code("AppData/Roaming/Code/User"),
        *_code("AppData/Roaming/Cursor/User"),
    ),
}
"""What a file is claimed as stands second, for those that readers know by another place."""
