"""Padding, and the copies between an image and its windows (unfold, fold)."""

from __future__ import annotations

from math import isfinite, prod
from typing import Any, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError, not_among, shown
from fastconv.core.problems.base import (
    Direction,
    Problem,
    as_int,
    as_ints,
    check_dtype,
    check_mode_pads,
    check_size,
    description,
    source_index,
)
from fastconv.typing import PadMode

MAX_AXES = 31  # spatial axes: windows have twice as many, and an array at most 64
MODES: tuple[str, ...] = get_args(PadMode)


@description
class PadProblem(Problem):
    """One padding.

    Canonical x is (n, *input), out (n, *output), C-contiguous: the leading axes without padding are merged.

    Attributes
    ----------
    n : int
    input : tuple of int
        Extents of the padded axes.
    pads : tuple of (int, int)
        Elements added before and after each; negative ones crop.
    mode : str
    value : number
        For ``constant``.
    dtype : numpy.dtype
    direction : str
        ``forward``, or ``backward``: a run receives the gradient of the result and computes that of x.
    """

    n: int
    input: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    mode: PadMode
    value: Any
    dtype: np.dtype
    direction: Direction = "forward"

    @property
    def op(self) -> str:
        return "pad" if self.direction == "forward" else "pad_backward"

    @property
    def output(self) -> tuple[int, ...]:
        return tuple(lo + e + hi for e, (lo, hi) in zip(self.input, self.pads, strict=True))

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.n, *self.input)

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.n, *self.output)

    @property
    def terms(self) -> int:
        if self.direction == "forward" or self.mode == "constant":
            return 0
        return prod(1 + max(lo, 0) + max(hi, 0) for lo, hi in self.pads)

    @property
    def flops(self) -> float:
        return float(prod(self.y_shape))

    @property
    def bytes(self) -> float:
        return float((prod(self.x_shape) + prod(self.y_shape)) * self.dtype.itemsize)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return ((self.y_shape if self.direction == "forward" else self.x_shape, self.dtype),)


@keep_few(1024, typed=True)
def pad_problem(
    shape: tuple[int, ...], dtype: np.dtype, pad: Any, mode: Any, value: Any
) -> tuple[PadProblem, tuple[int, ...]]:
    """Check the arguments of pad and describe the padding.

    Returns
    -------
    problem : PadProblem
    shape : tuple of int
        The result's.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
    """
    check_dtype(dtype, "input", "fciub")
    if mode not in MODES:
        raise ValueError(not_among("mode", mode, MODES))
    if not isinstance(pad, tuple) or any(not isinstance(p, int) for p in pad):
        raise TypeError(f"pad must be a sequence of ints, got {shown(pad)}")
    pad = tuple(as_int(p, "pad") for p in pad)
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ShapeError(f"pad must hold a pair for each of at most {len(shape)} last axes, got {len(pad)} ints")
    count = len(pad) // 2
    pads = tuple((pad[2 * i], pad[2 * i + 1]) for i in reversed(range(count)))
    lead, extents = shape[: len(shape) - count], shape[len(shape) - count :]
    if mode != "constant":
        _check_ranks(shape, count, mode)
        if value is not None and value != 0:
            raise ValueError(f"value is for mode 'constant' only, got {shown(value)} with mode {shown(mode)}")
    for axis, e, (lo, hi) in zip(range(len(lead), len(shape)), extents, pads, strict=True):
        left = e + min(lo, 0) + min(hi, 0)
        if left < 0 and mode in ("constant", "circular"):
            raise ShapeError(f"pad ({lo}, {hi}) crops more of axis {axis} than its length, {e}")
        check_mode_pads(mode, left if mode == "circular" else e, lo, hi, f"axis {axis}")
        if lo + e + hi < (0 if mode == "constant" else 1):
            raise ShapeError(f"axis {axis} would have length {lo + e + hi}: input has shape {shape}, pad is {pad}")
    result = (*lead, *(lo + e + hi for e, (lo, hi) in zip(extents, pads, strict=True)))
    check_size(result, "the result")
    fill = _fill(value, dtype)
    return PadProblem(prod(lead), extents, pads, mode, fill, dtype), result


