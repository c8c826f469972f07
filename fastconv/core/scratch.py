"""Scratch memory for kernels: borrowed, aligned, recycled per thread.

Fresh pages cost about 0.25 us per 4 KiB, more than many kernels spend computing, so each
thread keeps a few buffers between calls.  Borrowing is a stack discipline, not one slot per
thread: a signal handler or a callback may run a second call inside the first.
"""

from __future__ import annotations

import threading

import numpy as np

ALIGN = 64
KEEP_BYTES = 8 << 20  # a buffer larger than this is returned to the system after use
KEEP_COUNT = 4


class _Shelf(threading.local):
    def __init__(self) -> None:
        self.free: list[np.ndarray] = []


_shelf = _Shelf()


def aligned_empty(nbytes: int) -> np.ndarray:
    """Uninitialised uint8 array of `nbytes` that starts on a cache line."""
    raw = np.empty(nbytes + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + nbytes]


class borrow:
    """At least `nbytes` bytes of aligned, uninitialised scratch for the length of a `with`.

    Re-entrant and thread-safe; the contents do not survive.

    Examples
    --------
    >>> with borrow(1024) as buf:
    ...     band = buf[:1024].view("f4")
    >>> band.size
    256
    """

    __slots__ = ("_buffer", "_nbytes")

    def __init__(self, nbytes: int) -> None:
        self._nbytes = nbytes

    def __enter__(self) -> np.ndarray:
        free, nbytes = _shelf.free, self._nbytes
        best = None
        for i, b in enumerate(free):
            if b.nbytes >= nbytes and (best is None or b.nbytes < free[best].nbytes):
                best = i
        self._buffer = free.pop(best) if best is not None else aligned_empty(nbytes)
        return self._buffer

    def __exit__(self, *error: object) -> None:
        free = _shelf.free
        if self._buffer.nbytes <= KEEP_BYTES:
            if len(free) >= KEEP_COUNT:
                free.pop(0)
            free.append(self._buffer)
