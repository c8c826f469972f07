"""Convert what the user passes to NumPy arrays, and those to what kernels accept."""

from __future__ import annotations

import importlib
import math
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.errors import DTypeError, ShapeError, did_you_mean, shown
from fastconv.core.scratch import DEBUG
from fastconv.core.scratch import aligned_empty as _aligned_bytes
from fastconv.typing import Layout

# From this size on, aligning to a cache line gains more than it costs.
ALIGNED_BYTES = 0 if DEBUG else 64 << 10
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16",
          "float32", "float64", "complex64", "complex128")  # fmt: skip
PART_BYTES = 4 << 20  # of a copy; Python handles signals between parts: writing new pages may be as slow as 0.3 GB/s


class Spec(NamedTuple):
    """Shape and dtype of an array that does not exist yet: enough to make a plan.

    `fastconv.plan` takes one as its first argument, `fastconv.compare` for any array, and gradients for arrays of which
    only shape and dtype matter.  Anywhere else it raises a TypeError, because it has no values.

    Examples
    --------
    >>> import fastconv, numpy as np
    >>> run = fastconv.plan(fastconv.relu, fastconv.Spec((2, 3), np.float32))
    >>> run(np.full((2, 3), -1, np.float32))[0]
    array([0., 0., 0.], dtype=float32)
    """

    shape: tuple[int, ...]
    dtype: DTypeLike = np.float32


def stand_in(spec: Spec, name: str) -> np.ndarray:
    """An array of the shape and dtype of `spec`, which takes no memory and is never read.

    Raises
    ------
    ShapeError, TypeError
        If there is no array of that shape or dtype.
    """
    shape = tuple(spec.shape) if isinstance(spec.shape, (tuple, list)) else (spec.shape,)
    for extent in shape:
        if isinstance(extent, (bool, np.timedelta64)) or not isinstance(extent, (int, np.integer)):
            raise TypeError(f"{name} is a Spec of shape {shown(spec.shape)}; a shape is a tuple of ints")
        if extent < 0:
            raise ShapeError(f"{name} is a Spec of shape {spec.shape}; extents must be at least 0")
    dtype = dtype_called(spec.dtype, f"dtype of {name}")
    if math.prod(shape) * dtype.itemsize > sys.maxsize:
        raise ShapeError(f"{name} is a Spec of shape {spec.shape}: no array can be as large as that")
    return np.broadcast_to(np.zeros((), dtype), shape)


def dtype_called(value: Any, name: str) -> np.dtype:
    """`value`, anything that NumPy knows as a dtype, or "bfloat16", as one.

    Raises
    ------
    DTypeError
        If it is none.
    ImportError
        If it is bfloat16, and ml_dtypes is not installed.
    """
    if isinstance(value, str) and value == "bfloat16":
        try:
            importlib.import_module("ml_dtypes")  # it teaches NumPy the name
        except ImportError:
            raise ImportError(f"{name} is bfloat16, which needs ml_dtypes: pip install 'fastconv[bfloat16]'") from None
    try:
        return np.dtype(value)
    except (TypeError, ValueError):
        raise DTypeError(f"{name} must be a dtype, got {shown(value)}{did_you_mean(value, DTYPES)}") from None


def as_shaped(value: Any, name: str) -> np.ndarray:
    """As `as_array`, for arguments of which only shape and dtype matter: a `Spec` is accepted, too."""
    return stand_in(value, name) if isinstance(value, Spec) else as_array(value, name)


def as_array(value: Any, name: str) -> np.ndarray:
    """`value` as a NumPy array without a copy where possible.

    Accepts arrays, anything with the buffer protocol or DLPack on the CPU, and nested sequences of numbers.

    Raises
    ------
    TypeError
        If `value` is none of these; a `Spec` is none, as it has no values.
    DTypeError
        If the elements are not numbers.
    """
    if type(value) is np.ndarray:
        result = value
    elif isinstance(value, Spec):
        raise TypeError(f"{name} is a Spec, but its values are needed: pass an array")
    elif isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; its mask would be ignored: pass x.filled(...) instead")
    elif value is None or isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be an array, got {shown(value)}")
    elif hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        try:
            result = np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError, ValueError) as e:
            raise TypeError(f"{name} of type {type(value).__name__} cannot be read through DLPack: {e}") from e
    else:
        try:
            result = np.asarray(value)
        except ValueError as e:
            raise TypeError(f"{name} is not a rectangular array: {e}") from e
    if result.dtype.kind not in "fciub" and result.dtype.type.__name__ != "bfloat16":
        raise DTypeError(f"{name} has dtype {result.dtype}; numbers are needed")
    if not result.dtype.isnative:
        return result.astype(result.dtype.newbyteorder("="))
    return result


