"""Code that the kernel objects of this backend share: availability, tables, bands, how runs process their items."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import EXTENSION_SUFFIXES
from math import prod
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from fastconv.backends.cython.runtime import shared
from fastconv.backends.cython.runtime.dtypes import BY_NAME, TABLES, TILES, DType
from fastconv.core import arrays, cpu, machine, threads
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised, wasteful_bytes
from fastconv.core.numbers import ceil_div, span
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import Pads, Problem, is_half, named
from fastconv.core.problems.conv import ConvProblem, weight_operands
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.core.scratch import aligned_empty
from fastconv.machines import host_table
from fastconv.typing import Layout, PaddingMode

if TYPE_CHECKING:
    from fastconv.backends.cython.runtime import _prepared

BACKEND = Path(__file__).parents[1]
REPORT = BACKEND / "_build_report.json"
FLOPS_PER_THREAD = 1e6  # about 10 us: less does not justify waking a thread
SCRATCH_BYTES = 32 << 20  # of one thread, plus a few times the weights: algorithms that need whole rows reject more
FLOAT32 = np.dtype(np.float32)
SLACK = 64  # elements after a band: kernels load whole vectors past the last pixel they store


SPINS = "20000"  # about 3 ms: the time between calls of a network is shorter.  libgomp's default is 300000


@cache
def _modules() -> dict[str, Any]:
    """All compiled modules, loaded together, and with them libgomp, which reads the environment when it is loaded.

    Unless the user set OMP_WAIT_POLICY or GOMP_SPINCOUNT, idle threads sleep soon after their work: threads that spin
    take processors from other threads.
    """
    undecided = not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ)
    if undecided:
        os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        names = {
            f"{folder.name}.{m.name}"
            for folder in BACKEND.iterdir()
            for m in iter_modules([str(folder)])
            if m.name.startswith("_")
        }
        names.add("runtime._simd")  # where nothing was compiled, the import error names this one
        return {name: importlib.import_module(f"fastconv.backends.cython.{name}") for name in sorted(names)}
    finally:
        if undecided:
            del os.environ["GOMP_SPINCOUNT"]


def compiled(name: str) -> Any:
    """A compiled module, such as "conv._direct".

    It is kept here and not imported where it is used: the first call may happen while the interpreter shuts down, when
    nothing can be imported, not even what was imported before.
    """
    return _modules()[name]


@cache
def simd() -> Any:
    """The module of micro-kernels."""
    return compiled("runtime._simd")


@cache
def build_problem() -> str | None:
    """Why the compiled modules are missing; None if they are there."""
    try:
        simd()
    except ImportError as e:
        return f"not compiled: {_build_failure(e)}"
    return None


def _build_failure(error: ImportError) -> str:
    """Why there is no module of micro-kernels, with the remedy."""
    if reason := build_report().get("reason"):
        return f"{reason} (then install fastconv again)"
    names = [path.name for path in (BACKEND / "runtime").glob("_simd.*") if path.suffix in (".so", ".pyd")]
    root = BACKEND.parents[2]
    if not names and (root / "setup.py").exists():
        return f"fastconv is imported from its sources in {root}, which are not built (pip install -e {root})"
    if names and not any(f"_simd{suffix}" in names for suffix in EXTENSION_SUFFIXES):
        return f"the compiled modules are for another Python, as {names[0]} (pip install fastconv with this one)"
    return str(error)


def build_report() -> dict[str, Any]:
    """What the build left out, in the compiler's words: `reason`, if everything; `lost`, by instruction set."""
    found: dict[str, Any] = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    return found


@cache
def unavailable(isa: str, types: np.dtype | DType = FLOAT32) -> str | None:
    """Why kernels for `isa` cannot use the table of these types here; None if they can.

    All of them need that of float32, too, which converts and moves elements of other types.
    """
    reason = build_problem()
    if reason is not None:
        return reason
    if isa not in machine.host_isas():
        return f"{isa} is not available on this CPU, or FASTCONV_ISA caps it"
    if built(isa, FLOAT32) == 0:
        if reason := build_report().get("lost", {}).get(isa):
            return f"not compiled: {isa}: {reason} (then install fastconv again)"
        return f"{isa} was not compiled in (install again without FASTCONV_ISAS)"
    return None if built(isa, types) else f"{table_name(isa, types)} was not compiled in"


