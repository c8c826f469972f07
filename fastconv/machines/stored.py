"""The table that the user fitted: JSON that `fastconv tune --fit` writes.

It is at ``FASTCONV_RATES``, or machine.json in the user's cache folder; if that variable is empty there is none.  It is
read when the first time is predicted.  A file that cannot be read is reported by one warning and ignored; a file of
another processor is ignored.
"""

from __future__ import annotations

import json
import warnings
from math import inf
from pathlib import Path
from typing import Any

from fastconv.core import cpu
from fastconv.core.costs import Table
from fastconv.core.files import cache_file, read_regular, replace_text

FORMAT = 1
NAME = "fitted here"
MAX_BYTES = 16 << 20


def path() -> Path | None:
    """The file, which need not exist; None if ``FASTCONV_RATES`` is empty.

    Raises
    ------
    OSError
        If it would be in the home folder of a user who has none.
    """
    return cache_file("machine.json", "FASTCONV_RATES")


def load(known: Table) -> Table | None:
    """The fitted table, with the rates of `known` where it has none; None if there is no such table."""
    try:
        file = path()
        if file is None:
            return None
        content = json.loads(read_regular(file, MAX_BYTES))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r:.40}, not {FORMAT}")
        if content["cpu"] != cpu.description():
            return None
        peak = {isa: _positive(content["peak"].get(isa, flops)) for isa, flops in known.peak.items()}
        rates = {
            row: {count: _rate(content["rates"].get(row, {}).get(count, rate)) for count, rate in of.items()}
            for row, of in known.rates.items()
        }
        return Table(NAME, peak, _positive(content["bandwidth"]), rates, known.blocks, known.l3)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as e:
        warnings.warn(f"fastconv ignored fitted rates: {type(e).__name__}: {e}"[:400], RuntimeWarning, stacklevel=2)
        return None


def save(table: Table, file: Path) -> None:
    """Write a table that was fitted on this processor."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "cpu": cpu.description(),
        "peak": dict(table.peak),
        "bandwidth": table.bandwidth,
        "rates": {row: dict(table.rates[row]) for row in sorted(table.rates)},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_text(file, json.dumps(content, indent=1) + "\n")


def _rate(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < inf:
        raise ValueError(f"{value!r:.40} is no rate")
    return float(value)


def _positive(value: Any) -> float:
    rate = _rate(value)
    if rate == 0:
        raise ValueError("a peak or bandwidth of 0")
    return rate
