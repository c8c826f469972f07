"""Classification losses: cross_entropy and nll_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.base import as_int, as_name, as_number
from fastconv.core.problems.loss import LossProblem, check_target, loss_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Reduction


def check_loss(
    logits: bool, x: np.ndarray, t: np.ndarray, weight: Any, ignore_index: Any, reduction: Reduction, smoothing: Any
) -> tuple[LossProblem, tuple[int, ...], np.ndarray, np.ndarray | None]:
    """Check the arguments of a loss: its problem, the result's shape, and target and weight as kernels take them."""
    w = None if weight is None else as_array(weight, "weight")
    ignored = as_int(ignore_index, "ignore_index")
    if not -(2**63) <= ignored < 2**63:
        raise ValueError(f"ignore_index must fit 64 bits, got {ignored}")
    p, shape = loss_problem(
        logits, (x.shape, x.dtype), (t.shape, t.dtype), None if w is None else (w.shape, w.dtype),
        ignored, as_name(reduction, "reduction"), as_number(smoothing, "label_smoothing"),
    )  # fmt: skip
    wanted = clean(t, t.dtype if p.probabilities else np.dtype(np.int64))
    wanted = wanted.reshape(p.canonical if p.probabilities else (p.n, p.inner))
    if not p.probabilities:
        check_target(wanted, p.c, p.ignore_index)
    return p, shape, wanted, None if w is None else clean(w, w.dtype)


@repeated
def _loss(
    logits: bool, x: Any, target: Any, weight: Any, ignore_index: Any, reduction: Reduction, smoothing: Any, out: Any,
    options: Options,
) -> Request:  # fmt: skip
    x, t = as_array(x, "input"), as_array(target, "target")
    p, shape, wanted, scale = check_loss(logits, x, t, weight, ignore_index, reduction, smoothing)
    return reshaped(p, options, x.shape, x.dtype, p.canonical, shape), x, (wanted, scale), out


def cross_entropy(
    input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, ignore_index: int = -100,
    reduction: Reduction = "mean", label_smoothing: float = 0.0, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Cross-entropy between scores and a target, as `torch.nn.functional.cross_entropy`.

    Parameters
    ----------
    input : array_like, shape (C,), (N, C) or (N, C, d1, ...)
        Scores before softmax, floating point, of any size: nothing overflows.
    target : array_like
        Class indices, integers of shape (), (N,) or (N, d1, ...); or class probabilities, floats of the shape of
        `input`.
    weight : array_like, shape (C,), optional
        Weight of each class.
    ignore_index : int
        Samples with this class index are ignored.
    reduction : {"mean", "none", "sum"}
        A mean divides by the weights of the samples that are not ignored; NaN if there are none.
    label_smoothing : float
        Part of the target, 0 to 1, that is spread over all classes.
    out : ndarray, optional
        Array for the result.
    backend, threads
        See `fastconv.options`.

    Returns
    -------
    ndarray, shape () or that of the class indices

    Raises
    ------
    IndexError
        If a class index is out of range.
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.cross_entropy(np.log([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6]]), [0, 1, 0]).round(2)
    np.float64(0.38)
    """
    options = resolve(backend, None, threads)
    return _loss(True, input, target, weight, ignore_index, reduction, label_smoothing, out, options)


def nll_loss(
    input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, ignore_index: int = -100,
    reduction: Reduction = "mean", *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Negative log-likelihood of class indices, as `torch.nn.functional.nll_loss`.

    What is not described here is as in `cross_entropy`.

    Parameters
    ----------
    input : array_like, shape (C,), (N, C) or (N, C, d1, ...)
        Logarithms of probabilities.
    target : array_like of int, shape (), (N,) or (N, d1, ...)

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.nll_loss(np.log([[0.5, 0.5], [0.25, 0.75]]), [0, 1], reduction="none").round(4)
    array([0.6931, 0.2877])
    """
    return _loss(False, input, target, weight, ignore_index, reduction, 0.0, out, resolve(backend, None, threads))
