"""Ways out of the sandbox: each attempt is made in there, and a test fails where one gets anywhere.

Every sandbox is made twice where this is root: by root, and by another account. The attempts are inert: what they reach
for is made by the test, on the loopback and in temporary folders.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.sandbox import unusable
from tests.standins.contained import accounts, contained, environment, words

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"nothing can be contained here: {REASON}")

ATTEMPTS = r'''
import ctypes, json, os, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
outside = json.load(open(os.path.expanduser("~/outside.json")))
ARM = os.uname().machine == "aarch64"
told = {}

def attempt(function):
    """What an attempt gives: a text or list of what it reached; empty where it reached nothing."""
    try:
        told[function.__name__] = function()
    except (OSError, ValueError) as error:
        told[function.__name__] = ""
    return function

def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) if isinstance(one, int) else one for one in arguments])
    return result, ctypes.get_errno()

def done(numbers, *arguments):
    result, _ = call(numbers[ARM], *arguments)
    return f"it gave {result}" if result >= 0 else ""

def connected(family, kind, where):
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        one.connect(where)
        one.send(b"out")
        return f"connected to {where}"

@attempt
def descriptors():
    return [one for one in os.listdir("/proc/self/fd") if int(one) > 2 and os.path.lexists(f"/proc/self/fd/{one}") and not os.readlink(f"/proc/self/fd/{one}").startswith("/proc/")]

@attempt
def abstract_socket():
    return connected(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + outside["abstract"])

@attempt
def abstract_packet_socket():
    return connected(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + outside["abstract"] + "-packets")

@attempt
def engine_sockets():
    places = [outside["socket"], "/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"]
    return [one for one in places if os.path.exists(one)]

@attempt
def socket_of_the_host():
    return connected(socket.AF_UNIX, socket.SOCK_STREAM, outside["socket"])

@attempt
def loopback_of_the_host():
    return connected(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", outside["port"]))

@attempt
def interfaces():
    with open("/proc/net/dev") as file:
        names = [line.partition(":")[0].strip() for line in file if ":" in line]
    return [one for one in names if one not in ("lo", "sit0", "tunl0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0")]

@attempt
def file_of_the_host():
    return open(outside["file"]).read()

@attempt
def folders_of_the_host():
    return [one for one in (outside["folder"], outside["home"], outside["tree"]) if os.path.exists(one) and os.listdir(one)]

@attempt
def canary_anywhere():
    found = []
    for folder, folders, files in os.walk("/"):
        folders[:] = [one for one in folders if os.path.join(folder, one) not in ("/usr", "/proc")]
        found += [os.path.join(folder, one) for one in files if one == outside["canary"]]
    return found

@attempt
def new_file_on_the_host():
    with open(outside["folder"] + "/made-inside", "w") as file:
        file.write("out")
    return "written"

@attempt
def processes_of_the_host():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                text = open(f"/proc/{pid}/{name}", "rb").read()
            except OSError:
                continue
            if b"host-canary" in text or b"pytest" in text or b"standins" in text:
                found.append(f"{pid}/{name}")
    return found

@attempt
def roots_of_processes():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) != os.getpid():
            for name in ("root", "cwd", "ns/mnt"):
                try:
                    os.stat(f"/proc/{pid}/{name}")
                except OSError:
                    continue
                if int(pid) == 1:
                    found.append(f"{pid}/{name}")
    return found

@attempt
def above_the_root():
    os.chdir("/")
    for _ in range(64):
        os.chdir("..")
    return [] if sorted(os.listdir(".")) == sorted(os.listdir("/")) else os.listdir(".")

@attempt
def devices():
    wanted = {"null", "zero", "full", "random", "urandom", "shm", "fd", "stdin", "stdout", "stderr"}
    return sorted(set(os.listdir("/dev")) - wanted)

@attempt
def terminal():
    os.close(os.open("/dev/tty", os.O_RDWR))
    return "opened"

@attempt
def new_device():
    os.mknod(os.path.expanduser("~/disk"), 0o060600, os.makedev(*outside["disk"]))
    os.close(os.open(os.path.expanduser("~/disk"), os.O_RDONLY))
    return "opened"

@attempt
def traced():
    number = (101, 117)
    return [pid for pid in (outside["pid"], 1) if call(number[ARM], 16, pid, 0, 0)[0] == 0]

@attempt
def memory_read():
    return done((310, 270), 1, 0, 0, 0, 0, 0)

@attempt
def killed():
    found = []
    for pid in (outside["pid"],):
        try:
            os.kill(pid, 0)
            found.append(pid)
        except OSError:
            pass
    return found

@attempt
def mounted():
    return done((165, 40), b"tmpfs", b"/tmp", b"tmpfs", 0, 0)

@attempt
def mounted_anew():
    return done((165, 40), b"none", b"/usr", 0, 0x20, 0)

@attempt
def unmounted():
    return done((166, 39), b"/usr", 2)

@attempt
def mounted_by_new_calls():
    return done((430, 430), b"tmpfs", 0) or done((428, 428), -100, b"/", 1)

@attempt
def root_changed():
    return done((155, 41), b"/tmp", b"/tmp") or done((161, 51), b"/tmp")

@attempt
def namespace_made():
    flags = (0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x02000000, 0x10020000)
    return [hex(flag) for flag in flags if call((272, 97)[ARM], flag)[0] == 0]

@attempt
def namespace_made_by_clone():
    for numbers, arguments in (((56, 220), (0x10000011, 0, 0, 0, 0)), ((435, 435), (0, 0))):
        result, _ = call(numbers[ARM], *arguments)
        if result == 0:
            os._exit(0)
        if result > 0:
            return f"{numbers} gave {result}"
    return ""

@attempt
def namespace_entered():
    return [name for name in ("mnt", "net", "pid", "user") if call((308, 268)[ARM], os.open(f"/proc/self/ns/{name}", os.O_RDONLY), 0)[0] == 0]

@attempt
def kernel_entered():
    numbers = {"bpf": (321, 280), "perf": (298, 241), "kexec": (246, 104), "module": (175, 105), "userfaultfd": (323, 282),
               "add_key": (248, 217), "keyctl": (250, 219), "handle": (304, 265), "io_uring": (425, 425), "reboot": (169, 142),
               "fanotify": (300, 262), "swap": (167, 224)}
    return [name for name, one in numbers.items() if call(one[ARM], 0, 0, 0, 0, 0)[0] >= 0 or ctypes.get_errno() not in (1, 38)]

@attempt
def other_numbers():
    return "" if ARM else [hex(one) for one in (0x40000000 | 39, 0x40000000 | 59) if call(one)[1] != 38]

@attempt
def rare_sockets():
    kinds = {"vsock": (40, 1, 0), "packet": (17, 3, 0), "alg": (38, 5, 0), "netfilter": (16, 3, 12), "audit": (16, 3, 9),
             "raw": (2, 3, 1), "bluetooth": (31, 3, 0), "tipc": (30, 1, 0), "uevent": (16, 3, 15)}
    found = []
    for name, one in kinds.items():
        try:
            socket.socket(*one).close()
            found.append(name)
        except OSError:
            pass
    return found

@attempt
def system_written():
    found = []
    for path in ("/usr/made", "/usr/bin/made", "/bin/made", "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern",
                 "/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/dev/made"):
        try:
            with open(path, "w") as file:
                file.write("1")
            found.append(path)
        except OSError:
            pass
    return found

@attempt
def network_changed():
    with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
        file.write("1")
    return "written"

@attempt
def rights():
    lines = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    bad = [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(lines[name], 16)]
    return bad + ([] if lines["NoNewPrivs"].strip() == "1" else ["NoNewPrivs"]) + ([] if lines["Seccomp"].strip() == "2" else ["Seccomp"])

@attempt
def another_user():
    found = []
    for user in (0, 1, 65534, 1001):
        if user != os.getuid():
            try:
                os.setuid(user)
                found.append(user)
            except OSError:
                pass
    return found

@attempt
def memory_of_the_host():
    return done((29, 194), outside["segment"], 16, 0)

@attempt
def its_group_and_all():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(0, signal.SIGTERM)
    if os.fork() == 0:
        os.setsid()
        os.kill(1, signal.SIGKILL)
        os._exit(0)
    os.wait()
    return ""

with open(os.path.expanduser("~/told.json"), "w") as file:
    json.dump(told, file)
print("END " + json.dumps(told))
'''
NAMES = [line.removeprefix("def ").partition("(")[0] for line in ATTEMPTS.split("@attempt\n")[1:]]


@pytest.fixture(scope="module", params=accounts(), ids=lambda one: "account" if one else "own")
def attempts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All attempts, made in one sandbox, with what stood outside to be reached."""
    folder = tmp_path_factory.mktemp("host")
    folder.chmod(0o777)
    (folder / "canary-file-7431").write_text("of the host", "utf-8")
    taken: list[bytes] = []
    name = f"pratique-{os.getpid()}-{len(request.param)}"
    stream, packets = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    plain, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("0.0.0.0", 0))
    with closing(stream), closing(packets), closing(plain), closing(tcp):
        stream.bind(f"\0{name}")
        packets.bind(f"\0{name}-packets")
        plain.bind(str(folder / "docker.sock"))
        for one in (stream, plain):
            one.listen()
        for one in (stream, plain, tcp):
            threading.Thread(target=_accepting, args=(one, taken), daemon=True).start()
        outside = {
            "abstract": name,
            "socket": str(folder / "docker.sock"),
            "port": tcp.getsockname()[1],
            "file": str(folder / "canary-file-7431"),
            "canary": "canary-file-7431",
            "folder": str(folder),
            "home": os.path.expanduser("~") + "/.cache",
            "tree": str(Path(__file__).parent),
            "disk": [os.major(os.stat("/").st_dev), os.minor(os.stat("/").st_dev)],
            "pid": os.getpid(),
            "segment": 0x7431,
        }
        files = {"/home/mara/outside.json": json.dumps(outside), "/home/mara/attempts.py": ATTEMPTS}
        found = contained("python3 ~/attempts.py; echo $? > /run/steps/0", before=request.param, files=files)
        packets.setblocking(False)
        with suppress(BlockingIOError):
            taken.append(packets.recv(10))
    lines = [line for line in found["output"].splitlines() if line.startswith("END ")]
    assert lines, found["output"] + str(found["broken"])
    return {"told": json.loads(lines[0][4:]), "taken": taken, "folder": folder, **found}


