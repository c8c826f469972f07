"""What share of the multiply-add units' peak direct convolution reaches, layer by layer.

    python benchmarks/bench_direct_peak.py [--isa avx2] [--kernel direct] [--suite layers] [--least 0.2] [--cases 3x3]

One thread, weights packed beforehand. The peak is that of multiply-adds on registers alone with the same instruction
set, measured before and after each layer. Results are compared with those of the NumPy backend first; the time is the
median of samples of one second. Layers with one input channel per group are left out: they are depthwise's.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np

import fastconv
from fastconv.backends.cython.runtime import native
from fastconv.bench.suites import SUITES
from fastconv.bench.timing import interleave
from fastconv.core import machine

PEAK_SECONDS = 0.02
CLOSE = 1e-4  # of the largest value: a wrong tap or pixel is far beyond it


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--isa", choices=machine.host_isas(), default="avx2")
    parser.add_argument("--kernel", default="direct", help="algorithm, without backend and instruction set")
    parser.add_argument("--suite", nargs="+", default=["layers"])
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose names contain one of these")
    parser.add_argument("--least", type=float, default=0.2, help="GFLOP of the smallest layer")
    options = parser.parse_args()
    reason = native.unavailable(options.isa)
    if reason is not None:
        print(f"{options.isa}: {reason}", file=sys.stderr)
        return 1
    table, name = native.table(options.isa, np.dtype(np.float32)), f"cython.{options.kernel}@{options.isa}"
    rng = np.random.default_rng(0)
    shares = []
    print(f"{name}, one thread")
    for case in (c for suite in options.suite for c in SUITES[suite].cases):
        if case.operation != "conv2d" or not any(text in case.name for text in options.cases):
            continue
        x, w = (rng.standard_normal(shape).astype(np.float32) for shape in case.shapes)
        with fastconv.options(threads=1):
            chosen = fastconv.plan(fastconv.conv2d, x, w, *case.args, **case.kwargs)
        problem = chosen.problem
        if problem.flops < options.least * 1e9 or problem.icg < 2:
            continue
        plan = chosen.with_kernel(name)
        out, expected = plan(x), fastconv.conv2d(x, w, *case.args, backend="numpy", **case.kwargs)
        error = float(np.abs(out - expected).max() / np.abs(expected).max())
        if not error <= CLOSE:
            print(f"{case.name}: wrong by {error:.1e} of the largest value", file=sys.stderr)
            return 1
        before = native.simd().peak(table, PEAK_SECONDS)
        (times,) = interleave([lambda plan=plan, x=x, out=out: plan(x, out=out)], 1.0, rounds=100)
        peak = (before + native.simd().peak(table, PEAK_SECONDS)) / 2
        rate, quick = problem.flops / times.median, problem.flops / times.low
        shares.append(rate / peak)
        print(f"{case.name:34s} {rate / 1e9:7.1f} GFLOP/s of {peak / 1e9:6.1f}  {shares[-1]:6.1%}"
              f"  (a quarter of the samples: {quick / peak:.1%} and above)", flush=True)  # fmt: skip
    if shares:
        mean = math.exp(sum(map(math.log, shares)) / len(shares))
        print(f"{len(shares)} layers of {options.least:g} GFLOP and more: {mean:.1%} of the peak on average, "
              f"lowest {min(shares):.1%}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
