"""Give a file that was written whole its name, and never take the place of one that is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def name_once(draft: Path, path: Path) -> None:
    """Name `draft` `path`; it may keep its old name too. Raises OSError, FileExistsError where the name is taken."""
    try:
        os.link(draft, path)  # unlike a rename it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, as most sticks are
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(draft, path)
