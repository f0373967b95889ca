"""Formats against files of the programs that write them: captured with made-up values, or made here and now.

Captured: `aws configure set` of aws-cli 1.45.11, `kubectl config` of 1.32.4, `skopeo login` 1.9.3 and `docker login`
28.2.2 (which write the same), `keytool` of OpenJDK 17 (throw-away keys behind the password `changeit`). Made here:
keys of openssl, ssh-keygen and GnuPG.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.readers.credentials.told import fields, secret, told

JAVA_STORE = base64.b64decode(
    "/u3+7QAAAAIAAAACAAAAAQAGc2Vjb25kAAABohWbYR8AAAB/MH0wDgYKKwYBBAEqAhEBAQUABGtnVtFRseQq6eREp5SnDpJdJfbEVtjxTsqwQF"
    "aorrg8D5q6bq2duknX3ZEHtO3bnocZFE13H8iaGxue9HP15nRXNXqoyMjHy/whNW3YZjs7quoj0xqcSI8cU5T8Zpk/noY0u5Li0QmlM1q79wAA"
    "AAEABVguNTA5AAABOTCCATUwgdygAwIBAgIJAN7R7XDBbhUkMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHNob3AwHhcNMjYxMTI2MDIwNzEzWh"
    "cNMjcwMjI0MDIwNzEzWjAPMQ0wCwYDVQQDEwRzaG9wMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEO78B05lHlHstmKO6H/mnaAu+hvbNermF"
    "OGyiP8zYCLIvyrrN7LvMCEjNyx+eDQpnrxAk3PMH89kgNGaVJzgwr6MhMB8wHQYDVR0OBBYEFLROwp0Ro8/asccrnixBxTn68po+MAoGCCqGSM"
    "49BAMCA0gAMEUCIEQL1QZOwz93289G+t9iPrtlq4JHdI99p0kyULKSL9CzAiEA9Re3gREmZQvHn3F1/O60Xtqsb918hZj8PqaX5C/HbjEAAAAB"
    "AAZ1cGxvYWQAAAGiFZtcBAAAAH8wfTAOBgorBgEEASoCEQEBBQAEa1bN0/L7q2rPQ9VLbHJyU8pGfH0WZpBMuER//MEWtjzyASj4OWwgSyCYDj"
    "5ThMDEmEdPRBSZIQV1mF4njwf219rZjsTvNUklFXcAoyc1a9ePV2GEFEhp3Zy3Z2FlUorcY2r0e+nxbFwpHRjPAAAAAQAFWC41MDkAAAE5MIIB"
    "NTCB26ADAgECAghZ9Z2mKl+RjzAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDEwRzaG9wMB4XDTI2MTEyNjAyMDcxMloXDTI3MDIyNDAyMDcxMlowDz"
    "ENMAsGA1UEAxMEc2hvcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF/j9CPG0Hw3bfVF+Z47z+L2LHJkOSho0uQGu38bK9uCahJSOMpsMaNj"
    "Me8mDtMtS0ka2Cd2orpZP6pdI6KpEa+jITAfMB0GA1UdDgQWBBRPWzo8nCsJCka7cY2izh/708O4HjAKBggqhkjOPQQDAgNJADBGAiEAh7sJfZ"
    "5RxEK4P+7Xty2YZQE5i91BBgdQ802sLN5KsZUCIQD5+N4dCuSPRyiEMUN/CLjJ23jG4es+JlFP59kLLlc9htC5cHabuU7nWWgVePolEiDhiv0/"
)

AWS_CONFIG = """[default]
region = eu-west-1
s3 =
    max_concurrent_requests = 20
[profile deploy]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = default
[profile helper]
credential_process = /opt/give --out json
"""

KUBECONFIG = """apiVersion: v1
clusters:
- cluster:
    server: https://cluster.test:6443
  name: shop
contexts:
- context:
    cluster: shop
    user: robot
  name: shop
current-context: ""
kind: Config
preferences: {{}}
users:
- name: basic
  user:
    password: {0}
    username: dev
