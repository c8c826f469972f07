"""Maxima of integers together with their places, one number for both.

The upper bits of a key are the value, counted from the smallest one, its lower bits are the place, counted backwards
from the last one.  The largest key of a window thus is its largest value, at the first of its places: one maximum per
tap takes both, where values and places apart need five operations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NONE = int(np.iinfo(np.int64).min)  # the key of a window without inputs
BITS = 62  # of a key: those of no value reach the sign


class Keys(NamedTuple):
    """Keys of a block, and what turns them into values and places."""

    of: np.ndarray
    low: int
    bits: int

    def split(self, largest: np.ndarray, values: np.ndarray, places: np.ndarray) -> None:
        """Write the values and places of the largest keys; without inputs these are the lowest value and -1."""
        offset = largest >> self.bits
        if values.dtype == np.uint64:
            offset = offset.astype(np.uint64)
        offset += offset.dtype.type(self.low)
        values[...] = offset
        last = (1 << self.bits) - 1
        np.bitwise_and(largest, last, out=places)
        np.subtract(last, places, out=places)
        if largest.min() == NONE:
            values[largest == NONE], places[largest == NONE] = np.iinfo(values.dtype).min, -1


def keys(x: np.ndarray, at: np.ndarray) -> Keys | None:
    """The keys of integers `x` at places `at`, of which the last is the largest; None where they need too many bits."""
    if not x.size:
        return None
    bits, low = int(at.flat[-1]).bit_length(), int(x.min())
    if (int(x.max()) - low).bit_length() + bits > BITS:
        return None
    wide = x if x.dtype.itemsize == 8 else x.astype(np.int64)
    found = (wide - wide.dtype.type(low)).astype(np.int64, copy=False)
    found <<= bits
    found += (1 << bits) - 1 - at
    return Keys(found, low, bits)
