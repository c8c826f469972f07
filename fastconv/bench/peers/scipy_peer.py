"""SciPy: signal.correlate, one call for each image and filter; BLAS for matrices; ndimage for filters."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from scipy import ndimage, signal
from scipy.linalg import blas

from fastconv.bench.peers.base import Contender, Unsupported, forward_only, plain, unlimited, weights_of
from fastconv.bench.work import Work
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.gemm import GemmProblem

PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap",
             "symmetric": "symmetric"}  # fmt: skip
FLOPS_PER_SECOND = 3e8  # the approximate rate of its loops
SECONDS = 0.5  # per run: longer ones are left out
RANKED = 3e-8  # seconds that it takes for an element of a window, about, to find a rank
LONGEST = 3.0  # seconds of a filter

limit = unlimited  # its loops use one thread; those of BLAS are limited by the caller


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    p = work.problem
    if isinstance(p, GemmProblem):
        return [_gemm(work, p)]
    if isinstance(p, FilterProblem):
        return [_filter(work, p)]
    if not isinstance(p, ConvProblem) or p.direction != "forward":
        raise Unsupported("has correlation and matrix products only")
    if p.activation is not None:
        raise Unsupported("has no activations")
    if p.dtype.char not in "fdFD":
        raise Unsupported(f"is measured with single and double precision only, not {p.dtype}")
    if p.flops / FLOPS_PER_SECOND > SECONDS:
        raise Unsupported(f"left out: it would take about {p.flops / FLOPS_PER_SECOND:.1f} s a run")
    return [_correlate(work, p)]


def _filter(work: Work, p: FilterProblem) -> Contender:
    if work.name in ("median_filter", "percentile_filter", "rank_filter") and p.shape[1:]:
        size: Any = work.kwargs.get("size", work.args[-1])
        seconds = p.size * RANKED * (prod(size) if np.ndim(size) else int(size) ** len(p.shape))
        if seconds > LONGEST:
            raise Unsupported(f"left out: it would take about {seconds:.0f} s a run")
    function = getattr(ndimage, work.name)
    own = ("backend", "threads", "tol", "max_workspace")
    args, kwargs = work.args, {k: v for k, v in work.kwargs.items() if k not in own}
    return Contender("scipy", lambda: function(*args, **kwargs), lambda y: (y.reshape(-1),))


def _correlate(work: Work, p: ConvProblem) -> Contender:
    x, w = plain(work), weights_of(work)
    spatial = slice(5 - work.rank, None)
    pads = ((0, 0), *p.pads[3 - work.rank :])
    dilation, stride = p.dilation[3 - work.rank :], p.stride[3 - work.rank :]
    sparse = np.zeros((*w.shape[:2], *(d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True))), w.dtype)
    sparse[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = w
    take = (0, *(slice(None, None, s) for s in stride))
    bias = work.constants[1]
    shape = (p.n, p.oc, *p.y_shape[spatial])
    mode = PAD_MODES[p.mode]

    def run() -> np.ndarray:
        y = np.empty(shape, p.out)
        for n in range(p.n):
            padded = np.pad(x[n], pads, mode=mode)  # type: ignore[call-overload]
            for k in range(p.oc):
                g = k // p.ocg
                y[n, k] = signal.correlate(padded[g * p.icg : (g + 1) * p.icg], sparse[k], mode="valid")[take]
        if bias is not None:
            y += bias.reshape(-1, *(1,) * work.rank)
        return y

    return Contender("scipy", run, lambda y: (y.reshape(p.y_shape),))


def _gemm(work: Work, p: GemmProblem) -> Contender:
    b, c, bias = work.constants
    if p.dtype.char not in "fdFD":
        raise Unsupported(f"BLAS has no {p.dtype}")
    if p.batch != 1 or b.shape[0] != 1 or c is not None or bias is not None or p.activation is not None:
        raise Unsupported("BLAS takes two matrices")
    gemm = getattr(blas, {"f": "sgemm", "d": "dgemm", "F": "cgemm", "D": "zgemm"}[p.dtype.char])
    left, right = np.ascontiguousarray(work.canonical[0]), np.ascontiguousarray(b[0])
    # BLAS stores matrices by columns: the product of the transposed matrices in reverse order needs no copies.
    return Contender(
        "scipy",
        lambda: gemm(p.alpha, right.T, left.T, trans_a=p.trans_b, trans_b=p.trans_a).T,
        lambda y: (np.ascontiguousarray(y)[None],),
    )
