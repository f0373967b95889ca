"""Which dotted name of Python or of a known library does what: the table from interfaces to capabilities.

Written from the documentation of Python's standard library and of the libraries named. A name that ends in `()` is the
result of that call; `#` begins the methods of any object of a class that is told by its constructor.
"""

from __future__ import annotations

import re

PROCESSES: dict[str, bool] = {
    **dict.fromkeys(("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), True),
    **dict.fromkeys(("commands.getoutput", "commands.getstatusoutput", "popen2.popen2", "popen2.popen3"), True),
    **dict.fromkeys(("asyncio.create_subprocess_shell", "pexpect.run", "pexpect.spawn", "os.startfile"), True),
    **dict.fromkeys(
        [f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")]
        + [f"os.{name}" for name in ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe")]
        + [f"os.{name}" for name in ("spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp")]
        + ["os.spawnvpe", "os.posix_spawn", "os.posix_spawnp", "pty.spawn", "asyncio.create_subprocess_exec"]
        + ["_posixsubprocess.fork_exec", "_winapi.CreateProcess", "win32process.CreateProcess", "sh.Command"]
        + ["ctypes.windll.shell32.ShellExecuteW", "ctypes.windll.shell32.ShellExecuteA"],
        False,
    ),
}
"""Starts a process: whether its command is read by a shell."""

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request", "stream")
_CLIENTS = (
    "requests", "httpx", "requests.Session()", "requests.session()", "requests.sessions.Session()", "httpx.Client()",
    "httpx.AsyncClient()", "aiohttp.ClientSession()", "cloudscraper.create_scraper()", "requests.api", "niquests",
    "tls_client.Session()", "curl_cffi.requests", "primp.Client()", "requests_toolbelt.sessions.BaseUrlSession()",
    "niquests.Session()", "aiohttp",
)  # fmt: skip
REQUESTS: dict[str, str] = {f"{client}.{verb}": verb for client in _CLIENTS for verb in _VERBS}
REQUESTS.update(
    {
        "urllib.request.urlopen": "get",
        "urllib2.urlopen": "get",
        "urllib.urlopen": "get",
        "urllib.request.build_opener().open": "get",
        "urllib3.PoolManager().request": "request",
        "urllib3.request": "request",
        "urllib3.PoolManager().urlopen": "request",
        "httplib2.Http().request": "get",
        "http.client.HTTPSConnection().request": "request",
        "http.client.HTTPConnection().request": "request",
        "httplib.HTTPSConnection().request": "request",
        "httplib.HTTPConnection().request": "request",
        "pycurl.Curl().perform": "get",
    }
)
"""Asks a server: by which method (`request`: the first argument says)."""

DOWNLOADS = {
    "urllib.request.urlretrieve": (0, 1),
    "urllib.urlretrieve": (0, 1),
    "urllib.request.URLopener().retrieve": (0, 1),
    "wget.download": (0, 1),
    "gdown.download": (0, 1),
}
"""Fetches a file: the places of the address and of the file among the arguments."""

CONNECTIONS: dict[str, bool] = {
    **dict.fromkeys(("socket.socket().connect", "socket.socket().connect_ex", "socket.create_connection"), False),
    **dict.fromkeys(("socket.socket().sendto", "smtplib.SMTP().sendmail", "smtplib.SMTP_SSL().sendmail"), True),
    **dict.fromkeys(("smtplib.SMTP().send_message", "smtplib.SMTP_SSL().send_message"), True),
    **dict.fromkeys(("ftplib.FTP().storbinary", "ftplib.FTP().storlines", "ftplib.FTP_TLS().storbinary"), True),
    **dict.fromkeys(("socket.socket().send", "socket.socket().sendall"), True),
    **dict.fromkeys(("socket.create_connection().send", "socket.create_connection().sendall"), True),
    **dict.fromkeys(("socket.gethostbyname", "socket.getaddrinfo", "socket.gethostbyname_ex"), False),
    **dict.fromkeys(("dns.resolver.resolve", "dns.resolver.query", "dns.resolver.Resolver().resolve"), False),
    **dict.fromkeys(("websocket.create_connection", "websockets.connect", "websocket.WebSocketApp"), False),
    **dict.fromkeys(("websockets.sync.client.connect", "asyncio.open_connection"), False),
    **dict.fromkeys(("ftplib.FTP", "ftplib.FTP_TLS", "smtplib.SMTP", "smtplib.SMTP_SSL"), False),
    **dict.fromkeys(("http.client.HTTPSConnection", "http.client.HTTPConnection"), False),
    **dict.fromkeys(("paramiko.SSHClient().connect", "paramiko.Transport"), False),
    **dict.fromkeys(("websockets.connect().send", "websocket.create_connection().send"), True),
    **dict.fromkeys(("telnetlib.Telnet", "xmlrpc.client.ServerProxy", "paramiko.SSHClient().open_sftp().put"), False),
}  # fmt: skip
"""Opens or uses a connection: whether it sends what it is given."""
LOOKUPS = frozenset(name for name in CONNECTIONS if name.startswith(("socket.get", "dns.")))

RUNS = {
    "exec": "exec",
    "eval": "eval",
    "compile": "compile",
    "execfile": "execfile",
    "builtins.exec": "exec",
    "builtins.eval": "eval",
    "builtins.compile": "compile",
    "__builtin__.eval": "eval",
    "code.InteractiveInterpreter().runsource": "runsource",
    "code.InteractiveInterpreter().runcode": "runcode",
    "types.FunctionType": "function",
    "types.CodeType": "code",
    "runpy.run_path": "run_path",
}
"""Runs text or a code object."""

DECODES = {
    "base64.b64decode": "base64",
    "base64.urlsafe_b64decode": "base64",
    "base64.standard_b64decode": "base64",
    "base64.decodebytes": "base64",
    "base64.decodestring": "base64",
    "base64.b32decode": "base32",
    "base64.b16decode": "hex",
    "base64.b85decode": "base85",
    "base64.a85decode": "ascii85",
    "binascii.unhexlify": "hex",
    "binascii.a2b_hex": "hex",
    "binascii.a2b_base64": "base64",
    "bytes.fromhex": "hex",
    "bytearray.fromhex": "hex",
    "zlib.decompress": "zlib",
    "gzip.decompress": "gzip",
    "bz2.decompress": "bz2",
    "lzma.decompress": "lzma",
    "codecs.decode": "codec",
    "marshal.loads": "marshal",
    "marshal.load": "marshal",
    "pickle.loads": "pickle",
    "cPickle.loads": "pickle",
    "cryptography.fernet.Fernet().decrypt": "fernet",
    "Crypto.Cipher.AES.new().decrypt": "aes",
    "Cryptodome.Cipher.AES.new().decrypt": "aes",
    "nacl.secret.SecretBox().decrypt": "secretbox",
}
"""Turns text or bytes back into what they stand for, and by what."""

ENCODES = {
    "base64.b64encode": "base64",
    "base64.urlsafe_b64encode": "base64",
    "base64.standard_b64encode": "base64",
    "base64.encodebytes": "base64",
    "base64.b32encode": "base32",
    "base64.b16encode": "hex",
    "base64.b85encode": "base85",
    "binascii.hexlify": "hex",
    "binascii.b2a_base64": "base64",
    "zlib.compress": "zlib",
    "gzip.compress": "gzip",
    "bz2.compress": "bz2",
    "lzma.compress": "lzma",
    "codecs.encode": "codec",
    "cryptography.fernet.Fernet().encrypt": "fernet",
    "Crypto.Cipher.AES.new().encrypt": "aes",
    "Cryptodome.Cipher.AES.new().encrypt": "aes",
    "Crypto.Cipher.PKCS1_OAEP.new().encrypt": "rsa",
    "nacl.public.SealedBox().encrypt": "sealedbox",
}
"""Encodes, compresses or encrypts, and by what."""

READS = {
    **dict.fromkeys(("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move"), 0),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"), 0),
    **dict.fromkeys(("sqlite3.connect", "configparser.ConfigParser().read", "shutil.make_archive"), 0),
    **dict.fromkeys(("zipfile.ZipFile().write", "tarfile.open().add", "linecache.getlines"), 0),
}
"""Reads what lies at a path: its place among the arguments. Listings count as reading only where the place is named."""
LISTINGS = frozenset({"os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"})
WRITES = {
    **dict.fromkeys(("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move"), 1),
    **dict.fromkeys(("os.rename", "os.replace", "os.symlink", "os.link"), 1),
    **dict.fromkeys(("os.chmod", "winreg.SetValueEx"), 0),
}
DELETES = frozenset({"os.remove", "os.unlink", "shutil.rmtree", "os.rmdir", "os.removedirs", "send2trash.send2trash"})
PATHS = {
    "pathlib.Path().read_text": "read",
    "pathlib.Path().read_bytes": "read",
    "pathlib.Path().write_text": "write",
    "pathlib.Path().write_bytes": "write",
    "pathlib.Path().unlink": "delete",
    "pathlib.Path().rmdir": "delete",
    "pathlib.Path().chmod": "chmod",
    "pathlib.Path().symlink_to": "write",
    "pathlib.Path().rename": "move",
    "pathlib.Path().replace": "move",
    "pathlib.Path().iterdir": "list",
    "pathlib.Path().glob": "list",
    "pathlib.Path().rglob": "list",
}
OPENS = frozenset(
    {"open", "io.open", "codecs.open", "os.open", "builtins.open", "aiofiles.open", "gzip.open", "bz2.open"}
)

RECON = frozenset(
    {"socket.gethostname", "socket.getfqdn", "platform.node", "platform.uname", "os.uname", "getpass.getuser"}
    | {"os.getlogin", "uuid.getnode", "psutil.users", "psutil.net_if_addrs", "netifaces.interfaces", "os.getuid"}
    | {"pwd.getpwuid", "pwd.getpwall", "ctypes.windll.kernel32.GetComputerNameW", "psutil.process_iter"}
    | {"platform.platform", "platform.version", "platform.processor", "win32api.GetUserName"}
)
CONDITIONS = {
    "locale.getdefaultlocale": "locale",
    "locale.getlocale": "locale",
    "sys.gettrace": "debugger",
    "ctypes.windll.kernel32.IsDebuggerPresent": "debugger",
    "ctypes.windll.kernel32.GetUserDefaultUILanguage": "locale",
    "time.tzname": "locale",
}
CLIPBOARD = frozenset(
    {"pyperclip.paste", "pyperclip.copy", "win32clipboard.GetClipboardData", "win32clipboard.SetClipboardText"}
    | {"pandas.read_clipboard", "tkinter.Tk().clipboard_get", "PIL.ImageGrab.grabclipboard", "clipboard.paste"}
    | {"ctypes.windll.user32.GetClipboardData", "clipboard.copy"}
)
NATIVE = frozenset(
    {"ctypes.CDLL", "ctypes.cdll.LoadLibrary", "ctypes.WinDLL", "ctypes.windll.LoadLibrary", "ctypes.PyDLL"}
)
INJECTS = frozenset(
    f"ctypes.windll.kernel32.{name}"
    for name in ("VirtualAlloc", "VirtualAllocEx", "RtlMoveMemory", "CreateThread", "CreateRemoteThread")
)
KEYRING = frozenset({"keyring.get_password", "keyring.get_credential", "win32crypt.CryptUnprotectData"})
PUBLISHES = re.compile(
    r"\btwine\s+upload|\b(?:poetry|flit|hatch|uv|pdm|npm|yarn|pnpm)\s+publish\b|setup\.py\s+(?:\S+\s+)*upload\b"
    r"|\btwine\b.{0,40}\bupload\b"
)
UPLOADS = re.compile(r"^https?://[^/\ufffc]{1,80}/legacy/?$")

STANDARD_METHODS = frozenset(
    name.rsplit(".", 1)[-1]
    for table in (REQUESTS, CONNECTIONS, DECODES, ENCODES, PATHS, DOWNLOADS, READS)
    for name in table
    if "()" in name
)
"""Last names of methods whose object has to be asked after."""
BUILTINS = frozenset({"exec", "eval", "compile", "open", "__import__", "getattr", "execfile", "input", "globals"})

FLOWS = frozenset(
    {"str", "bytes", "repr", "dict", "list", "tuple", "set", "sorted", "bytearray", "memoryview", "iter", "next"}
    | {"json.dumps", "json.loads", "json.load", "urllib.parse.urlencode", "urllib.parse.quote", "urllib.urlencode"}
    | {"urllib.parse.quote_plus", "io.BytesIO", "io.StringIO", "yaml.safe_load", "yaml.dump", "pickle.dumps", "format"}
    | {"aiohttp.FormData", "urllib.request.Request", "urllib2.Request", "copy.copy", "copy.deepcopy", "textwrap.dedent"}
    | {"zip", "map", "filter", "reversed", "enumerate", "compile", "builtins.compile", "binascii.hexlify", "ast.parse"}
    | {"requests.Request", "email.mime.text.MIMEText", "shlex.split", "shlex.quote", "os.path.expandvars", "min", "max"}
    | {"types.FunctionType", "pprint.pformat", "asyncio.run", "hashlib.sha256"} - {"hashlib.sha256"}
)
"""Gives back what it was given, in another form."""
FLOW_METHODS = frozenset(
    [
        "read",
        "readline",
        "readlines",
        "encode",
        "decode",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "splitlines",
        "join",
        "replace",
        "format",
        "format_map",
        "items",
        "values",
        "keys",
        "copy",
        "get",
        "json",
        "lower",
        "upper",
        "update",
        "append",
        "extend",
        "hex",
        "getvalue",
        "text",
        "content",
        "iter_content",
        "iter_lines",
        "setdefault",
        "pop",
        "result",
        "translate",
        "partition",
        "rpartition",
        "to_dict",
        "tobytes",
        "decompress",
        "raw",
        "send",
        "data",
        "body",
    ]
)
"""Methods and attributes that give what their object holds."""