def pad_source(extent: int, lo: int, hi: int, mode: PadMode) -> np.ndarray:
    """Where each position of a padded axis comes from; -1 for the fill value.

    As `source_index`, but ``circular`` wraps what is left after cropping, as in torch.
    """
    if mode != "circular":
        return source_index(extent, lo, hi, mode)
    first, last = max(-lo, 0), max(-hi, 0)
    return first + source_index(extent - first - last, max(lo, 0), max(hi, 0), mode)


def _check_ranks(shape: tuple[int, ...], count: int, mode: PadMode) -> None:
    """Modes that take values from x pad the spatial axes of (N, C, ...) or (C, ...), as in torch."""
    if count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2):
        raise ShapeError(
            f"mode {shown(mode)} pads the last 1, 2 or 3 axes of (C, ...) or (N, C, ...): {count} pairs, shape {shape}"
        )
    if 0 in shape[len(shape) - count - 1 :]:
        raise ShapeError(f"mode {shown(mode)} needs values: only the batch of input may be empty, got shape {shape}")


def as_value(value: Any) -> Any:
    """The value for ``constant``, a Python number or None: checked before the cache, which could not hash a list."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is not None and not isinstance(value, (bool, int, float, complex)):
        raise TypeError(f"value must be a number, got {shown(value)}")
    return value


def _fill(value: Any, dtype: np.dtype) -> Any:
    """The value for ``constant`` as a Python number that `dtype` holds."""
    if value is None:
        return 0
    if isinstance(value, complex) and dtype.kind != "c":
        raise DTypeError(f"value is complex, {shown(value)}; input has dtype {dtype}")
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if not isinstance(value, int) and not (isfinite(value.real) and value == int(value.real)):
            raise DTypeError(f"value must be a whole number for dtype {dtype}, got {shown(value)}")
        if not info.min <= int(value.real) <= info.max:
            raise ValueError(f"value must fit {dtype}, got {shown(value)}")
        return int(value.real)
    try:
        complex(value)
    except OverflowError:
        raise ValueError(f"value must fit {dtype}, got {shown(value)}") from None
    return value


@description
class FoldProblem(Problem):
    """Unfold, or its adjoint fold.

    The image is (n, c, h, w), or has another number of spatial axes; the columns are (n, c, kh, kw, oh, ow).  Both are
    C-contiguous.  Unfold copies the image to the columns, fold sums the columns into the image.

    Attributes
    ----------
    kind : str
        ``unfold`` or ``fold``.
    n, c : int
    image, kernel, dilation, padding, stride, windows : tuple of int
        Along each spatial axis.
    dtype : numpy.dtype
    """

    kind: str
    n: int
    c: int
    image: tuple[int, ...]
    kernel: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]
    stride: tuple[int, ...]
    windows: tuple[int, ...]
    dtype: np.dtype

    @property
    def op(self) -> str:
        return "fold"

    @property
    def image_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.image)

    @property
    def column_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.kernel, *self.windows)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return self.image_shape if self.kind == "unfold" else self.column_shape

    @property
    def y_shape(self) -> tuple[int, ...]:
        return self.column_shape if self.kind == "unfold" else self.image_shape

    @property
    def acc(self) -> np.dtype:
        """The dtype of fold's sums."""
        half = self.dtype.kind not in "bc" and self.dtype.itemsize == 2
        return np.dtype(np.float32) if half else self.dtype

    @property
    def terms(self) -> int:
        return prod(self.kernel) if self.kind == "fold" else 0

    @property
    def flops(self) -> float:
        return float(prod(self.column_shape))

    @property
    def bytes(self) -> float:
        return float((prod(self.image_shape) + prod(self.column_shape)) * self.dtype.itemsize)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return ((self.y_shape, self.dtype),)


