"""The contract that every kernel implements.

A kernel is one algorithm of one backend for one instruction set.  The object itself is light:
creating it, and calling `reject`, `features`, `workspace` and `error`, must not import Numba, SciPy or
a compiled module.  `prepare` does that.

Arrays that a run receives are checked already:

* conv, pool: x is an (N, C, D, H, W) view with the problem's dtype, native byte order, aligned.
  For layout NCHW each (D, H, W) block is C-contiguous and the strides of N and C are arbitrary;
  for NHWC the memory order is (N, D, H, W, C), C-contiguous.  `out` is a view of the same kind on fresh,
  uninitialised memory.
* Strides of axes of length 1 may be anything.
* gemm: see `GemmProblem`; strides are arbitrary multiples of the item size, also zero or negative.
* Weights, bias and other constants are C-contiguous in canonical shape; bias has dtype `acc`.
* Nothing that a run receives as input may be written.  `out` never overlaps an input.
"""

from __future__ import annotations

from collections.abc import Callable
from math import expm1, inf, nan
from typing import Any, Generic, TypeVar

import numpy as np

from fastconv.core.costs import Features, Table
from fastconv.core.problems.base import Problem, is_bfloat16, work_dtype

P = TypeVar("P", bound=Problem)

ERROR_GROWTH = 0.4


def summation_error(eps: float, terms: int) -> float:
    """Expected maximum error, relative to max|y|, of sums of `terms` products added one after the other.

    Rounding errors of a running sum add up like a random walk.  The constant covers normal, ReLU-like,
    all-positive (the worst: every partial sum is large) and badly scaled data from 9 to 2304 terms.
    """
    return eps * (1.0 + ERROR_GROWTH * terms**0.5)


def epsilon(dtype: np.dtype) -> float:
    """Distance from 1 to the next larger number: of `dtype`, bfloat16 included; 0 for integers."""
    if is_bfloat16(dtype):
        return 2.0**-7
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def rounding(dtype: np.dtype) -> float:
    """Error of one rounding to `dtype`, relative: all there is of results that are computed in a wider one."""
    return epsilon(dtype) / 2


def accumulator(problem: Problem) -> np.dtype:
    """The dtype in which a problem's sums are computed; `Kernel.bound` counts in its epsilon."""
    dtype = problem.results[0][1]
    acc: np.dtype = getattr(problem, "acc", work_dtype(dtype))
    return acc


LARGEST_EXPONENT = 700.0  # beyond that the bound says nothing, and exp overflows


def rounding_bound(problem: Problem, roundings: float, growth: float = 1.0) -> float:
    """`Kernel.bound` where each number is rounded `roundings` times and amplified by `growth`.

    A rounding changes a number by at most half an epsilon.  A result narrower than its sum is rounded once more, by
    half an epsilon of its own dtype, which for float16 are 4096 of float32.
    """
    acc, out = accumulator(problem), problem.results[0][1]
    eps = epsilon(acc)
    if eps == 0:
        return 0.0
    complex_products = 4 if acc.kind == "c" else 0  # one complex product is four products and two sums
    exponent = (roundings + complex_products) * eps / 2
    bound = growth * (expm1(exponent) if exponent < LARGEST_EXPONENT else inf) / eps
    return bound + (epsilon(out) / eps / 2 if epsilon(out) > eps else 0.0)


PANEL_BYTES, PANEL_RATIO = 1 << 30, 4


def wasteful_bytes(padded: int, weights: int) -> str | None:
    """Why weights are not packed into panels: both are large and the panels mostly padding; None where they may be."""
    if padded <= max(PANEL_BYTES, PANEL_RATIO * weights):
        return None
    return f"packed weights would take {padded >> 20} MiB, {padded // weights} times what they are"


Run = Callable[..., None]
"""``run(x, *outs)``: computes into `outs`; re-entrant, safe from several threads.

A run may have a method ``plain(x, out)`` for contiguous arrays of any shape whose elements are those of the canonical
arrays, in the same order.  Where that is so, and `out` is writable and does not overlap x, it runs and returns True;
else it does nothing and returns False.  ``plain_both(x, outs)`` is the same for two results.
"""

Bind = Callable[[tuple[Any, ...]], Run]
"""``bind(constants)``: a run with these constants."""


