"""Whether decoded bytes mean anything: a program, an archive, an address, or words of code or a language.

Two tests, by how the bytes came about. A *strict* decoding (base64, hexadecimal and the like) of something that was
never encoded gives bytes that are nearly random: that six of them are printable happens once in 400 times, and that a
known word of four letters stands in them once in a million. A *loose* one (reversed, rot13, exclusive or) turns
printable text into printable text, so that being printable proves nothing: there the words must be many, and there
must have been none before.
"""

from __future__ import annotations

import re
from typing import Literal

Meaning = Literal["", "native", "archive", "shell", "url", "code", "text", "word"]

_PRINTABLE = bytes(range(32, 127)) + b"\t\n\r\x0c"

_WORDS = frozenset(
    """
    about abort access account accept action address admin after agent alert allow also and another any api append
    application apply apps are args argument array asset async atob attribute auth authorization await axios background
    backup base64 bash basic bearer because been before below between binary bind bitcoin blob block body bool boolean
    bootstrap both browser btoa buffer build bundle button bytes call callback cannot case catch change channel char
    charcode check child children chmod chrome chunk class clear click client clipboard clone close cloud cmd code
    color command comment commit common compile concat config configuration confirm connect connection console const
    constructor contain content context continue control cookie cookies copy could count create createelement
    credential credentials cron crypt crypto curl current cursor custom data database date debug decode decompress
    decrypt def default define delete dependency deploy desktop destination detach detached dev device dir directory
    disable discord dist div dns document does domain done dotenv down download drop each echo edge electron element
    else email empty enable encode encoding encrypt end engine entry enum env environment error escape ethereum eval
    event every example except exec execfile execsync execute exist exit exodus exploit export exports express
    extension extract fail false fetch field file filename files filter final finally find firefox first fixed float
    folder follow font for force form format found from fromcharcode function generate get getenv getattr git github
    given global globals globalthis google group gzip handle has hash have head header headers height hidden hide home
    homedir host hostname href html http https icon iframe ignore image import in index info init inject innerhtml
    input insert install instance int interface internal into invoke iptables item iterator its javascript job join
    json just kernel key keys kill label language last launch length lib library license like line link linux list
    listen load loader local localhost localstorage location log login long loop machine main make malware map master
    match math media memory menu message metamask method microsoft mkdir mnemonic mode model module modules more most
    mouse move must name native navigator net network new next node nohup none not npm npmrc npmtoken null number
    object off onload only open opera option options origin other out output package page param parent parse pass passwd
    password passphrase patch path payload phantom php ping pip pipe place platform please plugin pop popen port post
    postinstall powershell prefix preinstall print private proc process profile program promise property protocol
    prototype provider proxy public publish push python query queue raise random range raw read readfile
    readfilesync readme ready recovery redirect referer regex register registry release remote remove rename replace
    report request require required res reset resolve resource response result return reverse root route rsa run running
    runtime safe same save schedule schema screen script scripts search secret secrets section seed select self send
    sendfile server service session set setinterval setting settings settimeout shell should show side size sleep
    slice socket solana some source spawn spawnsync split src ssh stack start startup state static status stdin stdout
    stderr step stop storage store stream string strict style subprocess success sudo super support svg switch symbol
    sync syntax sys system table tag target task telegram temp template terminal test text than that the their them
    then there these they this those thread throw time timeout timer title tmp token tokens tool top total trace
    transaction transfer transform tron true trust try type typeof undefined unlink unlinksync unzip update upload
    upgrade url urllib use used user useragent username users using utf util utils validate value var variable verify
    version video view void volume wait wallet wallets warning was watch web webhook webpack websocket were wget what
    when where whether which while whoami width will window windows with word work worker workflow workspace world
    would wrap write writefile writefilesync wscript xml xmlhttprequest xmlns year yes you your zip zlib zsh
    """.split()  # noqa: SIM905 - six hundred words read better so
)
"""Words of code and of English. No name of an incident: what makes text plausible is not what makes it evil."""

_WHOLE = frozenset(
    """
    os fs vm net tls dns http http2 https url zlib path exec eval execSync spawn spawnSync fork child_process
    node:child_process node:fs node:os node:http node:https node:net node:path node:vm node:crypto node:process
    fs/promises require module process global globalThis window document Function constructor atob btoa crypto buffer
    Buffer stream readline events util assert cluster worker_threads querystring axios request node-fetch got ws
    get post GET POST PUT data end error close exit env platform homedir hostname userInfo tmpdir arch type release
    win32 darwin linux pipe ignore inherit hex utf8 utf-8 base64 ascii binary latin1 aes-256-cbc aes-128-cbc
    aes-256-gcm sha256 md5 writeFileSync writeFile readFileSync readFile unlinkSync unlink existsSync mkdirSync
    chmodSync renameSync copyFileSync appendFileSync readdirSync statSync createWriteStream toString length substr
    substring slice split join reverse replace charCodeAt fromCharCode push concat parse stringify from alloc
    node npm npx bun deno bash sh zsh cmd cmd.exe powershell powershell.exe python python3 curl wget chmod sudo ssh
    /bin/sh /bin/bash /tmp/ .ssh .npmrc .env .aws package.json localhost subprocess socket urllib urllib.request
    requests builtins compile getattr __import__ marshal pickle codecs ctypes platform importlib
    """.split()  # noqa: SIM905 - as above
)
"""Short texts that mean something as a whole: what code that hides its strings most often hides."""

