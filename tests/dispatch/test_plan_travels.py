"""Plans pickle, copy and take weak references: the receiver packs again, with the same kernel if it exists."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch import plan as plans
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa  # nothing here depends on the instruction set

RNG = np.random.default_rng(11)


def rand(*shape: int, dtype: str = "f") -> np.ndarray:
    return RNG.standard_normal(shape).astype(dtype)


X, W, B = rand(2, 4, 9, 10), rand(6, 4, 3, 3), rand(6)
DY = rand(2, 6, 9, 10)
A = rand(5, 8)
AT = F.max_pool2d(X, 2, return_indices=True)[1]

# The operation, the array that changes from run to run, and the rest.
CALLS: dict[str, tuple[Callable[..., Any], np.ndarray, tuple[Any, ...], dict[str, Any]]] = {
    "conv2d": (F.conv2d, X, (W, B), {"padding": 1, "activation": "gelu"}),
    "conv2d, lists": (F.conv2d, X, (W.tolist(),), {"padding": [(1, 0), (0, 1)], "stride": np.array([2, 1])}),
    "conv2d, NHWC": (F.conv2d, X.transpose(0, 2, 3, 1), (W,), {"layout": "NHWC", "padding": "same"}),
    "conv2d, unbatched": (F.conv2d, X[0], (), {"weight": W, "bias": B}),
    "conv2d, integers": (F.conv2d, np.arange(360, dtype=np.int8).reshape(1, 4, 9, 10), (W.astype(np.int8),), {}),
    "conv_transpose2d": (F.conv_transpose2d, X, (W.swapaxes(0, 1),), {"stride": 2}),
    "max_pool2d": (F.max_pool2d, X, (2,), {"return_indices": True}),
    "avg_pool2d": (F.avg_pool2d, X, (3, 2, 1), {}),
    "adaptive_avg_pool2d": (F.adaptive_avg_pool2d, X, (3,), {}),
    "global_max_pool": (F.global_max_pool, X, (), {}),
    "max_unpool2d": (F.max_unpool2d, X[..., :4, :5], (AT, 2), {}),
    "gemm": (F.gemm, A, (rand(8, 3), rand(3)), {"alpha": 2.0, "beta": 0.5}),
    "matmul": (F.matmul, A, (rand(8, 3),), {}),
    "linear": (F.linear, A, (rand(3, 8), rand(3)), {"activation": "relu"}),
    "relu": (F.relu, A, (), {}),
    "clamp": (F.clamp, A, (rand(8), 3.0), {}),
    "prelu": (F.prelu, A, (rand(8),), {}),
    "softmax": (F.softmax, A, (1,), {}),
    "cross_entropy": (F.cross_entropy, A, (np.array([1, 2, 3, 0, 7]),), {"reduction": "none"}),
    "pad": (F.pad, X, ((1, 2, 0, 1), "reflect"), {}),
    "unfold": (F.unfold, X, (3,), {}),
    "input gradient": (F.grad.conv2d, DY, (X, W), {"padding": 1, "need": (True, False, False)}),
    "weight gradient": (F.grad.conv2d, DY, (X, W), {"padding": 1, "need": (False, True, False)}),
    "gradient of linear": (F.grad.linear, rand(5, 3), (A, rand(3, 8)), {"need": (False, True, False)}),
    "gradient of gelu": (F.grad.gelu, A, (rand(5, 8),), {}),
    "gradient of maxima": (F.grad.max_pool2d, rand(2, 4, 4, 5), (X, 2), {}),
    "gradient by indices": (F.grad.max_pool2d, rand(2, 4, 4, 5), (F.Spec(X.shape), 2), {"indices": AT}),
    "gradient of means": (F.grad.avg_pool2d, rand(2, 4, 4, 5), (F.Spec(X.shape), 2), {}),
}


def made(name: str) -> tuple[plans.Plan, np.ndarray]:
    function, x, rest, kwargs = CALLS[name]
    return F.plan(function, F.Spec(x.shape, x.dtype), *rest, **kwargs), x


def same(got: Any, want: Any) -> None:
    got, want = (r if isinstance(r, tuple) else (r,) for r in (got, want))
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_plans_pickle(name: str, protocol: int) -> None:
    run, x = made(name)
    again = pickle.loads(pickle.dumps(run, protocol))
    assert (again.kernel, again.problem, again.result_shapes) == (run.kernel, run.problem, run.result_shapes)
    same(again(x), run(x))
    same(pickle.loads(pickle.dumps(again))(x), run(x))


def test_plans_deep_copy() -> None:
    run, x = made("conv2d")
    other = copy.deepcopy({"a": run, "b": [run]})
    assert other["a"] is other["b"][0] and other["a"] is not run
    same(other["a"](x), run(x))
    same(copy.copy(run)(x), run(x))
    assert not np.shares_memory(other["a"]._constants[0], run._constants[0])


def test_plans_take_weak_references() -> None:
    run, _ = made("relu")
    seen = weakref.WeakSet([run])
    reference = weakref.ref(run)
    assert reference() is run and len(seen) == 1
    del run
    gc.collect()
    assert reference() is None and len(seen) == 0


def test_options_travel_whatever_surrounds_the_arrival() -> None:
    with F.options(backend="numpy", threads=2, max_workspace=1 << 20):
        run, x = made("conv2d")
    with F.options(backend="reference", threads=1):
        again = pickle.loads(pickle.dumps(run))
    assert again.kernel.startswith("numpy.")
    assert again._recipe.options is run._recipe.options
    same(again(x), run(x))


def test_the_kernel_is_kept_where_it_exists_and_chosen_anew_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    run, x = made("conv2d")
    slow = run.with_kernel("numpy.im2col")
    again = pickle.loads(pickle.dumps(slow))
    assert again.kernel == "numpy.im2col"
    same(again(x), slow(x))
    packed = pickle.dumps(run)
    chosen = next(k for k in kernels("conv") if k.name == run.kernel)
    monkeypatch.setattr(type(chosen), "reject", lambda self, problem: "not on this machine")
    plans.clear_cache()
    elsewhere = pickle.loads(packed)
    assert elsewhere.kernel != run.kernel
    np.testing.assert_allclose(elsewhere(x), run(x), atol=1e-4)
    monkeypatch.undo()
    plans.clear_cache()


def test_weights_that_change_later_do_not_travel() -> None:
    w = W.copy()
    run = F.plan(F.conv2d, F.Spec(X.shape), w)
    want = run(X)
    w[:] = 0
    same(pickle.loads(pickle.dumps(run))(X), want)


def test_what_travels_holds_the_weights_once() -> None:
    w = rand(64, 64, 3, 3)
    run = F.plan(F.conv2d, F.Spec((1, 64, 20, 20)), w)
    assert len(pickle.dumps(run)) < 1.1 * w.nbytes


def work(run: plans.Plan, x: np.ndarray) -> tuple[str, np.ndarray]:
    return run.kernel, run(x)


def test_plans_travel_to_spawned_processes() -> None:
    run, x = made("conv2d")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        kernel, y = pool.apply(work, (run, x))
    assert kernel == run.kernel
    same(y, run(x))


def test_plans_travel_through_joblib() -> None:
    joblib = pytest.importorskip("joblib")
    run, x = made("linear")
    for _, y in joblib.Parallel(n_jobs=2)(joblib.delayed(work)(run, x) for _ in range(2)):
        same(y, run(x))


def test_plans_of_functions_that_do_not_pickle_say_so() -> None:
    run = F.plan(lambda x: F.relu(x), A)
    same(run(A), F.relu(A))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(run)


def test_plans_of_one_call_share_the_constants_that_they_keep() -> None:
    w = np.ones((8, 4, 3, 3), "f")
    first = F.plan(F.conv2d, np.ones((1, 4, 9, 9), "f"), w)
    other = first.with_kernel("numpy.im2col")
    assert other._constants[0] is first._constants[0] is copy.copy(first)._constants[0]
    assert not np.may_share_memory(first._constants[0], w)
    assert not np.may_share_memory(copy.deepcopy(first)._constants[0], first._constants[0])
