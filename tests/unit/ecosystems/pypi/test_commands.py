"""Which command lines install Python packages."""

from __future__ import annotations

import pytest

from pratique.ecosystems.pypi.commands import commands


@pytest.mark.parametrize(
    "line",
    [
        "pip install litellm==1.82.8",
        "sudo -H -u dev pip3 install litellm==1.82.8",
        "PIP_NO_INPUT=1 env A=b pip install litellm==1.82.8",
        "python3 -I -u -m pip install litellm==1.82.8",
        "py -3.11 -m pip install litellm==1.82.8",
        "timeout 60 pip install litellm==1.82.8",
        "pip --proxy http://proxy.test install --trusted-host registry.example litellm==1.82.8",
        "uv --directory api pip install litellm==1.82.8",
        "poetry -C api add litellm==1.82.8",
        "uvx litellm==1.82.8",
    ],
)
def test_an_install_is_seen_behind_flags_and_other_programs(line: str) -> None:
    assert [command.packages for command in commands(line)] == [("litellm==1.82.8",)]


@pytest.mark.parametrize(
    "line", ["pip show litellm", "python -c install", "python setup.py install", "python", "uv", "echo pip"]
)
def test_other_commands_install_nothing(line: str) -> None:
    assert list(commands(line)) == []
