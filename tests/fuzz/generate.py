"""From a seed to a case: every family of the public API, small, and often at the edge of something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.reference.activation_backward import SLOPES
from fastconv.core.problems.activation import FUSED

from .arrays import FLOATS, FORMS, VALUES, Array
from .cases import OUTS, Case


@dataclass(frozen=True)
class Sizes:
    """How large cases are: extents and channels to draw from, operations of most cases, at most."""

    extents: tuple[int, ...]
    channels: tuple[int, ...]
    operations: float


# Around the sizes of register tiles, so that remainders occur; a kernel run takes a fraction of a millisecond.
SMALL = Sizes(
    extents=(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33, 47, 63, 64, 65),
    channels=(1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 14, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65),
    operations=1e5,
)


class Rng(np.random.Generator):
    """A generator of random numbers that knows how large cases are."""

    def __init__(self, seed: int, sizes: Sizes) -> None:
        super().__init__(np.random.PCG64([14, seed]))
        self.sizes = sizes


INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SMOOTH = ("silu", "gelu", "sigmoid", "tanh", "softplus", "mish", "softsign")
MODES = ("reflect", "replicate", "circular", "symmetric")
SUMS = (
    "conv", "gemm", "matmul", "linear", "max_pool", "avg_pool", "adaptive", "global", "max_unpool", "pad", "fold",
    "unfold",
)  # fmt: skip


def pick(rng: Rng, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def chance(rng: Rng, p: float) -> bool:
    return bool(rng.random() < p)


def some(rng: Rng, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(int(v) for v in rng.integers(low, high + 1, count))


def per_axis(rng: Rng, values: tuple[int, ...]) -> Any:
    """One number for all axes where they agree, now and then."""
    return values[0] if len(set(values)) == 1 and chance(rng, 0.5) else values


def dtype(rng: Rng, others: tuple[str, ...] = ("float16", "bfloat16", *INTEGERS)) -> str:
    """float32 mostly, float64 often."""
    draw = rng.random()
    return "float32" if draw < 0.6 or not others else "float64" if draw < 0.8 else pick(rng, others)


def array(rng: Rng, shape: tuple[int, ...], dtype: str, plain: float = 0.5) -> Array:
    """Any values in any form; `plain` is how often each of them is ordinary."""
    values = "normal" if chance(rng, plain) else pick(rng, VALUES)
    form = "plain"
    if not chance(rng, plain):
        form = pick(rng, FORMS)
        if form in ("step", "reversed", "broadcast", "order") and shape:
            form = f"{form}:{int(rng.integers(len(shape)))}"
    return Array(tuple(shape), dtype, values, form, int(rng.integers(1000)))


def spatial(rng: Rng, rank: int, needed: tuple[int, ...]) -> list[int]:
    """Extents that hold a window of `needed`, save now and then."""
    found = [int(pick(rng, rng.sizes.extents)) for _ in range(rank)]
    if rank == 1 and chance(rng, 0.3):
        found = [int(rng.integers(50, 700))]
    return [max(e, n) if not chance(rng, 0.02) else e for e, n in zip(found, needed, strict=True)]


def shrink(extents: list[int], low: list[int], cost: Callable[[list[int]], float], budget: float) -> list[int]:
    """Halve the largest of `extents` until `cost` is within `budget`."""
    extents = list(extents)
    while cost(extents) > budget:
        i = max(range(len(extents)), key=lambda j: extents[j] / max(low[j], 1))
        smaller = max(low[i], extents[i] // 2)
        if smaller == extents[i]:
            break
        extents[i] = smaller
    return extents


def shaped(n: int | None, c: int, extents: tuple[int, ...] | list[int], layout: str) -> tuple[int, ...]:
    rest = (c, *extents) if layout == "NCHW" else (*extents, c)
    return rest if n is None else (n, *rest)


def batch(rng: Rng) -> int | None:
    """Images: one, a few, none (0), or no axis for them (None)."""
    return pick(rng, (1, 1, 1, 2, 2, 3, 5, 0, None))


def lay(rng: Rng) -> dict[str, Any]:
    return {"layout": "NHWC"} if chance(rng, 0.4) else {}


def gradient(rng: Rng, case: Case, needs: int = 0) -> Case:
    """The gradient of a call for one of its `needs` differentiable arrays (0: for its only one)."""
    first = case.arrays[0]
    assert first is not None
    dy = replace(array(rng, (), first.dtype, 0.6), shape=None)
    dy = replace(dy, form=dy.form.partition(":")[0])
    if dy.values in ("nan", "inf") and not case.name.startswith(SUMS) and case.name not in SLOPES:
        dy = replace(dy, values="normal")  # times probabilities that are 0 or not, by rounding
    options = dict(case.options)
    if needs and not chance(rng, 0.1):
        there = [i for i in range(needs) if i < len(case.arrays) and case.arrays[i] is not None]
        wanted = pick(rng, there)
        options["need"] = tuple(i == wanted for i in range(needs))
    return Case(f"grad.{case.call}", (dy, *case.arrays), options)


def window(rng: Rng, rank: int, large: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Kernel, stride and dilation."""
    k = some(rng, 1, large, rank) if chance(rng, 0.5) else (pick(rng, (1, 2, 3, 3, 3, 4, 5, 7)),) * rank
    s = (1,) * rank if chance(rng, 0.5) else some(rng, 1, 3, rank)
    d = (1,) * rank if chance(rng, 0.75) else some(rng, 1, 3, rank)
    return tuple(k), s, d


