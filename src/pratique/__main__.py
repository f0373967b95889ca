"""`python -m pratique`."""

from __future__ import annotations

import sys

from pratique.doors.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
