"""Winograd along rows: its algebra in exact arithmetic, every remainder against the reference, its errors."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython.conv import winograd1d as winograd_rows
from fastconv.backends.reference import conv as reference
from fastconv.machines import host_table
from tests.backends.cython.test_conv import OPTIONS, as_dtype, case, check, every_dtype, problem, run, skip_unavailable

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

every_kernel = pytest.mark.parametrize("kernel", winograd_rows.KERNELS, ids=lambda k: k.name)
TALL = problem(3, 5, (18, 20), (7, 3))  # taken by every kernel
KERNEL_ROWS = [(kh, stride) for stride in range(1, 5) for kh in range(stride + 1, 13)]


@pytest.mark.one_isa
@pytest.mark.parametrize("most", winograd_rows.MOST_TAPS)
@pytest.mark.parametrize(("kh", "stride"), KERNEL_ROWS)
def test_the_filters_are_the_convolution(kh: int, stride: int, most: int) -> None:
    scheme = winograd_rows.RowScheme.of(kh, stride, most)
    assert sorted(f.start + stride * i for f in scheme.filters for i in range(f.taps)) == list(range(kh))
    assert {scheme.planes - f.planes for f in scheme.filters} <= {0, 1}, "the tiles know two lengths"
    for f in scheme.filters:
        points = scheme.points(f.planes)
        b, g = winograd_rows.toom_cook(points, f.taps)
        for q in range(scheme.pairs):  # the tiles compute half of each pair
            assert b[2 * q + 1] == [c * (-1) ** i for i, c in enumerate(b[2 * q])]
        for j in range(winograd_rows.M):
            for i in range(f.planes):
                for tap in range(f.taps):
                    total = sum(
                        (Fraction(j == winograd_rows.M - 1) if p is None else p**j) * g[n][tap] * b[n][i]
                        for n, p in enumerate(points)
                    )
                    assert total == (i == j + tap)


@every_dtype
@every_kernel
def test_every_width_height_and_number_of_channels(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, TALL)
    done = 0
    for i in range(1, 50):
        for kh, stride in (KERNEL_ROWS[i % len(KERNEL_ROWS)], (3, 1), (5, 1), (3, 2)):
            oh, kw, sw = i % 9 + 1, i % 4 + 1, i % 3 + 1
            size = ((oh - 1) * stride + kh, (i - 1) * sw + kw)
            p = problem(i % 3 + 1, i % 17 + 1, size, (kh, kw), stride=(stride, sw), activation=(None, "relu")[i % 2])
            done += check(kernel, p, dtype)
    assert done == 4 * 49 if kernel.most == 5 else done > 49


@every_dtype
@every_kernel
def test_every_option(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, TALL)
    sizes = (dict(ic=1, oc=1), dict(ic=1, oc=3), dict(kernel=(7, 3), size=(25, 61)))
    plain = [o for o in OPTIONS if "groups" not in o and len(o.get("size", "hw")) == 2]
    problems = [problem(**o) for o in OPTIONS] + [problem(**{**o, **s}) for o in plain for s in sizes]
    assert sum(check(kernel, p, dtype) for p in problems) > (60 if kernel.most == 5 else 20)


@every_kernel
def test_blocks_of_tile_rows(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, TALL)
    for p in (
        problem(3, 9, (90, 500), (3, 3), pads=((1, 1), (1, 1)), n=2),  # several tile rows to an item, several items
        problem(64, 3, (9, 40), (5, 2)),
        problem(2, 6, (40, 30), (7, 7), stride=(2, 2), pads=((3, 3), (3, 3)), groups=2),
    ):
        assert check(kernel, p, np.float32) or kernel.most == 3


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the reference's
@every_dtype
@every_kernel
def test_nan_and_infinity_stay_in_their_windows(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, TALL)
    for kernel_shape, stride in (((3, 3), (1, 1)), ((5, 2), (1, 1)), ((7, 3), (2, 2))):
        p64 = problem(2, 11, (24, 70), kernel_shape, stride=stride, pads=((1, 1), (1, 1)), activation="relu")
        p = as_dtype(p64, dtype)
        if kernel.reject(p) is not None:
            continue
        x, w, bias, _ = case(p64)
        x, w = x.copy(), w.copy()
        x[0, 1, 0, 2, 7], x[0, 0, 0, 12, 69], x[0, 0, 0, 20, 0] = np.nan, np.inf, -np.inf
        for infinite_weight in (False, True):
            if infinite_weight:
                w[4, 1, 0, 0, 0] = np.inf
            expected = np.empty(p.y_shape)
            reference.ReferenceConv().prepare(p64, (w, bias), 1)(x, expected)
            expected[expected < 0] = 0
            assert np.isnan(expected).any() and np.isinf(expected).any() and np.isfinite(expected).any()
            y = run(kernel, p, x, w, bias, "end")
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("data", ["normal", "relu-like", "positive", "badly scaled"])
@every_kernel
def test_errors_stay_within_twice_the_stated(kernel: Any, data: str) -> None:
    skip_unavailable(kernel, np.float32, TALL)
    rng = np.random.default_rng(5)
    layers = (1, 3, 1), (3, 3, 1), (3, 3, 2), (16, 3, 1), (1, 5, 1), (3, 7, 2), (3, 11, 4), (16, 9, 1), (64, 9, 1)
    for ic, kh, stride in layers:
        p = dataclasses.replace(problem(ic, 5, (33, 45), (kh, kh), stride=(stride, stride)), bias=False)
        if kernel.reject(as_dtype(p, np.float32)) is not None:
            continue
        x, w = rng.standard_normal(p.x_shape), rng.standard_normal(p.w_shape)
        if data == "relu-like":
            x = np.maximum(x, 0)
        elif data == "positive":
            x, w = np.abs(x), np.abs(w)
        elif data == "badly scaled":
            x *= 10.0 ** rng.uniform(-3, 3, (1, ic, 1, 1, 1))
            w *= 10.0 ** rng.uniform(-2, 2, (p.oc, 1, 1, 1, 1))
        x, w = (a.astype(np.float32).astype(float) for a in (x, w))
        expected = np.empty(p.y_shape)
        reference.ReferenceConv().prepare(p, (w, None), 1)(x, expected)
        p32 = as_dtype(p, np.float32)
        off = np.abs(run(kernel, p32, x, w, None, "end") - expected).max() / np.abs(expected).max()
        assert off <= 2 * kernel.error(p32), f"{ic} channels, {kh} rows, stride {stride}: {off:.1e}"


@every_kernel
def test_refusals_have_reasons(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, TALL)

    def reason(p: Any) -> str:
        return kernel.reject(as_dtype(p, np.float32))

    assert reason(TALL) is None
    assert "NHWC" in reason(problem(3, 5, (18, 20), (7, 3), layout="NHWC"))
    assert "overlap" in reason(problem(3, 5, (9, 20), (1, 3)))
    assert "overlap" in reason(problem(3, 5, (9, 20), (2, 3), stride=(2, 1)))
    assert "dilated" in reason(problem(3, 5, (18, 20), (7, 3), dilation=(2, 1)))
    assert "channels" in reason(problem(65, 5, (18, 20), (7, 3)))
    assert "too long" in reason(problem(64, 5, (18, 2000), (7, 3)))
    assert "finite" in reason(problem(3, 5, (18, 20), (7, 3), pads=((1, 1), (1, 1)), fill=np.inf))


@every_kernel
def test_predictions_and_workspace(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, TALL)
    large = problem(3, 64, (224, 224), (7, 7)), problem(1, 8, (1080, 1920), (7, 7)), problem(64, 3, (112, 112), (9, 9))
    for p in (TALL, *large):
        p = as_dtype(p, np.float32)
        assert kernel.reject(p) is None
        assert 0 < kernel.cost(p, host_table()) < 1
        assert 0 < kernel.workspace(p) <= 1 << 20
