"""Repeated calls: nothing of Python on their way, and the same results, errors and warnings as first ones."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.arrays import Spec
from fastconv.dispatch import plan as plans
from fastconv.dispatch.plan import Recipe, clear_cache, planning

repeats = pytest.importorskip("fastconv.core._repeated")


def array(*shape: int, dtype: Any = "f", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


CALLS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...], dict[str, Any]]] = {
    "conv2d": (F.conv2d, ((1, 1, 4, 4), (1, 1, 3, 3)), {}),
    "conv2d with bias": (F.conv2d, ((2, 16, 8, 8), (32, 16, 3, 3), (32,)), {"padding": 1, "activation": "relu"}),
    "conv2d 1x1": (F.conv2d, ((1, 20, 5, 7), (18, 20, 1, 1)), {}),
    "conv2d channels last": (F.conv2d, ((1, 9, 9, 4), (6, 4, 3, 3)), {"layout": "NHWC", "stride": (2, 1)}),
    "conv2d 1x1, channels last": (F.conv2d, ((2, 5, 7, 20), (18, 20, 1, 1), (18,)), {"layout": "NHWC"}),
    "conv2d of one pixel": (F.conv2d, ((1, 20, 1, 1), (18, 20, 1, 1)), {}),
    "depthwise": (F.conv2d, ((1, 33, 4, 5), (33, 1, 3, 3)), {"groups": 33}),
    "depthwise, channels last": (F.conv2d, ((1, 6, 7, 20), (20, 1, 3, 3)), {"groups": 20, "layout": "NHWC"}),
    "winograd": (F.conv2d, ((1, 40, 12, 12), (40, 40, 3, 3)), {"algorithm": "winograd"}),
    "long conv1d": (F.conv1d, ((1, 1, 900), (9, 1, 40)), {}),
    "conv1d": (F.conv1d, ((3, 40), (5, 3, 4)), {"padding": "same"}),
    "conv3d": (F.conv3d, ((1, 2, 5, 6, 7), (3, 2, 3, 3, 3)), {}),
    "conv_transpose2d": (F.conv_transpose2d, ((1, 4, 5, 5), (4, 3, 3, 3)), {"stride": 2}),
    "max_pool2d": (F.max_pool2d, ((4, 8, 8),), {"kernel_size": 2}),
    "avg_pool2d": (F.avg_pool2d, ((1, 4, 8, 8),), {"kernel_size": 3, "padding": 1}),
    "lp_pool1d": (F.lp_pool1d, ((4, 9),), {"norm_type": 2.0, "kernel_size": 2}),
    "adaptive": (F.adaptive_avg_pool2d, ((2, 7, 9),), {"output_size": (3, 4)}),
    "global": (F.global_avg_pool, ((2, 7, 9, 3),), {}),
    "gemm": (F.gemm, ((8, 5), (5, 40)), {}),
    "gemm transposed": (F.gemm, ((5, 8), (40, 5)), {"trans_a": True, "trans_b": True, "alpha": 0.5}),
    "matmul": (F.matmul, ((20, 7), (7, 9)), {}),
    "matmul of a batch": (F.matmul, ((3, 5, 7), (3, 7, 2)), {}),
    "matmul of one matrix": (F.matmul, ((3, 5, 7), (7, 2)), {}),
    "matmul of a vector": (F.matmul, ((5, 7), (7,)), {}),
    "linear": (F.linear, ((4, 16), (10, 16), (10,)), {"activation": "relu"}),
    "linear of one row": (F.linear, ((1, 64), (10, 64)), {}),
    "linear of one output": (F.linear, ((2, 3, 64), (64,)), {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_repeated_calls_read_the_arrays_that_they_get(name: str, dtype: str) -> None:
    operation, shapes, kwargs = CALLS[name]
    for seed in range(5):
        given = [array(*s, dtype=dtype, seed=seed * 10 + i) for i, s in enumerate(shapes)]
        want = operation(*(np.asfortranarray(a) for a in given), **kwargs)
        got = operation(*given, **kwargs)
        np.testing.assert_array_equal(got, want)
        out = np.full_like(want, np.nan)
        assert operation(*given, **kwargs, out=out) is out
        np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(2, 5, 9, 7), (3, 40, 30)])
def test_repeated_calls_with_positions(shape: tuple[int, ...], dtype: str) -> None:
    """Two results, which are new arrays in each call."""
    calls: list[Callable[[np.ndarray], Any]] = [
        lambda x: F.max_pool2d(x, 3, 2, padding=1, return_indices=True),
        lambda x: F.adaptive_max_pool2d(x, (2, 3), return_indices=True),
    ]
    for call in calls:
        kept = []
        for seed in range(5):
            x = array(*shape, dtype=dtype, seed=seed)
            x[0, 0, 0] = np.nan
            got, want = call(x), call(np.asfortranarray(x))
            assert type(got) is tuple and [a.dtype for a in got] == [np.dtype(dtype), np.dtype(np.int64)]
            kept.append((got, want))
        for got, want in kept:
            for one, other in zip(got, want, strict=True):
                np.testing.assert_array_equal(one, other)
        assert not np.shares_memory(kept[-1][0][1], kept[-2][0][1])


def test_a_repeated_call_runs_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = array(1, 1, 4, 4), array(1, 1, 3, 3)
    want = [F.conv2d(x, w) for _ in range(3)][-1]
    if F.plan(F.conv2d, x, w).kernel.startswith("cython"):
        monkeypatch.setattr(Recipe, "execute", None)
        monkeypatch.setattr(plans, "submit", None)
        np.testing.assert_array_equal(F.conv2d(x, w), want)
        np.testing.assert_array_equal(F.conv2d(x, w, None, 1, 0), want)  # the same call in other words
        np.testing.assert_array_equal(F.conv2d(2 * x, w), 2 * want)


def test_values_that_are_equal_but_of_another_type_are_other_arguments() -> None:
    x, w = array(1, 1, 4, 4), array(1, 1, 3, 3)
    for _ in range(3):
        F.conv2d(x, w, stride=1, padding=(1, 1), groups=1)
    for wrong in ({"stride": True}, {"stride": 1.0}, {"padding": (1, True)}, {"groups": 1.0}):
        with pytest.raises(TypeError):
            F.conv2d(x, w, **({"stride": 1, "padding": (1, 1), "groups": 1} | wrong))  # type: ignore[arg-type]
    np.testing.assert_array_equal(F.conv2d(x, w, padding=[1, 1]), F.conv2d(x, w, padding=(1, 1)))


def test_arrays_that_a_kernel_cannot_take_as_they_are() -> None:
    x, w, b = array(1, 3, 6, 6), array(4, 3, 3, 3), array(4)
    want = [F.conv2d(x, w, b) for _ in range(3)][-1]
    wide = np.zeros((1, 3, 6, 12), "f")
    wide[..., ::2] = x
    swapped = x.astype(">f4")
    unaligned = np.frombuffer(b" " + x.tobytes(), np.uint8)[1:].view("f4").reshape(x.shape)
    for given in (wide[..., ::2], swapped, unaligned, x[..., ::-1].copy()[..., ::-1]):
        np.testing.assert_array_equal(F.conv2d(given, w, b).astype("f4"), want)
    np.testing.assert_array_equal(F.conv2d(x, np.asfortranarray(w), b), want)
    np.testing.assert_array_equal(F.conv2d(x, w, np.repeat(b, 2)[::2]), want)
    assert F.conv2d(x.astype("f8"), w, b).dtype == np.float64
    with pytest.raises(TypeError):
        F.conv2d(np.ma.masked_array(x), w, b)
    with pytest.raises(F.ShapeError):
        F.conv2d(x[:, :2].copy(), w, b)


def test_out_that_overlaps_an_operand_or_is_unusable() -> None:
    x, w = array(1, 1, 3, 3), array(1, 1, 3, 3)
    both = np.concatenate([x.ravel(), w.ravel()])
    for _ in range(3):
        want = F.conv2d(x, w, padding=1)
        assert F.conv2d(x, w, padding=1, out=np.empty_like(want)).shape == want.shape
    for inside in (0, 4, 9):
        memory = both.copy()
        out = memory[inside : inside + 9].reshape(1, 1, 3, 3)
        F.conv2d(memory[:9].reshape(x.shape), memory[9:].reshape(w.shape), padding=1, out=out)
        np.testing.assert_array_equal(out, want)
    fixed = np.empty_like(want)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        F.conv2d(x, w, padding=1, out=fixed)
    with pytest.raises(F.ShapeError):
        F.conv2d(x, w, padding=1, out=np.empty((1, 1, 3, 4), "f"))
    with pytest.raises(F.DTypeError):
        F.conv2d(x, w, padding=1, out=np.empty((1, 1, 3, 3)))
    strided = np.empty((1, 1, 3, 6), "f")[..., ::2]
    np.testing.assert_array_equal(F.conv2d(x, w, padding=1, out=strided), want)


def test_one_array_as_image_and_as_weights() -> None:
    for i in range(4):
        same, other = array(1, 1, 3, 3, seed=i), array(1, 1, 3, 3, seed=i + 50)
        assert F.conv2d(same, same).item() == pytest.approx(float((same * same).sum()), rel=1e-5)
        assert F.conv2d(same, other).item() == pytest.approx(float((same * other).sum()), rel=1e-5)


def test_options_and_planning_around_a_call() -> None:
    x, w = array(1, 2, 6, 6), array(3, 2, 3, 3)
    want = [F.conv2d(x, w) for _ in range(3)][-1]
    with F.options(backend="reference"):
        slow = [F.conv2d(x, w) for _ in range(3)][-1]
    np.testing.assert_allclose(slow, want, rtol=1e-4, atol=1e-5)
    with pytest.raises(F.UnsupportedError), F.options(algorithm="winograd"):
        F.conv2d(x, w, stride=3)
    with planning():
        assert isinstance(F.conv2d(x, w), F.Plan)
    assert F.plan(F.conv2d, x, w)(x).shape == want.shape
    np.testing.assert_array_equal(F.conv2d(x, w), want)


def test_a_plan_that_is_called_again() -> None:
    x, w = array(1, 2, 6, 6), array(3, 2, 3, 3)
    run = F.plan(F.conv2d, x, w)
    want = F.conv2d(x, w)
    out = np.empty_like(want)
    for _ in range(3):
        np.testing.assert_allclose(run(x), want, rtol=1e-5, atol=1e-6)
        assert run(x, out=out) is out
    np.testing.assert_array_equal(run(np.asfortranarray(x)), run(x))
    with pytest.raises(F.ShapeError):
        run(x[:, :1])
    with pytest.raises(F.DTypeError):
        run(x.astype("f8"))
    with pytest.raises(F.ShapeError):
        run(x, out=np.empty((1, 3, 4, 5), "f"))
    with planning():
        np.testing.assert_array_equal(run(x), run(x))


def test_calls_are_forgotten_with_the_caches() -> None:
    x = array(3, 5, 7)
    F.max_pool2d(x, 3, 1)
    want = [F.max_pool2d(x, 3, 1) for _ in range(3)][-1]
    clear_cache()
    np.testing.assert_array_equal(F.max_pool2d(x, 3, 1), want)


class Table:
    """A table of calls of `run`, and what it calls otherwise."""

    def __init__(self, answer: Any = True, sets: int = 2) -> None:
        self.answer, self.seen, self.others = answer, [], 0  # type: ignore[var-annotated]
        self.calls = repeats.Repeated(self.otherwise, None, np.ndarray, Spec, sets)

    def otherwise(self, *given: Any) -> str:
        self.others += 1
        return "otherwise"

    def run(self, *given: Any) -> Any:
        self.seen.append(given)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def remember(self, *arguments: Any, passed: tuple[int, ...] = (0, -1, -2), out: int = -1) -> bool:
        return self.calls.remember(arguments, self.run, passed, out, np.empty, (2,), np.dtype("f4"), None)


def test_a_table_passes_arrays_and_the_result() -> None:
    t, x = Table(), array(3)
    assert t.remember(Spec((3,), x.dtype), 7, "same", None, (1, (2, 3)))
    result = t.calls(x, 7, "same", None, (1, (2, 3)))
    assert result.shape == (2,) and t.seen == [(x, result, None)] and t.others == 0
    assert t.calls(x, 7, "same", None, (1, (2, 4))) == t.calls(x, 7, "sam", None, (1, (2, 3))) == "otherwise"
    assert t.calls(x[:2], 7, "same", None, (1, (2, 3))) == t.calls(x, 7) == t.calls() == "otherwise"
    assert t.calls(x.astype("f8"), 7, "same", None, (1, (2, 3))) == "otherwise"
    with pytest.raises(TypeError):
        t.calls(x, 7, "same", None, stride=3)


def test_values_of_a_table_are_compared_by_type_and_bits() -> None:
    for value, other in ((1, True), (1, 1.0), (0.0, -0.0), ((1,), (1.0,)), ((1, 2), (1,)), ("a", b"a"), (None, False)):
        t = Table()
        assert t.remember(value, passed=())
        assert isinstance(t.calls(value), np.ndarray) and t.calls(other) == "otherwise"


def test_a_table_replaces_and_forgets_calls() -> None:
    t = Table(sets=1)
    for i in range(40):
        assert t.remember(Spec((i + 1,), np.dtype("f4")), passed=(0,))
    assert isinstance(t.calls(array(40)), np.ndarray) and t.calls(array(1)) == "otherwise"
    t.calls.forget()
    assert t.calls(array(40)) == "otherwise"


def test_a_table_refuses_what_it_cannot_hold() -> None:
    t = Table()
    assert not t.remember(Spec((1,) * 9, np.dtype("f4")))
    assert not t.remember(*range(30), passed=())
    assert not t.remember(1, passed=(3,)) and not t.remember(1, passed=(0,) * 9)
    with pytest.raises(TypeError):
        t.remember(Spec(("a",), np.dtype("f4")))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sets"):
        Table(sets=0)


@pytest.mark.parametrize("answer", [False, None, MemoryError("none left")])
def test_a_run_that_does_not_succeed(answer: Any) -> None:
    t, x = Table(answer), array(3)
    t.remember(Spec((3,), x.dtype), passed=(0, -1))
    if isinstance(answer, Exception):
        with pytest.raises(MemoryError):
            t.calls(x)
    else:
        assert t.calls(x) == "otherwise"


def test_references_are_given_back() -> None:
    t, x, out = Table(), array(3), array(2)
    t.run = lambda *given: True  # type: ignore[method-assign]
    t.remember(Spec((3,), x.dtype), None, passed=(0, -1))
    t.remember(Spec((3,), x.dtype), Spec((2,), x.dtype), passed=(0, 1), out=1)
    things = (x, out, np.dtype("f4"), t.run, None)
    gc.collect()  # what other tests left holds some of these, too
    before = [sys.getrefcount(a) for a in things]
    for _ in range(1000):
        t.calls(x, None)
        assert t.calls(x, out) is out
        t.calls(x, 5)
    gc.collect()
    assert all(abs(sys.getrefcount(a) - n) < 100 for a, n in zip(things, before, strict=True))


def test_a_call_that_is_forgotten_while_it_runs() -> None:
    t, x = Table(), array(3)

    def run(*given: Any) -> bool:
        t.calls.forget()
        gc.collect()
        return True

    t.run = run  # type: ignore[method-assign]
    t.remember(Spec((3,), x.dtype), passed=(0, -1))
    assert t.calls(x).shape == (2,) and t.calls(x) == "otherwise"
