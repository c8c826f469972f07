"""How busy other programs keep the machine while something is measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
IDLE = (3, 4, 8, 9)  # of the fields of /proc/stat: idle, waiting for disks, and guests, which "user" contains already


class Others:
    """Counts from its creation on, where the system says what its processors did: on Linux."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds: of the clock, of all processors at work, of this process."""
        try:
            fields = STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
            ticks = sum(int(f) for i, f in enumerate(fields) if i not in IDLE)
            return time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), time.process_time()
        except (OSError, ValueError, AttributeError):
            return None

    def processors(self) -> float | None:
        """How many processors others have used since, on average; None where the system does not say."""
        now = self._now()
        if self._start is None or now is None or now[0] <= self._start[0]:
            return None
        clock, work, own = (b - a for a, b in zip(self._start, now, strict=True))
        return max(0.0, (work - own) / clock)
