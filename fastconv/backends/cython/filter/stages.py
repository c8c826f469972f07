"""What windows that are joined along one axis after the other share: passes, and how they are divided into items."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from fastconv.backends.cython.filter.flat import MODES
from fastconv.core.numbers import even_part
from fastconv.core.problems.separable import Pass
from fastconv.core.problems.window import WindowProblem

Kind: TypeAlias = Literal["along", "across", "both"]

PIECE = 1 << 13  # elements along lines for one item
HELD_BYTES = 256 << 10  # of rows that windows down the columns of an item see
BOTH_BYTES = 2 << 20  # of scratch where rows are filtered across and along at once
NARROWEST = 16  # elements of rows that are filtered together, at least
LEAST_ROWS = 32  # of an item
EVEN_ROWS = 8  # of which such rows are a multiple


class JoinWindow(NamedTuple):
    """One pass, as _window.pyx and _boxes.pyx take it."""

    extent: int
    taps: int
    before: int
    mode: int

    @classmethod
    def of(cls, p: WindowProblem, step: Pass) -> JoinWindow:
        return cls(p.shape[step.axis], step.taps, step.before, MODES.index(step.mode))


class JoinStage(NamedTuple):
    """One or two passes at once; `block`: elements along lines, and lines, of an item; `band`, `strip`: at once."""

    kind: Kind
    in_place: bool
    across: JoinWindow | None
    along: JoinWindow | None
    lines: tuple[int, int, int]
    block: tuple[int, int]
    band: int
    strip: int

    @property
    def passes(self) -> int:
        return (self.across is not None) + (self.along is not None)


def along_stage(window: JoinWindow, at: tuple[int, int, int], least: int, in_place: bool) -> JoinStage:
    """Lines that are contiguous; `least`: elements of each at once, at least."""
    outer, length, _ = at
    rows = max(1, min(length, max(PIECE, least)))
    count = max(1, min(outer, PIECE // rows)) if not in_place or length <= PIECE else 1
    return JoinStage("along", in_place, None, window, at, (rows, count), 1, 1)


def rows_of_item(window: JoinWindow, length: int, in_place: bool) -> int:
    """Of windows down columns: each item reads again what those beside it read, and all have about as many."""
    return max(1, length) if in_place else even_part(max(1, length), max(LEAST_ROWS, 4 * window.taps), EVEN_ROWS)


def columns_of_item(inner: int, bytes_of_column: int) -> int:
    """Of windows down columns, so that the rows that an item holds fit into the cache."""
    return max(1, min(inner, max(NARROWEST, HELD_BYTES // bytes_of_column) // NARROWEST * NARROWEST))
