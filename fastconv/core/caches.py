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