def reject_common(isa: str, dtype: np.dtype) -> str | None:
    """Reasons that hold for every kernel of this backend."""
    if dtype not in (np.float32, np.float64):
        return f"dtype {named(dtype)}: float32 and float64 only"
    return unavailable(isa, dtype)


def reject_storage(isa: str, dtype: np.dtype) -> str | None:
    """The same for kernels that load and store 16-bit floats, too."""
    return unavailable(isa, dtype) if is_half(dtype) else reject_common(isa, dtype)


@cache
def tiles_allowed() -> bool:
    """Whether the system allows the use of AMX."""
    return bool(simd().request_tiles())


def has_features(isa: str, types: DType) -> bool:
    """Whether the table of these types has instructions of its own."""
    return any(of == isa for of, _ in TABLES[types].features)


def reject_tiles(isa: str) -> str | None:
    """Why matrix registers cannot be used here; None if they can."""
    reason = unavailable(isa)
    if reason is not None:
        return reason
    missing = next((f for f in TILES[isa] if f not in cpu.features()), None)
    if missing is not None:
        return f"this CPU has no {missing}"
    if not tiles_allowed():
        return "the system does not allow AMX"
    return None if simd().tiles() else "AMX was not compiled in"


def reject_types(isa: str, types: DType) -> str | None:
    """Why kernels of `isa` cannot use the table of these types here; None if they can."""
    reason = unavailable(isa, types)
    if reason is not None:
        return reason
    missing = next((f for of, f in TABLES[types].features if of == isa and f not in cpu.features()), None)
    if missing is not None:
        return f"this CPU has no {missing}"
    return None


def table_name(isa: str, types: np.dtype | DType) -> str:
    """Of the table of micro-kernels for elements of these types.

    Arrays of one dtype need the table whose inputs and outputs are that.
    """
    key = types if isinstance(types, DType) else BY_NAME[named(types)]
    return f"{isa}_{TABLES[key].name}"


def built(isa: str, types: np.dtype | DType) -> int:
    """Address of the table for elements of these types; 0 where it was not built."""
    found: int = simd().table(table_name(isa, types))
    return found


@cache
def table(isa: str, types: np.dtype | DType) -> int:
    """The same for kernels, which `unavailable` let pass."""
    found = built(isa, types)
    assert found, f"{table_name(isa, types)} is not there: a kernel did not reject that"
    return found


@cache
def any_table(dtype: np.dtype) -> int:
    """For kernels without vectors: their items only need to know the size of elements."""
    return next(filter(None, (built(isa, dtype) for isa in reversed(machine.host_isas()))), 0)


def reject_any(dtype: np.dtype) -> str | None:
    """Why there is no `any_table`; None if there is."""
    reason = build_problem()
    return reason or (None if any_table(dtype) else f"no table of {named(dtype)} was compiled in")


@cache
def lanes(isa: str, itemsize: int) -> int:
    """Floats per vector."""
    return machine.ISAS[isa].bytes // itemsize


# Rows of the register tile, per ISA: rows * 2 accumulators + 2 vectors + 1 broadcast <= registers.
TILE_ROWS = {"avx512": 14, "avx2": 6, "neon": 12, "portable": 4}


def tile(isa: str, itemsize: int) -> tuple[int, int]:
    """(MR, NR) of the register tile; simd/isa/*.h says the same."""
    return TILE_ROWS[isa], 2 * lanes(isa, itemsize)


NARROW = 1.1  # a tile of one vector loads more for each product


def blocks_together(blocks: int, items: int, threads: int) -> int:
    """Blocks of output channels of an item of work: all of them, or less if `items` items do not occupy the threads."""
    parts = 1 if items >= 2 * threads else min(blocks, ceil_div(2 * threads, max(items, 1)))
    return max(1, ceil_div(blocks, max(parts, 1)))


