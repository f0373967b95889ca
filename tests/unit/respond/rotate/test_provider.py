"""The rotation providers: sound, complete, and without a word that would carry a secret."""

from __future__ import annotations

import msgspec
import pytest

from pratique.respond.rotate import library
from pratique.respond.rotate.provider import GROUPS, Act, Provider, Words, confidence, problems

KNOWN = frozenset(library.ids())
EXPECTED = """
npm pypi rubygems crates nuget maven docker-hub github-token github-app github-ssh github-deploy-key
github-actions-secret github-runner gitlab bitbucket azure-devops circleci jenkins buildkite aws aws-sso gcp gcp-user
azure cloudflare vercel netlify fly heroku digitalocean hetzner kubernetes terraform pulumi vault one-password bitwarden
lastpass age postgresql mysql mongodb redis kafka snowflake stripe twilio sendgrid slack discord telegram sentry datadog
openai anthropic google-ai hugging-face ssh gpg apple-signing windows-signing android-signing browser-sessions wallet
vpn environment-file ci-cache registry-private other
"""


def test_every_provider_that_locations_name_is_there() -> None:
    assert set(EXPECTED.split()) <= KNOWN


@pytest.mark.parametrize("provider", library.providers(), ids=library.ids())
def test_provider_is_sound(provider: Provider) -> None:
    assert problems(provider, library.sources(), KNOWN) == []


@pytest.mark.parametrize("name", library.ids())
def test_id_is_the_file_name(name: str) -> None:
    assert library.provider(name).id == name


def test_every_source_is_used() -> None:
    used = {statement.source for provider in library.providers() for statement in provider.statements()}
    assert set(library.sources()) == used - {""}


def test_a_statement_without_a_source_is_of_low_confidence() -> None:
    assert confidence("", library.sources()) == "low"
    assert confidence("NPM", library.sources()) == "high"
    assert confidence("HTR", library.sources()) == "medium"


def test_what_publishes_mints_or_pays_is_revoked_first() -> None:
    first = {provider.id for provider in library.providers() if provider.order == "revoke-first"}
    publishing = {"npm", "pypi", "rubygems", "crates", "nuget", "maven"}
    assert publishing | {"github-token", "github-app", "github-runner", "gitlab", "jenkins", "stripe"} <= first
    assert {"browser-sessions", "wallet"} <= first


def test_what_makes_another_never_belongs_to_a_later_group() -> None:
    """Else the topological order would hold back what is most dangerous."""
    for provider in library.providers():
        for mint in provider.mints:
            if mint.of in KNOWN:
                assert GROUPS.index(library.provider(mint.of).group) >= GROUPS.index(provider.group), provider.id


def test_an_unknown_issuer_gets_the_steps_of_another() -> None:
    assert library.provider("nobody-described-this").id == library.FALLBACK
    assert library.provider("../../../etc/passwd").id == library.FALLBACK


@pytest.mark.parametrize(
    "words",
    [
        ("mysql", "-p", "<VALUE>"),
        ("mysql", "-p=<VALUE>"),
        ("tool", "--password", "<VALUE>"),
        ("tool", "--token=<VALUE>"),
        ("git", "clone", "https://<USER>:<TOKEN>@code.example/shop"),
        ("curl", "-u", "<USER>"),
        ("tool", "TOKEN=abc"),
        ("tool", "<id>"),
    ],
)
def test_a_command_that_would_carry_a_secret_is_refused(words: tuple[str, ...]) -> None:
    npm = library.provider("npm")
    changed = msgspec.structs.replace(npm, listing=(Act(run=words),))
    assert problems(changed, library.sources(), KNOWN)


def test_other_defects_are_told() -> None:
    npm = library.provider("npm")
    broken = msgspec.structs.replace(
        npm,
        id="Npm",
        new=(Act(),),
        revoke=(),
        page=Words(words=" ", source="NOBODY"),
        verify=(),
        mints=(msgspec.structs.replace(npm.mints[0], of="nothing-known"),),
        effective=msgspec.structs.replace(npm.effective, minutes=-1),
    )
    text = "; ".join(problems(broken, library.sources(), KNOWN))
    for word in (
        "id:",
        "source:",
        "empty",
        "mints:",
        "verify:",
        "minutes",
        "revoke: says nothing",
        "an act has either",
    ):
        assert word in text
