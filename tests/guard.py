"""Arrays placed flush against unreadable pages: one byte out of bounds, read or written, crashes the test run.

Native kernels get no bounds checks; a load past the last pixel usually goes unseen.  Here the byte behind
(or before) an array lies in a page that the system refuses to touch.
"""

from __future__ import annotations

import ctypes
import mmap
import weakref
from typing import Any

import numpy as np

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_NOTHING = 0  # PROT_NONE
_FAILED = ctypes.c_void_p(-1).value


def guarded(shape: int | tuple[int, ...], dtype: Any, at: str = "end") -> np.ndarray:
    """A writable C-contiguous array with an unreadable page right before (``at="start"``) or behind (``"end"``).

    The other end is guarded too, up to a page away.  Floats start as NaN, other dtypes as zeros.
    The mapping is released with the last view of the array.
    """
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    page = mmap.PAGESIZE
    inner = max(1, -(-nbytes // page)) * page
    base = _libc.mmap(None, inner + 2 * page, _NOTHING, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if base == _FAILED or _libc.mprotect(base + page, inner, mmap.PROT_READ | mmap.PROT_WRITE) != 0:
        raise OSError(ctypes.get_errno(), "cannot map guard pages")
    memory = (ctypes.c_char * inner).from_address(base + page)
    weakref.finalize(memory, _libc.munmap, base, inner + 2 * page)
    start = {"start": 0, "end": inner - nbytes}[at]
    array = np.frombuffer(memory, np.uint8, nbytes, start).view(dtype).reshape(shape)
    if dtype.kind in "fc":
        array[...] = np.nan
    return array


def guarded_copy(a: np.ndarray, at: str = "end") -> np.ndarray:
    """`a` in guarded memory, its axes in the same memory order (so channels-last stays channels-last)."""
    order = sorted(range(a.ndim), key=lambda axis: (-abs(a.strides[axis]), axis))
    copy = guarded(tuple(a.shape[axis] for axis in order), a.dtype, at).transpose(np.argsort(order))
    copy[...] = a
    return copy
