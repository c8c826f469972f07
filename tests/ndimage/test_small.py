"""Filters of small integers in narrow arithmetic: SciPy's results in every pixel, whatever the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy

import fastconv.ndimage as ndi
from fastconv.backends.cython.filter import small, truncated
from fastconv.backends.cython.runtime import native
from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors
from fastconv.core.problems.separable import Pass, SeparableProblem
from fastconv.ndimage.separable import gaussian_weights
from fastconv.typing import BoundaryMode
from tests.guard import guarded, guarded_copy
from tests.wide import share

MODES: tuple[BoundaryMode, ...] = ("reflect", "constant", "nearest", "mirror", "wrap")
INPUTS, RESULTS = ("?", "u1", "i1", "u2", "i2"), ("u1", "i1", "u2", "i2", "i4", "u4")
EXTENTS = (1, 2, 3, 5, 8, 9, 17, 31, 33, 34, 63, 64, 65, 66, 100, 129, 200)  # about those of vectors


def drawn_image(rng: np.random.Generator, dtype: str, most: int = 20_000) -> np.ndarray:
    """Of two or three axes; random or flat, since sums of real weights of flat parts are nearly integers."""
    shape = [int(n) for n in rng.choice(EXTENTS, rng.integers(2, 4))]
    while np.prod(shape) > most:
        shape[rng.integers(len(shape))] = 2
    kind = np.dtype(dtype)
    least, end = (0, 2) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max) + 1)
    x = rng.integers(least, end, shape).astype(kind)
    if rng.random() < 0.3:
        x[: shape[0] // 2] = x.flat[0]
    return x


def drawn_three(rng: np.random.Generator) -> np.ndarray:
    drawn = [(-1, 0, 1), (1, 2, 1), (1, int(rng.integers(-9, 9)), 1), (1, 8191, 1), (0.5, 1, 0.5)]
    return np.array(drawn[rng.integers(len(drawn))], np.float64)


def run_guarded(kernel: Any, p: Any, x: np.ndarray, constants: tuple[np.ndarray, ...], want: np.ndarray) -> None:
    """Compare a run on arrays at the start and at the end of mapped memory."""
    for at in ("start", "end"):
        got = guarded((p.size,), p.out, at)
        kernel.prepare(p, constants, 1)(guarded_copy(x.ravel(), at), got)
        np.testing.assert_array_equal(got.reshape(p.shape), want, err_msg=str(p))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", small.SEPARABLE, ids=lambda k: k.name)
def test_two_passes(kernel: Any) -> None:
    rng = np.random.default_rng(3)
    for _ in share(kernel, range(400)):
        x = drawn_image(rng, str(rng.choice(INPUTS)))
        out, mode = np.dtype(str(rng.choice(RESULTS))), MODES[rng.integers(5)]
        weights = drawn_three(rng), drawn_three(rng)
        axes, before = rng.permutation(x.ndim)[:2].tolist(), rng.integers(0, 3, 2).tolist()
        steps = tuple(Pass(a, 3, b, mode) for a, b in zip(axes, before, strict=True))
        p = SeparableProblem(x.shape, x.dtype, out, steps, float(rng.choice([0, 7])))
        if kernel.reject(p) is not None:
            continue
        want = x
        for step, w in zip(steps, weights, strict=True):
            want = scipy.correlate1d(want, w, step.axis, out, mode, p.cval, step.before - 1)
        run_guarded(kernel, p, x, weights, want)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", small.CORRELATIONS, ids=lambda k: k.name)
def test_crosses(kernel: Any) -> None:
    rng = np.random.default_rng(4)
    for _ in share(kernel, range(200)):
        x = drawn_image(rng, str(rng.choice(["?", "u1", "u2"])))
        out, mode, cval = np.dtype(str(rng.choice(RESULTS))), MODES[rng.integers(5)], float(rng.choice([0, 1, 2.5]))
        sizes = (1,) * (x.ndim - 2) + (3, 3)
        middle = int(rng.integers(-9, 9)) or -4
        cross = np.array([[0, 1, 0], [1, middle, 1], [0, 1, 0]], np.float64).reshape(sizes)
        window = Neighbors(sizes, tuple(n // 2 for n in sizes), mode, cval, (cross != 0).astype(np.uint8).tobytes())
        p = CorrelationProblem(x.shape, x.dtype, out, window)
        if kernel.reject(p) is None:
            weights = cross[cross != 0]
            run_guarded(kernel, p, x, (weights,), scipy.correlate(x, cross, out, mode, cval))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", small.CORRELATIONS, ids=lambda k: k.name)
def test_windows_of_bytes(kernel: Any) -> None:
    """Small and large integers, and numbers that are none; some of them 0."""
    rng, narrow = np.random.default_rng(7), 0
    for _ in share(kernel, range(250)):
        x = drawn_image(rng, str(rng.choice(["?", "u1"])))
        out, mode, cval = np.dtype(str(rng.choice(RESULTS))), MODES[rng.integers(5)], float(rng.choice([0, 1, 2.5]))
        sizes = [1] * x.ndim
        for axis in rng.permutation(x.ndim)[:2].tolist():
            sizes[axis] = int(rng.integers(1, 12))
        w = rng.integers(-(most := int(rng.choice([3, 9, 130]))), most, sizes) * float(rng.choice([1, 1, 1, 0.5]))
        if rng.random() < 0.3:
            w = w * (rng.random(sizes) < 0.5)
        if not w.any():
            continue
        before = tuple(int(rng.integers(n)) for n in sizes)
        chosen = None if w.all() else (w != 0).astype(np.uint8).tobytes()
        p = CorrelationProblem(x.shape, x.dtype, out, Neighbors(tuple(sizes), before, mode, cval, chosen))
        if kernel.reject(p) is None:
            weights = (w[w != 0],)
            narrow += kernel.known(p, weights) is not None
            origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
            run_guarded(kernel, p, x, weights, scipy.correlate(x, w, out, mode, cval, origin))
    assert narrow > 20 or native.unavailable(kernel.isa)


def drawn_weights(rng: np.random.Generator) -> np.ndarray:
    """Gaussians, whose sums of flat parts are nearly integers, their derivatives, and any."""
    kind, taps = rng.integers(4), int(rng.integers(1, 12))
    if kind == 0:
        return rng.standard_normal(taps)
    if kind == 1:
        return rng.integers(-5, 6, taps).astype(np.float64)
    radius = int(rng.integers(0, 20))
    return gaussian_weights(float(rng.uniform(0.3, 6)), int(kind == 3) * int(rng.integers(1, 3)), radius)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", truncated.KERNELS, ids=lambda k: k.name)
def test_truncated_after_each_axis(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In narrow strips, so that images have many."""
    monkeypatch.setattr(truncated, "STRIP", 40)
    rng, narrow = np.random.default_rng(6), 0
    for _ in share(kernel, range(300)):
        x = drawn_image(rng, str(rng.choice(INPUTS)))
        out, count = np.dtype(str(rng.choice(RESULTS))), int(rng.integers(1, 3))
        steps, weights, mode = [], [], MODES[rng.integers(5)]
        for axis in rng.permutation(x.ndim)[:count].tolist():
            w = drawn_weights(rng)
            steps.append(Pass(axis, w.size, int(rng.integers(w.size)) if rng.random() < 0.3 else w.size // 2, mode))
            weights.append(w)
        if count == 2 and steps[0].axis > steps[1].axis and rng.random() < 0.5:
            steps, weights = steps[::-1], weights[::-1]
        p = SeparableProblem(x.shape, x.dtype, out, tuple(steps), float(rng.choice([0, 7])))
        if kernel.reject(p) is not None:
            continue
        narrow += kernel.known(p, tuple(weights)) is not None
        want = x
        for step, w in zip(steps, weights, strict=True):
            want = scipy.correlate1d(want, w, step.axis, out, mode, p.cval, step.before - step.taps // 2)
        run_guarded(kernel, p, x, tuple(weights), want)
    assert narrow > 20 or native.unavailable(kernel.isa)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.3])
def test_gaussians_of_flat_images(sigma: float) -> None:
    """Of every byte: SciPy's sums are off by some last bits, which decides what they are truncated to."""
    x = np.repeat(np.arange(256, dtype=np.uint8), 40).reshape(256, 40)
    x = np.repeat(x, 40, axis=0)[:, :40]
    np.testing.assert_array_equal(ndi.gaussian_filter(x, sigma), scipy.gaussian_filter(x, sigma))


@pytest.mark.parametrize("dtype", INPUTS)
@pytest.mark.parametrize("mode", MODES)
def test_as_scipy(mode: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        x, out, axis = drawn_image(rng, dtype), str(rng.choice(RESULTS)), int(rng.integers(2))
        cval = float(rng.choice([0, 3, 2.5]))
        for name, more in (("sobel", (axis,)), ("prewitt", (axis,)), ("laplace", ())):
            want, got = (getattr(m, name)(x, *more, output=out, mode=mode, cval=cval) for m in (scipy, ndi))
            np.testing.assert_array_equal(got, want, err_msg=f"{name} {x.shape} {dtype} {out} {mode} {cval}")
