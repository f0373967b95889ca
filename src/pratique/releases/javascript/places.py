"""Places in a file system or on a network that mean something: told by their shape, whoever uses them."""

from __future__ import annotations

import re

_END = r"(?![\w-])"
CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("registry-token", r"(?<![\w])\.(?:npmrc|yarnrc(?:\.yml)?|pypirc)" + _END),
    (
        "registry-token",
        r"\.cargo[\\/]+credentials|\.gem[\\/]+credentials|\.nuget[\\/]|\.m2[\\/]+settings(?:-security)?\.xml",
    ),
    ("cloud", r"\.aws[\\/]+(?:credentials|config|sso)|\.azure[\\/]|gcloud[\\/]+(?:application_default_)?credentials"),
    ("cloud", r"application_default_credentials\.json|\.config[\\/]+gcloud|\.oci[\\/]+config|\.boto" + _END),
    ("cluster", r"\.kube[\\/]+config|serviceaccount[\\/]+token|\.docker[\\/]+config\.json"),
    ("vault", r"\.vault-token|\.terraform\.d[\\/]+credentials|\.pulumi[\\/]+credentials"),
    ("git", r"(?<![\w])\.git-credentials|\.config[\\/]+(?:git[\\/]+credentials|gh[\\/]+hosts|hub" + _END + r")"),
    ("netrc", r"(?<![\w])[._]netrc" + _END),
    ("ssh-key", r"(?<![\w])\.ssh(?:[\\/]|$|\n)|(?<![\w])id_(?:rsa|ed25519|ecdsa|dsa)(?!\.pub)" + _END),
    ("gpg-key", r"\.gnupg[\\/]"),
    ("shell-history", r"\.(?:bash|zsh|sh|node_repl|psql|mysql|python)_history"),
    (
        "wallet",
        r"(?<![\w])wallet\.dat|\.config[\\/]+solana[\\/]+id\.json|\.(?:bitcoin|ethereum|electrum|monero|zcash)[\\/]"
        r"|Exodus[\\/]+exodus\.wallet|Electrum[\\/]+wallets|Ethereum[\\/]+keystore|Ledger Live[\\/]|Atomic[\\/]+Local"
        r"|nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|ibnejdfjmmkpcnlpebklmnkoeoihofec",
    ),
    (
        "browser-profile",
        r"(?:Google[\\/]+Chrome|google-chrome|Chromium|chromium|BraveSoftware[\\/]+Brave-Browser|Microsoft[\\/]+Edge"
        r"|Opera Software|Vivaldi|Yandex[\\/]+YandexBrowser|\.mozilla[\\/]+firefox|Mozilla[\\/]+Firefox)[^\n]{0,80}"
        r"(?:Login Data|Cookies|Web Data|Local State|Local Extension Settings|logins\.json|key4\.db|Profiles"
        r"|User Data)",
    ),
    (
        "browser-profile",
        r"(?:^|[\\/])(?:Login Data|logins\.json|key4\.db|Local Extension Settings|cookies\.sqlite)" + _END,
    ),
    ("keychain", r"login\.keychain|Library[\\/]+Keychains|\.local[\\/]+share[\\/]+keyrings"),
    ("messenger", r"(?:discord(?:canary|ptb)?|Signal|Telegram Desktop)[\\/]+(?:Local Storage|tdata|leveldb|sql)"),
    ("messenger", r"Telegram Desktop[\\/]+tdata|discord[\\/]+Local Storage"),
    ("process-memory", r"/proc/(?:[^/\n]{1,20})/(?:mem|environ|maps)" + _END),
    ("accounts", r"/etc/(?:shadow|passwd)" + _END),
    (
        "agent-token",
        r"\.claude[\\/]+\.credentials\.json|\.claude\.json|\.codex[\\/]+auth\.json|\.gemini[\\/]+oauth_creds",
    ),
    ("environment-file", r"(?:^|[\\/\n])\.env(?:\.(?:local|production|prod))?$"),
)
METADATA = re.compile(
    r"169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|fd00:ec2::254|100\.100\.100\.200", re.IGNORECASE
)

