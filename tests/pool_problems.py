"""Gradients of poolings that the tests share: hand-picked corners, and random ones from a seed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

import fastconv as F
from fastconv.core.problems.adaptive import adaptive_problem, global_problem
from fastconv.core.problems.pool import pool_problem
from tests.problems import lay


def pool(
    kind: str, spatial: tuple[int, ...], kernel: Any, *, n: int = 2, c: int = 3, stride: Any = None, padding: Any = 0,
    dilation: Any = 1, ceil: bool = False, include: bool = True, divisor: int | None = None, norm: float = 1.0,
    layout: str = "NCHW", dtype: str = "float64",
) -> Any:  # fmt: skip
    """The problem of a gradient of fixed windows."""
    shape = (n, c, *spatial) if layout == "NCHW" else (n, *spatial, c)
    p = pool_problem(
        kind, len(spatial), shape, np.dtype(dtype), kernel, stride, padding, dilation, ceil, include, divisor, norm,
        False, layout,
    )  # fmt: skip
    return replace(p, direction="backward", indices=kind == "max" or np.isinf(norm))


def adaptive(kind: str, spatial: tuple[int, ...], output: Any, **how: Any) -> Any:
    """The problem of a gradient of adaptive windows."""
    layout = how.pop("layout", "NCHW")
    n, c = how.pop("n", 2), how.pop("c", 3)
    shape = (n, c, *spatial) if layout == "NCHW" else (n, *spatial, c)
    dtype = np.dtype(how.pop("dtype", "float64"))
    p = adaptive_problem(kind, len(spatial), shape, dtype, output, False, layout)
    return replace(p, direction="backward", indices=kind == "max")


def everywhere(kind: str, spatial: tuple[int, ...], layout: str = "NCHW", dtype: str = "float64") -> Any:
    shape = (2, 3, *spatial) if layout == "NCHW" else (2, *spatial, 3)
    return replace(global_problem(kind, shape, np.dtype(dtype), layout), direction="backward")


def corners() -> list[Any]:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("max", {}), ("avg", {}), ("avg", {"include": False}), ("avg", {"divisor": -3}), ("lp", {"norm": 2.0}),
        ("lp", {"norm": 3.0}), ("lp", {"norm": 1.0}), ("lp", {"norm": np.inf}),
    ]  # fmt: skip
    shapes: list[tuple[tuple[int, ...], Any, dict[str, Any]]] = [
        ((1,), 1, {}),
        ((9,), 3, {"stride": 1}),
        ((11,), 3, {"stride": 2, "padding": 1, "ceil": True}),
        ((6, 8), 2, {}),  # side by side
        ((7, 9), (2, 3), {}),  # with something left over
        ((7, 8), 3, {"stride": 2, "padding": 1}),
        ((9, 8), 2, {"stride": 3}),  # gaps
        ((9, 10), 3, {"stride": 1, "dilation": (2, 3), "padding": ((1, 2), (2, 0))}),
        ((5, 6), 3, {"stride": 2, "padding": "same_lower"}),
        ((4, 5), (4, 5), {}),  # one window
        ((3, 70), (3, 40), {"stride": (1, 30), "padding": (1, 20)}),
        ((4, 5, 6), 2, {"stride": (1, 2, 3), "ceil": True}),
        ((4, 6, 4), 2, {"n": 1, "c": 1}),
        ((6, 7), 3, {"n": 0}),
    ]
    result = [pool(kind, *s[:2], **s[2], **how) for (kind, how), s in itertools.product(kinds, shapes)]
    result += [
        pool("avg", (300, 290), 3, stride=2, n=1, c=2),
        pool("lp", (300, 290), 5, stride=2, n=1, c=1, norm=2.0),  # several blocks of one plane
        pool("avg", (40, 50), 30, stride=7, padding=15, c=40),
        everywhere("max", (5, 6)), everywhere("avg", (5, 6)), everywhere("max", (20, 30)),
        everywhere("avg", (2, 3, 2, 4)),
    ]  # fmt: skip
    for kind, (spatial, output) in itertools.product(
        ("max", "avg"),
        [((7,), 3), ((5,), 9), ((5, 7), (2, 3)), ((5, 7), (8, 3)), ((6, 7), (3, 7)), ((5, 6, 7), 4), ((7, 5), 0)],
    ):
        result.append(adaptive(kind, spatial, output))
    result += [adaptive("avg", (300, 301), (7, 9), n=1, c=1), adaptive("avg", (3, 1), (100, 700), n=1, c=2)]
    return result


def variants(p: Any) -> list[Any]:
    return [replace(p, layout=la, dtype=d, out=d) for la in ("NCHW", "NHWC") for d in map(np.dtype, ("f4", "f8"))]


def random_problem(seed: int) -> Any:
    rng = np.random.default_rng(seed)

    def pick(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    rank = pick(1, 2, 2, 3)
    layout, dtype = pick("NCHW", "NHWC"), pick("float32", "float64")
    spatial = tuple(pick(1, 2, 5, 8, 13) for _ in range(rank))
    n, c = pick(1, 2, 3), pick(1, 2, 5, 17)
    if rng.random() < 0.25:
        output = tuple(pick(1, 2, 3, 7, 14) for _ in range(rank))
        return adaptive(pick("max", "avg"), spatial, output, n=n, c=c, layout=layout, dtype=dtype)
    kernel = tuple(pick(1, 2, 3, min(5, s)) for s in spatial)
    dilation = tuple(pick(1, 1, 2) for _ in range(rank))
    need = [max(0, (k - 1) * d + 1 - s) for k, d, s in zip(kernel, dilation, spatial, strict=True)]
    padding = tuple((min(-(-m // 2), k - 1), min(-(-m // 2) + pick(0, 1), k - 1))
                    for m, k in zip(need, kernel, strict=True))  # fmt: skip
    how: dict[str, Any] = {
        "stride": tuple(pick(1, 2, 3) for _ in range(rank)),
        "padding": padding,
        "dilation": dilation,
    }
    kind = pick("max", "avg", "lp")
    if kind == "avg":
        how |= {"include": pick(True, False), "divisor": pick(None, None, 4)}
    if kind == "lp":
        how["norm"] = pick(1.0, 2.0, 3.0, 0.5, -1.0, np.inf)
    try:
        return pool(kind, spatial, kernel, n=n, c=c, ceil=pick(True, False), layout=layout, dtype=dtype, **how)
    except F.ShapeError:
        return pool("max", spatial, 1, n=n, c=c, layout=layout, dtype=dtype)


def operands(p: Any, seed: int = 0) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """(gradient of the result, constants) of a problem, as kernels take them."""
    rng = np.random.default_rng(seed)
    dy = lay(rng.normal(size=p.y_shape).astype(p.dtype), p.layout)
    if p.indices:
        # Any indices, including some that no pooling returns: repeated ones, and -1.
        at = rng.integers(-1, int(np.prod(p.input)), p.y_shape)
        signs = rng.integers(-1, 2, p.y_shape).astype(p.dtype)
        return dy, tuple(lay(a, p.layout) for a in ((at, signs) if p.kind == "lp" else (at,)))
    if p.kind == "avg":
        return dy, ()
    x = rng.uniform(0.5, 2.0, p.x_shape)
    x = np.round(x * 4) / 4 if p.kind == "max" else x
    return dy, (lay(x.astype(p.dtype), p.layout),)
