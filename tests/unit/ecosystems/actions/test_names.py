"""Secrets by name, steps without their script."""

from __future__ import annotations

import pytest

from pratique.ecosystems.actions.names import redacted, secrets_of, step_name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("${{ secrets.NPM_TOKEN }}", {"NPM_TOKEN"}),
        ("a ${{ secrets.A }} b ${{secrets.B||secrets.C}}", {"A", "B", "C"}),
        ("${{ secrets['KEY'] }}", {"KEY"}),
        ("${{ secrets[matrix.key] }}", {"all"}),
        ("${{ toJSON(secrets) }}", {"all"}),
        ("${{ toJSON( secrets ) }}", {"all"}),
        ("${{ github.token }}", {"GITHUB_TOKEN"}),
        ("secrets.NOT_AN_EXPRESSION", set()),
        ("plain", set()),
    ],
)
def test_secrets_are_named(text: str, names: set[str]) -> None:
    assert secrets_of(text) == names


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Run actions/checkout@v4", "Run actions/checkout@v4"),
        ("Post Run actions/checkout@v4", "Post Run actions/checkout@v4"),
        ("Run npm ci --ignore-scripts", "Run npm ci"),
        ("Run curl -H 'Authorization: Bearer abc' x.example", "Run curl …"),
        ("Run TOKEN=abcdef deploy now", "Run deploy …"),
        ('Run "$(secret)"', "Run …"),
        ("Deploy to production", "Deploy to production"),
    ],
)
def test_a_step_loses_its_script(title: str, name: str) -> None:
    assert step_name(title) == name


def test_tokens_are_struck_out() -> None:
    assert "abcdefghij" not in redacted("deploy npm_abcdefghijklmnop")
    assert redacted("https://user:pass@host.example/x") == "https://***@host.example/x"
