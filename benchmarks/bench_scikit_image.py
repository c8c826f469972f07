"""scikit-image under `fastconv.interop.scipy.patch`, unchanged: times before and after.

    python benchmarks/bench_scikit_image.py [--side 1024] [--threads 1]

Results are compared; both take turns and the quickest runs count.  Needs ``pip install scikit-image``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import feature, filters, morphology, segmentation

import fastconv
from fastconv.interop.scipy import patch, report

ROUNDS = 3


def watershed(image: np.ndarray) -> np.ndarray:
    """Smoothed, its edges, the peaks of a distance, and what flows to each of them."""
    smooth = filters.gaussian(image, 2)
    inside = smooth > filters.threshold_otsu(smooth)
    distance = filters.gaussian(ndimage.distance_transform_edt(inside), 1)
    peaks = feature.peak_local_max(distance, min_distance=7, labels=inside.astype(int))
    markers = np.zeros(image.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(filters.sobel(smooth), markers, mask=inside)


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "gaussian, sigma 2": lambda image: filters.gaussian(image, 2),
    "sobel": filters.sobel,
    "median of a disk of 3": lambda image: filters.median(image, morphology.disk(3)),
    "median of 5x5": lambda image: filters.median(image, np.ones((5, 5))),
    "canny, sigma 2": lambda image: feature.canny(image, 2),
    "corner_harris": feature.corner_harris,
    "threshold_local, 35": lambda image: filters.threshold_local(image, 35),
    "watershed pipeline": watershed,
}


def scene(side: int) -> np.ndarray:
    """Bright blobs and noise, float64 from 0 to 1."""
    rng = np.random.default_rng(0)
    image = np.zeros((side, side))
    image[tuple(rng.integers(0, side, (2, side * side // 2000)))] = 1
    image = ndimage.gaussian_filter(image, 6)
    return np.clip(image / image.max() + rng.normal(0, 0.02, image.shape), 0, 1)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began = perf_counter()
    result = call()
    return perf_counter() - began, result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    image = scene(options.side)
    print(f"{'':24s}    SciPy  patched  ratio   (ms, {options.side}x{options.side}, threads: {options.threads})")
    with fastconv.options(threads=options.threads):
        for name, program in PROGRAMS.items():
            best = [float("inf")] * 2
            for _ in range(ROUNDS):
                seconds, theirs = timed(lambda program=program: program(image))
                best[0] = min(best[0], seconds)
                with patch():
                    seconds, ours = timed(lambda program=program: program(image))
                best[1] = min(best[1], seconds)
            found = report()
            if not np.allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, float(np.abs(theirs).max()))):
                print(f"{name}: other results", file=sys.stderr)
                return 1
            print(f"{name:24s} {best[0] * 1e3:8.1f} {best[1] * 1e3:8.1f} {best[0] / best[1]:6.1f}   "
                  f"{found.calls} calls served, {found.fallbacks} left to SciPy", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
