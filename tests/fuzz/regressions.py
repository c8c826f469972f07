"""Cases that failed once, one a line in ``regressions.txt``: each is tried again by every run of the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .arrays import Array
from .cases import Case

FILE = Path(__file__).with_suffix(".txt")


def regressions() -> list[Case]:
    """The cases of the file."""
    names = {"Case": Case, "Array": Array, "inf": np.inf, "nan": np.nan}
    lines = (line.strip() for line in FILE.read_text().splitlines())
    return [eval(line, names) for line in lines if line and not line.startswith("#")]  # written by `keep` alone


def keep(case: Case, why: str) -> None:
    """Add a case, unless it is there."""
    text = FILE.read_text()
    if repr(case) not in text:
        FILE.write_text(f"{text.rstrip()}\n# {why}\n{case!r}\n")
