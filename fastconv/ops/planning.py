"""`plan`: everything about a call of an operation but the run of its kernel."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from types import NoneType
from typing import Any, Concatenate, ParamSpec, overload

from fastconv.core.arrays import Spec, as_shaped, stand_in
from fastconv.core.caches import keep_few
from fastconv.core.errors import shown
from fastconv.dispatch.plan import Origin, Plan, planning
from fastconv.ops.signatures import AdaptiveMaxPool, MaxPool
from fastconv.typing import ArrayLike

P = ParamSpec("P")

# Parameters of operations that take an array, some of them a number, too.  All others take numbers, names and shapes.
ARRAYS = frozenset({"a", "b", "bias", "c", "dy", "indices", "input", "max", "min", "target", "weight", "weights"})


# Type checkers see only the first overload of an operation that has several, so its arguments are not checked.
@overload
def plan(operation: MaxPool | AdaptiveMaxPool, /, *args: Any, **kwargs: Any) -> Plan: ...
@overload
def plan(
    operation: Callable[Concatenate[Any, P], Any], input: ArrayLike | Spec, /, *args: P.args, **kwargs: P.kwargs
) -> Plan: ...
@overload
def plan(operation: Callable[..., Any], /, **kwargs: Any) -> Plan: ...
def plan(operation: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Plan:
    """Choose the kernel for an operation, pack its weights once, and return it as a callable.

    Parameters
    ----------
    operation : callable
        One of fastconv's operations, as `fastconv.conv2d`.
    *args, **kwargs
        Its arguments.  The first one, the input, may be an array or a `Spec`; a plan takes a new one, of the same
        shape and dtype, on every call.  All others are fixed.  The plan keeps copies of the arrays among them, in
        addition to the packed weights, so that later changes have no effect and the plan can be pickled.  The plan of
        a gradient copies the other operand, such as the images, and that of a loss copies its targets.

    Returns
    -------
    Plan

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> run = F.plan(F.conv2d, F.Spec((1, 3, 32, 32)), np.ones((8, 3, 3, 3), "f"), padding=1)
    >>> run(np.zeros((1, 3, 32, 32), "f")).shape
    (1, 8, 32, 32)
    """
    if not callable(operation) or operation is plan:
        hint = ": the function itself, as fastconv.conv2d" if isinstance(operation, str) else ""
        raise TypeError(f"plan needs one of fastconv's operations, got {shown(operation)}{hint}")
    if kwargs.get("out") is not None:
        raise TypeError("a plan takes out= where it is called, as in plan(...)(input, out=y)")
    if args and isinstance(args[0], Spec):
        args = (stand_in(args[0], "input"), *args[1:])
    elif not args:  # the first argument is given by its name
        name = next(iter(inspect.signature(operation).parameters), "")
        if isinstance(kwargs.get(name), Spec):
            kwargs[name] = stand_in(kwargs[name], name)
    with planning():
        result = operation(*args, **kwargs)
    if not isinstance(result, Plan):
        raise TypeError(f"plan needs one of fastconv's operations, got {shown(operation)}")
    result._origin = _origin(operation, args, kwargs)
    return result


@keep_few(256)
def _parameters(operation: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(operation).parameters)


def _origin(operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Origin:
    """The call with a `Spec` in place of each array, and with copies of lists, which the user may change."""
    names = _parameters(operation)

    def kept(name: str, value: Any) -> Any:
        if (name in ARRAYS or name == names[0]) and not isinstance(value, (int, float, complex, NoneType)):
            array = as_shaped(value, name)
            return Spec(array.shape, array.dtype)
        return deepcopy(value)

    return Origin(
        operation,
        tuple(kept(name, value) for name, value in zip(names, args, strict=False)),
        {name: kept(name, value) for name, value in kwargs.items()},
    )
