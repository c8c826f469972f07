"""The decorator of operations: it submits the call that a function describes, quickly where that repeats another."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv.core.caches import when_forgotten
from fastconv.dispatch.plan import PLANNING, Recipe, is_planning, submit
from fastconv.dispatch.remembered import calls, remember

if TYPE_CHECKING:
    from fastconv.core._repeated import Repeated

_first = Lock()
SETS = 64  # of the calls that one function remembers

# What a function makes of its arguments: recipe, x, constants and out, as `submit` takes them.
Request = tuple[Recipe, np.ndarray, tuple[Any, ...], Any]


class Fixed(tuple[Any, ...]):
    """Constants of a request that follow from other arguments than arrays: the kernel has them when it is repeated."""


def repeated(describe: Callable[..., Request]) -> Callable[..., Any]:
    """Decorator: run the call that a function of positional arguments describes.

    What it returns may depend on shapes and dtypes of arrays and on all of any other argument, but not on values in
    arrays.  If `x` and the constants are its arguments, perhaps in other shapes, and the kernel is able to, then
    nothing of Python is on the way from the third call of equal arguments on: see `remembered`.
    """
    name, home = describe.__name__, describe.__globals__
    table: Repeated | None = None

    def usual(*arguments: Any) -> Any:
        recipe, x, constants, out = describe(*arguments)
        fixed, constants = type(constants) is Fixed, tuple(constants)
        done = submit(recipe, x, constants, out)
        if table is not None and not is_planning() and (plain := recipe.plain(constants, fixed)) is not None:
            remember(table, arguments, recipe.results, plain, x, out, () if fixed else constants)
        return done

    @wraps(describe)
    def first(*arguments: Any) -> Any:
        """Load what is compiled, now that it is needed, and put that into the place of this function."""
        nonlocal table
        with _first:
            if home.get(name) is first:
                table = calls(usual, PLANNING, SETS)
                if table is not None:
                    when_forgotten(table.forget)
                home[name] = usual if table is None else table
        return usual(*arguments)

    return first
