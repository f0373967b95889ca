"""Inert. Reads places of credentials when it is imported."""

import contextlib
import pathlib

for place in (".npmrc", ".aws/credentials", ".ssh/id_ed25519"):
    with contextlib.suppress(OSError):
        (pathlib.Path.home() / place).read_bytes()
