"""Where and when something was measured, as results keep it."""

from __future__ import annotations

import os
import platform
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.core import cpu, machine, threads
from fastconv.version import __version__

CPUINFO = Path("/proc/cpuinfo")


def environment() -> dict[str, Any]:
    """Date, processor, its clock, versions, command and load, as JSON can hold them."""
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu.name(),
        "cpus": threads.available(),
        "clock_mhz": _clock(),
        "isas": list(machine.host_isas()),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "fastconv": __version__,
        "command": _command(),
    }


def _command() -> str | None:
    """The command that runs, without folders; None where Python was started without a file."""
    if not sys.argv or not sys.argv[0]:
        return None
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *sys.argv[1:]])


def _clock() -> float | None:
    """The clock of the fastest processor at this moment, where the system says it."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return max((float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")), default=None)
