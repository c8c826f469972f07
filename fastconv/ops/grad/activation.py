"""Gradients of activations of each element."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.errors import UnsupportedError
from fastconv.core.problems.activation import DEFAULTS, ElementwiseProblem, Function, as_approximate, check_range
from fastconv.core.problems.base import as_number, promote
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.options import options as surroundings
from fastconv.dispatch.plan import Recipe, is_planning, remember, submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops import activation as forward
from fastconv.ops.grad.common import as_incoming, check_differentiable, gradients, wanted
from fastconv.ops.grad.signatures import Elu, Gelu, Hardtanh, Inplace, LeakyRelu, Plain, Shrink, Softplus, Threshold
from fastconv.ops.recipes import flat
from fastconv.typing import Activation, ArrayLike, Backend, Gradient


def _request(
    function: Function, params: tuple[float, ...], dy: np.ndarray, arrays: tuple[Any, ...], options: Options
) -> Request:
    dtype = promote(*(a.dtype for a in arrays if a.dtype.kind == "f"))
    full = (a if a.shape == dy.shape else np.broadcast_to(a, dy.shape) for a in arrays)
    constants = tuple(clean(a, dtype if a.dtype.kind == "f" else a.dtype).reshape(-1) for a in full)
    return _recipe(function, params, dy.shape, dy.dtype, dtype, options), dy, constants, None


def elementwise(
    function: Function, params: tuple[float, ...], dy: np.ndarray, arrays: tuple[Any, ...], options: Options
) -> Any:
    """Run one backward function on `dy` and `arrays`, which broadcast to its shape."""
    return submit(*_request(function, params, dy, arrays, options))


def _checked(function: Function, dy: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    x = as_array(x, "input")
    check_differentiable(x.dtype, "input")
    return as_incoming(dy, x.shape, function), x


@repeated
def _gradient(function: Function, params: tuple[float, ...], dy: Any, x: Any, options: Options) -> Request:
    dy, x = _checked(function, dy, x)
    return _request(function, params, dy, (x,), options)


@remember
def _recipe(
    function: Function, params: tuple[float, ...], shape: tuple[int, ...], incoming: np.dtype, dtype: np.dtype,
    options: Options,
) -> Recipe:
    problem = ElementwiseProblem(function, params, prod(shape), dtype, dtype, "backward")
    return flat(problem, options, shape, incoming)


def through(activation: Activation, dy: np.ndarray, before: np.ndarray, options: Options) -> np.ndarray:
    """Gradient of the input of a fused activation, from that of its result and the values of the input, `before`.

    Of `options`, only those that activations have are used: `backend` and `threads`.
    """
    if is_planning():
        raise UnsupportedError(
            f"a gradient through activation {activation!r} is two kernels and cannot be planned: plan it without the "
            f"activation, and apply fastconv.grad.{activation} to dy"
        )
    # As in the forward call, a backend without activations leaves them to others; `algorithm` is one of the products.
    backend = options.backend
    if backend not in {kernel.backend for kernel in all_kernels("elementwise_backward")}:
        backend = "auto"
    with surroundings(algorithm="auto"):
        own = resolve(backend, None, options.threads)
    return elementwise(activation, DEFAULTS.get(activation, ()), dy, (before,), own)


def _unary(function: Callable[..., Any]) -> Any:
    """The gradient of an activation of one array, with the parameters of the activation itself."""
    name: Any = function.__name__
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
        params = tuple(map(_PARAMETERS.get(name, as_number), given, numbers)) if numbers else ()
        if name == "hardtanh":
            check_range(*params)
        options = resolve(backend, None, threads)
        if need is None:
            return _gradient(name, params, dy, input, options)
        flags, (dy, x) = wanted(need, ("input",)), _checked(name, dy, input)
        return gradients(flags, lambda: _gradient(name, params, dy, x, options))

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


_PARAMETERS: dict[str, Callable[[Any, str], float]] = {"gelu": as_approximate}

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
