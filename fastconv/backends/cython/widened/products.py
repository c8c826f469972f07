"""Convolutions and matrix products of narrow types, on native kernels of wider floats: 16-bit floats on float32.

A block of the input is converted, computed, and rounded once into the result: some images, or where one is too large, a
part of its output and the window of the input that it reads.  All blocks have one size, and the last one along an axis
begins earlier, so one wide kernel with its packed weights serves them.  Blocks depend on the problem of one image
only: neither threads nor the batch change a bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.common.cuts import buffer_volume
from fastconv.backends.cython.conv import depthwise, direct, grouped, pointwise, winograd1d, winograd2d
from fastconv.backends.cython.gemm import in_place, packed, skinny
from fastconv.backends.cython.runtime import native, shared
from fastconv.backends.cython.runtime.dtypes import BY_NAME
from fastconv.backends.cython.runtime.halves import convert, converted
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised, epsilon
from fastconv.core.numbers import ceil_div, even_part, rectangles, span, whole_lines
from fastconv.core.problems.base import is_half, named, source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import borrow

BLOCK = 1 << 19  # elements that a block reads and writes
COLUMNS = 1 << 17  # elements of columns of b that are converted at a time for few rows: they stay in the L2 cache
LARGEST = 1 << 22  # of the smallest block; larger ones are rejected, because scratch would grow with the problem
NARROWEST = 16  # least columns of a block, if the output has so many: kernels fill their tiles with them
FLOAT = np.dtype(np.float32)

Triple = tuple[int, int, int]
Segment = tuple[slice, slice | None]


class WidenedKernel(Specialised[Any]):
    """Base of convolutions and products: `inner` computes each block, in the dtype `wide`."""

    backend = "cython"
    row = "cython.widened_products"

    def __init__(self, inner: Kernel[Any], wide: np.dtype = FLOAT) -> None:
        self.inner, self.wide, self.algorithm, self.isa = inner, wide, inner.algorithm, inner.isa
        self.relative = f"{inner.relative}_widened" if inner.relative else "widened"
        self.exact, self.activations, self.revision = inner.exact, inner.activations, inner.revision

    def error(self, problem: Any) -> float:
        return epsilon(problem.out) + self.inner.error(self.summed(problem))

    def bound(self, problem: Any) -> float:
        rounded = epsilon(problem.out) / epsilon(self.wide) / 2
        return self.inner.bound(replace(self.summed(problem), out=self.wide)) * (1 + epsilon(problem.out)) + rounded

    def reject(self, problem: Any) -> str | None:
        if not is_half(problem.dtype):
            return f"dtype {named(problem.dtype)}: 16-bit floats only"
        return self.unable(problem)

    def unable(self, problem: Any) -> str | None:
        """Why it cannot do `problem`, whatever its dtype; None if it can."""
        raise NotImplementedError

    def block(self, problem: Any) -> Any:
        """The problem of one block, in the wide dtype."""
        raise NotImplementedError

    def summed(self, problem: Any) -> Any:
        """The problem whose rounding errors are those of a block."""
        return self.block(problem)

    def fill(self, wide: np.ndarray, given: np.ndarray, axis: int) -> None:
        """Convert an operand of the products, which are summed along `axis`, into `wide`."""
        convert(self.isa, wide, given)

    def extent(self, given: np.ndarray, axis: int) -> tuple[int, ...]:
        """Shape of a converted operand."""
        return given.shape

    def enter(self, given: np.ndarray, axis: int, buffer: np.ndarray | None = None) -> np.ndarray:
        """An operand as the inner kernel reads it, in the bytes of `buffer` or in an array of its own."""
        shape = self.extent(given, axis)
        to = aligned_empty(shape, self.wide) if buffer is None else floats(buffer, shape, self.wide)
        self.fill(to, given, axis)
        return to

    def leave(self, to: np.ndarray, wide: np.ndarray) -> None:
        """Store the result of the inner kernel."""
        convert(self.isa, to, wide)

    def widened(self, constant: np.ndarray | None) -> np.ndarray | None:
        """A constant in the wide dtype."""
        return constant if constant is None or constant.dtype == self.wide else converted(self.isa, constant, self.wide)

    def workspace(self, problem: Any) -> int:
        return self.total_workspace(problem, 1)


@dataclass(frozen=True, slots=True)
class WidenedBlocks:
    """Outputs of a block along each axis, and its inputs."""

    images: int
    output: Triple
    input: Triple

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem) -> WidenedBlocks:
        steps = list(p.output)
        for axis, least in enumerate((1, 1, NARROWEST)):
            while steps[axis] > least and elements(p, steps) > BLOCK:
                steps[axis] = max(least, ceil_div(steps[axis], 2))
        d, h, w = (even_part(o, s) if s else 0 for o, s in zip(p.output, steps, strict=True))
        whole = (d, h, w) == p.output
        images = max(1, min(p.n, BLOCK // max(1, elements(p, steps)))) if whole else 1
        return cls(images, (d, h, w), inputs(p, (d, h, w)))

    def problem(self, p: ConvProblem, images: int, wide: np.dtype) -> ConvProblem:
        """The problem of a block, of dtype `wide`: axes that are divided have no padding."""
        cut = [o != whole for o, whole in zip(self.output, p.output, strict=True)]
        a, b, c = ((0, 0) if part else pads for part, pads in zip(cut, p.pads, strict=True))
        return replace(
            p, n=images, input=self.input, pads=(a, b, c), output=self.output, dtype=wide, acc=wide, out=wide
        )

    def walk(self, p: ConvProblem) -> Iterator[tuple[tuple[slice, ...], list[tuple[Segment, ...]]]]:
        """Outputs of each block, and the sources of the segments of its input."""
        axes = []
        for axis, (whole, step) in enumerate(zip(p.output, self.output, strict=True)):
            starts = [min(at, whole - step) for at in range(0, whole, step)] if step else []
            axes.append([(slice(at, at + step), self._segments(p, axis, at)) for at in starts])
        for blocks in product(*axes):
            yield tuple(outputs for outputs, _ in blocks), list(product(*(segments for _, segments in blocks)))

    def _segments(self, p: ConvProblem, axis: int, start: int) -> list[Segment]:
        """(slice of the block, slice of the input or None) along an axis, for outputs from `start` on."""
        extent, count = p.input[axis], self.input[axis]
        if self.output[axis] == p.output[axis]:
            return [(slice(0, extent), slice(0, extent))]
        first = start * p.stride[axis] - p.pads[axis][0]
        lo, hi = min(max(-first, 0), count), max(min(extent - first, count), 0)
        found: list[Segment] = [(slice(lo, hi), slice(first + lo, first + hi))] if lo < hi else []
        outside = [*range(lo), *range(max(lo, hi), count)]
        sources = source_of(np.array(outside, np.intp) + first, extent, p.mode)
        for at, source in zip(outside, sources.tolist(), strict=True):
            found.append((slice(at, at + 1), slice(source, source + 1) if source >= 0 else None))
        return found


def inputs(p: ConvProblem, steps: tuple[int, ...]) -> Triple:
    """Inputs along each axis that a block reads: all of an axis that is not divided."""
    d, h, w = (
        i if n == o else span(n, s, k, dil)
        for i, n, o, s, k, dil in zip(p.input, steps, p.output, p.stride, p.kernel, p.dilation, strict=True)
    )
    return d, h, w


def elements(p: ConvProblem, steps: list[int]) -> int:
    """Elements that a block of an image reads and writes."""
    return p.ic * prod(inputs(p, tuple(steps))) + p.oc * prod(steps)


class WidenedConv(WidenedKernel):
    """Forward convolutions."""

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        return self.inner.reach(self.block(problem))

    def unable(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        blocks = WidenedBlocks.of(p)
        if elements(p, list(blocks.output)) > LARGEST:
            return f"a window of more than {LARGEST} elements"
        return self.inner.reject(self.block(p))

    def block(self, problem: ConvProblem) -> ConvProblem:
        blocks = WidenedBlocks.of(problem)
        return blocks.problem(problem, blocks.images, self.wide)

    def features(self, problem: ConvProblem) -> Features:
        p, blocks = problem, WidenedBlocks.of(problem)
        count = ceil_div(max(p.n, 1), blocks.images)
        for whole, step in zip(p.output, blocks.output, strict=True):
            count *= ceil_div(whole, max(step, 1))
        q = self.block(p)
        converted = count * blocks.images * elements(p, list(blocks.output)) + (0 if p.packed else p.oc * p.depth)
        products = self.inner.work(replace(q, packed=True)) * (count - 1) + self.inner.work(q)
        return products + Features({"call": count, "convert": converted}).of(self.rates)

    def total_workspace(self, problem: ConvProblem, threads: int) -> int:
        given, result = self._bytes(self.block(problem))
        return given + result + self.inner.total_workspace(self.block(problem), threads)

    @staticmethod
    def _bytes(q: ConvProblem) -> tuple[int, int]:
        size = q.dtype.itemsize
        return whole_lines(prod(q.x_shape) * size), whole_lines(prod(q.y_shape) * size)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        blocks, q = WidenedBlocks.of(p), self.block(p)
        counts = {q.n, p.n % q.n} - {0} if p.n else {q.n}
        binds = {count: self.inner.specialise(replace(q, n=count), threads) for count in counts}
        given_bytes, result_bytes = self._bytes(q)
        whole = list(blocks.walk(p)) if q.output == p.output else None

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            own = self.enter(weights, 1), self.widened(bias)
            runs = {count: inner(own) for count, inner in binds.items()}

            def run(x: np.ndarray, out: np.ndarray) -> None:
                with borrow(given_bytes + result_bytes) as scratch:
                    for n, (outputs, segments) in product(range(0, p.n, q.n), whole or blocks.walk(p)):
                        images, to = x[n : n + q.n], out[n : n + q.n, :, *outputs]
                        count = images.shape[0]
                        given = buffer_volume(scratch, count, q.ic, q.input, p.layout, self.wide)
                        result = buffer_volume(scratch[given_bytes:], count, p.oc, q.output, p.layout, self.wide)
                        for axes in segments:
                            part = given[:, :, *(at for at, _ in axes)]
                            sources = [source for _, source in axes if source is not None]
                            if len(sources) < len(axes):
                                part[...] = p.fill
                            else:
                                self.fill(part, images[:, :, *sources], 1)
                        runs[count](given, result)
                        self.leave(to, result)

            return run

        return bind


class WidenedGemm(WidenedKernel):
    """Products of matrices: some of a batch, some rows of one, or some columns, where b is large and used once."""

    @property
    def order(self) -> str:
        return self.inner.order

    def matrix(self, b: np.ndarray, axis: int, buffer: np.ndarray | None = None) -> np.ndarray:
        """The second operand as the inner kernel reads it."""
        return self.enter(b, axis, buffer)

    def unable(self, problem: GemmProblem) -> str | None:
        p = problem
        if p.k + p.n > LARGEST:
            return f"a row of more than {LARGEST} elements"
        return self.inner.reject(self.block(p))

    def block(self, problem: GemmProblem) -> GemmProblem:
        p = problem
        rows = max(1, min(p.m, BLOCK // max(1, p.k + p.n)))
        one = p.m * (p.k + p.n) + (p.k * p.n if p.b_batched else 0)
        count = max(1, min(p.batch, BLOCK // max(1, one))) if rows >= p.m else 1
        again = p.packed or rows < p.m or count < p.batch
        most = COLUMNS if is_half(p.dtype) and p.m <= shared.SKINNY_ROWS else BLOCK
        columns = p.n if again or p.b_batched or p.k * p.n <= most else even_part(p.n, max(NARROWEST, most // p.k))
        return replace(
            p, batch=count, m=rows, n=columns, dtype=self.wide, acc=self.wide, out=self.wide, c=False, beta=0.0,
            bias=p.bias and not p.c, activation=None if p.c else p.activation, packed=again and not p.b_batched,
        )  # fmt: skip

    def features(self, problem: GemmProblem) -> Features:
        p, q = problem, self.block(problem)
        count = ceil_div(max(p.batch, 1), q.batch) * ceil_div(max(p.m, 1), q.m) * ceil_div(max(p.n, 1), max(q.n, 1))
        shared = 0 if p.packed or p.b_batched else p.k * p.n
        moved = p.batch * p.m * (p.k + p.n) + (p.batch * p.k * p.n if p.b_batched else 0)
        counts = {"call": count, "convert": shared + moved, "pack": shared * q.packed}
        return self.inner.work(q) * count + Features(counts).of(self.rates)

    @staticmethod
    def _bytes(p: GemmProblem, q: GemmProblem) -> tuple[int, int, int, int]:
        """Elements of A, the result, c and B of a block."""
        size = q.batch * q.m * q.n
        floats = q.batch * q.m * q.k, size, size * p.c, q.batch * q.k * q.n * (p.b_batched or q.n < p.n)
        a, y, c, b = (whole_lines(n * q.dtype.itemsize) for n in floats)
        y = 0 if q.out != q.acc else y  # rounded when they are stored
        return a, y, c, b

    def total_workspace(self, problem: GemmProblem, threads: int) -> int:
        q = self.block(problem)
        return sum(self._bytes(problem, q)) + self.inner.total_workspace(q, threads)

    def specialise(self, problem: GemmProblem, threads: int) -> Bind:
        p, q, wide = problem, self.block(problem), self.wide
        binds: dict[tuple[int, int], Bind] = {}
        axis = 2 if p.trans_b else 1
        sizes = self._bytes(p, q)
        starts, total = [sum(sizes[:i]) for i in range(len(sizes))], sum(sizes)
        rounds = q.out != wide  # whether the inner kernel stores what the caller wants

        def inner(count: int, rows: int) -> Bind:
            if (count, rows) not in binds:
                binds[count, rows] = self.inner.specialise(replace(q, batch=count, m=rows), threads)
            return binds[count, rows]

        def bind(constants: tuple[Any, ...]) -> Run:
            b, c, bias = constants
            bias = self.widened(bias)
            added = None if p.c else bias
            shared = None if p.b_batched or q.n < p.n else self.matrix(b, axis)
            runs: dict[tuple[int, int], Run] = {}

            def runner(count: int, rows: int) -> Run:
                if (count, rows) not in runs:
                    runs[count, rows] = inner(count, rows)((shared, None, added))
                return runs[count, rows]

            def block(x: np.ndarray, out: np.ndarray, at: slice, rows: slice, pieces: list[np.ndarray]) -> None:
                part, to = x[at, :, rows] if p.trans_a else x[at, rows], out[at, rows]
                given = self.enter(part, 1 if p.trans_a else 2, pieces[0])
                result = to if rounds else floats(pieces[1], to.shape, wide)
                if shared is None:
                    inner(*to.shape[:2])((self.matrix(b[at], axis, pieces[3]), None, added))(given, result)
                else:
                    runner(*to.shape[:2])(given, result)
                if not rounds:
                    finish(to, result, None if c is None else c[at, rows], bias, pieces[2])

            def finish(
                to: np.ndarray, result: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None, buffer: np.ndarray
            ) -> None:
                if c is not None:
                    addend = floats(buffer, to.shape, wide)
                    convert(self.isa, addend, c)
                    addend *= wide.type(p.beta.real)
                    result += addend
                    if bias is not None:
                        result += bias
                    if p.activation == "relu":
                        np.maximum(result, 0, out=result)
                self.leave(to, result)

            def run_columns(x: np.ndarray, out: np.ndarray) -> None:
                """Some columns of b at a time, the last ones perhaps twice: their floats stay in the cache."""
                with borrow(total) as scratch:
                    pieces = [scratch[start:] for start in starts]
                    given = self.enter(x, 1 if p.trans_a else 2, pieces[0])
                    for first in range(0, p.n, q.n):
                        at = slice(min(first, p.n - q.n), min(first + q.n, p.n))
                        part = self.matrix(b[:, at] if p.trans_b else b[:, :, at], axis, pieces[3])
                        to = out[:, :, at]
                        result = floats(pieces[1], to.shape, wide)
                        inner(q.batch, q.m)((part, None, None if added is None else added[at]))(given, result)
                        addend = None if c is None else c[:, :, at]
                        finish(to, result, addend, None if bias is None else bias[at], pieces[2])

            def run(x: np.ndarray, out: np.ndarray) -> None:
                with borrow(total) as scratch:
                    pieces = [scratch[start:] for start in starts]
                    for at, rows in rectangles(p.batch, p.m, q.batch, q.m):
                        block(x, out, at, rows, pieces)

            if q.n < p.n:
                return np.errstate(all="ignore")(run_columns)
            if c is not None:
                return np.errstate(all="ignore")(run)
            if shared is None or (q.batch, q.m) != (p.batch, p.m):
                return run
            whole = runner(p.batch, p.m)

            def run_whole(x: np.ndarray, out: np.ndarray) -> None:
                with borrow(total) as scratch:
                    result = out if rounds else floats(scratch[starts[1] :], out.shape, wide)
                    whole(self.enter(x, 1 if p.trans_a else 2, scratch), result)
                    if not rounds:
                        self.leave(out, result)

            return run_whole

        return bind


class FewRows(WidenedGemm):
    """The same, of a matrix that is used as it is given: only rows and results are converted."""

    def matrix(self, b: np.ndarray, axis: int, buffer: np.ndarray | None = None) -> np.ndarray:
        return b

    def block(self, problem: GemmProblem) -> GemmProblem:
        return replace(super().block(problem), n=problem.n, packed=False)

    def features(self, problem: GemmProblem) -> Features:
        p, q = problem, self.block(problem)
        count = ceil_div(max(p.batch, 1), q.batch) * ceil_div(max(p.m, 1), q.m)
        return self.inner.work(q) * count + Features(self.counts(p, count)).of(self.rates)

    def counts(self, p: GemmProblem, blocks: int) -> Counts:
        """What is done apart from products."""
        return {"call": blocks, "convert": p.batch * p.m * (p.k + p.n)}


class InPlaceRows(FewRows):
    """Of these, those whose matrix is converted when it is loaded, again for every strip of rows.

    Results are rounded when they are stored, if nothing is added to them afterwards.
    """

    inner: in_place.InPlace

    def block(self, problem: GemmProblem) -> GemmProblem:
        q = super().block(problem)
        return q if problem.c else replace(q, out=problem.out)

    def counts(self, p: GemmProblem, blocks: int) -> Counts:
        strips = ceil_div(p.m, self.inner.strip)
        vectors = p.batch * strips * self.block(p).k * ceil_div(p.n, native.lanes(self.isa, self.wide.itemsize))
        return {**super().counts(p, blocks), "widen": vectors}


class WidenedInPlace(InPlaceRows):
    """Products whose matrix is widened so."""

    def __init__(self, inner: in_place.InPlace) -> None:
        self._typed = {name: in_place.InPlace(inner.isa, BY_NAME[name]) for name in ("float16", "bfloat16")}
        super().__init__(self._typed["float16"])

    def unable(self, problem: GemmProblem) -> str | None:
        return native.unavailable(self.isa, problem.dtype) or super().unable(problem)

    def specialise(self, problem: GemmProblem, threads: int) -> Bind:
        typed = copy(self)
        typed.inner = self._typed[named(problem.dtype)]
        return super(WidenedInPlace, typed).specialise(problem, threads)


def floats(buffer: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array at the start of a buffer of bytes."""
    return buffer[: prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


SUMMING = (*pointwise.KERNELS, *depthwise.KERNELS, *grouped.KERNELS, *direct.KERNELS)  # each product once
# Winograd's rounding errors are far below one rounding to 16 bits, so that of its tiles the fastest ones do.
_FILTERING = tuple(k for k in winograd2d.KERNELS if k.relative in ("f4", "f2", "f6"))
CONVOLUTIONS = tuple(map(WidenedConv, (*SUMMING, *_FILTERING, *winograd1d.KERNELS)))
MULTIPLYING = (*skinny.KERNELS, *packed.KERNELS)
PRODUCTS = (*map(WidenedGemm, MULTIPLYING), *map(WidenedInPlace, in_place.KERNELS))