def _accepting(listener: socket.socket, taken: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        taken.append(b"connected")
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_an_attempt_reaches_nothing(attempts: dict[str, Any], name: str) -> None:
    assert name in attempts["told"]
    assert not attempts["told"][name]


def test_the_host_saw_nothing_of_the_attempts(attempts: dict[str, Any]) -> None:
    assert attempts["taken"] == []
    assert not (attempts["folder"] / "made-inside").exists()
    assert attempts["broken"] == ""
    assert not attempts["timed_out"]


def test_calls_that_could_lead_out_are_told(attempts: dict[str, Any]) -> None:
    told = {one["detail"]["what"].partition(":")[0] for one in attempts["events"] if one["kind"] == "guard.tampering"}
    assert {"mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "clone", "bpf", "keyctl", "add_key"} <= told


def test_the_metadata_address_is_answered_by_the_sink_alone() -> None:
    ask = (
        "import socket\n"
        "with socket.create_connection(('169.254.169.254', 80), 3) as one:\n"
        "    one.sendall(b'GET /latest/meta-data/ HTTP/1.1\\r\\nHost: 169.254.169.254\\r\\n\\r\\n')\n"
        "    print(one.recv(100))\n"
    )
    found = contained("python3 ~/ask.py", files={"/home/mara/ask.py": ask})
    assert [(one["address"], one["port"], one["path"]) for one in found["sent"]] == [
        ("169.254.169.254", 80, "/latest/meta-data/")
    ]
    assert "200 OK" in found["output"]


# bounds


@pytest.mark.parametrize("before", accounts(), ids=lambda one: "account" if one else "own")
def test_a_fork_bomb_stays_small(before: tuple[str, ...]) -> None:
    bomb = "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.05)\n"
    begun = time.monotonic()
    found = contained("python3 ~/bomb.py", before=before, files={"/home/mara/bomb.py": bomb}, seconds=2.0, processes=60)
    assert time.monotonic() - begun < 20
    assert found["timed_out"]
    assert len(found["survivors"]) <= 60


def test_a_disk_that_is_filled_is_full_soon() -> None:
    fill = "for place in ~ /tmp /dev/shm /run; do head -c 200000000 /dev/zero > $place/fill; done; df -k / ~ /tmp; true"
    found = contained(fill, home=32 << 20, temporary=16 << 20)
    sizes = {one["path"]: one["size"] for one in found["after"] if one["path"].endswith("/fill")}
    assert len(sizes) >= 3
    assert max(sizes.values()) <= 64 << 20
    assert sizes["/home/mara/fill"] <= 32 << 20
    assert sizes["/tmp/fill"] <= 16 << 20


def test_memory_is_bounded_for_all_together() -> None:
    eat = (
        "import os, time\nfor _ in range(4): os.fork()\nheld = bytearray(os.urandom(1) * (40 << 20))\ntime.sleep(30)\n"
    )
    begun = time.monotonic()
    found = contained("python3 ~/eat.py", files={"/home/mara/eat.py": eat}, memory=200 << 20)
    assert "200 MB of memory" in found["broken"]
    assert time.monotonic() - begun < 15


def test_time_is_bounded_and_what_ignores_signals_ends_too() -> None:
    stay = (
        "trap '' TERM INT HUP; (setsid sh -c \"trap '' TERM; while :; do sleep 1; done\" &) ; while :; do sleep 1; done"
    )
    begun = time.monotonic()
    found = contained(stay, seconds=1.0)
    assert found["timed_out"]
    assert time.monotonic() - begun < 10


def test_a_flood_of_output_and_of_sendings_is_cut_and_told() -> None:
    flood = (
        "import socket, sys\n"
        "for _ in range(300): sys.stdout.write('x' * 65536)\n"
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for number in range(25000): one.sendto(b'%d' % number, ('203.0.113.9', 99))\n"
    )
    found = contained("python3 ~/flood.py", files={"/home/mara/flood.py": flood}, seconds=15.0)
    assert len(found["output"]) <= 256 << 10
    assert len(found["sent"]) <= 20_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_goes_on_when_the_program_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    mark = f"2{os.getpid():07d}{number:02d}"
    asked = words(f"setsid sleep {mark} & sleep {mark}", files={}, limits={"seconds": 60.0})
    given = {**environment(), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        asked, env=given, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        _until(lambda: len(_sleeping(mark)) == 2)
        child.send_signal(number)
        assert child.wait(10) != 0
        _until(lambda: not _sleeping(mark))
    if number == signal.SIGINT:
        assert list(tmp_path.iterdir()) == []


def _sleeping(mark: str) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path("/proc", pid, "cmdline").read_bytes() == b"sleep\0" + mark.encode() + b"\0":
                found.append(pid)
        except OSError:
            continue
    return found


def _until(true: Any) -> None:
    end = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
