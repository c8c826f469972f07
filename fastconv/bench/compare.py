"""One problem, everyone who can do it: checked against float64, then timed in turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.bench import peers as _peers
from fastconv.bench.api import DOORS
from fastconv.bench.peers.base import Contender, Unable
from fastconv.bench.roofline import Roofline, counts_flops, roofline
from fastconv.bench.timing import ROUNDS, interleave
from fastconv.bench.work import Work, canonical_results, error_of, exact, make_work
from fastconv.core.errors import shown
from fastconv.dispatch import wisdom
from fastconv.dispatch.choice import Candidate
from fastconv.dispatch.plan import Plan
from fastconv.version import __version__

REFERENCE_FLOPS = 2e6  # the reference checks everything, but is timed on small problems only
SECONDS = 0.5
CALLED = "called"  # in place of a kernel's name

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contender.

    Attributes
    ----------
    name : str
        A kernel, as ``cython.direct@avx512``, or a peer.
    kind : str
        ``fastconv`` or ``peer``.
    status : str
        ``ok``; ``wrong``: the result is not that of the definition, so it was not timed; ``failed``: it raised.
    why : str or None
        What is wrong, or what failed.
    chosen : bool
        Whether fastconv takes this kernel by itself.
    seconds, low, high : float or None
        Median and quartiles of one run.
    samples : int
    rate : float or None
        Effective FLOP/s, or bytes/s where the work is measured so: see `Comparison.unit`.
    roofline : float or None
        Share of what the machine's measured peak and bandwidth allow; above 1 for algorithms that do with fewer
        operations, and for work that stays in caches.
    workspace : int or None
        Bytes of scratch per thread; None where the peer does not tell.
    error : float or None
        Largest error relative to max|y|, against float64.
    bound : float or None
        What the kernel promises on any finite data, in epsilons of the sum of magnitudes; None for peers.
    ratio : float or None
        Time of the best peer over this one: above 1 is faster than every peer.
    admitted : bool
        Whether the call's options, its tolerance above all, let fastconv take this kernel.
    """

    name: str
    kind: str
    status: str = "ok"
    why: str | None = None
    chosen: bool = False
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int = 0
    rate: float | None = None
    roofline: float | None = None
    workspace: int | None = None
    error: float | None = None
    bound: float | None = None
    ratio: float | None = None
    admitted: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who computes a problem how fast; prints as a table.

    Attributes
    ----------
    title, problem : str
        The call, and the canonical problem that it became.
    dtype : str
    threads : int
        Of every contender.
    door : str
        ``planned``: weights packed beforehand; ``called``: the functions themselves, with all that a call entails.
    cold : bool
        Whether nothing was in the caches.
    unit : str
        ``GFLOP/s`` or ``GB/s``.
    flops, bytes : float
        Nominal operations of the problem, and the least bytes that it moves.
    roofline : Roofline
        What this machine could do, as measured.
    rows : tuple of Row
        Fastest first; wrong and failed ones last.
    left_out : tuple of (str, str)
        Kernels that cannot do it, with their reasons.
    notes : tuple of str
        Peers that are missing or cannot do it, and why.
    """

    title: str
    problem: str
    dtype: str
    threads: int
    unit: str
    flops: float
    bytes: float
    roofline: Roofline
    rows: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    door: str = "planned"
    cold: bool = False

    @property
    def conditions(self) -> str:
        """What is unusual about the measurement, in words that follow others."""
        return ", functions as they are called" * (self.door == "called") + ", cold caches" * self.cold

    @property
    def chosen(self) -> Row | None:
        """The row of the kernel that fastconv takes by itself."""
        return next((r for r in self.rows if r.chosen), None)

    @property
    def best(self) -> Row | None:
        """The fastest of fastconv's own kernels that the call admits."""
        return self._fastest("fastconv")

    @property
    def best_peer(self) -> Row | None:
        return self._fastest("peer")

    def _fastest(self, kind: str) -> Row | None:
        timed = [r for r in self.rows if r.kind == kind and r.seconds is not None and r.admitted]
        return min(timed, key=lambda r: r.seconds) if timed else None  # type: ignore[arg-type, return-value]

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, numbers and strings."""
        return {"fastconv": __version__, **asdict(self)}

    def to_json(self, path: str | Path | None = None) -> str:
        """The comparison as JSON text, also written to `path` if that is given."""
        text = json.dumps(self.to_dict(), indent=1)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """One self-contained page with the table and a chart, also written to `path` if that is given."""
        from fastconv.bench.html import page

        text = page(self.title, [self])
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def plot(self, path: str | Path) -> None:
        """A bar chart as a picture file (needs matplotlib)."""
        from fastconv.bench.plot import plot_comparison

        plot_comparison(self, path)

    def __str__(self) -> str:
        from fastconv.bench.table import comparison_text

        return comparison_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from fastconv.bench.html import fragment

        return fragment(self)


@dataclass(slots=True)
class _Entry:
    """A contender on its way to a row."""

    contender: Contender
    kind: str
    error: float
    candidate: Candidate | None = None


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
) -> Comparison:
    """What `fastconv.compare` does; see there."""
    if door not in DOORS:
        raise ValueError(f"door must be one of {', '.join(DOORS)}, got {door!r}")
    names = tuple(peers) if isinstance(peers, Iterable) else (peers,)
    unknown = [n for n in names if not isinstance(n, str) or n not in _peers.PEERS]
    if unknown:
        raise ValueError(f"peers must be among {', '.join(_peers.PEERS)}, got {shown(unknown[0])}")
    tell = progress or (lambda what, done, total: None)
    work = make_work(operation, args, kwargs)
    problem = work.problem
    tell("float64 result", 0, 1)
    expected = exact(work)
    limits = roofline(work.threads, problem.results[0][1])
    entries: list[_Entry] = []
    rows: list[Row] = []
    left_out: list[tuple[str, str]] = []
    notes: list[str] = []
    versions = {"numpy": np.__version__}
    with ExitStack() as stack:
        limit_blas(stack, work.threads, notes)
        considered = work.plan.explain().candidates if door == "planned" else ()
        if door == "called":
            _admit(_called(work), "fastconv", None, work, expected, entries, rows)
        total = len(considered) + len(names)
        for done, candidate in enumerate(considered):
            kernel = candidate.kernel
            reason = _left_out(candidate, work)
            if reason is not None:
                left_out.append((kernel.name, reason))
                continue
            tell(kernel.name, done, total)
            try:
                contender = _kernel(work, kernel.name)
            except Exception as e:  # a kernel that raises is a row of the table
                rows.append(Row(kernel.name, "fastconv", "failed", _first_line(e), kernel.name == work.plan.kernel))
                continue
            _admit(contender, "fastconv", candidate, work, expected, entries, rows)
        for done, peer in enumerate(names, len(considered)):
            tell(peer, done, total)
            reason = _peers.missing(peer)
            if reason is not None:
                notes.append(reason)
                continue
            module = _peers.load(peer)
            stack.enter_context(module.limit(work.threads))
            try:
                offered = module.contenders(work)
            except Unable as e:
                notes.append(f"{peer}: {e}")
                continue
            except Exception as e:  # whatever another library raises belongs in the notes, not in our caller's lap
                notes.append(f"{peer}: refuses this ({_first_line(e)})")
                continue
            versions[peer] = _peers.version(peer)
            for contender in offered:
                if door == "called" and contender.prepacked:
                    notes.append(f"{contender.name}: packs weights beforehand")
                    continue
                _admit(contender, "peer", None, work, expected, entries, rows)
        finished = 0

        def step() -> None:
            nonlocal finished
            finished += 1
            tell("timing", finished, rounds)

        times = interleave([e.contender.run for e in entries], seconds, work.threads, rounds, step, cold)
    peer_times = [t.median for e, t in zip(entries, times, strict=True) if e.kind == "peer"]
    best_peer = min(peer_times) if peer_times else None
    work_done = problem.flops if counts_flops(problem) else problem.bytes
    for entry, t in zip(entries, times, strict=True):
        name, kept = entry.contender.name, entry.candidate
        if kept is not None and record:
            wisdom.record(kept.kernel, problem, t.median)
        rows.append(
            Row(
                name=name,
                kind=entry.kind,
                chosen=entry.kind == "fastconv" and name in (CALLED, work.plan.kernel),
                seconds=t.median,
                low=t.low,
                high=t.high,
                samples=t.samples,
                rate=work_done / t.median,
                roofline=limits.seconds(problem) / t.median,
                workspace=None if kept is None else kept.workspace,
                error=entry.error,
                bound=None if kept is None else kept.bound,
                ratio=None if best_peer is None else best_peer / t.median,
                admitted=kept is None or kept.reason is None,
            )
        )
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
        left_out=tuple(left_out),
        notes=tuple(notes),
        versions=versions,
        door=door,
        cold=cold,
    )


def limit_blas(stack: ExitStack, threads: int, notes: list[str]) -> None:
    """NumPy's and SciPy's BLAS take the same number of threads as everyone else."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        notes.append("BLAS threads of NumPy are not limited without threadpoolctl: pip install 'fastconv[bench]'")
        return
    stack.enter_context(threadpool_limits(threads, user_api="blas"))