- name: cloud
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args: null
      command: aws
      env:
      - name: CLOUD_TOKEN
        value: {1}
      provideClusterInfo: false
- name: oidc
  user:
    auth-provider:
      config:
        client-secret: {2}
        idp-issuer-url: https://idp.test
      name: oidc
- name: robot
  user:
    token: {3}
"""


def run(*command: str, home: Path) -> None:
    """Run a program that makes keys, in a home of its own."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GNUPGHOME": str(home / "gnupg")}
    subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=home, env=environment)


def test_aws_configure() -> None:
    assert told("aws-static", AWS_CONFIG) == [
        {
            "field": "source_profile",
            "state": "reference",
            "protection": "unknown",
            "identity": (("profile", "deploy"), ("role", "arn:aws:iam::123456789012:role/deploy")),
        },
        {
            "field": "credential_process",
            "state": "reference",
            "protection": "unknown",
            "identity": (("profile", "helper"),),
        },
    ]
    text = (
        f"[default]\naws_access_key_id = AKIA{'Q' * 16}\naws_secret_access_key = {secret(length=40)}\n"
        f"[job]\naws_access_key_id = ASIA{'Q' * 16}\naws_secret_access_key = {secret(length=40)}\n"
        f"aws_session_token = {secret(length=300)}\n"
    )
    assert told("aws-static", text) == [
        {
            "field": "aws_secret_access_key",
            "kind": kind,
            "identity": (("profile", profile), ("key id", f"{start}{'Q' * 16}")),
            "fingerprint": "value",
        }
        for profile, start, kind in (("default", "AKIA", "aws-access-key"), ("job", "ASIA", "aws-session-key"))
    ]


def test_kubectl_config() -> None:
    text = KUBECONFIG.format(secret(), secret(), secret(), secret())
    found = told("kubeconfig", text)
    assert [(item["field"], item.get("state", "present")) for item in found if isinstance(item, dict)] == [
        ("password", "present"),
        ("exec", "reference"),
        ("exec.env.CLOUD_TOKEN", "present"),
        ("auth-provider", "reference"),
        ("auth-provider.client-secret", "present"),
        ("token", "present"),
    ]
    assert found[-1] == {
        "field": "token",
        "identity": (("user", "robot"), ("server", "https://cluster.test:6443"), ("context", "shop")),
        "fingerprint": "value",
    }


def test_kubectl_config_with_a_certificate(tmp_path: Path) -> None:
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "k.pem", "-out", "c.pem", "-days", "30", "-subj", "/O=shop/CN=admin"),
        home=tmp_path,
    )
    key, certificate = (base64.b64encode((tmp_path / name).read_bytes()).decode() for name in ("k.pem", "c.pem"))
    text = f"users:\n- name: admin\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    (found,) = told("kubeconfig", text)
    assert isinstance(found, dict)
    assert found["kind"] == "private-key"
    assert found["identity"] == (("user", "admin"), ("subject", "CN=admin,O=shop"))
    assert str(found["expires"]).endswith("Z")


def test_skopeo_and_docker_login() -> None:
    login = base64.b64encode(f"dev:{secret()}".encode()).decode()
    text = f'{{\n\t"auths": {{\n\t\t"localhost:5099": {{\n\t\t\t"auth": "{login}"\n\t\t}}\n\t}}\n}}'
    assert told("docker", text) == [
        {
            "field": "auths.localhost:5099.auth",
            "identity": (("registry", "localhost:5099"), ("user", "dev")),
            "fingerprint": "value",
        }
    ]


