"""Pooling on NumPy: loops over the taps of a window, each a ufunc on strided views of the input itself.

``direct``      all taps of a window into the result; any fixed window
``separable``   along the width, then the height, then the depth: fewer operations for large windows; also
                adaptive windows and Lp, whose powers are then computed once per element of a block
``tiles``       one reduction where windows are adjacent: worthwhile for large windows
``windows``     one reduction per adaptive window

Numeric policy for averages: half floats are summed in float32; float32 is summed in float32 while a sum has at
most `FLOAT32_TERMS` terms in sequence and in float64 beyond; Lp in float64 throughout, so that powers do
not overflow; int64 exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from fastconv.backends.numpy.pool.keys import NONE, keys
from fastconv.backends.numpy.pool.powers import power
from fastconv.backends.numpy.pool.windows import (
    BLOCK,
    LISTED,
    AnyPool,
    AxisBand,
    Select,
    WindowBlocks,
    all_taps,
    read_extents,
    unlisted_bytes,
)
from fastconv.core.arrays import store_integers
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows, widest_window
from fastconv.core.problems.base import is_half
from fastconv.core.problems.pool import PoolProblem, axis_counts, sums_fit

TILES_BLOCK = 1 << 19  # a reduction reads once and writes little, so its block need not fit the cache
FLOAT32_TERMS = 32
MOST_TAPS = 1024  # of an adaptive window along an axis; each takes some Python calls
INDEX_FACTOR = 8  # times slower when indices are tracked


def sum_dtype(p: AnyPool, terms: int) -> np.dtype:
    """The dtype in which `terms` values are added one after the other."""
    if p.kind == "lp":
        return np.dtype(np.float64)
    if is_half(p.dtype):
        return np.dtype(np.float32)
    if p.dtype == np.float32 and terms > FLOAT32_TERMS:
        return np.dtype(np.float64)
    return p.dtype


def max_dtype(p: AnyPool, placed: bool = False) -> np.dtype:
    """Half floats are compared as float32, which is faster and exact; with indices only if `placed`."""
    return np.dtype(np.float32) if is_half(p.dtype) and (placed or not p.indices) else p.dtype


def lowest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


class Outputs(Protocol):
    """Some outputs along an axis, and what belongs to them."""

    @property
    def out(self) -> slice: ...


def block_divisors(p: AnyPool) -> Callable[[Sequence[Outputs]], Any]:
    """A function from the bands of a block to the divisors of its sums."""
    if isinstance(p, AdaptivePoolProblem):
        lengths = [adaptive_lengths(*a) for a in zip(p.input, p.output, strict=True)]
    elif p.kind == "avg" and p.divisor is not None:
        return lambda axes: p.divisor
    else:
        include = p.include_pad or p.kind == "lp"
        counts = [
            axis_counts(e, k, s, d, lo, hi, o, include)
            for e, k, s, d, (lo, hi), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
        ]
        if all(c.values.size and (c.values == c.values[0]).all() for c in counts):
            same = max(int(counts[0].values[0] * counts[1].values[0] * counts[2].values[0]), 1)
            return lambda axes: same
        lengths = [c.of for c in counts]

    def of(axes: Sequence[Outputs]) -> np.ndarray:
        d, h, w = (length(a.out) for length, a in zip(lengths, axes, strict=True))
        return np.maximum(d[:, None, None] * h[:, None] * w, 1)

    return of


def adaptive_lengths(extent: int, output: int) -> Callable[[slice], np.ndarray]:
    """A function from some outputs of an axis to the extents of their windows."""

    def of(some: slice) -> np.ndarray:
        start, end = axis_windows(extent, output, some.start, some.stop)
        return end - start

    if output > LISTED:
        return of
    few = of(slice(0, output))
    return lambda some: few[some]


def finish_pool(p: AnyPool, total: np.ndarray, count: Any, out: np.ndarray) -> None:
    """Convert the sums of a block to its results."""
    if p.kind == "lp":
        assert isinstance(p, PoolProblem)
        if not np.isinf(p.norm):
            total *= p.taps / np.asarray(count)
            total = total if p.norm == 1 else power(total, 1 / p.norm)
        out[...] = total
    elif p.dtype.kind == "i":
        negative = (total < 0) != (np.asarray(count) < 0)  # `total` may be `out`
        np.floor_divide(np.abs(total), np.abs(count), out=out)
        np.negative(out, out=out, where=negative)
    elif total.dtype == out.dtype:
        np.divide(total, np.asarray(count, total.dtype), out=out)
    else:
        out[...] = np.divide(total, np.asarray(count, total.dtype), out=total)


def exact_average(p: AnyPool, x: np.ndarray, out: np.ndarray) -> None:
    """Averages of integers whose sums may need more than 64 bits: in Python's integers."""
    blocks, count = WindowBlocks(p, BLOCK // 8), block_divisors(p)
    for n, c, axes in blocks.walk(blocks.bands()):
        total = x[n, c, axes[0].inp, axes[1].inp, axes[2].inp].astype(object)
        for axis in (4, 3, 2):
            acc = stage(total, axis, axes[axis - 2], total.dtype, 0)
            for to, of in axes[axis - 2].taps:
                acc[along(axis, to)] += total[along(axis, of)]
            total = acc
        store_integers(truncated_quotient(total, count(axes)), out[n, c, axes[0].out, axes[1].out, axes[2].out])


def truncated_quotient(total: np.ndarray, count: Any) -> np.ndarray:
    """total / count rounded towards zero, as C divides integers."""
    whole = np.abs(total) // np.abs(count)
    return np.where((total < 0) != (np.asarray(count) < 0), -whole, whole)


def powers(p: AnyPool) -> Callable[[np.ndarray], np.ndarray] | None:
    """The terms of an Lp pooling's sums, in float64; None where these are the values themselves."""
    if p.kind != "lp" or p.norm == 1:  # type: ignore[union-attr]
        return None
    exponent = p.norm  # type: ignore[union-attr]
    if np.isinf(exponent):
        return lambda v: np.abs(v, dtype=np.float64)
    return lambda v: power(v, exponent)


def take_better(best: np.ndarray, where: np.ndarray, value: np.ndarray, at: np.ndarray) -> None:
    """Replace `best` and its position by `value` where that is larger, the first NaN, or the first value at all."""
    better = value > best
    if best.dtype.kind not in "iu":
        better |= (value != value) & (best == best)
    better |= where < 0
    np.copyto(best, value, where=better)
    np.copyto(where, at, where=better)


def first_maximum(window: np.ndarray, rows: int, dtype: np.dtype) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """(values, places) of the first maximum, or the first NaN, of each channel of (c, d, h, w), `rows` at a time."""
    c, d, h, w = window.shape
    channel = np.arange(c)
    best, at = np.empty(c, dtype), np.zeros(c, np.int64)
    planes = max(1, rows // h)
    for z in range(0, d, planes):
        for r in range(0, h, rows):
            part = window[:, z : z + planes, r : r + rows].astype(dtype, copy=False).reshape(c, -1)
            place = part.argmax(1)
            value = part[channel, place]
            if z == r == 0:
                best, at = value, place
                continue
            better = ~(value <= best) & (best == best)
            best = np.where(better, value, best)
            at = np.where(better, (z * h + r) * w + place, at)
    return best, np.unravel_index(at, (d, h, w))


def flat_positions(p: AnyPool, axes: tuple[AxisBand, ...]) -> np.ndarray:
    """Position within the volume of each input of a block, (d, h, w) int64."""
    d, h, w = (np.arange(a.inp.start, a.inp.stop) for a in axes)
    return (d[:, None, None] * p.input[1] + h[:, None]) * p.input[2] + w


class NumpyPool(Kernel[AnyPool]):
    """Base of the poolings of this backend."""

    backend = "numpy"

    def error(self, problem: AnyPool) -> float:
        p = problem
        if p.kind == "max" or p.dtype.kind in "iu":
            return 0.0
        if is_half(p.dtype):
            return rounding(p.dtype)
        eps = float(np.finfo(p.dtype).eps)
        error = eps * (1 + 0.15 * min(p.taps, FLOAT32_TERMS if p.dtype == np.float32 else p.taps) ** 0.5)
        if p.kind == "lp" and p.dtype == np.float64:
            error /= min(1.0, abs(p.norm))  # type: ignore[union-attr]  # roots are steep where the norm is small
        return error

    def _width(self, p: AnyPool) -> float:
        """Time of one element, where that of a float32 is 1."""
        factor = 4.0 if is_half(p.dtype) else p.dtype.itemsize / 4
        return factor * (INDEX_FACTOR if p.indices else 1)


def reachable_taps(p: PoolProblem) -> tuple[int, int, int]:
    """Taps per axis, without those that no window larger than the input can place inside it."""
    return tuple(  # type: ignore[return-value]
        min(k, (e - 1 + lo) // d + 1) for e, k, d, (lo, _) in zip(p.input, p.kernel, p.dilation, p.pads, strict=True)
    )


class NumpyDirectPool(NumpyPool):
    """Every tap of a fixed window in turn, accumulated in the result itself where its dtype suffices."""

    algorithm = "direct"
    row = "numpy.pool.direct"

    def reject(self, problem: AnyPool) -> str | None:
        return "lp: separable takes powers fewer times" if problem.kind == "lp" else None

    @staticmethod
    def _sum_dtype(p: AnyPool) -> np.dtype:
        return max_dtype(p) if p.kind == "max" else sum_dtype(p, p.taps)

    def features(self, problem: PoolProblem) -> Features:  # type: ignore[override]
        p = problem
        d, h, w = reachable_taps(p)
        taps = d * h * w
        calls = WindowBlocks(p).count * (taps + 3) * (8 if p.indices else 1)
        widened = 1.5 if self._sum_dtype(p) != p.dtype else 1.0
        return Features({"call": calls, "element": p.n * p.c * p.pixels * taps * self._width(p) * widened})

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        outputs = WindowBlocks(p).outputs
        positions = 8 * BLOCK if p.indices else 0
        return outputs * (self._sum_dtype(p).itemsize + 8) + positions + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = WindowBlocks(p)
        bands = blocks.bands()
        dtype = self._sum_dtype(p)
        count = block_divisors(p) if p.kind == "avg" else None
        fill = lowest(p.dtype) if p.kind == "max" else 0
        combine = np.maximum if p.kind == "max" else np.add

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            if p.kind == "avg" and p.dtype.kind == "i" and not sums_fit(x, p.taps):
                exact_average(p, x, out)
                return
            for n, c, axes in blocks.walk(bands):
                xb = x[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                yb = out[n, c, axes[0].out, axes[1].out, axes[2].out]
                taps = all_taps(axes)
                if index:
                    ib = index[0][n, c, axes[0].out, axes[1].out, axes[2].out]
                    track(xb, yb, ib, taps, flat_positions(p, axes))
                    continue
                acc = yb if dtype == p.out else np.empty_like(yb, dtype)
                accumulate(xb, acc, taps, fill)
                if count is not None:
                    finish_pool(p, acc, count(axes), yb)
                elif acc is not yb:
                    yb[...] = acc

        def accumulate(xb: np.ndarray, acc: np.ndarray, taps: Iterator[tuple[Any, ...]], fill: Any) -> None:
            acc[...] = fill
            for tap in taps:
                target = acc[:, :, *(o for o, _ in tap)]
                combine(target, xb[:, :, *(i for _, i in tap)], out=target)

        def track(
            xb: np.ndarray, yb: np.ndarray, ib: np.ndarray, taps: Iterator[tuple[Any, ...]], flat: np.ndarray
        ) -> None:
            packed = keys(xb, flat) if p.dtype.kind in "iu" else None
            if packed is not None:
                largest = np.empty(yb.shape, np.int64)
                accumulate(packed.of, largest, taps, NONE)
                packed.split(largest, yb, ib)
                return
            yb[...] = fill
            ib[...] = -1
            for tap in taps:
                to, of = tuple(o for o, _ in tap), tuple(i for _, i in tap)
                take_better(yb[:, :, *to], ib[:, :, *to], xb[:, :, *of], flat[of])

        return run


class NumpySeparablePool(NumpyPool):
    """One axis after the other: kw + kh + kd operations per element instead of their product."""

    algorithm = "separable"
    row = "numpy.pool.separable"

    def reject(self, problem: AnyPool) -> str | None:
        if isinstance(problem, AdaptivePoolProblem) and max(self._taps(problem)) > MOST_TAPS:
            return f"adaptive windows of more than {MOST_TAPS} along an axis: windows takes each at once"
        return None

    @staticmethod
    def _blocks(p: AnyPool) -> WindowBlocks:
        """Powers need several float64 temporaries: only half as many elements fit the cache."""
        return WindowBlocks(p, BLOCK // 2 if p.kind == "lp" else BLOCK)

    @staticmethod
    def _taps(p: AnyPool) -> tuple[int, ...]:
        if isinstance(p, PoolProblem):
            return reachable_taps(p)
        return tuple(map(widest_window, p.input, p.output))

    def _sum_dtype(self, p: AnyPool) -> np.dtype:
        return max_dtype(p) if p.kind == "max" else sum_dtype(p, max(self._taps(p)))

    def features(self, problem: AnyPool) -> Features:
        p = problem
        kd, kh, kw = self._taps(p)
        d, h, _ = p.input
        od, oh, ow = p.output
        terms = p.n * p.c * (d * h * ow * kw + d * oh * ow * kh + od * oh * ow * kd)
        gathered = 4.0 if isinstance(p, AdaptivePoolProblem) else 1.0
        if self._sum_dtype(p) != p.dtype:
            gathered *= 1.5
        powers_of = p.n * p.c * (p.pixels + p.input[0] * p.input[1] * p.input[2]) if p.kind == "lp" else 0
        calls = self._blocks(p).count * (kd + kh + kw + 9) * (8 if p.indices else 1)
        return Features({"call": calls, "element": terms * self._width(p) * gathered, "power": powers_of})

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        blocks = self._blocks(p)
        d, h, w = read_extents(p, blocks.steps[2:])  # type: ignore[arg-type]
        n, c, od, oh, ow = blocks.steps
        first, second = n * c * d * h * ow, n * c * d * oh * ow
        each = self._sum_dtype(p).itemsize + (19 if p.indices else 0)
        powers_of = 24 * n * c * d * h * w if p.kind == "lp" else 0
        taps = unlisted_bytes(p, p.output, blocks.steps[2:])
        return (first + second + n * c * od * oh * ow) * (each + 8) + powers_of + taps + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = self._blocks(p)
        bands = blocks.bands()
        dtype = self._sum_dtype(p)
        count = None if p.kind == "max" else block_divisors(p)
        combine: np.ufunc = np.add
        fill: Any = 0
        if p.kind == "max":
            combine, fill = np.maximum, lowest(p.dtype)
        elif p.kind == "lp" and np.isinf(p.norm):  # type: ignore[union-attr]
            up = p.norm > 0  # type: ignore[union-attr]
            combine, fill = (np.maximum, 0.0) if up else (np.minimum, np.inf)
        power = powers(p)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            if p.kind == "avg" and p.dtype.kind == "i" and not sums_fit(x, p.taps):
                exact_average(p, x, out)
                return
            for n, c, axes in blocks.walk(bands):
                xb = x[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                where = (n, c, axes[0].out, axes[1].out, axes[2].out)
                if index:
                    track(xb, axes, out[where], index[0][where])
                elif count is None:
                    out[where] = accumulate(xb, axes, dtype, fill)
                else:
                    finish_pool(p, accumulate(xb, axes, dtype, fill), count(axes), out[where])

        def accumulate(current: np.ndarray, axes: tuple[AxisBand, ...], dtype: np.dtype, fill: Any) -> np.ndarray:
            if power is not None:
                current = power(current)
            for axis in (4, 3, 2):
                if axis < 4 and axes[axis - 2].same:
                    continue
                acc = stage(current, axis, axes[axis - 2], dtype, fill)
                for to, of in axes[axis - 2].taps:
                    value = current[along(axis, of)]
                    if isinstance(to, slice):
                        target = acc[along(axis, to)]
                        combine(target, value, out=target)
                    else:
                        acc[along(axis, to)] = combine(acc[along(axis, to)], value)
                current = acc
            return current

        def track(current: np.ndarray, axes: tuple[AxisBand, ...], yb: np.ndarray, ib: np.ndarray) -> None:
            flat = flat_positions(p, axes)
            packed = keys(current, flat) if p.dtype.kind in "iu" else None
            if packed is not None:
                packed.split(accumulate(packed.of, axes, np.dtype(np.int64), NONE), yb, ib)
                return
            # Rows before columns: the first maximum of a window is the first one of the first row that contains it.
            at = np.broadcast_to(flat, current.shape)
            for axis in (4, 3, 2):
                best = stage(current, axis, axes[axis - 2], p.dtype, fill)
                where = stage(current, axis, axes[axis - 2], np.dtype(np.int64), -1)
                for to, of in axes[axis - 2].taps:
                    to_all, of_all = along(axis, to), along(axis, of)
                    b, w = best[to_all], where[to_all]
                    take_better(b, w, current[of_all], at[of_all])
                    if not isinstance(to, slice):
                        best[to_all], where[to_all] = b, w
                current, at = best, where
            yb[...], ib[...] = current, at

        return run


def along(axis: int, select: Select) -> tuple[Any, ...]:
    """An index that selects along one of five axes."""
    return (slice(None),) * axis + (select,)


def stage(current: np.ndarray, axis: int, band: AxisBand, dtype: np.dtype, fill: Any) -> np.ndarray:
    """The array that one axis is reduced into, in the memory order of its source."""
    shape = list(current.shape)
    shape[axis] = band.out.stop - band.out.start
    acc = np.empty_like(current, dtype, shape=tuple(shape))
    acc[...] = fill
    return acc


SHARE = 6  # elements that are reduced in the time of one division in float64


class Tiles(NumpyPool):
    """Adjacent windows: a view with one axis per window axis, reduced at once."""

    algorithm = "tiles"
    row = "numpy.pool.tiles"

    def reject(self, problem: AnyPool) -> str | None:
        p = problem
        if not isinstance(p, PoolProblem):
            return "windows differ"
        if any(o > 1 and s != k for o, s, k in zip(p.output, p.stride, p.kernel, strict=True)):
            return "windows overlap or leave gaps"
        if any(map(any, p.pads)) or any(o * k > e for o, k, e in zip(p.output, p.kernel, p.input, strict=True)):
            return "windows reach beyond the input"
        if any(k > 1 and d > 1 for k, d in zip(p.kernel, p.dilation, strict=True)):
            return "dilated"
        if p.indices:
            return "no indices"
        return "lp: no powers" if p.kind == "lp" else None

    def features(self, problem: AnyPool) -> Features:
        p = problem
        assert isinstance(p, PoolProblem)
        _, kh, kw = p.kernel
        run = kw if p.output[2] > 1 else kh * kw if p.output[1] > 1 else p.taps
        if p.layout == "NHWC" and p.c > 1:
            run = p.c
        elements = p.n * p.c * p.pixels * p.taps
        factor = 6.0 if is_half(p.dtype) else p.dtype.itemsize / 4
        return Features({
            "call": WindowBlocks(p, TILES_BLOCK).count * 4,
            "reduce": (elements + (p.kind == "avg") * SHARE * p.n * p.c * p.pixels) * factor,
            "run": elements / run,
        })

    def workspace(self, problem: AnyPool) -> int:
        return WindowBlocks(problem, TILES_BLOCK).outputs * 16 + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        assert isinstance(p, PoolProblem)
        blocks = WindowBlocks(p, TILES_BLOCK)
        bands = blocks.bands()
        kernel = p.kernel
        dtype = np.dtype(np.int64 if p.dtype.kind == "i" else np.float64)
        count = None if p.kind == "max" else p.divisor if p.divisor is not None else p.taps
        axes = (3, 5, 7)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            if count is not None and p.dtype.kind == "i" and not sums_fit(x, p.taps):
                exact_average(p, x, out)
                return
            for n, c, (d, h, w) in blocks.walk(bands):
                xb = x[n, c, d.inp, h.inp, w.inp]
                yb = out[n, c, d.out, h.out, w.out]
                split = [extent for pair in zip(yb.shape[2:], kernel, strict=True) for extent in pair]
                tiles = xb.reshape(*yb.shape[:2], *split)
                if count is None:
                    np.maximum.reduce(tiles, axes, out=yb)
                else:
                    finish_pool(p, np.add.reduce(tiles, axes, dtype), count, yb)

        return run


def adaptive_window(o: int, extent: int, output: int) -> slice:
    """What output `o` of an axis reads; see `axis_windows`."""
    return slice(o * extent // output, ceil_div((o + 1) * extent, output))


class NumpyWindowsPool(NumpyPool):
    """One reduction per adaptive window: for few, large ones."""

    algorithm = "windows"
    row = "numpy.pool.windows"

    def reject(self, problem: AnyPool) -> str | None:
        fixed = not isinstance(problem, AdaptivePoolProblem)
        return "fixed windows: tiles and direct do those" if fixed else None

    @staticmethod
    def _channels(p: AnyPool) -> int:
        """Channels per step, so that signals are handled in time and sums stay small."""
        return max(1, min(p.c, TILES_BLOCK // max(1, p.taps)))

    @staticmethod
    def _piece(p: AnyPool) -> int:
        """Rows of a window that are searched for a position at once."""
        return max(1, TILES_BLOCK // max(1, NumpyWindowsPool._channels(p) * p.input[2]))

    def features(self, problem: AnyPool) -> Features:
        p = problem
        run = max(1, p.c if p.layout == "NHWC" and p.c > 1 else ceil_div(p.input[2], max(1, p.output[2])))
        elements = p.n * p.c * p.pixels * p.taps * (2 if p.indices else 1)
        factor = 6.0 if is_half(p.dtype) else p.dtype.itemsize / 4
        calls = p.n * ceil_div(p.c, self._channels(p)) * p.pixels * (12 if p.indices else 3)
        return Features({"call": calls, "reduce": elements * factor, "run": elements / run})

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        if not p.indices:
            return self._channels(p) * 16 + np.getbufsize() * 16
        window = [ceil_div(e, max(1, o)) + 1 for e, o in zip(p.input, p.output, strict=True)]
        rows = min(self._piece(p), window[0] * window[1])
        copied = self._channels(p) * rows * min(window[2], p.input[2]) * max(4, p.dtype.itemsize)
        return 2 * copied + self._channels(p) * 64 + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        step, rows = self._channels(p), self._piece(p)
        dtype = np.dtype(np.int64 if p.dtype.kind == "i" else np.float64)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            if p.kind == "avg" and p.dtype.kind == "i" and not sums_fit(x, p.taps):
                exact_average(p, x, out)
                return
            for n in range(p.n):
                for c in range(0, p.c, step):
                    xb, yb = x[n, c : c + step], out[n, c : c + step]
                    for o in np.ndindex(p.output):
                        at = tuple(adaptive_window(*a) for a in zip(o, p.input, p.output, strict=True))
                        window = xb[:, *at]
                        if index:
                            yb[:, *o], place = first_maximum(window, rows, max_dtype(p, True))
                            d, h, w = (a.start + i for a, i in zip(at, place, strict=True))
                            index[0][n, c : c + step, *o] = (d * p.input[1] + h) * p.input[2] + w
                        elif p.kind == "max":
                            np.maximum.reduce(window, (1, 2, 3), out=yb[:, *o])
                        else:
                            count = window.size // len(window)
                            finish_pool(p, np.add.reduce(window, (1, 2, 3), dtype), count, yb[:, *o])

        return run


KERNELS = (NumpyDirectPool(), NumpySeparablePool(), Tiles())
ADAPTIVE = (NumpySeparablePool(), NumpyWindowsPool())
