"""Gradients of cross_entropy and nll_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.loss import LossDirection, LossProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops import loss as forward
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, variant, wanted
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Gradient, Reduction


def _loss(
    name: str, dy: Any, input: Any, target: Any, weight: Any, ignore_index: Any, reduction: Reduction, smoothing: Any,
    need: Any, backend: str | None, threads: int | None,
) -> Any:  # fmt: skip
    options = resolve(backend, None, threads)
    x, t = as_array(input, "input"), as_array(target, "target")
    if need is None and t.dtype.kind in "iu":
        return _gradient(name, dy, x, t, weight, ignore_index, reduction, smoothing, options)
    p, dy, constants = _checked(name, dy, x, t, weight, ignore_index, reduction, smoothing)
    flags = wanted(need, ("input", "target") if p.probabilities else ("input",))
    for flag, array, of in zip(flags, (x, t), ("input", "target"), strict=False):
        if flag:
            check_differentiable(array.dtype, of)

    def one(direction: LossDirection, like: np.ndarray) -> Any:
        return as_dtype(submit(*_request(p, direction, dy, like, constants, options)), like.dtype)

    both = (lambda: one("backward", x), lambda: one("target", t))
    return gradients(flags, *both[: len(flags)])


def _checked(
    name: str, dy: Any, x: np.ndarray, t: np.ndarray, weight: Any, ignore_index: Any, reduction: Reduction,
    smoothing: Any,
) -> tuple[LossProblem, np.ndarray, tuple[Any, ...]]:
    """The problem of the loss, dy, and the constants of the gradients."""
    p, shape, labels, scale = forward.check_loss(
        name == "cross_entropy", x, t, weight, ignore_index, reduction, smoothing
    )
    return p, as_incoming(dy, shape, name), (clean(x, p.dtype).reshape(p.canonical), labels, scale)


def _request(
    p: LossProblem, direction: LossDirection, dy: np.ndarray, like: np.ndarray, constants: tuple[Any, ...],
    options: Options,
) -> Request:  # fmt: skip
    recipe = reshaped(variant(p, direction=direction), options, dy.shape, dy.dtype, p.loss_shape, like.shape)
    return recipe, dy, constants, None


@repeated
def _gradient(
    name: str, dy: Any, x: np.ndarray, target: np.ndarray, weight: Any, ignore_index: Any, reduction: Reduction,
    smoothing: Any, options: Options,
) -> Request:  # fmt: skip
    """Of the scores, for class indices."""
    check_differentiable(x.dtype, "input")
    p, dy, constants = _checked(name, dy, x, target, weight, ignore_index, reduction, smoothing)
    return _request(p, "backward", dy, x, constants, options)


def cross_entropy(
    dy: ArrayLike, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, ignore_index: int = -100,
    reduction: Reduction = "mean", label_smoothing: float = 0.0, *, need: tuple[bool, ...] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient | tuple[Gradient, ...]:  # fmt: skip
    """Gradients of `fastconv.cross_entropy`.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss, of its shape: a number unless ``reduction="none"``.
    input, target, weight, ignore_index, reduction, label_smoothing
        The arguments of the forward call; `weight` is a constant, as in torch.
    need : tuple of bool, optional
        Which gradients to compute: (input,) for class indices, (input, target) for class probabilities.
    backend, threads
        See `fastconv.options`.

    Returns
    -------
    dinput : ndarray
        Of the shape and dtype of `input`; zero for samples that are ignored.
    dtarget : ndarray
        Only if the target holds probabilities.

    Raises
    ------
    IndexError
        If a class index is out of range.
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.cross_entropy(1.0, np.zeros((2, 2)), [0, 1])
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    return _loss(
        "cross_entropy", dy, input, target, weight, ignore_index, reduction, label_smoothing, need, backend, threads
    )


def nll_loss(
    dy: ArrayLike, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, ignore_index: int = -100,
    reduction: Reduction = "mean", *, need: tuple[bool] | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.nll_loss`.

    Parameters and errors are as in `fastconv.grad.cross_entropy`.

    Returns
    -------
    ndarray
        Of the shape and dtype of `input`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.nll_loss(1.0, np.log([[0.5, 0.5], [0.25, 0.75]]), [0, 1]) + 0.0  # or zeros may be -0
    array([[-0.5,  0. ],
           [ 0. , -0.5]])
    """
    return _loss("nll_loss", dy, input, target, weight, ignore_index, reduction, 0.0, need, backend, threads)
