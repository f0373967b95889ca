"""Formats whose producers do not run here, by their documentation: each quotes what the tool writes."""

from __future__ import annotations

import base64
import json

import pytest

from tests.unit.readers.credentials.told import fields, secret, told


def test_gcp_kinds_of_credentials() -> None:
    user = {
        "client_id": "764086051850-abc.apps.example",
        "client_secret": secret("d-"),
        "refresh_token": secret("1//0"),
        "quota_project_id": "shop",
        "type": "authorized_user",
    }
    (found,) = told("gcp-adc", json.dumps(user))
    assert found == {
        "field": "refresh_token",
        "kind": "google-refresh-token",
        "identity": (("project", "shop"), ("client", "764086051850-abc.apps.example"), ("type", "authorized_user")),
        "fingerprint": "google-refresh-token",
    }
    assert fields("gcp-adc", json.dumps({**user, "client_id": "own.apps.example"})) == [
        "client_secret",
        "refresh_token",
    ]
    elsewhere = {"type": "external_account", "audience": "//iam", "credential_source": {"file": "/var/token"}}
    assert told("gcp-adc", json.dumps(elsewhere)) == [
        {
            "field": "type",
            "state": "reference",
            "protection": "unknown",
            "identity": (("type", "external_account"),),
        }
    ]
    nested = {"type": "impersonated_service_account", "source_credentials": user}
    assert fields("gcp-adc", json.dumps(nested)) == [
        "type",
        "source_credentials.client_secret",
        "source_credentials.refresh_token",
    ]


def test_azure_sealed_by_windows() -> None:
    blob = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb") + b"\1" * 300
    assert told("azure-msal", blob) == [{"field": "whole file", "protection": "encrypted"}]


def test_azure_profile_of_subscriptions_holds_nothing() -> None:
    profile = '\ufeff{"installationId": "1", "subscriptions": [{"id": "2", "user": {"name": "dev@shop.test"}}]}'
    assert told("azure-msal", profile.encode()) == []


def test_docker_helpers_and_empty_entries() -> None:
    text = '{"auths": {"registry.test": {}}, "credsStore": "desktop", "credHelpers": {"gcr.test": "gcloud"}}'
    assert told("docker", text) == [
        {
            "field": "credsStore",
            "state": "reference",
            "protection": "keychain",
            "identity": (("helper", "desktop"),),
        },
        {
            "field": "credHelpers",
            "state": "reference",
            "protection": "keychain",
            "identity": (("registry", "gcr.test"), ("helper", "gcloud")),
        },
    ]


def test_docker_login_that_is_no_base64_is_told_all_the_same() -> None:
    found = fields("docker", f'{{"auths": {{"a.test": {{"auth": "{secret()}!"}}}}}}')
    assert "auths.a.test.auth" in found
    assert "half understood" in found


def test_docker_headers_and_old_files() -> None:
    login = base64.b64encode(f"dev:{secret()}".encode()).decode()
    assert fields("docker", f'{{"https://a.test/v1/": {{"auth": "{login}", "email": "x"}}}}') == [
        "auths.https://a.test/v1/.auth"
    ]
    text = f'{{"HttpHeaders": {{"User-Agent": "x", "Authorization": "Basic {secret()}"}}}}'
    assert fields("docker", text) == ["HttpHeaders.Authorization"]


@pytest.mark.parametrize(
    ("line", "identity"),
    [
        ("db.test:5432:shop:dev:{}", (("host", "db.test"), ("port", "5432"), ("database", "shop"), ("user", "dev"))),
        ("*:*:*:dev:{}", (("host", "*"), ("port", "*"), ("database", "*"), ("user", "dev"))),
        ("a\\:b:1:c\\\\:d:{}\\:x", (("host", "a:b"), ("port", "1"), ("database", "c\\"), ("user", "d"))),
    ],
)
def test_pgpass(line: str, identity: tuple[tuple[str, str], ...]) -> None:
    assert told("pgpass", line.format(secret()) + "\r\n# note\n") == [
        {"field": "password", "kind": "password", "identity": identity}
    ]


