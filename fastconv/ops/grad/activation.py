"""Gradients of activations, softmax, log_softmax and softmin."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.arrays import as_array, clean, dtype_called
from fastconv.core.errors import UnsupportedError
from fastconv.core.problems.activation import DEFAULTS, ElementwiseProblem, check_range
from fastconv.core.problems.base import as_int, as_number, promote
from fastconv.core.problems.softmax import SoftmaxKind, softmax_backward_problem
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.options import options as surroundings
from fastconv.dispatch.plan import Recipe, is_planning, remember, submit
from fastconv.ops import activation as forward
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, sum_to, wanted
from fastconv.ops.grad.signatures import Elu, Gelu, Hardtanh, Inplace, LeakyRelu, Plain, Shrink, Softplus, Threshold
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Execution, Gradient


def _elementwise(
    function: str, params: tuple[float, ...], dy: np.ndarray, arrays: tuple[Any, ...], backend: str | None,
    threads: int | None,
) -> Any:  # fmt: skip
    """Run one backward function on `dy` and `arrays`, which broadcast to its shape."""
    dtype = promote(*(a.dtype for a in arrays if a.dtype.kind == "f"))
    full = (a if a.shape == dy.shape else np.broadcast_to(a, dy.shape) for a in arrays)
    constants = tuple(clean(a, dtype if a.dtype.kind == "f" else a.dtype).reshape(-1) for a in full)
    recipe = _recipe(function, params, dy.shape, dy.dtype, dtype, resolve(backend, None, threads))
    return submit(recipe, dy, constants)


@remember
def _recipe(
    function: str, params: tuple[float, ...], shape: tuple[int, ...], incoming: np.dtype, dtype: np.dtype,
    options: Options,
) -> Recipe:
    problem = ElementwiseProblem(function, params, prod(shape), dtype, dtype, "backward")
    return reshaped(problem, options, shape, incoming, (problem.size,), shape)


def through(activation: str, dy: np.ndarray, before: np.ndarray, options: Execution) -> np.ndarray:
    """Gradient of the input of a fused activation, from that of its result and the values of the input, `before`.

    Of `options`, only those that activations have are used: `backend` and `threads`.
    """
    if is_planning():
        raise UnsupportedError(
            f"a gradient through activation {activation!r} is two kernels and cannot be planned: plan it without the "
            f"activation, and apply fastconv.grad.{activation} to dy"
        )
    # As in the forward call, a backend without activations leaves them to others; `algorithm` is one of the products.
    backend = resolve(backend=options["backend"]).backend
    if backend not in {kernel.backend for kernel in all_kernels("elementwise_backward")}:
        backend = "auto"
    with surroundings(algorithm="auto"):
        return _elementwise(activation, DEFAULTS.get(activation, ()), dy, (before,), backend, options["threads"])


def _unary(function: Callable[..., Any]) -> Any:
    """The gradient of an activation of one array, with the parameters of the activation itself."""
    name = function.__name__
    own = [p for p in inspect.signature(function).parameters.values() if p.name != "out"]
    here = [inspect.Parameter("dy", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="ArrayLike")]
    positional = [p for p in own if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    options = [inspect.Parameter("need", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="tuple[bool] | None")]
    options += [p for p in own if p.kind is inspect.Parameter.KEYWORD_ONLY]
    signature = inspect.Signature([*here, *positional, *options], return_annotation="Gradient")
    rest = positional[1:]  # the numbers, and `inplace` where there is one
    defaults = tuple(p.default for p in rest)
    required = defaults.count(inspect.Parameter.empty)
    numbers = [p.name for p in rest if p.name != "inplace"]

    def gradient(
        dy: ArrayLike, input: ArrayLike, *given: Any, need: tuple[bool] | None = None, backend: Backend | None = None,
        threads: int | None = None, **named: Any,
    ) -> Gradient:  # fmt: skip
        if named or not required <= len(given) <= len(rest):  # bind takes longer than a small gradient
            bound = signature.bind(dy, input, *given, **named)
            bound.apply_defaults()
            given = tuple(bound.arguments[p.name] for p in rest)
        given += defaults[len(given) :]
        if len(rest) > len(numbers):
            forward.refuse_inplace(given[-1])
        x = as_array(input, "input")
        check_differentiable(x.dtype, "input")
        params = tuple(map(_PARAMETERS.get(name, as_number), given, numbers))
        if name == "hardtanh":
            check_range(*params)
        dy = as_incoming(dy, x.shape, name)
        return gradients(wanted(need, ("input",)), lambda: _elementwise(name, params, dy, (x,), backend, threads))

    gradient.__name__ = gradient.__qualname__ = name
    gradient.__signature__ = signature  # type: ignore[attr-defined]
    forwarded = ", ".join(p.name for p in positional if p.name != "input")
    given_on = f"\n    {forwarded}\n        As in the forward call." if forwarded else ""
    gradient.__doc__ = f"""Gradient of `fastconv.{name}`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of the shape of `input`; float32 or float64.
    input : array_like
        Float32 or float64.{given_on}
    need : tuple of 1 bool, optional
        See `fastconv.grad`.
    backend, threads
        See `fastconv.options`.

    Returns
    -------
    ndarray
        dx, of the shape and dtype of `input`; at kinks the same as in torch.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.{name}(np.ones(3), np.array([-2.0, 0.5, 9.0]){", 1.0" * required}).shape
    (3,)
    """
    return gradient


_PARAMETERS: dict[str, Callable[[Any, str], float]] = {"gelu": forward.as_approximate}

relu: Inplace = _unary(forward.relu)
relu6: Inplace = _unary(forward.relu6)
leaky_relu: LeakyRelu = _unary(forward.leaky_relu)
elu: Elu = _unary(forward.elu)
selu: Inplace = _unary(forward.selu)
celu: Elu = _unary(forward.celu)
gelu: Gelu = _unary(forward.gelu)
silu: Inplace = _unary(forward.silu)
mish: Inplace = _unary(forward.mish)
sigmoid: Plain = _unary(forward.sigmoid)
logsigmoid: Plain = _unary(forward.logsigmoid)
tanh: Plain = _unary(forward.tanh)
softplus: Softplus = _unary(forward.softplus)
softsign: Plain = _unary(forward.softsign)
hardtanh: Hardtanh = _unary(forward.hardtanh)
hardswish: Inplace = _unary(forward.hardswish)
hardsigmoid: Inplace = _unary(forward.hardsigmoid)
hardshrink: Shrink = _unary(forward.hardshrink)
softshrink: Shrink = _unary(forward.softshrink)
tanhshrink: Plain = _unary(forward.tanhshrink)
threshold: Threshold = _unary(forward.threshold)


def clamp(
    dy: ArrayLike, input: ArrayLike, min: ArrayLike | None = None, max: ArrayLike | None = None, *,
    need: tuple[bool, ...] | None = None, backend: Backend | None = None, threads: int | None = None,
) -> Gradient | tuple[Gradient, ...]:  # fmt: skip
    """Gradients of `fastconv.clamp`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of its shape; float32 or float64.
    min, max
        The arguments of the forward call.
    need : tuple of bool, optional
        Which gradients to compute, for x and those bounds that are arrays.

    Returns
    -------
    dx : ndarray
        dy where ``min <= x <= max``, else 0.
    dmin, dmax : ndarray
        One for each bound that is an array.  Where min is larger, all of dy goes to max, as in torch.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.clamp([1.0, 1.0, 1.0], [-2.0, 0.5, 3.0], 0, 1)
    array([0., 1., 0.])
    """
    x = as_array(input, "input")
    low, high, shape, _ = forward.clamp_bounds(x, min, max)
    given = [("input", x, "clamp")]
    given += [
        (name, bound, f"clamp_{name}")
        for name, bound, value in (("min", low, min), ("max", high, max))
        if bound is not None and not forward.is_number(value)
    ]
    flags = wanted(need, [name for name, _, _ in given])
    for flag, (name, array, _) in zip(flags, given, strict=True):
        if flag:
            check_differentiable(array.dtype, name)
    dy = as_incoming(dy, shape, "clamp")
    if forward.are_plain(min, max) and x.dtype.kind == "f":
        params = forward.clamp_params(low, high, x.dtype)
        return gradients(flags, lambda: _elementwise("clamp", params, dy, (x,), backend, threads))
    arrays = (
        x.astype(dy.dtype) if x.dtype.kind != "f" else x,
        np.array(-np.inf, dy.dtype) if low is None else clean(low, dy.dtype),
        np.array(np.inf, dy.dtype) if high is None else clean(high, dy.dtype),
    )

    def one(function: str, array: np.ndarray, name: str) -> Any:
        y = _elementwise(function, (), dy, arrays, backend, threads)
        return as_dtype(sum_to(y, array.shape, name), array.dtype)

    return gradients(flags, *(lambda f=f, a=a, n=n: one(f, a, n) for n, a, f in given))


def prelu(
    dy: ArrayLike, input: ArrayLike, weight: ArrayLike, *, need: tuple[bool, bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> tuple[Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.prelu`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    weight
        The argument of the forward call.
    need : tuple of 2 bool, optional
        Which gradients to compute.

    Returns
    -------
    dx, dweight : ndarray or None
        Of the shapes and dtypes of `input` and `weight`; None where `need` is False.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.prelu(np.ones((1, 2)), np.array([[-3.0, 1.0]]), np.array([0.5]))
    (array([[0.5, 1. ]]), array([-3.]))
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    slopes = forward.prelu_slopes(x, w)
    flags = wanted(need, ("input", "weight"))
    check_differentiable(x.dtype, "input")
    dy = as_incoming(dy, x.shape, "prelu")

    def to_weight() -> Any:
        y = _elementwise("prelu_weight", (), dy, (x, slopes), backend, threads)
        summed = sum_to(y, slopes.shape, "weight")
        return summed if is_planning() else summed.reshape(w.shape)

    return gradients(flags, lambda: _elementwise("prelu", (), dy, (x, slopes), backend, threads), to_weight)


def glu(
    dy: ArrayLike, input: ArrayLike, dim: int = -1, *, need: tuple[bool] | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.glu`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, half as long as `input` along `dim`; float32 or float64.
    dim
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.glu([1.0], [4.0, 0.0])
    array([0.5, 1. ])
    """
    x = as_array(input, "input")
    _, shape = forward.glu_halves(x.shape, x.dtype, dim)
    check_differentiable(x.dtype, "input")
    dy = as_incoming(dy, shape, "glu")
    recipe = _glu_recipe(x.shape, x.dtype, as_int(dim, "dim"), dy.dtype, resolve(backend, None, threads))
    return gradients(wanted(need, ("input",)), lambda: submit(recipe, dy, (clean(x, x.dtype).reshape(-1),)))


