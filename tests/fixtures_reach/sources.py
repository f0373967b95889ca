"""Recipes of source hosting and continuous integration, as their tools write the files."""

from __future__ import annotations

import base64
import functools
import struct

from tests.fixtures_reach import Ground

HEX = "0123456789abcdef"


def gh_cli(ground: Ground) -> None:
    """`gh auth login --insecure-storage`, and a second host whose token is in the keychain."""
    token = ground.secret("gho_")
    ground.write(
        "$XDG_CONFIG_HOME/gh/hosts.yml",
        f"git.example:\n    users:\n        dev:\n            oauth_token: {token}\n        ops:\n"
        f"    git_protocol: https\n    oauth_token: {token}\n    user: dev\n"
        "other.example:\n    user: dev\n    git_protocol: ssh\n",
    )
    ground.variable("GH_TOKEN", ground.secret("ghp_"))


def hub_cli(ground: Ground) -> None:
    """hub's own file."""
    ground.write(
        "$XDG_CONFIG_HOME/hub",
        f"git.example:\n- user: dev\n  oauth_token: {ground.secret(length=40, alphabet=HEX)}\n  protocol: https\n",
    )


def git_store(ground: Ground) -> None:
    """`git credential-store`, with percent encoding and a token in place of a user."""
    ground.write(
        "$HOME/.git-credentials",
        f"https://dev:{ground.secret('ghp_')}@git.example\nhttps://dev%40shop:{ground.secret(length=12)}%21x@lab.example\n"
        f"https://{ground.secret('ghp_')}:x-oauth-basic@third.example\n",
    )


def git_cache(ground: Ground) -> None:
    """The socket of the daemon."""
    ground.socket("$XDG_CACHE_HOME/git/credential/socket")


def git_config(ground: Ground) -> None:
    """A remote with a token, what actions/checkout leaves, and a helper."""
    pair = f"x-access-token:{ground.secret('ghs_')}"
    ground.write(
        "$PROJECT/.git/config",
        '[core]\n\tbare = false\n[remote "origin"]\n'
        f"\turl = https://dev:{ground.secret('ghp_')}@git.example/shop.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
        '[http "https://git.example/"]\n\textraheader = AUTHORIZATION: basic '
        f"{ground.keep(base64.b64encode(pair.encode()).decode())}\n",
    )
    ground.write(
        "$HOME/.gitconfig",
        f'[url "https://{ground.secret("ghp_")}@git.example/"]\n\tinsteadOf = git@git.example:\n'
        "[credential]\n\thelper = osxkeychain\n",
    )


def netrc(ground: Ground) -> None:
    """Machines in one line and in several, and a macro."""
    ground.write(
        "$HOME/.netrc",
        f"machine git.example login dev password {ground.secret('ghp_')}\n"
        f'machine api.example\n  login dev\n  password "{ground.secret(length=16)}"\n'
        f"default login anonymous password {ground.secret(length=16)}\nmacdef init\ncd /pub\n\n",
        append=True,
    )


@functools.cache
def _public(seed: int) -> bytes:
    return bytes((seed * 7 + at * 13) % 256 for at in range(32))


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def openssh_key(
    private: str, *, cipher: bytes = b"none", comment: str = "dev@laptop", kind: bytes = b"ssh-ed25519"
) -> str:
    """A key in OpenSSH's form; the private half is readable text, so that a test can look for it."""
    public = _string(kind) + _string(_public(1)) + (_string(b"ssh:") if kind.startswith(b"sk-") else b"")
    inner = (
        struct.pack(">II", 7, 7)
        + _string(kind)
        + _string(_public(1))
        + _string(private.encode())
        + _string(comment.encode())
    )
    inner += bytes(range(1, 9 - len(inner) % 8))
    kdf = (_string(b"bcrypt"), _string(_string(b"saltsaltsaltsalt") + struct.pack(">I", 16)))
    raw = b"openssh-key-v1\0" + _string(cipher)
    raw += b"".join(kdf) if cipher != b"none" else _string(b"none") + _string(b"")
    raw += struct.pack(">I", 1) + _string(public) + _string(inner)
    text = base64.b64encode(raw).decode()
    lines = "\n".join(text[at : at + 70] for at in range(0, len(text), 70))
    mark = "OPENSSH PRIVATE KEY"
    return f"-----BEGIN {mark}-----\n{lines}\n-----END {mark}-----\n"


