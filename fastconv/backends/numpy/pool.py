"""Pooling on NumPy: loops over the taps of a window, each a ufunc on strided views of the input itself.

Padding is never filled in: for each tap, only the outputs that it serves take part.  Blocks of
`BLOCK` input elements keep the working set in the L2 cache and the workspace bounded.

``direct``      all taps of a window into the result; any fixed window
``separable``   along the width, then the height, then the depth: fewer operations for large windows; also
                adaptive windows and Lp, whose powers are then taken once per element of the input (for stride = kernel)
``whole``       one reduction where a single window covers the input

Numeric policy for averages: half floats are summed in float32; float32 is summed in float32 while a sum has at
most `FLOAT32_TERMS` terms in sequence and in float64 beyond; Lp in float64 throughout, so that powers do
not overflow; int64 exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows
from fastconv.core.problems.base import is_bfloat16, is_half
from fastconv.core.problems.pool import PoolProblem, axis_counts, check_sum
from fastconv.core.problems.unpool import UnpoolProblem

BLOCK = 1 << 16  # input elements per block
FLOAT32_TERMS = 32
CALL_SECONDS = 2e-6  # interpreter time per NumPy call
ELEMENT_SECONDS = 3e-10  # per float32 and tap
INDEX_FACTOR = 8  # times slower when indices are tracked
REDUCE_SECONDS = 6e-10  # per element of a reduction to one value

AnyPool = PoolProblem | AdaptivePoolProblem
Select = slice | np.ndarray


class Band(NamedTuple):
    """Some outputs along one axis, the inputs they read, and per tap: these outputs read those inputs."""

    out: slice
    inp: slice
    taps: list[tuple[Select, Select]]


def fixed_bands(e: int, k: int, s: int, d: int, lo: int, output: int, step: int) -> list[Band]:
    """Bands of `step` outputs of an axis with equal windows; taps select by slices."""
    bands = []
    for o0 in range(0, output, step):
        o1 = min(o0 + step, output)
        i0 = max(0, o0 * s - lo)
        i1 = max(i0, min(e, (o1 - 1) * s - lo + (k - 1) * d + 1))
        taps: list[tuple[Select, Select]] = []
        for t in range(max(0, (lo - (o1 - 1) * s) // d), min(k, (e - 1 + lo - o0 * s) // d + 1)):
            first = max(o0, -((t * d - lo) // s))
            last = min(o1 - 1, (e - 1 + lo - t * d) // s)
            if first <= last:
                at = first * s - lo + t * d - i0
                taps.append((slice(first - o0, last - o0 + 1), slice(at, at + (last - first) * s + 1, s)))
        bands.append(Band(slice(o0, o1), slice(i0, i1), taps))
    return bands


def adaptive_bands(e: int, output: int, step: int) -> list[Band]:
    """Bands of `step` outputs of an axis whose windows differ; taps select by index arrays."""
    bands = []
    start, end = axis_windows(e, output)
    for o0 in range(0, output, step):
        a, b = start[o0 : o0 + step], end[o0 : o0 + step]
        i0, i1 = int(a[0]), int(b[-1])
        taps: list[tuple[Select, Select]] = []
        for t in range(int((b - a).max())):
            served = np.flatnonzero(a + t < b)
            taps.append((slice(None) if served.size == a.size else served, a[served] + t - i0))
        bands.append(Band(slice(o0, o0 + a.size), slice(i0, i1), taps))
    return bands


def read_extents(p: AnyPool, steps: tuple[int, int, int]) -> list[int]:
    """Upper bound on the inputs that `steps` outputs of each axis read."""
    if isinstance(p, AdaptivePoolProblem):
        windows = (-(-n * e // max(o, 1)) + 1 for n, e, o in zip(steps, p.input, p.output, strict=True))
    else:
        windows = (
            (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(steps, p.stride, p.kernel, p.dilation, strict=True)
        )
    return [min(e, w) for e, w in zip(p.input, windows, strict=True)]


class Blocks:
    """How an output is cut into blocks that read about `BLOCK` input elements.

    Blocks grow along the axes in the order of memory, innermost first.
    """

    def __init__(self, p: AnyPool) -> None:
        full = (max(p.n, 1), max(p.c, 1), *(max(o, 1) for o in p.output))
        steps = [1] * 5
        for axis in (4, 3, 2, 1, 0) if p.layout == "NCHW" else (1, 4, 3, 2, 0):
            steps[axis] = full[axis]
            while steps[axis] > 1 and self.reads(p, steps) > BLOCK:
                steps[axis] = -(-steps[axis] // 2)
        self.p = p
        self.steps = tuple(steps)

    @staticmethod
    def reads(p: AnyPool, steps: list[int] | tuple[int, ...]) -> int:
        d, h, w = read_extents(p, (steps[2], steps[3], steps[4]))
        return steps[0] * steps[1] * d * h * w

    @property
    def count(self) -> int:
        """Number of blocks."""
        total = 1
        for extent, step in zip(self.p.y_shape, self.steps, strict=True):
            total *= -(-extent // step)
        return total

    @property
    def outputs(self) -> int:
        """Outputs of the largest block."""
        return int(np.prod(self.steps, dtype=object))

    def bands(self) -> list[list[Band]]:
        """The bands of depth, height and width."""
        p = self.p
        if isinstance(p, AdaptivePoolProblem):
            return [adaptive_bands(*a) for a in zip(p.input, p.output, self.steps[2:], strict=True)]
        los = (lo for lo, _ in p.pads)
        return [
            fixed_bands(*a)
            for a in zip(p.input, p.kernel, p.stride, p.dilation, los, p.output, self.steps[2:], strict=True)
        ]

    def walk(self, bands: list[list[Band]]) -> Iterator[tuple[slice, slice, tuple[Band, ...]]]:
        """(images, channels, band per axis) of every block."""
        p = self.p
        for n in range(0, p.n, self.steps[0]):
            for c in range(0, p.c, self.steps[1]):
                for axes in itertools.product(*bands):
                    yield slice(n, n + self.steps[0]), slice(c, c + self.steps[1]), axes


def sum_dtype(p: AnyPool, terms: int) -> np.dtype:
    """In what precision `terms` values are added one after the other."""
    if p.kind == "lp":
        return np.dtype(np.float64)
    if is_half(p.dtype):
        return np.dtype(np.float32)
    if p.dtype == np.float32 and terms > FLOAT32_TERMS:
        return np.dtype(np.float64)
    return p.dtype


def lowest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def divisors(p: AnyPool) -> Callable[[tuple[Band, ...]], Any]:
    """A function from the bands of a block to what its sums are divided by."""
    if isinstance(p, AdaptivePoolProblem):
        counts = [end - start for start, end in (axis_windows(*a) for a in zip(p.input, p.output, strict=True))]
    elif p.kind == "avg" and p.divisor is not None:
        return lambda axes: p.divisor
    else:
        include = p.include_pad or p.kind == "lp"
        counts = [
            axis_counts(e, k, s, d, lo, hi, o, include)
            for e, k, s, d, (lo, hi), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
        ]
    if all(c.size and (c == c[0]).all() for c in counts):
        same = max(int(counts[0][0] * counts[1][0] * counts[2][0]), 1)
        return lambda axes: same

    def of(axes: tuple[Band, ...]) -> np.ndarray:
        d, h, w = (c[a.out] for c, a in zip(counts, axes, strict=True))
        return np.maximum(d[:, None, None] * h[:, None] * w, 1)

    return of


def finish(p: AnyPool, total: np.ndarray, count: Any, out: np.ndarray) -> None:
    """From the sums of a block to its results."""
    if p.kind == "lp":
        assert isinstance(p, PoolProblem)
        if not np.isinf(p.norm):
            total *= p.taps / np.asarray(count)
            total = np.sqrt(total) if p.norm == 2 else total ** (1 / p.norm)
        out[...] = total
    elif p.dtype.kind == "i":
        negative = (total < 0) != (np.asarray(count) < 0)  # `total` may be `out`
        np.floor_divide(np.abs(total), np.abs(count), out=out)
        np.negative(out, out=out, where=negative)
    elif total.dtype == out.dtype:
        np.divide(total, np.asarray(count, total.dtype), out=out)
    else:
        out[...] = np.divide(total, np.asarray(count, total.dtype), out=total)


def powers(p: AnyPool) -> Callable[[np.ndarray], np.ndarray] | None:
    """What is added for each value of an Lp pooling; None where that is the value itself."""
    if p.kind != "lp" or p.norm == 1:  # type: ignore[union-attr]
        return None
    exponent = p.norm  # type: ignore[union-attr]
    if np.isinf(exponent):
        return lambda v: np.abs(v.astype(np.float64))
    return lambda v: np.power(v.astype(np.float64), exponent)


def take_better(best: np.ndarray, where: np.ndarray, value: np.ndarray, at: np.ndarray) -> None:
    """Replace `best` and its position by `value` where that is larger, the first NaN, or the first value at all."""
    better = value > best
    if best.dtype.kind not in "iu":
        better |= (value != value) & (best == best)
    better |= where < 0
    np.copyto(best, value, where=better)
    np.copyto(where, at, where=better)


def flat_positions(p: AnyPool, axes: tuple[Band, ...]) -> np.ndarray:
    """Position within the volume of each input of a block, (d, h, w) int64."""
    d, h, w = (np.arange(a.inp.start, a.inp.stop) for a in axes)
    return (d[:, None, None] * p.input[1] + h[:, None]) * p.input[2] + w


class NumpyPool(Kernel[AnyPool]):
    """What the poolings of this backend share."""

    backend = "numpy"

    def error(self, problem: AnyPool) -> float:
        p = problem
        if p.kind == "max" or p.dtype.kind in "iu":
            return 0.0
        if is_half(p.dtype):
            return 2.0**-8 if is_bfloat16(p.dtype) else 2.0**-11
        eps = float(np.finfo(p.dtype).eps)
        return eps * (1 + 0.15 * min(p.taps, FLOAT32_TERMS if p.dtype == np.float32 else p.taps) ** 0.5)

    def _element_seconds(self, p: AnyPool) -> float:
        factor = 4.0 if is_half(p.dtype) else p.dtype.itemsize / 4
        return ELEMENT_SECONDS * factor * (INDEX_FACTOR if p.indices else 1)


def reached(p: PoolProblem) -> tuple[int, int, int]:
    """Taps per axis, without those that a window larger than the input can never place inside it."""
    return tuple(  # type: ignore[return-value]
        min(k, (e - 1 + lo) // d + 1) for e, k, d, (lo, _) in zip(p.input, p.kernel, p.dilation, p.pads, strict=True)
    )


class Direct(NumpyPool):
    """Every tap of a fixed window in turn, into the result itself where its precision suffices."""

    algorithm = "direct"

    def reject(self, problem: AnyPool) -> str | None:
        return "lp: separable takes powers fewer times" if problem.kind == "lp" else None

    @staticmethod
    def _sum_dtype(p: AnyPool) -> np.dtype:
        return p.dtype if p.kind == "max" else sum_dtype(p, p.taps)

    def cost(self, problem: PoolProblem, machine: Machine) -> float:  # type: ignore[override]
        p = problem
        d, h, w = reached(p)
        taps = d * h * w
        calls = Blocks(p).count * (taps + 3) * (8 if p.indices else 1)
        widened = 1.5 if self._sum_dtype(p) != p.dtype else 1.0
        return p.n * p.c * p.pixels * taps * self._element_seconds(p) * widened + calls * CALL_SECONDS

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        outputs = Blocks(p).outputs
        if p.kind == "max":
            return outputs * 3 + (8 * BLOCK if p.indices else 0)
        return outputs * (self._sum_dtype(p).itemsize + 8) + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = Blocks(p)
        bands = blocks.bands()
        dtype = self._sum_dtype(p)
        count = divisors(p) if p.kind == "avg" else None
        fill = lowest(p.dtype) if p.kind == "max" else 0
        combine = np.maximum if p.kind == "max" else np.add

        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            if p.kind == "avg" and p.dtype.kind == "i":
                check_sum(x, p.taps)
            for n, c, axes in blocks.walk(bands):
                xb = x[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                yb = out[n, c, axes[0].out, axes[1].out, axes[2].out]
                taps = itertools.product(*(a.taps for a in axes))
                if index:
                    ib = index[0][n, c, axes[0].out, axes[1].out, axes[2].out]
                    track(xb, yb, ib, taps, flat_positions(p, axes))
                    continue
                acc = yb if dtype == p.out else np.empty_like(yb, dtype)
                accumulate(xb, acc, taps)
                if count is not None:
                    finish(p, acc, count(axes), yb)

        def accumulate(xb: np.ndarray, acc: np.ndarray, taps: Iterator[tuple[Any, ...]]) -> None:
            acc[...] = fill
            for tap in taps:
                target = acc[:, :, *(o for o, _ in tap)]
                combine(target, xb[:, :, *(i for _, i in tap)], out=target)

        def track(
            xb: np.ndarray, yb: np.ndarray, ib: np.ndarray, taps: Iterator[tuple[Any, ...]], flat: np.ndarray
        ) -> None:
            yb[...] = fill
            ib[...] = -1
            for tap in taps:
                to, of = tuple(o for o, _ in tap), tuple(i for _, i in tap)
                take_better(yb[:, :, *to], ib[:, :, *to], xb[:, :, *of], flat[of])

        return run


class Separable(NumpyPool):
    """One axis after the other: kw + kh + kd operations per element instead of their product."""

    algorithm = "separable"

    def reject(self, problem: AnyPool) -> str | None:
        return None

    @staticmethod
    def _taps(p: AnyPool) -> tuple[int, ...]:
        if isinstance(p, PoolProblem):
            return reached(p)
        return tuple(int((b - a).max(initial=0)) for a, b in map(axis_windows, p.input, p.output))

    def _sum_dtype(self, p: AnyPool) -> np.dtype:
        return p.dtype if p.kind == "max" else sum_dtype(p, max(self._taps(p)))

    def cost(self, problem: AnyPool, machine: Machine) -> float:
        p = problem
        kd, kh, kw = self._taps(p)
        d, h, _ = p.input
        od, oh, ow = p.output
        terms = p.n * p.c * (d * h * ow * kw + d * oh * ow * kh + od * oh * ow * kd)
        gathered = 4.0 if isinstance(p, AdaptivePoolProblem) else 1.0
        if p.kind == "lp":
            gathered *= 20.0
        elif self._sum_dtype(p) != p.dtype:
            gathered *= 1.5
        calls = Blocks(p).count * (kd + kh + kw + 9) * (8 if p.indices else 1)
        return terms * self._element_seconds(p) * gathered + calls * CALL_SECONDS

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        blocks = Blocks(p)
        d, h, _ = read_extents(p, blocks.steps[2:])  # type: ignore[arg-type]
        n, c, od, oh, ow = blocks.steps
        first, second = n * c * d * h * ow, n * c * d * oh * ow
        each = self._sum_dtype(p).itemsize + (19 if p.indices else 0)
        powers_of = 16 * first if p.kind == "lp" else 0
        return (first + second + n * c * od * oh * ow) * (each + 8) + powers_of + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = Blocks(p)
        bands = blocks.bands()
        dtype = self._sum_dtype(p)
        count = None if p.kind == "max" else divisors(p)
        combine: np.ufunc = np.add
        fill: Any = 0
        if p.kind == "max":
            combine, fill = np.maximum, lowest(p.dtype)
        elif p.kind == "lp" and np.isinf(p.norm):  # type: ignore[union-attr]
            up = p.norm > 0  # type: ignore[union-attr]
            combine, fill = (np.maximum, 0.0) if up else (np.minimum, np.inf)
        power = powers(p)

        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            if p.kind == "avg" and p.dtype.kind == "i":
                check_sum(x, p.taps)
            with np.errstate(all="ignore"):
                for n, c, axes in blocks.walk(bands):
                    xb = x[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                    where = (n, c, axes[0].out, axes[1].out, axes[2].out)
                    if index:
                        out[where], index[0][where] = track(xb, axes)
                    elif count is None:
                        out[where] = accumulate(xb, axes)
                    else:
                        finish(p, accumulate(xb, axes), count(axes), out[where])

        def accumulate(current: np.ndarray, axes: tuple[Band, ...]) -> np.ndarray:
            change = power
            for axis in (4, 3, 2):
                acc = stage(current, axis, axes[axis - 2], dtype, fill)
                for to, of in axes[axis - 2].taps:
                    value = current[along(axis, of)]
                    if change is not None:
                        value = change(value)
                    if isinstance(to, slice):
                        target = acc[along(axis, to)]
                        combine(target, value, out=target)
                    else:
                        acc[along(axis, to)] = combine(acc[along(axis, to)], value)
                current, change = acc, None
            return current

        def track(current: np.ndarray, axes: tuple[Band, ...]) -> tuple[np.ndarray, np.ndarray]:
            # Rows before columns: the first maximum of a window is the first one of the first row that holds it.
            at = np.broadcast_to(flat_positions(p, axes), current.shape)
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
            return current, at

        return run


def along(axis: int, select: Select) -> tuple[Any, ...]:
    """An index that selects along one of five axes."""
    return (slice(None),) * axis + (select,)


def stage(current: np.ndarray, axis: int, band: Band, dtype: np.dtype, fill: Any) -> np.ndarray:
    """The array that one axis is reduced into, in the memory order of its source."""
    shape = list(current.shape)
    shape[axis] = band.out.stop - band.out.start
    acc = np.empty_like(current, dtype, shape=tuple(shape))
    acc[...] = fill
    return acc


class Whole(NumpyPool):
    """One window that is the whole input: one reduction per channel."""

    algorithm = "whole"

    def reject(self, problem: AnyPool) -> str | None:
        p = problem
        if not isinstance(p, PoolProblem) or p.kernel != p.input or p.pixels != 1 or any(map(any, p.pads)):
            return "the window is not the whole input"
        if p.dilation != (1, 1, 1):
            return "dilated"
        if p.indices:
            return "no indices"
        return "lp: no powers" if p.kind == "lp" else None

    def cost(self, problem: AnyPool, machine: Machine) -> float:
        p = problem
        factor = 4.0 if is_half(p.dtype) else p.dtype.itemsize / 4
        return p.n * p.c * p.taps * REDUCE_SECONDS * factor + p.n * p.c * 3e-8 + 5 * CALL_SECONDS

    def workspace(self, problem: AnyPool) -> int:
        return problem.n * problem.c * 8 + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        axes = (2, 3, 4)
        dtype = np.dtype(np.int64 if p.dtype.kind == "i" else np.float64)
        count = None if p.kind == "max" else divisors(p)(())

        def run(x: np.ndarray, out: np.ndarray) -> None:
            if count is None:
                np.maximum.reduce(x, axes, out=out, keepdims=True)
                return
            if p.dtype.kind == "i":
                check_sum(x, p.taps)
            finish(p, np.add.reduce(x, axes, dtype, keepdims=True), count, out)

        return run


class Unpool(Kernel[UnpoolProblem]):
    """Zeros, and one scatter per group of channels."""

    backend = "numpy"
    algorithm = "scatter"

    def reject(self, problem: UnpoolProblem) -> str | None:
        return None

    def cost(self, problem: UnpoolProblem, machine: Machine) -> float:
        return problem.bytes / machine.bandwidth + problem.flops * 5e-9 + problem.n * 5 * CALL_SECONDS

    def workspace(self, problem: UnpoolProblem) -> int:
        return np.getbufsize() * 16

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        indices = constants[0].reshape(p.n, p.c, p.values)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            values = x.reshape(p.n, p.c, p.values)
            flat = out.view()
            flat.shape = (p.n, p.c, p.pixels)
            for n in range(p.n):
                np.put_along_axis(flat[n], indices[n], values[n], axis=1)

        return run


KERNELS = (Direct(), Separable(), Whole())
ADAPTIVE = (Separable(),)
UNPOOL = (Unpool(),)
