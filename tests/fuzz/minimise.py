"""Shrink a case that fails, one step at a time, as long as it still fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from .arrays import Array
from .cases import Case

SECONDS = 20.0


def minimise(case: Case, fails: Callable[[Case], bool], seconds: float = SECONDS) -> Case:
    """The smallest case found that `fails`; at most `seconds` are spent."""
    end = time.monotonic() + seconds
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in candidates(case):
            if time.monotonic() > end:
                return case
            if _does(fails, smaller):
                case, shrinking = smaller, True
                break
    return case


def _does(fails: Callable[[Case], bool], case: Case) -> bool:
    try:
        return fails(case)
    except Exception:  # an invalid case, such as extents that no longer fit
        return False


def candidates(case: Case) -> Iterator[Case]:
    """Cases that are a little simpler: the largest steps first."""
    if case.out is not None:
        yield replace(case, out=None)
    for name in case.options:
        yield replace(case, options={k: v for k, v in case.options.items() if k != name})
    for i, a in enumerate(case.arrays):
        if a is None:
            continue
        if i and not (case.is_gradient and i == 1):
            yield _with(case, i, None)
        yield from _plainer(case, i, a)
    yield from _smaller_extents(case)
    for name, value in case.options.items():
        for smaller in _smaller(value):
            yield replace(case, options={**case.options, name: smaller})


def _with(case: Case, i: int, a: Array | None) -> Case:
    return replace(case, arrays=(*case.arrays[:i], a, *case.arrays[i + 1 :]))


def _plainer(case: Case, i: int, a: Array) -> Iterator[Case]:
    if a.form != "plain":
        yield _with(case, i, replace(a, form="plain"))
    if a.values != "normal" and ":" not in a.values:
        yield _with(case, i, replace(a, values="normal"))
    if a.dtype not in ("float32", "int64", "bool"):
        arrays = tuple(b if b is None or b.dtype != a.dtype else replace(b, dtype="float32") for b in case.arrays)
        yield replace(case, arrays=arrays)
    if a.seed:
        yield _with(case, i, replace(a, seed=0))


def _smaller_extents(case: Case) -> Iterator[Case]:
    """Every extent, wherever it occurs, in one place, and in two, as 1, half of itself, one less."""
    places = [(i, axis, e) for i, a in enumerate(case.arrays) for axis, e in enumerate((a and a.shape) or ()) if e > 1]
    groups = [[p for p in places if p[2] == extent] for extent in sorted({p[2] for p in places}, reverse=True)]
    groups += [[p] for p in places]
    groups += [[p, q] for p, q in combinations(places, 2) if p[2] == q[2]]
    for group in groups:
        extent = group[0][2]
        for smaller in sorted({1, extent // 2, extent - 1}):
            small = case
            for i, axis, _ in group:
                a = small.arrays[i]
                assert a is not None and a.shape is not None
                small = _with(small, i, replace(a, shape=(*a.shape[:axis], smaller, *a.shape[axis + 1 :])))
            yield small


def _smaller(value: Any) -> Iterator[Any]:
    """Simpler values of an option: one number for all axes, a smaller number."""
    if isinstance(value, (bool, str)):
        return
    if isinstance(value, int) and value > 1:
        yield from sorted({1, value // 2, value - 1})
    elif isinstance(value, (tuple, list)) and value:
        if not any(isinstance(v, bool) for v in value):
            yield value[0]
        for i, v in enumerate(value):
            for smaller in _smaller(v):
                yield type(value)((*value[:i], smaller, *value[i + 1 :]))
    elif isinstance(value, Array):
        yield replace(value, form="plain", values="normal" if ":" not in value.values else value.values)