def used_lanes(isa: str, itemsize: int, channels: int) -> float:
    """Lanes of full register tiles that take as long as `channels` in lanes: the last tile may have one vector only."""
    vl, nr = lanes(isa, itemsize), tile(isa, itemsize)[1]
    whole, left = divmod(max(channels, 1), nr)
    return (whole + (left > vl)) * nr + (0 < left <= vl) * NARROW * vl


class Windowed(Protocol):
    """The fields that conv and pool problems share."""

    @property
    def input(self) -> tuple[int, int, int]: ...
    @property
    def kernel(self) -> tuple[int, int, int]: ...
    @property
    def stride(self) -> tuple[int, int, int]: ...
    @property
    def dilation(self) -> tuple[int, int, int]: ...
    @property
    def pads(self) -> Pads: ...
    @property
    def output(self) -> tuple[int, int, int]: ...


Axis = tuple[int, int, int, int]
Axes = tuple[Axis, Axis, Axis, int, int]


def padded_axes(p: Windowed, mode: PaddingMode) -> Axes:
    """Depth, height and width as `fc_axis` of simd/table.h, and the run of columns whose sources are consecutive.

    Kernels may read past the end, where they get the fill value.
    """
    axes: list[Axis] = []
    code = 0 if mode == "constant" else shared.FC_MODES.index(mode)
    for e, k, s, d, (lo, hi), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True):
        axes.append((e, lo, min(span(o, s, k, d), lo + e + hi), code))
    extent, lo, size, _ = axes[2]
    run0 = min(max(lo, 0), size)
    return axes[0], axes[1], axes[2], run0, min(max(run0, lo + extent), size)


def zero_columns(p: ConvProblem) -> bool:
    """Whether all padding left and right of an image's rows is zero."""
    return p.fill == 0 if p.mode == "zeros" else max(p.pads[2]) <= 0


def tap_columns(p: Windowed, wq: int | None) -> np.ndarray:
    """Where in a row each tap along width starts, for the first output of a block.

    The row is one of a `Band` whose phases have `wq` elements, or of the image itself if that is None.
    """
    col = np.arange(p.kernel[2], dtype=np.intp) * p.dilation[2]
    return col - p.pads[2][0] if wq is None else col % p.stride[2] * wq + col // p.stride[2]


# Bounds of the largest weight's magnitude, by itemsize, within which no product of a transform over- or underflows.
ORDINARY = {4: (2.0**-30, 2.0**30), 8: (2.0**-200, 2.0**200)}


def ordinary(weights: np.ndarray, isa: str) -> bool:
    """Whether weights may be transformed: finite, and neither tiny nor huge, or all zero."""
    low, high = ORDINARY[weights.itemsize]
    found = simd().largest(table(isa, weights.dtype), weights)
    return low <= found <= high or found == 0


def packing(p: ConvProblem) -> Counts:
    """Counts of packing weights into panels, see `packer`."""
    return {} if p.packed else {"pack_call": 1, "pack": p.oc * p.depth}


class Packer:
    """From weights (oc, ...) to panels (groups, blocks, depth, NR), zero after the last channel; see `_simd.pack`."""

    __slots__ = ("_table", "dtype", "panels", "size", "width")

    def __init__(self, isa: str, p: ConvProblem, lanes: bool = True) -> None:
        self.dtype = p.acc
        mr, nr = tile(isa, self.dtype.itemsize)
        self.width = nr if lanes else mr
        self.panels = (p.groups, p.ocg, p.depth, lanes)
        self.size = p.groups * ceil_div(p.ocg, self.width) * p.depth * self.width + SLACK
        self._table = table(isa, self.dtype)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        packed = arrays.aligned_empty((self.size,), self.dtype)
        simd().pack(self._table, weights, packed, *self.panels)
        return packed


def as_given(weights: np.ndarray) -> np.ndarray:
    """For kernels that pack nothing."""
    return weights


