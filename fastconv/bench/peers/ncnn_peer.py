"""ncnn: a network of one layer, written as its text and weight files; float32, one image at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import ncnn
import numpy as np

from fastconv.bench.peers.base import (
    Contender,
    Unsupported,
    float32_only,
    forward_only,
    last,
    plain,
    reshaped,
    symmetric,
    unlimited,
    weights_of,
)
from fastconv.bench.work import Work
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import PoolProblem

RAW_FLOAT32 = np.zeros(1, np.uint32).tobytes()  # tag before weights: stored as they are
SUFFIX = {1: "1D", 2: "", 3: "3D"}
# Keys of a layer's parameters for width, height, depth, as ncnn numbers them.
KERNEL, DILATION, STRIDE = (1, 11, 21), (2, 12, 22), (3, 13, 23)
PAD_LO, PAD_HI = (4, 14, 24), (15, 16, 17)

limit = unlimited  # the number of threads belongs to each network: see `_net`


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    float32_only(work)
    p = work.problem
    if isinstance(p, ConvProblem):
        x, layer, weights = _conv(work, p)
    elif isinstance(p, PoolProblem):
        x, layer, weights = _pool(work, p)
    elif isinstance(p, GemmProblem):
        x, layer, weights = _linear(work, p)
    else:
        raise Unsupported(f"{work.name} is not built for it here")
    net = _net(layer, weights, work.threads)
    mat = ncnn.Mat(x).clone()

    def run() -> Any:
        extractor = net.create_extractor()
        extractor.input("x", mat)
        status, y = extractor.extract("y")
        if status != 0:
            raise RuntimeError(f"ncnn answered {status}")
        return y

    return [Contender("ncnn", run, reshaped(work), prepacked=any(c is not None for c in work.constants))]


def _net(layer: str, weights: bytes, threads: int) -> Any:
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    for half in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed"):
        if hasattr(net.opt, f"use_{half}"):
            setattr(net.opt, f"use_{half}", False)
    with tempfile.TemporaryDirectory() as folder:
        param, model = Path(folder, "net.param"), Path(folder, "net.bin")
        param.write_text(f"7767517\n2 2\nInput x 0 1 x\n{layer}\n")
        model.write_bytes(weights)
        if net.load_param(str(param)) or net.load_model(str(model)):
            raise Unsupported(f"refuses the layer {layer.split()[0]}")
    return net


def _keys(*pairs: tuple[int, int]) -> str:
    return " ".join(f"{key}={value}" for key, value in pairs)


def _along(keys: tuple[int, int, int], values: tuple[int, ...]) -> list[tuple[int, int]]:
    """A key for each axis: ncnn counts from width upwards."""
    return list(zip(keys, reversed(values), strict=False))


def _conv(work: Work, p: ConvProblem) -> tuple[np.ndarray, str, bytes]:
    if p.n != 1:
        raise Unsupported("has no batch axis")
    if p.mode != "zeros":
        raise Unsupported(f"has no padding mode {p.mode!r} in its convolutions")
    if p.activation not in (None, "relu"):
        raise Unsupported(f"activation {p.activation!r} is not built here")
    rank = work.rank
    x, w = plain(work)[0], weights_of(work)
    transposed = p.direction == "transposed"
    kind = ("Deconvolution" if transposed else "Convolution") + ("DepthWise" if p.groups > 1 else "") + SUFFIX[rank]
    if transposed:
        # It stores (oc, ic, ...) within a group; we hold (ic, oc / g, ...).
        w = np.ascontiguousarray(w.reshape(p.groups, p.icg, p.ocg, *w.shape[2:]).swapaxes(1, 2))
    pads = last(p.pads, rank)
    pairs = [(0, p.oc), (6, w.size), (5, int(p.bias)), (9, int(p.activation == "relu"))]
    pairs += _along(KERNEL, last(p.kernel, rank)) + _along(STRIDE, last(p.stride, rank))
    pairs += _along(DILATION, last(p.dilation, rank))
    pairs += _along(PAD_LO, tuple(lo for lo, _ in pads)) + _along(PAD_HI, tuple(hi for _, hi in pads))
    if p.groups > 1:
        pairs.append((7, p.groups))
    if transposed:
        natural = [
            (i - 1) * s - lo - hi + d * (k - 1) + 1
            for i, s, (lo, hi), d, k in zip(
                *(last(v, rank) for v in (p.input, p.stride, p.pads, p.dilation, p.kernel)), strict=True
            )
        ]
        extra = tuple(o - n for o, n in zip(last(p.output, rank), natural, strict=True))
        pairs += _along((18, 19, 20), extra)
    weights = RAW_FLOAT32 + w.astype(np.float32).tobytes()
    if p.bias:
        weights += work.constants[1].astype(np.float32).tobytes()
    return x, f"{kind} y 1 1 x y {_keys(*pairs)}", weights


def _pool(work: Work, p: PoolProblem) -> tuple[np.ndarray, str, bytes]:
    if p.n != 1:
        raise Unsupported("has no batch axis")
    rank = work.rank
    if p.kind == "lp" or p.indices or p.divisor is not None or any(v != 1 for v in p.dilation):
        raise Unsupported("pools without norm, indices, divisor_override and dilation only")
    pads = last(p.pads, rank)
    if p.kind == "avg" and not symmetric(pads):
        raise Unsupported("uneven padding of averages is not built here")
    floor = [
        (e + lo + hi - k) // s + 1
        for e, (lo, hi), k, s in zip(*(last(v, rank) for v in (p.input, p.pads, p.kernel, p.stride)), strict=True)
    ]
    full = floor != list(last(p.output, rank))  # its pad_mode 0 rounds up, 1 down
    if p.kind == "avg" and full:
        raise Unsupported("divides partial windows by other numbers")
    pairs = [(0, int(p.kind == "avg")), (5, int(not full)), (6, int(p.include_pad))]
    pairs += _along((1, 11, 21), last(p.kernel, rank)) + _along((2, 12, 22), last(p.stride, rank))
    pairs += _along((3, 13, 23), tuple(lo for lo, _ in pads)) + _along((14, 15, 16), tuple(hi for _, hi in pads))
    return plain(work)[0], f"Pooling{SUFFIX[rank]} y 1 1 x y {_keys(*pairs)}", b""


def _linear(work: Work, p: GemmProblem) -> tuple[np.ndarray, str, bytes]:
    c, bias = work.constants[1:]
    b = work.constants[0]
    if p.batch != 1 or b.shape[0] != 1 or p.trans_a or c is not None or p.alpha != 1:
        raise Unsupported("takes a single product of a with fixed b only")
    if p.activation not in (None, "relu"):
        raise Unsupported(f"activation {p.activation!r} is not built here")
    rows = b[0] if p.trans_b else b[0].T  # (n, k)
    pairs = [(0, p.n), (1, int(p.bias)), (2, p.n * p.k), (9, int(p.activation == "relu"))]
    weights = RAW_FLOAT32 + np.ascontiguousarray(rows, np.float32).tobytes()
    if bias is not None:
        weights += bias.astype(np.float32).tobytes()
    return np.ascontiguousarray(work.canonical[0]), f"InnerProduct y 1 1 x y {_keys(*pairs)}", weights
