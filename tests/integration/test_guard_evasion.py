"""`pratique guard --block`: ways out of what is refused. Each of these got through once; a test fails if one does again.

Every program is inert: it reads a file that the test wrote, or sends to an address of the test's own network.
"""

from __future__ import annotations

import collections
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pratique.adapters.supervisor import unusable
from tests.integration.own_network import enter, in_a_thread
from tests.standins.real_clients import need

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
SECRET = "aws_secret_access_key = inert"
STEP = {"npm_package_name": "anchor", "npm_package_version": "1.0.0", "npm_lifecycle_event": "postinstall"}
Ran = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    place = tmp_path / "home/.aws/credentials"
    place.parent.mkdir(parents=True)
    place.write_text(SECRET, "utf-8")
    return place


@pytest.fixture
def ran(tmp_path: Path, secret: Path) -> Ran:
    """Runs a package's script under guard: what the command is given as its step's environment it is."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()

    def run(
        *words: str, options: tuple[str, ...] = (), step: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
        given |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(temporary)} | (STEP if step else {}) | more
        guard = [sys.executable, "-m", "pratique", "guard", "--block", "--linger", "0.2", *options, "--"]
        return subprocess.run(
            [*guard, *words], cwd=work, env=given, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str, str], str]:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make the programs that are watched")

    def make(name: str, text: str) -> str:
        (tmp_path / f"{name}.c").write_text("#define _GNU_SOURCE\n" + text, "utf-8")
        program = tmp_path / "work" / name
        words = ["cc", "-w", "-pthread", "-o", str(program), str(tmp_path / f"{name}.c")]
        subprocess.run(words, check=True, timeout=30)
        return str(program)

    return make


def test_a_script_does_not_become_the_users_own_by_its_environment(ran: Ran, secret: Path, tmp_path: Path) -> None:
    own = ["npm_lifecycle_event=build", f"npm_package_json={tmp_path / 'work' / 'package.json'}"]
    done = ran("env", *own, "cat", str(secret))
    assert done.returncode == 1
    assert SECRET not in done.stdout
    assert "npm anchor@1.0.0, postinstall" in done.stderr
    bare = ran("env", "-i", shutil.which("cat") or "cat", str(secret))
    assert SECRET not in bare.stdout


def test_no_package_takes_the_name_of_one_to_which_nothing_is_refused(ran: Ran, secret: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("exempt = ['esbuild']\n", "utf-8")
    policy = ("--policy", str(tmp_path / "policy.toml"))
    named = ["npm_lifecycle_event=postinstall", "npm_package_name=esbuild"]
    below = ran("env", *named, "cat", str(secret), options=policy)
    assert SECRET not in below.stdout
    claims = ran("env", *named, "sh", "-c", f"cat {secret}", options=policy, step=False)
    assert SECRET not in claims.stdout, "its manifest says so, its folder does not"
    folder = tmp_path / "work/node_modules/esbuild"
    folder.mkdir(parents=True)
    is_it = ran("sh", "-c", f"cd {folder} && env {' '.join(named)} cat {secret}", options=policy, step=False)
    assert SECRET in is_it.stdout


ORPHAN = """
#include <fcntl.h>
#include <unistd.h>
int main(int n, char **v){ if(fork()) kill(getpid(), 9); usleep(300000); char b[80]; int f=open(v[1],O_RDONLY);
  int m=f<0?-1:read(f,b,60); int o=open(v[2],O_WRONLY|O_CREAT,0644);
  if(m>0) write(o,b,m); else write(o,"refused",7); return 0; }
"""


def test_a_process_whose_parent_is_gone_is_the_packages(
    ran: Ran, secret: Path, tmp_path: Path, compiled: Callable[[str, str], str]
) -> None:
    program, found = compiled("orphan", "#include <signal.h>\n" + ORPHAN), tmp_path / "work/found"
    done = ran("sh", "-c", f"{program} {secret} {found}; sleep 1.2")
    assert found.read_text("utf-8") == "refused", done.stderr


PARENT = """
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int n, char **v){ long c=syscall(SYS_clone,CLONE_PARENT|SIGCHLD,0,0,0,0); if(c<0) return 7;
  if(!c){ char b[80]; int f=open(v[1],O_RDONLY), m=f<0?0:read(f,b,60); if(m>0) write(1,b,m); _exit(0); }
  sleep(1); return 0; }
