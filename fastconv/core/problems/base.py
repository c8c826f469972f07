"""The base of all problems, and the argument checks that several of them share.

A problem is a frozen, hashable description of one operation without its arrays.  Creating one
validates everything; kernels only assert.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar, dataclass_transform, get_args

import numpy as np

from fastconv.core.errors import DTypeError, ShapeError, did_you_mean, shown, whole
from fastconv.typing import Layout, PaddingMode

LAYOUTS: tuple[str, ...] = get_args(Layout)
MAX_ELEMENTS = 2**62 // 16  # bytes of any array can then be addressed by signed 64-bit integers

LARGEST = 10**30  # larger ints are refused: they would make messages long

# Permutations from channels last (N, ..., C) to channels first (N, C, ...), by the number of axes.
LAST_AXIS_SECOND = tuple((0, n - 1, *range(1, n - 1)) for n in range(6))

FREE_SPAN, FREE_RATIO = 2**20, 64  # padded positions that an axis may have: in any case, and per value

Pads = tuple[tuple[int, int], ...]
Direction: TypeAlias = Literal["forward", "backward"]


T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def description(cls: type[T]) -> type[T]:
    """Frozen dataclass that stores its hash: every call looks a problem up."""
    made: Any = dataclass(frozen=True, slots=True)(cls)
    plain = made.__hash__

    def remembered(self: Any) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", plain(self))
            return self._hash

    made.__hash__ = remembered
    return made


USUAL = {
    "direction": "forward", "groups": 1, "stride": (1, 1, 1), "dilation": (1, 1, 1), "pads": ((0, 0),) * 3,
    "mode": "zeros", "fill": 0.0, "layout": "NCHW",
}  # fmt: skip
SMALL_IMAGE = 4096  # elements, with those of its result
NOMINAL_ROWS = 64  # of products, softmax and losses: neither a single vector nor a large batch


@dataclass(frozen=True)
class Problem:
    """Base of all problems: one family (`op`) of operations on canonical shapes."""

    __slots__ = ("_hash",)

    @property
    def op(self) -> str:
        """Name of the family: the registry's key."""
        raise NotImplementedError

    @property
    def flops(self) -> float:
        """Nominal floating-point operations (multiply and add count as two)."""
        raise NotImplementedError

    @property
    def bytes(self) -> float:
        """Bytes that must move at least: every input read once, every output written once."""
        raise NotImplementedError

    @property
    def terms(self) -> int:
        """Largest number of terms in the sum of one result; 0 where nothing is summed."""
        return 0

    def text(self) -> str:
        """The problem in one line: without what is usual, or says nothing."""

        def value(v: Any) -> str:
            if isinstance(v, tuple) and v and all(isinstance(e, int) for e in v):
                return "x".join(map(str, v))
            return named(v) if isinstance(v, np.dtype) else v if isinstance(v, str) else repr(v).replace(" ", "")

        own = {f.name: getattr(self, f.name) for f in fields(self)}
        dtype = own.get("dtype")
        told = [
            name if v is True else f"{name}={value(v)}" for name, v in own.items()
            if v is not None and v is not False and v != USUAL.get(name) and (v != dtype or name == "dtype")
        ]  # fmt: skip
        return f"{self.op}: {', '.join(told)}"

    def one_image(self) -> Problem:
        """The same problem for a batch of one, unless it is a sum over the batch: kernels are chosen for it."""
        return self

    def many_images(self) -> Problem | None:
        """The same problem for a batch `n` of images, if they are so small that batches usually have many of them.

        The kernel is then chosen for one image as well as for many, so that the bits do not depend on the batch.
        """
        return None

    def any_rows(self) -> Problem:
        """The same problem with `NOMINAL_ROWS` rows, where rows do not depend on each other.  It decides the order of
        summation, so that the bits of a row do not depend on the number of rows either."""
        return self

    def few_rows(self) -> Problem | None:
        """The same problem with few rows, if these decide the order of summation, too: where they are as usual as
        many, and what is fast for the ones is not for the others."""
        return None

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Canonical shape and dtype of each result."""
        raise NotImplementedError


def as_int(value: Any, name: str, low: int | None = None) -> int:
    """`value`, an integer and not a bool, as a Python int, at least `low`."""
    result = whole(value, f"{name} must be an int", typed=True)
    if not -LARGEST <= result <= LARGEST:
        raise ShapeError(f"{name} must be from {-LARGEST} to {LARGEST}, got {shown(result)}")
    if low is not None and result < low:
        raise ValueError(f"{name} must be at least {low}, got {result}")
    return result


def as_number(value: Any, name: str) -> float:
    """`value`, a real number and not a bool, as a Python float."""
    if type(value) is float:  # before checks that take longer than a small activation
        return value
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {shown(value)} of type {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must fit float64, got {shown(value)}") from None


def _is_sequence(value: Any) -> bool:
    """Whether `value` contains others; NumPy would raise its own error for ragged lists."""
    if isinstance(value, (list, tuple)):
        return True
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and np.ndim(value) > 0  # type: ignore[arg-type]


def as_ints(value: Any, rank: int, name: str, low: int | None = None) -> tuple[int, ...]:
    """`value` (an int, or one int per spatial axis, or a single one for all) as `rank` ints."""
    if _is_sequence(value):
        items = tuple(value)
        if len(items) == 1:
            items *= rank
        if len(items) != rank:
            raise ValueError(f"{name} must be an int or {rank} ints, got {shown(value)}")
        return tuple(as_int(v, name, low) for v in items)
    return (as_int(value, name, low),) * rank


def freeze(value: Any, name: str) -> Any:
    """An argument made of ints as nested tuples: hashable, so that problems can be cached by their arguments.

    Bools and floats are refused here, before the cache, which would treat True as 1 and 2.0 as 2.
    """
    if type(value) is int or value is None or isinstance(value, str):
        return value
    if _is_sequence(value):
        return tuple(freeze(v, name) for v in value)
    return as_int(value, name)


def as_name(value: Any, name: str) -> Any:
    """`value`, which must be a str or None: checked before the cache, which could not hash a list."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {shown(value)} of type {type(value).__name__}")
    return value


