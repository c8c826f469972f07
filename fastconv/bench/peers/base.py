"""What the module of a peer returns, and the error that it raises where its library cannot do the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.bench.work import Work
from fastconv.core.problems.base import Pads


class Unsupported(Exception):
    """A peer cannot do the work; the text says why."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    name : str
    run : callable
        Does the work once; `results` takes what it returns.
    results : callable
        Converts what `run` returned to canonical arrays.
    held : object
        Memory that the library reads without owning it: it must live as long as this.
    prepacked : bool
        Whether the library packed the weights beforehand.
    """

    name: str
    run: Callable[[], Any]
    results: Callable[[Any], tuple[np.ndarray, ...]]
    held: Any = None
    prepacked: bool = False


@contextmanager
def unlimited(threads: int) -> Iterator[None]:
    """In place of `limit` for libraries that have no number of threads for the whole process."""
    del threads
    yield


def forward_only(work: Work) -> None:
    """Refuse gradients, for libraries that run networks and do not train them."""
    if work.name.startswith("grad."):
        raise Unsupported("has no gradients")


def plain(work: Work) -> np.ndarray:
    """The input of a convolution or pooling as a C-contiguous (N, C, spatial...) array of the user's rank."""
    if getattr(work.problem, "layout", "NCHW") != "NCHW":
        raise Unsupported("takes channels second (NCHW) only")
    n, c = work.canonical.shape[:2]
    return np.ascontiguousarray(work.canonical.reshape(n, c, *work.canonical.shape[5 - work.rank :]))


def weights_of(work: Work) -> np.ndarray:
    """Convolution weights of the user's rank."""
    w = work.constants[0]
    return np.ascontiguousarray(w.reshape(*w.shape[:2], *w.shape[5 - work.rank :]))


def last(values: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """The entries of a canonical triple that belong to the user's axes."""
    return values[3 - rank :]


def symmetric(pads: Pads) -> bool:
    return all(lo == hi for lo, hi in pads)


def float32_only(work: Work) -> None:
    dtype = work.canonical.dtype
    if dtype != np.float32:
        raise Unsupported(f"computes in float32, not {dtype}")


def reshaped(work: Work) -> Callable[[Any], tuple[np.ndarray, ...]]:
    """A `results` for peers that return one array in C order of the canonical result."""
    shape = work.problem.results[0][0]
    return lambda y: (np.asarray(y).reshape(shape),)