"""


def test_a_process_under_another_parent_is_not_made(
    ran: Ran, secret: Path, compiled: Callable[[str, str], str]
) -> None:
    program = compiled("parent", PARENT)
    step = " ".join(f"{name}={value}" for name, value in STEP.items())
    done = ran("sh", "-c", f"{step} {program} {secret}; echo code $?", step=False)
    assert done.stdout == "code 7\n"


def test_what_a_package_leaves_running_is_ended_and_what_others_leave_is_not(
    ran: Ran, secret: Path, tmp_path: Path
) -> None:
    found, mark = tmp_path / "work/found", tmp_path / "work/mark"
    step = " ".join(f"{name}={value}" for name, value in STEP.items())
    late = f"{step} sh -c '(setsid sh -c \"sleep 1; cat {secret} > {found}\" &)'"
    other = f"(setsid sh -c 'sleep 1; echo on > {mark}' &)"
    done = ran("sh", "-c", f"{other}; sleep 0.3; {late}; sleep 0.2", step=False)
    assert "left running, and ended by the guard: sh -c 'sleep 1; cat" in done.stderr
    deadline = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.exists(), "what no package started goes on"
    time.sleep(0.3)
    assert not found.exists()


STEAL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
above = os.getppid()
while b"pratique" not in open(f"/proc/{above}/cmdline", "rb").read():
    above = int(open(f"/proc/{above}/stat").read().rpartition(")")[2].split()[1])
held = os.pidfd_open(above)
taken = [number for number in range(3, 64) if libc.syscall(438, held, number, 0) >= 0]
print(len(taken), os.strerror(ctypes.get_errno()))
for call, words in ((129, (above, 9, ctypes.create_string_buffer(128))), (200, (above, 9))) if os.uname().machine == "x86_64" else ():
    print(libc.syscall(call, *words), os.strerror(ctypes.get_errno()))
"""


def test_the_guards_own_descriptors_are_not_taken_and_no_signal_ends_it(ran: Ran) -> None:
    done = ran("python3", "-c", STEAL)
    lines = done.stdout.splitlines()
    assert lines[0] == "0 Operation not permitted", done.stdout + done.stderr
    assert set(lines[1:]) <= {"-1 Operation not permitted"}
    assert done.returncode == 0


ALIAS = """
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
int child(char **v, int out){ mount(0,"/",0,MS_REC|MS_PRIVATE,0); if(mount(v[1],v[2],0,MS_BIND,0)) _exit(1);
  char b[256]; snprintf(b,256,"%s/credentials",v[2]); dprintf(out,"%d\\n",open(b,O_PATH)); sleep(3); _exit(0); }
void show(const char *path){ char b[80]; int f=open(path,O_RDONLY), m=f<0?0:read(f,b,60); if(m>0) write(1,b,m); }
int main(int n, char **v){ int p[2], own=getuid()?CLONE_NEWUSER:0; char w[32]="", path[256]; long c=-1; pipe(p);
  if(v[3][0]=='3'){ struct clone_args a; memset(&a,0,sizeof a); a.flags=CLONE_NEWNS|own; a.exit_signal=SIGCHLD;
    c=syscall(SYS_clone3,&a,sizeof a); }
  else if(v[3][0]=='1') c=syscall(SYS_clone,CLONE_NEWNS|own|SIGCHLD,0,0,0,0);
  else { c=fork(); if(!c && unshare(CLONE_NEWNS|own)) _exit(1); }
  if(!c) child(v,p[1]);
  close(p[1]); if(c<0 || read(p[0],w,31)<=0){ puts("not made"); return 0; }
  snprintf(path,256,"/proc/%ld/fd/%d",c,atoi(w)); show(path);
  snprintf(path,256,"/proc/%ld/root%s/credentials",c,v[2]); show(path); kill(c,9); return 0; }
"""


@pytest.mark.parametrize("way", ["clone3", "1clone", "unshare"])
def test_no_mount_gives_a_file_another_name(
    ran: Ran, secret: Path, tmp_path: Path, compiled: Callable[[str, str], str], way: str
) -> None:
    program, place = compiled("alias", ALIAS), tmp_path / "place"
    place.mkdir()
    done = ran(program, str(secret.parent), str(place), way.removeprefix("clone"))
    assert SECRET not in done.stdout
    assert done.stdout == "not made\n", done.stdout + done.stderr