def wasteful(p: ConvProblem, width: int) -> str | None:
    """Why panels `width` output channels wide cannot hold the weights of `p`; None if they can."""
    padded = p.groups * ceil_div(p.ocg, width) * width * p.depth * p.acc.itemsize
    return wasteful_bytes(padded, p.oc * p.depth * p.acc.itemsize)


class Contiguous(NamedTuple):
    """Size and strides of a contiguous array, in elements; other canonical views may differ along `free` first axes."""

    elements: int
    strides: tuple[int, ...]
    free: int


NOTHING = Contiguous(0, (), 0)


def contiguous(n: int, c: int, spatial: tuple[int, ...], layout: Layout) -> Contiguous:
    """`Contiguous` of images, (N, C, D, H, W), by the contract of `core.kernel`."""
    d, h, w = spatial
    if layout == "NHWC":
        return Contiguous(n * c * d * h * w, (c * d * h * w, 1, c * h * w, c * w, c), 0)
    return Contiguous(n * c * d * h * w, (c * d * h * w, d * h * w, h * w, w, 1), 2)


@keep_few()
def images(p: ConvProblem | PoolProblem | AdaptivePoolProblem) -> tuple[Contiguous, Contiguous]:
    """`Contiguous` of the images that `p` reads and computes; for a gradient of weights, those of its convolution."""
    ic, oc = (p.ic, p.oc) if isinstance(p, ConvProblem) else (p.c, p.c)
    return contiguous(p.n, ic, p.input, p.layout), contiguous(p.n, oc, p.output, p.layout)


@keep_few()
def c_order(*shape: int) -> Contiguous:
    """`Contiguous` of an array in C order."""
    strides = tuple(prod(shape[i + 1 :]) for i in range(len(shape)))
    return Contiguous(prod(shape), strides, 0)


def schedule(
    prepared: _prepared.Prepared, scratch_bytes: int, count: int, seconds: float,
    x: Contiguous = NOTHING, y: Contiguous = NOTHING, z: Contiguous | None = None, shared_bytes: int = 0,
) -> None:  # fmt: skip
    """Make `prepared` run on up to `count` threads, in slices between which signals are handled.

    `scratch_bytes` are for each thread, and `shared_bytes` for all of them.  `x`, `y` and `z` describe the arrays that
    a run receives; a third array has by default the layout of the second.
    """
    *slices, (first, last) = threads.slices(prepared.items, seconds)
    parts = (*slices, (first, last + prepared.closing))
    prepared.schedule(scratch_bytes, count, parts, x, y, y if z is None else z, shared_bytes)


PART_UNIT = 16  # elements: a part begins on a cache line if its row does
KC_BYTES = 2048  # of one row of A: an MR x KC panel takes at most 28 KiB


def depth_part(k: int, size: int) -> int:
    """Length of the parts of a sum of `k` products: each part is summed in order, and the sums of parts are then added.

    Near-equal parts of whole cache lines.  All kernels of matrix products use them, and so give the same bits.
    """
    parts = ceil_div(k * size, KC_BYTES)
    return k if parts <= 1 else ceil_div(k, parts * PART_UNIT) * PART_UNIT


def product_order(isa: str) -> str:
    """The order of summation of matrix products, see `depth_part`: the same for all instruction sets with FMA."""
    return "cython: parts of the depth" + ("" if machine.ISAS[isa].fma else ", rounded products")


class Operands:
    """Runs of a product, with operands that nothing packs beforehand.

    ``plain(x, out, b, c, bias)`` takes the user's arrays as they are: see `Prepared.multiply`.
    """

    __slots__ = ("_operands", "plain")

    def __init__(self, p: GemmProblem, prepared: Any) -> None:
        prepared.expect(p.k * p.n * (p.batch if p.b_batched else 1), p.n, 0, ())
        self._operands = prepared.operands
        self.plain: Callable[..., bool] = prepared.multiply

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        run: Run = self._operands(*constants)
        return run


