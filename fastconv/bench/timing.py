"""Interleaved timing: every contender takes one sample per round, so that a drifting clock affects all alike.

A sample first runs the work once without timing it: its data are in the caches again after the other contenders.  Then
it runs often enough to last `SAMPLE_SECONDS`.  With several threads it first waits until the threads of other
contenders sleep (those of BLAS spin for a tenth of a second after their work), and runs untimed for `WAKE_SECONDS`:
its own threads are then awake and spread over the processors.  Times are medians; the spread is the interquartile
range.  Where times scatter, more samples are taken: another program may have come in between.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

SAMPLE_SECONDS = 2e-3
ROUNDS = 15
WAKE_SECONDS = 0.01
COLD_BYTES = 48 << 20
SETTLE_SECONDS = 0.01  # between two checks whether idle threads of the last contender still spin
SPIN_SECONDS = 0.5  # no library spins for longer
TRIES = 3  # runs before a contender counts as slow
FEWEST = 3  # samples that have a spread
STEADY = 0.2  # largest spread of times that are worth keeping, relative to their median
REPEATS = 2  # how often those that scatter more are measured again


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one run: median and quartiles over `samples` samples."""

    median: float
    low: float
    high: float
    samples: int

    @property
    def spread(self) -> float:
        """The interquartile range."""
        return self.high - self.low

    @property
    def steady(self) -> bool:
        """Whether there are enough samples, and they scatter little."""
        return self.samples >= FEWEST and self.spread <= STEADY * self.median


def settled(times: Sequence[Times]) -> bool:
    """Whether the times tell which contender is the fastest: all that come near the fastest are steady."""
    least = min((t.median for t in times), default=0.0)
    return all(t.steady for t in times if t.low <= least)


def interleave(
    runs: Sequence[Callable[[], object]],
    seconds: float,
    threads: int = 1,
    rounds: int = ROUNDS,
    step: Callable[[], None] = lambda: None,
    cold: bool = False,
    slow: float = math.inf,
    keep: Collection[int] = (),
    budget: float = math.inf,
) -> list[Times]:
    """Median times of `runs`, measured in turns.

    Parameters
    ----------
    runs : sequence of callable
        Already warm: each has run at least once.
    seconds : float
        Budget per contender; a slow one gets fewer rounds, but at least three (one if a single run exceeds it).
    threads : int
        With more than one, each sample waits until no thread of the process is busy.
    rounds : int
        Largest number of samples of each.
    step : callable
        Called after each round, for progress.
    cold : bool
        Samples are single runs, each after `COLD_BYTES` of other memory were written: nothing is in the caches, as
        inside a large network.
    slow : float
        Contenders that take more than so many times as long as the fastest get one sample.
    keep : collection of int
        Indices of contenders that get `FEWEST` samples however slow they are.
    budget : float
        Seconds for all samples together: where they would take longer, contenders get fewer, but at least one.

    Returns
    -------
    list of Times
    """
    ones, counts = [], []
    for run in runs:
        once = _timed(run, 1)
        count = 1 if cold else max(1, round(SAMPLE_SECONDS / max(once, 1e-7)))
        tries = [once] if count == 1 else []
        if once <= seconds:  # a better estimate, and a longer warm-up; other programs take time, they never give it
            tries += [_timed(run, count) for _ in range(TRIES if slow < math.inf else 1)]
        once = min(tries, default=once)
        ones.append(once)
        counts.append(1 if cold else max(1, round(SAMPLE_SECONDS / max(once, 1e-7))))
    limit = slow * min(ones, default=0.0)
    idle = WAKE_SECONDS + 2 * SETTLE_SECONDS if threads > 1 else 0.0
    each = [once * (count + 1) + idle for once, count in zip(ones, counts, strict=True)]  # seconds of a sample
    wanted = []
    for i, once in enumerate(ones):
        few = 1 if once > min(seconds, limit) and i not in keep else min(FEWEST, rounds)
        wanted.append(few if few == 1 else max(few, min(rounds, int(seconds / each[i]))))
    excess = sum(map(math.prod, zip(wanted, each, strict=True))) / budget
    if excess > 1:
        wanted = [max(min(w, FEWEST), int(w / excess)) for w in wanted]
    samples: list[list[float]] = [[] for _ in runs]
    other = np.zeros(COLD_BYTES if cold else 0, np.uint8)

    def turn(i: int) -> None:
        if threads > 1:
            _settle()
        _warm(runs[i], WAKE_SECONDS if threads > 1 else 0.0)
        np.add(other, 1, out=other)
        samples[i].append(_timed(runs[i], counts[i]))

    end = time.perf_counter() + budget
    for r in range(rounds):
        if time.perf_counter() > end and all(map(len, samples)):
            break
        for offset in range(len(runs)):
            i = (r + offset) % len(runs)  # so that no contender always follows the same one
            # Slow contenders spread their few samples over all rounds.
            if len(samples[i]) * rounds <= r * wanted[i]:
                turn(i)
        step()
    for _ in range(REPEATS if time.perf_counter() < end else 0):
        scattered = [i for i, s in enumerate(samples) if len(s) >= FEWEST and not _summary(s).steady]
        for r in range(max((wanted[i] for i in scattered), default=0)):
            for i in scattered:
                if r < wanted[i] and time.perf_counter() < end:
                    turn(i)
    return [_summary(s) for s in samples]


def _settle() -> None:
    """Wait until no thread of this process is busy."""
    end = time.perf_counter() + SPIN_SECONDS
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(SETTLE_SECONDS)
        if time.process_time() - before < SETTLE_SECONDS / 10:
            return


def _warm(run: Callable[[], object], seconds: float) -> None:
    """Run once, and again until `seconds` have passed."""
    end = time.perf_counter() + seconds
    run()
    while time.perf_counter() < end:
        run()


def _timed(run: Callable[[], object], count: int) -> float:
    """Seconds per run over `count` runs."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def _summary(samples: list[float]) -> Times:
    low, median, high = np.quantile(samples, (0.25, 0.5, 0.75))
    return Times(float(median), float(low), float(high), len(samples))


def limit_blas(stack: ExitStack, threads: int, notes: list[str]) -> None:
    """Limit the BLAS of NumPy and SciPy to the number of threads of all contenders, as long as `stack` is open."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        notes.append("BLAS threads of NumPy are not limited without threadpoolctl: pip install 'fastconv[bench]'")
        return
    stack.enter_context(threadpool_limits(threads, user_api="blas"))
