"""Pooling agrees with torch.nn.functional: values, shapes, dtypes and refusals on the same calls."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fastconv as F

torch = pytest.importorskip("torch")
T = torch.nn.functional

RANKS = (1, 2, 3)
TOLERANCE = {"float16": 2e-3, "bfloat16": 1.6e-2, "float32": 3e-6, "float64": 1e-13}


def to_numpy(value: Any) -> Any:
    """A tensor as an array, bfloat16 as ml_dtypes'; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    if value.dtype == torch.bfloat16:
        bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
        return value.view(torch.int16).numpy().view(bfloat16)
    return value.numpy()


def tensor(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Values with ties every now and then; sometimes not contiguous."""
    if dtype.is_floating_point:
        x = rng.standard_normal(shape)
        x = torch.from_numpy(np.round(x) if rng.random() < 0.25 else x).to(dtype)
    else:
        x = torch.from_numpy(rng.integers(0 if dtype == torch.uint8 else -9, 9, shape)).to(dtype)
    choice = rng.integers(4)
    if choice == 0:
        x = x.transpose(0, -1).contiguous().transpose(0, -1)
    elif choice == 1:
        x = torch.stack([x, x], -1)[..., 0]
    return x


def compare(name: str, x: Any, *args: Any, cancel: Any = 1.0, **kwargs: Any) -> None:
    """Call both libraries; they must agree on the result, or both refuse.

    `cancel`: how many times as large as a sum its terms are together, where they are of either sign.
    """
    try:
        # torch forms powers and sums of Lp in the dtype of x; the exact value is what is wanted.
        widen = name.startswith("lp") and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        # Of whole numbers it has no adaptive pooling; here it gives what the same numbers give in float64.
        widen |= name.startswith("adaptive_max") and not x.dtype.is_floating_point and x.dtype != torch.bool
        widen |= name.startswith("adaptive_avg") and x.dtype == torch.int64
        want = getattr(T, name)(x.double() if widen else x, *args, **kwargs)
        if widen:
            want = want.to(x.dtype)
    except (RuntimeError, ValueError, TypeError, ZeroDivisionError) as e:
        with pytest.raises((ValueError, TypeError)):
            getattr(F, name)(to_numpy(x), *map(to_numpy, args), **kwargs)
            pytest.fail(f"accepted what torch refuses: {e}")
        return
    got = getattr(F, name)(to_numpy(x), *map(to_numpy, args), **kwargs)
    wants = want if isinstance(want, tuple) else (want,)
    gots = got if isinstance(got, tuple) else (got,)
    for g, w in zip(gots, map(to_numpy, wants), strict=True):
        assert g.shape == w.shape
        assert g.dtype == w.dtype
        if g.dtype.kind in "iu":
            # Windows of padding alone: -1 here, a position outside of the input in torch.
            np.testing.assert_array_equal(g, np.where(g == -1, g, w) if g.dtype == np.int64 and len(gots) == 2 else w)
            continue
        tol = TOLERANCE[g.dtype.name]
        if np.ndim(cancel):
            assert np.isclose(g, w, rtol=tol * cancel, atol=tol, equal_nan=True).all()
        else:
            np.testing.assert_allclose(g.astype(np.float64), w.astype(np.float64), rtol=tol, atol=tol)


def cancellation(name: str, x: Any, norm: float, *args: Any) -> np.ndarray:
    """For each window of an Lp pooling, the sum of the magnitudes of its powers over that of its powers."""
    pool = getattr(T, name)
    with np.errstate(all="ignore"):
        times = (to_numpy(pool(x.abs(), norm, *args)) / np.abs(to_numpy(pool(x, norm, *args)))) ** norm
    return np.clip(np.nan_to_num(times, nan=1.0), 1.0, 1e13)


@pytest.mark.parametrize("rank", RANKS)
def test_max_pool_options(rank: int) -> None:
    rng = np.random.default_rng(rank)
    spatial = (6, 5, 7)[:rank]
    kernels = (3, (3, 2, 3)[:rank])
    strides = (2, None, (2, 1, 2)[:rank])
    for k, s, p, d, ceil, indices, batch in itertools.product(
        kernels, strides, (0, 1), (1, (1, 2, 1)[:rank]), (True, False), (True, False), ((), (2,))
    ):
        x = tensor(rng, (*batch, 2, *spatial), torch.float32)
        compare(f"max_pool{rank}d", x, k, s, p, d, ceil, indices)


@pytest.mark.parametrize("rank", RANKS)
def test_avg_pool_options(rank: int) -> None:
    rng = np.random.default_rng(10 + rank)
    spatial = (6, 5, 7)[:rank]
    divisors = (None,) if rank == 1 else (None, 2, -3)
    for k, s, p, ceil, include, divisor in itertools.product(
        (3, (4, 2, 5)[:rank]), (2, (3, 1, 2)[:rank]), (0, 1), (True, False), (True, False), divisors
    ):
        x = tensor(rng, (2, 2, *spatial), torch.float64)
        more = () if rank == 1 else (divisor,)
        compare(f"avg_pool{rank}d", x, k, s, p, ceil, include, *more)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("norm", [1, 2, 3.0, 2.5, 0.5, -1, float("inf"), -float("inf"), 0])
def test_lp_pool(rank: int, norm: float) -> None:
    rng = np.random.default_rng(20 + rank)
    for k, s, ceil in itertools.product((2, 3), (None, 2), (True, False)):
        # Seven is not divisible: partial windows in ceil mode.  Negative sums have no odd roots: NaN.
        x = tensor(rng, (2, 3, *(7, 6, 5)[:rank]), torch.float64)
        times = cancellation(f"lp_pool{rank}d", x, norm, k, s, ceil) if norm in (3, -1) else 1.0
        compare(f"lp_pool{rank}d", x, norm, k, s, ceil, cancel=times)
        compare(f"lp_pool{rank}d", x.abs().float(), norm, k, s, ceil)


@pytest.mark.parametrize("rank", RANKS)
def test_adaptive_pools(rank: int) -> None:
    rng = np.random.default_rng(30 + rank)
    sizes: list[Any] = [1, 3, 4, 11, 0, (5, 7, 2)[:rank], (1, 2, 3)[:rank]]
    if rank > 1:
        sizes += [(None, 3, 2)[:rank], (2, None, None)[:rank], (None,) * rank]
    for size, batch in itertools.product(sizes, ((), (2,), (0,))):
        x = tensor(rng, (*batch, 3, *(8, 7, 6)[:rank]), torch.float32)
        compare(f"adaptive_avg_pool{rank}d", x, size)
        compare(f"adaptive_max_pool{rank}d", x, size)
        compare(f"adaptive_max_pool{rank}d", x, size, True)


@pytest.mark.parametrize("rank", RANKS)
def test_max_unpool(rank: int) -> None:
    rng = np.random.default_rng(40 + rank)
    spatial = (7, 6, 5)[:rank]
    for k, s, p, batch, dtype in itertools.product(
        (2, (3, 2, 3)[:rank]), (None, 2), (0, 1), ((), (2,)), (torch.float32, torch.bfloat16)
    ):
        x = tensor(rng, (*batch, 3, *spatial), dtype)
        y, where = getattr(T, f"max_pool{rank}d")(x, k, s, p, return_indices=True)
        for size in (None, spatial, (1, 1, *spatial), (99,) * rank, (4,) * (rank + 1)):
            compare(f"max_unpool{rank}d", y, where, (k,) * rank if isinstance(k, int) else k, s, p, size)


@pytest.mark.parametrize(
    "name", ["float16", "bfloat16", "float32", "float64", "int64", "int32", "uint8", "int8", "bool"]
)
def test_dtypes(name: str) -> None:
    dtype = getattr(torch, name)
    rng = np.random.default_rng(50)
    for rank in (2, 3):
        x = tensor(rng, (2, 3, *(6, 5, 4)[:rank]), dtype)
        compare(f"max_pool{rank}d", x, 2)
        compare(f"max_pool{rank}d", x, 3, 1, 1, return_indices=True)
        compare(f"adaptive_max_pool{rank}d", x, 3)
        if rank == 2 or name not in ("float16", "bfloat16"):  # which torch lacks for volumes
            compare(f"avg_pool{rank}d", x, 2)
            compare(f"avg_pool{rank}d", x, 3, 2, 1, True, False)
        compare(f"adaptive_avg_pool{rank}d", x, 4)


REFUSALS: list[tuple[str, tuple[int, ...], tuple[Any, ...]]] = [
    ("max_pool1d", (2, 3, 8), (2, 2, -1)),
    ("max_pool1d", (2, 3, 8), (3, 2, 2)),
    ("max_pool1d", (2, 3, 8), (3, 2, 2, 2)),
    ("max_pool1d", (2, 3, 8), ((2, 2),)),
    ("max_pool1d", (2, 3, 8), (9,)),
    ("max_pool1d", (8,), (2,)),
    ("max_pool1d", (0,), (1,)),
    ("max_pool1d", (0, 8), (2,)),
    ("max_pool2d", (2, 3, 8, 8), (2, 0)),
    ("max_pool2d", (2, 3, 8, 8), (0,)),
    ("max_pool2d", (2, 3, 8, 8), (2.0,)),
    ("max_pool2d", (2, 3, 8, 8), (True,)),
    ("max_pool2d", (2, 3, 8, 8), (2, 2, 0, 0)),
    ("max_pool2d", (2, 3, 8, 8), ((2, 2, 2),)),
    ("max_pool2d", (2, 3, 8, 8), (2, 2, ())),
    ("max_pool2d", (2, 0, 8, 8), (2,)),
    ("max_pool2d", (1, 2, 3, 8, 8), (2,)),
    ("max_pool2d", (8, 8), (2,)),
    ("max_pool3d", (2, 3, 4, 4, 4), (5,)),
    ("max_pool3d", (0, 1, 2, 10), (1,)),
    ("avg_pool1d", (2, 3, 8), (2, 2, 4)),
    ("avg_pool2d", (3, 8, 8), (2, 2, 0, False, True, 0)),
    ("avg_pool2d", (3, 8, 8), (2, 2, 0, False, True, 1.5)),
    ("avg_pool2d", (3, 8, 8), (2, 2, 2)),
    ("avg_pool2d", (3, 0, 8), (2,)),
    ("avg_pool3d", (0, 1, 8), (2,)),
    ("avg_pool3d", (1, 1, 4, 4, 4), (5, 4, 2, True)),
    ("avg_pool3d", (1, 1, 4, 4, 4), (2, 2, 0, False, True, 0)),
    ("lp_pool2d", (1, 1, 4, 4), (2, 5)),
    ("adaptive_max_pool1d", (1, 2, 3), ((),)),
    ("adaptive_max_pool1d", (1, 1, 1), ((-1,),)),
    ("adaptive_max_pool2d", (2, 2), ((2, 2),)),
    ("adaptive_max_pool2d", (1, 1, 4, 4), ((2,),)),
    ("adaptive_max_pool2d", (1, 0, 4, 4), (2,)),
    ("adaptive_max_pool3d", (2, 2, 2), ((2, 2, 2),)),
    ("adaptive_avg_pool2d", (1, 1, 1, 1), ((-1, 0),)),
    ("adaptive_avg_pool2d", (1, 1, 0, 1), (2,)),
    ("adaptive_avg_pool2d", (1, 0, 4, 4), (2,)),  # accepted by both: an empty result
    ("adaptive_avg_pool3d", (1, 0, 4, 4, 4), (2,)),
    ("adaptive_avg_pool3d", (1, 2, 3, 4), ((),)),
]


@pytest.mark.parametrize(("name", "shape", "args"), REFUSALS, ids=str)
def test_refusals(name: str, shape: tuple[int, ...], args: tuple[Any, ...]) -> None:
    compare(name, torch.ones(shape), *args)


@pytest.mark.parametrize("seed", range(20))
def test_random_calls(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    for _ in range(10):
        rank = int(rng.integers(1, 4))
        spatial = tuple(int(v) for v in rng.integers(1, 13 if rank < 3 else 7, rank))
        batch = (int(rng.integers(0, 3)),) if rng.random() < 0.75 else ()
        dtype = (torch.float32, torch.float64)[int(rng.integers(2))]
        x = tensor(rng, (*batch, int(rng.integers(1, 4)), *spatial), dtype)
        k, s, d = (tuple(int(v) for v in rng.integers(1, top, rank)) for top in (6, 5, 4))
        p = tuple(int(rng.integers(0, v // 2 + 1)) + int(rng.random() < 0.03) for v in k)
        stride = s if rng.random() < 0.7 else None
        ceil, flag = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        size = tuple(int(v) for v in rng.integers(1, 9, rank))
        compare(f"max_pool{rank}d", x, k, stride, p, d, ceil, flag)
        compare(f"avg_pool{rank}d", x, k, stride, p, ceil, flag)
        compare(f"lp_pool{rank}d", x, 2, k if rank > 1 else k[0], stride, ceil)
        compare(f"adaptive_max_pool{rank}d", x, size, flag)
        compare(f"adaptive_avg_pool{rank}d", x, size)