def pem_key(body: str, label: str = "RSA ", head: str = "") -> str:
    """A key in PEM whose body is text that no key has."""
    mark = f"{label}PRIVATE KEY"
    return f"-----BEGIN {mark}-----\n{head}{body}\n-----END {mark}-----\n"


def ssh_private(ground: Ground) -> None:
    """Keys in the clear, with a passphrase, of a hardware token, and one in PEM; other files beside them."""
    ground.write("$HOME/.ssh/id_ed25519", openssh_key(ground.secret(length=64)))
    ground.write("$HOME/.ssh/work", openssh_key(ground.secret(length=64), cipher=b"aes256-ctr"))
    ground.write("$HOME/.ssh/id_sk", openssh_key(ground.secret(length=64), kind=b"sk-ssh-ed25519@openssh.com"))
    ground.write("$HOME/.ssh/id_rsa", pem_key(ground.secret(length=64)))
    head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
    ground.write("$HOME/.ssh/old", pem_key(ground.secret(length=64), head=head))
    ground.write("$HOME/.ssh/id_ed25519.pub", "ssh-ed25519 AAAA dev@laptop\n")


def ssh_config(ground: Ground) -> None:
    """A key elsewhere."""
    ground.write(
        "$HOME/.ssh/config", "Host git.example\n  User git\n  IdentityFile ~/keys/deploy\n  IdentitiesOnly yes\n"
    )


def ssh_agent(ground: Ground) -> None:
    """The socket of gpg-agent."""
    ground.socket("$HOME/.gnupg/S.gpg-agent.ssh")


def ssh_control(ground: Ground) -> None:
    """An open master connection."""
    ground.socket("$HOME/.ssh/control-git")


def ssh_meta(ground: Ground) -> None:
    """Hosts that are known."""
    ground.write("$HOME/.ssh/known_hosts", "git.example ssh-ed25519 AAAA\n")


def ssh_certificate(ground: Ground) -> None:
    """A certificate of a user for one day."""
    blob = b"".join(
        (
            _string(b"ssh-ed25519-cert-v01@openssh.com"),
            _string(b"n" * 32),
            _string(_public(2)),
            struct.pack(">QI", 42, 1),
            _string(b"dev"),
            _string(_string(b"deploy") + _string(b"root")),
            struct.pack(">QQ", 1_770_000_000, 1_770_086_400),
            _string(b""),
            _string(b""),
        )
    )
    text = base64.b64encode(blob).decode()
    ground.write("$HOME/.ssh/id_ed25519-cert.pub", f"ssh-ed25519-cert-v01@openssh.com {text} dev\n")


def teleport(ground: Ground) -> None:
    """`tsh login`."""
    ground.write("$HOME/.tsh/current-profile", "teleport.example\n")


def gh_deploy_key(ground: Ground) -> None:
    """A key that a job is handed."""
    ground.variable("SSH_DEPLOY_KEY", openssh_key(ground.secret(length=64)))


def gh_app_key(ground: Ground) -> None:
    """The file that the forge lets people download."""
    ground.write("$HOME/shop.2026-01-01.private-key.pem", pem_key(ground.secret(length=64)))


def gh_token(ground: Ground) -> None:
    """A token in a file, and in a variable."""
    ground.write("$HOME/.github_token", ground.secret("github_pat_", 82) + "\n")
    ground.variable("GH_PAT", ground.secret("ghp_"))


def actions_env(ground: Ground) -> None:
    """The variables of a job."""
    ground.variable("GITHUB_TOKEN", ground.secret("ghs_"))
    ground.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ground.secret(length=60))


def actions_secrets_file(ground: Ground) -> None:
    """The file of `act`."""
    ground.write("$PROJECT/.secrets", f"DEPLOY_TOKEN={ground.secret(length=30)}\nOTHER={ground.secret(length=12)}\n")


