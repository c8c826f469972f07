"""`fastconv selftest`: every kernel that runs on this machine against the plain reference, from an installed wheel."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.bench.selftest_cases import FLOATS, QUICK, Check, checks
from fastconv.bench.table import align, folded
from fastconv.bench.work import canonical_results, error_of, exact, make_work
from fastconv.core.kernel import Kernel
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.registry import ORACLE, ops

BACKENDS = ("cython", "numpy")  # the others compile when they are called first, or run on what these test
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Tried:
    """What became of one kernel.

    Attributes
    ----------
    kernel : Kernel
    runs : int
        Problems that it computed.
    worst : float
        The largest error, relative to the largest result, in units of what is allowed to its dtype.
    failures : list of str
    reasons : Counter
        Why it did not do problems, and how many.
    """

    kernel: Kernel[Any]
    runs: int = 0
    worst: float = 0.0
    failures: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def reason(self) -> str:
        """Why it ran on no problem: what most kernels say seldom says most, as that a processor lacks something."""
        return min(self.reasons, key=self.reasons.__getitem__, default="no problem is for it")


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of a self-test; prints as a table, a row for each backend and instruction set."""

    kernels: tuple[Tried, ...]
    calls: int
    seconds: float
    quick: bool = False

    @property
    def failures(self) -> tuple[str, ...]:
        """What was wrong, a line for each kernel and problem."""
        return tuple(f"{t.kernel.name}: {words}" for t in self.kernels for words in t.failures)

    @property
    def right(self) -> bool:
        """Whether kernels ran and everything was right."""
        return not self.failures and any(t.runs for t in self.kernels)

    def to_text(self, width: int | None = None) -> str:
        """The table, in lines of up to `width` characters."""
        rows = [("backend", "instructions", "kernels", "runs", "wrong", "")]
        groups: dict[tuple[str, str], list[Tried]] = {}
        for tried in self.kernels:
            groups.setdefault((tried.kernel.backend, tried.kernel.isa), []).append(tried)
        left: list[str] = []
        for (backend, isa), some in groups.items():
            ran = [t for t in some if t.runs]
            wrong = sum(len(t.failures) for t in some)
            verdict = "WRONG" if wrong else "right" if ran else "did not run"
            count = f"{len(ran)} of {len(some)}"
            rows.append((backend, isa or "-", count, str(sum(t.runs for t in some)), str(wrong), verdict))
            missing: dict[str, list[str]] = {}
            for tried in some:
                if not tried.runs and not tried.failures:
                    missing.setdefault(tried.reason, []).append(tried.kernel.name)
            left += [_left_out(reason, names) for reason, names in missing.items()]
        lines = align(rows, left=(0, 1))
        lines += folded([f"not run: {words}" for words in left if not self.quick], width)
        lines += folded([f"WRONG: {words}" for words in self.failures], width)
        done = sum(t.runs for t in self.kernels)
        verdict = "all right" if self.right else f"{len(self.failures)} wrong" if self.failures else "nothing ran"
        lines.append(f"{done} runs of kernels on {self.calls} problems in {self.seconds:.0f} s: {verdict}")
        return "\n".join(lines)

    __str__ = to_text


def _left_out(reason: str, names: list[str]) -> str:
    shown = ", ".join(dict.fromkeys(names[:3])) + (f" and {len(names) - 3} others" if len(names) > 3 else "")
    return f"{shown}: {reason}"


def selftest(
    quick: bool = False,
    backends: Iterable[str] = BACKENDS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Tested:
    """Run every kernel of these backends on small problems, and compare each result with the plain reference's.

    Parameters
    ----------
    quick : bool
        float32 and float64 only, and of the calls every fourth.
    backends : iterable of str
        Of the kernels.  Numba's take minutes, as each is compiled when it runs first.
    threads : int, optional
        Of each run.
    progress : callable, optional
        ``progress(what, done, total)``.

    Returns
    -------
    Tested

    Examples
    --------
    >>> from fastconv.bench.selftest import selftest
    >>> selftest(quick=True, backends=["numpy"]).right
    True
    """
    start, names = time.perf_counter(), set(backends)
    tried = {k: Tried(k) for op in ops() for k in all_kernels(op) if k.backend in names and k.backend != ORACLE}
    calls = _calls(quick)
    with np.errstate(all="ignore"):
        for done, check in enumerate(calls):
            if progress is not None:
                progress(str(check), done, len(calls))
            _run(check, tried, threads)
    for one in tried.values():
        isa = one.kernel.isa
        if one.kernel.backend == "cython":
            reason = native.unavailable(isa) if isa else native.build_problem()
            if reason is not None:
                one.reasons = Counter([reason])
    return Tested(tuple(tried.values()), len(calls), time.perf_counter() - start, quick)


def _calls(quick: bool) -> list[Check]:
    with suppress(ImportError):
        import ml_dtypes  # noqa: F401  (gives bfloat16 its name)
    dtypes = FLOATS if find_spec("ml_dtypes") is not None else tuple(d for d in FLOATS if d != "bfloat16")
    return list(checks(QUICK))[::4] if quick else list(checks(dtypes))


def _run(check: Check, tried: dict[Kernel[Any], Tried], threads: int | None) -> None:
    """One call by every kernel that can do it."""
    kwargs = check.kwargs if threads is None else {**check.kwargs, "threads": threads}
    work = make_work(check.operation, check.args, kwargs)
    expected = exact(work)
    for candidate in work.plan.explain().candidates:
        one = tried.get(candidate.kernel)
        if one is None:
            continue
        if not np.isfinite(candidate.cost):
            one.reasons[str(candidate.reason)] += 1
            continue
        for words in _wrong(work, candidate.kernel.name, expected):
            one.failures.append(f"{check}: {words}")
        one.runs += 1


def _wrong(work: Any, name: str, expected: tuple[np.ndarray, ...]) -> Iterator[str]:
    """What is wrong with a kernel's result, if anything."""
    try:
        found = work.plan.with_kernel(name)(work.x)
        results = canonical_results(work, found if isinstance(found, tuple) else (found,))
        words = error_of(work, results, expected)[1]
    except Exception as e:  # a kernel that raises is wrong, too
        words = f"{type(e).__name__}: {e}"
    if words is not None:
        yield words
