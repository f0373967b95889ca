"""The tables of clouds, services, personal stores: complete, with what each row needs."""

from __future__ import annotations

import tomllib

import pytest

from pratique.readers.credentials.table import FOLDER, table

KNOWN = {
    "platforms": "aws-static aws-sso-cache aws-imds aws-bedrock gcp-adc gcp-dbs gcp-sa-key gcp-api-key gcp-metadata "
    "azure-msal azure-imds azure-storage cloudflare vercel netlify flyio heroku digitalocean hetzner other-clouds "
    "kubeconfig k8s-incluster helm-oci docker docker-sock terraform pulumi vault ansible-vault sops-age",
    "services": "pgpass mysql mongo-redis db-clients kafka snowflake data-tools stripe twilio sendgrid-mail slack-app "
    "slack-desktop discord telegram sentry datadog-obs openai codex-auth anthropic claude-code google-ai other-agents "
    "mcp-config agent-logs huggingface groq-etc",
    "personal": "gpg apple-sign win-sign android-sign browser-profiles wallet-ext wallet-desktop pw-managers op-cli "
    "bw-cli lpass-cli os-keychain dotenv dotenv-keys shell-history shell-rc variables-by-name k8s-secret-files vpn-mesh "
    "remote-tools mobile-mfa tls-keys",
}
"""Families of places; one may have several rows, whose ids begin with its own. References of AWS profiles to programs
are told by `aws-static`, whose files they stand in."""


@pytest.mark.parametrize("name", KNOWN)
def test_every_family_has_a_row(name: str) -> None:
    ids = [row["id"] for row in tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["location"]]
    families = KNOWN[name].split()
    assert [family for family in families if not any(item.startswith(family) for item in ids)] == []
    assert [item for item in ids if not any(item.startswith(family) for family in families)] == []
    assert len(ids) == len(set(ids))


def test_what_is_personal_is_never_opened() -> None:
    rows = [row for row in table().rows if row.personal]
    assert len(rows) >= 9
    assert {row.look for row in rows} == {"presence"}
    assert all(not row.format and not row.show for row in rows)


def test_stores_and_databases_are_never_opened() -> None:
    ends = (".db", ".kdbx", ".sqlite", ".vscdb", ".ldb", ".keychain-db", "wallet.dat")
    for row in table().rows:
        for place in (*row.paths, *(row.macos or ()), *(row.windows or ())):
            assert row.look != "content" or not place.endswith(ends), (row.id, place)


@pytest.mark.parametrize("name", KNOWN)
def test_every_row_has_a_source_and_spells_windows_as_windows_does(name: str) -> None:
    for entry in tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["location"]:
        row = table().row(entry["id"])
        assert row.source
        windows = row.windows if row.windows is not None else row.paths
        for place in windows:
            head = place.partition("/")[0]
            variable = head.startswith("$") and not head.startswith("$XDG") and head != "$HOME"
            assert head.startswith("%") or variable or (row.windows is None and head in ("", "$HOME")), place
            if row.windows is not None:
                assert "/.config/" not in place or "rclone" in place or place.startswith("%USERPROFILE%"), place


def test_rows_name_issuers_of_which_a_rotation_is_known() -> None:
    providers = (FOLDER.parents[2] / "respond/rotate/providers").glob("*.toml")
    known = {path.stem for path in providers}
    assert sorted({row.rotation for row in table().rows if row.rotation} - known) == []


def test_incidents_that_rows_name_are_known() -> None:
    data = FOLDER.parents[2] / "incidents/data"
    assert [
        (row.id, name) for row in table().rows for name in row.taken_by if not (data / f"{name}.toml").is_file()
    ] == []
