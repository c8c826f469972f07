"""Tables that are worth keeping, bounded in bytes: what a long-running program holds does not grow with its shapes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

KEEP_BYTES = 8 << 20  # of all tables of one function
F = TypeVar("F", bound=Callable[..., Any])

_forget: list[Callable[[], None]] = []


def keep_tables(nbytes: Callable[[Any], int]) -> Callable[[F], F]:
    """Decorator: remember what a function of hashable arguments returned, the most recent `KEEP_BYTES` of it.

    `nbytes` says how large a result is; one that is larger than all together is not kept.
    """

    def decorate(make: F) -> F:
        kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        lock = threading.Lock()
        total = 0

        def remembered(*key: Any) -> Any:
            nonlocal total
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key][0]
            made = make(*key)
            size = nbytes(made)
            if size <= KEEP_BYTES:
                with lock:
                    if key not in kept:
                        kept[key] = made, size
                        total += size
                    while total > KEEP_BYTES:
                        total -= kept.popitem(last=False)[1][1]
            return made

        def forget() -> None:
            nonlocal total
            with lock:
                kept.clear()
                total = 0

        _forget.append(forget)
        return remembered  # type: ignore[return-value]

    return decorate


def forget_tables() -> None:
    """Drop all of them: `fastconv.dispatch.plan.clear_cache` does."""
    for forget in _forget:
        forget()


class Recent:
    """Holders of tables, the most recent ones up to so many bytes: older ones are told to release theirs."""

    def __init__(self, limit: int) -> None:
        self._limit, self._total = limit, 0
        self._held: OrderedDict[int, tuple[Callable[[], None], int]] = OrderedDict()
        self._lock = threading.Lock()
        _forget.append(self.clear)

    def add(self, holder: Any, release: Callable[[], None], nbytes: int) -> None:
        """Take note of a holder; the last one always stays."""
        with self._lock:
            _, before = self._held.pop(id(holder), (None, 0))
            self._held[id(holder)] = release, nbytes
            self._total += nbytes - before
            while self._total > self._limit and len(self._held) > 1:
                _, (old, size) = self._held.popitem(last=False)
                self._total -= size
                old()

    def clear(self) -> None:
        """Release all."""
        with self._lock:
            for release, _ in self._held.values():
                release()
            self._held.clear()
            self._total = 0
