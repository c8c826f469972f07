"""NumPy as one would write it by hand: matmul, and ufuncs where one expression does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.bench.peers.base import Contender, Unsupported, forward_only, reshaped, unlimited
from fastconv.bench.work import Work
from fastconv.core.problems.gemm import GemmProblem

limit = unlimited  # its ufuncs use one thread; those of BLAS are limited by the caller


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    if isinstance(work.problem, GemmProblem):
        run = _gemm(work, work.problem)
    elif work.name in _EXPRESSIONS:
        run = _expression(work, _EXPRESSIONS[work.name])
    else:
        raise Unsupported("has matrix products and elementwise functions only")
    return [Contender("numpy", run, reshaped(work))]


def _gemm(work: Work, p: GemmProblem) -> Callable[[], Any]:
    if p.activation is not None:
        raise Unsupported("has no activations")
    a, b, (c, bias) = work.canonical, work.constants[0], work.constants[1:]
    a, b = a.swapaxes(-1, -2) if p.trans_a else a, b.swapaxes(-1, -2) if p.trans_b else b
    if p.batch == 1 and b.shape[0] == 1:
        a, b, c = a[0], b[0], None if c is None else c[0]

    def run() -> Any:
        y = np.matmul(a, b)
        y = y if p.alpha == 1 else y * p.alpha
        y = y if c is None else y + p.beta * c
        return y if bias is None else y + bias

    return run


def _softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _expression(work: Work, function: Callable[..., Any]) -> Callable[[], Any]:
    args = work.args
    if work.kwargs.keys() - {"backend", "threads"}:
        raise Unsupported("is measured without further arguments here")
    return lambda: function(*args)


_EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softmax": _softmax,
}
