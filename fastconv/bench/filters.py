"""Filters of arrays in measurements: those that are several kernels, and the blocks of large arrays that are checked.

A filter by its definition takes minutes on a large image.  Its results depend on the neighbourhood alone, so the
definition filters three blocks, at two corners and in the middle, each with the neighbours that its windows reach.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastconv.core.problems.filter import FilterProblem

WHOLE = 5_000  # elements up to which all results are checked
EDGE = {1: 2000, 2: 24, 3: 8}  # of a block along each axis, by the number of axes
FEWEST = 5  # elements that a window has at least: of filters whose arguments state no size
TRUNCATE = 4.0  # standard deviations to each side of a Gaussian, unless arguments say otherwise
# What filters by windows of windows: their reach counts twice.
TWICE = ("opening", "closing", "tophat", "laplace", "gradient")


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


def _reach(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Elements to each side, at most, of which results depend."""
    given = inspect.signature(operation).bind(*args, **kwargs).arguments
    sizes = [FEWEST]
    for name in ("size", "radius"):
        if given.get(name) is not None:
            sizes.append((1 + (name == "radius")) * int(np.max(given[name])) + 1)
    for name in ("weights", "footprint", "structure", "structure1", "structure2"):
        if given.get(name) is not None:
            sizes.append(max(np.shape(given[name])))
    if given.get("sigma") is not None:
        sizes.append(2 * int(given.get("truncate", TRUNCATE) * float(np.max(given["sigma"])) + 0.5) + 1)
    half = max(sizes) // 2 + int(np.max(np.abs(given.get("origin", 0))))
    return half * (2 if any(word in operation.__name__ for word in TWICE) else 1) * int(given.get("iterations", 1))


def blocks_of(operation: Any, x: np.ndarray, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Block, ...]:
    """What of a filter's results is checked: all of a small array, as one block, or three blocks of a large one."""
    modes = kwargs.get("mode", "")
    wraps = "wrap" in (modes if isinstance(modes, str) else " ".join(modes))
    if x.size <= WHOLE or wraps or x.ndim not in EDGE or kwargs.get("iterations", 1) < 1:
        whole = (slice(None),) * x.ndim
        return (Block(whole, whole, whole),)
    edge, reach, found = EDGE[x.ndim], _reach(operation, args, kwargs), []
    for place in (0.0, 0.5, 1.0):
        read, write, inner = [], [], []
        for extent in x.shape:
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
