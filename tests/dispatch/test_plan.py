"""Plans, explanations and options."""

from __future__ import annotations

import contextvars
import re
import subprocess
import sys
import threading
import warnings
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.units import bytes_text
from fastconv.dispatch import choice, wisdom
from fastconv.dispatch import plan as plans
from fastconv.dispatch.options import resolve
from fastconv.dispatch.registry import kernels
from fastconv.dispatch.survey import survey
from fastconv.ops import conv

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1, 8, 12, 12)).astype("f")
W = RNG.normal(size=(16, 8, 3, 3)).astype("f")
B = RNG.normal(size=16).astype("f")


def test_a_plan_computes_what_the_call_computes() -> None:
    # A plan may take another algorithm, since packing costs it nothing; with tol=0 all have the errors of plain sums.
    run = F.plan(F.conv2d, X, W, B, padding=1, activation="relu", tol=0)
    want = F.conv2d(X, W, B, padding=1, activation="relu", tol=0)
    np.testing.assert_allclose(run(X), want, atol=1e-5)
    loose = F.plan(F.conv2d, X, W, B, padding=1, activation="relu")
    np.testing.assert_allclose(loose(X), want, rtol=0, atol=2 * 4e-6 * want.max())
    other = RNG.normal(size=X.shape).astype("f")
    np.testing.assert_allclose(run(other), F.conv2d(other, W, B, padding=1, activation="relu", tol=0), atol=1e-5)
    out = np.empty_like(want)
    assert run(X, out=out) is out
    np.testing.assert_array_equal(out, run(X))


def test_a_plan_needs_no_array_for_x() -> None:
    run = F.plan(F.conv2d, F.Spec(X.shape, np.float32), W, padding=1)
    np.testing.assert_array_equal(run(X), F.plan(F.conv2d, X, W, padding=1)(X))


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (F.conv_transpose2d, (np.ones((8, 2, 3, 3), "f"),)),
        (F.max_pool2d, (2,)),
        (F.avg_pool2d, (2,)),
        (F.adaptive_avg_pool2d, (5,)),
        (F.global_max_pool, ()),
        (F.matmul, (np.ones((12, 4), "f"),)),
        (F.linear, (np.ones((4, 12), "f"),)),
        (F.relu, ()),
        (F.softmax, (1,)),
        (F.pad, ((1, 2),)),
        (F.unfold, (3,)),
    ],
)
def test_every_operation_can_be_planned(function: object, args: tuple[object, ...]) -> None:
    run = F.plan(function, F.Spec(X.shape), *args)  # type: ignore[arg-type]
    assert isinstance(run, F.Plan)
    np.testing.assert_allclose(run(X), function(X, *args), atol=1e-5)  # type: ignore[operator]


def test_a_plan_shows_what_its_kernel_receives() -> None:
    run = F.plan(F.conv2d, X, W, padding=1, threads=3)
    assert run.threads == 3
    w, bias = run.constants
    assert w.shape == (*W.shape[:2], 1, *W.shape[2:]) and bias is None
    np.testing.assert_array_equal(w[:, :, 0], W)
    x, y = run.canonical_input(X), run(X)
    assert x.shape == (*X.shape[:2], 1, *X.shape[2:]) and np.shares_memory(x, X)
    result = run.canonical_result(y)
    assert (result.shape, result.dtype) == run.problem.results[0] and np.shares_memory(result, y)
    by_hand = np.empty_like(y)
    kernel = next(c.kernel for c in run.explain().candidates if c.kernel.name == run.kernel)
    kernel.prepare(run.problem, run.constants, run.threads)(x, run.canonical_result(by_hand))
    np.testing.assert_array_equal(by_hand, y)


def test_a_plan_with_several_results() -> None:
    run = F.plan(F.max_pool2d, X, 2, return_indices=True)
    y, at = run(X)
    want = F.max_pool2d(X, 2, return_indices=True)
    np.testing.assert_array_equal(y, want[0])
    np.testing.assert_array_equal(at, want[1])
    outs = np.empty_like(y), np.empty_like(at)
    got = run(X, out=outs)
    assert got[0] is outs[0] and got[1] is outs[1]
    np.testing.assert_array_equal(outs[1], at)