def test_a_second_name_that_was_there_before_does_not_help(ran: Ran, secret: Path, tmp_path: Path) -> None:
    os.link(secret, tmp_path / "work/innocent")
    done = ran("cat", "innocent")
    assert done.returncode == 1
    assert SECRET not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_disk_is_not_read_without_its_file_system(ran: Ran, tmp_path: Path) -> None:
    done = ran("sh", "-c", "mknod disk b 7 200 && echo made && head -c 1 disk")
    if "made" not in done.stdout:
        pytest.skip("no devices can be made here: the account lacks the right, or the file system forbids it")
    assert "Permission denied" in done.stderr


INTERPRETED = {
    "an interpreter by another name": f"ln -s {os.path.realpath(sys.executable)} tool; ./tool $TMPDIR/x.py",
    "behind an option with a value": "node --experimental-default-type commonjs $TMPDIR/x.js",
    "as what is loaded first": "node --require $TMPDIR/x.js -p 1",
    "as what is loaded first, in one word": "node --require=$TMPDIR/x.js -p 1",
    "by a folder": "mkdir $TMPDIR/d && cp $TMPDIR/x.js $TMPDIR/d/index.js && node $TMPDIR/d",
    "without its ending": "node $TMPDIR/x",
    "from its folder": "cd $TMPDIR && sh x.sh",
    "behind an option of a shell": "bash --rcfile /dev/null -o pipefail $TMPDIR/x.sh",
}


@pytest.mark.parametrize("name", INTERPRETED)
def test_no_option_hides_the_script_that_an_interpreter_takes(ran: Ran, name: str) -> None:
    for program in re.findall(r"\b(node|bash)\b", INTERPRETED[name])[:1]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    drop = 'echo "print(\\"got through\\")" > $TMPDIR/x.py; echo "console.log(\\"got through\\")" > $TMPDIR/x.js; '
    drop += 'echo "echo got through" > $TMPDIR/x.sh; '
    done = ran("sh", "-c", drop + INTERPRETED[name])
    assert "got through" not in done.stdout, done.stderr
    assert re.search("ermission denied|EACCES|an't open|Cannot find module", done.stderr), done.stderr


def test_files_beside_the_script_are_read_all_the_same(ran: Ran, tmp_path: Path) -> None:
    (tmp_path / "work/own.py").write_text("import sys; print(open(sys.argv[1]).read())\n", "utf-8")
    done = ran("sh", "-c", "echo content > $TMPDIR/input; python3 own.py $TMPDIR/input; python3 -Ic 'print(7)'")
    assert done.stdout == "content\n\n7\n", done.stderr


# programs start from where scripts cannot write


def _bare(step: bool = True) -> str:
    return " ".join(f"{name}={value}" for name, value in STEP.items()) if step else ""


def test_what_the_manager_wrote_starts_and_what_a_script_put_in_its_place_does_not(ran: Ran) -> None:
    write = "mkdir $TMPDIR/env; printf '#!/bin/sh\\necho tool' > $TMPDIR/env/tool; chmod +x $TMPDIR/env/tool; "
    own = "printf '#!/bin/sh\\necho got through' > $TMPDIR/mine; chmod +x $TMPDIR/mine; "
    done = ran("sh", "-c", f"{write} {_bare()} sh -c '$TMPDIR/env/tool'", step=False)
    assert done.stdout == "tool\n", done.stderr
    for replace in (
        "cat $TMPDIR/mine > $TMPDIR/env/tool",
        "mv $TMPDIR/mine $TMPDIR/env/tool",
        "rm $TMPDIR/env/tool; ln $TMPDIR/mine $TMPDIR/env/tool",
        "mkdir $TMPDIR/d; mv $TMPDIR/mine $TMPDIR/d/tool; mv $TMPDIR/env $TMPDIR/old; mv $TMPDIR/d $TMPDIR/env",
        "mv $TMPDIR/mine $TMPDIR/e; mv $TMPDIR/env/tool $TMPDIR/o; ln -s $TMPDIR/e $TMPDIR/env/tool",
    ):
        script = f'rm -rf $TMPDIR/*; {write} {_bare()} sh -c "{own} {replace}; $TMPDIR/env/tool"'
        done = ran("sh", "-c", script.replace("\\\\n", "\\n"), step=False)
        assert "got through" not in done.stdout, replace
        assert "ermission denied" in done.stderr, (replace, done.stderr)


def test_what_the_manager_moved_starts_too(ran: Ran) -> None:
    make = "mkdir -p $TMPDIR/.new/bin; printf '#!/bin/sh\\necho tool' > $TMPDIR/.new/bin/tool; "
    make += "chmod +x $TMPDIR/.new/bin/tool; mv $TMPDIR/.new $TMPDIR/env; "
    done = ran("sh", "-c", f"{make} {_bare()} sh -c '$TMPDIR/env/bin/tool'", step=False)
    assert done.stdout == "tool\n", done.stderr


