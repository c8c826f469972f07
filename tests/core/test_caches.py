"""What is kept between calls is bounded in bytes, and `clear_cache` drops all of it."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import _lru_cache_wrapper
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import caches, scratch
from fastconv.core.caches import KEEP_BYTES, Recent, keep_tables
from fastconv.dispatch import plan as plans
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

# Kept for good: options, of which equal ones are one object; and compiled code.
FOR_GOOD = {"_options", "compiled_loop"}
PACKAGES = ("fastconv.backends", "fastconv.core", "fastconv.dispatch", "fastconv.ops")
LIMIT = KEEP_BYTES // 4  # of all tables: a few calls exceed it
SMALL_BYTES = 12 << 20  # of all entries of fixed size that the calls below leave


@pytest.fixture
def few_objects() -> None:
    """Collections look at objects made from now on only: those of other tests take half a second each time."""
    gc.collect()
    gc.freeze()


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, "f")


# Tables as long as a kernel, an axis or the channels; the number makes them differ.
LARGE: dict[str, Callable[[int], Any]] = {
    "depthwise": lambda i: F.conv1d(ones(1, 1, 100_100 + i), ones(1, 1, 100_000 + i), backend="cython"),
    "direct": lambda i: F.conv2d(ones(1, 2, 200, 60 + i), ones(40, 2, 190, 50), algorithm="direct", backend="cython"),
    "im2col": lambda i: F.conv2d(ones(1, 2, 200, 60 + i), ones(4, 2, 190, 50), backend="numpy"),
    "weight": lambda i: F.grad.conv2d(ones(1, 2, 11, 11 + i), ones(1, 2, 200, 60 + i), ones(2, 2, 190, 50)),
    "rows": lambda i: F.conv2d(ones(1, 64, 9, 40 + i), ones(4, 64, 5, 9), algorithm="winograd", backend="cython"),
    "channels": lambda i: F.conv2d(ones(1, 3000 + i, 4, 4), ones(1, 3000 + i, 3, 3), padding=1, backend="cython"),
    "transposed": lambda i: F.conv_transpose2d(ones(1, 2, 3, 3 + i), ones(2, 2, 5, 5), stride=4),
    "numba": lambda i: F.conv2d(ones(1, 1, 300, 300 + i), ones(1, 1, 150, 150), backend="numba"),
    "circular": lambda i: F.conv1d(ones(1, 1, 100_000 + i), ones(1, 1, 3), padding=1, padding_mode="circular"),
    "reflect": lambda i: F.pad(ones(1, 1, 100_000 + i), (9, 9), mode="reflect"),
    "pool": lambda i: F.max_pool1d(ones(1, 1, 100_000 + i), 3, padding=1, return_indices=True),
    "numba pool": lambda i: F.avg_pool1d(ones(1, 1, 100_000 + i), 3, padding=1, backend="numba"),
    "adaptive": lambda i: F.adaptive_max_pool1d(ones(1, 1, 100_000 + i), 33_333, return_indices=True, backend="numpy"),
    "windows": lambda i: F.conv1d(ones(1, 1, 100_000 + i), ones(8, 1, 64), stride=32),
    "product": lambda i: F.matmul(ones(2, 50_000 + i), ones(50_000 + i, 3)),
    "softmax": lambda i: F.softmax(ones(1, 100_000 + i), 1),
    "loss": lambda i: F.cross_entropy(ones(1, 100_000 + i), np.zeros(1, int)),
}  # fmt: skip


@pytest.mark.usefixtures("few_objects")
@pytest.mark.parametrize("name", LARGE)
def test_what_large_calls_leave_behind_is_bounded_and_dropped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches.tables, "_limit", LIMIT)

    def call(i: int) -> None:
        try:
            LARGE[name](i)
        except F.UnsupportedError:  # without that backend
            pytest.skip("needs a backend that is not here")

    call(0)  # modules and compiled code
    plans.clear_cache()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for i in range(6):
            call(i)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
        plans.clear_cache()
        scratch._shelf.free.clear()  # each thread keeps some, for all shapes
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < LIMIT + SMALL_BYTES
    assert left < 256 << 10


def every_cache() -> list[Any]:
    """The caches of functions of this package, of all modules that compute."""
    for name in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if ".loops" not in module.name and not module.name.endswith(".tile"):  # those need Numba
                with suppress(ImportError):  # without compiled modules
                    importlib.import_module(module.name)
    gc.unfreeze()  # frozen objects are not listed
    caches = [one for one in gc.get_objects() if type(one) is _lru_cache_wrapper]
    gc.freeze()
    return [one for one in caches if str(one.__module__).startswith(PACKAGES)]


def test_clear_cache_empties_every_cache_of_a_changing_size() -> None:
    found = [one for one in every_cache() if one.cache_info().maxsize is not None and one.__name__ not in FOR_GOOD]
    assert len(found) > 30
    x, w = ones(1, 4, 20, 20), ones(6, 4, 3, 3)
    for backend in ("cython", "numpy", "auto"):
        with F.options(backend=backend):
            try:
                F.grad.conv2d(F.conv2d(x, w), x, w)
            except F.UnsupportedError:
                continue
    F.max_pool2d(x, 2), F.softmax(x, 1), F.pad(x, (1, 1)), F.unfold(x, 2), F.matmul(x, x), F.adaptive_avg_pool2d(x, 3)
    assert sum(one.cache_info().currsize > 0 for one in found) > 10
    plans.clear_cache()
    assert {one.__qualname__: one.cache_info().currsize for one in found if one.cache_info().currsize} == {}


def test_caches_without_a_size_hold_a_finite_set() -> None:
    """Of instruction sets, dtypes, points of interpolation, modules: no problem and no shape."""
    endless = {one.__qualname__ for one in every_cache() if one.cache_info().maxsize is None}
    assert endless <= {
        "_best_edge", "_coef_in", "_families", "_finite", "_modules", "_numbers", "_reads", "_weights",
        "algorithm_names", "any_table", "available", "block_bytes", "build_problem", "check_dtype", "default",
        "features", "host", "host_isas", "host_table", "identity", "is_bfloat16", "is_half", "kernels", "lanes",
        "memory", "microarchitecture", "missing_numba", "product_dtypes", "promote", "simd", "system_fields", "table",
        "tiles_allowed", "toom_cook", "unavailable", "work_dtype",
    }  # fmt: skip


@pytest.mark.usefixtures("few_objects")
def test_what_a_prepared_kernel_holds_is_measured() -> None:
    """For every kernel, on a convolution with many taps: all memory that it keeps for later calls is counted."""
    x, w = ones(1, 2, 90, 80), ones(4, 2, 60, 50)
    base = F.plan(F.conv2d, x, w)
    for kernel in kernels("conv"):
        try:
            recipe = base.with_kernel(kernel.name)._recipe
        except F.UnsupportedError:
            continue
        recipe = recipe.with_choice(recipe.choice)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            bind = recipe._prepare()
            plans.clear_cache()
            gc.collect()
            traced = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert traced <= 1.2 * plans.held_bytes(bind) + (64 << 10), kernel.name


def test_tables_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "tables", Recent(100))
    made = []

    @keep_tables(lambda table: table.nbytes)
    def table(size: int) -> np.ndarray:
        made.append(size)
        return np.zeros(size, np.uint8)

    @keep_tables(lambda table: table.nbytes)
    def other(size: int) -> np.ndarray:
        made.append(-size)
        return np.zeros(size, np.uint8)

    for size in (40, 50, 40, 50):
        table(size)
    assert made == [40, 50]
    other(30)  # 40 is the oldest
    table(50), other(30)
    assert made == [40, 50, -30]
    table(40)
    assert made == [40, 50, -30, 40]
    table(101), table(101)  # never kept, and nothing is dropped for them
    other(30), table(40)
    assert made[4:] == [101, 101]
    caches.tables.clear()
    table(40)
    assert made[-1] == 40 and len(made) == 7


def test_the_oldest_holders_release_theirs() -> None:
    recent, released = Recent(100), []

    def add(i: int, nbytes: int) -> None:
        recent.add(i, lambda: released.append(i), nbytes)

    add(0, 60), add(1, 30)
    add(0, 60)  # is the most recent again
    add(2, 20)
    assert released == [1]
    add(3, 500)  # larger than the limit for all
    assert released == [1, 3]
    recent.clear()
    assert released == [1, 3, 0, 2]


def test_prepared_kernels_with_large_tables_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal calls are prepared once; many that differ leave only the last ones prepared, and clear_cache none."""
    monkeypatch.setattr(plans, "tables", Recent(1 << 20))
    plans.clear_cache()
    kept: list[Any] = []
    original = plans.Recipe._prepare

    def noted(self: Any) -> Any:
        kept.append(self)
        table = np.zeros(50_000)
        bind = original(self)
        return lambda constants: (table, bind(constants))[1]

    monkeypatch.setattr(plans.Recipe, "_prepare", noted)
    x = ones(1, 1, 3010)
    for length in range(3000, 3010):
        first = F.avg_pool1d(x[:, :, :length], 3, 2, 1)
        assert F.avg_pool1d(x[:, :, :length], 3, 2, 1).tobytes() == first.tobytes()
    assert len(kept) == 10
    assert sum(recipe._run is not None for recipe in kept) == 2
    plans.tables.clear()
    assert all(recipe._run is None for recipe in kept)
    assert F.avg_pool1d(x[:, :, :3000], 3, 2, 1).shape == (1, 1, 1500)
