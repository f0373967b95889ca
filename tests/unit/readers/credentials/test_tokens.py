"""Tokens by their format: prefixes decide, lengths never reject, names are no tokens."""

from __future__ import annotations

import pytest

from pratique.readers.credentials.table import table
from pratique.readers.credentials.tokens import count, formats, holds, kind_of, recognise
from tests.unit.readers.credentials.told import secret


@pytest.mark.parametrize("row", [row for row in formats() if row.prefix], ids=lambda row: row.prefix)
def test_every_prefix_is_recognised_whatever_the_length(row) -> None:
    letters = {"a-f0-9": "0a1b2c3d4e", "a-f0-9-": "0a1b2c3d4e", "A-Z0-9": "Q0Q1Q2Q3", "A-Z0-9-": "Q0Q1Q2Q3"}
    letters |= {"a-z0-9": "q0q1q2q3"}
    body = letters.get(row.body, "Q0q1Q2q3")
    for length in (row.least, row.least * 3, 2000):
        found = recognise(row.prefix + (body * length)[:length])
        assert found is not None
        assert found.kind == row.kind
        assert found.provider == row.provider


def test_every_format_has_a_source_and_patterns_a_marker() -> None:
    assert [row.kind for row in formats() if not row.source] == []
    assert [
        row.kind for row in formats() if bool(row.pattern) == bool(row.prefix) or bool(row.pattern) != bool(row.marker)
    ] == []
    assert all(len(row.prefix) >= 3 for row in formats() if row.prefix)


def test_shapes_of_the_table_are_kinds() -> None:
    kinds = {row.kind for row in formats()}
    assert [(row.id, shape) for row in table().rows for shape in row.shapes if shape not in kinds] == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (secret("ghs_", 520), "github-installation-token"),
        ("ghs_" + ".".join((secret(length=40), secret(length=40), secret(length=40))), "github-installation-token"),
        (secret("sk-ant-api03-", 95), "anthropic-api-key"),
        (secret("sk-proj-", 150), "openai-project-key"),
        ("sk-" + secret(length=20) + "T3" + "BlbkFJ" + secret(length=20), "openai-key"),
        (secret("sk-", 40), "model-key"),
        ("123456789:A" + secret(length=34), "telegram-bot-token"),
        ("Abc8Q~" + secret(length=34), "azure-client-secret"),
        (secret(length=14) + ".atlasv1." + secret(length=65), "terraform-token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + secret(length=43), "jwt"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "private-key"),
        (secret("glpat-", 20), "gitlab-personal-token"),
        ("glpat-" + secret(length=27) + ".01." + secret(length=9), "gitlab-personal-token"),
        ("npm_config_registry", ""),
        ("ghp_", ""),
        ("AKIA" + "Q" * 16, ""),
        ("pk_live_" + "Q" * 30, ""),
        ("age1" + "q" * 58, ""),
        ("a plain sentence with sk-words and re_marks", ""),
        ("https://hooks.slack.com/services/" + secret(length=40), "slack-webhook"),
    ],
    ids=range(20),
)
def test_kinds(value: str, kind: str) -> None:
    assert kind_of(value) == kind


def test_tokens_are_counted_in_a_text() -> None:
    text = f"curl -H 'token {secret('ghp_')}' ; X={secret('ghp_')}\nnpm_config_x=1 task-list risk-free {secret('npm_')}"
    assert count(text) == {"github-classic-token": 2, "npm-token": 1}
    assert holds(text)
    assert not holds("ls -la; cd /srv; export PATH=$PATH:/opt/bin")


def test_a_token_inside_a_word_is_none() -> None:
    assert not holds("x" + secret("ghp_"))
