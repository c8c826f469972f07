"""Thread policy: the sole owner of thread counts, and of the pool that Python-driven backends use.

Threads split outputs, never a reduction, so a result has the same bits for any number of threads.

* How many: the `threads=` keyword, else `options(threads=)`, else ``FASTCONV_NUM_THREADS``,
  else ``OMP_NUM_THREADS``, else the processors that this process may run on; never more than `MAX_THREADS`.
* Who: OpenMP inside the Cython kernels, told not to spin for long when idle, and to stay off the caller's
  processor (`_team.pyx`); a `ThreadPoolExecutor` around Numba's (they release the GIL); BLAS threads of NumPy
  belong to NumPy.
* libgomp ends the process if it cannot create a thread, so `openmp_threads` first tests whether a team that is larger
  than any before can be created.
* After `os.fork` the child has none of its parent's threads.  The pool is made again.  libgomp
  would wait for ever for threads that no longer exist, so `openmp_threads` returns 1 there.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any

from fastconv.core.errors import shown, whole
from fastconv.core.numbers import near_equal

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_forked = False
_startable = 1  # the largest team known to be possible
_refused = False  # a larger team was found to be impossible

MAX_THREADS = 1024  # more would not be faster anywhere, and would exhaust the system's threads and memory
STACK_BYTES = 8 << 20  # of one thread, where the system does not report it
SLICE_SECONDS = 0.05  # the longest time that native code runs before Python handles signals


def available() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def as_count(value: Any) -> int:
    """A number of threads that a user passes.

    Raises
    ------
    TypeError, ValueError
        If it is not an int from 1 to `MAX_THREADS`.
    """
    count = whole(value, f"threads must be an int from 1 to {MAX_THREADS} or None")
    if not 1 <= count <= MAX_THREADS:
        raise ValueError(f"threads must be from 1 to {MAX_THREADS}, got {shown(count)}")
    return count


@cache
def default() -> int:
    """The number of threads that is used if the user sets none; the environment is read once.

    Raises
    ------
    ValueError
        If a variable is anything but such a number; of a list, which OpenMP allows, the first number counts.
    """
    for name in ("FASTCONV_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if not text.strip():
            continue
        first = text.split(",")[0].strip() if name == "OMP_NUM_THREADS" else text.strip()
        if not re.fullmatch("0*[0-9]{1,4}", first) or not 1 <= int(first) <= MAX_THREADS:
            raise ValueError(f"{name} is {text!r}; it must be an int from 1 to {MAX_THREADS}")
        return int(first)
    return min(available(), MAX_THREADS)


def openmp_threads(requested: int) -> int:
    """`requested`, or as many as this process can create; 1 in a forked child, where libgomp's pool does not exist."""
    if _forked:
        return 1
    return requested if requested <= _startable else _largest_team(requested)


def _largest_team(requested: int) -> int:
    """How many threads of a team larger than any before can be created; after a failure, larger teams are not tried.

    Limits on memory are computed: threads reserve a stack.  Limits on their number are found by starting threads.
    """
    global _startable, _refused
    with _lock:
        if requested > _startable and not _refused:
            room = _memory_left() // (2 * _stack_bytes())
            wanted = max(1, min(requested, room))
            found = wanted if wanted <= available() else _started(wanted)
            _refused = found < requested
            _startable = found if found == wanted else max(1, found // 2)
        return min(requested, _startable)


def _memory_left() -> int:
    """Bytes that this process may still map."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return 1 << 62
        with open("/proc/self/statm") as f:
            return max(0, limit - int(f.read().split()[0]) * resource.getpagesize())
    except (ImportError, OSError, ValueError):  # not on Linux
        return 1 << 62


def _stack_bytes() -> int:
    """Bytes that a thread reserves for its stack."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
        return STACK_BYTES if limit == resource.RLIM_INFINITY else max(limit, 1 << 16)
    except ImportError:
        return STACK_BYTES


def _started(count: int) -> int:
    """How many of `count` threads, the caller's included, can exist at the same time."""
    gate = threading.Event()
    helpers: list[threading.Thread] = []
    with suppress(RuntimeError, MemoryError):
        for _ in range(count - 1):
            helper = threading.Thread(target=gate.wait, daemon=True)
            helper.start()
            helpers.append(helper)
    gate.set()
    for helper in helpers:
        helper.join()
    return len(helpers) + 1


def _executor(threads: int) -> ThreadPoolExecutor:
    global _pool, _pool_size
    with _lock:
        if _pool is None or _pool_size < threads:
            # A smaller pool finishes its work; its threads end when idle and unreferenced.
            _pool = ThreadPoolExecutor(threads, thread_name_prefix="fastconv")
            _pool_size = threads
        return _pool


def parallel_ranges(body: Callable[[int, int], None], total: int, threads: int, seconds: float) -> None:
    """Run ``body(lo, hi)`` over slices that cover ``range(total)``, on up to `threads` threads.

    Parameters
    ----------
    body : callable
        Works on items ``lo <= i < hi``; must release the GIL to gain from threads, and items
        must be independent.
    total : int
        Number of items.
    threads : int
        Upper bound on concurrent calls of `body`.
    seconds : float
        Predicted time of all items on one thread: slices are short enough for a
        KeyboardInterrupt to take effect within about `SLICE_SECONDS`.
    """
    if total <= 0:
        return
    pieces = max(1, min(total, int(seconds / SLICE_SECONDS) + 1))
    threads = max(1, min(threads, total))
    if threads == 1:
        for p in range(pieces):
            body(total * p // pieces, total * (p + 1) // pieces)
        return
    pieces = min(total, max(pieces, 2 * threads))
    ticket = iter(range(pieces))
    take = threading.Lock()
    stop = threading.Event()

    def worker() -> None:
        while not stop.is_set():
            with take:
                p = next(ticket, None)
            if p is None:
                return
            try:
                body(total * p // pieces, total * (p + 1) // pieces)
            except BaseException:
                stop.set()
                raise

    futures: list[Future[None]] = []
    pool = _executor(threads - 1)
    try:
        with suppress(RuntimeError):  # no new threads: the interpreter shuts down, or the system has none left
            for _ in range(threads - 1):
                futures.append(pool.submit(worker))
        worker()  # the caller works too: a nested or saturated pool cannot dead-lock it
        for f in futures:
            # A worker that has not started yet has nothing to do: all pieces are taken.
            if not f.cancel():
                f.result()
    except BaseException:
        stop.set()
        for f in futures:
            if not f.cancel():
                while not f.done():
                    time.sleep(0.001)
        raise


def slices(total: int, seconds: float) -> tuple[tuple[int, int], ...]:
    """Cut ``range(total)`` so that each part takes about `SLICE_SECONDS` of a predicted `seconds`.

    For kernels with threads of their own: Python handles signals between the parts.
    """
    pieces = max(1, min(total, int(seconds / SLICE_SECONDS) + 1))
    return tuple(near_equal(total, pieces)) if pieces > 1 else ((0, total),)


def _after_fork_in_child() -> None:
    global _pool, _pool_size, _forked, _lock
    _pool, _pool_size, _forked, _lock = None, 0, True, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
