"""`plan`: any operation, stopped before its kernel."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastconv.core.arrays import Spec, stand_in
from fastconv.dispatch.plan import Plan, planning


def plan(operation: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Plan:
    """Choose the kernel for an operation, pack its weights once, and return it as a callable.

    Parameters
    ----------
    operation : callable
        One of fastconv's operations, as `fastconv.conv2d`.
    *args, **kwargs
        Its arguments.  The first one, the input, may be an array or a `Spec`; a plan takes a
        new one, of the same shape and dtype, on every call.  All others are fixed, and arrays: later
        changes of the weights are not seen.

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
    if args and isinstance(args[0], Spec):
        args = (stand_in(args[0], "input"), *args[1:])
    elif not args:  # the first argument, by its name
        name = next(iter(inspect.signature(operation).parameters), "")
        if isinstance(kwargs.get(name), Spec):
            kwargs[name] = stand_in(kwargs[name], name)
    with planning():
        result = operation(*args, **kwargs)
    if not isinstance(result, Plan):
        raise TypeError(f"plan needs one of fastconv's operations, got {operation!r}")
    return result
