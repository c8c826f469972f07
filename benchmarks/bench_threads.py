"""How many times as fast as one thread several are, layer by layer.

    python benchmarks/bench_threads.py [--threads 2] [--suite layers odd_layers] [--least 0.1] [--cases 3x3]

Planned convolutions of the kernel that fastconv chooses, weights packed beforehand, results compared bit by bit.  One
and several threads take turns; the ratio is that of their medians, next to it that of their quicker quartiles.
"""

from __future__ import annotations

import argparse
import sys
from statistics import geometric_mean, median

import numpy as np

import fastconv
from fastconv.bench.suites import SUITES
from fastconv.bench.timing import interleave

SECONDS = 1.0  # for each of the two
ROUNDS = 25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--suite", nargs="+", default=["layers", "odd_layers", "more_layers"])
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose names contain one of these")
    parser.add_argument("--least", type=float, default=0.1, help="GFLOP of the smallest layer")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    ratios = []
    for case in (c for suite in options.suite for c in SUITES[suite].cases):
        if case.operation != "conv2d" or not any(text in case.name for text in options.cases):
            continue
        x, w = (rng.standard_normal(shape).astype(np.float32) for shape in case.shapes)
        plans = []
        for threads in (1, options.threads):
            with fastconv.options(threads=threads):
                plans.append(fastconv.plan(fastconv.conv2d, x, w, *case.args, **case.kwargs))
        if plans[0].problem.flops < options.least * 1e9:
            continue
        results = [plan(x) for plan in plans]
        if results[0].tobytes() != results[1].tobytes():
            print(f"{case.name}: other bits on {options.threads} threads", file=sys.stderr)
            return 1
        runs = [lambda plan=plan, x=x, out=results[0]: plan(x, out=out) for plan in plans]
        one, several = interleave(runs, SECONDS, options.threads, ROUNDS)
        ratios.append(one.median / several.median)
        print(f"{case.name:34s} {plans[0].kernel:38s} {one.median * 1e6:9.1f} us {several.median * 1e6:9.1f} us  "
              f"{ratios[-1]:.2f}  (quicker quartiles: {one.low / several.low:.2f})", flush=True)  # fmt: skip
    if ratios:
        print(f"{options.threads} threads against one, {len(ratios)} layers of {options.least:g} GFLOP and more: "
              f"median {median(ratios):.2f}, mean {geometric_mean(ratios):.2f}, lowest {min(ratios):.2f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