def second_operand(p: GemmProblem, swapped: bool) -> Contiguous:
    """`Contiguous` of b as it is given, or with `swapped` axes; one matrix for all products is repeated."""
    cols = p.k if p.trans_b else p.n
    strides = (cols, 1) if not swapped else (1, cols)
    return Contiguous(p.k * p.n, (p.k * p.n if p.b_batched else 0, *strides), 3)


def matrices(batch: int, rows: int, cols: int) -> Contiguous:
    """`Contiguous` of matrices, (batch, rows, columns); views may have any strides."""
    return Contiguous(batch * rows * cols, (rows * cols, cols, 1), 3)


class Binding:
    """Runs of a convolution, with weights that each call packs.

    ``plain(x, out, weights, bias)`` packs and runs in one call: see `Prepared.plain`.
    """

    __slots__ = ("_pack", "_prepared", "plain")

    def __init__(
        self, p: ConvProblem, prepared: _prepared.Prepared, pack: Callable[[np.ndarray], np.ndarray | None]
    ) -> None:
        self._prepared, self._pack = prepared, pack
        self.plain: Callable[..., bool] = prepared.plain
        if isinstance(pack, Packer):
            prepared.expect(p.oc * p.depth, p.oc, pack.size, pack.panels)
            return
        prepared.expect(p.oc * p.depth, p.oc, 0, ())
        if pack is not as_given:
            self.plain = partial(prepared.plain, pack=lambda weights: pack(weights.reshape(p.w_shape)))

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        weights, bias = constants
        return self._prepared.bind(self._pack(weights), bias, weights)


def binder(
    p: ConvProblem, prepared: _prepared.Prepared, scratch_bytes: int, count: int, seconds: float,
    pack: Callable[[np.ndarray], np.ndarray | None],
) -> Bind:  # fmt: skip
    """Runs of `prepared`, with weights that each bind packs."""
    schedule(prepared, scratch_bytes, count, seconds, *images(p))
    return Binding(p, prepared, pack)


def pooling(
    p: PoolProblem | AdaptivePoolProblem, prepared: _prepared.Prepared, scratch_bytes: int, count: int, seconds: float
) -> Run:
    """A run of `prepared`, a pooling."""
    schedule(prepared, scratch_bytes, count, seconds, *images(p))
    return prepared.bind()


def weight_gradient(
    p: ConvProblem, prepared: _prepared.Prepared, scratch_bytes: int, count: int, seconds: float, shared_bytes: int,
    fixed: np.ndarray,
) -> Run:  # fmt: skip
    """A run of `prepared`, whose third array is the gradient of the result; `fixed` is one of the two factors."""
    x, dy = images(p)
    schedule(prepared, scratch_bytes, count, seconds, x, c_order(*p.w_shape), dy, shared_bytes)
    multiply = prepared.bind()

    def run(changing: np.ndarray, out: np.ndarray) -> None:
        x, dy = weight_operands(p, changing, fixed)
        multiply(x, out, dy)

    return run


def as_product(p: ConvProblem, batch: int, rows: int) -> GemmProblem:
    """A convolution as `batch` matrix products: rows are windows, multiplied by the transposed weights."""
    return GemmProblem(
        batch=batch, m=rows, n=p.oc, k=p.depth, b_batched=False, trans_a=False, trans_b=True, alpha=1.0, beta=0.0,
        c=False, bias=p.bias, dtype=p.dtype, acc=p.acc, out=p.out, activation=p.activation, packed=p.packed,
    )  # fmt: skip


