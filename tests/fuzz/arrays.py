"""Arrays of every kind that users have: values that are hard for arithmetic, memory that is hard for addressing.

An `Array` is a description of a few words; `build` makes the same array of it every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import numpy as np

try:
    from tests.guard import guarded
except ImportError:  # run as a program, not by pytest, which adds the folder of the tests
    from tests.guard import guarded

FLOATS = ("float32", "float64", "float16", "bfloat16")
VALUES = (
    "constant", "alternating", "bright", "relu", "small_ints", "signed_zeros", "tiny", "denormal", "huge", "outlier",
    "fill_value", "nan", "inf",
)  # fmt: skip
FORMS = (
    "step", "reversed", "broadcast", "order", "fortran", "window", "unaligned", "swapped", "readonly", "guarded",
    "guarded_start",
)  # fmt: skip
OUTLIERS = (1e4, -1e6, 1e10, 1e20, 3e37)


@cache
def dtype_of(name: str) -> np.dtype:
    """The dtype of that name, bfloat16 included."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


@cache
def limits(dtype: np.dtype) -> tuple[float, float, float]:
    """(eps, largest, smallest normal) of a floating or complex dtype."""
    if dtype.name == "bfloat16":
        return 2.0**-7, 3.3895e38, 2.0**-126
    found = np.finfo(dtype)
    return float(found.eps), float(found.max), float(found.smallest_normal)


@dataclass(frozen=True)
class Array:
    """An array in a few words.

    Attributes
    ----------
    shape : tuple of int or None
        None is the shape of the forward result: for an incoming gradient.
    dtype : str
    values : str
        ``normal`` or one of `VALUES`; ``below:N`` are integers from 0 to N - 1; ``places:N`` and ``places:N:last``
        are such integers, distinct within a channel, whose axis is second or last.
    form : str
        How the array lies in memory: ``plain``, or one of `FORMS`, some with the number of an axis behind a colon.
    seed : int
    """

    shape: tuple[int, ...] | None
    dtype: str = "float32"
    values: str = "normal"
    form: str = "plain"
    seed: int = 0

    def __repr__(self) -> str:
        words = [repr(self.shape)]
        for name, usual in (("dtype", "float32"), ("values", "normal"), ("form", "plain"), ("seed", 0)):
            if getattr(self, name) != usual:
                words.append(f"{name}={getattr(self, name)!r}")
        return f"Array({', '.join(words)})"


def array(shape: tuple[int, ...], dtype: str = "float32", values: str = "normal", form: str = "plain",
          seed: int = 0) -> np.ndarray:  # fmt: skip
    """The array that these words describe, for the snippets that the fuzzer prints."""
    return build(Array(shape, dtype, values, form, seed), shape)


def build(a: Array, shape: tuple[int, ...]) -> np.ndarray:
    """The array that `a` describes, of `shape` where it has none of its own."""
    shape = shape if a.shape is None else a.shape
    return _placed(np.asarray(_values(a, shape)), a.form)


def _values(a: Array, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng([a.seed, prod(shape), len(shape)])
    dtype = dtype_of(a.dtype)
    kind, _, rest = a.values.partition(":")
    if kind == "below":
        return rng.integers(0, max(int(rest), 1), shape).astype(dtype)
    if kind == "places":
        return _places(rng, shape, *rest.split(":")).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        return _integers(rng, shape, dtype, kind)
    if dtype.kind == "c":
        made = np.empty(shape, dtype)
        made.real, made.imag = (_floats(rng, shape, dtype, kind) for _ in range(2))
        return made
    with np.errstate(all="ignore"):
        return _floats(rng, shape, dtype, kind).astype(dtype)


def _places(rng: np.random.Generator, shape: tuple[int, ...], count: str, last: str = "") -> np.ndarray:
    """Distinct places below `count` for every channel; some repeat where there are not enough."""
    moved = (shape[0], shape[-1], *shape[1:-1]) if last else shape
    pixels, total = prod(moved[2:]), int(count)
    rows = [np.resize(rng.permutation(max(total, 1)), pixels) for _ in range(moved[0] * moved[1])]
    places = np.array(rows, np.int64).reshape(moved)
    return np.moveaxis(places, 1, -1) if last else places


def _integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, kind: str) -> np.ndarray:
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if kind == "constant":
        return np.full(shape, 3, dtype)
    if kind == "huge":
        return rng.choice(np.array([low, high], dtype), shape)
    if kind == "outlier" and prod(shape):
        x = rng.integers(0, 4, shape).astype(dtype)
        x.flat[rng.integers(x.size)] = high
        return x
    return rng.integers(max(low, -9), min(high, 9) + 1, shape).astype(dtype)


