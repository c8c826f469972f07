"""Properties that hold for every convolution, on problems that hypothesis invents."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastconv as F
from tests.problems import Arrays, random_problem

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]:
    """x, w, bias and keywords of a float64 convolution with at least one output."""
    rank = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    icg, ocg, n = draw(st.integers(1, 5)), draw(st.integers(1, 18)), draw(st.integers(0, 2))
    kernel = draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank))
    stride = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    dilation = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    pads = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=rank, max_size=rank))
    extra = draw(st.lists(st.integers(0, 9 if rank < 3 else 3), min_size=rank, max_size=rank))
    spatial = [
        max(1, d * (k - 1) + 1 - lo - hi + e)
        for d, k, (lo, hi), e in zip(dilation, kernel, pads, extra, strict=True)
    ]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(size=(n, icg * groups, *spatial))
    w = rng.normal(size=(ocg * groups, icg, *kernel))
    bias = rng.normal(size=ocg * groups)
    return x, w, bias, {"stride": tuple(stride), "padding": pads, "dilation": tuple(dilation), "groups": groups}


def conv(x: np.ndarray, w: np.ndarray, *args: object, **kwargs: object) -> np.ndarray:
    return getattr(F, f"conv{w.ndim - 2}d")(x, w, *args, **kwargs)


@QUICK
@given(convolutions())
def test_backends_agree(case: tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]) -> None:
    x, w, bias, kwargs = case
    want = conv(x, w, bias, backend="reference", **kwargs)
    for backend in ("auto", "numpy"):
        np.testing.assert_allclose(conv(x, w, bias, backend=backend, **kwargs), want, atol=1e-11)


@QUICK
@given(convolutions(), st.floats(-4, 4))
def test_linear_in_input_and_weights(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]], factor: float
) -> None:
    x, w, _, kwargs = case
    other = np.random.default_rng(1).normal(size=x.shape)
    np.testing.assert_allclose(
        conv(x + factor * other, w, **kwargs), conv(x, w, **kwargs) + factor * conv(other, w, **kwargs), atol=1e-10
    )
    np.testing.assert_allclose(conv(x, factor * w, **kwargs), factor * conv(x, w, **kwargs), atol=1e-10)


@QUICK
@given(convolutions())
def test_the_transposed_convolution_is_the_adjoint(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]],
) -> None:
    """<conv(x), y> == <x, conv_transpose(y)> wherever the sizes come back."""
    x, w, _, kwargs = case
    y = np.random.default_rng(2).normal(size=conv(x, w, **kwargs).shape)
    rank = w.ndim - 2
    stride, pads, dilation = kwargs["stride"], kwargs["padding"], kwargs["dilation"]
    extra = tuple(
        (e + lo + hi - d * (k - 1) - 1) % s
        for e, (lo, hi), d, k, s in zip(x.shape[2:], pads, dilation, w.shape[2:], stride, strict=True)  # type: ignore[call-overload]
    )
    back = getattr(F, f"conv_transpose{rank}d")(y, w, output_padding=extra, **kwargs)
    assert back.shape == x.shape
    assert float((conv(x, w, **kwargs) * y).sum()) == pytest.approx(float((x * back).sum()), abs=1e-9, rel=1e-9)


@QUICK
@given(convolutions())
def test_batch_entries_are_independent(case: tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]) -> None:
    x, w, bias, kwargs = case
    together = conv(x, w, bias, **kwargs)
    for i in range(x.shape[0]):
        np.testing.assert_allclose(together[i], conv(x[i], w, bias, **kwargs), atol=1e-12)


@QUICK
@given(st.integers(0, 10**6))
def test_problems_describe_themselves(seed: int) -> None:
    p = random_problem(seed)
    assert hash(p) == hash(random_problem(seed)) and p == random_problem(seed)
    assert p.flops == 2 * p.n * p.oc * p.pixels * p.icg * p.taps
    assert Arrays.of(p).x.shape == p.x_shape and p.results == ((p.y_shape, p.out),)


SMALL = st.integers(0, 20)


@QUICK
@given(SMALL, SMALL, SMALL, st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_gemm_agrees_with_numpy(m: int, n: int, k: int, ta: bool, tb: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(k, m) if ta else (m, k)), rng.normal(size=(n, k) if tb else (k, n))
    c = rng.normal(size=(m, n))
    want = 1.5 * (a.T if ta else a) @ (b.T if tb else b) - 0.5 * c
    got = F.gemm(a, b, c, alpha=1.5, beta=-0.5, trans_a=ta, trans_b=tb)
    np.testing.assert_allclose(got, want, atol=1e-12)