def actions_runner(ground: Ground) -> None:
    """`config.sh` of a self-hosted runner."""
    ground.write(
        "$HOME/actions-runner/.credentials",
        '{"scheme": "OAuth", "data": {"clientId": "' + ground.secret(length=36) + '"}}',
    )


def gitlab_cli(ground: Ground) -> None:
    """`glab auth login`."""
    ground.write(
        "$XDG_CONFIG_HOME/glab-cli/config.yml",
        f"git_protocol: ssh\nhosts:\n    lab.example:\n        token: {ground.secret('glpat-', 20)}\n"
        "        api_host: lab.example\n        user: dev\n",
    )


def gitlab_runner(ground: Ground) -> None:
    """`gitlab-runner register`."""
    ground.write(
        "/etc/gitlab-runner/config.toml",
        'concurrent = 1\n\n[[runners]]\n  name = "build"\n  url = "https://lab.example"\n  id = 7\n'
        f'  token = "{ground.secret("glrt-", 20)}"\n  executor = "shell"\n',
    )


def bitbucket(ground: Ground) -> None:
    """A variable of a pipeline."""
    ground.variable("BITBUCKET_APP_PASSWORD", ground.secret("ATBB", 32))


def azure_devops(ground: Ground) -> None:
    """The store of the extension where there is no keyring."""
    ground.write(
        "$HOME/.azure/azuredevops/personalAccessTokens",
        f"[azdevops-cli:https://devops.example/shop]\nPersonal Access Token = {ground.secret(length=52)}\n",
    )


def circleci(ground: Ground) -> None:
    """`circleci setup`."""
    ground.write(
        "$HOME/.circleci/cli.yml",
        f"host: https://ci.example\nendpoint: graphql-unstable\ntoken: {ground.secret('CCIPAT_', 60)}\n",
    )


def jenkins(ground: Ground) -> None:
    """A controller's store, which is not opened."""
    ground.write(
        "$HOME/.jenkins/credentials.xml", f"<list><password>{{{ground.secret('AQAA', 40)}}}</password></list>\n"
    )
    ground.write("$HOME/.jenkins/secrets/master.key", ground.secret(length=256, alphabet=HEX))


def buildkite(ground: Ground) -> None:
    """An agent."""
    ground.write("/etc/buildkite-agent/buildkite-agent.cfg", f'token="{ground.secret(length=50)}"\nname="build-%n"\n')


def travis(ground: Ground) -> None:
    """`travis login`."""
    ground.write(
        "$HOME/.travis/config.yml",
        f"---\nendpoints:\n  https://api.travis.example/:\n    access_token: {ground.secret(length=22)}\n",
    )


def drone(ground: Ground) -> None:
    """A runner."""
    ground.write(
        "/etc/drone-runner-exec/config", f"DRONE_RPC_HOST=ci.example\nDRONE_RPC_SECRET={ground.secret(length=32)}\n"
    )


def argocd(ground: Ground) -> None:
    """`argocd login`."""
    ground.write(
        "$XDG_CONFIG_HOME/argocd/config",
        f"contexts:\n- name: cd.example\n  server: cd.example\nusers:\n- auth-token: {ground.secret('eyJh', 120)}\n"
        "  name: cd.example\n",
    )


RECIPES = {
    "gh-cli": gh_cli,
    "hub-cli": hub_cli,
    "git-store": git_store,
    "git-cache": git_cache,
    "git-config": git_config,
    "netrc": netrc,
    "ssh-private": ssh_private,
    "ssh-config": ssh_config,
    "ssh-agent": ssh_agent,
    "ssh-control": ssh_control,
    "ssh-meta": ssh_meta,
    "ssh-certificate": ssh_certificate,
    "teleport": teleport,
    "gh-deploy-key": gh_deploy_key,
    "gh-app-key": gh_app_key,
    "gh-token": gh_token,
    "actions-env": actions_env,
    "actions-secrets-file": actions_secrets_file,
    "actions-runner": actions_runner,
    "gitlab-cli": gitlab_cli,
    "bitbucket": bitbucket,
    "azure-devops": azure_devops,
    "circleci": circleci,
    "jenkins": jenkins,
    "buildkite": buildkite,
    "travis": travis,
    "drone": drone,
    "argocd": argocd,
    "gitlab-runner": gitlab_runner,
}
