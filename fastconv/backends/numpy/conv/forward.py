"""Convolution on NumPy: bands of im2col and BLAS, one matmul for 1x1, a loop over taps for depthwise.

The whole im2col matrix is never built: a block holds `COLUMNS` bytes of columns (some rows of one
image, or part of a row, and as many channels as fit), so it stays in the L2 cache and the
workspace does not grow with the image.  Padding of every mode is filled in per band.

Numeric policy: floats in their own precision; half floats widen to float32 per band; 8- and
16-bit integers go through float64, where their sums are exact; wider integers are summed in
64 bits, or in Python's where those may not do (see `integers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.common import integers
from fastconv.core.arrays import clean, store_integers
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Kernel, Run, epsilon, rounding, summation_error
from fastconv.core.numbers import ceil_div, span
from fastconv.core.problems.base import is_half, source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

COLUMNS = "numpy.conv.im2col/columns"  # they stay in the L2 cache
MIN_COLUMNS = 16  # fewest pixels per block for which a matmul is worthwhile


def conv_dtype(p: ConvProblem) -> np.dtype:
    """The dtype of products and sums."""
    if is_half(p.dtype):
        return np.dtype(np.float32)
    if p.dtype.kind in "iu":
        return integers.compute_dtype(p.dtype, p.depth)
    return p.dtype


class Im2colBand:
    """Fills a scratch volume with the input that the taps of one band of output rows read.

    The scratch has shape (channels, kd, rows, padded width): along depth only the planes that
    the taps read, along height and width every position, so windows of it are strided views.
    """

    def __init__(self, p: ConvProblem) -> None:
        self.p = p

    def fill(self, dst: np.ndarray, x: np.ndarray, od: int, row0: int, col0: int) -> None:
        """Copy the part of `x` (channels, D, H, W) under padded rows from `row0` and columns from `col0`."""
        p = self.p
        for t in range(p.kernel[0]):
            plane = int(self._sources(0, od * p.stride[0] + t * p.dilation[0], 1)[0])
            if plane < 0:
                dst[:, t] = p.fill
            elif p.mode == "zeros":
                self._fill_plane(dst[:, t], x[:, plane], row0 - p.pads[1][0], col0 - p.pads[2][0])
            else:
                rows, cols = self._sources(1, row0, dst.shape[2]), self._sources(2, col0, dst.shape[3])
                dst[:, t] = x[:, plane][:, rows[:, None], cols[None, :]]

    def windows(
        self, scratch: np.ndarray, x: np.ndarray, od: int, row: int, rows: int, col: int, cols: int
    ) -> np.ndarray:
        """What each tap reads for `rows` x `cols` outputs from (row, col) on, of the channels of `x`.

        A view (channels, kd, kh, kw, rows, cols) of the scratch, which is filled first.
        """
        p = self.p
        height = span(rows, p.stride[1], p.kernel[1], p.dilation[1])
        width = span(cols, p.stride[2], p.kernel[2], p.dilation[2])
        band = scratch[: len(x), :, :height, :width]
        self.fill(band, x, od, row * p.stride[1], col * p.stride[2])
        sc, sd, sh, sw = band.strides
        return np.lib.stride_tricks.as_strided(
            band,
            (band.shape[0], *p.kernel, rows, cols),
            (sc, sd, sh * p.dilation[1], sw * p.dilation[2], sh * p.stride[1], sw * p.stride[2]),
            writeable=False,
        )

    def _sources(self, axis: int, first: int, count: int) -> np.ndarray:
        """Sources of `count` padded positions from `first` on."""
        p = self.p
        at = first - p.pads[axis][0]
        return source_of(np.arange(at, at + count), p.input[axis], p.mode)

    def _fill_plane(self, dst: np.ndarray, x: np.ndarray, row: int, col: int) -> None:
        """Copy the input from (row, col) on, and the fill value outside of it."""
        fill, (height, width) = self.p.fill, dst.shape[1:]
        r0, r1 = max(0, -row), min(height, x.shape[1] - row)
        c0, c1 = max(0, -col), min(width, x.shape[2] - col)
        if r0 >= r1 or c0 >= c1:
            dst[...] = fill
            return
        dst[:, :r0] = fill
        dst[:, r1:] = fill
        dst[:, r0:r1, :c0] = fill
        dst[:, r0:r1, c1:] = fill
        dst[:, r0:r1, c0:c1] = x[:, row + r0 : row + r1, col + c0 : col + c1]


def gathered(p: ConvProblem, band: int) -> int:
    """Bytes of a plane of a band, gathered first where padding has values of the input."""
    return 0 if p.mode == "zeros" else band // p.kernel[0] * p.dtype.itemsize


class Im2colBlocks:
    """Block sizes of a banded kernel: channels, output rows and output columns per block."""

    def __init__(self, p: ConvProblem, per_pixel: int, channels: int, dtype: np.dtype | None = None) -> None:
        """`per_pixel`: scratch elements of one output pixel and one channel; `dtype`: of scratch."""
        size = integers.scratch_bytes(conv_dtype(p) if dtype is None else dtype)
        budget = max(block_bytes(COLUMNS) // size, per_pixel * MIN_COLUMNS)
        self.channels = max(1, min(channels, budget // (per_pixel * min(max(p.pixels, 1), 4 * MIN_COLUMNS))))
        pixels = max(1, budget // (per_pixel * self.channels))
        oh, ow = max(p.output[1], 1), max(p.output[2], 1)
        self.cols = min(ow, max(pixels, MIN_COLUMNS))
        self.rows = max(1, min(oh, pixels // ow)) if self.cols == ow else 1

    def band_shape(self, p: ConvProblem) -> tuple[int, int, int, int]:
        rows = span(self.rows, p.stride[1], p.kernel[1], p.dilation[1])
        cols = span(self.cols, p.stride[2], p.kernel[2], p.dilation[2])
        return self.channels, p.kernel[0], rows, cols

    def walk(self, p: ConvProblem) -> Iterator[tuple[int, int, int, int, int]]:
        """(od, first row, rows, first column, columns) of every block of output pixels."""
        for od in range(p.output[0]):
            for r in range(0, p.output[1], self.rows):
                for q in range(0, p.output[2], self.cols):
                    yield od, r, min(self.rows, p.output[1] - r), q, min(self.cols, p.output[2] - q)


def finish_conv(acc: np.ndarray, bias: np.ndarray | None, out: np.ndarray, p: ConvProblem) -> None:
    """Add the bias, apply the fused activation, round once into `out`; `acc` is (channels, pixels...)."""
    if bias is not None:
        acc += bias.reshape(-1, *(1,) * (acc.ndim - 1))
    if p.activation == "relu":
        np.maximum(acc, 0, out=acc)
    if p.out.kind in "iu":
        store_integers(acc, out)
    else:
        out[...] = acc.reshape(out.shape)


class NumpyConv(Kernel[ConvProblem]):
    """Base of the convolutions of this backend."""

    backend = "numpy"
    activations = frozenset({"relu"})

    def reject(self, problem: ConvProblem) -> str | None:
        return problem.not_forward

    def error(self, problem: ConvProblem) -> float:
        once = rounding(problem.out) if is_half(problem.out) else 0.0  # sums are in float32
        return summation_error(epsilon(problem.acc), problem.depth) + once

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, (weights, bias) = problem, constants
        if p.out.kind not in "iu":
            return self.in_dtype(p, weights, bias, conv_dtype(p))
        p = replace(p, fill=int(p.fill))
        gain, offset = integers.gain(weights), 0.0 if bias is None else integers.magnitude(bias)
        return integers.exactly(
            p,
            conv_dtype(p),
            lambda largest: max(largest, abs(p.fill)) * gain + offset,
            lambda dtype: self.in_dtype(p, weights, bias, dtype),
        )

    def in_dtype(self, p: ConvProblem, weights: np.ndarray, bias: np.ndarray | None, dtype: np.dtype) -> Run:
        """A run whose products and sums have this `dtype`."""
        raise NotImplementedError

    def conversions(self, problem: ConvProblem) -> Counts:
        """Elements of images that are converted, if products and sums have another dtype."""
        p = problem
        if conv_dtype(p) == p.dtype:
            return {}
        return {"convert": p.n * (p.ic * p.input[0] * p.input[1] * p.input[2] + p.oc * p.pixels)}

    def products(self, problem: ConvProblem) -> Counts:
        """Floating-point operations of BLAS, or of NumPy's own loops where there is no BLAS routine."""
        dtype = conv_dtype(problem)
        if dtype.kind in "iu":
            return {"integer": problem.flops}
        return {"multiply": problem.flops * dtype.itemsize / 4 * (4 if dtype.kind == "c" else 1)}


