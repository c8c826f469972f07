"""Small images side by side: the bits that each of them has alone, for every kernel that does this."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython.conv import (
    depthwise,
    direct,
    grouped,
    images,
    pointwise,
    pointwise_blocked,
    strided_rows,
)
from fastconv.backends.cython.gemm import dots, skinny
from fastconv.backends.cython.runtime import native
from fastconv.core.problems.conv import ConvProblem
from tests.backends.cython.test_conv import as_dtype, check, problem, run

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = (
    *direct.KERNELS, *pointwise.KERNELS, *pointwise_blocked.KERNELS, *skinny.CONVOLUTIONS, *depthwise.KERNELS,
    *grouped.KERNELS, *dots.CONVOLUTIONS, *strided_rows.KERNELS,
)  # fmt: skip
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

ONE = ((1, 1), (1, 1))
PROBLEMS = [
    problem(6, 10, (1, 1), (1, 1)),
    problem(300, 70, (1, 1), (1, 1)),
    problem(3, 10, (4, 5), (4, 5)),
    problem(6, 10, (3, 3), (1, 1)),
    problem(70, 33, (2, 3), (1, 1), layout="NHWC"),
    problem(300, 5, (2, 2), (1, 1)),
    problem(6, 8, (5, 5), (1, 1), groups=2, bias=False, activation="relu"),
    problem(3, 15, (3, 3), (3, 3), pads=ONE),
    problem(3, 15, (3, 3), (3, 3), pads=ONE, layout="NHWC", activation="relu"),
    problem(4, 20, (8, 8), (5, 5), pads=((2, 1), (0, 3))),
    problem(1, 4, (1, 7), (1, 3)),
    problem(5, 29, (4, 6), (2, 3), stride=(2, 1), dilation=(1, 2), pads=((1, 0), (2, 1))),
    problem(4, 6, (4, 5), (3, 3), pads=ONE, groups=2),
    problem(4, 6, (4, 5), (3, 3), pads=ONE, groups=2, layout="NHWC", bias=False),
    problem(1, 5, (9, 8), (7, 7), pads=((3, 3), (3, 3))),
    problem(3, 6, (8, 8), (5, 5), pads=((2, 2), (2, 2)), bias=False),
    problem(3, 6, (8, 16), (5, 5), pads=((2, 2), (2, 2))),
    problem(6, 6, (7, 7), (3, 3), pads=ONE, groups=6),
    problem(6, 12, (7, 5), (3, 3), pads=ONE, groups=6, stride=(2, 2)),
    problem(1, 3, (1, 20), (1, 9), stride=(1, 2), activation="relu"),
    problem(4, 4, (6, 17), (3, 3), pads=ONE, groups=2),
    problem(2, 7, (3, 4, 3), (2, 3, 2), pads=((1, 0), (1, 1), (0, 1))),
    *(problem(2, 3, (4, 5), (3, 3), pads=((2, 1), (1, 2)), mode=m) for m in ("reflect", "replicate", "circular")),
    problem(2, 3, (4, 5), (3, 3), pads=((2, 1), (-1, 2)), mode="constant", fill=1.5),
]  # fmt: skip


def alone(kernel: Any, p: ConvProblem, x: np.ndarray, w: np.ndarray, bias: Any) -> np.ndarray:
    """The results of all images, computed one by one."""
    one = replace(p, n=1)
    return np.concatenate([run(kernel, one, x[i : i + 1], w, bias, "end") for i in range(p.n)])


@pytest.mark.parametrize("n", [3, 37, 70])
@every_dtype
@every_kernel
def test_a_batch_has_the_bits_of_its_images(kernel: Any, dtype: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if native.unavailable(kernel.isa) is not None:
        pytest.skip("not here")
    monkeypatch.setattr(images, "faster", lambda p, isa, usual: images.suited(p, isa))
    monkeypatch.setattr(images, "l3_bytes", lambda: 0 if n == 37 else 1 << 30)  # with and without prefetching
    done = 0
    for p64 in PROBLEMS:
        p = as_dtype(replace(p64, n=n), dtype)
        if kernel.reject(p) is not None:
            continue
        rng = np.random.default_rng(n)
        x, w, bias = (rng.standard_normal(s).astype(dtype) for s in (p.x_shape, p.w_shape, (p.oc,)))
        given = bias if p.bias else None
        want = alone(kernel, p, x, w, given)
        for at, threads in (("start", 1), ("end", 2)):
            got = run(kernel, p, x, w, given, at, threads)
            assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes(), f"{kernel.name}: {p}"
        assert check(kernel, replace(p64, n=n), dtype)
        done += images.suited(p, kernel.isa)
    assert done


@every_kernel
def test_sums_in_parts_keep_their_parts(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands with room for few channels only, and many channels of 1x1."""
    if native.unavailable(kernel.isa) is not None or kernel.algorithm == "thin":
        pytest.skip("no parts")
    monkeypatch.setattr(images, "faster", lambda p, isa, usual: images.suited(p, isa))
    of = direct.DirectBlocks.of

    def few_channels(p: ConvProblem, *rest: Any) -> direct.DirectBlocks:
        return replace(of(p, *rest), channels=min(2, p.icg * p.kernel[0]), k_chunk=1)

    monkeypatch.setattr(direct.DirectBlocks, "of", few_channels)
    for p64 in (problem(7, 20, (3, 4), (3, 2)), problem(70, 20, (3, 4), (1, 1)), problem(3, 5, (3, 3, 3), (2, 2, 2))):
        p = as_dtype(replace(p64, n=40), "float32")
        if kernel.reject(p) is None:
            rng = np.random.default_rng(5)
            x, w, bias = (rng.standard_normal(s).astype("f") for s in (p.x_shape, p.w_shape, (p.oc,)))
            want, got = alone(kernel, p, x, w, bias), run(kernel, p, x, w, bias, "end")
            assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes(), str(p)