@pytest.mark.parametrize(
    ("command", "name", "protection"),
    [
        (["openssl", "genpkey", "-algorithm", "ED25519", "-out", "k"], "k", "plaintext"),
        (["openssl", "genpkey", "-algorithm", "ED25519", "-outform", "DER", "-out", "k"], "k", "plaintext"),
        (["openssl", "genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "pass:x", "-out", "k"], "k", "passphrase"),
        (["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "k"], "k", "plaintext"),
        (
            ["openssl", "genrsa", "-traditional", "-aes256", "-passout", "pass:x", "-out", "k", "2048"],
            "k",
            "passphrase",
        ),
        (["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"], "k", "plaintext"),
        (["ssh-keygen", "-q", "-t", "ed25519", "-N", "words", "-f", "k"], "k", "passphrase"),
    ],
    ids=range(7),
)
def test_keys(tmp_path: Path, command: list[str], name: str, protection: str) -> None:
    run(*command, home=tmp_path)
    content = (tmp_path / name).read_bytes()
    (found,) = told("tls-keys", content)
    assert isinstance(found, dict)
    assert found["field"] == "private key"
    assert found.get("protection", "plaintext") == protection
    assert ("fingerprint" in found) == (protection == "plaintext")
    if b"-----BEGIN" in content:
        assert "half understood" in fields("tls-keys", content[: len(content) // 2])


def test_stores_and_certificates(tmp_path: Path) -> None:
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem"),
        *("-days", "30", "-subj", "/CN=shop"),
        home=tmp_path,
    )
    run(
        *["openssl", "pkcs12", "-export", "-inkey", "k.pem", "-in", "c.pem", "-passout", "pass:x", "-out", "s.p12"],
        home=tmp_path,
    )
    run(*["openssl", "x509", "-in", "c.pem", "-outform", "DER", "-out", "c.der"], home=tmp_path)
    run(
        *["openssl", "pkcs8", "-topk8", "-in", "k.pem", "-passout", "pass:x", "-outform", "DER", "-out", "k.der"],
        home=tmp_path,
    )
    assert told("win-sign", (tmp_path / "s.p12").read_bytes()) == [
        {"field": "PKCS #12", "protection": "passphrase", "kind": "private-key"}
    ]
    assert told("win-sign", (tmp_path / "k.der").read_bytes()) == [
        {"field": "private key", "protection": "passphrase", "kind": "private-key"}
    ]
    assert told("tls-keys", (tmp_path / "c.pem").read_bytes()) == []
    assert told("tls-keys", (tmp_path / "c.der").read_bytes()) == []
    both = (tmp_path / "k.pem").read_bytes() + (tmp_path / "c.pem").read_bytes()
    (found,) = told("tls-keys", both)
    assert isinstance(found, dict)
    assert found["identity"] == (("subject", "CN=shop"),)


def test_java_store() -> None:
    assert told("android-sign", JAVA_STORE) == [
        {
            "field": "private key",
            "protection": "passphrase",
            "kind": "private-key",
            "identity": (("alias", alias),),
            "created": created,
        }
        for alias, created in (("second", "2026-11-26T02:07:14Z"), ("upload", "2026-11-26T02:07:12Z"))
    ]
    assert fields("android-sign", JAVA_STORE[:700])[-1] == "half understood"


def test_gnupg(tmp_path: Path) -> None:
    (tmp_path / "gnupg").mkdir(mode=0o700)
    make = ("gpg", "--batch", "--pinentry-mode", "loopback")
    run(*make, "--passphrase", "", "--quick-gen-key", "a@shop.test", "ed25519", home=tmp_path)
    run(*make, "--passphrase", "words", "--quick-gen-key", "b@shop.test", "ed25519", home=tmp_path)
    run(*make, "--passphrase", "", "-o", "ring", "--export-secret-keys", "a@shop.test", home=tmp_path)
    run("gpgconf", "--kill", "gpg-agent", home=tmp_path)
    found = [told("gpg", path.read_bytes()) for path in (tmp_path / "gnupg/private-keys-v1.d").iterdir()]
    assert len(found) >= 2
    assert {str(item.get("protection", "plaintext")) for (item,) in found if isinstance(item, dict)} == {
        "plaintext",
        "passphrase",
    }
    assert told("gpg", (tmp_path / "ring").read_bytes()) == [
        {"field": "key ring", "protection": "unknown", "kind": "openpgp-secret-key"}
    ]
    assert fields("gpg", (tmp_path / "gnupg/pubring.kbx").read_bytes()) == ["not understood"]
