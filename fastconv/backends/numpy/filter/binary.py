"""Binary erosion and dilation on NumPy: blocks of the array, one operation for each tap of the window."""

from __future__ import annotations

from itertools import count
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.numpy.filter.correlation import block_of, blocks, index_bytes, padded_size
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.neighbors import padded_block

BOOL = np.dtype(bool)


class NumpyBinary(Kernel[BinaryProblem]):
    """Any window."""

    backend = "numpy"
    algorithm = "taps"
    row = "numpy.binary"

    def reject(self, problem: BinaryProblem) -> str | None:
        return None

    def features(self, problem: BinaryProblem) -> Features:
        p, counts = problem, block_of(problem)
        many = prod(ceil_div(n, c) for n, c in zip(p.shape, counts, strict=True))
        times, taps = p.rounds, p.window.total
        return Features(
            {"call": times * many * (taps + 12), "bytes": times * p.bytes, "element": times * p.size * (taps + 4)}
        )

    def workspace(self, problem: BinaryProblem) -> int:
        p, counts = problem, block_of(problem)
        return 3 * p.size + 3 * padded_size(p, counts) + 4 * prod(counts) + index_bytes(p, counts) + (1 << 14)

    def error(self, problem: BinaryProblem) -> float:
        return 0.0

    def prepare(self, problem: BinaryProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, counts, offsets = problem, block_of(problem), problem.window.offsets()
        join = np.logical_and if p.join == "min" else np.logical_or
        mask = constants[0].reshape(p.shape) if p.masked else None

        def once(x: np.ndarray, out: np.ndarray) -> None:
            for starts, some in blocks(p, counts):
                padded = padded_block(x, starts, some, p.window, BOOL)
                made = np.full(some, p.join == "min")
                for offset in offsets:
                    join(made, padded[tuple(slice(o, o + n) for o, n in zip(offset, some, strict=True))], out=made)
                at = tuple(slice(s, s + n) for s, n in zip(starts, some, strict=True))
                out[at] = made if mask is None else np.where(mask[at], made, x[at])

        def run(x: np.ndarray, out: np.ndarray) -> None:
            made = np.not_equal(x.view(np.uint8), 0).reshape(p.shape)
            for i in count(1):
                before, made = made, np.empty(p.shape, bool)
                once(before, made)
                if i == p.iterations or (p.iterations == 0 and np.array_equal(before, made)):
                    break
            out[...] = made.ravel()

        return run


KERNELS = (NumpyBinary(),)
