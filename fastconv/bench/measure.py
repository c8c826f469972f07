"""One problem and everyone who can compute it: results are checked against float64, then timed in turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from fastconv.bench import peers as _peers
from fastconv.bench.busy import Others
from fastconv.bench.environment import environment
from fastconv.bench.filters import Unplanned
from fastconv.bench.only import EVERY, Only
from fastconv.bench.peers.base import Contender, Unsupported
from fastconv.bench.records import Roofline, Row, counts_flops
from fastconv.bench.results import Comparison
from fastconv.bench.roofline import roofline
from fastconv.bench.timing import ROUNDS, Times, interleave, limit_blas, settled
from fastconv.bench.work import Work, canonical_results, error_of, exact, make_work
from fastconv.core.errors import did_you_mean, shown
from fastconv.dispatch import wisdom
from fastconv.dispatch.plan import Plan
from fastconv.dispatch.survey import Candidate
from fastconv.typing import Data, Door

REFERENCE_FLOPS = 2e6  # the reference checks everything, but is timed on small problems only
SECONDS = 0.5
SLOW = 5.0  # contenders this many times slower than the fastest get one sample
NEAR = 0.05  # relative to the largest result: peers that filter images so far from the definition are timed, and marked
CALLED = "called"  # in place of a kernel's name
DOORS: tuple[str, ...] = get_args(Door)
DATA: tuple[str, ...] = get_args(Data)

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``."""


@dataclass(slots=True)
class _Entry:
    """A contender on its way to a row."""

    contender: Contender
    kind: str
    error: float
    candidate: Candidate | None = None
    other: bool = False


class _Field:
    """The contenders: entries to be timed, rows of those whose results are wrong, and notes on those left out."""

    def __init__(self, work: Work) -> None:
        self.work, self.expected = work, exact(work)
        self.entries: list[_Entry] = []
        self.rows: list[Row] = []
        self.left_out: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.versions = {"numpy": np.__version__}

    def add_kernel(self, candidate: Candidate, only: Only) -> None:
        """Add a kernel, or the reason why it does not take part."""
        name = candidate.kernel.name
        reason = _left_out(candidate, self.work) or only.reject(candidate.kernel)
        if reason is not None:
            self.left_out.append((name, reason))
            return
        try:
            contender = _kernel(self.work, name)
        except Exception as e:  # a kernel that raises is a row of the table
            self.rows.append(Row(name, "fastconv", "failed", _first_line(e), name == self.work.plan.kernel))
            return
        self._check(contender, "fastconv", candidate)

    def add_called(self) -> None:
        """Add the public function in place of kernels."""
        self._check(_called(self.work), "fastconv")

    def add_peer(self, peer: str, door: str, stack: ExitStack) -> None:
        """Add a peer, its threads limited as long as `stack` is open, or a note."""
        reason = _peers.missing(peer)
        if reason is not None:
            self.notes.append(reason)
            return
        module = _peers.load(peer)
        stack.enter_context(module.limit(self.work.threads))
        try:
            offered = module.contenders(self.work)
        except Unsupported as e:
            self.notes.append(f"{peer}: {e}")
            return
        except Exception as e:  # other libraries raise what they like: it becomes a note
            self.notes.append(f"{peer}: refuses this ({_first_line(e)})")
            return
        self.versions[peer] = _peers.version(peer)
        for contender in offered:
            if door == CALLED and contender.prepacked:
                self.notes.append(f"{contender.name}: packs weights beforehand")
            else:
                self._check(contender, "peer")

    def _check(self, contender: Contender, kind: str, candidate: Candidate | None = None) -> None:
        """Run a contender once; time it later if the result is right, else state what is wrong in a row."""
        chosen = candidate is not None and contender.name == self.work.plan.kernel
        try:
            error, wrong = error_of(self.work, contender.results(contender.run()), self.expected)
        except Exception as e:  # a contender that raises is a row of the table
            self.rows.append(Row(contender.name, kind, "failed", _first_line(e), chosen))
            return
        other = wrong is not None and kind == "peer" and bool(self.work.blocks) and error <= NEAR
        if wrong is None or other:
            self.entries.append(_Entry(contender, kind, error, candidate, other))
        else:
            finite = error if np.isfinite(error) else None
            self.rows.append(Row(contender.name, kind, "wrong", wrong, chosen, error=finite))