class NumpyIm2col(NumpyConv):
    """Bands of columns times weights: the general case."""

    algorithm = "im2col"
    row = "numpy.conv.im2col"

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        blocks = Im2colBlocks(p, p.taps, p.icg)
        calls = p.n * p.groups * (p.pixels / (blocks.rows * blocks.cols)) * (p.icg / blocks.channels)
        size = conv_dtype(p).itemsize
        filled = span(p.output[1], p.stride[1], p.kernel[1], p.dilation[1])
        rows = p.output[0] * (p.taps * p.output[1] + p.kernel[0] * filled)
        columns = p.n * p.ic * p.taps * p.pixels
        moved = {
            "bytes_copied": columns * size, "bytes": p.n * p.oc * p.pixels * size, "row": p.n * p.ic * rows,
            "gather": columns if p.stride[2] > 1 else 0,
        }  # fmt: skip
        # With few pixels the weights stream from memory, for each block of them.
        streamed = max(1, p.n * p.output[0] * ceil_div(p.output[1], blocks.rows) * ceil_div(p.output[2], blocks.cols))
        return Features(
            {"call": calls * 8, **moved, **self.conversions(p)},
            self.products(p),
            {"bytes": streamed * p.oc * p.depth * size},
        )

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        blocks = Im2colBlocks(p, p.taps, p.icg)
        band = int(np.prod(blocks.band_shape(p)))
        pixels = blocks.rows * blocks.cols
        return (band + (blocks.channels * p.taps + 2 * p.ocg) * pixels) * conv_dtype(p).itemsize + gathered(p, band)

    def in_dtype(self, p: ConvProblem, weights: np.ndarray, bias: np.ndarray | None, dtype: np.dtype) -> Run:
        w = weights.reshape(p.groups, p.ocg, p.icg, p.taps)
        blocks = Im2colBlocks(p, p.taps, p.icg, dtype)
        band = Im2colBand(p)
        parts = []
        for c in range(0, p.icg, blocks.channels):
            part = w[:, :, c : c + blocks.channels]
            parts.append((c, clean(part, dtype).reshape(p.groups, p.ocg, part.shape[2] * p.taps)))

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            scratch = np.empty(blocks.band_shape(p), dtype)
            columns = np.empty(blocks.channels * p.taps * blocks.rows * blocks.cols, dtype)
            for n in range(p.n):
                for g in range(p.groups):
                    xg = x[n, g * p.icg : (g + 1) * p.icg]
                    yg = out[n, g * p.ocg : (g + 1) * p.ocg]
                    bg = None if bias is None else bias[g * p.ocg : (g + 1) * p.ocg]
                    for od, r, rows, q, cols in blocks.walk(p):
                        acc = None
                        for c, wp in parts:
                            view = band.windows(scratch, xg[c : c + blocks.channels], od, r, rows, q, cols)
                            flat = columns[: view.size].reshape(view.shape)
                            flat[...] = view
                            part = wp[g] @ flat.reshape(-1, rows * cols)
                            acc = part if acc is None else np.add(acc, part, out=acc)
                        if acc is None:
                            acc = np.zeros((p.ocg, rows * cols), dtype)
                        finish_conv(acc, bg, yg[:, od, r : r + rows, q : q + cols], p)

        return run


