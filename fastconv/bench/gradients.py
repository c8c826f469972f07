"""Turn a call of an operation into the call of one of its gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastconv.bench.work import outline
from fastconv.core.arrays import Spec
from fastconv.ops import grad

ARRAYS = {"gemm": ("a", "b", "c"), "matmul": ("a", "b")}


def gradient_call(
    operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argument: str
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The gradient of one array argument, called on a random gradient of the result.

    Parameters
    ----------
    operation : callable
        A public operation that has gradients.
    args, kwargs
        Of the forward call.
    argument : str
        Name of the array argument, as ``weight``; ``input`` also stands for the first.

    Raises
    ------
    ValueError
        If there is no such gradient.
    """
    name = operation.__name__
    function = getattr(grad, name, None)
    if function is None:
        raise ValueError(f"{name} has no gradient")
    names = ARRAYS.get(name, ("input", "weight", "bias") if name.startswith(("conv", "linear")) else ("input",))
    wanted = names[0] if argument == "input" else argument
    if wanted not in names:
        raise ValueError(f"gradient must be one of {', '.join(dict.fromkeys(('input', *names)))}; got {argument!r}")
    shape = outline(operation, args, kwargs).result_shapes[0]
    first = args[0]
    dy = Spec(shape, first.dtype)
    kwargs = dict(kwargs)
    if "need" in inspect.signature(function).parameters:
        kwargs["need"] = tuple(n == wanted for n in names)
    return function, (dy, *args), kwargs
