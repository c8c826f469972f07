"""Interleaved timing: every contender takes one sample per round, so that a drifting clock affects all alike.

A sample first runs the work once without timing it: its data are in the caches again after the other contenders.  Then
it runs often enough to last `SAMPLE_SECONDS`.  With several threads it first waits until the threads of other
contenders sleep (those of BLAS spin for a tenth of a second after their work), and runs untimed for `WAKE_SECONDS`:
its own threads are then awake and spread over the processors.  Times are medians; the spread is the interquartile
range.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

SAMPLE_SECONDS = 2e-3
ROUNDS = 15
WAKE_SECONDS = 0.01
COLD_BYTES = 48 << 20
SETTLE_SECONDS = 0.01  # between two checks whether idle threads of the last contender still spin
SPIN_SECONDS = 0.5  # no library spins for longer


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


def interleave(
    runs: Sequence[Callable[[], object]],
    seconds: float,
    threads: int = 1,
    rounds: int = ROUNDS,
    step: Callable[[], None] = lambda: None,
    cold: bool = False,
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

    Returns
    -------
    list of Times
    """
    counts, wanted = [], []
    other = np.zeros(COLD_BYTES if cold else 0, np.uint8)
    for run in runs:
        once = _timed(run, 1)
        count = 1 if cold else max(1, round(SAMPLE_SECONDS / max(once, 1e-7)))
        if count > 1:
            once = _timed(run, count)  # a better estimate, and a longer warm-up
            count = max(1, round(SAMPLE_SECONDS / max(once, 1e-7)))
        counts.append(count)
        affordable = int(seconds / (once * (count + 1)))
        wanted.append(1 if once > seconds else max(min(3, rounds), min(rounds, affordable)))
    samples: list[list[float]] = [[] for _ in runs]
    for r in range(rounds):
        for offset in range(len(runs)):
            i = (r + offset) % len(runs)  # so that no contender always follows the same one
            # Slow contenders spread their few samples over all rounds.
            if len(samples[i]) * rounds > r * wanted[i]:
                continue
            if threads > 1:
                _settle()
            _warm(runs[i], WAKE_SECONDS if threads > 1 else 0.0)
            other += 1
            samples[i].append(_timed(runs[i], counts[i]))
        step()
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
