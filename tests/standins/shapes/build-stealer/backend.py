"""Inert. A build backend that reads places of credentials while it builds a wheel with nothing in it."""

import pathlib
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    for place in (".npmrc", ".aws/credentials", ".ssh/id_ed25519"):
        with (pathlib.Path.home() / place).open("rb") as file:
            file.read()
    name = "anchor-1.0.0-py3-none-any.whl"
    about = "anchor-1.0.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as made:
        made.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: anchor\nVersion: 1.0.0\n")
        made.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{about}/RECORD", "")
    return name
