"""SciPy's filters under `fastconv.interop.scipy.patch` against SciPy's own, on problems that are drawn from a grid.

    python benchmarks/bench_patched.py [--count 600] [--seed 0] [--filters gaussian median] [--shapes 64x64]

Every replaced function, four shapes and dtypes, windows of 3 to 21, three modes.  Results are compared; both take turns
and the quickest runs count.  Windows of more taps times elements than `--most` are not drawn: SciPy's take minutes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from statistics import geometric_mean
from time import perf_counter
from typing import Any

import numpy as np
from scipy import ndimage

import fastconv
from fastconv.interop.scipy import patch, report

SHAPES = ((64, 64), (512, 512), (2048, 2048), (64, 64, 64))
DTYPES = ("uint8", "uint16", "float32", "float64")
SIZES = (3, 5, 9, 21)
MODES = ("reflect", "constant", "nearest")
ROUNDS = 5
DISTINCT = 1 << 17  # elements of all images of a problem, at least
SECONDS = 0.02  # of the runs of one round, but at least one
LONG = 0.5  # seconds of a call that is made once: of shorter ones, a single run says little on a busy machine


def ball(size: int, ndim: int) -> np.ndarray:
    """A footprint that is no box."""
    at = np.linspace(-1, 1, size)
    return sum(axis**2 for axis in np.meshgrid(*[at] * ndim)) <= 1.1


# (call of (array, size, mode), whether every element of a window costs SciPy time)
FILTERS: dict[str, tuple[Callable[[Any, int, str], np.ndarray], bool]] = {
    "correlate1d": (lambda x, n, mode: ndimage.correlate1d(x, np.arange(1.0, n + 1), 0, mode=mode), False),
    "gaussian": (lambda x, n, mode: ndimage.gaussian_filter(x, n / 6, mode=mode, radius=n // 2), False),
    "sobel": (lambda x, n, mode: ndimage.sobel(x, mode=mode), False),
    "uniform": (lambda x, n, mode: ndimage.uniform_filter(x, n, mode=mode), False),
    "maximum": (lambda x, n, mode: ndimage.maximum_filter(x, n, mode=mode), False),
    "correlate": (lambda x, n, mode: ndimage.correlate(x, np.ones((n,) * x.ndim) / n**x.ndim, mode=mode), True),
    "footprint": (lambda x, n, mode: ndimage.minimum_filter(x, footprint=ball(n, x.ndim), mode=mode), True),
    "erosion": (lambda x, n, mode: ndimage.grey_erosion(x, structure=np.ones((n,) * x.ndim), mode=mode), True),
    "median": (lambda x, n, mode: ndimage.median_filter(x, n, mode=mode), True),
    "line": (lambda x, n, mode: ndimage.percentile_filter(x.ravel(), 30, n, mode=mode), False),
}


def timed(call: Callable[[], Any], runs: int) -> float:
    began = perf_counter()
    for _ in range(runs):
        call()
    return (perf_counter() - began) / runs


def differ(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.dtype.kind != "f":
        return not np.array_equal(ours, theirs)
    eps = 2e-6 if ours.dtype == np.float32 else 1e-12
    return bool(np.abs(ours - theirs).max() > eps * max(1.0, np.abs(theirs).max()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=600, help="problems")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=float, default=4e7, help="taps times elements of the largest problem")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--filters", nargs="+", choices=FILTERS, default=list(FILTERS))
    parser.add_argument("--shapes", nargs="+", default=["x".join(map(str, shape)) for shape in SHAPES])
    options = parser.parse_args()
    shapes = [shape for shape in SHAPES if "x".join(map(str, shape)) in options.shapes]
    grid = [
        (name, shape, *rest)
        for name, shape, *rest in itertools.product(options.filters, shapes, DTYPES, SIZES, MODES)
        if not FILTERS[name][1] or rest[1] ** len(shape) * np.prod(shape) <= options.most
    ]
    drawn = random.Random(options.seed).sample(grid, min(options.count, len(grid)))
    ratios: dict[str, list[float]] = defaultdict(list)
    lowest: list[tuple[float, str]] = []
    fallbacks = 0
    with fastconv.options(threads=options.threads):
        for name, shape, dtype, size, mode in drawn:
            # Of small images many: processors learn the branches that a few thousand elements take.
            images = [
                (np.random.default_rng(i).random(shape) * 200).astype(dtype)
                for i in range(max(1, DISTINCT // int(np.prod(shape))))
            ]
            turns = itertools.cycle(images)

            def call(function: Any = FILTERS[name][0], x: Any = None, size: int = size, mode: str = mode,
                     turns: Any = turns) -> np.ndarray:  # fmt: skip
                return function(next(turns) if x is None else x, size, mode)

            title = f"{name} {'x'.join(map(str, shape))} {dtype} {size} {mode}"
            best = [float("inf")] * 2
            theirs = call(x=images[0])
            seconds = timed(call, 1)
            runs = max(1, int(SECONDS / seconds))
            for _ in range(ROUNDS if seconds < LONG else 1):
                best[0] = min(best[0], timed(call, runs))
                with patch():
                    ours = call(x=images[0])
                    fallbacks += report().fallbacks
                    best[1] = min(best[1], timed(call, max(1, runs)))
            if differ(ours, theirs):
                print(f"{title}: other results", file=sys.stderr)
                return 1
            ratio = best[0] / best[1]
            for key in (name, "x".join(map(str, shape)), "all"):
                ratios[key].append(ratio)
            lowest.append((ratio, f"{title}: {best[0] * 1e6:.1f} us, {best[1] * 1e6:.1f} us"))
    print(f"{'':14s} problems  mean  least  largest   (SciPy's time / patched time, threads: {options.threads})")
    for key, found in ratios.items():
        print(f"{key:14s} {len(found):8d} {geometric_mean(found):5.1f} {min(found):6.2f} {max(found):8.0f}")
    print("least: " + "\n       ".join(f"{ratio:.2f} {title}" for ratio, title in sorted(lowest)[:8]))
    print(f"below 0.9: {sum(r < 0.9 for r in ratios['all'])}; calls left to SciPy: {fallbacks}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