class Reshaped:
    """A run of a convolution as a product of matrices, with a method `plain`: ``run(x, out)`` on views of images."""

    __slots__ = ("_multiply", "_x", "_y", "plain")

    def __init__(
        self, multiply: Any, x: Callable[[np.ndarray], np.ndarray], y: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        self._multiply, self._x, self._y = multiply, x, y
        self.plain = multiply.plain  # contiguous images and matrices are the same memory

    def __call__(self, x: np.ndarray, out: np.ndarray) -> None:
        self._multiply(self._x(x), self._y(out))


class Multiplying:
    """Runs of a convolution as a product with its weights; ``plain(x, out, weights, bias)`` as that of `Binding`.

    `x`, `y`: images and results as matrices.
    """

    __slots__ = ("_matrix", "_product", "_x", "_y", "plain")

    def __init__(
        self, p: ConvProblem, product: Bind, x: Callable[[np.ndarray], np.ndarray],
        y: Callable[[np.ndarray], np.ndarray],
    ) -> None:  # fmt: skip
        self._product, self._x, self._y, self._matrix = product, x, y, (1, p.oc, p.depth)
        multiply: Callable[..., bool] | None = getattr(product, "plain", None)

        def plain(x: np.ndarray, out: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None) -> bool:
            assert multiply is not None
            return multiply(x, out, weights, None, bias)

        self.plain = None if multiply is None else plain

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        weights, bias = constants
        return Reshaped(self._product((weights.reshape(self._matrix), None, bias)), self._x, self._y)


class Delegated(Specialised[ConvProblem]):
    """A convolution that is another problem, too, which `inner`, a kernel of that problem, computes."""

    inner: Kernel[Any]

    def as_inner(self, problem: ConvProblem) -> Any:
        """The other problem."""
        raise NotImplementedError

    def features(self, problem: ConvProblem) -> Features:
        return self.inner.work(self.as_inner(problem))

    def workspace(self, problem: ConvProblem) -> int:
        return self.inner.workspace(self.as_inner(problem))

    def error(self, problem: ConvProblem) -> float:
        return self.inner.error(self.as_inner(problem))

    def bound(self, problem: ConvProblem) -> float:
        return self.inner.bound(self.as_inner(problem))

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        return self.inner.reach(self.as_inner(problem))


def pack_columns(isa: str, columns: np.ndarray) -> np.ndarray:
    """(n, k) with any strides -> panels (blocks, k, NR), zero after the last column; as bytes, on a cache line."""
    n, k = columns.shape
    nr = tile(isa, columns.itemsize)[1]
    packed = aligned_empty(ceil_div(n, nr) * k * nr * columns.itemsize)
    simd().pack_columns(table(isa, columns.dtype), columns, packed)
    return packed


def disjoint_rows(p: Windowed) -> bool:
    """Whether no two output rows read the same row."""
    return p.stride[1] > (p.kernel[1] - 1) * p.dilation[1]


@dataclass(frozen=True, slots=True)
class Band:
    """Shape of a band of input rows in scratch: `rows` output rows, `cols` output columns, split by stride phase.

    A row holds `phases` parts of `wq` elements; column j of the padded input is element j // sw of part j % sw.
    Kernel rows are `apart` rows of the band from each other, the dilation, and output rows `step`, the stride.  Where
    no two output rows read the same row, those that none reads may be left out.
    """

    rows: int
    cols: int
    rin: int
    wq: int
    row_len: int
    apart: int
    step: int

    @classmethod
    def of(cls, p: Windowed, rows: int, cols: int, leave_out: bool = False) -> Band:
        wq = ceil_div(span(cols, p.stride[2], p.kernel[2], p.dilation[2]), p.stride[2])
        left_out = leave_out and (rows == 1 or disjoint_rows(p))
        apart, step = (1, p.kernel[1]) if left_out else (p.dilation[1], p.stride[1])
        return cls(rows, cols, span(rows, step, p.kernel[1], apart), wq, p.stride[2] * wq, apart, step)

    def tap(self, p: Windowed, h: int, w: int) -> int:
        """Offset of kernel element (h, w) from the first pixel of a row."""
        col = w * p.dilation[2]
        return h * self.apart * self.row_len + col % p.stride[2] * self.wq + col // p.stride[2]

    def channel(self, p: Windowed) -> int:
        """Elements of one channel."""
        return self.rin * self.row_len


@keep_few()
def seconds(kernel: Kernel[Any], problem: Problem) -> float:
    """Predicted time on one thread; cached, because calls without a plan need it every time."""
    return kernel.cost(problem, host_table())

