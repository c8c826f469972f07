"""Choose a kernel, keep the choice, explain it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isnan, prod
from textwrap import wrap
from typing import Any

from fastconv.core.caches import keep_few
from fastconv.core.errors import UnsupportedError
from fastconv.core.kernel import Kernel, epsilon
from fastconv.core.problems.activation import DEFAULTS, elementwise_problem
from fastconv.core.problems.base import Problem
from fastconv.core.units import bytes_text, time_text
from fastconv.dispatch import wisdom
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.missing import warn_of_missing
from fastconv.dispatch.options import Options
from fastconv.dispatch.refusal import near_matches, refusal
from fastconv.dispatch.survey import Candidate, Fastest, fastest, fusable, orders_by_cost, survey
from fastconv.typing import Activation

EXPLAINED = ("", "kernel", "predicted", "measured", "workspace", "error", "bound", "why not")
WIDTH, INDENT = 120, " " * 6  # of lines with names of kernels that cannot do a problem


@dataclass(frozen=True, slots=True)
class Choice:
    """The kernel for a problem under options."""

    asked: Problem
    options: Options
    problem: Problem  # as the kernel sees it: without an activation that it cannot fuse
    kernel: Kernel[Any]
    threads: int  # as many as the user set, or fewer to keep to max_workspace
    after: Choice | None  # for the activation that the kernel does not fuse, a separate pass
    unmeasured: tuple[Kernel[Any], ...] = ()  # what has to be measured before `kernel` is final: see `Fastest`


def bound_text(bound: float) -> str:
    """`Kernel.bound` as tables show it."""
    return f"{bound:.0f} eps" if bound else "0"


def choose(problem: Problem, options: Options) -> Choice:
    """The best admissible kernel; a bounded cache keeps choices.

    Raises
    ------
    UnsupportedError
        If no kernel admits the problem under these options.
    """
    return _choose(problem, options, options.thread_count())


@keep_few()
def _choose(problem: Problem, options: Options, threads: int) -> Choice:
    usual, refused = of_any_rows(problem), list[str]()
    found = general = fastest(problem, options, refused=refused) if usual is problem else _usual(usual, options)
    if usual is not problem:
        found = general and fastest(problem, options, general.kernel.order, refused)
        found = found or fastest(problem, options, refused=refused)
    if options.backend == "auto":
        warn_of_missing(refused)
    if found is None:
        raise UnsupportedError(refusal(problem, options, survey(problem, options)))
    choice = _chosen(found.kernel, problem, options, threads)
    return replace(choice, unmeasured=general.unmeasured) if general else choice


def of_any_rows(problem: Problem) -> Problem:
    """The problem that decides the order of summation: without rows and batch, which decide among kernels of one order.

    Sums of integers are the same in any order.
    """
    return problem.any_rows() if epsilon(problem.results[0][1]) else problem


@keep_few()
def _usual(usual: Problem, options: Options) -> Fastest | None:
    """A kernel of the order that is the fastest for most numbers of rows; many problems have the same."""
    found, few = fastest(usual, options), usual.few_rows()
    if few is None or found is None or found.unmeasured or wisdom.known(usual):
        return found
    orders = orders_by_cost((usual, few), options)
    return next((best for order in orders if (best := fastest(usual, options, order))), found)


def _chosen(kernel: Kernel[Any], problem: Problem, options: Options, threads: int) -> Choice:
    """`kernel`, on as many threads as the limit on scratch allows."""
    inner, activation = fusable(kernel, problem)
    if options.max_workspace is not None:
        while threads > 1 and kernel.total_workspace(inner, threads) > options.max_workspace:
            threads -= 1
    after = None if activation is None else _pass(activation, inner, options, threads)
    return Choice(problem, options, inner, kernel, threads, after)


def _pass(activation: Activation, problem: Problem, options: Options, threads: int) -> Choice:
    """The choice for an activation of what another kernel has written, in place.

    For a backend without activations, such as Numba, another backend is chosen.
    """
    shape, dtype = problem.results[0]
    p = elementwise_problem(activation, DEFAULTS.get(activation, ()), prod(shape), dtype)
    limits = replace(options, algorithm="auto", tol=None)
    try:
        return _choose(p, limits, threads)
    except UnsupportedError:
        return _choose(p, replace(limits, backend="auto"), threads)


def kernel_called(name: str, op: str) -> Kernel[Any]:
    """The registered kernel of that name; ValueError if there is none for this family."""
    found = {k.name: k for k in all_kernels(op)}
    if name not in found:
        raise ValueError(f"no kernel of {op} is called {name!r}; near matches: {near_matches(name, found)}")
    return found[name]


def is_able(kernel: Kernel[Any], problem: Problem) -> bool:
    """Whether `kernel` can do the problem, whatever the options say."""
    return kernel.reject(fusable(kernel, problem)[0]) is None


def choice_for(kernel: Kernel[Any], problem: Problem, options: Options) -> Choice:
    """The choice that runs `kernel` whatever its cost."""
    inner, _ = fusable(kernel, problem)
    reason = kernel.reject(inner)
    if reason is not None:
        raise UnsupportedError(f"{kernel.name} cannot do this: {reason}\n  {problem}")
    return _chosen(kernel, problem, options, options.thread_count())


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a plan runs the kernel that it runs; prints as a table, fastest first, followed by kernels that cannot do it.

    For each kernel it states the expected largest error relative to max|y| for independent data of zero mean, which
    `tol` limits, and the bound that holds on all data, in epsilons of the sum of magnitudes of products over the
    window, or over the tile that an algorithm mixes.

    Attributes
    ----------
    chosen : str
        Name of the kernel.
    candidates : tuple of Candidate
        One per registered kernel, in registry order.
    packed_bytes : int
        What the plan keeps in addition to the weights as they were given: packed weights, and tables.
    """

    choice: Choice = field(repr=False)
    candidates: tuple[Candidate, ...]
    packed_bytes: int

    @classmethod
    def of(cls, choice: Choice, packed_bytes: int) -> Explanation:
        return cls(choice, survey(choice.asked, choice.options), packed_bytes)

    @property
    def chosen(self) -> str:
        return self.choice.kernel.name

    def __str__(self) -> str:
        able = [c for c in self.candidates if c.able]
        rows: list[tuple[str, ...]] = [EXPLAINED]
        rows += [self._row(c) for c in sorted(able, key=lambda c: (isnan(c.cost), c.cost))]
        widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]) - 1)]
        looked_at = "one image" if getattr(self.choice.problem.one_image(), "n", 1) <= 1 else "the whole batch"
        if self.choice.problem.many_images() is not None:
            looked_at += ", alone and of many,"
        threads = f"threads: {self.choice.threads}; predictions are for {looked_at} on one thread"
        passes = [self.choice] if self.choice.after is None else [self.choice, self.choice.after]
        total = max(one.kernel.total_workspace(one.problem, one.threads) for one in passes)
        scratch = f"workspaces are of one thread; of all {self.choice.threads}: {bytes_text(total)}"
        packed = f"packed weights and tables, kept by the plan: {bytes_text(self.packed_bytes)}"
        lines = [self.choice.problem.text(), threads, scratch, packed]
        if self.choice.kernel.note:
            lines.append(f"{self.chosen}: {self.choice.kernel.note}")
        if self.choice.after is not None:
            after = self.choice.after
            lines.append(
                f"activation {after.problem.function}: a pass of its own, by {after.kernel.name} "  # type: ignore[attr-defined]
                f"({self.chosen} does not fuse it)"
            )
        if without := [c.kernel.name for c in able if isnan(c.cost)]:
            lines.append(f"measured where a problem is first met, because they state no cost: {', '.join(without)}")
        lines += ["  ".join([*(c.ljust(w) for c, w in zip(r, widths, strict=False)), r[-1]]).rstrip() for r in rows]
        return "\n".join([*lines, *self._unable()])

    def _row(self, c: Candidate) -> tuple[str, ...]:
        """The table's row for a kernel that can do the problem."""
        chosen = c.kernel is self.choice.kernel
        return (
            "*" if chosen else "",
            c.kernel.name,
            time_text(c.cost),
            time_text(c.measured),
            bytes_text(c.workspace),
            f"{c.error:.1e}",
            bound_text(c.bound),
            "chosen" if chosen else self._why_not(c),
        )

    def _why_not(self, c: Candidate) -> str:
        """Why a kernel that can do the problem was not chosen."""
        problem, kernel = self.choice.problem, self.choice.kernel
        if c.reason is not None:
            return c.reason
        predicted = next(one.cost for one in self.candidates if one.kernel is kernel)
        quicker = problem.any_rows() != problem and c.kernel.order != kernel.order and c.cost < predicted
        return "slower for other numbers of rows, whose bits must be the same" if quicker else "slower"

    def _unable(self) -> list[str]:
        """The other kernels, grouped by reason."""
        names: dict[str, list[str]] = {}
        for c in self.candidates:
            if not c.able:
                names.setdefault(str(c.reason), []).append(c.kernel.name)
        lines = ["cannot do this:"] if names else []
        for reason, found in names.items():
            lines += [f"   {reason}", *wrap(", ".join(found), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)]
        return lines

    __repr__ = __str__