def as_flag(value: Any, name: str) -> bool:
    """`value`, which must be a bool, as one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a bool, got {shown(value)} of type {type(value).__name__}")
    return bool(value)


def joint_shape(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape to which arrays of these shapes broadcast, of any number of axes; None if they do not."""
    rank = max(map(len, shapes))
    joint = []
    for extents in zip(*((1,) * (rank - len(s)) + s for s in shapes), strict=True):
        longer = {e for e in extents if e != 1}
        if len(longer) > 1:
            return None
        joint.append(longer.pop() if longer else 1)
    return tuple(joint)


IN_WORDS = {"channels_first": "NCHW", "channels_last": "NHWC"}  # as other libraries name them


def as_layout(layout: Any) -> Layout:
    if not isinstance(layout, str) or layout not in LAYOUTS:
        close = did_you_mean(IN_WORDS.get(layout, layout), LAYOUTS) if isinstance(layout, str) else ""
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {shown(layout)}{close}")
    return layout  # type: ignore[return-value]


def check_size(shape: tuple[int, ...], name: str) -> None:
    """Refuse a result that could not be addressed."""
    total = 1
    for extent in shape:
        total *= extent
    if total > MAX_ELEMENTS:
        raise ShapeError(f"{name} would have shape {shape}, {total} elements; at most {MAX_ELEMENTS} can be addressed")


def check_span(positions: int, extent: int, kernel: int, output: int, axis: str) -> None:
    """Refuse an axis that is almost entirely padding or gaps between taps: kernels process all of it."""
    most = FREE_SPAN + FREE_RATIO * (extent + kernel + output)
    if positions > most:
        raise ShapeError(
            f"padding, stride and dilation spread {axis} over {positions} positions, with {extent} values in the "
            f"input, {kernel} in the kernel and {output} in the result; at most {most} are allowed"
        )


def split_batch(
    shape: tuple[int, ...], rank: int, layout: Layout, name: str = "input"
) -> tuple[bool, int, int, tuple[int, ...]]:
    """(batched, n, channels, spatial) of an input with `rank` spatial axes; unbatched inputs count as n = 1."""
    spatial_names = "DHW"[-rank:]
    if len(shape) not in (rank + 1, rank + 2):
        want = f"C{spatial_names}" if layout == "NCHW" else f"{spatial_names}C"
        raise ShapeError(f"{name} must have shape (N, {', '.join(want)}) or ({', '.join(want)}), got {shape}")
    batched = len(shape) == rank + 2
    n = shape[0] if batched else 1
    rest = shape[1:] if batched else shape
    channels, spatial = (rest[0], rest[1:]) if layout == "NCHW" else (rest[-1], rest[:-1])
    return batched, n, channels, spatial


