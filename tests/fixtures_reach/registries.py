"""Recipes of package registries."""

from __future__ import annotations

from tests.fixtures_reach import Ground


def npm_rc(ground: Ground) -> None:
    """As `npm login` and `npm config set` write it."""
    ground.write(
        "$HOME/.npmrc",
        f"//registry.example/:_authToken={ground.secret('npm_')}\n"
        f"//other.example/:username=dev\n//other.example/:_password={ground.secret(length=24)}\n",
    )
    ground.variable("NPM_TOKEN", ground.secret("npm_"))


RECIPES = {"npm-rc": npm_rc}
