import os
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class Build(build_ext):
    def build_extensions(self):
        for one in self.extensions:
            one.extra_compile_args = ["/O2"] if sys.platform == "win32" else ["-O3"]
            if os.environ.get("TALLY_DEBUG"):
                one.extra_compile_args.append("-g")
        super().build_extensions()


setup(name="tally-fast", version="2.0.0", packages=["tally_fast"], ext_modules=[Extension("tally_fast._tally", ["tally_fast/_tally.c"])], cmdclass={"build_ext": Build})
