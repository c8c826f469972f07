"""Scratch memory for kernels: borrowed, aligned, recycled per thread.

New pages cost about 0.25 us per 4 KiB, more than many kernels take to compute, so each
thread keeps a few buffers between calls.  They are borrowed as from a stack, not one slot per
thread: a signal handler or a callback may run a second call inside the first.

``FASTCONV_DEBUG_SCRATCH=1`` replaces all of this by `fastconv.core.poisoned`.
"""

from __future__ import annotations

import os
import threading
from ctypes import addressof, c_char
from typing import TYPE_CHECKING

import numpy as np

from fastconv.core.numbers import LINE, whole_lines

DEBUG = os.environ.get("FASTCONV_DEBUG_SCRATCH") == "1"
KEEP_BYTES = 64 << 20  # of all buffers that a thread keeps; the rest is returned to the system after use
KEEP_COUNT = 6
SMALL_BYTES = 1 << 20  # after a smaller buffer, the total is not checked


class _Shelf(threading.local):
    def __init__(self) -> None:
        self.free: list[np.ndarray] = []


_shelf = _Shelf()


def aligned_empty(nbytes: int) -> np.ndarray:
    """Uninitialised uint8 array of `nbytes` that starts on a cache line."""
    raw = np.empty(nbytes + LINE, np.uint8)
    start = -addressof(c_char.from_buffer(raw.data)) % LINE  # a fifth of the time that raw.__array_interface__ takes
    return raw[start : start + nbytes]


class borrow:
    """At least `nbytes` bytes of aligned, uninitialised scratch for the length of a `with`.

    Re-entrant and thread-safe; the contents are lost afterwards.

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
        if free and free[-1].nbytes >= nbytes:  # nested borrowers return in the same order
            self._buffer = free.pop()
            return self._buffer
        best = None
        for i in range(len(free)):  # no variable for a buffer: it would keep it alive while a larger one is made
            if free[i].nbytes >= nbytes and (best is None or free[i].nbytes < free[best].nbytes):
                best = i
        if best is not None:
            self._buffer = free.pop(best)
            return self._buffer
        if free:  # the largest is replaced by a larger one: it is too small for the current problems
            free.pop(max(range(len(free)), key=lambda i: free[i].nbytes))
        self._buffer = aligned_empty(nbytes)
        return self._buffer

    def __exit__(self, *error: object) -> None:
        free = _shelf.free
        free.append(self._buffer)
        if len(free) > KEEP_COUNT:
            free.pop(0)
        if self._buffer.nbytes > SMALL_BYTES:
            while sum(b.nbytes for b in free) > KEEP_BYTES:
                free.pop(0)


def step_of(nbytes: int) -> int:
    """Distance from one thread's scratch of `nbytes` to the next thread's: whole cache lines."""
    return whole_lines(nbytes)


def borrow_each(nbytes: int, workers: int, shared: int = 0) -> borrow:
    """Scratch of `nbytes` for each thread, `step_of` apart, followed by `shared` bytes for all of them."""
    return borrow(step_of(nbytes) * workers + shared)


if DEBUG and not TYPE_CHECKING:
    from fastconv.core.poisoned import aligned_empty, borrow, borrow_each, step_of  # noqa: F401
