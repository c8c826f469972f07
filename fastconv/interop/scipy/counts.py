"""What calls of replaced functions were served, and which ones SciPy did itself, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


class Counts:
    """Of one function; threads may count at the same time."""

    __slots__ = ("_fallbacks", "_lock", "_seconds", "_served")

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        self._served, self._seconds = 0, 0.0
        self._fallbacks: Counter[str] = Counter()

    def served(self, seconds: float) -> None:
        with self._lock:
            self._served += 1
            self._seconds += seconds

    def fell_back(self, reason: str) -> None:
        with self._lock:
            self._fallbacks[reason] += 1

    def row(self, function: str) -> Row:
        with self._lock:
            return Row(function, self._served, self._seconds, dict(self._fallbacks))


@dataclass(frozen=True, slots=True)
class Row:
    """One function of a `Report`.

    Attributes
    ----------
    function : str
        Name of what SciPy calls.
    calls : int
        Those that fastconv served.
    seconds : float
        What these took.
    fallbacks : dict of str to int
        How many calls SciPy did itself, by reason.
    """

    function: str
    calls: int
    seconds: float
    fallbacks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What was served since `patch` was called.  It prints as a table.

    Attributes
    ----------
    scipy : str
        Version.
    rows : tuple of Row
        Functions that are replaced.
    left : dict of str to str
        Functions that are not, and why.
    """

    scipy: str
    rows: tuple[Row, ...]
    left: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Calls that fastconv served."""
        return sum(row.calls for row in self.rows)

    @property
    def seconds(self) -> float:
        """What these took."""
        return sum(row.seconds for row in self.rows)

    @property
    def fallbacks(self) -> int:
        """Calls that SciPy did itself."""
        return sum(sum(row.fallbacks.values()) for row in self.rows)

    def __str__(self) -> str:
        served = f"{self.calls} calls served in {self.seconds:.3f} s, {self.fallbacks} left to SciPy"
        lines = [f"fastconv in SciPy {self.scipy}: {served}"]
        for row in self.rows:
            if row.calls or row.fallbacks:
                lines.append(f"  {row.function:28s} {row.calls:8d} calls {row.seconds:10.3f} s")
            lines += [f"  {'':28s} {count:8d} by SciPy: {why}" for why, count in row.fallbacks.items()]
        lines += [f"  {name:28s} not replaced: {why}" for name, why in self.left.items()]
        return "\n".join(lines)
