from setuptools import setup

setup(name='harbour', version='1.0.0', packages=['harbour'])