def test_pgpass_that_is_damaged() -> None:
    assert fields("pgpass", f"a:b:c:{secret()}\n") == ["not understood"]
    assert fields("pgpass", f"a:1:c:d:{secret()}\nnonsense\n") == ["password", "half understood"]


def test_mysql() -> None:
    text = f'[client]\nuser=dev\npassword="{secret()}"\n[mysqldump]\nquick\npasswd={secret()}\n!includedir /etc/x\n'
    assert told("mysql", text) == [
        {"field": "client.password", "kind": "password", "identity": (("group", "client"), ("user", "dev"))},
        {"field": "mysqldump.passwd", "kind": "password", "identity": (("group", "mysqldump"),)},
        "half understood",
    ]
    assert told("mysql", b"\0\0\0\0" + b"\7" * 120) == [{"field": "login path file"}]
    assert told("mysql", b"\0\0\0\0" + b"\7" * 20) == []


def test_age_and_its_plug_ins() -> None:
    public = "age1" + "q" * 58
    text = f"# created: 2026-01-01T00:00:00Z\n# public key: {public}\n{secret('AGE-SECRET-KEY-1', 58).upper()}\n"
    assert told("sops-age", text) == [
        {
            "field": "secret key",
            "kind": "age-secret-key",
            "identity": (("public key", public),),
            "created": "2026-01-01T00:00:00Z",
            "fingerprint": "age-secret-key",
        }
    ]
    (found,) = told("sops-age", f"#       Recipient: {public}\nAGE-PLUGIN-YUBIKEY-1Q\n")
    assert isinstance(found, dict)
    assert (found["state"], found["protection"]) == ("reference", "hardware")
    assert told("sops-age", "age-encryption.org/v1\n-> scrypt\n")[0]["protection"] == "passphrase"
    assert fields("sops-age", "words\n") == ["not understood"]


def test_a_stub_of_a_card_is_a_reference() -> None:
    text = "Created: 20260101T000000\nToken: D2760001240100000006123456780000 OPENPGP.1 - 123\nKey: (shadowed-private-key (rsa (n #00#)))\n"
    assert told("gpg", text) == [
        {
            "field": "secret key",
            "state": "reference",
            "protection": "hardware",
            "kind": "openpgp-secret-key",
            "created": "2026-01-01T00:00:00Z",
        }
    ]


def test_web_tokens_say_until_when() -> None:
    said = {"iss": "https://cluster.test", "sub": "system:serviceaccount:shop:web", "exp": 1770003600, "aud": ["api"]}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, said)
    ]
    (found,) = told("k8s-incluster", ".".join((*parts, secret(length=86))))
    assert found == {
        "field": "whole file",
        "kind": "jwt",
        "identity": (
            ("subject", "system:serviceaccount:shop:web"),
            ("issuer", "https://cluster.test"),
            ("audience", "api"),
        ),
        "expires": "2026-02-02T03:40:00Z",
        "fingerprint": "jwt",
    }


def test_whole_files() -> None:
    assert fields("vault", "") == []
    assert fields("vault", "${VAULT_TOKEN}") == ["whole file"]
    assert told("vault", "${VAULT_TOKEN}")[0]["state"] == "reference"
    assert fields("vault", f"{secret('hvs.')}\nmore\n") == ["whole file", "half understood"]


def test_servers_of_agents() -> None:
    text = f"""{{"mcpServers": {{"git": {{"command": "x", "env": {{"GITHUB_TOKEN": "{secret("ghp_")}", "LOG_LEVEL": "debug",
      "A_TOKEN": "${{A_TOKEN}}", "KEY_FILE": "/x"}}, "args": ["--port", "80"]}}}}, "apiKeyHelper": "/opt/give"}}"""
    found = told("mcp-config", text)
    assert [(item["field"], item.get("state", "present")) for item in found if isinstance(item, dict)] == [
        ("mcpServers.git.env.GITHUB_TOKEN", "present"),
        ("mcpServers.git.env.A_TOKEN", "reference"),
        ("apiKeyHelper", "reference"),
    ]
    assert found[0]["identity"] == (("server", "git"),)


