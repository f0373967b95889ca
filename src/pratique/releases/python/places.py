"""Places that mean something to Python's world, told by their shape; the rest are those of every language."""

from __future__ import annotations

import re

_END = r"(?![\w-])"
CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("registry-token", r"(?<![\w])\.(?:npmrc|yarnrc(?:\.yml)?|pypirc)" + _END),
    ("registry-token", r"\.cargo[\\/]+credentials|\.gem[\\/]+credentials|\.m2[\\/]+settings(?:-security)?\.xml"),
    ("registry-token", r"pypoetry[\\/]+auth\.toml|[\\/]uv[\\/]+credentials|composer[\\/]+auth\.json"),
    (
        "cloud",
        r"\.aws[\\/]+(?:credentials|config|sso)|\.azure[\\/]+(?:msal|service_principal|accessTokens|azureProfile)",
    ),
    (
        "cloud",
        r"application_default_credentials\.json|gcloud[\\/]+(?:credentials|access_tokens|legacy_)|\.oci[\\/]+config",
    ),
    ("cluster", r"\.kube[\\/]+config|serviceaccount[\\/]+token|\.docker[\\/]+config\.json"),
    ("vault", r"\.vault-token|\.terraform\.d[\\/]+credentials|\.pulumi[\\/]+credentials"),
    ("git", r"(?<![\w])\.git-credentials|\.config[\\/]+(?:git[\\/]+credentials|gh[\\/]+hosts|hub" + _END + r")"),
    ("netrc", r"(?:^|[\\/~])[._]netrc" + _END),
    (
        "ssh-key",
        r"(?:^|[\\/])\.ssh(?:[\\/]+(?!known_hosts|config\b|authorized_keys)|$)|(?:^|[\\/])id_(?:rsa|ed25519|ecdsa|dsa)$",
    ),
    ("gpg-key", r"(?:^|[\\/])\.gnupg(?:[\\/]|$)"),
    ("shell-history", r"\.(?:bash|zsh|sh|psql|mysql)_history"),
    (
        "wallet",
        r"(?:^|[\\/])wallet\.dat$|\.config[\\/]+solana[\\/]+id\.json|\.(?:bitcoin|ethereum|electrum|monero|zcash)[\\/]",
    ),
    (
        "wallet",
        r"Exodus[\\/]+exodus\.wallet|Electrum[\\/]+wallets|Ethereum[\\/]+keystore|Ledger Live[\\/]|Atomic[\\/]+Local",
    ),
    (
        "browser-profile",
        r"(?:Google[\\/]+Chrome|google-chrome|Chromium|chromium|BraveSoftware[\\/]+Brave-Browser|Microsoft[\\/]+Edge"
        r"|Opera Software|Vivaldi|\.mozilla[\\/]+firefox|Mozilla[\\/]+Firefox)[^\n]{0,80}"
        r"(?:Login Data|Cookies|Web Data|Local State|Local Extension Settings|logins\.json|key4\.db|cookies\.sqlite)",
    ),
    ("browser-profile", r"[\\/](?:Login Data|logins\.json|key4\.db|Local Extension Settings|cookies\.sqlite)$"),
    ("keychain", r"login\.keychain|Library[\\/]+Keychains|\.local[\\/]+share[\\/]+keyrings"),
    ("messenger", r"(?:discord(?:canary|ptb)?)[\\/]+(?:Local Storage|leveldb)|Telegram Desktop[\\/]+tdata"),
    ("process-memory", r"^/proc/(?:[^/\n]{1,20})/(?:mem|environ)$"),
    ("accounts", r"^/etc/shadow$"),
    ("agent-token", r"\.claude[\\/]+\.credentials\.json|\.codex[\\/]+auth\.json|\.gemini[\\/]+oauth_creds"),
)
METADATA = re.compile(
    r"169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|fd00:ec2::254|100\.100\.100\.200", re.IGNORECASE
)
PERSISTENCE: tuple[tuple[str, str], ...] = (
    ("shell-startup", r"(?:^|[\\/])\.(?:bashrc|zshrc|bash_profile|zprofile|zshenv|profile|bash_login)$"),
    ("shell-startup", r"\.config[\\/]+fish[\\/]+config\.fish|^/etc/profile\.d/|WindowsPowerShell[\\/]+profile\.ps1"),
    ("cron", r"^/etc/cron|/var/spool/cron"),
    ("systemd", r"(?:\.config|^/etc|/lib)[\\/]+systemd[\\/]+(?:user|system)(?:[\\/]|$)"),
    ("launch-agent", r"Library[\\/]+Launch(?:Agents|Daemons)"),
    ("run-key", r"CurrentVersion[\\/]+Run(?:Once)?" + _END),
    ("startup-folder", r"Start Menu[\\/]+Programs[\\/]+Startup|\.config[\\/]+autostart"),
    ("git-hook", r"\.git[\\/]+hooks[\\/]"),
    ("ssh-authorized", r"\.ssh[\\/]+authorized_keys"),
    ("python-startup", r"(?:site-packages|purelib|\ufffc)[\\/][^\\/]*\.pth$|(?:site|user)customize\.py$"),
)
PERSISTING_COMMANDS: tuple[tuple[str, str], ...] = (
    ("cron", r"(?:^|[\s;&|])crontab\s+(?!-l\b)\S"),
    ("systemd", r"systemctl\s+(?:--user\s+)?enable\b"),
    ("launch-agent", r"launchctl\s+(?:load|bootstrap|submit)\b"),
    ("run-key", r"reg(?:\.exe)?\s+add\s+\S{0,80}CurrentVersion\\+Run"),
    ("scheduled-task", r"schtasks(?:\.exe)?\s+/create|Register-ScheduledTask"),
)
AGENTS: tuple[tuple[str, str], ...] = (
    ("vscode", r"\.vscode[\\/]+(?:tasks|settings|launch|mcp)\.json"),
    (
        "claude",
        r"(?:^|[\\/~])\.claude[\\/]|(?:^|[\\/])CLAUDE\.md$|claude_desktop_config\.json|(?:^|[\\/])\.claude\.json$",
    ),
    ("cursor", r"(?:^|[\\/])\.cursor[\\/]|(?:^|[\\/])\.cursorrules$"),
    ("copilot", r"\.github[\\/]+copilot"),
    ("gemini", r"(?:^|[\\/])\.gemini[\\/]|(?:^|[\\/])GEMINI\.md$"),
    ("mcp", r"(?:^|[\\/.])mcp\.json$"),
    ("windsurf", r"(?:^|[\\/])\.windsurf(?:rules$|[\\/])|\.codeium[\\/]"),
    ("agents", r"(?:^|[\\/])AGENTS\.md$|(?:^|[\\/])\.codex[\\/]|(?:^|[\\/])\.kiro[\\/]"),
)
WORKFLOWS = re.compile(r"\.github[\\/]+workflows|\.gitlab-ci\.yml|\.circleci[\\/]+config|azure-pipelines\.yml")
TOKEN_COMMANDS = re.compile(
    r"gh\s+auth\s+token|npm\s+token\s+(?:list|create)|npm\s+config\s+get\s+\S*_auth|security\s+find-(?:generic|internet)"
    r"-password|security\s+dump-keychain|gcloud\s+auth\s+(?:application-default\s+)?print-access-token"
    r"|aws\s+(?:sts\s+get-session-token|configure\s+export-credentials|secretsmanager)|az\s+account\s+get-access-token"
    r"|git\s+credential\s+fill|op\s+item\s+get|pass\s+show|trufflehog\s|cmdkey\s+/list|vaultcmd\s"
)
FOREIGN_SECRET = re.compile(
    r"AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN)|(?:GH|GITHUB)_TOKEN|GITHUB_PAT|NPM_TOKEN|NODE_AUTH_TOKEN|PYPI_(?:API_)?TOKEN"
    r"|TWINE_PASSWORD|UV_PUBLISH_TOKEN|CI_JOB_TOKEN|GITLAB_TOKEN|DOCKER(?:HUB)?_(?:PASSWORD|TOKEN)|CARGO_REGISTRY_TOKEN"
    r"|ACTIONS_(?:ID_TOKEN_REQUEST|RUNTIME)_TOKEN|AZURE_CLIENT_SECRET|VAULT_TOKEN"
)
"""Variables that hold a secret of a platform that many programs run on."""


def _compiled(table: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    named: dict[str, list[str]] = {}
    for name, pattern in table:
        named.setdefault(name, []).append(pattern)
    return re.compile(
        "|".join(f"(?P<{name.replace('-', '_')}>{'|'.join(parts)})" for name, parts in named.items()), re.IGNORECASE
    )


_CREDENTIALS, _PERSISTENCE, _AGENTS = _compiled(CREDENTIALS), _compiled(PERSISTENCE), _compiled(AGENTS)
_COMMANDS = _compiled(PERSISTING_COMMANDS)


def credential_place(text: str) -> str:
    """The class of a place of credentials that a path or address names, empty where none."""
    return _named(_CREDENTIALS, text) or ("metadata-service" if METADATA.search(text[:4096]) else "")


def persistence_place(text: str) -> str:
    """The class of a place from which something starts by itself, empty where none."""
    return _named(_PERSISTENCE, text)


def persisting_command(text: str) -> str:
    """What a command line arranges to be started again, empty where nothing."""
    return _named(_COMMANDS, text)


def agent_place(text: str) -> str:
    """The editor or agent whose configuration a path is, empty where none."""
    return _named(_AGENTS, text)


def _named(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text[:4096])
    return (found.lastgroup or "").replace("_", "-") if found else ""
