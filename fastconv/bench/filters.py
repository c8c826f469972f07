"""Filters of arrays in measurements: those that are several kernels, and the blocks of large arrays that are checked.

A filter by its definition takes minutes on a large image.  Its results depend on the neighbourhood alone, so the
definition filters three blocks, at two corners and in the middle, each with the neighbours that its windows reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastconv.core.errors import UnsupportedError
from fastconv.core.problems.filter import FilterProblem
from fastconv.ndimage.reach import arguments_of, reaches, wrapped

WHOLE = 5_000  # elements up to which all results are checked
EDGE = {1: 2000, 2: 24, 3: 8}  # of a block along each axis, by the number of axes


@dataclass(frozen=True, slots=True)
class Several(FilterProblem):
    """A filter that is more than one kernel, in place of its problem."""

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    name: str

    @property
    def op(self) -> str:
        return self.name

    @property
    def flops(self) -> float:
        return 2.0 * self.size


class _NoKernels(NamedTuple):
    candidates: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplanned:
    """In place of a plan, for filters that are several kernels: they are measured as they are called."""

    problem: Several
    threads: int
    kernel: str | None = None
    constants: tuple[Any, ...] = ()

    def canonical_input(self, x: Any) -> np.ndarray:
        return np.asarray(x).reshape(-1)

    def canonical_result(self, y: Any) -> np.ndarray:
        return np.asarray(y).reshape(-1)

    def explain(self) -> _NoKernels:
        return _NoKernels()


class Block(NamedTuple):
    """A part of an array that is filtered by itself.

    Attributes
    ----------
    read : tuple of slice
        Of the input.
    write : tuple of slice
        Results that are those of the whole array.
    inner : tuple of slice
        The same within what was read.
    """

    read: tuple[slice, ...]
    write: tuple[slice, ...]
    inner: tuple[slice, ...]


def _depths(
    operation: Any, ndim: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[int, ...] | None:  # fmt: skip
    """How far windows reach along each axis; None if no part of an array can be filtered by itself."""
    given = arguments_of(operation, args, kwargs)
    try:
        found, ends = reaches(operation, ndim, given), wrapped(operation, ndim, given)
    except UnsupportedError:  # it calls a function of the user, or has several modes
        return None
    return None if any(ends) else found


def blocks_of(operation: Any, x: np.ndarray, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Block, ...]:
    """What of a filter's results is checked: all of a small array, as one block, or three blocks of a large one.

    `args` are those after the array.  All is checked, too, where no part can be filtered by itself.
    """
    edge = EDGE.get(x.ndim)
    depths = None if x.size <= WHOLE or edge is None else _depths(operation, x.ndim, args, kwargs)
    if edge is None or depths is None:
        whole = (slice(None),) * x.ndim
        return (Block(whole, whole, whole),)
    found = []
    for place in (0.0, 0.5, 1.0):
        read, write, inner = [], [], []
        for extent, reach in zip(x.shape, depths, strict=True):
            lo = int((extent - edge) * place) if extent > edge else 0
            hi = min(lo + edge, extent)
            first, last = max(0, lo - reach), min(extent, hi + reach)
            read.append(slice(first, last))
            write.append(slice(lo, hi))
            inner.append(slice(lo - first, hi - first))
        found.append(Block(tuple(read), tuple(write), tuple(inner)))
    return tuple(found)


def checked(y: np.ndarray, shape: tuple[int, ...], blocks: tuple[Block, ...]) -> np.ndarray:
    """The results that are checked, one after the other."""
    parts = [y.reshape(shape)[block.write].ravel() for block in blocks]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
