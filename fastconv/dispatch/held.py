"""The size of a prepared kernel: mostly packed weights, and tables.

Kernels state only their scratch.  The size of what `prepare` packed is found by walking the objects that it returned.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import Problem

MOST = 4096  # objects that are counted exactly
SHARED = (type, ModuleType, Kernel, Problem, str, bytes, int, float, complex, np.dtype, np.ufunc)  # with other plans


def packed_bytes(run: Any, constants: Iterable[Any]) -> int:
    """Bytes of the arrays that `run` holds, without its `constants` as they were given."""
    given = {id(_owner(c)) for c in constants if isinstance(c, np.ndarray)}
    return sum(a.nbytes for a in _objects([run]) if isinstance(a, np.ndarray) and id(a) not in given)


def held_bytes(prepared: Any) -> int:
    """Bytes of all that `prepared` holds; of more than `MOST` objects, an estimate."""
    waiting = [prepared]
    found = sum(one.nbytes if isinstance(one, np.ndarray) else sys.getsizeof(one) for one in _objects(waiting))
    return found * (MOST + len(waiting)) // MOST


def _owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory a view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _objects(waiting: list[Any]) -> Iterator[Any]:
    """All unshared objects that `waiting` refers to, each once, owners for views; the rest stays in `waiting`."""
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        one = waiting.pop()
        if isinstance(one, np.ndarray):
            one = _owner(one)
        if id(one) in seen or isinstance(one, SHARED) or type(one).__module__.startswith("numba."):
            continue
        seen.add(id(one))
        yield one
        waiting += _referred(one)


def _referred(one: Any) -> list[Any]:
    """What an object refers to; for functions without their module."""
    if isinstance(one, FunctionType):
        cells = [cell.cell_contents for cell in one.__closure__ or () if cell != type(cell)()]
        return [*cells, *(one.__defaults__ or ()), getattr(one, "__wrapped__", None)]
    if isinstance(one, BuiltinFunctionType):
        return [one.__self__]
    return gc.get_referents(one)
