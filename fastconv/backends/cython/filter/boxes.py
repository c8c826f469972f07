"""How means and extrema of windows of few elements are divided; see _boxes.pyx and simd/windows/boxes.inc."""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.filter.stages import (
    BOTH_BYTES,
    JoinStage,
    JoinWindow,
    along_stage,
    columns_of_item,
    rows_of_item,
)  # fmt: skip
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.filter import numeric
from fastconv.core.problems.separable import lines
from fastconv.core.problems.window import WindowProblem

BOX_TAPS = 64  # simd/windows/windows.h says the same
ROWS = 8  # that are filtered together; so does it
KINDS = ("mean", "max", "min"), ("max", "min", "mean")  # of reals, and then of bytes
SHORTS = 6  # after them the extrema of integers of 16 bits
PAD = 64  # bytes before and behind rows
STRIP_BYTES = 4 << 10  # of a row in a strip
BLOCK_BYTES = 16 << 10  # of a row in a block of both passes


def box_type(p: WindowProblem) -> np.dtype | None:
    """The dtype of elements that are joined here, of bytes for their sums, too; None if windows are not joined here."""
    if max(step.taps for step in p.passes) > BOX_TAPS:
        return None
    if p.acc.kind == "f":
        return p.acc
    if p.acc == np.uint8 or (p.acc == np.uint16 and p.join == "mean" and p.dtype != np.uint16):
        return np.dtype(np.uint8)
    return p.acc if p.join != "mean" and p.acc.itemsize == 2 else None


def kind_of(p: WindowProblem, joined: np.dtype) -> tuple[int, int]:
    """The micro-kernel, and which bits make the largest signed integer of 16 bits of the extremum."""
    if joined.itemsize == 2:
        return SHORTS, (0x8000 if joined.kind == "u" else 0) ^ (0xFFFF if p.join == "min" else 0)
    of_bytes = joined == np.uint8
    return KINDS[of_bytes].index(p.join) + 3 * of_bytes, 0


def scratch_of(p: WindowProblem, joined: np.dtype, s: JoinStage) -> int:
    """Bytes for one item."""
    size, (rows, columns) = joined.itemsize, s.block
    _, stored = direct(p, joined)
    if s.across is None:
        assert s.along is not None
        return whole_lines((rows + s.along.taps - 1) * size + 2 * PAD) + whole_lines(rows * size) + s.along.taps * size
    slots, longest = ROWS + s.across.taps - 1, columns if s.along is None else s.strip + s.along.taps - 1
    strip, pitch = whole_lines(longest * size), whole_lines(columns * size)
    total = 2 * whole_lines(slots * 8) + strip + (slots + s.across.taps) * pitch
    if s.along is not None:
        total += ROWS * whole_lines(longest * size + 2 * PAD)
    return total if stored else total + ROWS * strip + whole_lines(longest * p.out.itemsize)


def direct(p: WindowProblem, joined: np.dtype) -> tuple[bool, bool]:
    """Whether the input and the result have elements as they are joined."""
    given, made = map(numeric, (p.dtype, p.out))
    return given == joined, made == joined


def box_stages(p: WindowProblem, joined: np.dtype) -> list[JoinStage]:
    """The passes, the last two axes together where they are filtered one after the other."""
    found: list[JoinStage] = []
    size, i = joined.itemsize, 0
    while i < len(p.passes):
        step, in_place = p.passes[i], i > 0
        window, at = JoinWindow.of(p, step), lines(p.shape, step.axis)
        _, length, inner = at
        i += 1
        if inner == 1:
            found.append(along_stage(window, at, 1, in_place))
            continue
        rows = rows_of_item(window, length, in_place)
        if i < len(p.passes):
            after = lines(p.shape, p.passes[i].axis)
            along = JoinWindow.of(p, p.passes[i])
            in_blocks = direct(p, joined)[0] and not in_place
            columns = max(1, min(inner, BLOCK_BYTES // size) if in_blocks else inner)
            strip = max(1, min(columns, max(STRIP_BYTES // size, 2 * along.taps)))
            both = JoinStage("both", in_place, window, along, at, (rows, columns), ROWS, strip)
            if after[2] == 1 < inner == after[1] and scratch_of(p, joined, both) <= BOTH_BYTES:
                found.append(both)
                i += 1
                continue
        columns = columns_of_item(inner, size * (ROWS + window.taps))
        found.append(JoinStage("across", in_place, window, None, at, (rows, columns), ROWS, columns))
    return found


def constant(p: WindowProblem, joined: np.dtype) -> bytes:
    """The constant as it is joined, if a pass needs it."""
    used = any(step.mode == "constant" for step in p.passes)
    return np.array(p.cval if used else 0).astype(joined).tobytes()


def calls(s: JoinStage) -> int:
    """Of micro-kernels."""
    outer, length, inner = s.lines
    if s.kind == "along":
        return outer * ceil_div(length, s.block[0])
    return outer * (ceil_div(length, ROWS) + (length if s.along is not None else 0)) * ceil_div(inner, s.strip)


def joins(p: WindowProblem, taps: int) -> int:
    """Instructions for a vector of results of a pass, about."""
    return 8 + taps // 3 if p.join == "mean" else 6 + taps // 4