def join_batch(batched: bool, n: int, channels: int, spatial: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """The inverse of `split_batch`: the user's shape."""
    rest = (channels, *spatial) if layout == "NCHW" else (*spatial, channels)
    return (n, *rest) if batched else rest


def to_canonical(a: np.ndarray, rank: int, batched: bool, layout: Layout) -> np.ndarray:
    """(N, C, D, H, W) view of a user's array with `rank` spatial axes."""
    if not batched:
        a = a[None]
    if layout == "NHWC":
        a = a.transpose(LAST_AXIS_SECOND[a.ndim])
    if rank == 2:
        return a[:, :, None]
    return a if rank == 3 else a[:, :, None, None]


def to3(values: tuple[Any, ...], fill: Any) -> tuple[Any, Any, Any]:
    """Per-axis values of a 1-D or 2-D operation as those of its canonical 3-D form."""
    return (fill,) * (3 - len(values)) + values


@cache
def promote(*dtypes: np.dtype) -> np.dtype:
    """NumPy's promotion, bfloat16 included; DTypeError where there is no common numeric dtype."""
    try:
        return np.result_type(*dtypes)
    except TypeError as e:
        names = " and ".join(str(d) for d in dtypes)
        raise DTypeError(f"{names} have no common dtype: {e}") from None


def named(dtype: np.dtype) -> str:
    """A dtype's name, without the imports of NumPy's `str`, which fail while the interpreter shuts down."""
    return dtype.type.__name__


@cache
def is_bfloat16(dtype: np.dtype) -> bool:
    """Whether `dtype` is ml_dtypes.bfloat16 (recognised by name: ml_dtypes is optional)."""
    return named(dtype) == "bfloat16"


@cache
def is_half(dtype: np.dtype) -> bool:
    """float16 or bfloat16: read as they are, summed in float32, rounded once."""
    return dtype == np.float16 or is_bfloat16(dtype)


@cache
def work_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype in which values of `dtype` are computed: float32 for 16-bit floats, else their own."""
    return np.dtype(np.float32) if is_half(dtype) else dtype


@cache
def check_dtype(dtype: np.dtype, name: str, kinds: str = "fciu") -> None:
    """DTypeError unless `dtype` is of one of the kinds f(loat), c(omplex), i(nt), u(nsigned), b(ool)."""
    kind = "f" if is_bfloat16(dtype) else dtype.kind
    small = dtype.itemsize <= (16 if kind == "c" else 8)
    if kind not in kinds or not small:
        words = {"f": "float16, bfloat16, float32, float64", "c": "complex64, complex128", "i": "int8 to int64",
                 "u": "uint8 to uint64", "b": "bool"}
        remedy = f": pass {name}.astype(np.float32)" if kind == "b" else ""
        raise DTypeError(f"{name} has dtype {dtype}; allowed are {', '.join(words[k] for k in kinds)}{remedy}")


@cache
def product_dtypes(a: np.dtype, b: np.dtype) -> tuple[np.dtype, np.dtype, np.dtype]:
    """(promoted, accumulator, result) dtype for sums of products of values of `a` and `b`.

    Half floats accumulate in float32 and are rounded once.  Products of 8-bit integers, of either sign, widen
    to int32, others to 64 bits, so that no sum wraps silently.
    """
    dtype = promote(a, b)
    if is_half(dtype):
        return dtype, np.dtype(np.float32), dtype
    if dtype.kind in "iu":
        name = "int32" if a.itemsize == b.itemsize == 1 else "uint64" if dtype.kind == "u" else "int64"
        wide = np.dtype(name)
        return dtype, wide, wide
    return dtype, dtype, dtype


PADDING_MODES: tuple[str, ...] = get_args(PaddingMode)


def check_mode_pads(mode: PaddingMode, extent: int, lo: int, hi: int, axis: str) -> None:
    """Refuse padding with values of the input that is longer than the input allows."""
    if mode in ("zeros", "constant") or (lo <= 0 and hi <= 0):
        return
    limit = {"reflect": extent - 1, "replicate": None if extent else 0, "circular": extent, "symmetric": extent}[mode]
    if limit is not None and max(lo, hi) > limit:
        raise ShapeError(
            f"padding ({lo}, {hi}) on {axis} of length {extent} is too large for padding_mode {shown(mode)}: "
            f"at most {max(limit, 0)}"
        )


def source_index(extent: int, lo: int, hi: int, mode: PaddingMode) -> np.ndarray:
    """Where each position of a padded axis comes from.

    Returns
    -------
    ndarray of intp, shape (lo + extent + hi,)
        Input index for each padded position; -1 where the position holds the fill value.
        Negative `lo` or `hi` crop.
    """
    return source_of(np.arange(-lo, extent + hi, dtype=np.intp), extent, mode)


Run = tuple[int, int, int, int]
"""(first position, position after the last, source of the first, step of the source): step 0 repeats one element."""


def source_runs(extent: int, lo: int, hi: int, mode: PaddingMode) -> tuple[Run, ...]:
    """`source_index` as a few runs, for modes that take every value from the input and crop nothing."""
    before, after = {
        "replicate": ((0, 0), (extent - 1, 0)),
        "circular": ((extent - lo, 1), (0, 1)),
        "reflect": ((lo, -1), (extent - 2, -1)),
        "symmetric": ((lo - 1, -1), (extent - 1, -1)),
    }[mode]
    runs = (0, lo, *before), (lo, lo + extent, 0, 1), (lo + extent, lo + extent + hi, *after)
    return tuple(r for r in runs if r[0] < r[1])


def source_of(i: np.ndarray, extent: int, mode: PaddingMode) -> np.ndarray:
    """Input index for positions `i`, counted from the first input element; -1 for the fill value."""
    if mode in ("zeros", "constant"):
        return np.where((i >= 0) & (i < extent), i, -1)
    if mode == "replicate":
        return np.clip(i, 0, extent - 1)
    if mode == "circular":
        return i % max(extent, 1)
    if mode == "reflect":
        i = np.abs(i)
        return np.where(i >= extent, 2 * (extent - 1) - i, i)
    i = np.where(i < 0, -1 - i, i)
    return np.where(i >= extent, 2 * extent - 1 - i, i)
