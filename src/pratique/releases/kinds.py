"""What kind of file a member of a release is, told by its first bytes and its name."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "javascript",
    "typescript",
    "declarations",  # .d.ts, .pyi: types alone
    "python",
    "shell",  # sh, bash, PowerShell, batch
    "manifest",  # package.json of the package itself, METADATA, PKG-INFO, pyproject.toml, setup.cfg
    "json",
    "path-configuration",  # .pth
    "gyp",
    "html",
    "text",
    "map",  # source map
    "native",  # ELF, PE, Mach-O, .node, WebAssembly
    "archive",
    "image",
    "binary",
]