def test_histories_are_counted() -> None:
    text = f"curl -H {secret('ghp_')} x\npsql postgres://dev:{secret()}@db.test/shop\ngit push {secret('ghp_')}\n"
    assert told("shell-history", text) == [
        {"field": "typed", "kind": "github-classic-token", "identity": (("count", "2"),)},
        {"field": "typed", "kind": "url-password", "identity": (("count", "1"),)},
    ]
    assert told("shell-history", b": 1700000000:0;ls \x83\xff\n") == []


def test_environment_files() -> None:
    text = (
        f"NODE_ENV=production\nPORT=3000\nDB_PASSWORD={secret()}\nREADME=https://host.test/x\nMINE={secret()}\n"
        f"CERT_KEY_FILE=/etc/key.pem\nPIN_TOKEN=1234\nSEALED_TOKEN=encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt\n"
        f"REDIS=redis://:{secret()}@db.test\nEXAMPLE_TOKEN=<token>\nDOCS={secret('ghp_')}\n"
    )
    found = told("dotenv", text)
    assert [(item["field"], item.get("state"), item.get("protection")) for item in found if isinstance(item, dict)] == [
        ("DB_PASSWORD", None, None),
        ("MINE", None, None),
        ("CERT_KEY_FILE", "reference", "unknown"),
        ("SEALED_TOKEN", None, "encrypted"),
        ("REDIS", None, None),
        ("DOCS", None, None),
    ]


def test_start_files_of_shells() -> None:
    text = f"export NPM_TOKEN={secret('npm_')}\nalias x='curl -H {secret('ghp_')}'\nexport EDITOR=vi\n"
    assert [(item["field"], item["kind"]) for item in told("shell-rc", text) if isinstance(item, dict)] == [
        ("NPM_TOKEN", "npm-token"),
        ("elsewhere in the file", "github-classic-token"),
    ]


def test_compose_files() -> None:
    text = f"services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {secret()}\n      PGUSER: dev\n    env_file:\n      - a.env\n"
    assert fields("dotenv-compose", text) == ["POSTGRES_PASSWORD", "env_file"]


def test_blocks_of_hashicorps_language() -> None:
    text = f'credentials "app.test" {{\n  token = "{secret()}"\n}}\nhost "x" {{ token = "{secret()}" }}\n'
    assert fields("terraform-rc", text) == ["credentials.app.test.token", "host.x.token"]
    assert fields("terraform-rc", "a = <<EOT\nb\nEOT\n") == ["half understood"]


def test_kafka() -> None:
    text = (
        "bootstrap.servers=kafka.test:9092\nsasl.jaas.config=org.apache.kafka.PlainLoginModule required \\\n"
        f'  username="dev" password="{secret()}";\nssl.keystore.password={secret()}\n'
    )
    assert told("kafka", text) == [
        {"field": "sasl.jaas.config password", "identity": (("servers", "kafka.test:9092"), ("user", "dev"))},
        {"field": "ssl.keystore.password", "identity": (("servers", "kafka.test:9092"),)},
    ]


def test_words() -> None:
    text = f"account shop\nhost mail.test\nuser dev\npassword {secret()}\naccount other\npasswordeval pass show x\n"
    found = told("sendgrid-mail", text)
    assert [(item["field"], item.get("state", "present")) for item in found if isinstance(item, dict)] == [
        ("password", "present"),
        ("passwordeval", "reference"),
    ]
    assert found[0]["identity"] == (("account", "shop"), ("host", "mail.test"), ("user", "dev"))


def test_machines() -> None:
    assert fields("aws-imds", "Amazon EC2\n") == ["metadata service"]
    assert fields("aws-imds", "QEMU\n") == []


def test_wireguard_and_filezilla() -> None:
    text = f"[Interface]\nPrivateKey = {secret(length=43)}=\n[Peer]\nPublicKey = x\nEndpoint = vpn.test:1\n"
    assert fields("vpn-mesh", text) == ["Interface.PrivateKey"]
    xml = f"<FileZilla3><Servers><Server><Host>a.test</Host><User>dev</User><Pass encoding='base64'>{secret()}</Pass></Server></Servers></FileZilla3>"
    assert told("remote-tools-filezilla", xml) == [
        {"field": "FileZilla3.Servers.Server.Pass", "identity": (("host", "a.test"), ("user", "dev"))}
    ]
