"""OpenVINO: a model of one operator, compiled for the CPU in float32, input and output in shared memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

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

ACTIVATIONS = {"relu": ops.relu, "sigmoid": ops.sigmoid, "tanh": ops.tanh, "mish": ops.mish, "softplus": ops.softplus,
               "hardswish": ops.hswish}  # fmt: skip
PAD_MODES = {"reflect": "reflect", "replicate": "edge", "symmetric": "symmetric"}

limit = unlimited  # the number of threads belongs to each compiled model: see `contenders`


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    float32_only(work)
    p = work.problem
    if isinstance(p, ConvProblem):
        x, build = _conv(work, p)
    elif isinstance(p, PoolProblem):
        x, build = _pool(work, p)
    elif isinstance(p, GemmProblem):
        x, build = _gemm(work, p)
    else:
        raise Unsupported(f"{work.name} is not built for it here")
    x = x if x.flags.writeable else x.copy()  # it shares memory with writable arrays only
    parameter = ops.parameter(x.shape, np.float32)
    y = build(parameter)
    activation = getattr(p, "activation", None)
    if activation is not None:
        if activation not in ACTIVATIONS:
            raise Unsupported(f"has no operator for activation {activation!r}")
        y = ACTIVATIONS[activation](y)
    config = {
        "INFERENCE_NUM_THREADS": work.threads,
        "NUM_STREAMS": 1,
        # Its default on some processors is bfloat16.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = ov.Core().compile_model(ov.Model([y], [parameter]), "CPU", config).create_infer_request()
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    return [Contender("openvino", run, reshaped(work), held=x, prepacked=any(c is not None for c in work.constants))]


def _begin(pads: Any) -> list[int]:
    return [lo for lo, _ in pads]


def _end(pads: Any) -> list[int]:
    return [hi for _, hi in pads]


def _conv(work: Work, p: ConvProblem) -> tuple[np.ndarray, Any]:
    rank = work.rank
    x, w = plain(work), weights_of(work)
    stride, dilation, pads = list(last(p.stride, rank)), list(last(p.dilation, rank)), last(p.pads, rank)
    bias = None if work.constants[1] is None else work.constants[1].reshape(1, -1, *(1,) * rank)
    mode = None if p.mode == "zeros" else PAD_MODES.get(p.mode, "")
    if mode == "":
        raise Unsupported(f"has no padding mode {p.mode!r}")
    grouped = p.groups > 1
    if grouped:
        w = w.reshape(p.groups, w.shape[0] // p.groups, *w.shape[1:])

    def build(node: Any) -> Any:
        begin, end = _begin(pads), _end(pads)
        if mode is not None:
            node = ops.pad(node, np.array([0, 0, *begin]), np.array([0, 0, *end]), mode)
            begin, end = [0] * rank, [0] * rank
        if p.direction == "transposed":
            natural = [
                (i - 1) * s - lo - hi + d * (k - 1) + 1
                for i, s, (lo, hi), d, k in zip(
                    *(last(v, rank) for v in (p.input, p.stride, p.pads, p.dilation, p.kernel)), strict=True
                )
            ]
            extra = [o - n for o, n in zip(last(p.output, rank), natural, strict=True)]
            make = ops.group_convolution_backprop_data if grouped else ops.convolution_backprop_data
            y = make(
                node, ops.constant(w), strides=stride, pads_begin=begin, pads_end=end, dilations=dilation,
                output_padding=extra,
            )  # fmt: skip
        else:
            make = ops.group_convolution if grouped else ops.convolution
            y = make(node, ops.constant(w), stride, begin, end, dilation)
        return y if bias is None else ops.add(y, ops.constant(bias))

    return x, build


def _pool(work: Work, p: PoolProblem) -> tuple[np.ndarray, Any]:
    rank = work.rank
    x = plain(work)
    k, s, d, pads = (list(last(v, rank)) for v in (p.kernel, p.stride, p.dilation, p.pads))
    floor = [
        (e + lo + hi - dd * (kk - 1) - 1) // ss + 1
        for e, (lo, hi), dd, kk, ss in zip(last(p.input, rank), pads, d, k, s, strict=True)
    ]
    rounding = "floor" if floor == list(last(p.output, rank)) else "ceil"
    if p.indices:
        raise Unsupported("counts indices from the start of the batch")
    if p.kind == "max":
        return x, lambda node: ops.max_pool(node, s, d, _begin(pads), _end(pads), k, rounding).output(0)
    if any(v != 1 for v in d) or p.kind == "lp" or p.divisor is not None:
        raise Unsupported("averages have no dilation, norm or divisor_override")
    if rounding == "ceil" and not (symmetric(tuple(pads)) and not any(_begin(pads))):
        raise Unsupported("divides partial windows by other numbers")
    return x, lambda node: ops.avg_pool(node, s, _begin(pads), _end(pads), k, not p.include_pad, rounding)


def _gemm(work: Work, p: GemmProblem) -> tuple[np.ndarray, Any]:
    a, b = np.ascontiguousarray(work.canonical), np.ascontiguousarray(work.constants[0])
    c, bias = work.constants[1:]
    if c is not None or p.alpha != 1:
        raise Unsupported("products with alpha or c are not built here")

    def build(node: Any) -> Any:
        y = ops.matmul(node, ops.constant(b), p.trans_a, p.trans_b)
        return y if bias is None else ops.add(y, ops.constant(bias))

    return a, build
