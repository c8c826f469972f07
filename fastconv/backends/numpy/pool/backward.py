"""Gradients of poolings on NumPy.

``scatter``     maximum: every gradient is added where its index says, in memory order
``separable``   average and Lp: the adjoint of the windows along width, then height, then depth
``tiles``       average over large adjacent windows: each gradient is copied to its window
``shared``      maximum over the whole volume: divided evenly among all elements that are equal to it

Blocks are blocks of the input.  All terms of one element are added in one block and in one order, so that bits
depend neither on the size of blocks nor on the batch.  Lp is computed in float64, as in the forward kernels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastconv.backends.numpy.pool.forward import TILES_BLOCK, Tiles, along, block_divisors
from fastconv.backends.numpy.pool.input_blocks import InputBlocks, Part
from fastconv.backends.numpy.pool.powers import power
from fastconv.backends.numpy.pool.windows import BLOCK, AnyPool, WindowBlocks, unlisted_bytes
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import PoolProblem


def overlap(p: AnyPool) -> int:
    """Largest number of windows that contain one element."""
    if isinstance(p, AdaptivePoolProblem):
        counts = [ceil_div(o, e) + 1 for e, o in zip(p.input, p.output, strict=True)]
    else:
        counts = [min(o, k if d > 1 else ceil_div(k, s))
                  for o, k, s, d in zip(p.output, p.kernel, p.stride, p.dilation, strict=True)]  # fmt: skip
    return counts[0] * counts[1] * counts[2]


class Backward(Kernel[AnyPool]):
    """Base of the gradients of this backend."""

    backend = "numpy"

    def error(self, problem: AnyPool) -> float:
        terms = overlap(problem)
        return 0.0 if terms == 1 and problem.kind == "max" else summation_error(np.finfo(problem.dtype).eps, terms)


class NumpyScatterBackward(Backward):
    """One indexed addition per block of outputs; valid for any indices, not only those of a pooling."""

    algorithm = "scatter"
    row = "numpy.pool_backward.scatter"

    def reject(self, problem: AnyPool) -> str | None:
        return None if problem.indices else "goes by indices"

    def features(self, problem: AnyPool) -> Features:
        p = problem
        calls = p.n * max(1, p.c * p.pixels // BLOCK) * 8
        return Features({"call": calls, "gradient": p.n * p.c * p.pixels, "bytes": p.bytes})

    def workspace(self, problem: AnyPool) -> int:
        return self._step(problem)[2] * (8 + 8 + 8 + problem.dtype.itemsize * 2) + np.getbufsize() * 16

    @staticmethod
    def _step(p: AnyPool) -> tuple[int, int, int]:
        """Channels and outputs of a block, innermost axis whole where it can be; and their product."""
        if p.layout == "NHWC":
            channels = min(p.c, BLOCK)
            outputs = max(1, min(p.pixels, BLOCK // max(1, channels)))
        else:
            outputs = max(1, min(p.pixels, BLOCK))
            channels = max(1, min(p.c, BLOCK // outputs))
        return max(channels, 1), outputs, max(channels, 1) * outputs

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        indices = constants[0].reshape(p.n, p.c, p.pixels)
        signs = constants[1].reshape(p.n, p.c, p.pixels) if len(constants) > 1 else None
        channels, outputs, _ = self._step(p)
        last = p.layout == "NHWC"
        volume = p.input[0] * p.input[1] * p.input[2]
        of_channel = np.arange(p.c)[:, None] * (1 if last else volume)

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            gradients = dy.reshape(p.n, p.c, p.pixels)
            memory = out.transpose(0, 2, 3, 4, 1) if last else out
            for n in range(p.n):
                flat = memory[n].reshape(-1)
                assert flat.size == 0 or np.may_share_memory(flat, out), "a copy would swallow the result"
                for c in range(0, p.c, channels):
                    for o in range(0, p.pixels, outputs):
                        block = (n, slice(c, c + channels), slice(o, o + outputs))
                        at, values = indices[block], gradients[block]
                        if signs is not None:
                            values = values * signs[block]
                        if at.min() < 0:  # windows of padding only
                            values = np.where(at < 0, values.dtype.type(0), values)
                            at = np.maximum(at, 0)
                        at = (at * p.c if last else at) + of_channel[block[1]]
                        np.add.at(flat, (at.T if last else at).reshape(-1), (values.T if last else values).reshape(-1))

        return run


class NumpySeparableBackward(Backward):
    """Each tap of an axis adds the gradients of its outputs to the inputs that they read; one axis after the other."""

    algorithm = "separable"
    row = "numpy.pool_backward.separable"

    def reject(self, problem: AnyPool) -> str | None:
        return "sums only; scatter and shared do maxima" if problem.kind == "max" or problem.indices else None

    @staticmethod
    def _taps(p: AnyPool) -> tuple[int, ...]:
        if isinstance(p, AdaptivePoolProblem):
            return tuple(ceil_div(o, e) + 1 for e, o in zip(p.input, p.output, strict=True))
        return tuple(min(k, e) for k, e in zip(p.kernel, p.input, strict=True))

    def features(self, problem: AnyPool) -> Features:
        p = problem
        kd, kh, kw = self._taps(p)
        _, h, w = p.input
        od, oh, ow = p.output
        gathered = isinstance(p, AdaptivePoolProblem)
        if gathered:
            ow, oh, od = w, h, p.input[0]  # taps of the input's elements, not of the output's
        terms = p.n * p.c * (od * oh * ow * kw + od * oh * w * kh + od * h * w * kd)
        factor = p.dtype.itemsize / 4 * (4.0 if gathered else 1.5)
        passes = 3 if p.kind == "lp" else 1
        return Features({
            "call": passes * InputBlocks(p).count * (kd + kh + kw + 9),
            "element": passes * terms * factor,
            "power": p.n * p.c * (p.pixels + 2 * p.input[0] * h * w) if p.kind == "lp" else 0,
            "bytes": p.bytes,
        })

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        each = 8 * 6 if p.kind == "lp" else p.dtype.itemsize * 3
        blocks = InputBlocks(p)
        return blocks.elements * each + unlisted_bytes(p, p.input, blocks.steps[2:]) + np.getbufsize() * 16

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = InputBlocks(p)
        parts = blocks.parts()
        count = block_divisors(p)

        @np.errstate(all="ignore")
        def average(dy: np.ndarray, out: np.ndarray) -> None:
            for n, c, axes in blocks.walk(parts):
                target = out[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                given = dy[n, c, axes[0].out, axes[1].out, axes[2].out]
                if given.size == 0:
                    target[...] = 0
                    continue
                target[...] = inner(spread_to_inputs(np.divide(given, np.asarray(count(axes), p.dtype)), axes), axes)

        @np.errstate(all="ignore")
        def norm(dy: np.ndarray, out: np.ndarray) -> None:
            assert isinstance(p, PoolProblem)
            for n, c, axes in blocks.walk(parts):
                target = out[n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                own = constants[0][n, c, axes[0].inp, axes[1].inp, axes[2].inp]
                total: Any = 0.0
                if all(a.taps for a in axes):
                    read = constants[0][n, c, axes[0].read, axes[1].read, axes[2].read]
                    scale = p.taps / np.asarray(count(axes))
                    sums = collect(power(read, p.norm), axes) * scale
                    slope = power(sums, 1 / p.norm - 1) * (scale / p.norm)
                    slope *= dy[n, c, axes[0].out, axes[1].out, axes[2].out]
                    slope[sums == 0] = 0
                    slope[np.isnan(sums)] *= 0  # torch multiplies by the sign of a sum, which it takes to be 0 for NaN
                    total = inner(spread_to_inputs(slope, axes), axes)
                target[...] = total * (p.norm * power(own, p.norm - 1))

        return norm if p.kind == "lp" else average


def spread_to_inputs(given: np.ndarray, axes: tuple[Part, ...]) -> np.ndarray:
    """From gradients of outputs to sums of them for all inputs of `read`."""
    for axis in (4, 3, 2):
        part = axes[axis - 2]
        if not part.same:
            given = added(given, axis, part.read, part.taps)
    return given


def collect(values: np.ndarray, axes: tuple[Part, ...]) -> np.ndarray:
    """The sum of each window: the adjoint of `spread_to_inputs`."""
    for axis in (4, 3, 2):
        part = axes[axis - 2]
        if not part.same:
            values = added(values, axis, part.out, ((outputs, inputs) for inputs, outputs in part.taps))
    return values


def added(values: np.ndarray, axis: int, extent: slice, moves: Iterable[tuple[Any, Any]]) -> np.ndarray:
    """Sums along an axis of `extent` positions: each of `moves` says where what is added, as (to, from)."""
    shape = list(values.shape)
    shape[axis] = extent.stop - extent.start
    sums = np.zeros_like(values, shape=tuple(shape))
    for to, of in moves:
        sums[along(axis, to)] += values[along(axis, of)]
    return sums


def inner(sums: np.ndarray, axes: tuple[Part, ...]) -> np.ndarray:
    """The part of the outputs' gradients that belongs to the block's own inputs."""
    return sums[:, :, *(slice(a.inp.start - a.read.start, a.inp.stop - a.read.start) for a in axes)]


class Spread(Backward):
    """Adjacent windows: one broadcast assignment through a view with an axis per window axis."""

    algorithm = "tiles"
    row = "numpy.pool_backward.tiles"

    def reject(self, problem: AnyPool) -> str | None:
        if problem.kind != "avg":
            return "averages only"
        return Tiles().reject(problem)

    def features(self, problem: AnyPool) -> Features:
        p = problem
        assert isinstance(p, PoolProblem)
        _, kh, kw = p.kernel
        run = kw if p.output[2] > 1 else kh * kw if p.output[1] > 1 else p.taps
        if p.layout == "NHWC" and p.c > 1:
            run = p.c
        elements = p.n * p.c * p.pixels * p.taps
        return Features({
            "call": WindowBlocks(p, TILES_BLOCK).count * 4,
            "reduce": elements * p.dtype.itemsize / 4,
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
        rest = any(o * k < e for o, k, e in zip(p.output, kernel, p.input, strict=True))
        count = p.dtype.type(p.taps if p.divisor is None else p.divisor)

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            if rest:
                out[...] = np.zeros((), p.dtype)
            for n, c, (d, h, w) in blocks.walk(bands):
                given = dy[n, c, d.out, h.out, w.out]
                xb = out[n, c, d.inp, h.inp, w.inp]
                split = [extent for pair in zip(given.shape[2:], kernel, strict=True) for extent in pair]
                tiles = xb.reshape(*given.shape[:2], *split)
                assert tiles.size == 0 or np.may_share_memory(tiles, out), "a copy would swallow the result"
                tiles[...] = (given / count)[:, :, :, None, :, None, :, None]

        return run


class Shared(Backward):
    """One window, the whole volume: its maximum, then how many elements equal it, then their shares."""

    algorithm = "shared"
    row = "numpy.pool_backward.shared"

    def reject(self, problem: AnyPool) -> str | None:
        p = problem
        if p.kind != "max" or p.indices:
            return "maxima without indices only"
        whole = (
            isinstance(p, PoolProblem) and p.output == (1, 1, 1) and p.kernel == p.input and not any(map(any, p.pads))
        )
        return None if whole else "windows of the whole volume only"

    def error(self, problem: AnyPool) -> float:
        return float(np.finfo(problem.dtype).eps)

    def features(self, problem: AnyPool) -> Features:
        p = problem
        channels, elements = self._step(p)
        calls = p.n * ceil_div(p.c, channels) * (2 + 5 * ceil_div(p.taps, elements))
        return Features({"call": calls, "element": p.n * p.c * p.taps * p.dtype.itemsize})

    def workspace(self, problem: AnyPool) -> int:
        channels, elements = self._step(problem)
        return channels * elements * (1 + problem.dtype.itemsize) + channels * 32 + np.getbufsize() * 16

    @staticmethod
    def _step(p: AnyPool) -> tuple[int, int]:
        channels = p.c if p.layout == "NHWC" else max(1, min(p.c, BLOCK // p.taps))
        return channels, max(1, min(p.taps, BLOCK // channels))

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        x = constants[0].reshape(p.n, p.c, p.taps)
        channels, step = self._step(p)
        starts = range(0, p.taps, step)

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            flat = out.reshape(p.n, p.c, p.taps)
            assert flat.size == 0 or np.may_share_memory(flat, out), "a copy would swallow the result"
            for n in range(p.n):
                for c in range(0, p.c, channels):
                    xb, yb = x[n, c : c + channels], flat[n, c : c + channels]
                    top = np.maximum.reduce(xb, 1, keepdims=True)
                    count = sum(np.count_nonzero(xb[:, i : i + step] == top, axis=1) for i in starts)
                    given = dy[n, c : c + channels].reshape(-1, 1)
                    divisor = np.asarray(count, p.dtype)[:, None]
                    for i in starts:
                        # Not where(): NaN and infinity spread as in torch, which multiplies too.
                        share = np.multiply(xb[:, i : i + step] == top, given)
                        np.divide(share, divisor, out=yb[:, i : i + step])

        return run


KERNELS = (NumpyScatterBackward(), Spread(), NumpySeparableBackward(), Shared())
ADAPTIVE = (NumpyScatterBackward(), NumpySeparableBackward())
