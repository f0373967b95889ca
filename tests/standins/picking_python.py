"""Which version pip and uv take, asked in bulk: the oracle for picking in Python.

    unshare -rn sh -c 'ip link set lo up && exec python -m tests.standins.picking_python --bin FOLDER'

writes `tests/unit/ecosystems/pypi/clients_table.json`; the folder holds pip (26.1 or later) and uv. Only the loopback
interface exists while they run, and their own files lie in a folder of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import tempfile
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "unit" / "ecosystems" / "pypi" / "clients_table.json"

SCENES: dict[str, tuple[tuple[str, int, bool], ...]] = {
    # version, hours since its upload, yanked
    "plain": (("1.0", 2000, False), ("1.1", 400, False), ("2.0rc1", 300, False), ("1.2", 3, False)),
    "yanked": (("1.0", 2000, False), ("1.1", 1500, False), ("1.2", 1000, True)),
    "pre": (("1.0b1", 2000, False), ("1.0b2", 1000, False)),
    "young": (("1.0", 100, False), ("1.1", 3, False)),
    "mixed": (("1.0", 2000, False), ("2.0b1", 1000, False), ("2.0b2", 900, False)),
}
REQUESTS = (
    "",
    ">=1",
    "<1.2",
    "==1.2",
    "===1.2",
    "==1.*",
    "~=1.0",
    ">=1.0b1",
    ">=2.0b1",
    ">1.5",
    "!=1.2",
    "==2.0rc1",
    ">=9",
)
GATES = ("off", "week")
WEEK = 7 * 24


def wheel(name: str, version: str) -> bytes:
    """A wheel that holds nothing but what it is."""
    buffer = io.BytesIO()
    folder = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in (
            (f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
            (f"{folder}/WHEEL", "Wheel-Version: 1.0\nGenerator: standin\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            (f"{folder}/RECORD", ""),
        ):
            archive.writestr(zipfile.ZipInfo(path), text)
    return buffer.getvalue()


def answers(now: datetime) -> dict[str, bytes]:
    """Every path that the index serves."""
    found: dict[str, bytes] = {}
    for scene, versions in SCENES.items():
        name = f"standin-{scene}"
        files = []
        for version, hours, yanked in versions:
            data = wheel(f"standin_{scene}", version)
            filename = f"standin_{scene}-{version}-py3-none-any.whl"
            found[f"/files/{filename}"] = data
            files.append(
                {
                    "filename": filename,
                    "url": f"/files/{filename}",
                    "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                    "size": len(data),
                    "upload-time": (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "yanked": yanked,
                }
            )
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": files, "versions": [v for v, *_ in versions]}
        found[f"/simple/{name}/"] = json.dumps(document).encode()
    return found


def ask(client: str, program: Path, url: str, scene: str, wanted: str, gate: str) -> str | None:
    """The version that a client takes; None where it stops."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1", "UV_CACHE_DIR": f"{home}/cache", "PIP_NO_CACHE_DIR": "1", "UV_PYTHON_DOWNLOADS": "never",
        }  # fmt: skip
        requirement = f"standin-{scene}{wanted}"
        if client == "pip":
            command = [str(program / "pip"), "install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet",
                       "--report", "-", "--index-url", url, requirement]  # fmt: skip
            command += ["--uploaded-prior-to", "P7D"] if gate == "week" else []
        else:
            command = [str(program / "uv"), "pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate", "--quiet",
                       "--index-url", url]  # fmt: skip
            command += ["--exclude-newer", "7 days"] if gate == "week" else []
        done = subprocess.run(  # noqa: PLW1510 (its exit code is the answer)
            command, input=requirement, env=environment, capture_output=True, text=True, timeout=120, cwd=home
        )
    if done.returncode:
        return None
    if client == "pip":
        (item,) = json.loads(done.stdout)["install"]
        return str(item["metadata"]["version"])
    match = re.search(r"==(\S+)", done.stdout)
    return match[1] if match else None


def main() -> None:
    """Ask both clients everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True)
    options = parser.parse_args()
    served = answers(datetime.now(UTC).replace(microsecond=0))

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.get(self.path)
            self.send_response(200 if body is not None else 404)
            kind = "application/vnd.pypi.simple.v1+json" if self.path.startswith("/simple") else "application/zip"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *arguments: Any) -> None:
            """Nothing is printed."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    table: dict[str, Any] = {"requests": list(REQUESTS), "clients": {}, "answers": {}}
    for client in ("pip", "uv"):
        said = subprocess.run([options.bin / client, "--version"], capture_output=True, text=True, check=True).stdout
        table["clients"][client] = said.split()[1]
        for gate in GATES:
            table["answers"].setdefault(gate, {})[client] = {
                scene: [ask(client, options.bin, url, scene, wanted, gate) for wanted in REQUESTS] for scene in SCENES
            }
    server.shutdown()
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(table, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
