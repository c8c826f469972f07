"""Problems of every family with random arrays, as kernels take them.

They come from the calls in `calls` and from the corners in `tests.problems` and `tests.pool_problems`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import count, product
from typing import Any

import numpy as np
import pytest

from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem, weight_gradient
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels, ops
from fastconv.dispatch.survey import fusable
from tests import pool_problems
from tests.contract.calls import CONVOLUTIONS, OTHERS, POOLS, requests
from tests.pool_problems import adaptive, operands, pool, variants
from tests.problems import (
    corners,
    forward,
    gradients_of_weights,
    in_dtype,
    in_layout,
    lay,
    random_problem,
    transposed,
    transposed_corners,
)
from tests.wide import share

Results = tuple[np.ndarray, ...]
Change = Callable[[np.ndarray], np.ndarray]

SMALL = ((POOLS, 12), (CONVOLUTIONS, 9), (OTHERS, 100))  # calls, and the extent of their longest axis
LARGE = ((POOLS, 700), (CONVOLUTIONS, 20), (OTHERS, 12_000))  # enough work for several threads
MOST = 5000  # elements of small gradients of poolings

EVERY = [(op, k) for op in ops() for k in kernels(op) if k.backend != "reference"]


def for_each(pairs: Iterable[tuple[str, Kernel[Any]]]) -> pytest.MarkDecorator:
    """A test of each of these kernels, given as (family, kernel)."""
    return pytest.mark.parametrize(("op", "kernel"), [pytest.param(op, k, id=f"{op}-{k.name}") for op, k in pairs])


every_kernel = for_each(EVERY)


@dataclass(frozen=True, eq=False)
class Case:
    """A problem and its arrays, canonical: what `prepare` and a run receive."""

    problem: Any
    x: np.ndarray
    constants: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.problem)

    def taken_by(self, kernel: Kernel[Any]) -> Case | None:
        """The case as `kernel` sees it, without an activation that it does not fuse; None if it cannot do it."""
        inner = fusable(kernel, self.problem)[0]
        if kernel.reject(inner) is not None:
            return None
        return self if inner == self.problem else replace(self, problem=inner)

    @property
    def pictures(self) -> bool:
        """Whether x and the results have axes (N, C, D, H, W)."""
        return hasattr(self.problem, "layout")

    def outs(self, filler: float = 77) -> Results:
        """Memory for the results, filled so that what is not written shows."""
        p = self.problem
        made = (np.full(shape, filler).astype(dtype) for shape, dtype in p.results)
        return tuple(lay(a, p.layout) if self.pictures and not getattr(p, "weights_wanted", False) else a for a in made)

    def run(self, kernel: Kernel[Any], threads: int = 1, outs: Results | None = None) -> Results:
        """The results of one run of a kernel that takes the case."""
        outs = self.outs() if outs is None else outs
        kernel.prepare(self.problem, self.constants, threads)(self.x, *outs)
        return outs

    def changed(self, change: Change) -> Case:
        """The same case with each of its arrays changed."""
        constants = tuple(change(c) if isinstance(c, np.ndarray) else c for c in self.constants)
        return replace(self, x=change(self.x), constants=constants)

    def expected(self) -> Results:
        """The results by definition; those in floating point in double precision, not rounded."""
        oracle = kernels(self.problem.op)[-1]
        p, activation = fusable(oracle, self.problem)
        outs = tuple(a if a.dtype.kind in "biuc" else a.astype(np.float64) for a in self.outs())
        with np.errstate(all="ignore"):
            oracle.prepare(p, self.constants, 1)(self.x, *outs)
        if activation is None:
            return outs
        assert activation == "relu"
        return tuple(np.maximum(a, 0) for a in outs)


def bits(results: Results) -> list[bytes]:
    return [np.ascontiguousarray(r).tobytes() for r in results]


def drawn(a: np.ndarray, seed: int, positive: bool = False) -> np.ndarray:
    """Random values in the shape, dtype and memory order of `a`: whole numbers for integers, with many ties."""
    rng, made = np.random.default_rng(seed), np.empty_like(a)
    if a.dtype.kind in "iu":
        made[...] = rng.integers(0, 9, a.shape)
    elif a.dtype.kind == "c":
        made[...] = rng.normal(size=a.shape) + 1j * rng.normal(size=a.shape)
    else:
        made[...] = rng.normal(size=a.shape)
    return np.abs(made) if positive else made


def _recorded(extents: Iterable[tuple[dict[str, Any], int]]) -> dict[str, list[Case]]:
    """The problems of all calls, by family; places of maxima and targets stay as the calls have them."""
    seeds, found = count(), {op: [] for op in ops()}
    for calls, n in extents:
        for call in calls.values():
            for request in requests(call, n):
                powers = getattr(request.problem, "kind", "") == "lp"  # the root of a negative sum of powers is NaN
                constants = tuple(
                    drawn(c, next(seeds), powers) if isinstance(c, np.ndarray) and c.dtype.kind not in "iub" else c
                    for c in request.constants
                )
                x = drawn(request.recipe.enter(request.x), next(seeds), powers)
                found[request.problem.op].append(Case(request.problem, x, constants))
    return found


def of_convolution(p: ConvProblem, seed: int = 0) -> Case:
    """A convolution, or a gradient of its weights, with arrays."""
    rng = np.random.default_rng(seed)
    x, y = (lay(rng.normal(size=shape).astype(p.dtype), p.layout) for shape in (p.x_shape, p.y_shape))
    if p.weights_wanted:
        return Case(p, *((y, (x,)) if p.direction == "weight" else (x, (y,))))
    w, bias = rng.normal(size=p.w_shape).astype(p.dtype), rng.normal(size=p.oc).astype(p.acc)
    return Case(p, x, (w, bias if p.bias else None))


def _corners() -> list[Case]:
    """Convolutions that some kernel could get wrong, and gradients of their weights, in both layouts and widths."""
    plain = [*corners(), *transposed_corners(), random_problem(3), *gradients_of_weights()]
    plain.append(forward((50, 70, 1, 1), (20, 70, 1, 1)))  # images that may be rows of one product
    turned, double = (in_layout(p, "NHWC") for p in plain), (in_dtype(p, "float64") for p in plain)
    return [of_convolution(p) for p in (*plain, *turned, *double)]


def _narrow() -> list[Case]:
    """Of numbers of 8 and 16 bits, which have kernels of their own: pairs of channels, odd ones left over."""
    found = []
    for dtype, layout in product(("float16", "bfloat16", "int8", "uint8", "int16"), ("NCHW", "NHWC")):
        ahead, back = (partial(make, dtype=dtype, layout=layout) for make in (forward, transposed))
        found += [
            ahead((2, 5, 7, 9), (4, 5, 3, 3), padding=1),
            ahead((1, 8, 9, 11), (20, 8, 3, 3), padding=1, stride=2),
            ahead((1, 16, 14, 14), (33, 16, 3, 3), padding=1, activation="relu"),
            ahead((1, 6, 9, 10), (33, 6, 1, 1)),
            ahead((2, 7, 9, 9), (16, 7, 1, 1), bias=False),
            ahead((1, 12, 9, 9), (24, 4, 3, 3), padding=1, groups=3),
            ahead((1, 9, 8, 21), (9, 1, 3, 3), padding=1, groups=9),
            ahead((1, 3, 20, 24), (5, 3, 9, 9), padding=4),  # long filters
            ahead((1, 4, 6, 8), (5, 4, 3, 5), padding=(2, 3), mode="reflect"),
            ahead((1, 3, 6, 7, 8), (4, 3, 3, 2, 3), padding=1),
            back((2, 6, 5, 6), (6, 3, 3, 3), stride=2, padding=1, output_padding=1),
            back((1, 8, 5, 6), (8, 5, 1, 1)),
            back((1, 5, 6, 6), (5, 1, 3, 3), stride=2, groups=5),
            back((1, 3, 12, 14), (3, 4, 9, 9)),
        ]
    return [of_convolution(p) for p in found]


def _pool_gradients(problems: Iterable[Any]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {"pool_backward": [], "adaptive_pool_backward": []}
    for p in problems:
        found[p.op].append(Case(p, *operands(p)))
    return found


def _large_convolutions() -> list[Case]:
    """With enough work for several threads: every way in which kernels split it."""
    plain = [
        forward((2, 32, 28, 28), (40, 32, 3, 3), padding=1),
        forward((2, 64, 20, 20), (70, 64, 1, 1)),
        *(forward((2, 40, 130, 45), (40, 1, 3, 3), padding=1, stride=s, groups=40, mode=m)
          for s, m in ((1, "zeros"), (2, "zeros"), (1, "reflect"))),
        forward((2, 20, 60, 45), (20, 4, 3, 3), padding=1, groups=5),
        # Rows of tiles that do not divide by the number of threads, and few of them.
        forward((1, 16, 29, 30), (100, 16, 3, 3), padding=1),
        forward((3, 20, 27, 25), (33, 20, 5, 5), padding=2),
        forward((1, 40, 9, 40), (70, 40, 3, 3), padding=1, stride=2),
        forward((1, 32, 23, 21), (64, 16, 3, 3), padding=2, dilation=2, groups=2),
        forward((1, 70, 90), (65, 70, 3)),
        forward((1, 8, 4, 20, 20), (24, 8, 3, 3, 3), padding=1),
        transposed((2, 16, 20, 21), (16, 24, 4, 4), stride=2, padding=1),
        weight_gradient(forward((6, 20, 20, 20), (70, 20, 3, 3), padding=1)),
        weight_gradient(forward((8, 1, 28, 28), (32, 1, 5, 5))),
        weight_gradient(forward((2, 48, 28, 30), (48, 1, 3, 3), padding=1, groups=48)),
    ]  # fmt: skip
    grouped = [in_layout(p, "NHWC") for p in plain if not p.weights_wanted and p.groups > 1]
    return [of_convolution(p) for p in (*plain, *grouped)]


def _large_pools() -> list[Case]:
    """The same of poolings with fixed windows."""
    found = []
    f, shapes = np.dtype("f"), {"NCHW": (2, 20, 70, 90), "NHWC": (2, 70, 90, 20)}
    for layout, shape in shapes.items():
        for kind, indices, norm in (("max", False, 1.0), ("max", True, 1.0), ("avg", False, 1.0), ("lp", False, 2.0)):
            for size, stride, padding in ((3, 2, 1), (3, 1, 1), (2, 2, 0)):
                p = pool_problem(
                    kind, 2, shape, f, size, stride, padding, 1, False, True, None, norm, indices, layout
                )  # fmt: skip
                found.append(Case(p, lay(np.random.default_rng(0).normal(size=p.x_shape).astype(f), layout), ()))
    return found


@cache
def small() -> dict[str, list[Case]]:
    """Cases of every family that take no time."""
    found = _recorded(SMALL)
    found["conv"] += [*_corners(), *_narrow()]
    quick = [p for p in pool_problems.corners() if np.prod(p.x_shape) < MOST]
    for op, cases in _pool_gradients(q for p in quick for q in variants(p)).items():
        found[op] += cases
    for op in ("conv", "gemm"):  # a kernel may treat weights that a plan packs in another way
        unpacked = [c for c in found[op] if c.x.dtype == np.float32 and not getattr(c.problem, "weights_wanted", False)]
        found[op] += [
            replace(case, problem=replace(case.problem, packed=True))
            for case in unpacked
            if getattr(case.problem, "layout", "NCHW") == "NCHW"
        ]
    return found


@cache
def large() -> dict[str, list[Case]]:
    """Cases of every family that several threads take part in."""
    found = _recorded(LARGE)
    found["conv"] = _large_convolutions()
    found["pool"] += _large_pools()
    windows = (pool("max", (60, 60), 3, stride=1, c=20), pool("avg", (60, 60), 3, stride=1, c=20))
    for op, cases in _pool_gradients(q for p in (*windows, adaptive("avg", (60, 61), 7)) for q in variants(p)).items():
        found[op] += cases
    return found


def taken(cases: Iterable[Case], kernel: Kernel[Any]) -> list[Case]:
    """Those that `kernel` can do."""
    return [case for given in cases if (case := given.taken_by(kernel)) is not None]


@cache
def small_of(op: str, kernel: Kernel[Any]) -> list[Case]:
    """The small cases that `kernel` can do, or half of them: see `share`."""
    return share(kernel, taken(small()[op], kernel))
