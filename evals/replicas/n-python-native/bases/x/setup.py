from setuptools import setup

setup(name="tally-fast", version="1.0.0", packages=["tally_fast"])