@keep_few(1024)
def unfold_problem(
    shape: tuple[int, ...], dtype: np.dtype, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[FoldProblem, tuple[int, ...]]:
    """Check the arguments of unfold; the problem, and the result's shape.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
    """
    check_dtype(dtype, "input", "fcb")
    usual = max(2, len(shape) - 2)
    rank = spatial_rank(kernel_size, usual)
    if len(shape) not in (rank + 1, rank + 2):
        rank = usual
    if len(shape) not in (rank + 1, rank + 2):
        raise ShapeError(f"input must have shape (N, C, H, W) or (C, H, W), or more spatial axes, got {shape}")
    batched = len(shape) == rank + 2
    if 0 in shape[batched:]:
        raise ShapeError(f"only the batch of input may be empty, got shape {shape}")
    n, c, *image = shape if batched else (1, *shape)
    p = _fold_problem("unfold", n, c, tuple(image), dtype, kernel_size, dilation, padding, stride)
    columns = (c * prod(p.kernel), prod(p.windows))
    return p, (n, *columns) if batched else columns


def spatial_rank(sizes: Any, otherwise: int) -> int:
    """Number of spatial axes, from the `sizes` of windows or of an image; a single number does not determine it."""
    return len(sizes) if isinstance(sizes, tuple) and len(sizes) > 1 else otherwise


@keep_few(1024)
def fold_problem(
    shape: tuple[int, ...],
    dtype: np.dtype,
    output_size: Any,
    kernel_size: Any,
    dilation: Any,
    padding: Any,
    stride: Any,
) -> tuple[FoldProblem, tuple[int, ...]]:
    """Check the arguments of fold; the problem, and the result's shape.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
    """
    check_dtype(dtype, "input", "fcb")
    if len(shape) not in (2, 3):
        raise ShapeError(f"input must have shape (N, C * kernel, L) or (C * kernel, L), got {shape}")
    if 0 in shape[-2:]:
        raise ShapeError(f"only the batch of input may be empty, got shape {shape}")
    n, rows, length = shape if len(shape) == 3 else (1, *shape)
    rank = spatial_rank(output_size, spatial_rank(kernel_size, 2))
    if rank > MAX_AXES:
        raise ShapeError(f"output_size and kernel_size hold at most {MAX_AXES} ints, got {rank}")
    image = as_ints(output_size, rank, "output_size", 1)
    taps = prod(as_ints(kernel_size, rank, "kernel_size", 1))
    if rows % taps:
        raise ShapeError(
            f"axis -2 of input must be a multiple of the kernel's size, {shown(taps)}; input has shape {shape}"
        )
    p = _fold_problem("fold", n, rows // taps, image, dtype, kernel_size, dilation, padding, stride)
    if prod(p.windows) != length:
        raise ShapeError(
            f"output_size {image} has {_by(p.windows)} = {prod(p.windows)} windows; "
            f"the last axis of input has {length}"
        )
    return p, p.image_shape if len(shape) == 3 else p.image_shape[1:]


def _by(extents: tuple[int, ...]) -> str:
    return " x ".join(map(str, extents))


def _fold_problem(
    kind: str, n: int, c: int, image: tuple[int, ...], dtype: np.dtype,
    kernel_size: Any, dilation: Any, padding: Any, stride: Any,
) -> FoldProblem:  # fmt: skip
    rank = len(image)
    kernel = as_ints(kernel_size, rank, "kernel_size", 1)
    d, s = as_ints(dilation, rank, "dilation", 1), as_ints(stride, rank, "stride", 1)
    p = as_ints(padding, rank, "padding", 0)
    windows = tuple(
        (e + 2 * pp - dd * (k - 1) - 1) // ss + 1 for e, pp, dd, k, ss in zip(image, p, d, kernel, s, strict=True)
    )
    if min(windows) < 1:
        raise ShapeError(
            f"an image of {_by(image)} has {_by(windows)} windows of kernel_size {kernel}, "
            f"dilation {d}, padding {p}, stride {s}; at least one is needed"
        )
    check_size((n, c, *kernel, *windows), "the result")
    check_size((n, c, *image), "the result")
    return FoldProblem(kind, n, c, image, kernel, d, p, s, windows, dtype)


def flat_shape(shape: tuple[int, ...], start_dim: Any, end_dim: Any) -> tuple[int, ...]:
    """`shape` with axes `start_dim` to `end_dim` joined to one."""
    count = max(len(shape), 1)
    dims = []
    for dim, name in ((start_dim, "start_dim"), (end_dim, "end_dim")):
        dim = as_int(dim, name)
        if not -count <= dim < count:
            raise IndexError(f"{name} must be from {-count} to {count - 1} for shape {shape}, got {dim}")
        dims.append(dim % count)
    first, last = dims
    if first > last:
        raise ValueError(f"start_dim must not come after end_dim, got {start_dim} and {end_dim} for shape {shape}")
    length = 1
    for extent in shape[first : last + 1]:
        length *= extent
    return (*shape[:first], length, *shape[last + 1 :])
