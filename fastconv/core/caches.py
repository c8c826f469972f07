"""Caches, bounded in bytes: the memory of a long-running program does not grow with the number of shapes that it uses.

`keep_few` keeps a number of results of a fixed small size.  Results that grow with extents, channels or kernels are
tables: `keep_tables` keeps those of a function, and objects with tables register them in `tables`.  All tables together
take up to `KEEP_BYTES`; the least recently used ones are dropped first.  `forget` drops everything.

`functools.cache` is used for functions of a finite set of arguments: instruction sets, dtypes, compiled modules.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, TypeVar

KEEP_BYTES = 32 << 20  # of all tables
KEEP_FEW = 512  # results of one function
F = TypeVar("F", bound=Callable[..., Any])

_forget: list[Callable[[], Any]] = []


def when_forgotten(drop: Callable[[], Any]) -> None:
    """Have `forget` call `drop`: for what a module keeps in a way of its own."""
    _forget.append(drop)


def keep_few(maxsize: int = KEEP_FEW, typed: bool = False) -> Callable[[F], F]:
    """Decorator: keep `maxsize` results of a function of hashable arguments; each must be small for any extents."""

    def decorate(make: F) -> F:
        remembered = lru_cache(maxsize=maxsize, typed=typed)(make)
        _forget.append(remembered.cache_clear)
        return remembered  # type: ignore[return-value]

    return decorate


class Recent:
    """Holders of tables, up to `limit` bytes in all; the least recently used ones are told to release theirs."""

    def __init__(self, limit: int) -> None:
        self._limit, self._total = limit, 0
        self._held: OrderedDict[Hashable, tuple[Callable[[], Any], int]] = OrderedDict()
        self._lock = threading.RLock()  # releasing may run finalizers, and these may call operations

    def add(self, holder: Hashable, release: Callable[[], Any], nbytes: int) -> None:
        """Register a holder; one that is larger than the limit is told to release at once."""
        if nbytes > self._limit:
            release()
            return
        with self._lock:
            _, before = self._held.pop(holder, (None, 0))
            self._held[holder] = release, nbytes
            self._total += nbytes - before
            while self._total > self._limit:
                _, (old, size) = self._held.popitem(last=False)
                self._total -= size
                old()

    def touch(self, holder: Hashable) -> None:
        """Mark a holder as used now."""
        with self._lock:
            if holder in self._held:
                self._held.move_to_end(holder)

    def clear(self) -> None:
        """Release all."""
        with self._lock:
            held, self._held, self._total = self._held, OrderedDict(), 0
            for release, _ in held.values():
                release()


tables = Recent(KEEP_BYTES)
_forget.append(tables.clear)


def keep_tables(nbytes: Callable[[Any], int]) -> Callable[[F], F]:
    """Decorator: keep what a function of hashable arguments returned, while it is among the recent `tables`.

    `nbytes` returns the size of a result.
    """

    def decorate(make: F) -> F:
        kept: dict[Any, Any] = {}

        @wraps(make)
        def remembered(*key: Any) -> Any:
            made = kept.get(key)
            if made is None:
                made = kept[key] = make(*key)
                tables.add((remembered, key), lambda: kept.pop(key, None), nbytes(made))
            else:
                tables.touch((remembered, key))
            return made

        return remembered  # type: ignore[return-value]

    return decorate


def forget() -> None:
    """Drop all of it: `fastconv.dispatch.plan.clear_cache` does."""
    for drop in _forget:
        drop()