PERSISTENCE: tuple[tuple[str, str], ...] = (
    ("shell-startup", r"(?<![\w])\.(?:bashrc|zshrc|bash_profile|zprofile|zshenv|profile|bash_login)" + _END),
    ("shell-startup", r"\.config[\\/]+fish[\\/]+config\.fish|/etc/profile\.d/|WindowsPowerShell[\\/]+profile\.ps1"),
    ("cron", r"/etc/cron|/var/spool/cron|(?:^|[\s;&|])crontab\s+(?!-l)"),
    ("systemd", r"systemd[\\/]+(?:user|system)[\\/]+\S*|systemctl\s+(?:--user\s+)?(?:enable|start|daemon-reload)"),
    ("launch-agent", r"Library[\\/]+Launch(?:Agents|Daemons)|launchctl\s+(?:load|bootstrap|submit)"),
    ("run-key", r"CurrentVersion[\\/]+Run(?:Once)?" + _END),
    ("startup-folder", r"Start Menu[\\/]+Programs[\\/]+Startup|\.config[\\/]+autostart"),
    ("scheduled-task", r"schtasks(?:\.exe)?\s+/create|Register-ScheduledTask"),
    ("git-hook", r"\.git[\\/]+hooks[\\/]|core\.hooksPath"),
    ("ssh-authorized", r"\.ssh[\\/]+authorized_keys"),
    ("process-manager", r"(?:^|[\s;&|])pm2\s+(?:startup|save)"),
)
AGENTS: tuple[tuple[str, str], ...] = (
    ("vscode", r"\.vscode[\\/]+(?:tasks|settings|launch|mcp)\.json"),
    ("claude", r"\.claude[\\/]|(?:^|[\\/])CLAUDE\.md|claude_desktop_config\.json|(?<![\w])\.claude\.json"),
    ("cursor", r"(?<![\w])\.cursor[\\/]|\.cursorrules"),
    ("copilot", r"\.github[\\/]+copilot"),
    ("gemini", r"(?<![\w])\.gemini[\\/]|GEMINI\.md"),
    ("mcp", r"(?:^|[\\/.])mcp\.json" + _END),
    ("windsurf", r"\.windsurf(?:rules|[\\/])|\.codeium[\\/]"),
    ("agents", r"(?:^|[\\/])AGENTS\.md|(?<![\w])\.codex[\\/]|(?<![\w])\.kiro[\\/]"),
)
WORKFLOWS = re.compile(r"\.github[\\/]+workflows|\.gitlab-ci\.yml|\.circleci[\\/]+config|azure-pipelines\.yml")

SECRET_NAME = re.compile(
    r"(?!.*_(?:URL|URI|FILE|PATH|ENDPOINT|HOST)$).*?(?:(?:^|_)(?:TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY(?:_ID)?"
    r"|AUTH|AUTH_?TOKEN|SEED|MNEMONIC|PAT)(?:_|$)|(?:TOKEN|SECRET|PASSWORD|APIKEY|PRIVATEKEY)$)",
    re.IGNORECASE,
)
"""Names of variables that hold secrets."""

TOKEN_COMMANDS = re.compile(
    r"gh\s+auth\s+token|npm\s+token\s+(?:list|create)|npm\s+config\s+get\s+\S*_auth|security\s+find-(?:generic|internet)"
    r"-password|security\s+dump-keychain|gcloud\s+auth\s+(?:application-default\s+)?print-access-token"
    r"|aws\s+(?:sts\s+get-session-token|configure\s+export-credentials|secretsmanager)|az\s+account\s+get-access-token"
    r"|git\s+credential\s+fill|op\s+item\s+get|pass\s+show|trufflehog\s|cmdkey\s+/list|vaultcmd\s"
)
PUBLISH = re.compile(
    r"\b(?:npm|pnpm|yarn|bun)\s+(?:npm\s+)?publish\b|\bnpm\s+token\s+create|-/npm/v1/tokens|-/npm/v1/user|-/whoami\b"
)


def _compiled(table: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    names: dict[str, list[str]] = {}
    for name, pattern in table:
        names.setdefault(name, []).append(pattern)
    return re.compile(
        "|".join(f"(?P<{name.replace('-', '_')}>{'|'.join(parts)})" for name, parts in names.items()),
        re.IGNORECASE | re.MULTILINE,
    )


_CREDENTIALS, _PERSISTENCE, _AGENTS = _compiled(CREDENTIALS), _compiled(PERSISTENCE), _compiled(AGENTS)


def credential_place(text: str) -> str:
    """The class of a place of credentials that a path or address names, empty where none."""
    return _named(_CREDENTIALS, text) or ("metadata-service" if METADATA.search(text) else "")


def persistence_place(text: str) -> str:
    """The class of a place from which something starts by itself, empty where none."""
    return _named(_PERSISTENCE, text)


def agent_place(text: str) -> str:
    """The editor or agent whose configuration a path is, empty where none."""
    return _named(_AGENTS, text)


def _named(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text[:4096])
    return (found.lastgroup or "").replace("_", "-") if found else ""
