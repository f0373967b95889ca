"""What is worth parsing: a file that names nothing of interest is told by its imports alone, found without a parser."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from pratique.releases.python import interfaces
from pratique.releases.python.source import Source

STANDARD = sys.stdlib_module_names | frozenset(
    {"__builtin__", "urllib2", "httplib", "cPickle", "commands", "popen2", "ConfigParser", "Queue", "StringIO"}
    | {"cStringIO", "imp", "distutils", "asyncore", "asynchat", "smtpd", "_winreg", "thread", "urlparse", "HTMLParser"}
    | {"htmlentitydefs", "cookielib", "Cookie", "BaseHTTPServer", "SocketServer", "xmlrpclib", "copy_reg", "sets"}
    | {
        "__future__",
        "tomllib",
        "telnetlib",
        "cgi",
        "crypt",
        "pipes",
        "nntplib",
        "msilib",
        "spwd",
        "nis",
        "uu",
        "compression",
        "annotationlib",
        "_typeshed",
        "__pypy__",
        "__main__",
    }
    | {"Tkinter", "tkFileDialog", "tkMessageBox", "dummy_thread", "_dummy_thread", "exceptions", "new", "md5", "sha"}
)
"""Modules that come with Python, of every version that packages still speak to."""

_WORDS = tuple(
    word.encode()
    for word in [
        "exec",
        "eval(",
        "open(",
        "environ",
        "getenv",
        "subprocess",
        "system(",
        "popen",
        "socket",
        "requests",
        "httpx",
        "urlopen",
        "urllib",
        "urlretrieve",
        "aiohttp",
        "base64",
        "binascii",
        "zlib",
        "lzma",
        "bz2",
        "gzip",
        "marshal",
        "pickle",
        "ctypes",
        "__import__",
        "import_module",
        "builtins",
        "codecs",
        "fromhex",
        "shutil",
        "remove(",
        "unlink",
        "rmtree",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "getpass",
        "platform.n",
        "gethostname",
        "smtplib",
        "ftplib",
        "paramiko",
        "winreg",
        "pty.",
        "pyperclip",
        "clipboard",
        "keyring",
        "win32crypt",
        "fernet",
        "Crypto",
        "spawn",
        "twine",
        "http.client",
        "httplib",
        "websocket",
        "telnetlib",
        "xmlrpc",
        "dns.resolver",
        "os.uname",
        "getlogin",
        "getnode",
        "netifaces",
        "psutil",
        "getdefaultlocale",
        "gettrace",
        "chr(",
        "fork(",
        "FunctionType",
        "CodeType",
        "runpy",
        "wget",
        "posix",
        "cloudscraper",
        "pycurl",
        "niquests",
        "tls_client",
        "curl_cffi",
        "sqlite3",
        "kernel32",
        "compile(",
        "sleep(",
        "Timer(",
    ]
)
_ASKED = re.compile(
    rb"getattr\(\s*(?:os|posix|sys|nt|__\w+__)\b|import[ \t]+(?:os|sys|posix)[ \t]+as\b|from[ \t]+os[ \t]+import"
)
_IMPORT = re.compile(rb"(?:from|import)[ \t]+([\w.]+)")
_LINE = re.compile(
    rb"[ \t\f;:]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*[\w(*\\]"
    rb"|import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*)"
    rb"[ \t]*(?=[#;\r\n\\]|\Z))"
)
MODULES = frozenset(
    [
        "os",
        "subprocess",
        "socket",
        "requests",
        "httpx",
        "urllib",
        "urllib2",
        "urllib3",
        "aiohttp",
        "base64",
        "binascii",
        "zlib",
        "lzma",
        "bz2",
        "gzip",
        "marshal",
        "pickle",
        "cPickle",
        "ctypes",
        "importlib",
        "builtins",
        "__builtin__",
        "codecs",
        "shutil",
        "pathlib",
        "glob",
        "getpass",
        "platform",
        "smtplib",
        "ftplib",
        "paramiko",
        "winreg",
        "_winreg",
        "pty",
        "pyperclip",
        "clipboard",
        "keyring",
        "win32crypt",
        "win32clipboard",
        "win32api",
        "cryptography",
        "Crypto",
        "Cryptodome",
        "nacl",
        "twine",
        "http",
        "httplib",
        "httplib2",
        "websocket",
        "websockets",
        "telnetlib",
        "xmlrpc",
        "dns",
        "uuid",
        "netifaces",
        "psutil",
        "locale",
        "sys",
        "types",
        "runpy",
        "wget",
        "gdown",
        "posix",
        "nt",
        "cloudscraper",
        "pycurl",
        "niquests",
        "tls_client",
        "curl_cffi",
        "primp",
        "sqlite3",
        "tempfile",
        "asyncio",
        "multiprocessing",
        "threading",
        "time",
        "io",
        "commands",
        "popen2",
        "pexpect",
        "sh",
        "code",
        "imp",
        "tarfile",
        "zipfile",
        "configparser",
        "send2trash",
        "aiofiles",
        "six",
        "linecache",
        "tkinter",
        "PIL",
        "pandas",
        "win32process",
        "pwd",
        "_posixsubprocess",
        "_winapi",
        "requests_toolbelt",
        "codeop",
        "bytes",
        "json",
    ]
)
"""The first part of the names of modules that the tables of interfaces speak of."""
METHODS = (
    interfaces.STANDARD_METHODS
    | frozenset(
        name.rpartition(".")[2] for name in (*interfaces.PROCESSES, *interfaces.REQUESTS, *interfaces.CONNECTIONS)
    )
    | frozenset(name.rpartition(".")[2] for name in (*interfaces.RUNS, *interfaces.DECODES))
    | frozenset({"write", "writelines", "urlretrieve", "remove", "unlink"})
)

BUILTINS = interfaces.BUILTINS | {"open", "__import__", "import_module"}
OPENERS = frozenset({"__builtins__", "builtins", "bytes", "bytearray", "__import__", "globals", "getattr", "open"})
"""First names of calls that need no import."""


def worth(text: bytes) -> bool:
    """Whether a file names anything that the tables speak of."""
    return any(word in text for word in _WORDS) or (b"getattr(" in text and _ASKED.search(text) is not None)


def imported(source: Source) -> Iterator[tuple[str, int]]:
    """Modules that are imported at the beginning of a line, with the offset; relative ones begin with a dot."""
    text = source.text
    counted, quotes = 0, [0, 0]
    for found in _IMPORT.finditer(text):
        start = text.rfind(b"\n", 0, found.start()) + 1
        line = _LINE.match(text, start, min(len(text), start + 400))
        if line is None or not (start <= found.start() < line.end()):
            continue
        if text[max(0, start - 2) : start] == b"\\\n":
            continue  # it goes on from the line before
        for number, sign in enumerate((b'"""', b"'''")):
            quotes[number] += text.count(sign, counted, start)
        counted = max(counted, start)
        if quotes[0] % 2 or quotes[1] % 2:
            continue  # it stands in documentation
        if line[1] is not None:
            module = line[1].decode("utf-8", "replace")
            yield module, start
            if form(module) != "builtin":
                yield from ((name, start) for name in _names(text, module, line.end() - 1))
        elif line[2] is not None:
            for part in line[2].decode("utf-8", "replace").split(",")[:40]:
                yield part.split()[0], start


def _names(text: bytes, module: str, start: int) -> Iterator[str]:
    """The names that a line imports out of a module, each as the module that it may be."""
    end = text.find(b")" if text[start : start + 1] == b"(" else b"\n", start)
    listed = text[start : end if 0 <= end < start + 4000 else start + 400].strip(b"() \t\r\n")
    for part in listed.split(b","):
        words = part.split()
        name = words[0].decode("utf-8", "replace") if words else ""
        if name.isidentifier() and name.islower():
            yield f"{module}{name}" if module.endswith(".") else f"{module}.{name}"


def form(module: str) -> str:
    """Whether a module is one of Python's own, of a package, or relative."""
    if module.startswith("."):
        return "relative"
    return "builtin" if module.partition(".")[0] in STANDARD else "package"
