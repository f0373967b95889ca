"""Which distribution a module is from: by name, by the usual changes of a name, by a table of those that differ."""

from __future__ import annotations

from pratique.ecosystems.pypi.names import normalise

MODULES: dict[str, tuple[str, ...]] = {
    "pyyaml": ("yaml",),
    "pillow": ("PIL",),
    "beautifulsoup4": ("bs4",),
    "scikit-learn": ("sklearn",),
    "scikit-image": ("skimage",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "python-dateutil": ("dateutil",),
    "attrs": ("attr", "attrs"),
    "pyjwt": ("jwt",),
    "python-dotenv": ("dotenv",),
    "protobuf": ("google",),
    "pycryptodome": ("Crypto",),
    "pycryptodomex": ("Cryptodome",),
    "setuptools": ("setuptools", "pkg_resources"),
    "pyopenssl": ("OpenSSL",),
    "python-jose": ("jose",),
    "msgpack-python": ("msgpack",),
    "mysqlclient": ("MySQLdb",),
    "psycopg2-binary": ("psycopg2",),
    "pywin32": ("win32api", "win32con", "pythoncom", "win32com", "pywintypes"),
    "typing-extensions": ("typing_extensions",),
    "importlib-metadata": ("importlib_metadata",),
    "pyserial": ("serial",),
    "python-multipart": ("multipart", "python_multipart"),
    "gitpython": ("git",),
    "pygithub": ("github",),
    "discord-py": ("discord",),
    "python-magic": ("magic",),
    "pyzmq": ("zmq",),
    "dnspython": ("dns",),
    "faiss-cpu": ("faiss",),
    "python-slugify": ("slugify",),
    "ruamel-yaml": ("ruamel",),
    "sentry-sdk": ("sentry_sdk",),
    "websocket-client": ("websocket",),
    "grpcio": ("grpc",),
    "grpcio-status": ("grpc_status",),
    "pyperclip": ("pyperclip",),
    "markdown-it-py": ("markdown_it",),
    "backports-zoneinfo": ("backports",),
    "tensorflow-cpu": ("tensorflow",),
    "pymysql": ("pymysql",),
    "jinja2": ("jinja2",),
    "charset-normalizer": ("charset_normalizer",),
    "google-api-python-client": ("googleapiclient", "apiclient"),
    "google-cloud-storage": ("google",),
    "azure-identity": ("azure",),
    "pynacl": ("nacl",),
    "pycurl": ("pycurl",),
    "levenshtein": ("Levenshtein",),
    "python-telegram-bot": ("telegram",),
    "kubernetes": ("kubernetes",),
    "lazy-object-proxy": ("lazy_object_proxy",),
    "antlr4-python3-runtime": ("antlr4",),
    "ipython": ("IPython",),
    "pyqt5": ("PyQt5",),
    "pyside6": ("PySide6",),
    "wxpython": ("wx",),
    "python-ldap": ("ldap",),
    "pygments": ("pygments",),
    "docutils": ("docutils",),
    "sqlalchemy": ("sqlalchemy",),
    "cython": ("Cython", "cython"),
    "pyasn1": ("pyasn1",),
    "mistune": ("mistune",),
    "more-itertools": ("more_itertools",),
    "zope-interface": ("zope",),
    "flask-sqlalchemy": ("flask_sqlalchemy",),
    "django": ("django",),
    "djangorestframework": ("rest_framework",),
    "python-socketio": ("socketio",),
    "python-engineio": ("engineio",),
    "fonttools": ("fontTools",),
    "pyobjc-core": ("objc",),
    "simple-parsing": ("simple_parsing",),
    "umap-learn": ("umap",),
    "hydra-core": ("hydra",),
    "pytorch-lightning": ("pytorch_lightning",),
    "sentence-transformers": ("sentence_transformers",),
    "llama-index-core": ("llama_index",),
    "unstructured-client": ("unstructured_client",),
    "pyarrow": ("pyarrow",),
}
"""Modules of distributions whose modules are called otherwise (normalised names)."""
NO_IMPORT = frozenset(
    {"tzdata", "wheel", "pip", "colorama", "certifi", "win-unicode-console", "pywin32-ctypes", "nvidia-cublas-cu12"}
)
"""Distributions that are wanted for what they bring or do, also where nothing imports them."""
_AFFIXES = ("python-", "py", "python3-")
_ENDINGS = ("-python", "-py", "-py3", "-python3", "-sdk", "-client", "-stubs", "-cpu", "-gpu", "-binary")


def modules_of(name: str) -> frozenset[str]:
    """Modules that a distribution may have, in small letters with underscores: its name, and usual changes of it."""
    plain = normalise(name)
    found = {plain, *MODULES.get(plain, ())}
    for affix in _AFFIXES:
        if plain.startswith(affix) and len(plain) > len(affix) + 1:
            found.add(plain[len(affix) :])
    for ending in _ENDINGS:
        if plain.endswith(ending):
            found.add(plain[: -len(ending)])
    found |= {f"py{plain}", plain.replace("-", "")}
    first = plain.partition("-")[0]
    if first in ("google", "azure", "zope", "backports", "jaraco", "opentelemetry", "sphinxcontrib", "ruamel", "llama"):
        found.add(first)
    return frozenset(one.lower().replace("-", "_").partition(".")[0] for one in found)


def distributions_of(module: str) -> frozenset[str]:
    """Normalised names of distributions that a module (its first name) may be from."""
    found = {normalise(module)}
    found.update(name for name, modules in MODULES.items() if module in modules)
    return frozenset(found)
