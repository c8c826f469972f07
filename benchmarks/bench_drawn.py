"""Calls drawn at random against torch: is any of them a cliff?

    python benchmarks/bench_drawn.py [--problems 500] [--first 0] [--threads 2] [--limit 5] [--seconds 0.05]
    python benchmarks/bench_drawn.py --case 123

Problems of 10^4 to 10^8 operations of the families that the fuzzer draws (`tests/fuzz`), ordinary values, as users call
them: nothing is planned.  fastconv and torch take turns; the ratio is that of their medians.  Images with channels last
are channels-last tensors for torch, padding that its convolutions lack is a call of `pad`, and a gradient is the way
back from a result that is there, of a maximum with the indices that were found.  What torch lacks is left out, and
counted; so is a gradient through a fused activation, which torch takes from what it has kept.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import numpy as np

import fastconv
from fastconv.bench.timing import interleave

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fuzz.arrays import Array
from tests.fuzz.cases import Case, arguments, with_shapes
from tests.fuzz.generate import Sizes, generate
from tests.fuzz.torch_call import TorchCall

EXTENTS = (1, 2, 3, 5, 7, 8, 13, 14, 16, 20, 28, 32, 33, 56, 64, 65, 100, 112, 128, 224, 256, 512)
CHANNELS = (1, 1, 2, 3, 3, 4, 8, 12, 16, 17, 32, 33, 48, 64, 64, 96, 128, 256)
AGAIN = 10  # times as long as usual is measured what seems to be above the limit, on machines that are busy otherwise
LEAST, MOST = 4.0, 8.0  # logarithms of the operations of a problem
CANNOT = (RuntimeError, TypeError, ValueError, NotImplementedError, LookupError, OverflowError)
FAMILIES = (
    "conv", "conv_transpose", "grad_conv", "pool", "grad_pool", "adaptive", "grad_adaptive", "gemm", "grad_gemm",
    "activation", "grad_activation", "softmax", "loss", "shape", "unpool",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One problem, timed."""

    number: int
    call: str
    dtype: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def __str__(self) -> str:
        return (f"{self.ratio:7.2f}  {self.ours * 1e6:10.1f} us {self.theirs * 1e6:10.1f} us  "
                f"python benchmarks/bench_drawn.py --case {self.number:<6d} # {self.call} {self.dtype}")  # fmt: skip


def drawn(number: int) -> Case:
    """The case of a number, with ordinary values in ordinary memory."""
    rng = np.random.default_rng(number)
    sizes = Sizes(EXTENTS, CHANNELS, 10 ** rng.uniform(LEAST, MOST))
    case = generate(number, FAMILIES[number % len(FAMILIES)], sizes)

    def plain(a: Any) -> Any:
        if not isinstance(a, Array):
            return a
        return replace(a, form="plain", values=a.values if ":" in a.values or a.values == "relu" else "normal")

    options = {k: plain(v) for k, v in case.options.items()}
    return replace(case, arrays=tuple(map(plain, case.arrays)), options=options, out=None)


def operations(case: Case) -> float:
    """Nominal operations of a call, by its problem; elements where it has none."""
    found: list[float] = []
    real = fastconv.dispatch.plan.choose

    def noted(problem: Any, options: Any) -> Any:
        found.append(problem.flops)
        return real(problem, options)

    fastconv.dispatch.plan.choose = noted
    try:
        args, kwargs = arguments(case)
        case.function(*args, **kwargs)
    finally:
        fastconv.dispatch.plan.choose = real
        fastconv.dispatch.plan.clear_cache()
    return max(found, default=0.0)


def known_maxima(case: Case, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Where the maxima were, for the gradient of a pooling; torch has kept it."""
    if not case.is_gradient or "max_pool" not in case.name or "global" in case.name:
        return {}
    options = {k: v for k, v in kwargs.items() if k not in ("need", "indices", "return_indices")}
    return {"indices": getattr(fastconv, case.name)(*args[1:], **options, return_indices=True)[1]}


def measure(number: int, threads: int, seconds: float) -> Measured | None:
    """Both times of a problem; None where torch cannot do it, or it is not of the size wanted."""
    case = drawn(number)
    if case.is_gradient and case.options.get("activation"):
        return None
    try:
        case = with_shapes(case)
        size = operations(case)
        args, kwargs = arguments(case)
    except CANNOT:
        return None  # arguments without an output
    if not 10**LEAST <= size <= 10**MOST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch pads a copy for even kernels, and says so
        try:
            call = TorchCall(case, args, kwargs)
            theirs = call.prepare()
            shapes = [a.shape for a in call.arrays(theirs())]
        except CANNOT:
            return None
        with fastconv.options(threads=threads), np.errstate(all="ignore"):
            function = case.function
            kwargs |= known_maxima(case, args, kwargs)
            results = function(*args, **kwargs)
            found = [r.shape for r in (results if isinstance(results, tuple) else (results,)) if r is not None]
            if found != shapes:
                raise AssertionError(f"case {number}: {found}, torch {shapes}: {case}")
            one, two = interleave([lambda: function(*args, **kwargs), theirs], seconds, threads)
    return Measured(number, case.call, case.arrays[0].dtype, one.median, two.median)  # type: ignore[union-attr]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--problems", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first problem")
    parser.add_argument("--case", type=int, help="this problem alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=5.0, help="times torch's time that are a cliff")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each of the two, on each problem")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    if options.case is not None:
        case = with_shapes(drawn(options.case))
        print(case)
        found = measure(options.case, options.threads, max(options.seconds, 0.5))
        print(found or "torch cannot do this, or it is not of the size wanted")
        args, kwargs = arguments(case)
        print(_explained(case, args, kwargs))
        return 0
    rows: list[Measured] = []
    number, left_out = options.first, 0
    while len(rows) < options.problems:
        row = measure(number, options.threads, options.seconds)
        if row is not None and row.ratio > options.limit:
            row = measure(number, options.threads, AGAIN * options.seconds)
        left_out += row is None
        rows += [] if row is None else [row]
        number += 1
        if sys.stderr.isatty():
            print(f"\r\033[K{len(rows)} of {options.problems}", end="", file=sys.stderr, flush=True)
    ratios = [r.ratio for r in rows]
    above = [r for r in rows if r.ratio > options.limit]
    print("\r\033[K" if sys.stderr.isatty() else "", end="", file=sys.stderr)
    print(f"{len(rows)} problems ({left_out} more were of another size, or beyond torch), {options.threads} threads: "
          f"our time over torch's is {median(ratios):.2f} (median), {geometric_mean(ratios):.2f} (mean), "
          f"{max(ratios):.1f} (worst); above {options.limit:g}: {len(above)} "
          f"({100 * len(above) / len(rows):.1f} %)")  # fmt: skip
    print("\n".join(map(str, sorted(rows, key=lambda r: -r.ratio)[:20])))
    return 1 if above else 0


def _explained(case: Case, args: Any, kwargs: dict[str, Any]) -> str:
    """What fastconv chooses and why, where the call can be planned."""
    try:
        return str(fastconv.plan(case.function, *args, **kwargs).explain())
    except CANNOT as e:
        return f"{type(e).__name__}: {e}"


if __name__ == "__main__":
    sys.exit(main())
