"""Calls beside the tuned path, against torch or NumPy: none may take more than twice their time.

    python benchmarks/bench_cliffs.py [--threads 2] [--cases pool deconv] [--bar 2]

Each call once fell to the oracle, or took a hundred times as long as it had to.  Both sides are called as a user calls
them, on the same data and number of threads, and take turns; the ratio is that of their medians.  Results are compared
before.  The exit status is 1 where a ratio exceeds the bar.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as TF

import fastconv as F
from fastconv.core.kernel import Kernel
from fastconv.dispatch import choice

Call = Callable[[], Any]
SECONDS = 1.0  # of samples for both sides together
RNG = np.random.default_rng(0)


def data(*shape: int, dtype: str = "float32") -> np.ndarray:
    if np.dtype(dtype).kind in "iu":
        return RNG.integers(-100 if np.dtype(dtype).kind == "i" else 0, 100, shape).astype(dtype)
    return RNG.standard_normal(shape).astype(dtype)


def transposed(
    x: tuple[int, ...], w: tuple[int, ...], dtype: str = "float32", **kwargs: Any
) -> tuple[Call, Call]:
    a, b = data(*x, dtype=dtype), data(*w, dtype=dtype)
    # torch's integers wrap in their own dtype, and some versions lack them: float64 is exact here.
    wide = np.float64 if np.dtype(dtype).kind in "iu" else a.dtype
    ta, tb = torch.from_numpy(a.astype(wide)), torch.from_numpy(b.astype(wide))
    rank = len(x) - 2
    ours, theirs = getattr(F, f"conv_transpose{rank}d"), getattr(TF, f"conv_transpose{rank}d")
    return lambda: ours(a, b, **kwargs), lambda: theirs(ta, tb, **kwargs)


def input_gradient(x: tuple[int, ...], w: tuple[int, ...], stride: int, mode: str = "zeros") -> tuple[Call, Call]:
    a, b = data(*x), data(*w)
    y = F.conv2d(a, b, stride=stride, padding=1, padding_mode=mode)
    tx, tw, ty = (torch.from_numpy(v) for v in (a, b, y))
    need = (True, False, False)

    def ours() -> Any:
        return F.grad.conv2d(y, a, b, stride=stride, padding=1, padding_mode=mode, need=need)

    def theirs() -> Any:
        if mode == "zeros":
            s = [stride, stride]
            return torch.ops.aten.convolution_backward(
                ty, tx, tw, None, s, [1, 1], [1, 1], False, [0, 0], 1, list(need)
            )[0]
        leaf = tx.detach().requires_grad_()
        TF.conv2d(TF.pad(leaf, (1, 1, 1, 1), mode=mode), tw, stride=stride).backward(ty)
        return leaf.grad

    return ours, theirs


def pool(name: str, x: tuple[int, ...], *args: Any, dtype: str = "float32", **kwargs: Any) -> tuple[Call, Call]:
    a = data(*x, dtype=dtype)
    # torch has no float16 or small integers here on a CPU: it gets the narrowest dtype that it takes.
    wide = {"float16": "float32", "int8": "int32", "uint8": "int32", "int16": "int32"}.get(dtype, dtype)
    ta = torch.from_numpy(a.astype(wide))
    if np.dtype(dtype).kind in "iu":
        ta = ta.double()
    return lambda: getattr(F, name)(a, *args, **kwargs), lambda: getattr(TF, name)(ta, *args, **kwargs)


def cross_entropy(dtype: str) -> tuple[Call, Call]:
    a, t = data(1, 21, 512, 512, dtype=dtype), RNG.integers(0, 21, (1, 512, 512))
    ta, tt = torch.from_numpy(a.astype("float32")), torch.from_numpy(t)
    return lambda: F.cross_entropy(a, t), lambda: TF.cross_entropy(ta, tt)


def padding(mode: str, numpy_mode: str) -> tuple[Call, Call]:
    a = data(2, 2048, 2048)
    pads = ((0, 0), (2, 3), (1, 2))
    return lambda: F.pad(a, (1, 2, 2, 3), mode=mode), lambda: np.pad(a, pads, mode=numpy_mode)  # type: ignore[call-overload]


def signal(mode: str) -> tuple[Call, Call]:
    a = data(1, 1, 8_400_000)
    pads = ((0, 0), (0, 0), (3, 3))
    return lambda: F.pad(a, (3, 3), mode=mode), lambda: np.pad(a, pads, mode="reflect")


def cases() -> Iterator[tuple[str, Callable[[], tuple[Call, Call]]]]:
    """Name, and what makes our call and theirs."""
    yield "deconv 3x1200x1200 4x4 s2 p1", lambda: transposed((1, 3, 1200, 1200), (3, 3, 4, 4), stride=2, padding=1)
    yield "deconv 64x400x400 -> 64 2x2 s2", lambda: transposed((1, 64, 400, 400), (64, 64, 2, 2), stride=2)
    yield "deconv 16x32x32 -> 8 4x4 s2", lambda: transposed((1, 16, 32, 32), (16, 8, 4, 4), stride=2, padding=1)
    yield "deconv 64x1x1 -> 64 32x32", lambda: transposed((1, 64, 1, 1), (64, 64, 32, 32))
    yield "deconv 100x1x1 -> 512 4x4", lambda: transposed((1, 100, 1, 1), (100, 512, 4, 4))
    yield "deconv 3x8x8 64x64 s64", lambda: transposed((1, 3, 8, 8), (3, 3, 64, 64), stride=64)
    yield "deconv 2 signals 4x1000000 s4", lambda: transposed((2, 4, 1_000_000), (4, 4, 8), stride=4, padding=2)
    yield "deconv int8 16x64x64 3x3 s2", lambda: transposed((1, 16, 64, 64), (16, 16, 3, 3), "int8", stride=2)
    yield "input gradient 64x512x512 3x3 s2", lambda: input_gradient((1, 64, 512, 512), (64, 64, 3, 3), 2)
    yield "input gradient 64x512x512 reflect", lambda: input_gradient((1, 64, 512, 512), (64, 64, 3, 3), 1, "reflect")
    yield "pad reflect 2x2048x2048", lambda: padding("reflect", "reflect")
    yield "pad replicate 2x2048x2048", lambda: padding("replicate", "edge")
    yield "pad reflect 8400000", lambda: signal("reflect")
    yield "adaptive max pool 3x1024x1024 -> 7, indices", lambda: pool(
        "adaptive_max_pool2d", (1, 3, 1024, 1024), 7, return_indices=True
    )
    yield "max pool 16x224x224 3x3 s2, indices", lambda: pool(
        "max_pool2d", (1, 16, 224, 224), 3, 2, return_indices=True
    )
    for dtype in ("float16", "int8", "int32"):
        yield f"max pool {dtype} 16x224x224 3x3 s2, indices", lambda dtype=dtype: pool(  # type: ignore[misc]
            "max_pool2d", (1, 16, 224, 224), 3, 2, dtype=dtype, return_indices=True
        )
    yield "lp pool float16 16x224x224 3x3 s2", lambda: pool("lp_pool2d", (1, 16, 224, 224), 2.0, 3, 2, dtype="float16")
    yield "lp pool norm 3 16x224x224 3x3 s2", lambda: pool("lp_pool2d", (1, 16, 224, 224), 3.0, 3, 2)
    for dtype in ("float32", "float16"):
        yield f"cross entropy {dtype} 21x512x512", lambda dtype=dtype: cross_entropy(dtype)  # type: ignore[misc]


def values(result: Any) -> np.ndarray:
    first = result[0] if isinstance(result, tuple) else result
    return np.asarray(first.numpy() if isinstance(first, torch.Tensor) else first, np.float64)


def times(calls: tuple[Call, Call]) -> tuple[float, float]:
    """Medians of both, in turns."""
    found: tuple[list[float], list[float]] = ([], [])
    end = perf_counter() + SECONDS
    while len(found[0]) < 3 or perf_counter() < end:
        for call, own in zip(calls, found, strict=True):
            start = perf_counter()
            call()
            own.append(perf_counter() - start)
    return median(found[0]), median(found[1])


def chosen(call: Call) -> tuple[Any, str]:
    """The result of a call, and the kernels that it chose."""
    names: list[str] = []
    ours = choice.choose

    def noted(*args: Any) -> Any:
        found = ours(*args)
        kernel: Kernel[Any] = found.kernel
        names.append(kernel.name)
        return found

    from fastconv.dispatch import plan

    plan.clear_cache()
    plan.choose = noted
    try:
        return call(), ", ".join(dict.fromkeys(names))
    finally:
        plan.choose = ours


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose names contain one of these")
    parser.add_argument("--bar", type=float, default=2.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    worst = 0.0
    with F.options(threads=options.threads):
        for name, make in cases():
            if not any(text in name for text in options.cases):
                continue
            calls = make()
            result, kernels = chosen(calls[0])
            found, wanted = values(result), values(calls[1]())
            if not np.allclose(found, wanted, atol=2e-3 * float(np.nanmax(np.abs(wanted))), equal_nan=True):
                print(f"{name}: another result", file=sys.stderr)
                return 1
            ours, theirs = times(calls)
            worst = max(worst, ours / theirs)
            milliseconds = f"{ours * 1e3:9.3f} ms {theirs * 1e3:9.3f} ms"
            print(f"{name:46s} {kernels:44s} {milliseconds}  {ours / theirs:6.2f}", flush=True)
    print(f"largest ratio {worst:.2f}, the bar is {options.bar:g}")
    return int(worst > options.bar)


if __name__ == "__main__":
    sys.exit(main())