def test_a_plan_refuses_what_it_was_not_made_for() -> None:
    run = F.plan(F.conv2d, X, W)
    with pytest.raises(F.ShapeError, match=r"input has shape \(8, 12, 12\); this plan was made for \(1, 8, 12, 12\)"):
        run(X[0])
    with pytest.raises(F.DTypeError, match="input has dtype float64; this plan was made for float32"):
        run(X.astype(float))
    with pytest.raises(F.ShapeError, match="out has shape"):
        run(X, out=np.empty((1, 16, 12, 12), "f"))
    with pytest.raises(TypeError, match="plan needs one of fastconv's operations"):
        F.plan(len, [1])


def test_a_plan_does_not_see_later_changes_of_weights() -> None:
    w = W.copy()
    for kernel in [c.kernel.name for c in F.plan(F.conv2d, X, w).explain().candidates if c.reason is None]:
        run = F.plan(F.conv2d, X, w).with_kernel(kernel)
        before = run(X)
        w *= 2
        np.testing.assert_array_equal(run(X), before, err_msg=kernel)
        w[...] = W


@pytest.mark.parametrize("backend", ["cython", "numba"])
def test_explain_says_how_much_is_packed(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    x, w = np.ones((1, 64, 9, 9), "f"), np.ones((64, 64, 3, 3), "f")
    with F.options(backend=backend, algorithm="direct"):
        found = F.plan(F.conv2d, x, w, padding=1).explain()
    assert w.nbytes <= found.packed_bytes < 1.1 * w.nbytes
    assert f"packed weights and tables, kept by the plan: {bytes_text(found.packed_bytes)}" in str(found)


def test_nothing_is_packed_where_weights_are_used_as_they_are() -> None:
    x, w = np.ones((1, 64, 9, 9), "f"), np.ones((64, 64, 1, 1), "f")
    with F.options(backend="numpy", algorithm="pointwise"):
        assert F.plan(F.conv2d, x, w).explain().packed_bytes == 0
    assert F.plan(F.relu, x).explain().packed_bytes < 1024


def test_explain_lists_every_kernel_with_its_reason() -> None:
    run = F.plan(F.conv2d, X, W, activation="mish")
    text = str(run.explain())
    words = text.replace(",", " ").split()
    for kernel in kernels("conv"):
        assert words.count(kernel.name) == 1
    assert text.count("chosen") == 1
    table = [line for line in text.splitlines() if line.endswith((" chosen", " slower"))]
    predicted = [float(line[: line.index(" us")].split()[-1]) for line in table]
    assert len(table) > 5 and predicted == sorted(predicted)
    assert f"* {run.kernel} " in text.replace("*  ", "* ")
    able, _, unable = text.partition("cannot do this:")
    assert "more than one input channel per group" in unable and "direct@" in able
    assert "activation mish: a pass of its own" in text
    assert run.explain().chosen == run.kernel
    for c in run.explain().candidates:
        assert c.reason is None or c.reason


def test_with_kernel() -> None:
    run = F.plan(F.conv2d, X, W)
    assert run.with_kernel("numpy.im2col").kernel == "numpy.im2col"
    np.testing.assert_allclose(run.with_kernel("numpy.im2col")(X), run(X), atol=1e-4)
    with pytest.raises(F.UnsupportedError, match=r"numpy\.pointwise cannot do this: not 1x1"):
        run.with_kernel("numpy.pointwise")
    with pytest.raises(ValueError, match=r"no kernel of conv is called 'numpy\.magic'; near matches: .*numpy\.im2col"):
        run.with_kernel("numpy.magic")


def test_options_nest_and_keywords_win() -> None:
    assert resolve().backend == "auto"
    with F.options(backend="numpy", threads=1):
        assert F.plan(F.conv2d, X, W).kernel == "numpy.im2col"
        with F.options(threads=2):
            assert (resolve().backend, resolve().threads) == ("numpy", 2)
            assert resolve(backend="reference").backend == "reference"
        assert resolve().threads == 1
        assert F.plan(F.conv2d, X, W, backend="reference").kernel == "reference.definition"
    assert resolve().backend == "auto"
    with pytest.raises(RuntimeError), F.options(threads=1):
        raise RuntimeError
    assert resolve().threads is None
    with pytest.raises(FrozenInstanceError):
        resolve().threads = 3  # type: ignore[misc]


def test_options_do_not_reach_other_threads() -> None:
    seen = []
    with F.options(backend="numpy"):
        thread = threading.Thread(target=lambda: seen.append(resolve().backend))
        thread.start()
        thread.join()
    assert seen == ["auto"]


def test_algorithm_can_be_asked_for() -> None:
    assert F.plan(F.conv2d, X, W, algorithm="im2col").kernel == "numpy.im2col"
    with pytest.raises(F.UnsupportedError, match=r"algorithm='depthwise' was asked for|more than one input channel"):
        F.conv2d(X, W, algorithm="depthwise")


def test_choices_are_kept() -> None:
    plans.clear_cache()
    F.conv2d(X, W)
    F.conv2d(X, W)
    found, recipes = choice._choose.cache_info(), conv._recipe.cache_info()
    assert (found.misses, found.hits, found.currsize) == (1, 0, 1)
    assert (recipes.misses, recipes.hits, recipes.currsize) == (1, 1, 1)


def test_a_measured_time_beats_predictions() -> None:
    run = F.plan(F.conv2d, X, W)
    slow = next(c.kernel for c in run.explain().candidates if c.kernel.name == "numpy.im2col")
    wisdom.record(slow, run.problem, 1e-9)
    plans.clear_cache()
    again = F.plan(F.conv2d, X, W)
    assert again.kernel == "numpy.im2col"
    assert "0.0 us" in str(again.explain())


def test_max_workspace_and_tol_are_reasons() -> None:
    run = F.plan(F.conv2d, X, W, max_workspace=20_000)
    assert run.kernel != "reference.definition"
    assert "exceeds max_workspace 20000" in str(run.explain())
    F.conv2d(X, W, tol=0)


def test_a_limit_on_scratch_takes_threads_away_and_then_says_the_least_that_would_do() -> None:
    shape, w = (1, 64, 56, 56), np.ones((64, 64, 3, 3), "f")
    free = F.plan(F.conv2d, F.Spec(shape), w, padding=1, threads=4).explain()
    stated = {c.kernel.name: c.workspace for c in free.candidates}[free.chosen]
    for threads in (4, 3, 1):
        run = F.plan(F.conv2d, F.Spec(shape), w, padding=1, threads=4, max_workspace=threads * stated)
        assert (run.kernel, run.explain().choice.threads) == (free.chosen, threads)
    with pytest.raises(F.UnsupportedError, match="needs the least") as caught:
        F.conv2d(X, W, max_workspace=10)
    least = int(str(caught.value).split("needs the least, ")[1].split()[0])
    F.conv2d(X, W, max_workspace=least)
    with pytest.raises(F.UnsupportedError):
        F.conv2d(X, W, max_workspace=least - 1)


def test_the_oracle_is_chosen_by_name_only() -> None:
    for kwargs in ({"backend": "reference"}, {"algorithm": "definition"}):
        assert F.plan(F.conv2d, X, W, **kwargs).kernel == "reference.definition"
    wisdom.record(kernels("conv")[-1], F.plan(F.conv2d, X, W).problem, 1e-9)
    plans.clear_cache()
    run = F.plan(F.conv2d, X, W)
    assert run.kernel != "reference.definition"
    assert "the oracle" in str(run.explain())


def test_the_choice_does_not_depend_on_threads_or_batch() -> None:
    for shape, w, kwargs in [
        (X.shape, W.shape, {}),
        ((1, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
        ((1, 256, 14, 14), (8, 256, 1, 1), {}),
    ]:
        plans_ = [
            F.plan(F.conv2d, F.Spec((n, *shape[1:])), np.ones(w, "f"), threads=t, **kwargs)
            for t in (1, 2, 16)
            for n in (1, 3, 40)
        ]
        assert len({p.kernel for p in plans_}) == 1


def test_gradients_of_inputs_are_chosen_for_several_images() -> None:
    """Weights are packed for all of them: what packs little for one may take three times as long for each of many."""
    x, w = np.ones((1, 64, 14, 14), "f"), np.ones((64, 32, 5, 5), "f")
    p = replace(F.plan(F.conv_transpose2d, x, w, padding=2).problem, packed=False)  # type: ignore[call-arg]
    made = [choice.choose(replace(p, n=n), resolve(threads=1)) for n in (1, 30)]  # type: ignore[call-arg]
    assert made[0].kernel is made[1].kernel
    text = str(choice.Explanation(made[0], survey(p, resolve(threads=1)), 0))
    assert "predictions are for one image, alone and of many, on one thread" in text


def test_gradients_of_weights_are_chosen_by_the_whole_batch() -> None:
    """They are sums over the batch: transforms pay for large batches that do not for small ones."""
    dy, x, w = (np.ones(shape, "f") for shape in ((8, 64, 7, 7), (8, 64, 7, 7), (64, 64, 3, 3)))
    text = str(F.plan(F.grad.conv2d, dy, x, w, padding=1, need=(False, True, False)).explain())
    assert "predictions are for the whole batch on one thread" in text
    text = str(F.plan(F.conv2d, x, w, padding=1).explain())
    assert "predictions are for one image on one thread" in text


def test_options_without_a_block_are_said_to_do_nothing() -> None:
    with pytest.warns(F.FastconvWarning, match=r"options\(threads=1, tol=0.0\) had no effect.*set_options\(") as caught:
        F.options(threads=1, tol=0.0)
    assert caught[0].filename == __file__
    assert resolve().threads is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.options(threads=1)(abs)  # a decorator
        with F.options(threads=1):
            pass


def test_set_options_holds_until_it_is_set_again_or_a_block_ends() -> None:
    def check() -> None:
        F.set_options(backend="numpy", threads=1)
        assert (resolve().backend, resolve().threads) == ("numpy", 1)
        with F.options(backend="reference"):
            F.set_options(threads=2)
            assert (resolve().backend, resolve().threads) == ("reference", 2)
        assert (resolve().backend, resolve().threads) == ("numpy", 1)
        F.set_options(backend="auto")
        assert (resolve().backend, resolve().threads) == ("auto", 1)
        with pytest.raises(ValueError, match="threads must be"):
            F.set_options(threads=0)

    contextvars.copy_context().run(check)
    assert resolve().threads is None


def test_options_may_be_used_again_and_inside_themselves() -> None:
    numpy = F.options(backend="numpy", threads=2)
    for _ in range(2):
        with numpy as entered:
            assert resolve() is entered
            assert (resolve().backend, resolve().threads) == ("numpy", 2)
            with F.options(threads=3), numpy, F.options(backend="reference"):
                assert (resolve().backend, resolve().threads) == ("reference", 2)
            assert (resolve().backend, resolve().threads) == ("numpy", 2)
        assert resolve().backend == "auto"
    with pytest.raises(ZeroDivisionError), numpy:
        1 / 0  # noqa: B018
    assert resolve().backend == "auto"

    @numpy
    def inside() -> str:
        return resolve().backend

    seen = []
    threads = [threading.Thread(target=lambda: seen.append(inside())) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == ["numpy"] * 4
    assert resolve().backend == "auto"
    with pytest.raises(ValueError, match="threads must be"):
        F.options(threads=0)


def test_filters_are_there_after_import_fastconv() -> None:
    code = (
        "import sys, fastconv as F; assert 'fastconv.filters' not in sys.modules; "
        "print(F.filters.SHARPEN[1, 1], hasattr(F, 'filter'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5.0", "False"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_an_activation_that_is_not_fused_is_the_function_itself(dtype: str, layout: str, backend: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 6, 9, 4)).astype(dtype), rng.normal(size=(5, 4, 3, 3)).astype(dtype)
    if layout == "NCHW":
        x = x.transpose(0, 3, 1, 2)
    options: dict[str, Any] = {"layout": layout, "backend": backend}
    bare = F.conv2d(x, w, **options)
    for name in ("gelu", "softplus", "elu", "hardtanh", "mish"):
        want = getattr(F, name)(bare, backend=backend)
        np.testing.assert_array_equal(F.conv2d(x, w, activation=name, **options), want)
        out = np.empty_like(want)
        F.conv2d(x, w, activation=name, out=out, **options)
        np.testing.assert_array_equal(out, want)
        spread = np.empty((*want.shape, 2), dtype)[..., 0]
        F.conv2d(x, w, activation=name, out=spread, **options)
        np.testing.assert_array_equal(spread, want)


@pytest.mark.one_isa
def test_explain_names_who_applies_an_activation() -> None:
    x, w = np.ones((1, 3, 9, 9), np.float32), np.ones((4, 3, 3, 3), np.float32)
    text = str(F.plan(F.conv2d, x, w, activation="gelu", backend="numpy").explain())
    assert "activation gelu: a pass of its own, by numpy.blocks (numpy." in text
    chosen = F.plan(F.conv2d, x, w, activation="gelu").explain().choice.after
    assert chosen is not None
    assert chosen.kernel.name == F.plan(F.gelu, np.ones(1 << 14, np.float32)).explain().chosen


def test_an_explanation_begins_with_the_problem_in_short() -> None:
    text = str(F.plan(F.conv2d, X, W, stride=2).explain()).splitlines()
    assert text[0].startswith("conv: n=") and "stride=1x2x2" in text[0] and len(text[0]) < 150
    assert "dilation" not in text[0] and "None" not in text[0]
    assert not any(re.search(r"\d{5,} B|\d{5,}\.\d us", line) for line in text)
