"""Texts without which a file can hold no fact of a kind: a cheap look before a file that is kept is read for facts.

A gate may let through what turns out to hold nothing. What it keeps out is code that hides these texts: facts of kept
files only tell whether a capability is new in a package, and complete chains that added code begins or ends.
"""

from __future__ import annotations

from collections.abc import Collection

GATES: dict[str, tuple[bytes, ...]] = {
    "capability.environment-read": (b"process.env", b"environ", b"getenv", b"$env:", b"printenv"),
    "capability.credential-read": (
        *(b".npmrc", b".pypirc", b".netrc", b".ssh", b"id_rsa", b".aws", b"credentials", b".git-credentials"),
        *(
            b".docker",
            b".kube",
            b"keychain",
            b"Keychain",
            b"wallet",
            b"Login Data",
            b"Cookies",
            b"169.254",
            b"metadata",
        ),
        *(b"gcloud", b".azure", b".env", b"keystore", b"gh auth"),
    ),
    "capability.file-read": (b"readFile", b"createReadStream", b"open(", b"read_text", b"read_bytes", b"readSync"),
    "capability.file-write": (b"writeFile", b"createWriteStream", b"appendFile", b"open(", b"write_", b"copyFile"),
    "capability.file-delete": (b"unlink", b"rmSync", b"rmdir", b"rmtree", b"fs.rm", b".remove("),
    "capability.network": (
        b"http",
        b"fetch",
        b"net",
        b"socket",
        b"request",
        b"XMLHttp",
        b"WebSocket",
        b"urllib",
        b"axios",
    ),
    "capability.download": (b"http", b"fetch", b"download", b"curl", b"wget", b"urlretrieve", b"request"),
    "capability.process": (b"child_process", b"exec", b"spawn", b"subprocess", b"os.system", b"popen", b"fork("),
    "capability.dynamic-code": (
        b"eval",
        b"Function",
        b"vm",
        b"exec",
        b"compile",
        b"_compile",
        b"setTimeout",
        b"import(",
    ),
    "capability.decode": (
        b"base64",
        b"atob",
        b"fromCharCode",
        b"unhex",
        b"decode",
        b"inflate",
        b"decompress",
        b"'hex'",
    ),
    "capability.encode": (b"base64", b"btoa", b"hex", b"encode", b"cipher", b"encrypt", b"gzip", b"deflate"),
    "capability.host-recon": (
        b"hostname",
        b"userInfo",
        b"platform",
        b"networkInterfaces",
        b"getpass",
        b"whoami",
        b"uname",
    ),
    "capability.persistence": (
        b"cron",
        b"systemd",
        b"LaunchAgents",
        b".bashrc",
        b".zshrc",
        b".profile",
        b"schtasks",
        b"Run",
    ),
    "capability.own-publish": (b"publish", b"_authToken", b"twine", b"npm token"),
    "capability.clipboard": (b"clipboard", b"pbcopy", b"pbpaste", b"xclip", b"pyperclip"),
    "capability.self-delete": (b"__filename", b"argv", b"__file__", b"unlink"),
    "capability.interface-hook": (b"fetch", b"XMLHttpRequest", b"ethereum", b"prototype", b"solana"),
    "capability.delay": (b"setTimeout", b"setInterval", b"sleep"),
    "obfuscation.string-array": (b"_0x", b"shift", b"parseInt"),
    "obfuscation.names": (b"_0x", b"O0", b"Il"),
}
"""Kind of fact to texts of which one must stand in the file. Kinds that are not named here have no gate."""

_CHAINS: dict[str, tuple[str, ...]] = {
    "chain.secret-to-network": ("capability.network",),
    "chain.download-to-run": ("capability.download", "capability.process"),
    "chain.decode-to-run": ("capability.decode", "capability.dynamic-code"),
    "chain.run-and-hide": ("capability.process", "capability.file-delete"),
}


def gated(kind: str) -> bool:
    """Whether a cheap look can tell that a file holds no fact of a kind."""
    return kind in GATES or kind in _CHAINS


def may_hold(content: bytes, kinds: Collection[str]) -> bool:
    """Whether a file may hold a fact of one of the kinds; kinds without a gate do not count."""
    for kind in kinds:
        if kind in GATES:
            if any(text in content for text in GATES[kind]):
                return True
        elif kind in _CHAINS and all(any(text in content for text in GATES[part]) for part in _CHAINS[kind]):
            return True
    return False
