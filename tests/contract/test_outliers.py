"""One pixel far larger than the others stays in its windows, in every algorithm that mixes the pixels of a tile."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem, weight_gradient
from fastconv.dispatch.registry import kernels
from tests.contract.bounds import allowed, exact, magnitudes
from tests.problems import empty_result, forward, in_dtype, in_layout, lay, transposed

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

VALUES = (1e6, 1e10, 3e37, -9999.0)
FORWARD = (
    forward((1, 9, 13, 14), (5, 9, 3, 3), padding=1),
    forward((2, 18, 9, 11), (18, 9, 3, 3), padding=1, groups=2, stride=2),
    forward((1, 3, 13, 20), (6, 3, 5, 5), padding=2, mode="reflect"),
    forward((1, 4, 11, 23), (3, 4, 1, 7), padding=(0, 3)),
    forward((1, 4, 23, 9), (3, 4, 7, 1), padding=(3, 0)),
    forward((1, 5, 14, 15), (4, 5, 3, 3), padding=2, dilation=2),
    forward((1, 4, 5, 8, 9), (3, 4, 3, 3, 3), padding=1),
    forward((1, 33, 9, 12), (4, 33, 9, 9), padding=4),
    forward((1, 1, 21, 22), (4, 1, 3, 3), padding=1),
    transposed((1, 7, 9, 10), (7, 5, 4, 4), stride=2, padding=1),
    transposed((1, 9, 8, 11), (9, 6, 3, 3), padding=1),
)
GRADIENTS = tuple(
    weight_gradient(p)
    for p in (
        forward((2, 9, 13, 15), (7, 9, 3, 3), padding=1),
        forward((1, 5, 13, 15), (6, 5, 3, 3), padding=1, stride=2),
        forward((1, 5, 12, 12), (6, 5, 5, 5), padding=2),
    )
)
MIXING = [k for k in kernels("conv") if any(k.reject(p) is None and any(k.reach(p)) for p in (*FORWARD, *GRADIENTS))]


def places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The corners of an image, its middle, an edge, and pixels at both ends of tiles, in different channels."""
    n, c, d, h, w = shape
    inside = [(0, 0), (h - 1, w - 1), (h // 2, w // 2), (min(4, h - 1), 0), (h - 2 if h > 1 else 0, w // 3)]
    return [(i % n, (3 * i) % c, (2 * i) % d, row, col) for i, (row, col) in enumerate(inside)]


@cache
def case(p: ConvProblem, place: int, value: float, where: str) -> tuple[Any, ...]:
    """Arrays with an outlier, the exact result, whether a result's window holds it, and the same without it."""
    rng = np.random.default_rng(7)
    x, w = (rng.standard_normal(s).astype(p.dtype) for s in (p.x_shape, p.y_shape if p.weights_wanted else p.w_shape))
    target = x if where == "x" else w
    at = places(target.shape)[place]
    one = np.zeros_like(target)
    target[at], one[at] = 0, 1
    arrays = (w, x) if p.weights_wanted else (x, w)
    zeros = replace(p, fill=0.0)
    clean = arrays[0].copy(), arrays[1].copy()
    alone = (one, np.abs(x)) if where == "y" else (np.abs(w), one) if p.weights_wanted else (one, np.abs(w))
    held = exact(zeros, *alone) != 0
    target[at] = value
    return arrays, exact(p, *arrays), held, clean


@cache
def scale(p: ConvProblem, place: int, value: float, where: str, reach: tuple[int, int, int]) -> np.ndarray:
    """Sums of magnitudes of each result: without the outlier where its window does not hold it."""
    arrays, _, held, clean = case(p, place, value, where)
    return np.where(held, magnitudes(p, reach, *arrays), magnitudes(p, reach, *clean))


def check(kernel: Kernel[ConvProblem], p: ConvProblem, place: int, value: float, where: str) -> None:
    plain = in_layout(p, "NCHW")
    (changing, fixed), want, _, _ = case(plain, place, value, where)
    got = np.full(p.w_shape, np.nan, p.out) if p.weights_wanted else empty_result(p, np.nan)
    constants = (lay(fixed, p.layout),) if p.weights_wanted else (fixed, None)
    kernel.prepare(p, constants, 1)(lay(changing, p.layout), got)
    off, most = np.abs(got - want), allowed(kernel, p, scale(plain, place, value, where, kernel.reach(p)))
    assert (off <= most).all(), f"{(off / most).max():.3g} of the bound: {value} in {where}, place {place}, {p}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", MIXING, ids=lambda k: k.name)
def test_outliers_stay_in_their_windows(kernel: Kernel[ConvProblem], dtype: str) -> None:
    tried = 0
    for each in (*FORWARD, *GRADIENTS):
        for layout in ("NCHW", "NHWC"):
            p = in_layout(in_dtype(replace(each, bias=False), dtype), layout)
            if kernel.reject(p) is not None:
                continue
            for where in ("x", "y") if p.weights_wanted else ("x",):
                for i in range(5):
                    check(kernel, p, i, VALUES[i % 4], where)
                    check(kernel, p, i, VALUES[(i + 1) % 4], where)
                    tried += 1
    assert tried


WIDE = tuple(
    replace(p, bias=False)
    for p in (
        forward((1, 9, 13, 45), (5, 9, 3, 3), padding=1),
        forward((1, 9, 9, 70), (18, 9, 3, 3), padding=1, stride=2),
        forward((1, 3, 9, 61), (17, 3, 5, 5), padding=2, mode="reflect"),
        forward((1, 4, 3, 90), (3, 4, 1, 7), padding=(0, 3)),
        forward((1, 4, 23, 40), (3, 4, 7, 1), padding=(3, 0)),
        forward((1, 5, 14, 45), (4, 5, 3, 3), padding=2, dilation=2),
        forward((1, 40, 7, 300), (4, 40, 3, 3), padding=1),
        forward((1, 4, 5, 8, 39), (3, 4, 3, 3, 3), padding=(0, 1, 1)),
    )
)


@pytest.mark.parametrize("kernel", [k for k in MIXING if hasattr(k, "direct_tiles")], ids=lambda k: k.name)
def test_neighbours_do_not_change_bits(kernel: Any) -> None:
    """Of tiles that are computed directly: alone, side by side, or all of them, where weights are tiny."""
    for each in WIDE:
        for layout in ("NCHW", "NHWC"):
            p = in_layout(in_dtype(each, "float32"), layout)
            if kernel.reject(p) is not None:
                continue
            rng = np.random.default_rng(5)
            x = rng.standard_normal(p.x_shape).astype("f") * np.float32(1e25)
            w = rng.standard_normal(p.w_shape).astype("f")
            middle = p.x_shape[-1] // 2

            def run(x: np.ndarray, w: np.ndarray, p: ConvProblem = p, layout: str = layout) -> np.ndarray:
                got = empty_result(p, np.nan)
                kernel.prepare(p, (w, None), 1)(lay(x, layout), got)
                return got

            whole, half = run(x, w), x.copy()
            half[..., middle:] = rng.standard_normal(half[..., middle:].shape)
            direct, every = kernel.direct_tiles(p, lay(x, layout))
            assert direct == every
            assert 0 < kernel.direct_tiles(p, lay(half, layout))[0] < every
            # Columns of the result whose tiles do not reach into the other half.
            safe = max(0, (middle - kernel.reach(p)[2] - p.kernel[2] * p.dilation[2]) // p.stride[2] - 16)
            np.testing.assert_array_equal(run(half, w)[..., :safe], whole[..., :safe])
            np.testing.assert_array_equal(run(x, w * np.float32(2.0**-40)), whole * np.float32(2.0**-40))


def ordinary_maps() -> dict[str, np.ndarray]:
    """Data as networks and cameras make it, (N, C, D, H, W): noise, sparse maps, a smooth picture and its edges."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((1, 64, 1, 40, 44)).astype("f")
    maps = {"normal": noise}
    for zeros in (50, 90, 99):
        maps[f"{zeros} % zeros"] = np.where(rng.random(noise.shape) < zeros / 100, 0, np.abs(noise)).astype("f")
    row, col = np.mgrid[:80, :96]
    picture = 128 + 100 * np.sin(row / 9) * np.cos(col / 7) + 20 * (col > 50) + rng.normal(size=row.shape)
    maps["picture"] = np.clip(np.stack([picture, picture / 2, 255 - picture]), 0, 255)[None, :, None].astype("f")
    maps["black and white"] = np.where(maps["picture"] > 128, 255, 0).astype("f")
    return maps


@pytest.mark.parametrize("kernel", [k for k in MIXING if hasattr(k, "direct_tiles")], ids=lambda k: k.name)
def test_ordinary_maps_are_transformed(kernel: Any) -> None:
    for name, x in ordinary_maps().items():
        p = forward(x.shape[:2] + x.shape[3:], (8, x.shape[1], 3, 3), padding=1)
        if kernel.reject(p) is None:
            direct, every = kernel.direct_tiles(p, x)
            assert direct == 0, f"{name}: {direct} of {every} tiles"


if __name__ == "__main__":  # how often, in figures
    for kernel in MIXING:
        if hasattr(kernel, "direct_tiles"):
            for name, x in ordinary_maps().items():
                p = forward(x.shape[:2] + x.shape[3:], (8, x.shape[1], 3, 3), padding=1)
                if kernel.reject(p) is None:
                    print(f"{kernel.name:40}{name:20}{kernel.direct_tiles(p, x)}")
