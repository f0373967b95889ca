"""Run a command and say what it cost, through a small C process so that the runner's own memory is not counted."""

from __future__ import annotations

import dataclasses
import os
import platform
import signal
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds of wall clock and of processor, and the peak memory of its largest process."""

    wall: float
    user: float
    system: float
    peak_mb: float
    status: int
    complaint: str = ""  # the last line of its standard error

    @property
    def cpu(self) -> float:
        return self.user + self.system


@dataclass(frozen=True)
class Summary:
    """Medians over the runs of one command, with the range of its processor time."""

    runs: int
    wall: float
    cpu: float
    cpu_least: float
    cpu_most: float
    peak_mb: float


class Unmeasured(Exception):  # noqa: N818 (a result that is reported, not a failure)
    """A command could not be measured; the text says why."""


def compile_c(name: str, folder: Path) -> Path:
    """Compile one of the C sources beside this file."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(HERE / f"{name}.c")], check=True)
    return program


@dataclass(frozen=True)
class Meter:
    """Runs commands under the compiled measure program."""

    program: Path

    def run(
        self,
        command: Sequence[str],
        limit: float,
        env: Mapping[str, str] | None = None,
        output: Path | None = None,
        folder: Path | None = None,
    ) -> Cost:
        """Run once, standard output to a file or nowhere. Raises Unmeasured if over the limit or not startable."""
        with tempfile.TemporaryDirectory() as scratch:
            result = Path(scratch) / "result"
            target = output if output is not None else Path(os.devnull)
            complaints = Path(scratch) / "complaints"
            with target.open("wb") as out, complaints.open("wb") as errors:
                child = subprocess.Popen(
                    [str(self.program), str(result), *command],
                    stdout=out,
                    stderr=errors,
                    stdin=subprocess.DEVNULL,
                    env=None if env is None else {**os.environ, **env},
                    cwd=folder,
                    start_new_session=True,
                )
                try:
                    child.wait(limit)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
                    raise Unmeasured(f"not finished after {limit:.0f} s") from None
            fields = result.read_text().split()
            said = complaints.read_text(errors="replace").strip().splitlines()
        wall, user, system, peak, status = fields
        cost = Cost(
            float(wall), float(user), float(system), int(peak) / 1024, int(status), said[-1][:160] if said else ""
        )
        if cost.status == 127:
            raise Unmeasured(f"cannot start {command[0]}")
        return cost


def summarise(costs: Sequence[Cost]) -> Summary:
    cpu = [cost.cpu for cost in costs]
    return Summary(
        len(costs),
        statistics.median(cost.wall for cost in costs),
        statistics.median(cpu),
        min(cpu),
        max(cpu),
        max(cost.peak_mb for cost in costs),
    )


def as_json(summary: Summary) -> dict[str, float]:
    return {key: round(value, 4) for key, value in dataclasses.asdict(summary).items()}


def drop_caches() -> None:
    """Empty the page, entry and inode caches of the machine. Raises Unmeasured where that is not allowed."""
    os.sync()
    try:
        DROP_CACHES.write_text("3\n")
    except OSError as error:
        raise Unmeasured(f"the page cache cannot be emptied here ({error.strerror})") from error


def machine(folder: Path) -> dict[str, object]:
    """What the numbers depend on besides the program."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    kinds = subprocess.run(
        ["findmnt", "-n", "-o", "FSTYPE", "-T", str(folder)], capture_output=True, text=True, check=False
    ).stdout.split()
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "filesystem": kinds[0] if kinds else "unknown",
        "load": os.getloadavg()[0],
    }
