"""Cross-entropy and negative log-likelihood: every kernel, torch where installed, corners, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.problems.loss import loss_problem
from fastconv.dispatch.registry import kernels

RNG = np.random.default_rng(0)


def cases() -> list[tuple[tuple[int, ...], dict[str, Any]]]:
    found = []
    for i, shape in enumerate([(5,), (4, 5), (3, 5, 2), (2, 5, 3, 4), (0, 5), (300, 200)]):
        for reduction in ("mean", "sum", "none"):
            for weighted in (False, True):
                for smoothing in (0.0, 0.3):
                    for ignored in (False, True):
                        found.append((shape, {"reduction": reduction, "weighted": weighted, "smoothing": smoothing,
                                              "ignored": ignored, "seed": i}))  # fmt: skip
    return found


def arrays(shape: tuple[int, ...], options: dict[str, Any], probabilities: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(options["seed"])
    c = shape[0] if len(shape) == 1 else shape[1]
    x = rng.normal(size=shape) * 3
    batch = () if len(shape) == 1 else (shape[0], *shape[2:])
    target = np.asarray(rng.integers(0, c, batch))
    if options["ignored"] and target.size > 1:
        target.flat[0] = 2
    if probabilities:
        target = np.exp(x[::-1] if len(shape) > 1 else x)
        target /= target.sum(min(1, len(shape) - 1), keepdims=True)
    weight = rng.uniform(0.5, 2, c) if options["weighted"] else None
    return x, target, weight


@pytest.mark.parametrize("logits", [True, False], ids=["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("probabilities", [False, True], ids=["indices", "probabilities"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_torch(logits: bool, probabilities: bool, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    if probabilities and not logits:
        pytest.skip("nll_loss takes indices")
    for shape, options in cases():
        if shape[0] == 300 and options["weighted"]:
            continue
        x, target, weight = arrays(shape, options, probabilities)
        x = x.astype(dtype)
        weight = None if weight is None else weight.astype(dtype)
        kwargs: dict[str, Any] = {"reduction": options["reduction"]}
        if not probabilities:
            kwargs["ignore_index"] = 2 if options["ignored"] else -100
        else:
            target = target.astype(dtype)
        if logits:
            kwargs["label_smoothing"] = options["smoothing"]
        name = "cross_entropy" if logits else "nll_loss"
        w = None if weight is None else torch.tensor(weight)
        want = getattr(torch.nn.functional, name)(torch.tensor(x), torch.tensor(target), w, **kwargs).numpy()
        got = getattr(F, name)(x, target, weight, **kwargs)
        assert np.shape(got) == want.shape and got.dtype == want.dtype, (shape, options)
        scale = max(1.0, float(np.abs(np.nan_to_num(want)).max(initial=0)))
        np.testing.assert_allclose(got, want, rtol=0, atol=scale * {"float32": 3e-6, "float64": 1e-13}[dtype],
                                   err_msg=f"{shape} {options}")  # fmt: skip


@pytest.mark.parametrize("kernel", kernels("loss"), ids=lambda k: k.name)
def test_kernels_against_the_definition(kernel: Any) -> None:
    definition = kernels("loss")[-1]
    for shape, options in cases():
        if shape[0] in (0, 300):
            continue
        for probabilities in (False, True):
            x, target, weight = arrays(shape, options, probabilities)
            p, _ = loss_problem(
                True, (x.shape, x.dtype), (target.shape, target.dtype),
                None if weight is None else (weight.shape, weight.dtype), 2 if options["ignored"] else -100,
                options["reduction"], options["smoothing"],
            )  # fmt: skip
            if kernel.reject(p) is not None:
                continue
            wanted = target.reshape((p.n, p.c, p.inner) if probabilities else (p.n, p.inner))
            results = []
            for k in (definition, kernel):
                y = np.full(p.results[0][0], 7.0)
                k.prepare(p, (wanted, weight), 1)(x.reshape(p.n, p.c, p.inner), y)
                results.append(y)
            np.testing.assert_allclose(results[1], results[0], rtol=1e-12, atol=1e-12, err_msg=f"{p}")


def test_ignored_everywhere_is_nan_for_mean_and_zero_for_sum() -> None:
    x, target = RNG.normal(size=(3, 4)), np.full(3, 1)
    assert np.isnan(F.cross_entropy(x, target, ignore_index=1))
    assert F.cross_entropy(x, target, ignore_index=1, reduction="sum") == 0
    np.testing.assert_array_equal(F.cross_entropy(x, target, ignore_index=1, reduction="none"), [0, 0, 0])
    assert np.isnan(F.cross_entropy(np.empty((0, 4)), np.empty(0, int)))


@pytest.mark.parametrize("backend", ["auto", "numpy", "reference"])
def test_smoothing_over_no_classes_divides_by_none(backend: Any) -> None:
    for target in (np.zeros((2, 0)), np.full(2, -100)):
        options: dict[str, Any] = {"label_smoothing": 0.1, "reduction": "none"}
        loss = F.cross_entropy(np.zeros((2, 0)), target, **options, backend=backend)
        np.testing.assert_array_equal(loss, [0.0, 0.0])
        slope = F.grad.cross_entropy(np.ones(2), np.zeros((2, 0)), target, **options, backend=backend)
        assert all(dx.shape == (2, 0) for dx in (slope if isinstance(slope, tuple) else (slope,)))


def test_stable_for_huge_scores() -> None:
    x = np.array([[1e4, -1e4, 0.0]])
    assert F.cross_entropy(x, [0]) == 0
    assert F.cross_entropy(x, [1]) == 2e4
    assert F.cross_entropy(x.astype("f"), [1]) == 2e4


def test_a_long_mean_in_float32_loses_nothing() -> None:
    x = np.zeros((20_000, 7), "f")
    assert float(F.cross_entropy(x, np.zeros(20_000, int))) == pytest.approx(np.log(7), rel=1e-7)


def test_half_floats() -> None:
    x, t = RNG.normal(size=(6, 5)).astype(np.float16), RNG.integers(0, 5, 6)
    got = F.cross_entropy(x, t)
    assert got.dtype == np.float16
    assert float(got) == pytest.approx(float(F.cross_entropy(x.astype(float), t)), rel=1e-3)


X, T = RNG.normal(size=(3, 4)), np.array([0, 1, 2])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.cross_entropy(X, [0, 1, 4]), IndexError,
         "target holds 4; class indices are 0 to 3, or ignore_index -100"),
        (lambda: F.cross_entropy(X, [0, 1, -1]), IndexError, "target holds -1"),
        (lambda: F.cross_entropy(X, [0, 1]), F.ShapeError,
         r"target has shape \(2,\); for an input of \(3, 4\) it must be \(3,\)"),
        (lambda: F.nll_loss(X, X), F.ShapeError, "target has shape"),
        (lambda: F.nll_loss(X, T.astype(float)), F.DTypeError, "target has dtype float64; class indices are integers"),
        (lambda: F.cross_entropy(X, T, np.ones(3)), F.ShapeError, r"weight has shape \(3,\); it must be \(4,\)"),
        (lambda: F.cross_entropy(X, T, reduction="max"), ValueError,
         "reduction must be one of none, mean, sum, got 'max'"),
        (lambda: F.cross_entropy(X, T, label_smoothing=1.5), ValueError, "label_smoothing must be between 0 and 1"),
        (lambda: F.cross_entropy(X, T, label_smoothing="x"), TypeError, "label_smoothing must be a number"),
        (lambda: F.cross_entropy(X.astype(int), T), F.DTypeError, "input has dtype int64"),
        (lambda: F.cross_entropy(1.0, 0), F.ShapeError, "input must have shape"),
        (lambda: F.cross_entropy(X, T, ignore_index=0.5), TypeError, "ignore_index must be an int"),
    ],
)  # fmt: skip
def test_refusals(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        call()
    assert type(caught.value) is error


def test_an_integer_target_of_the_shape_of_the_logits_is_told_in_one_line() -> None:
    x = np.zeros((4, 3))
    with pytest.raises(F.DTypeError, match=r"target has dtype int64 .* pass target.astype\(np.float64\), or .* \(4,\)"):
        F.cross_entropy(x, np.zeros((4, 3), np.int64))
    for call in (lambda: F.cross_entropy(x, np.zeros((4, 3), bool)), lambda: F.conv1d(x > 0, np.ones((1, 4, 1)))):
        with pytest.raises(F.DTypeError, match=r"has dtype bool; .*: pass (target|input).astype\(np.float32\)$"):
            call()


@pytest.mark.parametrize("kernel", kernels("loss"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_likelihoods_against_the_definition(kernel: Any, dtype: str) -> None:
    definition, rng = kernels("loss")[-1], np.random.default_rng(8)
    long = 2_000 if kernel is definition else 70_000  # it is slow, and compares itself with NumPy here
    for n, c, inner in ((1, 1, 1), (7, 5, 1), (3, 4, 6), (2, 3, long // 2), (long, 2, 1)):
        x, target = -np.abs(rng.normal(size=(n, c, inner))).astype(dtype), rng.integers(0, c, (n, inner))
        x.reshape(-1)[:: max(x.size // 3, 2)] = -np.inf
        weight = rng.uniform(0.5, 2, c).astype(dtype)
        for reduction in ("none", "mean", "sum"):
            for ignored, w in ((-100, None), (0, None), (c - 1, weight), (-100, weight)):
                p, _ = loss_problem(
                    False, (x.shape, x.dtype), (target.shape, target.dtype),
                    None if w is None else (w.shape, w.dtype), ignored, reduction, 0.0,
                )  # fmt: skip
                if kernel.reject(p) is not None:
                    continue
                want, got = (np.empty(p.loss_shape, dtype) for _ in range(2))
                if n * inner > 1000:
                    kernels("loss")[-2].prepare(p, (target, w), 1)(x, want)
                else:
                    definition.prepare(p, (target, w), 1)(x, want)
                kernel.prepare(p, (target, w), 2)(x, got)
                np.testing.assert_allclose(got, want, rtol=max(4 * np.finfo(dtype).eps, 1e-12), err_msg=f"{p}")


def test_targets_out_of_range() -> None:
    x = np.zeros((3, 4))
    for bad in (4, -1, -(2**63), 2**63 - 1):
        with pytest.raises(IndexError, match="class indices are 0 to 3"):
            F.nll_loss(x, np.array([0, bad, 1]))
    assert F.nll_loss(x, np.array([0, -7, 1]), ignore_index=-7) == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_kind_of_a_16_bit_number(dtype: str) -> None:
    d = np.dtype(dtype if dtype == "float16" else pytest.importorskip("ml_dtypes").bfloat16)
    bits = np.array([*range(0, 1 << 16, 257), 1, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0x7C01, 0xFC00, 0xFE00, 0x7F80, 0xFF80])
    x = bits.astype(np.uint16).view(d)
    for i in range(x.size):
        got = F.nll_loss(x[None], np.array([i]), reduction="sum")
        np.testing.assert_array_equal(got.astype(np.float32), -x[i].astype(np.float32))
