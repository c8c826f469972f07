"""One operation with its arrays, as every contender takes them, and its float64 result, with which they are checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.bench.filters import Block, Several, Unplanned, blocks_of, checked
from fastconv.core.arrays import Spec, as_array, stand_in
from fastconv.core.errors import UnsupportedError
from fastconv.core.machine import check_memory
from fastconv.core.problems.base import Problem, is_half
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.neighbors import RankProblem
from fastconv.dispatch.options import resolve
from fastconv.dispatch.plan import Plan
from fastconv.ops.planning import plan as make_plan

SEED = 2024
INTEGERS = 10  # random integers are below it, and may be indices of ten classes
LEVELS = 256  # of images of integers
SET = 0.9  # of random booleans


@dataclass(frozen=True, slots=True)
class Work:
    """One call, and what contenders need to do the same.

    Attributes
    ----------
    name : str
        Name of the public operation.
    rank : int
        Spatial axes of the user's input.
    plan : Plan
        On the kernel that fastconv chooses by itself; `Unplanned` in place of one for filters of several kernels.
    x : ndarray
        The user's input.
    canonical : ndarray
        The same as kernels take it: (N, C, D, H, W), or (batch, m, k).
    constants : tuple
        Canonical weights, bias, ...; None where absent.
    args, kwargs
        Of the call, arrays in place of `Spec`.
    threads : int
    blocks : tuple of Block
        What of a filter's results is checked.
    """

    name: str
    rank: int
    plan: Plan | Unplanned
    x: np.ndarray
    canonical: np.ndarray
    constants: tuple[Any, ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    threads: int
    operation: Callable[..., Any]
    blocks: tuple[Block, ...] = ()

    @property
    def problem(self) -> Problem:
        found: Problem = self.plan.problem
        return found


def _fill(value: Any, rng: np.random.Generator, below: int = INTEGERS) -> Any:
    if not isinstance(value, Spec):
        return value
    wanted = stand_in(value, "an argument")
    dtype = wanted.dtype
    check_memory(wanted.size * max(dtype.itemsize, 8), f"an argument of shape {value.shape}")  # drawn in float64
    if dtype.kind == "b":
        return rng.random(value.shape) < SET
    if dtype.kind in "iu":
        return rng.integers(0, below, value.shape).astype(dtype)
    return rng.standard_normal(value.shape).astype(dtype)


def is_filter(operation: Callable[..., Any]) -> bool:
    """Whether it is a function of `fastconv.ndimage`."""
    return getattr(operation, "__module__", "").startswith("fastconv.ndimage.")


def outline(operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Plan:
    """The plan of a call in which every array may be a `Spec`: for its problem and shapes, not to be run."""
    return make_plan(operation, *(stand_in(a, "an argument") if isinstance(a, Spec) else a for a in args), **kwargs)


def operation_name(operation: Callable[..., Any]) -> str:
    """Its name in the package: ``conv2d``, ``grad.conv2d``."""
    name = getattr(operation, "__name__", str(operation))
    return f"grad.{name}" if getattr(operation, "__module__", "").startswith("fastconv.ops.grad.") else name


def _denormal(a: np.ndarray) -> np.ndarray:
    """The numbers of `a`, so small that the largest of them still are denormal."""
    if a.dtype.kind not in "fc":
        return a
    return a * np.asarray(np.finfo(a.dtype).tiny / 8, a.dtype)


def make_work(
    operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], data: str = "normal"
) -> Work:
    """Plan the operation; a `Spec` stands for normally distributed data (small integers for integer dtypes).

    With `data` "denormal" the first argument, where it is a `Spec`, is filled with denormal numbers.
    """
    rng = np.random.default_rng(SEED)
    tiny = data == "denormal" and bool(args) and isinstance(args[0], Spec)
    image = LEVELS if is_filter(operation) else INTEGERS
    args = tuple(_fill(a, rng, INTEGERS if i else image) for i, a in enumerate(args))
    args = (_denormal(args[0]), *args[1:]) if tiny else args
    kwargs = {k: _fill(v, rng) for k, v in kwargs.items() if k != "out"}
    name = operation_name(operation)
    if not args:
        raise TypeError(f"compare needs the arguments of {name}, the input first")
    x = as_array(args[0], "input")
    made = _planned(operation, x, args, kwargs)
    blocks = blocks_of(operation, x, args[1:], kwargs) if isinstance(made.problem, FilterProblem) else ()
    digit = re.search(r"([123])d$", name)
    rank = int(digit.group(1)) if digit else max(1, x.ndim - 2)
    return Work(
        name=name, rank=rank, plan=made, x=x, canonical=made.canonical_input(x), constants=made.constants,
        args=args, kwargs=kwargs, threads=made.threads, operation=operation, blocks=blocks,
    )  # fmt: skip


def _planned(
    operation: Callable[..., Any], x: np.ndarray, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Plan | Unplanned:  # fmt: skip
    """The plan of a call, or what stands for it where a filter is several kernels."""
    try:
        return make_plan(operation, *args, **kwargs)
    except UnsupportedError:
        if not is_filter(operation):
            raise
        y = np.asarray(operation(*args, **kwargs))
        problem = Several(x.shape, x.dtype, y.dtype, operation.__name__)
        return Unplanned(problem, resolve(None, None, kwargs.get("threads"), None, None).thread_count())


def _widen(value: Any) -> Any:
    """Floating arrays in double precision; everything else as it is."""
    if isinstance(value, (bool, int, float, complex, str, tuple, list)) or value is None:
        return value
    a = as_array(value, "argument")
    if a.dtype.kind == "c":
        return a.astype(np.complex128)
    return a.astype(np.float64) if a.dtype.kind == "f" or is_half(a.dtype) else a


def exact(work: Work) -> tuple[np.ndarray, ...]:
    """The results in double precision, by the definition, in canonical shape."""
    kwargs = {k: _widen(v) for k, v in work.kwargs.items() if k not in ("backend", "algorithm", "tol", "max_workspace")}
    if work.blocks:
        return (_exact_blocks(work, kwargs),)
    result = work.operation(*map(_widen, work.args), **kwargs, backend="reference")
    results = result if isinstance(result, tuple) else (result,)
    return canonical_results(work, tuple(r for r in results if r is not None))  # None: a gradient not wanted


def _exact_blocks(work: Work, kwargs: dict[str, Any]) -> np.ndarray:
    """Those results of a filter that are checked."""
    x, *rest = map(_widen, work.args)
    # Ranks add nothing up, so NumPy's are exact; by the definition those of large windows take minutes.
    backend = "numpy" if isinstance(work.problem, RankProblem) else "reference"
    found = [work.operation(x[b.read], *rest, **kwargs, backend=backend)[b.inner].ravel() for b in work.blocks]
    return np.concatenate(found)


def canonical_results(work: Work, results: tuple[Any, ...]) -> tuple[np.ndarray, ...]:
    """Results of a call, in the user's shapes, in the shapes in which kernels write them."""
    return tuple(work.plan.canonical_result(np.asarray(r)) for r in results)