_TOKEN = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}(?![a-z])")
_ADDRESS = re.compile(
    r"\s*(?:(?:https?|wss?|ftps?|socks[45]?h?|tcp|udp|file|git|ssh)://[\w.\-\[\]:@]+"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?(?:/\S*)?\s*$"
    r"|(?:[a-z0-9][a-z0-9-]{0,62}\.)+(?:com|net|org|io|dev|app|xyz|top|info|site|online|onion|cloud|example|test|invalid"
    r"|ru|cn|me|cc|co|sh|ai|in|to|pw|tk|link|click|live|space|store|tech|world|eu|de|us|uk)(?::\d{2,5})?(?:/\S*)?\s*$)",
    re.ASCII,
)
_SHELL = re.compile(
    r"\s*#!\s*/|(?:^|[;&|\n]\s*)(?:curl|wget|bash|sh|sudo|chmod|powershell|nohup|python3?|node|rm|cmd|echo|export|cd|iex)"
    r"(?:\.exe)?\s+[-/~$\w\"'.]",
    re.ASCII,
)
_CODE = re.compile(
    r"[;{}]\s*(?:\n|$)|=>|\b(?:var|let|const|function|import|def|return|require|exec|eval|lambda)\b[\s({]", re.ASCII
)
_MAGIC: tuple[tuple[bytes, Meaning], ...] = (
    (b"\x7fELF", "native"),
    (b"\0asm\x01\0\0\0", "native"),
    (b"\xfe\xed\xfa\xce", "native"),
    (b"\xfe\xed\xfa\xcf", "native"),
    (b"\xce\xfa\xed\xfe", "native"),
    (b"\xcf\xfa\xed\xfe", "native"),
    (b"\xca\xfe\xba\xbe", "native"),
    (b"PK\x03\x04", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
)
LOOKED_AT = 1 << 16
"""How many bytes of decoded content must be text for it to be text."""
SAMPLE = 1 << 11
"""How many bytes of it are looked at for words."""


def text_of(content: bytes) -> str | None:
    """The text of bytes that are printable ASCII, UTF-8, or UTF-16 of mostly ASCII; None for anything else."""
    if not content.translate(None, _PRINTABLE):
        return content.decode("ascii")
    if len(content) >= 8 and content[1::2].count(0) * 10 >= len(content[1::2]) * 9 and content[::2].count(0) == 0:
        text = content[: len(content) & ~1].decode("utf-16-le", "replace")
    else:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            if len(content) not in (SAMPLE, LOOKED_AT) or error.start < len(content) - 3:
                return None
            text = content[: error.start].decode("utf-8")
    bare = text.translate(_BLANKS)
    return text if bare.isprintable() and len(content) > 1 else None


_BLANKS = dict.fromkeys(map(ord, "\t\n\r\x0c\u200b\u200d\ufeff\xa0\u3000"))


def magic_of(content: bytes) -> Meaning:
    """`native` or `archive` where bytes begin as a program or an archive does; empty otherwise."""
    for begin, meaning in _MAGIC:
        if content.startswith(begin):
            return meaning
    if content.startswith(b"MZ") and len(content) >= 64:
        at = int.from_bytes(content[60:64], "little")
        if content[at : at + 4] == b"PE\0\0":
            return "native"
    return "archive" if content[257:262] == b"ustar" else ""


def known_words(text: str) -> tuple[int, int, int]:
    """How many known words stand in a text, letters in known words of four or more, and letters in all."""
    words = known = letters = 0
    for token in _TOKEN.findall(text):
        letters += len(token)
        if token.lower() in _WORDS:
            words += 1
            if len(token) >= 4:
                known += len(token)
    return words, known, letters


def strictly(content: bytes) -> Meaning:
    """What bytes are that a strict decoding gave: for input that was never encoded, empty."""
    magic = magic_of(content)
    if magic:
        return magic
    text = text_of(content[:SAMPLE])
    if text is None or (len(content) > SAMPLE and text_of(content[:LOOKED_AT]) is None):
        return ""
    if text.strip() in _WHOLE:
        return "word"
    if len(text) < 6:
        return ""
    words, known, letters = known_words(text)
    return _named(text) if known or _language(text, words, letters) or _ADDRESS.match(text) else ""


def reads(content: bytes) -> bool:
    """Whether a quarter of a text's letters already lie in known words, so that undoing could only make it worse."""
    _, known, letters = known_words(content[:SAMPLE].decode("latin-1"))
    return known > 0 and known * 4 >= letters


def loosely(content: bytes) -> Meaning:
    """What text is that a loose decoding gave of something that did not read; see `reads`."""
    text = text_of(content[:SAMPLE])
    if text is None or len(text) < 6:
        return ""
    stripped = text.strip()
    if stripped in _WHOLE and len(stripped) >= 7:
        return "word"
    if "://" in text[:12] and _ADDRESS.match(text):
        return "url"
    _, known, letters = known_words(text)
    if known >= 10 and known * 2 >= letters:
        return _named(text)
    return ""


def _language(text: str, words: int, letters: int) -> bool:
    """Whether a printable text is one of words, known or not: long, mostly letters, with spaces as a language has."""
    if len(text) < 24:
        return False
    blanks = text.count(" ") + text.count("\n")
    other = sum(map(str.isalpha, text[:2048]))
    return other * 10 >= min(len(text), 2048) * 6 and (
        0.06 * len(text) <= blanks <= 0.34 * len(text) or (words >= 2 and letters > 0)
    )


def _named(text: str) -> Meaning:
    if _ADDRESS.match(text) and not re.search(r"\s", text.strip()):
        return "url"
    if _SHELL.search(text[:4096]):
        return "shell"
    return "code" if _CODE.search(text[:4096]) else "text"
