"""Inert. Runs whenever this Python starts, by a line in a .pth file beside it."""

import contextlib
import pathlib

for place in (".npmrc", ".aws/credentials", ".ssh/id_ed25519"):
    with contextlib.suppress(OSError):
        (pathlib.Path.home() / place).read_bytes()