def convolution(rng: Rng, floats: bool = False, transposed: bool = False) -> Case:
    rank = pick(rng, (1, 2, 2, 2, 2, 3))
    k, s, d = window(rng, rank, 7 if rank < 3 else 4)
    kind = rng.random()
    groups, icg, ocg = 1, pick(rng, rng.sizes.channels), pick(rng, rng.sizes.channels)
    if kind < 0.15:
        groups, icg, ocg = pick(rng, rng.sizes.channels), 1, pick(rng, (1, 1, 1, 2, 3))
    elif kind < 0.3:
        groups, icg, ocg = pick(rng, (2, 3, 4)), pick(rng, rng.sizes.channels[:14]), pick(rng, rng.sizes.channels[:14])
    elif kind < 0.33:
        icg = 0
    elif kind < 0.35:
        ocg = 0
    elif kind < 0.45:
        k = (1,) * rank
    span = tuple(dd * (kk - 1) + 1 for dd, kk in zip(d, k, strict=True))
    mode = "zeros" if transposed or chance(rng, 0.8) else pick(rng, MODES)
    pads: Any = (0,) * rank
    draw = rng.random()
    if draw < 0.45:
        pads = tuple(kk // 2 for kk in k) if chance(rng, 0.6) else some(rng, 0, 4, rank)
    elif draw < 0.6:
        pads = [some(rng, 0, 4, 2) for _ in range(rank)]
    elif draw < 0.75 and not transposed:
        pads = pick(rng, ("same", "same_lower", "same_upper", "valid"))
    inside = [2 * min(p) if isinstance(p, tuple) else 2 * p for p in pads] if not isinstance(pads, str) else [0] * rank
    needed = (1,) * rank if transposed else tuple(max(1, v - p) for v, p in zip(span, inside, strict=True))
    n, layout = batch(rng), lay(rng)
    extents = spatial(rng, rank, needed)
    at_least = [1, 1, 1, *needed]

    def cost(e: list[int]) -> float:
        pixels = prod(e[3:]) if transposed else prod(-(-v // ss) for v, ss in zip(e[3:], s, strict=True))
        return 2.0 * max(n or 1, 1) * groups * e[1] * e[2] * prod(k) * pixels

    budget = rng.sizes.operations * (30 if chance(rng, 0.02) else 1)
    _, icg, ocg, *extents = shrink([1, icg, ocg, *extents], at_least, cost, budget)
    xd = dtype(rng, ()) if floats else dtype(rng, ("float16", "bfloat16", "complex64", "complex128", *INTEGERS))
    wd = xd if chance(rng, 0.9) else dtype(rng, ()) if floats else dtype(rng)
    ic, oc = icg * groups, ocg * groups
    x = array(rng, shaped(n, ic, extents, layout.get("layout", "NCHW")), xd)
    w = array(rng, (ic, ocg, *k) if transposed else (oc, icg, *k), wd, 0.8)
    bias = array(rng, (oc,), xd, 0.8) if chance(rng, 0.4) else None
    options: dict[str, Any] = {}
    if s != (1,) * rank:
        options["stride"] = per_axis(rng, s)
    if pads != (0,) * rank:
        options["padding"] = per_axis(rng, pads) if isinstance(pads, tuple) else pads
    if d != (1,) * rank:
        options["dilation"] = per_axis(rng, d)
    if groups > 1:
        options["groups"] = groups
    if mode != "zeros":
        options["padding_mode"] = mode
    if transposed and chance(rng, 0.4):
        options["output_padding"] = tuple(int(rng.integers(0, max(a, b))) for a, b in zip(s, d, strict=True))
    if chance(rng, 0.25):
        # A step where hardshrink begins turns rounding into another value: not fused here.
        names = SMOOTH if floats else tuple(f for f in FUSED if f != "hardshrink")
        options["activation"] = pick(rng, names)
    name = f"conv{'_transpose' * transposed}{rank}d"
    return Case(name, (x, w, bias), options | layout)


def conv(rng: Rng) -> Case:
    return convolution(rng)


def conv_transpose(rng: Rng) -> Case:
    return convolution(rng, transposed=True)


def grad_conv(rng: Rng) -> Case:
    return gradient(rng, convolution(rng, floats=True, transposed=chance(rng, 0.3)), 3)


def pooling(rng: Rng, floats: bool = False) -> Case:
    rank = pick(rng, (1, 2, 2, 2, 3))
    kind = pick(rng, ("max", "max", "avg", "avg", "lp"))
    k, s, d = window(rng, rank, 6 if rank < 3 else 3)
    p: Any = tuple(int(rng.integers(0, v // 2 + 1)) for v in k) if chance(rng, 0.5) else (0,) * rank
    if chance(rng, 0.15):
        p = [tuple(int(rng.integers(0, v)) for _ in range(2)) for v in k]
    if chance(rng, 0.1):
        p = pick(rng, ("same", "same_lower", "valid"))
    needed = tuple(dd * (kk - 1) + 1 for dd, kk in zip(d, k, strict=True))
    n, layout = batch(rng), lay(rng)

    def cost(e: list[int]) -> float:
        return float(max(n or 1, 1) * prod(k) * prod(e))

    budget = rng.sizes.operations * (10 if chance(rng, 0.02) else 0.5)
    c, *extents = shrink([pick(rng, rng.sizes.channels), *spatial(rng, rank, needed)], [1, *needed], cost, budget)
    xd = dtype(rng, () if floats else ("float16", "bfloat16", *INTEGERS) if kind == "max" else ("float16", "bfloat16"))
    if kind == "avg" and not floats and chance(rng, 0.05):
        xd = "int64"
    x = array(rng, shaped(n, c, extents, layout.get("layout", "NCHW")), xd)
    if chance(rng, 0.3) and kind == "max":
        x = replace(x, values="small_ints")  # ties
    options: dict[str, Any] = {"kernel_size": per_axis(rng, k)}
    if chance(rng, 0.8):
        options["stride"] = per_axis(rng, s)
    if p != (0,) * rank:
        options["padding"] = per_axis(rng, p) if isinstance(p, tuple) else p
    if d != (1,) * rank:
        options["dilation"] = per_axis(rng, d)
    if chance(rng, 0.3):
        options["ceil_mode"] = True
    if kind == "avg" and chance(rng, 0.4):
        options["count_include_pad"] = False
    if kind == "avg" and chance(rng, 0.15):
        options["divisor_override"] = pick(rng, (1, 3, 7, -2))
    if kind == "lp":
        options["norm_type"] = pick(rng, (1.0, 2.0, 2.0, 3.0, 4.0, 0.5, float("inf")))
        if options["norm_type"] % 2:
            x = replace(x, values="relu")  # odd powers of negative values have no real root
    if kind == "max" and chance(rng, 0.4):
        options["return_indices"] = True
    return Case(f"{kind}_pool{rank}d", (x,), options | layout)


def pool(rng: Rng) -> Case:
    return pooling(rng)


def grad_pool(rng: Rng) -> Case:
    case = gradient(rng, pooling(rng, floats=True))
    if case.name.startswith("max_pool") and case.options.get("return_indices") and chance(rng, 0.6):
        x = case.arrays[1]
        assert x is not None and x.shape is not None
        rank = int(case.name[-2])
        inside = x.shape[-rank - 1 : -1] if case.options.get("layout") == "NHWC" else x.shape[-rank:]
        where = replace(array(rng, (), "int64", 0.7), shape=None, values=f"below:{prod(inside)}")
        where = replace(where, form=where.form.partition(":")[0])
        case = replace(case, options={**case.options, "indices": where})
    return case


def adaptive_pooling(rng: Rng, floats: bool = False) -> Case:
    rank = pick(rng, (1, 2, 2, 3))
    n, layout = batch(rng), lay(rng)
    c, *extents = shrink(
        [pick(rng, rng.sizes.channels), *spatial(rng, rank, (1,) * rank)], [1] * (rank + 1),
        lambda e: 4.0 * max(n or 1, 1) * prod(e), rng.sizes.operations * 0.3,
    )  # fmt: skip
    kind = pick(rng, ("max", "avg"))
    others = () if floats else ("float16", "bfloat16", *INTEGERS) if kind == "max" else ("float16", "bfloat16")
    x = array(rng, shaped(n, c, extents, layout.get("layout", "NCHW")), dtype(rng, others))
    if chance(rng, 0.15):
        return Case(f"global_{kind}_pool", (x,), layout)
    options: dict[str, Any] = {"output_size": per_axis(rng, some(rng, 1, 9, rank))}
    if chance(rng, 0.1):
        options["output_size"] = extents[0] if rank == 1 else (None, *some(rng, 1, 5, rank - 1))
    if kind == "max" and chance(rng, 0.4):
        options["return_indices"] = True
    return Case(f"adaptive_{kind}_pool{rank}d", (x,), options | layout)


def adaptive(rng: Rng) -> Case:
    return adaptive_pooling(rng)


def grad_adaptive(rng: Rng) -> Case:
    return gradient(rng, adaptive_pooling(rng, floats=True))


def unpooling(rng: Rng, floats: bool = False) -> Case:
    rank = pick(rng, (1, 2, 2, 3))
    n, layout = batch(rng), lay(rng)
    extents = [int(v) for v in rng.integers(1, 9, rank)]
    k = tuple(int(v) for v in rng.integers(1, 4, rank))
    c = pick(rng, rng.sizes.channels[:12])
    last = ":last" if layout else ""
    size = [e * kk for e, kk in zip(extents, k, strict=True)]
    x = array(rng, shaped(n, c, extents, layout.get("layout", "NCHW")), dtype(rng, () if floats else FLOATS))
    # Without a batch the first axis counts as one, which is as good for places that must differ within channels.
    places = f"places:{prod(size)}{last}" if n is not None else f"below:{prod(size)}"
    where = replace(array(rng, x.shape or (), "int64", 0.7), values=places)
    return Case(f"max_unpool{rank}d", (x, where), {"kernel_size": per_axis(rng, k)} | layout)


def unpool(rng: Rng) -> Case:
    case = unpooling(rng)
    return gradient(rng, unpooling(rng, floats=True)) if chance(rng, 0.3) else case


def product(rng: Rng, floats: bool = False) -> Case:
    m, k, n = (pick(rng, (*rng.sizes.channels, 100, 129, 300)) for _ in range(3))
    if chance(rng, 0.05):
        m, k, n = (0 if chance(rng, 0.4) else v for v in (m, k, n))
    budget = rng.sizes.operations * (20 if chance(rng, 0.03) else 2)
    m, k, n = shrink([m, k, n], [0, 0, 0], lambda e: 2.0 * prod(e), budget)
    ad = dtype(rng, ()) if floats else dtype(rng, ("float16", "bfloat16", "complex64", "complex128", *INTEGERS))
    bd = ad if chance(rng, 0.9) else dtype(rng, ()) if floats else dtype(rng)
    name = pick(rng, ("gemm", "gemm", "matmul", "linear"))
    options: dict[str, Any] = {}
    if chance(rng, 0.2) and name != "matmul":
        options["activation"] = pick(rng, SMOOTH if floats else tuple(f for f in FUSED if f != "hardshrink"))
    if name == "matmul":
        b = int(rng.integers(1, 4))
        pairs = [((m, k), (k, n)), ((b, m, k), (k, n)), ((b, m, k), (b, k, n)), ((b, 1, m, k), (2, k, n)),
                 ((k,), (b, k, n)), ((m, k), (k,)), ((k,), (k,)), ((1, m, k), (b, k, n))]  # fmt: skip
        first, second = pick(rng, pairs)
        return Case(name, (array(rng, first, ad), array(rng, second, bd)), options)
    bias = array(rng, (n,), ad, 0.8) if chance(rng, 0.4) else None
    if name == "linear":
        lead = some(rng, 1, 4, pick(rng, (0, 1, 1, 2)))
        x = array(rng, (*lead[:-1], m, k) if lead else (k,), ad)
        return Case(name, (x, array(rng, (n, k), bd), bias), options)
    options |= {f"trans_{which}": True for which in "ab" if chance(rng, 0.4)}
    a = array(rng, (k, m) if "trans_a" in options else (m, k), ad)
    b = array(rng, (n, k) if "trans_b" in options else (k, n), bd)
    c = None
    whole = ad not in FLOATS and not ad.startswith("complex")
    if chance(rng, 0.3):
        c = array(rng, pick(rng, ((m, n), (n,), (1, n), (m, 1))), ad, 0.7)
        options["beta"] = pick(rng, (1, 2, 0) if whole else (1.0, -0.5, 0.0))
    if chance(rng, 0.3):
        options["alpha"] = pick(rng, (2, -1, 0) if whole else (0.5, -2.0, 0.0))
    if bias is not None and not floats:
        options["bias"] = bias
    return Case(name, (a, b, c), options)


def gemm(rng: Rng) -> Case:
    return product(rng)


def grad_gemm(rng: Rng) -> Case:
    case = product(rng, floats=True)
    needs = 2 if case.call == "matmul" else 3
    if case.call == "gemm":
        case = replace(case, options={k: v for k, v in case.options.items() if k != "bias"})
    return gradient(rng, case, needs)


PARAMETERS: dict[str, dict[str, tuple[Any, ...]]] = {
    "leaky_relu": {"negative_slope": (0.2, -0.5)}, "elu": {"alpha": (0.5, 2.0)}, "celu": {"alpha": (0.5, 2.0)},
    "gelu": {"approximate": ("tanh",)}, "softplus": {"beta": (2.0, 0.5), "threshold": (5.0,)},
    "hardtanh": {"min_val": (-2.0, 0.0), "max_val": (1.5,)}, "hardshrink": {"lambd": (1.0, 0.0)},
    "softshrink": {"lambd": (1.0, 0.0)},
}  # fmt: skip


def flat(rng: Rng) -> tuple[int, ...]:
    """A shape of up to four axes, empty now and then."""
    shape = [int(pick(rng, rng.sizes.extents)) for _ in range(int(rng.integers(0, 5)))]
    if shape and chance(rng, 0.04):
        shape[int(rng.integers(len(shape)))] = 0
    return tuple(shrink(shape, [0] * len(shape), lambda e: float(prod(e)), rng.sizes.operations / 5))


def elementwise(rng: Rng, floats: bool = False) -> Case:
    name = pick(rng, (*FUSED, "threshold", "prelu", "glu", "clamp"))
    shape = flat(rng)
    x = array(rng, shape, dtype(rng, () if floats else ("float16", "bfloat16", "int32", "uint8", "int64", "complex64")))
    if name == "prelu":
        channels = shape[1] if len(shape) > 1 else 1
        return Case(name, (x, array(rng, (pick(rng, (1, channels)),), x.dtype, 0.8)), {})
    if name == "glu":
        shape = (*(shape or (3,)), 2 * int(rng.integers(1, 9)))
        x = replace(x, shape=shape, form=x.form.partition(":")[0])
        return Case(name, (x,), {"dim": int(pick(rng, (-1, len(shape) - 1)))})
    if name == "clamp":
        bounds = {"min": pick(rng, (-1, -0.5, 0)), "max": pick(rng, (1, 0.5, 2))}
        if x.dtype in INTEGERS:
            bounds = {k: int(v) for k, v in bounds.items()}
        return Case(name, (x,), {k: v for k, v in bounds.items() if not chance(rng, 0.3)} or bounds)
    if name == "threshold":
        return Case(name, (x,), {"threshold": pick(rng, (0.0, 0.5)), "value": pick(rng, (-1.0, 20.0))})
    options = {k: pick(rng, v) for k, v in PARAMETERS.get(name, {}).items() if chance(rng, 0.4)}
    return Case(name, (x,), options)


def activation(rng: Rng) -> Case:
    return elementwise(rng)


def grad_activation(rng: Rng) -> Case:
    case = elementwise(rng, floats=True)
    return gradient(rng, case, 2 if case.call == "prelu" else 0)


def softmax_case(rng: Rng, floats: bool = False) -> Case:
    shape = flat(rng)
    x = array(rng, shape, dtype(rng, () if floats else ("float16", "bfloat16", "complex64")))
    options: dict[str, Any] = {"dim": int(rng.integers(-max(len(shape), 1), max(len(shape), 1)))}
    if chance(rng, 0.1) and not floats:
        options["dtype"] = pick(rng, ("float32", "float64"))
    return Case(pick(rng, ("softmax", "log_softmax", "softmin")), (x,), options)


def softmax(rng: Rng) -> Case:
    return gradient(rng, softmax_case(rng, floats=True)) if chance(rng, 0.3) else softmax_case(rng)


def loss_case(rng: Rng, floats: bool = False) -> Case:
    name = pick(rng, ("cross_entropy", "nll_loss"))
    n, c = pick(rng, (1, 2, 3, 7, 33)), pick(rng, rng.sizes.channels)
    rest = some(rng, 1, 6, pick(rng, (0, 0, 1, 2)))
    lead = () if chance(rng, 0.1) and not rest else (n,)
    x = array(rng, (*lead, c, *rest), dtype(rng, () if floats else ("float16", "bfloat16")))
    options: dict[str, Any] = {"reduction": pick(rng, ("mean", "sum", "none"))}
    weight = Array((c,), x.dtype, "constant", "plain") if chance(rng, 0.3) else None
    if chance(rng, 0.3):
        options["ignore_index"] = int(rng.integers(0, c))
    target: Array
    if name == "cross_entropy" and chance(rng, 0.2):
        target = Array(x.shape, x.dtype, "constant", "plain")
        options.pop("ignore_index", None)
    else:
        target = replace(array(rng, (*lead, *rest), "int64", 0.7), values=f"below:{c}")
    if name == "cross_entropy" and chance(rng, 0.3):
        options["label_smoothing"] = pick(rng, (0.1, 0.5, 1.0))
    return Case(name, (x, target, weight), options)


def loss(rng: Rng) -> Case:
    return gradient(rng, loss_case(rng, floats=True)) if chance(rng, 0.3) else loss_case(rng)


def shapes(rng: Rng, floats: bool = False) -> Case:
    kind = pick(rng, ("pad", "pad", "unfold", "fold", "flatten"))
    xd = dtype(rng, () if floats else ("float16", "bfloat16", "complex64", "bool", *INTEGERS))
    rank = pick(rng, (1, 2, 2, 3))
    if kind == "flatten":
        shape = flat(rng)
        first, last = sorted(some(rng, 0, max(len(shape) - 1, 0), 2))
        return Case(kind, (array(rng, shape, xd),), {"start_dim": first, "end_dim": last})
    if kind == "pad":
        mode = pick(rng, ("constant", "constant", *MODES))
        extents = spatial(rng, rank, (4,) * rank)
        n = pick(rng, (1, 2, None))
        budget = rng.sizes.operations / 16
        c, *extents = shrink(
            [pick(rng, rng.sizes.channels[:8]), *extents], [1] + [4] * rank, lambda e: float(prod(e)), budget
        )
        options: dict[str, Any] = {"pad": some(rng, -1, 3, 2 * rank)}
        if mode != "constant":
            options["mode"] = mode
        elif chance(rng, 0.3):
            options["value"] = pick(rng, (1, 2))
        return Case(kind, (array(rng, shaped(n, c, extents, "NCHW"), xd),), options)
    k, s, d = window(rng, 2, 4)
    p = some(rng, 0, 2, 2)
    size = tuple(max(int(pick(rng, rng.sizes.extents[:16])), dd * (kk - 1) + 1) for dd, kk in zip(d, k, strict=True))
    n, c = pick(rng, (1, 2, None, 0)), int(rng.integers(1, 5))
    options = {"kernel_size": per_axis(rng, k), "dilation": per_axis(rng, d), "padding": per_axis(rng, p),
               "stride": per_axis(rng, s)}  # fmt: skip
    lead = () if n is None else (n,)
    xd = xd if xd != "bool" else "float32"
    if kind == "unfold":
        return Case(kind, (array(rng, (*lead, c, *size), xd),), options)
    counts = [(e + 2 * pp - dd * (kk - 1) - 1) // ss + 1 for e, pp, dd, kk, ss in zip(size, p, d, k, s, strict=True)]
    shape = (*lead, c * prod(k), prod(counts))
    return Case(kind, (array(rng, shape, xd),), {"output_size": per_axis(rng, size), **options})


def shape(rng: Rng) -> Case:
    return gradient(rng, shapes(rng, floats=True)) if chance(rng, 0.25) else shapes(rng)


def filters(rng: Rng) -> Case:
    name = pick(rng, ("sharpen", "blur", "edge_enhance", "edge_detect", "sobel_x", "sobel_y", "sobel", "emboss"))
    h, w = pick(rng, rng.sizes.extents), pick(rng, rng.sizes.extents)
    extents = (h, w) if chance(rng, 0.5) else (h, w, pick(rng, (1, 3, 4)))
    options: dict[str, Any] = {"padding_mode": pick(rng, ("zeros", "symmetric", "wrap"))} if chance(rng, 0.3) else {}
    if chance(rng, 0.3):
        options |= {"divisor": 2, "offset": 1, "absolute": True}
    dtypes = ("float32", "float64", "float16", "uint8", "int16", "int32", "bool")
    return Case(f"filters.{name}", (array(rng, extents, pick(rng, dtypes)),), options)


# How often each family is drawn: convolutions have the most kernels and arguments.
FAMILIES: dict[str, tuple[Callable[[Rng], Case], int]] = {
    "conv": (conv, 10), "conv_transpose": (conv_transpose, 4), "grad_conv": (grad_conv, 5), "pool": (pool, 5),
    "grad_pool": (grad_pool, 3), "adaptive": (adaptive, 2), "grad_adaptive": (grad_adaptive, 1), "unpool": (unpool, 1),
    "gemm": (gemm, 4), "grad_gemm": (grad_gemm, 1), "activation": (activation, 3),
    "grad_activation": (grad_activation, 2), "softmax": (softmax, 2), "loss": (loss, 2), "shape": (shape, 2),
    "filters": (filters, 1),
}  # fmt: skip
_DRAWN = tuple(name for name, (_, weight) in FAMILIES.items() for _ in range(weight))


def generate(seed: int, family: str | None = None, sizes: Sizes = SMALL) -> Case:
    """The case of a seed, by itself: `python -m tests.fuzz --case SEED` tries it again."""
    rng = Rng(seed, sizes)
    make, _ = FAMILIES[pick(rng, _DRAWN) if family is None else family]
    case = make(rng)
    if not case.is_gradient and not case.call.startswith("filters") and chance(rng, 0.4):
        case = replace(case, out=pick(rng, OUTS))
    return case