def _left_out(candidate: Candidate, work: Work) -> str | None:
    """Why a kernel is not measured: it cannot, the caller did not ask for it, or it is the checker."""
    kernel = candidate.kernel
    if not np.isfinite(candidate.cost):
        return candidate.reason
    for option, own in (("backend", kernel.backend), ("algorithm", kernel.algorithm)):
        asked = work.kwargs.get(option)
        if asked not in (None, "auto", own):
            return f"{option}={asked!r} was asked for"
    if kernel.backend == "reference" and work.problem.flops > REFERENCE_FLOPS and candidate.reason:
        return "the definition: it checks the others and is timed on small problems only"
    return None


def _called(work: Work) -> Contender:
    """The public function as a user calls it: the choice, packing and running."""
    operation, args, kwargs = work.operation, work.args, work.kwargs
    return Contender(
        CALLED,
        lambda: operation(*args, **kwargs),
        lambda y: canonical_results(work, tuple(r for r in (y if isinstance(y, tuple) else (y,)) if r is not None)),
    )


def _kernel(work: Work, name: str) -> Contender:
    plan: Plan = work.plan.with_kernel(name)
    x = work.x
    return Contender(name, lambda: plan(x), lambda y: canonical_results(work, y if isinstance(y, tuple) else (y,)))


def _admit(
    contender: Contender,
    kind: str,
    candidate: Candidate | None,
    work: Work,
    expected: tuple[np.ndarray, ...],
    entries: list[_Entry],
    rows: list[Row],
) -> None:
    """Run a contender once and check what it gives: into `entries`, to be timed, if it will do, else into `rows`."""
    chosen = candidate is not None and contender.name == work.plan.kernel
    try:
        error, wrong = error_of(work, contender.results(contender.run()), expected)
    except Exception as e:  # whoever raises is a row of the table
        rows.append(Row(contender.name, kind, "failed", _first_line(e), chosen))
        return
    if wrong is None:
        entries.append(_Entry(contender, kind, error, candidate))
    else:
        rows.append(Row(contender.name, kind, "wrong", wrong, chosen, error=error if np.isfinite(error) else None))


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