def _floats(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, kind: str) -> np.ndarray:
    """Values in float64, before they are rounded to `dtype`."""
    _, largest, smallest = limits(dtype)
    x: np.ndarray = rng.standard_normal(shape)
    if kind == "constant":
        x[...] = 0.7
    elif kind == "alternating":
        x = 1 - 2.0 * (np.indices(shape).sum(0) % 2) if shape else x
    elif kind == "bright":
        x = 200 + x
    elif kind == "relu":
        x = np.maximum(x, 0)
    elif kind == "small_ints":
        x = np.round(2 * x)
    elif kind == "signed_zeros":
        x = np.where(rng.random(shape) < 0.7, np.copysign(0.0, x), x)
    elif kind == "tiny":
        x = x * smallest
    elif kind == "denormal":
        x = x * smallest * 2.0**-6
    elif kind == "huge":
        x = x * largest**0.78
    elif x.size and kind in ("outlier", "fill_value", "nan", "inf"):
        for _ in range(1 if kind == "outlier" else 1 + x.size // 50):
            one = {"fill_value": -9999.0, "nan": np.nan, "inf": float(rng.choice([np.inf, -np.inf]))}
            value = one.get(kind, float(rng.choice(OUTLIERS)))
            x.flat[rng.integers(x.size)] = np.clip(value, -largest / 4, largest / 4) if np.isfinite(value) else value
    return x


def _placed(x: np.ndarray, form: str) -> np.ndarray:
    """`x` stored in `form`; the memory between and around its elements is NaN, or the largest integers."""
    name, _, number = form.partition(":")
    axis = int(number or 0) % max(x.ndim, 1)
    if x.ndim == 0 and name in ("step", "reversed", "broadcast", "order", "window"):
        name = "plain"
    if name == "step":
        wide = _junk((*x.shape[:axis], 2 * x.shape[axis], *x.shape[axis + 1 :]), x.dtype)
        view = wide[(slice(None),) * axis + (slice(None, None, 2),)]
    elif name == "reversed":
        view = np.flip(np.empty_like(x), axis)
    elif name == "broadcast":
        one = x[(slice(None),) * axis + (slice(0, 1),)]
        return np.broadcast_to(one.copy(), x.shape)
    elif name == "order":
        order = np.roll(np.arange(x.ndim), axis)
        view = np.empty([x.shape[i] for i in order], x.dtype).transpose(np.argsort(order))
    elif name == "fortran":
        view = np.empty(x.shape, x.dtype, order="F")
    elif name == "window":
        wide = _junk(tuple(e + 3 for e in x.shape), x.dtype)
        view = wide[tuple(slice(1, 1 + e) for e in x.shape)]
    elif name == "unaligned":
        memory = np.zeros(x.nbytes + 1, np.uint8)
        view = memory[1:].view(x.dtype).reshape(x.shape) if x.size else np.empty_like(x)
    elif name == "swapped":
        return x.astype(x.dtype.newbyteorder()) if x.dtype.name != "bfloat16" else x
    elif name in ("guarded", "guarded_start"):
        view = guarded(x.shape, x.dtype, "end" if name == "guarded" else "start")
    else:
        view = np.empty_like(x)
    view[...] = x
    if name == "readonly":
        view.flags.writeable = False
    return view


def _junk(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Memory that shows in every result that reads it."""
    if dtype.kind in "iu":
        return np.full(shape, np.iinfo(dtype).max, dtype)
    return np.full(shape, True if dtype.kind == "b" else np.nan, dtype)


def whole_memory(x: Any) -> np.ndarray:
    """The memory that `x` is a view of, as far as NumPy knows: what a call must leave as it was."""
    while isinstance(getattr(x, "base", None), np.ndarray):
        x = x.base
    return x
