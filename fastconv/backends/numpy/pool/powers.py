"""Powers of real numbers in float64, for Lp pooling.

`numpy.power` computes one number after the other where they are negative or the exponent is whole, 10 to 50 ns each
instead of 2.  So whole powers of up to `MULTIPLIED` are products, and others are powers of magnitudes.
"""

from __future__ import annotations

import numpy as np

MULTIPLIED = 8


def power(v: np.ndarray, exponent: float) -> np.ndarray:
    """v ** exponent, a new array; as C's pow, also for zeros, infinities and NaN."""
    if exponent == 1:
        return v.astype(np.float64)
    if exponent == 0.5:
        return np.sqrt(v, dtype=np.float64)
    whole = exponent == int(exponent)
    if whole and 2 <= exponent <= MULTIPLIED:
        v = v.astype(np.float64)
        result = v * v
        for _ in range(int(exponent) - 2):
            result *= v
        return result
    size = np.abs(v, dtype=np.float64)
    result = np.cbrt(size) if exponent == 1 / 3 else size**exponent
    if whole:
        return np.copysign(result, v) if exponent % 2 else result
    np.putmask(result, (v < 0) & (size < np.inf), np.nan)  # negative numbers have no such powers, but -inf has
    return result
