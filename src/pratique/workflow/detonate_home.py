"""Who a suspect meets: a home that somebody lives in, credentials in the usual places, one life a persona.

Everything is made up anew for each run. No credential is real, and each place has one of its own, so that what is sent
tells where it was read.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Callable

import msgspec

from pratique.model.detonation import Account, Persona, Planted

REGISTRY = "registry.test"
"""The host of the registry in the sandbox (RFC 6761 keeps the name for tests)."""
_WORD = string.ascii_letters + string.digits
_USERS = ("mara", "jonas", "priya", "tomas", "elin", "ruben", "aiko", "noor")
_HOSTS = ("tern", "avocet", "dunlin", "kestrel", "plover", "sanderling")
_PROJECTS = ("orders-api", "webshop", "billing", "dispatch", "portal")
ROOTS = "/etc/ssl/certs/ca-certificates.crt"


class Life(msgspec.Struct, frozen=True):
    """One persona: the account, its project, variables, files, and planted values by the name of what they are."""

    persona: Persona
    account: Account
    project: str
    environment: dict[str, str]
    files: dict[str, bytes]
    planted: dict[str, str]
    places: tuple[Planted, ...]


class _Planter:
    """Makes values up and remembers where they lie."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.places: list[Planted] = []

    def __call__(self, name: str, place: str, value: str) -> str:
        self.values[name] = value
        self.places.append(Planted(name, place))
        return value


