"""Arithmetic of sizes: divisions that round up, near-equal parts, the slices of blocks, what windows read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np

Number = TypeVar("Number", int, np.ndarray)

LINE = 64  # bytes of a cache line


def ceil_div(a: Number, b: int) -> Number:
    """The quotient of `a`, or of each of its elements, and `b`, rounded up."""
    return -(-a // b)


def round_up(n: int, unit: int) -> int:
    """The least multiple of `unit` that is not less than `n`."""
    return -(-n // unit) * unit


def whole_lines(nbytes: int) -> int:
    """`nbytes`, rounded up to whole cache lines."""
    return -(-nbytes // LINE) * LINE


def near_equal(total: int, count: int) -> list[tuple[int, int]]:
    """(first, end) of `count` near-equal parts of `total`.

    Examples
    --------
    >>> near_equal(10, 4)
    [(0, 2), (2, 5), (5, 7), (7, 10)]
    """
    return list(pairwise(total * i // count for i in range(count + 1))) if count else []


def even_part(total: int, most: int, multiple: int = 1) -> int:
    """Size of parts of `total`, of at most `most`: all but the last are equal, and multiples of `multiple`.

    Examples
    --------
    >>> even_part(9, 4)  # 3 + 3 + 3
    3
    """
    parts = ceil_div(total, max(most, multiple))
    return total if parts <= 1 else round_up(ceil_div(total, parts), multiple)


def slices(total: int, step: int) -> Iterator[slice]:
    """Slices of `step` that cover `total` elements; the last one may extend beyond them."""
    return (slice(i, i + step) for i in range(0, total, step))


def rectangles(rows: int, columns: int, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """The same along two axes, row by row."""
    for down in slices(rows, height):
        for across in slices(columns, width):
            yield down, across


def span(outputs: int, stride: int, kernel: int, dilation: int) -> int:
    """Padded positions that `outputs` adjacent windows read along an axis.

    Examples
    --------
    >>> span(3, 2, 3, 1)  # 0-2, 2-4, 4-6
    7
    """
    return max(outputs - 1, 0) * stride + (kernel - 1) * dilation + 1