def error_of(work: Work, results: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...]) -> tuple[float, str | None]:
    """Largest error relative to max|y|, and what is wrong with it: None if the results are right.

    Indices of maxima must be equal; values may differ by rounding.  Of filters only the blocks of `work` are compared.
    """
    worst = 0.0
    if len(results) != len(expected):
        return float("inf"), f"gave {len(results)} results, {len(expected)} were expected"
    if work.blocks and results[0].size == work.x.size:
        results = (checked(results[0], work.x.shape, work.blocks),)
    for got, want in zip(results, expected, strict=True):
        if got.shape != want.shape:
            return float("inf"), f"gave shape {got.shape}, {want.shape} was expected"
        if not want.size:
            continue
        # Infinities and NaN must be where the definition has them.
        finite = np.isfinite(want)
        if not np.array_equal(np.isfinite(got.astype(want.dtype)), finite):
            return float("inf"), "infinities or NaN in other places than the definition's"
        difference = np.abs(np.where(finite, got.astype(want.dtype), 0) - np.where(finite, want, 0)).max()
        scale = np.abs(np.where(finite, want, 0)).max()
        worst = max(worst, float(difference) / float(scale) if scale else float(difference))
    limit = tolerance(work.problem.results[0][1])
    return worst, None if worst <= limit else f"error {worst:.1e} exceeds {limit:.1e}"


def tolerance(dtype: np.dtype) -> float:
    """How much rounding is allowed: fast algorithms lose some digits, wrong results lose most of them."""
    if dtype.kind in "iub":
        return 0.0
    if is_half(dtype):
        return 4 * 2.0**-8 if dtype.kind != "f" else 4 * 2.0**-11
    return 1000 * float(np.finfo(dtype).eps)