def as_outs(out: Any, count: int) -> tuple[Any, ...]:
    """The user's `out` as one entry per result."""
    if out is None:
        return (None,) * count
    if count == 1 and not isinstance(out, tuple):
        return (out,)
    if not isinstance(out, tuple) or len(out) != count:
        given = f"a tuple of {len(out)}" if isinstance(out, tuple) else f"one of type {type(out).__name__}"
        raise TypeError(f"out must be {'an array' if count == 1 else f'a tuple of {count} arrays'}, got {given}")
    return out


def clean(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`a` as a C-contiguous, aligned array of `dtype`; itself if it is that already."""
    if a.dtype == dtype and a.flags.c_contiguous and a.flags.aligned:
        return a
    return copied(np.empty(a.shape, dtype), a)


def clean_volume(a: np.ndarray, dtype: np.dtype, layout: Layout) -> np.ndarray:
    """Canonical (N, C, D, H, W) view that satisfies the contract of `core.kernel` for `layout`.

    NCHW: planes are contiguous, strides of N and C are free.  NHWC: contiguous channels-last.
    """
    if layout == "NHWC":
        return clean(a.transpose(0, 2, 3, 4, 1), dtype).transpose(0, 4, 1, 2, 3)
    if a.flags.c_contiguous and a.dtype == dtype and a.flags.aligned:
        return a
    plane = a[:1, :1]
    strides_fit = all(s % dtype.itemsize == 0 for s in a.strides[:2])
    if a.dtype == dtype and a.flags.aligned and strides_fit and (a.size == 0 or plane[0, 0].flags.c_contiguous):
        return a
    return clean(a, dtype)


def own_copy(a: np.ndarray) -> np.ndarray:
    """A copy of `a` for kernels: images (N, C, D, H, W) satisfy the contract of `core.kernel`.

    NumPy's ``order="K"`` alone would put a batch that overlaps or repeats itself (strides of 0) inside the planes.
    """
    if a.ndim != 5:
        return copied(np.empty_like(a), a)
    last = a.transpose(0, 2, 3, 4, 1)
    if last.flags.c_contiguous and not a.flags.c_contiguous:
        return copied(np.empty(last.shape, a.dtype), last).transpose(0, 4, 1, 2, 3)
    return copied(np.empty(a.shape, a.dtype), a)


def copied(to: np.ndarray, a: np.ndarray) -> np.ndarray:
    """`to`, with a copy of `a`; a large one in parts of up to `PART_BYTES`, in the order of memory."""
    with np.errstate(all="ignore"):  # a value too large for another dtype is infinite
        if to.nbytes <= PART_BYTES:
            np.copyto(to, a, casting="unsafe")
            return to
        axes = sorted(range(to.ndim), key=lambda axis: -to.strides[axis])
        target, source = to.transpose(axes), a.transpose(axes)
        inner, axis = to.nbytes, -1  # bytes of one position of the axis to cut: the first whose positions fit
        while inner > PART_BYTES and axis + 1 < to.ndim:
            axis += 1
            inner //= to.shape[axes[axis]]
        step = max(1, PART_BYTES // inner)
        for outer in np.ndindex(target.shape[:axis]):
            for i in range(0, target.shape[axis], step):
                part = (*outer, slice(i, i + step))
                np.copyto(target[part], source[part], casting="unsafe")
    return to


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Uninitialised C-contiguous array that starts on a cache line, unless it is too small for that to matter."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < ALIGNED_BYTES:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, _aligned_bytes(nbytes))


def overlaps(a: np.ndarray, others: tuple[Any, ...]) -> bool:
    """Whether `a` may share memory with one of `others`."""
    return any(isinstance(o, np.ndarray) and np.may_share_memory(a, o) for o in others)


def repeats_itself(a: np.ndarray) -> bool:
    """Whether elements of `a` may share memory with each other: a stride is less than the span of inner axes."""
    if a.size == 0:
        return False
    reach = a.itemsize
    for stride, extent in sorted((abs(s), e) for s, e in zip(a.strides, a.shape, strict=True) if e > 1):
        if stride < reach:
            return True
        reach += stride * (extent - 1)
    return False


def share_memory(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether some byte belongs to both; True where the exact answer would take long."""
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def limits_of(dtype: np.dtype) -> tuple[int, int]:
    """The smallest and the largest number of bool or of integers."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def store_integers(sums: np.ndarray, out: np.ndarray) -> None:
    """Store exact sums, of any dtype, in an array of integers of the same size.

    Raises
    ------
    OverflowError
        If one does not fit.
    """
    if sums.dtype != out.dtype and sums.size:
        info = np.iinfo(out.dtype)
        if sums.min() < info.min or sums.max() > info.max:
            raise OverflowError(f"a sum of integers does not fit {out.dtype}: convert the inputs to float64")
    out[...] = sums.reshape(out.shape)