class Kernel(Generic[P]):
    """One algorithm of one backend, for one instruction set.

    Attributes
    ----------
    op : str
        The family of operations that a kernel from outside is registered for; fastconv's own are listed by family.
    backend : str
        ``cython``, ``numba``, ``numpy`` or ``reference``; a kernel from outside may bring a new one.
    algorithm : str
        ``direct``, ``pointwise``, ``depthwise``, ``im2col``, ``winograd``, ...
    relative : str
        What distinguishes it from other kernels of its algorithm, for its name: ``transposed``, ``weight``, ``4x4``.
    isa : str
        A key of `fastconv.core.machine.ISAS`, or ``""`` where the backend has only one.
    row : str
        Whose rates apply in a table of a machine, without the instruction set: kernels of one row have one speed.
    exact : bool
        Whether rounding is that of plain summation; ``tol=0`` admits only such kernels.
    activations : frozenset of str
        Activations that `prepare` can fuse; the plan computes any other in a separate pass.
    flushes : bool
        Whether its instructions take denormal numbers as zero: those that it reads, and its sums.
    note : str
        What a user should know about its results; `explain` prints it.
    revision : int
        Raised when the kernel's speed changes, so that measured choices are made again.
    """

    op: str = ""
    backend: str = ""
    algorithm: str = ""
    relative: str = ""
    isa: str = ""
    row: str = ""
    exact: bool = True
    activations: frozenset[str] = frozenset()
    flushes: bool = False
    note: str = ""
    revision: int = 1

    @property
    def order(self) -> str:
        """Its order of summation.  Kernels of one order give the same bits: any may compute any part of a batch."""
        return self.name

    @property
    def name(self) -> str:
        """``backend.algorithm[_relative][@isa]``: the only identity of a kernel."""
        relative = f"_{self.relative}" if self.relative else ""
        return f"{self.backend}.{self.algorithm}{relative}" + (f"@{self.isa}" if self.isa else "")

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def reject(self, problem: P) -> str | None:
        """Why this kernel cannot do `problem`, in a few words; None if it can."""
        raise NotImplementedError

    def features(self, problem: P) -> Features:
        """What one run on one thread does, in counts; packing included unless ``problem.packed``.

        Names are those of the kernel's row in tables of machines, where the seconds per count are.
        """
        raise NotImplementedError

    @property
    def rates(self) -> str:
        """The row with this kernel's rates in a table of a machine."""
        return f"{self.row}@{self.isa}" if self.isa else self.row

    def work(self, problem: P) -> Features:
        """`features`, with names that say whose rates apply: of several kernels they may be added."""
        return self.features(problem).of(self.rates)

    def cost(self, problem: P, table: Table) -> float:
        """Predicted seconds of one run on one thread.

        Kernels of fastconv state `features` and leave this as it is.  A kernel from outside, for which no table has a
        row, overrides it; or else it is measured where a problem is first met, and until then its cost is NaN.
        """
        return table.seconds(self.work(problem)) if self.states_cost else nan

    @property
    def states_cost(self) -> bool:
        """Whether `cost` predicts, by `features` or in a way of its own."""
        return type(self).features is not Kernel.features or type(self).cost is not Kernel.cost

    def workspace(self, problem: P) -> int:
        """Bytes of scratch of a run on one thread, in addition to inputs, outputs and packed weights; never too few.

        Temporary arrays and tables of indices count; copies of arrays that do not satisfy the contract do not.  It must
        not grow with the images beyond a few MiB: kernels work in bands.
        """
        raise NotImplementedError

    def total_workspace(self, problem: P, threads: int) -> int:
        """The same for a run on up to `threads` threads.  NumPy's kernels have no threads of their own."""
        return self.workspace(problem) * (1 if self.backend in ("numpy", "reference") else threads)

    def error(self, problem: P) -> float:
        """Expected largest error relative to max|y|, for independent data of zero mean.

        It compares algorithms, and `tol` is compared with it.  Where sums cancel, as they do for an edge detector on a
        bright image, max|y| is not the right scale, and every algorithm has a larger error: see `bound`.
        """
        raise NotImplementedError

    def bound(self, problem: P) -> float:
        """The largest possible error on any finite data, in epsilons of the dtype of sums (`accumulator`).

        An error is at most ``bound * (eps * S + the smallest positive number)``, where S is the sum of magnitudes
        ``|x| * |w|``, and ``|bias|``, over what the algorithm mixes: the window, where each x counts as the largest
        ``|x|`` of its channel within `reach`.  Where nothing is summed, S is the largest result.  Kernels that flush
        denormal numbers may also lose what these contribute to S, and the smallest normal number for each term.

        The default is that of sums whose terms are added one after the other, in any order.
        """
        terms = problem.terms
        if terms == 0:
            eps = epsilon(accumulator(problem))
            return self.error(problem) / eps if eps else 0.0
        return rounding_bound(problem, terms + 2)  # one rounding before the sum (a factor), one after it

    def reach(self, problem: P) -> tuple[int, int, int]:
        """How far along depth, height and width a value of the input affects the rounding errors of others.

        Zero for plain sums; Winograd's algorithm mixes the pixels of a tile.
        """
        return (0, 0, 0)

    def prepare(self, problem: P, constants: tuple[Any, ...], threads: int) -> Run:
        """Pack `constants` (weights, bias, ...; None where absent) and return the function that runs the problem."""
        raise NotImplementedError

    def specialise(self, problem: P, threads: int) -> Bind:
        """`prepare` for many sets of constants, for calls without a plan: the result takes constants and returns a run.

        A kernel for small problems overrides it, and computes only once what does not depend on the constants.
        """

        def bind(constants: tuple[Any, ...]) -> Run:
            return self.prepare(problem, constants, threads)

        return bind


class Specialised(Kernel[P]):
    """A kernel that overrides `specialise`, of which its `prepare` is one use."""

    def prepare(self, problem: P, constants: tuple[Any, ...], threads: int) -> Run:
        return self.specialise(problem, threads)(constants)
