"""The message of an `UnsupportedError`, in a few lines: what was requested, why it is not possible, what would be.

`Plan.explain` shows the reason of each of some 150 kernels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from fastconv.core.problems.base import Problem
from fastconv.dispatch.missing import NOT_COMPILED
from fastconv.dispatch.options import Options
from fastconv.dispatch.survey import Candidate, survey

REASONS, NAMES = 3, 6  # that are listed
ABSENT = ("numba is not installed", NOT_COMPILED)  # how the reasons of a missing backend begin
EXPLAIN = 'fastconv.plan(..., backend="reference").explain() shows what every kernel says'


def near_matches(name: str, names: Iterable[str]) -> str:
    """`names` similar to `name`, the best first; all of them if none is."""
    known = list(names)
    return ", ".join(get_close_matches(name, known, NAMES) or known)


def refusal(problem: Problem, options: Options, candidates: tuple[Candidate, ...]) -> str:
    """The message for a problem that no kernel accepts under these options.

    Parameters
    ----------
    problem, options
    candidates : tuple of Candidate
        One for every kernel of the family, with its reason.
    """
    named = {
        n: getattr(options, n) for n in ("backend", "algorithm", "tol", "max_workspace")
        if getattr(options, n) not in (None, "auto")
    }  # fmt: skip
    asked = "".join(f", {n}={v!r}" for n, v in named.items())
    (shape, dtype), *_ = problem.results
    lines = [f"no kernel can do this: {problem.op}, result {shape} of {dtype}{asked}"]
    meant = [c for c in candidates if _is_meant(c, options)]
    missing = next((str(c.reason) for c in meant if str(c.reason).startswith(ABSENT)), None)
    if options.backend != "auto" and missing is not None:
        lines = [f"backend={options.backend!r} was asked for, but {missing}"]
    elif meant:
        lines.append(f"  why not: {_reasons(meant)}")
    else:
        lines.append(f"  why not: {_absent(problem.op, options, candidates)}")
    return "\n".join([*lines, f"  what would do: {_remedy(problem, options, named)}", f"  {EXPLAIN}"])


def _is_meant(c: Candidate, options: Options) -> bool:
    kernel = c.kernel
    return options.backend in ("auto", kernel.backend) and options.algorithm in (
        "auto", kernel.algorithm, kernel.name,
    )  # fmt: skip


def _reasons(candidates: list[Candidate]) -> str:
    """The reasons: first why a whole backend is missing, then what options exclude, then the most frequent ones."""
    # Reasons of kernels for another direction (gradients) do not help, unless there are no others.
    own = [c for c in candidates if not str(c.reason).startswith("direction ")] or candidates
    reasons = [str(c.reason) for c in own]
    able = {str(c.reason) for c in own if c.able}  # of kernels that could do it, but for the options
    alike: dict[str, list[str]] = {}
    for reason in reasons:
        alike.setdefault(re.sub(r"\d+", "#", reason), []).append(reason)
    found = sorted(
        alike.values(), key=lambda same: (not same[0].startswith(ABSENT), able.isdisjoint(same), -len(same))
    )
    told = [f"{same[0]} ({len(same)} of {len(reasons)} kernels)" for same in found[:REASONS]]
    more = len(found) - len(told)
    return "; ".join([*told, f"and {more} more reasons"] if more else told)


def _absent(op: str, options: Options, candidates: tuple[Candidate, ...]) -> str:
    """Why the options exclude all kernels: a name that the family, or the backend, does not have."""
    family = [c.kernel for c in candidates]
    here = [k for k in family if options.backend in ("auto", k.backend)]
    if not here:
        return f"{op} has no kernels of backend {options.backend!r}, only {_list({k.backend for k in family})}"
    where = op if options.backend == "auto" else f"{op} of backend {options.backend!r}"
    names = sorted({k.algorithm for k in here})
    close = get_close_matches(options.algorithm, [*names, *(k.name for k in here)], NAMES)
    near = f"; near matches: {', '.join(close)}" if close else ""
    return f"{where} has no algorithm {options.algorithm!r}, only {_list(names)}{near}"


def _remedy(problem: Problem, options: Options, named: dict[str, Any]) -> str:
    """Which options the user could change."""
    default = Options()

    def able(*names: str) -> list[Candidate]:
        relaxed = replace(options, **{n: getattr(default, n) for n in names if n in named})
        return [c for c in survey(problem, relaxed) if c.reason is None]

    ways = []
    if "max_workspace" in named and (found := able("max_workspace")):
        least = min(found, key=lambda c: c.workspace)
        ways.append(f"a larger max_workspace: {least.kernel.name} needs the least, {least.workspace} bytes")
    if "tol" in named and (found := able("tol")):
        best = min(found, key=lambda c: c.error)
        ways.append(f"tol={best.error:.1e}")
    for name in ("algorithm", "backend"):
        if name in named and (found := able(name)):
            ways.append(f"{name}={_list({getattr(c.kernel, name) for c in found}, repr)}")
    if not ways and len(named) > 1 and (found := able(*named)):
        ways.append(f"none of these options: {_list([c.kernel.name for c in found])}")
    return "; or ".join(ways) if ways else "backend='reference', the definition, slowly"


def _list(names: Iterable[str], show: Callable[[str], str] = str) -> str:
    """The first `names`, on one line."""
    known = sorted(names) if isinstance(names, set) else list(names)
    return ", ".join([*map(show, known[:NAMES]), *(["..."] if len(known) > NAMES else [])])
