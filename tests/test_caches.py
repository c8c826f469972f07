"""What is kept between calls is bounded in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import caches
from fastconv.core.caches import Recent, keep_tables
from fastconv.dispatch import plan as plans


def test_tables_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "KEEP_BYTES", 100)
    made = []

    @keep_tables(lambda table: table.nbytes)
    def table(size: int) -> np.ndarray:
        made.append(size)
        return np.zeros(size, np.uint8)

    for size in (40, 50, 40, 50):
        table(size)
    assert made == [40, 50]
    table(30)  # 40 is the oldest
    table(50), table(30)
    assert made == [40, 50, 30]
    table(40)
    assert made == [40, 50, 30, 40]
    table(101), table(101)  # never kept
    assert made[4:] == [101, 101]
    caches.forget_tables()
    table(40)
    assert made[-1] == 40 and len(made) == 7


def test_the_oldest_holders_release_theirs() -> None:
    recent, released = Recent(100), []
    holders = [object() for _ in range(4)]

    def add(i: int, nbytes: int) -> None:
        recent.add(holders[i], lambda: released.append(i), nbytes)

    add(0, 60), add(1, 30)
    add(0, 60)  # is the most recent again
    add(2, 20)
    assert released == [1]
    add(3, 500)
    assert released == [1, 0, 2]  # the last one stays, however large
    recent.clear()
    assert released == [1, 0, 2, 3]


def test_prepared_kernels_of_long_signals_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal calls are prepared once; many lengths leave only the last ones prepared, and clear_cache none."""
    monkeypatch.setattr(plans, "_prepared", Recent(2 << 20))
    plans.clear_cache()
    kept: list[Any] = []
    original = plans.Recipe._prepare

    def noted(self: Any) -> Any:
        kept.append(self)
        return original(self)

    monkeypatch.setattr(plans.Recipe, "_prepare", noted)
    x = np.ones((1, 1, 30_010), "f")
    for length in range(30_000, 30_010):
        first = F.avg_pool1d(x[:, :, :length], 3, 2, 1)
        assert F.avg_pool1d(x[:, :, :length], 3, 2, 1).tobytes() == first.tobytes()
    assert len(kept) == 10
    assert sum(recipe._run is not None for recipe in kept) == 2
    plans._prepared.clear()
    assert all(recipe._run is None for recipe in kept)
    assert F.avg_pool1d(x[:, :, :30_000], 3, 2, 1).shape == (1, 1, 15_000)
