"""OpenCV: filter2D, one call for each plane and filter, and its filters of images; images only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from fastconv.bench.peers.base import Contender, Unsupported, forward_only, plain, weights_of
from fastconv.bench.peers.images import Image, image_of, slopes
from fastconv.bench.work import Work
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.gemm import GemmProblem

BORDERS = {
    "zeros": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
}


@contextmanager
def limit(threads: int) -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    p = work.problem
    if isinstance(p, GemmProblem):
        return [_gemm(work, p)]
    if isinstance(p, FilterProblem):
        return [_image(work)]
    if not isinstance(p, ConvProblem) or p.direction != "forward":
        raise Unsupported("has filters of images only (filter2D)")
    return [_filter(work, p)]


def _filter(work: Work, p: ConvProblem) -> Contender:
    if work.rank == 3 or p.icg != 1:
        raise Unsupported("filters one channel at a time and sums none (filter2D)")
    if any(v != 1 for v in (*p.stride, *p.dilation)) or p.activation is not None:
        raise Unsupported("filter2D has no stride, dilation or activation")
    if p.mode not in BORDERS:
        raise Unsupported(f"filter2D has no padding mode {p.mode!r}")
    if p.dtype not in (np.float32, np.float64):
        raise Unsupported(f"filter2D of {p.dtype} into {p.out} is not built here")
    (_, h, w), (_, oh, ow), (_, kh, kw) = p.input, p.output, p.kernel
    (_, (top, _), (left, _)) = p.pads
    if oh > h or ow > w or top >= kh or left >= kw:
        raise Unsupported("filter2D gives results no larger than the image")
    planes = plain(work).reshape(p.n, p.ic, h, w)
    kernels = weights_of(work).reshape(p.oc, kh, kw)
    bias = [0.0] * p.oc if work.constants[1] is None else work.constants[1].tolist()
    border, anchor = BORDERS[p.mode], (left, top)
    jobs = [(planes[n, k // p.ocg], kernels[k], bias[k]) for n in range(p.n) for k in range(p.oc)]

    def run() -> list[Any]:
        return [cv2.filter2D(x, -1, k, anchor=anchor, delta=b, borderType=border) for x, k, b in jobs]

    def results(ys: list[Any]) -> tuple[np.ndarray, ...]:
        # The result has the size of the image, so that some of it is computed and not used.
        return (np.stack([y[:oh, :ow] for y in ys]).reshape(p.y_shape),)

    return Contender("opencv", run, results)


LARGEST_MEDIAN = 5  # of floats
EDGES = {
    "reflect": cv2.BORDER_REFLECT,
    "mirror": cv2.BORDER_REFLECT_101,
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
}
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
DEPTHS = {"uint8": cv2.CV_8U, "int16": cv2.CV_16S, "uint16": cv2.CV_16U, "float32": cv2.CV_32F, "float64": cv2.CV_64F}


def _image(work: Work) -> Contender:
    """Its filter that does what a function of scipy.ndimage does."""
    image = image_of(work)
    if image.mode not in EDGES:
        raise Unsupported(f"filters have no edges {image.mode!r}")
    x, edge, k = image.x, EDGES[image.mode], image.size
    depth = DEPTHS.get(image.out.name, cv2.CV_32F)  # of results that it cannot store, as 32-bit integers
    ones = np.ones((k, k), np.uint8)
    weights: Any = image.weights
    runs: dict[str, Callable[[], Any]] = {
        "correlate": lambda: cv2.filter2D(x, depth, weights, borderType=edge),
        "gaussian_filter": lambda: cv2.GaussianBlur(x, (k, k), image.sigma, borderType=edge),
        "uniform_filter": lambda: cv2.blur(x, (k, k), borderType=edge),
        "maximum_filter": lambda: cv2.dilate(x, ones, borderType=edge),
        "minimum_filter": lambda: cv2.erode(x, ones, borderType=edge),
        "grey_erosion": lambda: cv2.erode(x, ones, borderType=edge),
        "grey_dilation": lambda: cv2.dilate(x, ones, borderType=edge),
        "grey_opening": lambda: cv2.morphologyEx(x, cv2.MORPH_OPEN, ones, borderType=edge),
        "grey_closing": lambda: cv2.morphologyEx(x, cv2.MORPH_CLOSE, ones, borderType=edge),
        "binary_erosion": lambda: cv2.erode(
            x, CROSS, iterations=image.iterations, borderType=cv2.BORDER_CONSTANT, borderValue=0
        ),
        "binary_dilation": lambda: cv2.dilate(
            x, CROSS, iterations=image.iterations, borderType=cv2.BORDER_CONSTANT, borderValue=0
        ),
        "sobel": lambda: cv2.Sobel(x, depth, image.axis, 1 - image.axis, ksize=3, borderType=edge),
        "laplace": lambda: cv2.Laplacian(x, depth, ksize=1, borderType=edge),
        "median_filter": lambda: cv2.medianBlur(x, k),
    }  # fmt: skip
    if work.name.startswith("binary") and x.dtype != np.uint8:
        raise Unsupported("binary morphology is measured with bytes")
    if work.name == "gaussian_gradient_magnitude":
        runs[work.name] = _magnitude(image, edge)
    if work.name not in runs:
        raise Unsupported(f"has no {work.name}")
    if work.name == "median_filter" and image.mode != "nearest":
        raise Unsupported("medians repeat the edges (mode='nearest')")
    if work.name == "median_filter" and k > LARGEST_MEDIAN and x.dtype != np.uint8:
        raise Unsupported(f"medians of more than {LARGEST_MEDIAN}x{LARGEST_MEDIAN} are those of uint8")
    return Contender("opencv", runs[work.name], lambda y: (np.asarray(y).reshape(-1).astype(image.out),))


def _magnitude(image: Image, edge: int) -> Callable[[], Any]:
    even, odd = slopes(image)
    return lambda: cv2.magnitude(
        cv2.sepFilter2D(image.x, cv2.CV_32F, odd, even, borderType=edge),
        cv2.sepFilter2D(image.x, cv2.CV_32F, even, odd, borderType=edge),
    )


def _gemm(work: Work, p: GemmProblem) -> Contender:
    b, c, bias = work.constants
    if p.batch != 1 or b.shape[0] != 1 or bias is not None or p.activation is not None or p.dtype.kind != "f":
        raise Unsupported("cv2.gemm takes two real matrices and an addend")
    if p.dtype not in (np.float32, np.float64):
        raise Unsupported(f"cv2.gemm has no {p.dtype}")
    left, right = np.ascontiguousarray(work.canonical[0]), np.ascontiguousarray(b[0])
    addend: Any = None if c is None else np.ascontiguousarray(c[0])
    flags = cv2.GEMM_1_T * p.trans_a + cv2.GEMM_2_T * p.trans_b
    alpha, beta = p.alpha.real, p.beta.real if c is not None else 0.0
    return Contender("opencv", lambda: cv2.gemm(left, right, alpha, addend, beta, flags=flags), lambda y: (y[None],))
