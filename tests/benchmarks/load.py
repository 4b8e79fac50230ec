"""What the embedded predictor costs a program that starts: time, memory, and the size of the model file."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from statistics import median
from time import perf_counter

from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Goal, Row, Sense, Unavailable

__all__ = ["load_rows"]

_ROUNDS = 15
_PEAK = """
import sys
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")] \
    if sys.platform == "linux" else [0]
print(peak[0])
"""
_PROGRAMS = {
    "bare": "",
    "import": "import classifier",
    "load": "import classifier; classifier.TierPredictor.default()",
}


@dataclass(frozen=True, slots=True)
class _Start:
    """One start of an interpreter: milliseconds on the clock and of processor time, peak megabytes."""

    clock: float
    processor: float
    memory: float


def load_rows(_: Material) -> Iterator[Row]:
    """Yield the rows about starting; each is a difference of medians over alternating fresh processes."""
    starts = _alternating_starts()

    def over_bare(program: str, measure: str) -> float:
        ours, bare = (median(getattr(start, measure) for start in starts[name]) for name in (program, "bare"))
        return float(ours - bare)

    bare = median(start.processor for start in starts["bare"])
    note = (
        f"over a bare interpreter ({bare:.0f} ms), medians of {_ROUNDS} alternating starts;"
        f" the import alone {over_bare('import', 'processor'):.0f} ms;"
        f" on the clock of this machine, however busy, {over_bare('load', 'clock'):.0f} ms"
    )
    what, goal = "import classifier and load the default model", Goal(60.0, Sense.AT_MOST)
    yield Row(f"{what}, processor time", over_bare("load", "processor"), "ms", goal=goal, note=note)
    memory = over_bare("load", "memory") if starts["bare"][0].memory else None
    reason = "peak resident size over a bare interpreter" if memory else "peak size is read on Linux only"
    yield Row(f"{what}, memory", memory, "MB", goal=Goal(40.0, Sense.AT_MOST), note=reason)
    size = len(files("classifier").joinpath("default.tierwise").read_bytes())
    yield Row("the model file", size / 1e6, "MB", goal=Goal(3.0, Sense.AT_MOST))


def _alternating_starts() -> dict[str, list[_Start]]:
    starts: dict[str, list[_Start]] = {name: [] for name in _PROGRAMS}
    with tempfile.TemporaryDirectory() as cache:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache  # compiled in the first round, then kept
        for turn in range(_ROUNDS + 1):
            say(f"starting interpreters, round {turn} of {_ROUNDS}")
            for name, program in _PROGRAMS.items():
                start = _start(program, environment)
                if turn:
                    starts[name].append(start)
    return starts


def _start(program: str, environment: dict[str, str]) -> _Start:
    command = [sys.executable, "-c", program + _PEAK]
    before, start = _processor_seconds(), perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=False
    )
    clock = perf_counter() - start
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1])
    processor = _processor_seconds() - before
    return _Start(clock * 1e3, processor * 1e3, int(done.stdout.split()[-1]) / 1024)


def _processor_seconds() -> float:
    """What all ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
