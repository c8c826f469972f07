"""OpenCV: filter2D, one call for each plane and filter; images only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from fastconv.bench.peers.base import Contender, Unsupported, forward_only, plain, weights_of
from fastconv.bench.work import Work
from fastconv.core.problems.conv import ConvProblem
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