def _chars(length: int, alphabet: str = _WORD) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _key() -> tuple[str, str]:
    """A private key in the form of OpenSSH that opens nothing, and a line of it."""
    body = base64.b64encode(b"openssh-key-v1\0\0\0\0\4none" + secrets.token_bytes(240)).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    text = "\n".join(("-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""))
    return text, lines[1]


def _public() -> str:
    return base64.b64encode(secrets.token_bytes(51)).decode()


def life(persona: Persona) -> Life:
    """A new life of a persona."""
    plant = _Planter()
    make: dict[Persona, Callable[[_Planter], Life]] = {"laptop": _laptop, "ci": _ci, "root": _root}
    return make[persona](plant)


def _credentials(plant: _Planter, home: str, project: str) -> dict[str, bytes]:
    """The credentials that lie in a home, and the project that is worked on."""
    npm = plant("npm token", "~/.npmrc", f"npm_{_chars(36)}")
    aws_id = plant("AWS key id", "~/.aws/credentials", f"AKIA{_chars(16, string.ascii_uppercase + '234567')}")
    aws = plant("AWS secret key", "~/.aws/credentials", _chars(40, _WORD + "/+"))
    key, line = _key()
    plant("SSH key", "~/.ssh/id_ed25519", line)
    old_key, old_line = _key()
    plant("old SSH key", "~/.ssh/id_rsa", old_line)
    net = plant("netrc password", "~/.netrc", _chars(24))
    hub = plant("gh token", "~/.config/gh/hosts.yml", f"gho_{_chars(36)}")
    docker = plant("Docker password", "~/.docker/config.json", f"dckr_pat_{_chars(27)}")
    kube = plant("Kubernetes token", "~/.kube/config", _chars(64))
    git = plant("git password", "~/.git-credentials", f"ghp_{_chars(36)}")
    pypi = plant("PyPI token", "~/.pypirc", f"pypi-Ag{_chars(150)}")
    database = plant("database password", "project .env", _chars(22))
    pay = plant("payment key", "project .env", f"sk_live_{_chars(40)}")
    typed = plant("typed password", "~/.bash_history", _chars(18))
    cloud = plant("Google refresh token", "~/.config/gcloud/application_default_credentials.json", f"1//0{_chars(60)}")
    entry = base64.b64encode(f"harbour:{docker}".encode()).decode()
    texts = {
        f"{home}/.npmrc": f"registry=http://{REGISTRY}/\n//{REGISTRY}/:_authToken={npm}\nfund=false\n",
        f"{home}/.aws/credentials": f"[default]\naws_access_key_id = {aws_id}\naws_secret_access_key = {aws}\n",
        f"{home}/.aws/config": "[default]\nregion = eu-central-1\noutput = json\n",
        f"{home}/.ssh/id_ed25519": key,
        f"{home}/.ssh/id_rsa": old_key,
        f"{home}/.ssh/id_ed25519.pub": f"ssh-ed25519 {_public()} dev\n",
        f"{home}/.ssh/config": "Host bastion\n  HostName bastion.harbour.example\n  User deploy\n",
        f"{home}/.ssh/known_hosts": f"bastion.harbour.example ssh-ed25519 {_public()}\n",
        f"{home}/.netrc": f"machine git.harbour.example login dev password {net}\n",
        f"{home}/.config/gh/hosts.yml": f"github.com:\n    user: harbour-dev\n    oauth_token: {hub}\n",
        f"{home}/.docker/config.json": json.dumps({"auths": {"docker.harbour.example": {"auth": entry}}}),
        f"{home}/.kube/config": "apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    server: "
        f"https://k8s.harbour.example:6443\nusers:\n- name: deploy\n  user:\n    token: {kube}\n",
        f"{home}/.git-credentials": f"https://harbour-dev:{git}@github.com\n",
        f"{home}/.gitconfig": "[user]\n\tname = Harbour Dev\n[credential]\n\thelper = store\n",
        f"{home}/.pypirc": f"[pypi]\nusername = __token__\npassword = {pypi}\n",
        f"{home}/.config/gcloud/application_default_credentials.json": json.dumps(
            {"client_id": "764086051850-harbour", "refresh_token": cloud, "type": "authorized_user"}
        ),
        f"{home}/.bash_history": "git pull\nnpm test\nssh bastion\n"
        f"mysql -h db.harbour.example -u app -p{typed}\ncd ..\nls -la\ngit push\n",
        f"{home}/.bashrc": "export EDITOR=vim\nalias ll='ls -la'\n",
        f"{home}/.profile": '[ -f "$HOME/.bashrc" ] && . "$HOME/.bashrc"\n',
        f"{project}/.env": f"DATABASE_URL=postgres://app:{database}@db.harbour.example/app\nPAYMENT_KEY={pay}\n",
        f"{project}/.git/HEAD": "ref: refs/heads/main\n",
        f"{project}/.git/config": '[core]\n\trepositoryformatversion = 0\n[remote "origin"]\n'
        "\turl = https://github.com/harbour/app.git\n",
        f"{project}/README.md": "# App\n\nSee docs/.\n",
        f"{project}/src/index.js": "'use strict';\nmodule.exports = {};\n",
    }
    return {path: text.encode() for path, text in texts.items()}


def _environment(account: Account, home: str) -> dict[str, str]:
    return {
        "HOME": home,
        "USER": account.user,
        "LOGNAME": account.user,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "PATH": f"{home}/.local/bin:/opt/bin:/usr/local/bin:/usr/bin:/bin",
        "TERM": "xterm-256color",
        "SSL_CERT_FILE": ROOTS,
        "CURL_CA_BUNDLE": ROOTS,
        "NODE_EXTRA_CA_CERTS": ROOTS,
        "REQUESTS_CA_BUNDLE": ROOTS,
    }


def _keys(plant: _Planter) -> dict[str, str]:
    """Credentials in variables."""
    upper = string.ascii_uppercase + "234567"
    return {
        "NPM_TOKEN": plant("NPM_TOKEN", "environment", f"npm_{_chars(36)}"),
        "GITHUB_TOKEN": plant("GITHUB_TOKEN", "environment", f"ghp_{_chars(36)}"),
        "AWS_ACCESS_KEY_ID": plant("AWS_ACCESS_KEY_ID", "environment", f"AKIA{_chars(16, upper)}"),
        "AWS_SECRET_ACCESS_KEY": plant("AWS_SECRET_ACCESS_KEY", "environment", _chars(40, _WORD + "/+")),
    }


def _laptop(plant: _Planter) -> Life:
    user = secrets.choice(_USERS)
    home = f"/home/{user}"
    account = Account(user, 1000, home, f"{secrets.choice(_HOSTS)}-{_chars(3, string.digits)}")
    project = f"{home}/code/{secrets.choice(_PROJECTS)}"
    files = _credentials(plant, home, project)
    for path, text in {
        ".config/Code/User/settings.json": '{"editor.fontSize": 13}\n',
        ".vscode/extensions/extensions.json": "[]\n",
        ".claude/settings.json": "{}\n",
        ".config/google-chrome/Default/Preferences": "{}\n",
        "Documents/notes.txt": "call the harbour master\n",
        "Documents/invoice-2026-03.pdf": "%PDF-1.4\n",
        ".electrum/wallets/default_wallet": '{"seed_version": 17}\n',
    }.items():
        files[f"{home}/{path}"] = text.encode()
    environment = {**_environment(account, home), **_keys(plant), "EDITOR": "vim", "DISPLAY": ":0"}
    return Life("laptop", account, project, environment, files, plant.values, tuple(plant.places))


def _ci(plant: _Planter) -> Life:
    home = "/home/runner"
    account = Account("runner", 1001, home, f"runnervm{_chars(5, string.ascii_lowercase + string.digits)}")
    runs = f"{home}/work"  # where runners of GitHub check out (documentation of GitHub Actions, "default variables")
    project = f"{runs}/app/app"
    files = _credentials(plant, home, project)
    temporary = f"{runs}/_temp"
    run = _chars(11, string.digits)
    files |= {
        f"{temporary}/_runner_file_commands/set_env_{run}": b"",
        f"{temporary}/_runner_file_commands/add_path_{run}": b"",
        f"{temporary}/_runner_file_commands/set_output_{run}": b"",
        f"{temporary}/_github_workflow/event.json": b'{"ref":"refs/heads/main"}\n',
        f"{project}/.github/workflows/build.yml": b"on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n",
        f"{home}/runners/2.330.0/.credentials": json.dumps(
            {"scheme": "OAuth", "data": {"clientId": plant("runner credential", "runner .credentials", _chars(40))}}
        ).encode(),
    }
    environment = {
        **_environment(account, home),
        **_keys(plant),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "harbour/app",
        "GITHUB_REPOSITORY_OWNER": "harbour",
        "GITHUB_WORKSPACE": project,
        "GITHUB_RUN_ID": run,
        "GITHUB_RUN_NUMBER": "214",
        "GITHUB_JOB": "build",
        "GITHUB_WORKFLOW": "build",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": _chars(40, "0123456789abcdef"),
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_ACTOR": "harbour-dev",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_EVENT_PATH": f"{temporary}/_github_workflow/event.json",
        "GITHUB_ENV": f"{temporary}/_runner_file_commands/set_env_{run}",
        "GITHUB_PATH": f"{temporary}/_runner_file_commands/add_path_{run}",
        "GITHUB_OUTPUT": f"{temporary}/_runner_file_commands/set_output_{run}",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_NAME": "GitHub Actions 14",
        "RUNNER_TEMP": temporary,
        "RUNNER_TOOL_CACHE": "/opt/hostedtoolcache",
        "RUNNER_ENVIRONMENT": "github-hosted",
        "ImageOS": "ubuntu24",
        "ACTIONS_RUNTIME_URL": "https://pipelines.actions.harbour.example/",
        "ACTIONS_RUNTIME_TOKEN": plant("ACTIONS_RUNTIME_TOKEN", "environment", f"eyJ{_chars(180)}"),
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.harbour.example/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": plant("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "environment", f"eyJ{_chars(120)}"),
        "NODE_AUTH_TOKEN": plant("NODE_AUTH_TOKEN", "environment", f"npm_{_chars(36)}"),
    }
    environment["GITHUB_TOKEN"] = plant("GITHUB_TOKEN", "environment", f"ghs_{_chars(36)}")
    return Life("ci", account, project, environment, files, plant.values, _once(plant.places))


def _root(plant: _Planter) -> Life:
    account = Account("root", 0, "/root", _chars(12, "0123456789abcdef"))
    project = "/srv/app"
    files = _credentials(plant, "/root", project)
    files |= {
        "/.dockerenv": b"",
        "/var/spool/cron/crontabs/.keep": b"",
        "/etc/systemd/system/.keep": b"",
        f"{account.home}/.config/.keep": b"",
    }
    environment = {**_environment(account, "/root"), **_keys(plant)}
    return Life("root", account, project, environment, files, plant.values, tuple(plant.places))


def _once(places: list[Planted]) -> tuple[Planted, ...]:
    return tuple(dict.fromkeys(places))
