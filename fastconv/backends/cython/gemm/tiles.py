"""Products of bfloat16 in matrix registers (AMX), and 1x1 convolutions, which are such products: the kernel objects.

Register tile: 32 x 32 sums, in four registers, two of each operand.  A strip of 32 rows of the left operand is read in
place where its rows are contiguous; panels of 32 columns of the right one are packed in pairs, and some of them stay in
the L2 cache for all strips.  The transposed product is computed where the second operand lies as the left one should,
and the first one is smaller.  Sums are rounded once, from the registers into the result.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastconv.backends.cython.gemm.packed import finish_without_products
from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import TILES
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Specialised, epsilon, rounding_bound, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import is_bfloat16, named
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import aligned_empty
from fastconv.machines import block_bytes, traffic

PANELS = "cython.gemm.tiles/panels"  # block: of an item of work
TILE, STEP = 32, 16  # rows and columns of a tile of sums; largest number of pairs of a step
DEEPEST = 1 << 15  # products of a sum: a panel takes 2 MiB
FLOPS_PER_THREAD = 1e7  # about 10 us
ISAS = tuple(isa for isa in machine.ISAS if isa in TILES)
EPS = float(np.finfo(np.float32).eps)
NOTE = "pairs of bfloat16 are multiplied at once; denormal numbers count as zero"


def steps_of(pairs: int) -> tuple[int, int]:
    """(steps, pairs of a step) of a sum of so many pairs: near-equal steps."""
    steps = max(1, ceil_div(pairs, STEP))
    return steps, ceil_div(max(pairs, 1), steps)


def reject_bfloat16(isa: str, dtype: np.dtype) -> str | None:
    """Why matrix registers cannot multiply `dtype` here."""
    if not is_bfloat16(dtype):
        return f"dtype {named(dtype)}: bfloat16 only"
    return native.unavailable(isa, dtype) or native.reject_tiles(isa)


class TiledGemm(Specialised[GemmProblem]):
    """Products of bfloat16 matrices."""

    backend = "cython"
    algorithm = "packed"
    relative = "tiles"
    row = "cython.gemm.tiles"
    activations = frozenset({"relu"})
    flushes = True
    note = NOTE

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: GemmProblem) -> str | None:
        if problem.k > DEEPEST:
            return f"sums of more than {DEEPEST} products"
        return reject_bfloat16(self.isa, problem.dtype)

    @staticmethod
    def _swapped(p: GemmProblem) -> bool:
        """Whether rows of b, which lie along the sum, are the left operand."""
        return p.trans_b and (p.trans_a or (p.m < p.n and not (p.packed and not p.b_batched)))

    def _prepacked(self, p: GemmProblem) -> bool:
        return p.packed and not p.b_batched and not self._swapped(p)

    def _items(self, p: GemmProblem, count: int) -> tuple[int, int]:
        """(panels, strips) of an item of work."""
        rows, cols = (p.n, p.m) if self._swapped(p) else (p.m, p.n)
        strips, panels = ceil_div(max(rows, 1), TILE), ceil_div(max(cols, 1), TILE)
        together = max(1, block_bytes(PANELS) // self._panel_bytes(p))
        together = ceil_div(panels, ceil_div(panels, together))
        if count > 1:
            wanted = ceil_div(4 * count, max(p.batch, 1))
            together = max(1, min(together, panels // wanted))
            parts = min(strips, ceil_div(wanted, ceil_div(panels, together)))
            return together, ceil_div(strips, parts)
        return together, strips

    @staticmethod
    def _panel_bytes(p: GemmProblem) -> int:
        steps, pairs = steps_of(ceil_div(p.k, 2))
        return steps * pairs * 2 * TILE * 2

    def features(self, problem: GemmProblem) -> Features:
        p, swapped = problem, self._swapped(problem)
        rows, cols = (p.n, p.m) if swapped else (p.m, p.n)
        strips, panels = ceil_div(max(rows, 1), TILE), ceil_div(max(cols, 1), TILE)
        groups = ceil_div(panels, self._items(p, 1)[0])
        squares = ceil_div(max(rows, 1), TILE // 2) * ceil_div(max(cols, 1), TILE // 2)
        alone = not swapped and not p.b_batched and self._items(p, 1)[0] >= panels  # panels of all products
        packed = 0 if self._prepacked(p) else (1 if alone and p.batch == 1 else p.batch) * panels * TILE * p.k
        turned = 0 if not (p.trans_a if not swapped else not p.trans_b) else p.batch * rows * p.k * groups
        counts = {"call": 1, "tile": p.batch * strips * panels, "pack": packed + 2 * turned}
        steps = p.batch * squares * steps_of(ceil_div(p.k, 2))[0]
        return Features(counts, {"step": steps}, traffic(p.bytes))

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        return 4 * TILE * TILE + (1 + self._items(p, 1)[0]) * self._panel_bytes(p)

    def error(self, problem: GemmProblem) -> float:
        return epsilon(problem.out) + summation_error(EPS, problem.k)

    def bound(self, problem: GemmProblem) -> float:
        return rounding_bound(problem, problem.terms + 2) * (1 + epsilon(problem.out))

    def specialise(
        self, problem: GemmProblem, threads: int, x: native.Contiguous | None = None, y: native.Contiguous | None = None
    ) -> Bind:
        """`x`, `y`: layout of contiguous matrices, if not that of `native.matrices`."""
        _tiles = native.compiled("gemm._tiles")
        p = problem
        if p.k == 0:
            return lambda constants: lambda x, out: finish_without_products(p, constants[1], constants[2], out)
        count = threads if p.flops > FLOPS_PER_THREAD else 1
        steps = steps_of(ceil_div(p.k, 2))
        tables = native.table(self.isa, p.dtype), native.simd().tiles()
        prepared = _tiles.TiledGemm(*tables, p, *steps, *self._items(p, count), self._swapped(p))
        x = x or native.matrices(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
        y = y or native.matrices(p.batch, p.m, p.n)
        z = native.second_operand(p, swapped=False)
        native.schedule(prepared, prepared.scratch_bytes(), count, native.seconds(self, p), x, y, z)
        if not self._prepacked(p):
            # A bias that the user gave has 16 bits.
            return (lambda constants: prepared.operands(*constants)) if p.bias else native.Operands(p, prepared)
        packed_bytes = ceil_div(p.n, TILE) * self._panel_bytes(p)
        return lambda constants: prepared.operands(*constants, aligned_empty(packed_bytes))


class TiledPointwise(native.Delegated):
    """1x1 convolutions: pixels times weights, of images with channels last as they lie, of others transposed."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "tiles"
    row = TiledGemm.row
    activations = frozenset({"relu"})
    flushes = True
    note = NOTE
    inner: TiledGemm

    def __init__(self, inner: TiledGemm) -> None:
        self.inner, self.isa = inner, inner.isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_pointwise:
            return p.not_pointwise
        if p.groups != 1 or p.ic == 0:
            return "groups, or no channels"
        if p.ic > DEEPEST:
            return f"sums of more than {DEEPEST} products"
        return reject_bfloat16(self.isa, p.dtype)

    def as_inner(self, problem: ConvProblem) -> GemmProblem:
        p, last = problem, problem.layout == "NHWC"
        product = native.as_product(p, 1, p.n * p.pixels) if last else native.as_product(p, p.n, p.pixels)
        return replace(product, trans_a=not last)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, q = problem, self.as_inner(problem)
        sums = None if p.layout == "NHWC" else native.Contiguous(q.batch * q.m * q.n, (q.m * q.n, 1, q.m), 3)
        product = self.inner.specialise(q, threads, None, sums)

        def of(images: np.ndarray, channels: int) -> np.ndarray:
            """Images as (batch, pixels, channels)."""
            if p.layout == "NHWC":
                return images.transpose(0, 2, 3, 4, 1).reshape(1, q.m, channels)
            return images.reshape(p.n, channels, q.m)

        def result(images: np.ndarray) -> np.ndarray:
            matrix = of(images, p.oc)
            return matrix if p.layout == "NHWC" else matrix.transpose(0, 2, 1)

        return native.Multiplying(p, product, lambda x: of(x, p.ic), result)


KERNELS: tuple[Kernel[GemmProblem], ...] = tuple(map(TiledGemm, ISAS))
CONVOLUTIONS: tuple[Kernel[ConvProblem], ...] = tuple(TiledPointwise(TiledGemm(isa)) for isa in ISAS)