class NumpyPointwise(NumpyConv):
    """1x1 kernels without stride or padding: one matmul per image and group, nothing copied."""

    algorithm = "pointwise"
    row = "numpy.conv.pointwise"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.taps != 1 or p.stride != (1, 1, 1) or any(pad != (0, 0) for pad in p.pads):
            return "not 1x1 with stride 1 and no padding"
        return super().reject(p)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        outputs, last = p.n * p.oc * p.pixels, p.layout == "NHWC"
        counts = {
            "call": p.n * p.groups * 6,
            "bytes": p.bytes,
            "unsummed": outputs if p.icg == 1 else 0,  # BLAS is not used
            "finish": outputs,
            "turned": outputs + p.n * p.ic * p.pixels if last else 0,
        }
        return Features({**counts, **self.conversions(p), **self.products(p)})

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        size = conv_dtype(p).itemsize
        cast = p.icg if conv_dtype(p) != p.dtype else 0
        return (p.ocg + cast) * min(p.pixels, self._columns(p)) * size

    @staticmethod
    def _columns(p: ConvProblem, dtype: np.dtype | None = None) -> int:
        size = integers.scratch_bytes(conv_dtype(p) if dtype is None else dtype)
        return max(MIN_COLUMNS, block_bytes(COLUMNS) // ((p.ocg + p.icg + 1) * size))

    def in_dtype(self, p: ConvProblem, weights: np.ndarray, bias: np.ndarray | None, dtype: np.dtype) -> Run:
        w = clean(weights.reshape(p.groups, p.ocg, p.icg), dtype)
        step = self._columns(p, dtype)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            flat_x, flat_y = x.reshape(p.n, p.ic, p.pixels), _flat_view(out)
            for n in range(p.n):
                for g in range(p.groups):
                    channels = slice(g * p.ocg, (g + 1) * p.ocg)
                    xg = flat_x[n, g * p.icg : (g + 1) * p.icg]
                    bg = None if bias is None else bias[channels]
                    for q in range(0, p.pixels, step):
                        part = xg[:, q : q + step].astype(dtype, copy=False)
                        finish_conv(w[g] @ part, bg, flat_y[n, channels, q : q + step], p)

        return run


def _flat_view(y: np.ndarray) -> np.ndarray:
    """(N, C, D*H*W) view of a contiguous result in either layout."""
    n, c = y.shape[:2]
    flat = y.reshape(n, c, y.shape[2] * y.shape[3] * y.shape[4])
    assert flat.size == 0 or np.may_share_memory(flat, y), "a copy would swallow the result"
    return flat


class NumpyDepthwise(NumpyConv):
    """One input channel per group: a loop over taps, each a multiply-add of whole blocks."""

    algorithm = "depthwise"
    row = "numpy.conv.depthwise"

    def reject(self, problem: ConvProblem) -> str | None:
        return "more than one input channel per group" if problem.icg != 1 else super().reject(problem)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        blocks = Im2colBlocks(p, 4, p.groups)
        calls = p.n * p.ocg * (p.pixels / (blocks.rows * blocks.cols)) * (p.groups / blocks.channels) * (2 * p.taps + 6)
        return Features({"call": calls, "element": p.flops * conv_dtype(p).itemsize / 4})

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        blocks = Im2colBlocks(p, 4, p.groups)
        pixels = blocks.rows * blocks.cols * blocks.channels
        band = int(np.prod(blocks.band_shape(p)))
        return (band + 2 * pixels) * conv_dtype(p).itemsize + gathered(p, band)

    def in_dtype(self, p: ConvProblem, weights: np.ndarray, bias: np.ndarray | None, dtype: np.dtype) -> Run:
        w = clean(weights.reshape(p.groups, p.ocg, *p.kernel), dtype)
        blocks = Im2colBlocks(p, 4, p.groups, dtype)
        band = Im2colBand(p)
        taps = [(d, h, v) for d in range(p.kernel[0]) for h in range(p.kernel[1]) for v in range(p.kernel[2])]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            scratch = np.empty(blocks.band_shape(p), dtype)
            sums = np.empty(blocks.channels * blocks.rows * blocks.cols, dtype)
            terms = np.empty_like(sums)
            for n in range(p.n):
                for c in range(0, p.groups, blocks.channels):
                    count = min(blocks.channels, p.groups - c)
                    for od, r, rows, q, cols in blocks.walk(p):
                        view = band.windows(scratch, x[n, c : c + count], od, r, rows, q, cols)
                        acc = sums[: count * rows * cols].reshape(count, rows, cols)
                        term = terms[: acc.size].reshape(acc.shape)
                        for m in range(p.ocg):
                            acc[...] = 0
                            for tap in taps:
                                np.multiply(view[:, *tap], w[c : c + count, m, *tap, None, None], out=term)
                                acc += term
                            channels = slice(c * p.ocg + m, (c + count) * p.ocg, p.ocg)
                            bm = None if bias is None else bias[channels]
                            finish_conv(acc, bm, out[n, channels, od, r : r + rows, q : q + cols], p)

        return run


KERNELS = (NumpyPointwise(), NumpyDepthwise(), NumpyIm2col())
