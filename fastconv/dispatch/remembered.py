"""Calls that are remembered by their arguments, so that a repetition is one look-up and one call of a compiled kernel.

`core/_repeated.c` compares arguments with those that it remembers, allocates the result and passes the user's arrays to
the kernel's `plain`.  That does nothing and returns False where an array is not contiguous or where the result overlaps
an operand; then the call takes the usual way.  Where nothing was compiled, all calls do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv.core.arrays import ALIGNED_BYTES, Spec, aligned_empty
from fastconv.core.numbers import LINE
from fastconv.core.scratch import DEBUG
from fastconv.dispatch.options import Options

if TYPE_CHECKING:
    from fastconv.core._repeated import Repeated

RESULT, NOTHING = -1, -2  # what a kernel gets in place of an argument; see core/_repeated.c

Result = tuple[tuple[int, ...], np.dtype]
Plain = Callable[..., bool]


def calls(otherwise: Callable[..., Any] | None, unless: ContextVar[Any] | None, sets: int) -> Repeated | None:
    """An empty table of calls, a few in each of `sets`; None where nothing was compiled.

    It calls `otherwise` for what it does not remember and while `unless` has a value; without `otherwise` it returns
    NotImplemented.
    """
    try:
        from fastconv.core._repeated import Repeated
    except ImportError:
        return None
    return Repeated(otherwise, unless, np.ndarray, Spec, sets)


def of_plan(x: Spec, result: Result, plain: Plain) -> Repeated | None:
    """The calls of a plan, ``(x, None)`` and ``(x, out)``."""
    table = calls(None, None, 1)
    if table is not None and _is_usual(x.dtype):
        shape, dtype = result
        table.remember((x, None), plain, (0, RESULT), RESULT, *_allocation(shape, dtype))
        table.remember((x, Spec(shape, dtype)), plain, (0, 1), 1, np.empty, shape, dtype, None)
    return table


def remember(
    table: Repeated, arguments: tuple[Any, ...], results: tuple[Result, ...], plain: Plain, x: Any, out: Any,
    constants: tuple[Any, ...],
) -> None:  # fmt: skip
    """Remember a call in which `plain` gets `x`, `out` and `constants`, if those are its arguments as they are.

    In place of `out`, `plain` gets a tuple of new arrays where there are several results.
    """
    arrays = {i: a for i, a in enumerate(arguments) if type(a) is np.ndarray}
    places = {_address(a): i for i, a in arrays.items()}
    found = [_place(x, arrays, places), RESULT if out is None else _place(out, arrays, places)]
    found += [NOTHING if c is None else _place(c, arrays, places) for c in constants]
    passed = tuple(place for place in found if place is not None)
    known = len(passed) == len(found) and all(_is_value(a) or i in passed for i, a in enumerate(arguments))
    if known and len(places) == len(arrays) and all(a.size and _is_usual(a.dtype) for a in arrays.values()):
        specs = tuple(Spec(a.shape, a.dtype) if i in arrays else a for i, a in enumerate(arguments))
        allocation = _allocation(*results[0]) if len(results) == 1 else (_several, *zip(*results, strict=True), None)
        table.remember(specs, plain, passed, passed[1], *allocation)


def _several(shapes: tuple[tuple[int, ...], ...], dtypes: tuple[np.dtype, ...]) -> tuple[np.ndarray, ...]:
    """New arrays for the results of one call."""
    return tuple(map(aligned_empty, shapes, dtypes))


def _allocation(
    shape: tuple[int, ...], dtype: np.dtype
) -> tuple[Callable[..., np.ndarray], tuple[int, ...], np.dtype, tuple[int, np.dtype] | None]:
    """How results are allocated, as `Repeated.remember` takes it: as by `aligned_empty`."""
    nbytes = prod(shape) * dtype.itemsize
    if DEBUG:
        return aligned_empty, shape, dtype, None
    return np.empty, shape, dtype, None if nbytes < ALIGNED_BYTES else (nbytes + LINE, np.dtype(np.uint8))


def _place(array: Any, arrays: dict[int, np.ndarray], places: dict[int, int]) -> int | None:
    """Which argument has the same elements in the same order; None if there is none."""
    if type(array) is not np.ndarray or not array.flags.c_contiguous:
        return None
    place = places.get(_address(array))
    if place is None:
        return None
    same = arrays[place]
    return place if same.flags.c_contiguous and same.dtype == array.dtype and same.size == array.size else None


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _is_usual(dtype: Any) -> bool:
    """Whether it is the one object that NumPy uses for its type: dtypes are compared by identity."""
    return dtype is np.dtype(dtype.type)


def _is_value(argument: Any) -> bool:
    """Whether an argument is a value that does not change."""
    if type(argument) is tuple:
        return all(map(_is_value, argument))
    return argument is None or type(argument) in (bool, int, float, str, Options)