def measure(
    operation: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    peers: Iterable[str] = tuple(_peers.PEERS),
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    record: bool = False,
    progress: Progress | None = None,
    title: str | None = None,
    door: str = "planned",
    cold: bool = False,
    data: str = "normal",
    budget: float | None = None,
    only: Only = EVERY,
) -> Comparison:
    """What `fastconv.compare` does; see there."""
    if door not in DOORS:
        raise ValueError(f"door must be one of {', '.join(DOORS)}, got {door!r}")
    if data not in DATA:
        raise ValueError(f"data must be one of {', '.join(DATA)}, got {data!r}")
    names = tuple(peers) if isinstance(peers, Iterable) and not isinstance(peers, str) else (peers,)
    unknown = [n for n in names if not isinstance(n, str) or n not in _peers.PEERS]
    if unknown:
        raise ValueError(f"peers must be among {', '.join(_peers.PEERS)}, got {shown(unknown[0])}"
                         f"{did_you_mean(unknown[0], _peers.PEERS)}")  # fmt: skip
    tell = progress or (lambda what, done, total: None)
    work = restricted(make_work(operation, args, kwargs, data), only, door)
    door = CALLED if isinstance(work.plan, Unplanned) else door
    problem, about, others = work.problem, environment(), Others()
    tell("float64 result", 0, 1)
    field = _Field(work)
    limits = roofline(work.threads, problem.results[0][1])
    with ExitStack() as stack:
        limit_blas(stack, work.threads, field.notes)
        considered = work.plan.explain().candidates if door == "planned" else ()
        if door == CALLED:
            field.add_called()
        total = len(considered) + len(names)
        for done, candidate in enumerate(considered):
            tell(candidate.kernel.name, done, total)
            field.add_kernel(candidate, only)
        for done, peer in enumerate(names, len(considered)):
            tell(peer, done, total)
            field.add_peer(peer, door, stack)
        finished = 0

        def step() -> None:
            nonlocal finished
            finished += 1
            tell("timing", finished, rounds)

        runs = [e.contender.run for e in field.entries]
        keep = [i for i, e in enumerate(field.entries) if _is_chosen(e, work)]
        limit = math.inf if budget is None else budget
        times = interleave(runs, seconds, work.threads, rounds, step, cold, SLOW, keep, limit)
    if record and not settled([t for e, t in zip(field.entries, times, strict=True) if e.candidate is not None]):
        field.notes.append("nothing was recorded: the times of the fastest kernels scatter too much to tell them apart")
    elif record:
        for entry, t in zip(field.entries, times, strict=True):
            if entry.candidate is not None:
                wisdom.record(entry.candidate.kernel, problem, t.median)
    rows = field.rows + _timed_rows(work, field.entries, times, limits)
    rows.sort(key=lambda r: (r.seconds is None, r.seconds))
    return Comparison(
        title=title or _title(work),
        problem=str(problem),
        dtype=str(work.canonical.dtype),
        threads=work.threads,
        unit="GFLOP/s" if counts_flops(problem) else "GB/s",
        flops=problem.flops,
        bytes=problem.bytes,
        roofline=limits,
        rows=tuple(rows),
        left_out=tuple(field.left_out),
        notes=tuple(field.notes),
        versions=field.versions,
        door=door,
        cold=cold,
        busy=others.processors(),
        environment=about,
    )


def _is_chosen(entry: _Entry, work: Work) -> bool:
    """Whether fastconv chooses this contender by itself."""
    return entry.kind == "fastconv" and entry.contender.name in (CALLED, work.plan.kernel)