@pytest.mark.parametrize("name", ["pip-install-x/y", "pip-build-env-x/overlay/bin", ".tmpx/bin", "builds-v0/.tmpx/bin"])
def test_no_name_of_a_folder_makes_what_is_dropped_a_build(ran: Ran, name: str) -> None:
    drop = f"mkdir -p $TMPDIR/{name}; printf '#!/bin/sh\\necho got through' > $TMPDIR/{name}/x; "
    drop += f"chmod +x $TMPDIR/{name}/x; $TMPDIR/{name}/x; sh $TMPDIR/{name}/x"
    hook = "_PYPROJECT_HOOKS_BUILD_BACKEND=backend"
    done = ran("env", hook, "sh", "-c", drop, step=False)
    assert "got through" not in done.stdout
    assert "ermission denied" in done.stderr, done.stderr


@pytest.mark.parametrize("place", ["home/.cargo/bin", "tools/bin", "tools/libexec"])
def test_where_programs_start_from_a_script_writes_nothing(ran: Ran, tmp_path: Path, place: str) -> None:
    for folder in ("home/.cargo/bin", "tools/bin", "tools/libexec", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "there").write_text("#!/bin/sh\necho there\n", "utf-8")
    (tmp_path / place / "there").chmod(0o755)
    path = f"PATH={tmp_path}/tools/bin:{os.environ['PATH']}"
    target, aside = tmp_path / place / "new", tmp_path / "elsewhere/new"
    ways = (
        f"cp /bin/true {target}", f"echo >> {tmp_path}/{place}/there", f"cp /bin/true {aside}; mv {aside} {target}",
        f"ln /bin/true {target}", f"cp /bin/true {aside}; ln {aside} {target}", f"ln -s {aside} {target}",
        f"mv {tmp_path / place} {tmp_path}/elsewhere/moved",
    )  # fmt: skip
    script = " ; ".join(f"({way}) && echo got through" for way in ways)
    held = f'"$npm_config_script_shell" -c "{tmp_path / place}/there; {target} && echo got through"'
    done = ran("sh", "-c", f"export {path}; {_bare()} sh -c '{script}; {held}'", step=False, PATH=path[5:])
    assert done.stdout == "there\n", done.stdout + done.stderr
    assert not target.is_symlink()
    assert not target.exists()


def test_a_program_elsewhere_does_not_start_and_is_told_until_the_policy_allows_it(ran: Ran, tmp_path: Path) -> None:
    program = tmp_path / "home/apps/there"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho there\n", "utf-8")
    program.chmod(0o755)
    held = f"\"$npm_config_script_shell\" -c '{program}'"
    done = ran("sh", "-c", f"{held}; {_bare()} {held}", step=False)
    assert done.stdout == ""
    assert f"ran {program} (denied)" in done.stderr
    (tmp_path / "policy.toml").write_text("[programs]\nallow = ['~/apps']\n", "utf-8")
    done = ran("sh", "-c", f"{_bare()} {held}", step=False, options=("--policy", str(tmp_path / "policy.toml")))
    assert done.stdout == "there\n", done.stderr


def test_the_users_own_scripts_are_held_to_nothing(ran: Ran, secret: Path, tmp_path: Path) -> None:
    program = tmp_path / "home/apps/there"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {secret}\n", "utf-8")
    program.chmod(0o755)
    client = need("npm-11")
    manifest = {"name": "app", "version": "1.0.0", "scripts": {"build": str(program)}}
    (tmp_path / "work/package.json").write_text(json.dumps(manifest), "utf-8")
    done = ran(*client.command, "run", "build", "--silent", step=False)
    assert SECRET in done.stdout, done.stderr
    assert done.returncode == 0


def test_where_the_manager_is_installed_programs_start_and_nothing_is_written(ran: Ran, tmp_path: Path) -> None:
    tool = tmp_path / "home/.cache/corepack/pnpm/10.0.0/dist/node-gyp-bin/node-gyp"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho built\n", "utf-8")
    tool.chmod(0o755)
    manager = tmp_path / "home/.cache/corepack/pnpm/10.0.0/bin/pnpm.cjs"
    manager.parent.mkdir()
    manager.touch()
    script = f"{tool}; echo >> {tool} || echo refused; echo > {tool}.new || echo refused"
    done = ran(
        "sh", "-c", f"npm_execpath={manager} {_bare()} \"$npm_config_script_shell\" -c '{script}'", step=False
    )  # fmt: skip
    assert done.stdout == "built\nrefused\nrefused\n", done.stderr