@every_kernel
def test_images_that_are_apart(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views of every other channel and image of larger arrays."""
    p = as_dtype(problem(4, 10, (3, 4), (1, 1), n=40, bias=False), "float32")
    if kernel.reject(p) is not None:
        pytest.skip("not here")
    monkeypatch.setattr(images, "faster", lambda p, isa, usual: images.suited(p, isa))
    monkeypatch.setattr(images, "l3_bytes", lambda: 0)
    rng = np.random.default_rng(7)
    x, w = rng.standard_normal((80, 8, *p.input)).astype("f"), rng.standard_normal(p.w_shape).astype("f")
    y = np.zeros((80, 20, *p.output), "f")
    kernel.prepare(p, (w, None), 2)(x[::2, ::2], y[::2, 1::2])
    np.testing.assert_array_equal(y[::2, 1::2], run(kernel, p, x[::2, ::2], w, None, "end"))
    assert not y[1::2].any() and not y[:, ::2].any()


def test_large_maps_and_single_images_are_not_suited() -> None:
    tiny = as_dtype(problem(6, 10, (3, 3), (3, 3), pads=ONE, n=1000), "float32")
    assert images.suited(tiny, "avx2") and images.faster(tiny, "avx2", 1.0)
    assert not images.suited(replace(tiny, n=1), "avx2")
    assert not images.suited(as_dtype(problem(64, 64, (28, 28), (3, 3), n=1000), "float32"), "avx2")


@pytest.mark.parametrize("kernel", pointwise.KERNELS, ids=lambda k: k.name)
def test_many_maps_narrower_than_a_vector_are_side_by_side(kernel: Any) -> None:
    """Alone, each of them would copy its pixels and its results."""
    side = native.lanes(kernel.isa, 4) // 4
    p = as_dtype(problem(6, 10, (side, 3), (1, 1), n=20_000), "float32")
    assert images.faster(p, kernel.isa, native.seconds(kernel, p))
