"""Choose a kernel, remember the choice, run it, explain it.

Every public operation builds a `Call` and hands it to `submit`; there is no second way in.
Inside `planning()` the same call stops before the kernel and comes back as a `Plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from fastconv.core import machine
from fastconv.core.arrays import aligned_empty, as_array, as_outs, overlaps
from fastconv.core.errors import DTypeError, ShapeError, UnsupportedError
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.base import Problem
from fastconv.dispatch import wisdom
from fastconv.dispatch.options import DEFAULT_TOL, DEFAULT_WORKSPACE, Options
from fastconv.dispatch.registry import kernels

CACHE_SIZE = 512

View = Callable[[np.ndarray], np.ndarray]
Results = tuple[tuple[tuple[int, ...], np.dtype], ...]


@dataclass(slots=True)
class Call:
    """One operation with its arrays, ready to run.

    Attributes
    ----------
    problem : Problem
    x : ndarray
        The array that changes from run to run, as the user gave it.
    constants : tuple
        Arrays fixed by a plan, in canonical shape, or None.
    options : Options
    shapes : tuple of tuple of int
        The user's shape of each result.
    out : tuple of (ndarray or None)
        The user's array for each result, if given.
    enter, view : callable
        From the user's x, and from a contiguous result of the user's shape, to the canonical views
        that kernels take.  `enter` also copies an x that breaks the contract of `core.kernel`.
    """

    problem: Problem
    x: np.ndarray
    constants: tuple[Any, ...]
    options: Options
    shapes: tuple[tuple[int, ...], ...]
    out: tuple[np.ndarray | None, ...]
    enter: View
    view: View


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of `Plan.explain`: a kernel and what was found out about it."""

    kernel: Kernel[Any]
    reason: str | None
    cost: float = float("inf")
    measured: float | None = None
    workspace: int = 0
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The kernel for a problem under options, and everything that was considered."""

    problem: Problem  # as the kernel sees it: an activation that it cannot fuse is taken out
    kernel: Kernel[Any]
    candidates: tuple[Candidate, ...]
    threads: int
    after: str | None  # activation applied in a pass of its own


_planning: ContextVar[bool] = ContextVar("fastconv_planning", default=False)


def _option_reason(kernel: Kernel[Any], problem: Problem, options: Options, workspace: int, error: float) -> str | None:
    """Why the options exclude a kernel that could do the problem."""
    tol = DEFAULT_TOL if options.tol is None else options.tol
    if not kernel.exact and error > tol and options.algorithm == "auto":
        return f"error {error:.1e} exceeds tol {tol:.1e}"
    limit = DEFAULT_WORKSPACE if options.max_workspace is None else options.max_workspace
    if workspace > limit:
        return f"workspace of {workspace} bytes exceeds max_workspace {limit}"
    if options.backend not in ("auto", kernel.backend):
        return f"backend={options.backend!r} was asked for"
    if options.algorithm not in ("auto", kernel.algorithm):
        return f"algorithm={options.algorithm!r} was asked for"
    return None


def _fusable(kernel: Kernel[Any], problem: Problem) -> tuple[Problem, str | None]:
    """The problem that `kernel` can take, and the activation left for the plan."""
    activation = getattr(problem, "activation", None)
    if activation is None or activation in kernel.activations:
        return problem, None
    return replace(problem, activation=None), activation  # type: ignore[call-arg]


def survey(problem: Problem, options: Options) -> tuple[Candidate, ...]:
    """What every registered kernel says about `problem`, in registry order.

    Costs are those of one image on one thread, whatever the call has: the choice, and with it the bits of the result,
    must depend neither on the batch nor on the number of threads.
    """
    host = machine.host().with_threads(1)
    times = wisdom.known(problem)
    rows = []
    for kernel in kernels(problem.op):
        inner, _ = _fusable(kernel, problem)
        reason = kernel.reject(inner)
        if reason is not None:
            rows.append(Candidate(kernel, reason))
            continue
        workspace, error = kernel.workspace(inner), kernel.error(inner)
        revision, seconds = times.get(kernel.name, (None, None))
        rows.append(
            Candidate(
                kernel,
                _option_reason(kernel, problem, options, workspace, error),
                kernel.cost(inner.one_image(), host),
                seconds if revision == kernel.revision else None,
                workspace,
                error,
            )
        )
    return tuple(rows)


def choose(problem: Problem, options: Options) -> Choice:
    """The best admissible kernel; choices are kept in a bounded cache.

    Raises
    ------
    UnsupportedError
        If no kernel admits the problem under these options.
    """
    return _choose(problem, options, options.thread_count())


@lru_cache(maxsize=CACHE_SIZE)
def _choose(problem: Problem, options: Options, threads: int) -> Choice:
    candidates = survey(problem, options)
    usable = [c for c in candidates if c.reason is None]
    if not usable:
        lines = "\n".join(f"  {c.kernel.name}: {c.reason}" for c in candidates)
        raise UnsupportedError(f"no kernel can do this:\n  {problem}\n{lines}")
    # A measured time beats a prediction only among measured kernels: the two scales differ.
    measured = [c for c in usable if c.measured is not None]
    best = min(measured, key=lambda c: c.measured) if measured else min(usable, key=lambda c: c.cost)  # type: ignore[arg-type, return-value]
    inner, after = _fusable(best.kernel, problem)
    return Choice(inner, best.kernel, candidates, threads, after)


def choice_for(kernel: Kernel[Any], problem: Problem, options: Options) -> Choice:
    """The choice that runs `kernel` whatever its cost, for `compare` and tests."""
    inner, after = _fusable(kernel, problem)
    reason = kernel.reject(inner)
    if reason is not None:
        raise UnsupportedError(f"{kernel.name} cannot do this: {reason}\n  {problem}")
    return Choice(inner, kernel, survey(problem, options), options.thread_count(), after)


def clear_cache() -> None:
    """Forget every choice."""
    _choose.cache_clear()


def _prepare(choice: Choice, constants: tuple[Any, ...]) -> Run:
    run = choice.kernel.prepare(choice.problem, constants, choice.threads)
    if choice.after is None:
        return run
    from fastconv.backends.numpy.activation import apply_in_place

    after = choice.after

    def run_then_activate(x: np.ndarray, *outs: np.ndarray) -> None:
        run(x, *outs)
        apply_in_place(after, outs[0])

    return run_then_activate


def _execute(
    call: Call, run: Run, x: np.ndarray, outs: tuple[Any, ...], results: Results, fixed: tuple[Any, ...]
) -> Any:
    """Run on arrays of the user's shape; allocate what was not given.

    `fixed` are those constants that the caller may have passed as `out`, too.
    """
    places = zip(call.shapes, results, outs, strict=True)
    targets = [_target(shape, dtype, given, x, fixed) for shape, (_, dtype), given in places]
    run(call.enter(x), *map(call.view, targets))
    for i, given in enumerate(outs):
        if given is not None and given is not targets[i]:
            np.copyto(given, targets[i])
            targets[i] = given
    return targets[0] if len(targets) == 1 else tuple(targets)


def _target(shape: tuple[int, ...], dtype: np.dtype, given: Any, x: np.ndarray, fixed: tuple[Any, ...]) -> np.ndarray:
    """Where a kernel may write a result: `given` itself, or an array of its own where that would not do."""
    if given is None:
        return aligned_empty(shape, dtype)
    _check_out(shape, dtype, given)
    if given.flags.carray and not np.may_share_memory(given, x) and not (fixed and overlaps(given, fixed)):
        return given
    return aligned_empty(shape, dtype)


def _check_out(shape: tuple[int, ...], dtype: np.dtype, given: Any) -> None:
    if not isinstance(given, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(given).__name__}")
    if given.shape != shape:
        raise ShapeError(f"out has shape {given.shape}; the result has {shape}")
    if given.dtype != dtype:
        raise DTypeError(f"out has dtype {given.dtype}; the result has {dtype}")
    if not given.flags.writeable:
        raise ValueError("out is read-only")


def submit(call: Call) -> Any:
    """Run a call and return its result, or its `Plan` inside `planning()`."""
    if _planning.get():
        return Plan(call)
    choice = choose(call.problem, call.options)
    run = _prepare(choice, call.constants)
    return _execute(call, run, call.x, call.out, call.problem.results, call.constants)


@contextmanager
def planning() -> Iterator[None]:
    """Operations called inside return their plan instead of a result."""
    token = _planning.set(True)
    try:
        yield
    finally:
        _planning.reset(token)


@contextmanager
def immediately() -> Iterator[None]:
    """Operations called inside give results, also within `planning()`: for what a plan needs to know beforehand."""
    token = _planning.set(False)
    try:
        yield
    finally:
        _planning.reset(token)


def is_planning() -> bool:
    return _planning.get()


class Plan:
    """A chosen kernel with its packed weights: the fast door to one operation.

    Made by `fastconv.plan`.  Calling it runs the operation on a new first argument.  It is
    re-entrant: several threads may run one plan at the same time.

    Attributes
    ----------
    problem : Problem
        What is computed.
    kernel : str
        Name of the chosen kernel.
    result_shapes : tuple of tuple of int
        Shape of each result of a call.

    Examples
    --------
    >>> import fastconv, numpy as np
    >>> x, w = np.ones((1, 3, 8, 8), "f"), np.ones((4, 3, 3, 3), "f")
    >>> run = fastconv.plan(fastconv.conv2d, x, w, padding=1)
    >>> run(x).shape
    (1, 4, 8, 8)
    """

    __slots__ = ("_call", "_choice", "_dtype", "_results", "_run", "_shape")

    def __init__(self, call: Call, choice: Choice | None = None) -> None:
        self._choice = choose(call.problem, call.options) if choice is None else choice
        # Kernels may keep the constants as they are: later changes of the user's arrays must not be seen.
        own = tuple(c.copy(order="K") if isinstance(c, np.ndarray) else c for c in call.constants)
        call = replace(call, constants=own)
        self._run = _prepare(self._choice, call.constants)
        self._shape, self._dtype = call.x.shape, call.x.dtype
        self._results = call.problem.results
        # The first x is not kept alive: a stand-in without memory has its shape and dtype.
        stand_in = np.broadcast_to(np.zeros((), self._dtype), self._shape)
        self._call = replace(call, x=stand_in, out=(None,) * len(call.shapes))

    @property
    def problem(self) -> Problem:
        return self._call.problem

    @property
    def kernel(self) -> str:
        return self._choice.kernel.name

    @property
    def result_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each result of a call."""
        return self._call.shapes

    def __call__(self, x: Any, *, out: Any = None) -> Any:
        """Run on `x`, an array with the shape and dtype that the plan was made for.

        Parameters
        ----------
        x : array_like
        out : ndarray, or tuple of ndarray where the operation has several results, optional

        Returns
        -------
        ndarray or tuple of ndarray

        Raises
        ------
        ShapeError, DTypeError
            If `x` or `out` is not what the plan was made for.
        """
        if type(x) is not np.ndarray or x.dtype != self._dtype:
            x = as_array(x, "x")
        if x.shape != self._shape:
            raise ShapeError(f"x has shape {x.shape}; this plan was made for {self._shape}")
        if x.dtype != self._dtype:
            raise DTypeError(f"x has dtype {x.dtype}; this plan was made for {self._dtype}")
        outs = (out,) if type(out) is np.ndarray and len(self._results) == 1 else as_outs(out, len(self._results))
        return _execute(self._call, self._run, x, outs, self._results, ())

    def with_kernel(self, name: str) -> Plan:
        """The same operation on the kernel called `name`, whatever its predicted cost.

        Raises
        ------
        ValueError
            If no kernel of this family has that name.
        UnsupportedError
            If the kernel cannot do this problem; the text says why.
        """
        found = {k.name: k for k in kernels(self.problem.op)}
        if name not in found:
            raise ValueError(f"kernel must be one of {', '.join(found)}, got {name!r}")
        return Plan(self._call, choice_for(found[name], self.problem, self._call.options))

    def explain(self) -> Explanation:
        """Every kernel that was considered, with its reason, costs, workspace and error bound."""
        return Explanation(self._choice)

    def __repr__(self) -> str:
        return f"<Plan {self.kernel} for {self.problem}>"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a plan runs what it runs; prints as a table.

    Attributes
    ----------
    chosen : str
        Name of the kernel.
    candidates : tuple of Candidate
        One per registered kernel, in registry order.
    """

    choice: Choice = field(repr=False)

    @property
    def chosen(self) -> str:
        return self.choice.kernel.name

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.choice.candidates

    def __str__(self) -> str:
        head = ("", "kernel", "predicted", "measured", "workspace", "error", "why not")
        rows = [head]
        for c in self.candidates:
            chosen = c.kernel is self.choice.kernel
            known = np.isfinite(c.cost)
            why = "chosen" if chosen else c.reason if c.reason is not None else "slower"
            rows.append(
                (
                    "*" if chosen else "",
                    c.kernel.name,
                    f"{c.cost * 1e6:.1f} us" if known else "-",
                    f"{c.measured * 1e6:.1f} us" if c.measured is not None else "-",
                    f"{c.workspace} B" if known else "-",
                    f"{c.error:.1e}" if known else "-",
                    why,
                )
            )
        widths = [max(len(r[i]) for r in rows) for i in range(len(head) - 1)]
        threads = f"threads: {self.choice.threads}; predictions are for one image on one thread"
        lines = [str(self.choice.problem), threads]
        if self.choice.after is not None:
            lines.append(f"activation {self.choice.after}: a pass of its own ({self.chosen} does not fuse it)")
        lines += ["  ".join([*(c.ljust(w) for c, w in zip(r, widths, strict=False)), r[-1]]).rstrip() for r in rows]
        return "\n".join(lines)

    __repr__ = __str__
