"""What libraries of image filters need to know about a call of a function of `fastconv.ndimage`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.bench.peers.base import Unsupported
from fastconv.bench.work import Work
from fastconv.ndimage.separable import gaussian_radius

# Arguments of which these libraries have only the usual values.
USUAL = {"origin": 0, "cval": 0.0, "order": 0, "axes": None, "footprint": None, "structure": None,
         "radius": None, "mask": None, "border_value": 0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Image:
    """A filter of a grey image.

    Attributes
    ----------
    x : ndarray
    out : numpy.dtype
    mode : str
    size : int
        Pixels of a square window: of a Gaussian those that SciPy takes.
    sigma : float
    weights : ndarray or None
    axis : int
        Of differences: 1 if they are along rows.
    iterations : int
    """

    x: np.ndarray
    out: np.dtype
    mode: str
    size: int
    sigma: float
    weights: np.ndarray | None
    axis: int
    iterations: int


def image_of(work: Work) -> Image:
    """The call; `Unsupported` if it is more than such a filter."""
    bound = inspect.signature(work.operation).bind(*work.args, **work.kwargs)
    bound.apply_defaults()
    given = bound.arguments
    for name, usual in USUAL.items():
        if given.get(name, usual) is not usual and given.get(name, usual) != usual:
            raise Unsupported(f"is measured without {name} here")
    if work.x.ndim != 2:
        raise Unsupported("filters images of two axes")
    if not isinstance(given.get("mode", ""), str):
        raise Unsupported("is measured with the same edges everywhere")
    sigma: Any = given.get("sigma", 0.0)
    size: Any = given.get("size", 3)
    if np.ndim(sigma) or np.ndim(size):
        raise Unsupported("is measured with square windows")
    if sigma:
        size = 2 * gaussian_radius(sigma, given.get("truncate", 4.0)) + 1
    weights = given.get("weights")
    kind = np.float64 if work.x.dtype == np.float64 else np.float32
    return Image(
        np.ascontiguousarray(work.x), work.problem.results[0][1], given.get("mode", "constant"), int(size),
        float(sigma), None if weights is None else np.ascontiguousarray(weights, kind), given.get("axis", -1) % 2,
        given.get("iterations", 1),
    )  # fmt: skip


def slopes(image: Image) -> tuple[Any, Any]:
    """A Gaussian and its derivative, as weights of correlations along one axis."""
    at = np.arange(image.size) - image.size // 2
    bell = np.exp(-0.5 * (at / image.sigma) ** 2)
    bell /= bell.sum()
    return bell, at / image.sigma**2 * bell
