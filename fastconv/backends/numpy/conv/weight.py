"""Gradients of convolution weights on NumPy: bands of im2col against the gradient of the output.

The forward kernels' bands and blocks are used here, too: a block of columns (channels x taps, pixels) is multiplied by
the same pixels of the output's gradient in one matmul, and the blocks' products are summed.  Such a sum over blocks
also has a smaller rounding error than one long sum over all pixels of all images.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.numpy.conv.forward import Im2colBand, Im2colBlocks
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.problems.base import named
from fastconv.core.problems.conv import ConvProblem, weight_operands


class NumpyWeight(Kernel[ConvProblem]):
    """Base of the weight gradients of this backend."""

    backend = "numpy"
    relative = "weight"

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_weight is not None:
            return problem.not_weight
        if problem.dtype not in (np.float32, np.float64):
            return f"dtype {named(problem.dtype)}: float32 and float64 only"
        return None

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), max(problem.n, 1) * problem.pixels)


class NumpyIm2colWeight(NumpyWeight):
    """The general case: one matmul per block of pixels and channels."""

    algorithm = "im2col"
    row = "numpy.conv_weight.im2col"

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        blocks = Im2colBlocks(p, p.taps, p.icg)
        calls = p.n * p.groups * (p.pixels / (blocks.rows * blocks.cols)) * (p.icg / blocks.channels)
        size = p.dtype.itemsize
        return Features({
            "call": calls * 8,
            "multiply": p.flops * size / 4,
            "bytes_copied": p.n * p.ic * p.taps * p.pixels * size,
            "bytes": p.n * max(1, p.pixels / (blocks.rows * blocks.cols)) * p.oc * p.depth * size * 4,
        })

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        blocks = Im2colBlocks(p, p.taps, p.icg)
        pixels = blocks.rows * blocks.cols
        columns = blocks.channels * p.taps
        floats = int(np.prod(blocks.band_shape(p))) + (columns + p.ocg) * pixels + (p.oc + 1) * p.depth
        return floats * p.dtype.itemsize

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = Im2colBlocks(p, p.taps, p.icg)
        band = Im2colBand(p)
        fixed = constants[0]

        @np.errstate(all="ignore")
        def run(changing: np.ndarray, out: np.ndarray) -> None:
            x, y = weight_operands(p, changing, fixed)
            scratch = np.empty(blocks.band_shape(p), p.dtype)
            columns = np.empty(blocks.channels * p.taps * blocks.rows * blocks.cols, p.dtype)
            sums = out.reshape(p.groups, p.ocg, p.icg * p.taps)
            sums[...] = 0
            for n in range(p.n):
                for g in range(p.groups):
                    xg = x[n, g * p.icg : (g + 1) * p.icg]
                    yg = y[n, g * p.ocg : (g + 1) * p.ocg]
                    for od, r, rows, q, cols in blocks.walk(p):
                        part = yg[:, od, r : r + rows, q : q + cols].reshape(p.ocg, rows * cols)
                        for c in range(0, p.icg, blocks.channels):
                            view = band.windows(scratch, xg[c : c + blocks.channels], od, r, rows, q, cols)
                            flat = columns[: view.size].reshape(view.shape)
                            flat[...] = view
                            product = part @ flat.reshape(-1, rows * cols).T
                            sums[g, :, c * p.taps : c * p.taps + product.shape[1]] += product

        return run


class NumpyDepthwiseWeight(NumpyWeight):
    """One input channel per group: for each tap, the sum of products of two blocks."""

    algorithm = "depthwise"
    row = "numpy.conv_weight.depthwise"

    def reject(self, problem: ConvProblem) -> str | None:
        return "more than one input channel per group" if problem.icg != 1 else super().reject(problem)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        blocks = Im2colBlocks(p, 2, p.groups)
        count = p.n * (p.pixels / (blocks.rows * blocks.cols)) * (p.groups / blocks.channels)
        return Features({"call": count * (p.ocg * p.taps * 2 + 4), "element": p.flops * p.dtype.itemsize / 4})

    def workspace(self, problem: ConvProblem) -> int:
        return int(np.prod(Im2colBlocks(problem, 2, problem.groups).band_shape(problem))) * problem.dtype.itemsize

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        blocks = Im2colBlocks(p, 2, p.groups)
        band = Im2colBand(p)
        fixed = constants[0]
        taps = [(d, h, v) for d in range(p.kernel[0]) for h in range(p.kernel[1]) for v in range(p.kernel[2])]

        @np.errstate(all="ignore")
        def run(changing: np.ndarray, out: np.ndarray) -> None:
            x, y = weight_operands(p, changing, fixed)
            scratch = np.empty(blocks.band_shape(p), p.dtype)
            sums = out.reshape(p.groups, p.ocg, *p.kernel)
            sums[...] = 0
            for n in range(p.n):
                for c in range(0, p.groups, blocks.channels):
                    count = min(blocks.channels, p.groups - c)
                    for od, r, rows, q, cols in blocks.walk(p):
                        view = band.windows(scratch, x[n, c : c + count], od, r, rows, q, cols)
                        for m in range(p.ocg):
                            channels = slice(c * p.ocg + m, (c + count) * p.ocg, p.ocg)
                            part = y[n, channels, od, r : r + rows, q : q + cols]
                            for tap in taps:
                                sums[c : c + count, m, *tap] += np.einsum("chw,chw->c", view[:, *tap], part)

        return run


KERNELS = (NumpyDepthwiseWeight(), NumpyIm2colWeight())
