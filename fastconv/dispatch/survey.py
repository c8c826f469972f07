"""What kernels state about a problem: whether they can do it under some options, and how well.

`survey` asks every kernel everything, for tables and errors.  `fastest` asks what a choice needs, and no more: a
program whose calls never have the same shape twice waits for it in each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isnan
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from fastconv.core import machine
from fastconv.core.kernel import Kernel, epsilon
from fastconv.core.problems.base import Problem, is_half
from fastconv.dispatch import wisdom
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.options import DEFAULT_TOL, Options
from fastconv.dispatch.registry import ORACLE
from fastconv.machines import host_table
from fastconv.typing import Activation


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of `Plan.explain`: a kernel and what it says about the problem; `workspace` is that of one thread.

    Its cost is infinite if it cannot do the problem, and NaN if it states none.
    """

    kernel: Kernel[Any]
    reason: str | None
    cost: float = inf
    measured: float | None = None
    workspace: int = 0
    error: float = 0.0
    bound: float = 0.0

    @property
    def able(self) -> bool:
        """Whether the kernel can do the problem, whatever the options say."""
        return self.cost != inf


def default_tol(problem: Problem) -> float:
    """The largest error that is admitted if the user sets no `tol`.

    To the rounding of a result to 16 bits, which all kernels have, an algorithm may add a 64th.
    """
    dtype = problem.results[0][1]
    if is_half(dtype):
        return DEFAULT_TOL + epsilon(dtype) * (1 + 1 / 64)
    wide = getattr(problem, "acc", None) == np.float64
    return DEFAULT_TOL * float(np.finfo(np.float64).eps / np.finfo(np.float32).eps) if wide else DEFAULT_TOL


def _limit_reason(kernel: Kernel[Any], problem: Problem, options: Options, workspace: int, error: float) -> str | None:
    """Why a kernel that could do the problem is beyond the limits of the options, or of this machine."""
    tol = default_tol(problem) if options.tol is None else options.tol
    if not kernel.exact and error > tol and options.algorithm == "auto":
        return f"error {error:.1e} exceeds tol {tol:.1e}"
    if workspace > machine.memory():
        return f"workspace of {workspace} bytes exceeds the memory of this machine, {machine.memory()}"
    if options.max_workspace is not None and workspace > options.max_workspace:
        return f"workspace of {workspace} bytes exceeds max_workspace {options.max_workspace}"
    return None


def _name_reason(kernel: Kernel[Any], options: Options) -> str | None:
    """Why the options exclude a kernel by its name, backend or algorithm."""
    named = options.algorithm in (kernel.algorithm, kernel.name)
    if kernel.backend == ORACLE and options.backend != ORACLE and not named:
        return f"the oracle: by backend={ORACLE!r} or algorithm={kernel.algorithm!r} only"
    if options.backend not in ("auto", kernel.backend):
        return f"backend={options.backend!r} was asked for"
    if options.algorithm != "auto" and not named:
        return f"algorithm={options.algorithm!r} was asked for"
    return None


def fusable(kernel: Kernel[Any], problem: Problem) -> tuple[Problem, Activation | None]:
    """The problem that `kernel` can take, and the activation left for the plan."""
    activation = getattr(problem, "activation", None)
    if activation is None or activation in kernel.activations:
        return problem, None
    return replace(problem, activation=None), activation  # type: ignore[call-arg]


class Predictor:
    """Predicts the seconds of kernels for a problem.

    Costs are those of one image on one thread, whatever the batch and the number of threads: the choice, and with it
    the bits of the result, must not depend on them.  Gradients of weights are sums over the batch, and their
    costs are those of the whole batch.  Of small images, the cost is the geometric mean of one image alone and one of
    many.
    """

    def __init__(self, problem: Problem) -> None:
        self._table, self._many = host_table(), problem.many_images()
        self._images = 1 if self._many is None else self._many.n  # type: ignore[attr-defined]
        self.least = self._images**-0.5  # of the seconds of one image: many of them take no less time

    def one_image(self, kernel: Kernel[Any], inner: Problem) -> float:
        """The seconds of one image, given the problem as the kernel can take it."""
        return kernel.cost(inner.one_image(), self._table)

    def seconds(self, kernel: Kernel[Any], one_image: float) -> float:
        """The prediction, given that for one image."""
        if self._many is None:
            return one_image
        return (one_image * kernel.cost(fusable(kernel, self._many)[0], self._table) / self._images) ** 0.5


