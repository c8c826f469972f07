"""Calls of every family, each a function of the extent of its longest axis: scratch must not grow with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.dispatch.choice import Choice
from fastconv.dispatch.options import Options
from fastconv.dispatch.survey import fusable
from tests.contract.requests import Request, recorded

Call = Callable[[int], Any]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

POOLS: dict[str, Call] = {}
CONVOLUTIONS: dict[str, Call] = {}
OTHERS: dict[str, Call] = {}


def ones(*shape: int, dtype: Any = "f") -> np.ndarray:
    return np.ones(shape, dtype)


def ramp(*shape: int, dtype: Any = "f") -> np.ndarray:
    """Distinct values, so that maxima have definite positions."""
    return (np.arange(np.prod(shape)) % 100).reshape(shape).astype(dtype)


def requests(call: Call, n: int) -> list[Request]:
    """The problems that a call of extent `n` gives to kernels."""
    with recorded() as seen:
        call(n)
    return seen


def prepared(request: Request, kernel: Any) -> Callable[[], None]:
    """One run of `kernel` on one thread, its results allocated beforehand."""
    inner, after = fusable(kernel, request.problem)
    recipe = request.recipe.with_choice(Choice(request.problem, Options(), inner, kernel, 1, after))
    run, x = recipe.bind(request.constants), recipe.enter(request.x)
    outs = tuple(recipe.view(np.empty(shape, dtype)) for shape, dtype in recipe.results)
    return lambda: run(x, *outs)


def _pools() -> None:
    """Every kind, both layouts, long and high images, and dtypes that are computed in wider ones."""
    kinds: dict[str, Callable[..., Any]] = {
        "max": lambda x, k, s, layout: F.max_pool2d(x, k, s, 1, layout=layout),
        "max_indices": lambda x, k, s, layout: F.max_pool2d(x, k, s, 1, return_indices=True, layout=layout),
        "avg": lambda x, k, s, layout: F.avg_pool2d(x, k, s, 1, layout=layout),
        "lp": lambda x, k, s, layout: F.lp_pool2d(x, 2.0, k, s, layout=layout),
    }
    for kind, pool in kinds.items():
        POOLS[f"{kind}_wide"] = lambda n, f=pool: f(ramp(1, 4, 8, n), 3, 2, "NCHW")  # type: ignore[misc]
        POOLS[f"{kind}_high"] = lambda n, f=pool: f(ramp(1, 4, n, 8), 3, 2, "NCHW")  # type: ignore[misc]
        POOLS[f"{kind}_last"] = lambda n, f=pool: f(ramp(1, 8, n, 4), 3, 2, "NHWC")  # type: ignore[misc]
        POOLS[f"{kind}_half"] = lambda n, f=pool: f(ramp(1, 2, n, 8, dtype="e"), 5, 1, "NCHW")  # type: ignore[misc]
    POOLS["avg_nine"] = lambda n: F.avg_pool2d(ones(1, 2, 12, n), (9, 9), 1)
    POOLS["global"] = lambda n: F.global_avg_pool(ones(1, 4, 2, n))
    POOLS["max_bytes"] = lambda n: F.max_pool1d(ramp(1, 2, 4 * n, dtype="u1"), 3, 2)
    POOLS["max_tiles"] = lambda n: F.max_pool2d(ramp(1, 2, 8, n), 2)
    POOLS["max_same"] = lambda n: F.max_pool2d(ramp(1, 2, 8, n), 3, 1, 1)
    POOLS["lp_three_half"] = lambda n: F.lp_pool2d(ramp(1, 2, 8, n, dtype="e"), 3.0, 2)
    POOLS["lp_three"] = lambda n: F.lp_pool2d(ramp(1, 2, 8, n), 3.0, 2)
    POOLS["avg_integers"] = lambda n: F.avg_pool2d(ramp(1, 2, 8, n, dtype="i8"), 3)
    for name, count in (("few", lambda n: 3), ("many", lambda n: n // 2 - 1)):
        for dtype in ("f", "e"):
            at = f"{name}_{dtype}"
            POOLS[f"adaptive_avg_{at}"] = lambda n, d=dtype, o=count: F.adaptive_avg_pool2d(  # type: ignore[misc]
                ones(1, 2, 4, n, dtype=d), (2, o(n))
            )
            POOLS[f"adaptive_max_{at}"] = lambda n, d=dtype, o=count: F.adaptive_max_pool2d(  # type: ignore[misc]
                ramp(1, 2, n, 4, dtype=d), (o(n), 2), return_indices=True
            )
            POOLS[f"adaptive_last_{at}"] = lambda n, d=dtype, o=count: F.adaptive_avg_pool2d(  # type: ignore[misc]
                ones(1, 4, n, 2, dtype=d), (2, o(n)), layout="NHWC"
            )


def _pool_gradients() -> None:
    G = F.grad
    POOLS["grad_avg_wide"] = lambda n: G.avg_pool2d(ones(1, 2, 4, n), ones(1, 2, 8, 2 * n), 3, 2, 1)
    POOLS["grad_avg_high"] = lambda n: G.avg_pool2d(ones(1, 2, n, 4), ones(1, 2, 2 * n, 8), 3, 2, 1)
    POOLS["grad_avg_last"] = lambda n: G.avg_pool2d(ones(1, 4, n, 2), ones(1, 8, 2 * n, 2), 3, 2, 1, layout="NHWC")
    POOLS["grad_max"] = lambda n: G.max_pool2d(ones(1, 2, 4, n), ramp(1, 2, 8, 2 * n), 3, 2, 1)
    POOLS["grad_lp"] = lambda n: G.lp_pool2d(ones(1, 2, 4, n), ones(1, 2, 8, 2 * n), 2.0, 2, 2)
    POOLS["grad_adaptive_avg"] = lambda n: G.adaptive_avg_pool2d(ones(1, 2, 2, n), ones(1, 2, 4, 3 * n + 1), (2, n))
    POOLS["grad_adaptive_max"] = lambda n: G.adaptive_max_pool2d(ones(1, 2, 2, n), ramp(1, 2, 4, 3 * n + 1), (2, n))
    POOLS["grad_adaptive_few"] = lambda n: G.adaptive_avg_pool2d(ones(1, 2, 2, 3), ones(1, 2, 4, n), (2, 3))


def _convolutions() -> None:
    """Images of `n` rows, or signals as long."""
    w = ones(16, 16, 3, 3)
    for dtype in ("f", "d", "e", BFLOAT16, "i1", "i4", "F"):
        CONVOLUTIONS[f"conv_{dtype}"] = lambda n, d=dtype: F.conv2d(  # type: ignore[misc]
            ones(2, 16, n, 70, dtype=d), w.astype(d), padding=1
        )
    options: dict[str, dict[str, Any]] = {
        "stride": {"stride": 2}, "dilation": {"padding": 2, "dilation": 2},
        "reflect": {"padding": 1, "padding_mode": "reflect"}, "dilated_far": {"padding": 24, "dilation": 24},
    }  # fmt: skip
    for name, kwargs in options.items():
        CONVOLUTIONS[name] = lambda n, k=kwargs: F.conv2d(ones(2, 16, n, 70), w, **k)  # type: ignore[misc]
    deep = ones(32, 1, 3, 3)
    CONVOLUTIONS["last"] = lambda n: F.conv2d(ones(2, n, 70, 16), w, padding=1, layout="NHWC")
    CONVOLUTIONS["pointwise"] = lambda n: F.conv2d(ones(1, 16, n, 70), ones(64, 16, 1, 1))
    CONVOLUTIONS["grouped"] = lambda n: F.conv2d(ones(1, 32, n, 70), ones(64, 8, 3, 3), groups=4)
    CONVOLUTIONS["depthwise"] = lambda n: F.conv2d(ones(1, 32, n, 70), deep, groups=32, padding=1)
    CONVOLUTIONS["depthwise_circular"] = lambda n: F.conv2d(
        ones(1, 32, n, 70), deep, groups=32, padding=1, padding_mode="circular"
    )
    CONVOLUTIONS["signal"] = lambda n: F.conv1d(ones(1, 2, 2000 * n), ones(2, 2, 9), padding=4)
    CONVOLUTIONS["volume"] = lambda n: F.conv3d(ones(1, 4, 12, n, 40), ones(8, 4, 3, 3, 3), padding=1)
    CONVOLUTIONS["transposed"] = lambda n: F.conv_transpose2d(ones(2, 16, n, 70), w, stride=2, padding=1)
    CONVOLUTIONS["transposed_wide"] = lambda n: F.conv_transpose2d(
        ones(1, 4, 3 * n, 300), ones(4, 4, 4, 4), stride=2, padding=1
    )
    CONVOLUTIONS["transposed_last"] = lambda n: F.conv_transpose2d(
        ones(1, 3 * n, 300, 4), ones(4, 4, 4, 4), stride=2, padding=1, layout="NHWC"
    )
    CONVOLUTIONS["transposed_volume"] = lambda n: F.conv_transpose3d(
        ones(1, 4, 10, n, 40), ones(4, 4, 3, 3, 3), stride=2
    )
    CONVOLUTIONS["transposed_bytes"] = lambda n: F.conv_transpose2d(
        ones(1, 4, n, 70, dtype="i1"), ones(4, 4, 3, 3, dtype="i1"), stride=2
    )
    CONVOLUTIONS["half_stride"] = lambda n: F.conv2d(
        ones(1, 16, 4 * n, 300, dtype="e"), ones(16, 16, 3, 3, dtype="e"), padding=1, stride=2
    )
    weights: dict[str, tuple[tuple[int, ...], int]] = {
        "pointwise": ((16, 16, 1, 1), 1), "depthwise": ((16, 1, 3, 3), 16), "grouped": ((16, 4, 3, 3), 4),
    }  # fmt: skip
    for name, (shape, groups) in weights.items():
        CONVOLUTIONS[f"{name}_half"] = lambda n, s=shape, g=groups: F.conv2d(  # type: ignore[misc]
            ones(1, 16, n, 70, dtype="e"), ones(*s, dtype="e"), groups=g
        )
        CONVOLUTIONS[f"transposed_{name}_half"] = lambda n, s=shape, g=groups: F.conv_transpose2d(  # type: ignore[misc]
            ones(1, 16, n, 70, dtype="e"), ones(*s, dtype="e"), groups=g
        )
    CONVOLUTIONS["transposed_half"] = lambda n: F.conv_transpose2d(
        ones(1, 16, n, 70, dtype="e"), ones(16, 8, 3, 3, dtype="e"), stride=2
    )
    CONVOLUTIONS["transposed_pixels"] = lambda n: F.conv_transpose2d(ones(n, 40, 1, 1), ones(40, 24, 1, 1))
    CONVOLUTIONS["transposed_tall"] = lambda n: F.conv_transpose2d(ones(1, 4, n, 70), ones(4, 8, 7, 7))
    for layout, mode in (("NCHW", "zeros"), ("NCHW", "reflect"), ("NHWC", "zeros"), ("NHWC", "circular")):
        for need in ((True, False, False), (False, True, False)):

            def gradient(
                n: int, layout: str = layout, mode: str = mode, need: tuple[bool, bool, bool] = need
            ) -> Any:
                x = ones(*((2, 16, n, 70) if layout == "NCHW" else (2, n, 70, 16)))
                return F.grad.conv2d(x, x, w, padding=1, padding_mode=mode, layout=layout, need=need)

            CONVOLUTIONS[f"grad_{'input' if need[0] else 'weight'}_{layout}_{mode}"] = gradient


def _products() -> None:
    OTHERS["matmul"] = lambda n: F.matmul(ones(n // 50, 400), ones(400, 500))
    OTHERS["gemm_relu"] = lambda n: F.gemm(ones(n // 4, 20), ones(33, 20), trans_b=True, activation="relu")
    OTHERS["grad_linear"] = lambda n: F.grad.linear(ones(n // 50, 150), ones(n // 50, 300), ones(150, 300))
    for name, dtype in (("half", "e"), ("bfloat16", BFLOAT16), ("bytes", "i1"), ("integers", "i4")):
        OTHERS[f"matmul_{name}"] = lambda n, d=dtype: F.matmul(  # type: ignore[misc]
            ones(n // 50, 400, dtype=d), ones(400, 500, dtype=d)
        )
    OTHERS["matmul_batch"] = lambda n: F.matmul(ones(3, n // 50, 400, dtype="e"), ones(3, 400, 500, dtype="e"))
    OTHERS["linear"] = lambda n: F.linear(ones(max(n // 2000, 1), 4000), ones(500, 4000))
    for name, dtype in (("half", "e"), ("bfloat16", BFLOAT16)):
        OTHERS[f"linear_{name}"] = lambda n, d=dtype: F.linear(  # type: ignore[misc]
            ones(n // 50, 400, dtype=d), ones(500, 400, dtype=d)
        )


def _elements() -> None:
    """Activations and their gradients, softmax along any axis, losses."""
    for name in ("relu", "gelu", "softplus"):
        for dtype in ("f", "e"):
            OTHERS[f"{name}_{dtype}"] = lambda n, f=name, d=dtype: getattr(F, f)(ones(8, n, dtype=d))  # type: ignore[misc]
        OTHERS[f"grad_{name}"] = lambda n, f=name: getattr(F.grad, f)(ones(8, n), ones(8, n))  # type: ignore[misc]
    for dtype in ("f", "e"):
        OTHERS[f"glu_{dtype}"] = lambda n, d=dtype: F.glu(ones(8, 2 * n, dtype=d), 1)  # type: ignore[misc]
    OTHERS["grad_glu"] = lambda n: F.grad.glu(ones(8, n), ones(8, 2 * n), 1)
    OTHERS["prelu"] = lambda n: F.prelu(ones(2, 4, n), np.linspace(0.1, 0.9, 4, dtype="f"))
    for dtype in ("f", "e"):
        OTHERS[f"clamp_{dtype}"] = lambda n, d=dtype: F.clamp(  # type: ignore[misc]
            ones(8, n, dtype=d), -ones(8, n, dtype=d), ones(n, dtype=d)
        )
    for axis in range(3):
        for dtype in ("f", "e"):
            OTHERS[f"softmax_{axis}_{dtype}"] = lambda n, a=axis, d=dtype: F.softmax(  # type: ignore[misc]
                ones(n, 8, 8, dtype=d), a
            )
        OTHERS[f"log_softmax_long_{axis}"] = lambda n, a=axis: F.log_softmax(  # type: ignore[misc]
            ones(*(n if i == a else 8 for i in range(3))), a
        )
    for axis in range(2):
        OTHERS[f"grad_softmax_{axis}"] = lambda n, a=axis: F.grad.softmax(  # type: ignore[misc]
            ones(n, 8), ones(n, 8), a
        )
    for dtype in ("f", "e"):
        OTHERS[f"cross_entropy_{dtype}"] = lambda n, d=dtype: F.cross_entropy(  # type: ignore[misc]
            ones(2, 5, 8, n, dtype=d), np.zeros((2, 8, n), int)
        )
    weights = np.linspace(0.5, 2, 8, dtype="f")
    OTHERS["cross_entropy_weighted"] = lambda n: F.cross_entropy(
        ones(n, 8), np.arange(n) % 8, weights, ignore_index=3, label_smoothing=0.2
    )
    OTHERS["nll_loss_weighted"] = lambda n: F.nll_loss(ones(n, 8), np.arange(n) % 8, weights, reduction="sum")
    OTHERS["cross_entropy_each"] = lambda n: F.cross_entropy(ones(n, 8), np.zeros(n, int), reduction="none")
    OTHERS["cross_entropy_classes"] = lambda n: F.cross_entropy(ones(4, n), np.zeros(4, int))
    OTHERS["cross_entropy_shares"] = lambda n: F.cross_entropy(ones(2, 5, n), ones(2, 5, n))
    OTHERS["nll_loss"] = lambda n: F.nll_loss(ones(2, 5, n), np.zeros((2, n), int))
    OTHERS["grad_cross_entropy"] = lambda n: F.grad.cross_entropy(np.float32(1), ones(n, 8), np.zeros(n, int))


def _shapes() -> None:
    for mode in ("constant", "reflect", "replicate", "circular"):
        OTHERS[f"pad_{mode}"] = lambda n, m=mode: F.pad(ones(1, 2, 8, n), (2, 3, 1, 2), mode=m)  # type: ignore[misc]
    OTHERS["grad_pad"] = lambda n: F.grad.pad(ones(1, 2, 11, n + 5), ones(1, 2, 8, n), (2, 3, 1, 2), "reflect")
    OTHERS["unfold"] = lambda n: F.unfold(ones(1, 2, 8, n), 3, padding=1)
    OTHERS["fold"] = lambda n: F.fold(ones(1, 18, n * 8), (8, n), 3, padding=1)
    OTHERS["max_unpool"] = lambda n: F.max_unpool2d(*F.max_pool2d(ramp(1, 2, 8, n), 2, return_indices=True), 2)
    OTHERS["grad_max_unpool"] = lambda n: F.grad.max_unpool2d(
        ones(1, 2, 8, n), *F.max_pool2d(ramp(1, 2, 8, n), 2, return_indices=True), 2
    )


def _filters() -> None:
    """Of images, signals and volumes; of bytes, whose sums are those of float64."""
    for dtype in ("f", "d", "u1"):
        OTHERS[f"gaussian_{dtype}"] = lambda n, d=dtype: ndi.gaussian_filter(ramp(8, n, dtype=d), 1.0)  # type: ignore[misc]
    OTHERS["sobel"] = lambda n: ndi.sobel(ramp(8, n, dtype="u1"), output="i2")
    OTHERS["laplace"] = lambda n: ndi.laplace(ramp(8, n, dtype="u1"), mode="nearest")
    for dtype in ("f", "d"):
        OTHERS[f"laplace_{dtype}"] = lambda n, d=dtype: ndi.laplace(ramp(8, n, dtype=d))  # type: ignore[misc]
    OTHERS["gaussian_high"] = lambda n: ndi.gaussian_filter(ramp(n, 8), 1.0, mode="wrap")
    OTHERS["gaussian_volume"] = lambda n: ndi.gaussian_filter(ramp(4, 2, n, dtype="u1"), 1.0, mode="nearest")
    for name, dtype in (("uniform", "u1"), ("uniform", "f"), ("maximum", "u1"), ("minimum", "d"), ("uniform", "i2")):
        call = getattr(ndi, f"{name}_filter")
        OTHERS[f"{name}_{dtype}"] = lambda n, c=call, d=dtype: c(ramp(8, n, dtype=d), 5)  # type: ignore[misc]
    OTHERS["maximum_high"] = lambda n: ndi.maximum_filter(ramp(n, 8), 9, mode="wrap")
    OTHERS["uniform_volume"] = lambda n: ndi.uniform_filter(ramp(4, 2, n, dtype="u1"), 4, mode="nearest")
    OTHERS["minimum_signal"] = lambda n: ndi.minimum_filter1d(ramp(n), 70, mode="mirror")
    OTHERS["erosion"] = lambda n: ndi.grey_erosion(ramp(8, n), footprint=[[0, 1], [1, 1]])
    OTHERS["dilation_structure"] = lambda n: ndi.grey_dilation(ramp(n, 8), structure=np.ones((2, 3)))
    for times in (0, 1, 5):
        OTHERS[f"binary_{times}"] = lambda n, t=times: ndi.binary_erosion(ramp(8, n, dtype="u1") > 1, iterations=t)  # type: ignore[misc]
    OTHERS["binary_volume"] = lambda n: ndi.binary_dilation(ramp(3, 4, n, dtype="u1") > 3, mask=ramp(3, 4, n) > 1)
    for dtype in ("f", "d", "u1"):
        OTHERS[f"correlate_{dtype}"] = lambda n, d=dtype: ndi.correlate(ramp(8, n, dtype=d), ramp(3, 4, dtype="d"))  # type: ignore[misc]
        OTHERS[f"median_{dtype}"] = lambda n, d=dtype: ndi.median_filter(ramp(8, n, dtype=d), 3)  # type: ignore[misc]
    OTHERS["percentile"] = lambda n: ndi.percentile_filter(ramp(n, 8), 30, (2, 5), mode="wrap")
    OTHERS["correlate_signal"] = lambda n: ndi.correlate1d(ramp(n), np.ones(6), mode="mirror")


_pools()
_pool_gradients()
_convolutions()
_products()
_elements()
_shapes()
_filters()