@remember
def _glu_recipe(shape: tuple[int, ...], dtype: np.dtype, dim: int, incoming: np.dtype, options: Options) -> Recipe:
    axis, result = forward.glu_halves(shape, dtype, dim)
    problem = ElementwiseProblem("glu", (), prod(result), dtype, dtype, "backward", prod(shape[:axis]))
    return reshaped(problem, options, result, incoming, (problem.size,), shape)


def _softmax(
    kind: SoftmaxKind, dy: Any, x: Any, dim: Any, dtype: Any, need: Any, backend: str | None, threads: int | None
) -> Any:
    x = as_array(x, "input")
    check_differentiable(x.dtype, "input")
    to = None if dtype is None else dtype_called(dtype, "dtype")
    p = softmax_backward_problem(kind, x.shape, x.dtype, dim, to)
    check_differentiable(p.dtype, "the result")
    dy = as_incoming(dy, x.shape, kind)
    canonical = (p.outer, p.length, p.inner)
    recipe = reshaped(p, resolve(backend, None, threads), dy.shape, dy.dtype, canonical, x.shape)
    return gradients(
        wanted(need, ("input",)),
        lambda: as_dtype(submit(recipe, dy, (clean(x, p.dtype).reshape(canonical),)), x.dtype),
    )


def softmax(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.softmax`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dim, dtype
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.25, -0.25])
    """
    return _softmax("softmax", dy, input, dim, dtype, need, backend, threads)


def log_softmax(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.log_softmax`; parameters, result and errors are as in `fastconv.grad.softmax`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.log_softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.5, -0.5])
    """
    return _softmax("log_softmax", dy, input, dim, dtype, need, backend, threads)


def softmin(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.softmin`; parameters, result and errors are as in `fastconv.grad.softmax`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.softmin([1.0, 0.0], [0.0, 0.0], 0)
    array([-0.25,  0.25])
    """
    return _softmax("softmin", dy, input, dim, dtype, need, backend, threads)
