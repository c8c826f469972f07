"""What every kernel of a family states about a problem: whether it can do it under some options, and how well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from fastconv.core import machine
from fastconv.core.kernel import Kernel, epsilon
from fastconv.core.problems.base import NOMINAL_ROWS, Problem, is_half
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


def _option_reason(kernel: Kernel[Any], problem: Problem, options: Options, workspace: int, error: float) -> str | None:
    """Why the options exclude a kernel that could do the problem."""
    tol = default_tol(problem) if options.tol is None else options.tol
    if not kernel.exact and error > tol and options.algorithm == "auto":
        return f"error {error:.1e} exceeds tol {tol:.1e}"
    if workspace > machine.memory():
        return f"workspace of {workspace} bytes exceeds the memory of this machine, {machine.memory()}"
    if options.max_workspace is not None and workspace > options.max_workspace:
        return f"workspace of {workspace} bytes exceeds max_workspace {options.max_workspace}"
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


def survey(problem: Problem, options: Options) -> tuple[Candidate, ...]:
    """What every registered kernel states about `problem`, in registry order.

    Costs are those of one image on one thread, whatever the batch and the number of threads: the choice, and with it
    the bits of the result, must not depend on them.  Gradients of weights are sums over the batch, and their
    costs are those of the whole batch.  Of small images, the cost is the geometric mean of one image alone and one of
    many.
    """
    table, many = host_table(), problem.many_images()
    times = wisdom.known(problem)
    rows = []
    for kernel in all_kernels(problem.op):
        inner, _ = fusable(kernel, problem)
        reason = kernel.reject(inner)
        if reason is not None:
            rows.append(Candidate(kernel, reason))
            continue
        workspace, error = kernel.workspace(inner), kernel.error(inner)
        revision, seconds = times.get(kernel.name, (None, None))
        cost = kernel.cost(inner.one_image(), table)
        if many is not None:
            cost = (cost * kernel.cost(fusable(kernel, many)[0], table) / NOMINAL_ROWS) ** 0.5
        rows.append(
            Candidate(
                kernel,
                _option_reason(kernel, problem, options, workspace, error),
                cost,
                seconds if revision == kernel.revision else None,
                workspace,
                error,
                kernel.bound(inner),
            )
        )
    return tuple(rows)
