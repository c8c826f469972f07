"""Scratch memory for debugging: of exactly the requested size, never reused, and filled with NaN.

``FASTCONV_DEBUG_SCRATCH=1`` makes it replace `fastconv.core.scratch`'s.  Kernels that read scratch before they write
it then give NaN.  Under AddressSanitizer (``make sanitize``) an access one byte too far ends the process, also from one
thread's scratch into the next thread's, which belong to one allocation.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np

from fastconv.core.numbers import LINE, whole_lines

NAN = 0xFF  # bytes of this value are NaN in floats of any width, and invalid as an index

_libc = ctypes.CDLL(None)
_libc.posix_memalign.argtypes = (ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_size_t)
_libc.free.argtypes = (ctypes.c_void_p,)
_forbid: Any = getattr(_libc, "__asan_poison_memory_region", None)  # exists under AddressSanitizer
if _forbid is not None:
    _forbid.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


def aligned_empty(nbytes: int) -> np.ndarray:
    """Array of `nbytes` bytes that starts on a cache line, and ends with its allocation."""
    at = ctypes.c_void_p()
    if _libc.posix_memalign(ctypes.byref(at), LINE, max(nbytes, 1)):
        raise MemoryError(f"{nbytes} bytes")
    memory: Any = (ctypes.c_char * max(nbytes, 1)).from_address(at.value or 0)
    weakref.finalize(memory, _libc.free, at)
    array = np.frombuffer(memory, np.uint8)
    array.fill(NAN)
    return array[:nbytes]


def step_of(nbytes: int) -> int:
    """`fastconv.core.scratch.step_of`, with a forbidden cache line after each thread's bytes."""
    return whole_lines(nbytes) + LINE


class borrow:
    """`fastconv.core.scratch.borrow`."""

    def __init__(self, nbytes: int) -> None:
        self._buffer = aligned_empty(nbytes)

    def __enter__(self) -> np.ndarray:
        return self._buffer

    def __exit__(self, *error: object) -> None:
        del self._buffer


def borrow_each(nbytes: int, workers: int, shared: int = 0) -> borrow:
    """`fastconv.core.scratch.borrow_each`; the bytes between threads are forbidden."""
    step = step_of(nbytes)
    lent = borrow(step * workers + shared if shared else step * (workers - 1) + nbytes)
    if _forbid is not None:
        for i in range(workers if shared else workers - 1):
            _forbid(lent._buffer.ctypes.data + i * step + nbytes, step - nbytes)
    return lent