def survey(problem: Problem, options: Options) -> tuple[Candidate, ...]:
    """What every registered kernel states about `problem`, in registry order."""
    predictor, rows = Predictor(problem), []
    for kernel in all_kernels(problem.op):
        inner, _ = fusable(kernel, problem)
        reason = kernel.reject(inner)
        if reason is not None:
            rows.append(Candidate(kernel, reason))
            continue
        workspace, error = kernel.workspace(inner), kernel.error(inner)
        excluded = _limit_reason(kernel, problem, options, workspace, error) or _name_reason(kernel, options)
        cost = predictor.seconds(kernel, predictor.one_image(kernel, inner))
        measured = wisdom.measured(kernel, problem)
        rows.append(Candidate(kernel, excluded, cost, measured, workspace, error, kernel.bound(inner)))
    return tuple(rows)


class Fastest(NamedTuple):
    """The kernel to run, and what has to be measured before that is final.

    `unmeasured` is the kernel itself, followed by those that state no cost; it is empty where there are none.
    """

    kernel: Kernel[Any]
    unmeasured: tuple[Kernel[Any], ...]


def fastest(
    problem: Problem, options: Options, order: str | None = None, refused: list[str] | None = None
) -> Fastest | None:
    """The fastest kernel that `survey` has no reason against: by measured times if there are any, else by predictions.

    The two are never compared.  Of algorithms that transform images only the widest instruction set is asked: narrower
    ones are faster where there is little to do, and there such algorithms are not.

    Parameters
    ----------
    problem, options
    order : str or None
        Kernels of this order of summation only.
    refused : list or None
        Takes why kernels cannot do the problem.
    """
    able = _able(problem, options, order, refused)
    found = (_measured(able, problem, options) if wisdom.known(problem) else None) or _predicted(able, problem, options)
    if found is None:
        return None
    new = [one for one in able if not one[0].states_cost and wisdom.measured(one[0], problem) is None]
    others = tuple(k for k, inner in new if k is not found and _is_admitted(k, inner, problem, options))
    return Fastest(found, (found, *others) if others else ())


def orders_by_cost(problems: tuple[Problem, ...], options: Options) -> list[str]:
    """Orders of summation, first the one whose fastest kernels are predicted to take least for all of `problems`.

    Of their times the geometric mean counts.
    """
    table, means = host_table(), dict[str, float]()
    for number, problem in enumerate(problems):
        least = dict[str, float]()
        for kernel, inner in _able(problem, options):
            if kernel.states_cost:
                least[kernel.order] = min(kernel.cost(inner, table), least.get(kernel.order, inf))
        means = {order: cost * means.get(order, inf) for order, cost in least.items()} if number else least
    return sorted(means, key=means.__getitem__)


def _able(
    problem: Problem, options: Options, order: str | None = None, refused: list[str] | None = None
) -> list[tuple[Kernel[Any], Problem]]:
    """The kernels that can do the problem and that no option excludes by name, each with the problem as it takes it."""
    able: list[tuple[Kernel[Any], Problem]] = []
    known, widest = bool(wisdom.known(problem)), set()
    for kernel in all_kernels(problem.op):
        if (order is not None and kernel.order != order) or _name_reason(kernel, options) is not None:
            continue
        whatever_isa = "" if kernel.exact or known else kernel.name.partition("@")[0]
        if whatever_isa in widest:
            continue
        inner, _ = fusable(kernel, problem)
        reason = kernel.reject(inner)
        if reason is None:
            able.append((kernel, inner))
            if whatever_isa:
                widest.add(whatever_isa)
        elif refused is not None:
            refused.append(reason)
    return able


def _measured(able: list[tuple[Kernel[Any], Problem]], problem: Problem, options: Options) -> Kernel[Any] | None:
    """The admitted kernel that was measured to be the fastest."""
    times = [(wisdom.measured(kernel, problem), kernel, inner) for kernel, inner in able]
    ranked = sorted((t for t in times if t[0] is not None), key=itemgetter(0))
    return next((kernel for _, kernel, inner in ranked if _is_admitted(kernel, inner, problem, options)), None)


def _predicted(able: list[tuple[Kernel[Any], Problem]], problem: Problem, options: Options) -> Kernel[Any] | None:
    """The admitted kernel that is predicted to be the fastest; those that state no cost, NaN, are the last ones."""
    predictor = Predictor(problem)
    alone = [(predictor.one_image(kernel, inner), kernel, inner) for kernel, inner in able]
    best, least = None, inf
    for cost, kernel, inner in sorted(alone, key=lambda row: (isnan(row[0]), row[0])):
        if cost * predictor.least >= least:
            break
        seconds = predictor.seconds(kernel, cost)
        if (best is None or seconds < least) and _is_admitted(kernel, inner, problem, options):
            best, least = kernel, seconds
    return best


def _is_admitted(kernel: Kernel[Any], inner: Problem, problem: Problem, options: Options) -> bool:
    return _limit_reason(kernel, problem, options, kernel.workspace(inner), kernel.error(inner)) is None