def _timed_rows(work: Work, entries: list[_Entry], times: list[Times], limits: Roofline) -> list[Row]:
    problem = work.problem
    counted = problem.flops if counts_flops(problem) else problem.bytes
    best_peer = min((t.median for e, t in zip(entries, times, strict=True) if e.kind == "peer"), default=None)
    rows = []
    for entry, t in zip(entries, times, strict=True):
        name, candidate = entry.contender.name, entry.candidate
        rows.append(
            Row(
                name=name,
                kind=entry.kind,
                chosen=_is_chosen(entry, work),
                seconds=t.median,
                low=t.low,
                high=t.high,
                samples=t.samples,
                rate=counted / t.median,
                roofline=limits.seconds(problem) / t.median,
                workspace=None if candidate is None else candidate.workspace,
                error=entry.error,
                bound=None if candidate is None else candidate.bound,
                ratio=None if best_peer is None else best_peer / t.median,
                admitted=candidate is None or candidate.reason is None,
                other=entry.other,
            )
        )
    return rows


def restricted(work: Work, only: Only, door: str) -> Work:
    """The same work with the plan that fastconv would choose if there were no other kernels."""
    plan = work.plan
    candidates = plan.explain().candidates if only != EVERY else ()
    able = [c for c in candidates if c.able and only.reject(c.kernel) is None]
    if only == EVERY or plan.kernel in (c.kernel.name for c in able):
        return work
    if not able or isinstance(plan, Unplanned):
        raise ValueError(f"no kernel that is asked for can do this: {work.name}")
    best = min(able, key=lambda c: (c.reason is not None, c.cost != c.cost, c.cost)).kernel.name
    kwargs = {**work.kwargs, "algorithm": best} if door == CALLED else work.kwargs
    return replace(work, plan=plan.with_kernel(best), kwargs=kwargs)


def _left_out(candidate: Candidate, work: Work) -> str | None:
    """Why a kernel is not measured: it cannot do it, the options exclude it, or it is the reference."""
    kernel = candidate.kernel
    if not candidate.able:
        return candidate.reason
    asked = work.kwargs.get("backend")
    if asked not in (None, "auto", kernel.backend):
        return f"backend={asked!r} was asked for"
    asked = work.kwargs.get("algorithm")
    if asked not in (None, "auto", kernel.algorithm, kernel.name):
        return f"algorithm={asked!r} was asked for"
    if kernel.backend == "reference" and work.problem.flops > REFERENCE_FLOPS and candidate.reason:
        return "the definition: it checks the others and is timed on small problems only"
    return None


def _called(work: Work) -> Contender:
    """The public function as users call it: it chooses, packs and runs."""
    operation, args, kwargs = work.operation, work.args, work.kwargs
    return Contender(
        CALLED,
        lambda: operation(*args, **kwargs),
        lambda y: canonical_results(work, tuple(r for r in (y if isinstance(y, tuple) else (y,)) if r is not None)),
    )


def _kernel(work: Work, name: str) -> Contender:
    assert isinstance(work.plan, Plan)
    plan, x = work.plan.with_kernel(name), work.x
    return Contender(name, lambda: plan(x), lambda y: canonical_results(work, y if isinstance(y, tuple) else (y,)))


def _first_line(e: BaseException) -> str:
    lines = str(e).strip().splitlines()
    return f"{type(e).__name__}: {lines[0][:160]}" if lines else type(e).__name__


def _title(work: Work) -> str:
    """The call in short: arrays by their shapes."""

    def short(value: Any) -> str:
        return "x".join(map(str, value.shape)) if isinstance(value, np.ndarray) else repr(value)

    words = [short(a) for a in work.args]
    words += [f"{k}={short(v)}" for k, v in work.kwargs.items() if k not in ("backend", "threads")]
    return f"{work.name}({', '.join(words)})"
