"""Measure what this machine could do: peak and bandwidth.

The peak is that of multiply-adds on registers alone, in every thread at once, by the compiled
modules where they exist, else that of NumPy's matrix product.  The bandwidth is that of a copy
between arrays too large for the caches; work that stays in a cache can pass it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.bench.records import Roofline
from fastconv.core import machine

PEAK_SECONDS = 0.15  # long enough for the clock to settle


def _together(body: Callable[[], float], threads: int) -> float:
    """Sum of the rates that `threads` threads reach at the same time."""
    if threads == 1:
        return body()
    with ThreadPoolExecutor(threads) as pool:
        return sum(f.result() for f in [pool.submit(body) for _ in range(threads)])


def _matmul_rate(itemsize: int) -> float:
    n = 768
    a = np.ones((n, n), np.float32 if itemsize == 4 else np.float64)
    out = np.empty_like(a)
    return 2.0 * n**3 / _best(lambda: np.matmul(a, a, out=out), 0.1)


def _best(run: Callable[[], object], seconds: float) -> float:
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


@cache
def peak(threads: int, itemsize: int = 4) -> tuple[float, str]:
    """FLOP/s of `threads` cores, and how they were measured."""
    for isa in machine.host_isas():
        if native.unavailable(isa) is None:
            return _multiply_adds(isa, threads, itemsize), f"{isa} multiply-adds"
    return _matmul_rate(itemsize), "NumPy matmul"


def isa_peak(isa: str) -> float | None:
    """FLOP/s of float32 multiply-adds of one core with `isa`; None where it was not compiled."""
    return _multiply_adds(isa, 1, 4) if native.unavailable(isa) is None else None


def _multiply_adds(isa: str, threads: int, itemsize: int) -> float:
    return _together(partial(native.simd().peak, native.table(isa, np.dtype(f"f{itemsize}")), PEAK_SECONDS), threads)


@cache
def bandwidth(threads: int) -> float:
    """Bytes/s of a copy by `threads` cores, reading and writing counted."""
    size = max(32 << 20, min(4 * machine.host().l3, 128 << 20)) // threads

    def copy() -> float:
        source, target = np.ones(size, np.uint8), np.ones(size, np.uint8)
        return 2.0 * size / _best(lambda: np.copyto(target, source), 0.1)

    return _together(copy, threads)


def roofline(threads: int, dtype: np.dtype) -> Roofline:
    """Limits for results of `dtype`; measured once per process for each number of threads."""
    # Half floats are summed in float32; complex numbers are pairs of reals; integers are compared with floats.
    size = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize if dtype.kind == "f" else 4
    flops, source = peak(threads, 8 if size == 8 else 4)
    return Roofline(flops, bandwidth(threads), source, threads)