def test_a_package_that_is_installed_for_all_writes_its_own_folder_and_no_other(ran: Ran, tmp_path: Path) -> None:
    for name in ("@scope/anchor", "other"):
        (tmp_path / "prefix/lib/node_modules" / name).mkdir(parents=True)
    (tmp_path / "prefix/bin").mkdir()
    (tmp_path / "prefix/bin/other").symlink_to("../lib/node_modules/other/x.js")
    script = "echo own > built && echo done; echo > ../../other/x.js || echo refused"
    done = ran(
        "sh", "-c", f"cd {tmp_path}/prefix/lib/node_modules/@scope/anchor && {_bare()} sh -c '{script}'",
        step=False, PATH=f"{tmp_path}/prefix/bin:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.stdout == "done\nrefused\n", done.stderr


BACKEND = """
import contextlib, os, pathlib, subprocess, tempfile
def _built(*ignored):
    subprocess.run(["tool-of-build"], check=True)
    pathlib.Path("configure.sh").write_text("echo configured")
    subprocess.run(["sh", "configure.sh"], check=True)
    drop = pathlib.Path(tempfile.gettempdir(), "dropped.sh")
    drop.write_text("echo got through")
    with contextlib.suppress(PermissionError):
        subprocess.run(["sh", str(drop)])
def get_requires_for_build_wheel(settings=None): return []
def build_wheel(folder, settings=None, metadata=None):
    _built()
    import zipfile
    name = "anchor-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as made:
        made.writestr("anchor.py", "")
        made.writestr("anchor-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: anchor\\nVersion: 1.0\\n")
        made.writestr("anchor-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        made.writestr("anchor-1.0.dist-info/RECORD", "")
    return name
"""


def test_a_build_of_pip_uses_its_tools_and_its_own_scripts_and_starts_nothing_dropped(ran: Ran, tmp_path: Path) -> None:
    source, wheels = tmp_path / "anchor-1.0", tmp_path / "wheels"
    source.mkdir()
    wheels.mkdir()
    project = '[build-system]\nrequires = ["tool"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(project + '[project]\nname = "anchor"\nversion = "1.0"\n', "utf-8")
    (source / "backend.py").write_text(BACKEND.replace("\\\\n", "\\n"), "utf-8")
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: anchor\nVersion: 1.0\n", "utf-8")
    with tarfile.open(tmp_path / "anchor-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "anchor-1.0")
    with zipfile.ZipFile(wheels / "tool-1.0-py3-none-any.whl", "w") as wheel:
        tool = zipfile.ZipInfo("tool-1.0.data/scripts/tool-of-build")
        tool.external_attr = 0o100755 << 16
        wheel.writestr(tool, "#!/bin/sh\necho tool ran\n")
        wheel.writestr("tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n")
        wheel.writestr("tool-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tool-1.0.dist-info/RECORD", "")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=60)
    words = ["install", "-v", "--no-index", "--find-links", str(wheels), "--no-cache-dir"]
    pip = ["env", "-u", "PYTHONPATH", str(tmp_path / "venv/bin/pip"), *words, str(tmp_path / "anchor-1.0.tar.gz")]
    done = ran(*pip, step=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "tool ran" in told
    assert "configured" in told
    assert "got through" not in done.stdout
    assert re.search(r"dropped.sh, which was.*\(denied\)", done.stderr), done.stderr


RACES = """
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static union { struct sockaddr any; char raw[128]; } at; static char good[128]; static struct sockaddr_in bad;
static volatile int over; static int tcp, udp, used; static pthread_t t;
static void *swap(void *x){ while(!over){ memcpy(&at,&bad,sizeof bad); memcpy(&at,good,sizeof bad);} return 0; }
static void *flip(void *x){ while(!over){ dup2(udp,used); dup2(tcp,used);} return 0; }
static void begin(void *(*how)(void *)){ over=0; pthread_create(&t,0,how,0); }
static void end(void){ over=1; pthread_join(t,0); }
int main(int n, char **v){ int most=atoi(v[3]); struct sockaddr_un un={AF_UNIX,"/nothing"}; struct sockaddr_in near;
  bad.sin_family=AF_INET; inet_pton(AF_INET,v[1],&bad.sin_addr); bad.sin_port=htons(atoi(v[2]));
  near=bad; inet_pton(AF_INET,"127.0.0.1",&near.sin_addr);
  udp=socket(AF_INET,SOCK_DGRAM,0); tcp=socket(AF_INET,SOCK_STREAM,0); used=dup(tcp);
  memcpy(good,&un,sizeof un); begin(swap);
  for(int i=0;i<most;i++){ sendto(udp,"by sendto",9,0,&at.any,sizeof bad); usleep(20); }
  end(); struct iovec w={"by sendmsg",10}; struct msghdr m={&bad,sizeof bad,&w,1}; struct mmsghdr mm={m};
  begin(flip);
  for(int i=0;i<most;i++){ sendmsg(used,&m,MSG_NOSIGNAL); sendmmsg(used,&mm,1,MSG_NOSIGNAL); usleep(20); }
  end(); memcpy(good,&near,sizeof near); m.msg_name=&at; begin(swap);
  for(int i=0;i<most;i++){ sendmsg(udp,&m,MSG_NOSIGNAL); usleep(20); }
  for(int i=0;i<most;i++){ int s=socket(AF_INET,SOCK_STREAM,0); connect(s,&at.any,sizeof bad); close(s); usleep(20); }
  end(); return 0; }
"""


def test_a_thread_that_swaps_address_or_socket_reaches_nothing_else(
    ran: Ran, tmp_path: Path, compiled: Callable[[str, str], str]
) -> None:
    def act() -> None:
        reason = enter("198.51.100.1")
        if reason:
            pytest.skip(f"no network of its own can be had here: {reason}")
        got: collections.Counter[str] = collections.Counter()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.create_server(("198.51.100.1", 0), backlog=4096) as far,
        ):
            port = far.getsockname()[1]
            datagrams.bind(("198.51.100.1", port))

            def receive() -> None:
                while (text := datagrams.recv(64)) != b"end":
                    got[text.decode()] += 1

            def accept() -> None:
                while True:
                    one, (address, _) = far.accept()
                    one.close()
                    if address == "127.0.0.1":
                        return
                    got["by connect"] += 1

            threads = [threading.Thread(target=one) for one in (receive, accept)]
            for one in threads:
                one.start()
            program = compiled("races", RACES)
            try:
                subprocess.run([program, "198.51.100.1", str(port), "1000"], timeout=60, check=True)
                time.sleep(0.5)
                alone = dict(got)
                got.clear()
                policy = f"[network]\nports = [{port}]\naddresses = ['192.0.2.0/24']\n"
                (tmp_path / "policy.toml").write_text(policy, "utf-8")
                words = (program, "198.51.100.1", str(port), "1000")
                done = ran(*words, options=("--policy", str(tmp_path / "policy.toml")))
                time.sleep(0.3)
                guarded = dict(got)
            finally:
                datagrams.sendto(b"end", ("198.51.100.1", port))
                with socket.socket() as last:
                    last.bind(("127.0.0.1", 0))
                    last.connect(("198.51.100.1", port))
                for one in threads:
                    one.join(10)
        assert {"by sendto", "by sendmsg", "by connect"} <= set(alone), "the race does not race"
        assert done.returncode == 0, done.stderr
        assert guarded == {}

    in_a_thread(act)


SENDS = """
import array, os, socket, threading
one, other = socket.socketpair()
reader, writer = os.pipe()
got = []
def take():
    size = 0
    while size < 600003:
        content, beside, _, _ = other.recvmsg(65536, 64)
        size += len(content)
        for level, kind, numbers in beside:
            os.write(array.array("i", numbers)[0], b"through")
    got.append(size)
thread = threading.Thread(target=take)
thread.start()
sent = one.sendmsg([b"x" * 600000, b"end"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writer]))])
thread.join()
print(sent, got, os.read(reader, 10))
for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    for family, protocol in ((socket.AF_PACKET, 0), (socket.AF_INET, 132), (socket.AF_VSOCK, 0)):
        try:
            socket.socket(family, kind, protocol)
            print("made")
        except OSError:
            pass
"""


def test_descriptors_and_much_content_are_sent_and_other_kinds_of_sockets_are_not_made(
    ran: Ran, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text("[network]\nports = [443]\n", "utf-8")
    done = ran("python3", "-c", SENDS, options=("--policy", str(tmp_path / "policy.toml")))
    assert done.stdout == "600003 [600003] b'through'\n", done.stdout + done.stderr
