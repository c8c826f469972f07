"""onnxruntime: a model of one node (and its activation), weights as initialisers, on the CPU provider."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from fastconv.bench.peers.base import Contender, Unsupported, forward_only, last, plain, unlimited, weights_of
from fastconv.bench.work import Work
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import PoolProblem

OPSET = 17
IR_VERSION = 8  # of that operator set: the runtime refuses newer versions than it knows
ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu", "selu": "Selu", "celu": "Celu",
               "softplus": "Softplus", "softsign": "Softsign", "hardswish": "HardSwish"}  # fmt: skip
PAD_MODES = {"reflect": "reflect", "replicate": "edge"}

limit = unlimited  # the number of threads belongs to each session: see `_session`


def contenders(work: Work) -> list[Contender]:
    forward_only(work)
    p = work.problem
    if isinstance(p, ConvProblem):
        x, nodes, constants = _conv(work, p)
    elif isinstance(p, PoolProblem):
        x, nodes, constants = _pool(work, p)
    elif isinstance(p, GemmProblem):
        x, nodes, constants = _gemm(work, p)
    else:
        raise Unsupported(f"{work.name} is not built for it here")
    outputs = ["y", "i"] if getattr(p, "indices", False) else ["y"]
    activation = getattr(p, "activation", None)
    if activation is not None:
        if activation not in ACTIVATIONS:
            raise Unsupported(f"has no operator for activation {activation!r}")
        nodes[-1].output[0] = "linear"
        nodes.append(helper.make_node(ACTIVATIONS[activation], ["linear"], ["y"]))
    session = _session(x, nodes, constants, outputs, work.threads, p.results[0][1])
    feed = {"x": x}
    shapes = [shape for shape, _ in p.results]

    def results(ys: Any) -> tuple[np.ndarray, ...]:
        values = tuple(y.reshape(s) for y, s in zip(ys, shapes, strict=True))
        if not isinstance(p, PoolProblem) or not p.indices:
            return values
        # Its indices count from the start of the batch, ours from that of each plane.
        return values[0], values[1] % np.prod(p.input)

    return [Contender("onnxruntime", lambda: session.run(outputs, feed), results, prepacked=bool(constants))]


def _session(
    x: np.ndarray, nodes: list[Any], constants: dict[str, np.ndarray], outputs: list[str], threads: int,
    result: np.dtype,
) -> Any:  # fmt: skip
    element, computed = (helper.np_dtype_to_tensor_dtype(dtype) for dtype in (x.dtype, result))
    results = [
        helper.make_tensor_value_info(name, kind, [None] * x.ndim)
        for name, kind in zip(outputs, (computed, TensorProto.INT64), strict=False)
    ]
    graph = helper.make_graph(
        nodes,
        "fastconv",
        [helper.make_tensor_value_info("x", element, x.shape)],
        results,
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as e:  # its exception types differ between versions
        if "NOT_IMPLEMENTED" in str(e) or "Type Error" in str(e):
            operators = ", ".join(n.op_type for n in nodes)
            raise Unsupported(f"has no kernel for {operators} of {x.dtype} on a CPU") from None
        raise


def _begin_end(pads: Any) -> list[int]:
    """ONNX's order: all beginnings, then all ends."""
    return [lo for lo, _ in pads] + [hi for _, hi in pads]


def _conv(work: Work, p: ConvProblem) -> tuple[np.ndarray, list[Any], dict[str, np.ndarray]]:
    rank = work.rank
    x = plain(work)
    constants = {"w": weights_of(work)}
    names = ["x", "w"]
    if p.bias:
        constants["b"] = work.constants[1]
        names.append("b")
    pads = last(p.pads, rank)
    nodes = []
    if p.mode != "zeros":
        if p.mode not in PAD_MODES:
            raise Unsupported(f"has no padding mode {p.mode!r}")
        constants["pads"] = np.array([0, 0, *(lo for lo, _ in pads), 0, 0, *(hi for _, hi in pads)], np.int64)
        nodes.append(helper.make_node("Pad", ["x", "pads"], ["padded"], mode=PAD_MODES[p.mode]))
        names[0] = "padded"
        pads = ((0, 0),) * rank
    shared: dict[str, Any] = {
        "kernel_shape": list(last(p.kernel, rank)),
        "strides": list(last(p.stride, rank)),
        "dilations": list(last(p.dilation, rank)),
        "pads": _begin_end(pads),
        "group": p.groups,
    }
    if p.direction == "transposed":
        natural = [
            (i - 1) * s - lo - hi + d * (k - 1) + 1
            for i, s, (lo, hi), d, k in zip(*(last(v, rank) for v in (p.input, p.stride, p.pads, p.dilation, p.kernel)),
                                            strict=True)
        ]  # fmt: skip
        extra = [o - n for o, n in zip(last(p.output, rank), natural, strict=True)]
        nodes.append(helper.make_node("ConvTranspose", names, ["y"], output_padding=extra, **shared))
    else:
        if p.dtype.itemsize == 1 and p.bias:
            raise Unsupported("has no bias of ConvInteger")
        nodes.append(helper.make_node("ConvInteger" if p.dtype.itemsize == 1 else "Conv", names, ["y"], **shared))
    return x, nodes, constants


def _pool(work: Work, p: PoolProblem) -> tuple[np.ndarray, list[Any], dict[str, np.ndarray]]:
    rank = work.rank
    x = plain(work)
    k, s, d, pads = (last(v, rank) for v in (p.kernel, p.stride, p.dilation, p.pads))
    floor = [
        (e + lo + hi - dd * (kk - 1) - 1) // ss + 1
        for e, (lo, hi), dd, kk, ss in zip(last(p.input, rank), pads, d, k, s, strict=True)
    ]
    shared: dict[str, Any] = {"kernel_shape": list(k), "strides": list(s), "pads": _begin_end(pads),
                              "ceil_mode": int(floor != list(last(p.output, rank)))}  # fmt: skip
    if p.kind == "max":
        outputs = ["y", "i"] if p.indices else ["y"]
        return x, [helper.make_node("MaxPool", ["x"], outputs, dilations=list(d), **shared)], {}
    if any(v != 1 for v in d):
        raise Unsupported("has no dilated average in this operator set")
    if p.kind == "lp":
        raise Unsupported("its LpPool has no rescaling of partial windows")
    if p.divisor is not None:
        raise Unsupported("has no divisor_override")
    return x, [helper.make_node("AveragePool", ["x"], ["y"], count_include_pad=int(p.include_pad), **shared)], {}


def _gemm(work: Work, p: GemmProblem) -> tuple[np.ndarray, list[Any], dict[str, np.ndarray]]:
    a, b = np.ascontiguousarray(work.canonical), np.ascontiguousarray(work.constants[0])
    c, bias = work.constants[1:]
    if p.dtype.kind == "c":
        raise Unsupported("has no complex numbers")
    if p.batch == 1 and b.shape[0] == 1 and (c is None or bias is None):
        constants = {"b": b[0]}
        names = ["x", "b"]
        addend = bias if bias is not None else None if c is None else np.ascontiguousarray(c[0])
        if addend is None and not p.trans_a and not p.trans_b and p.alpha == 1:
            product = "MatMulInteger" if p.dtype.itemsize == 1 else "MatMul"
            return a[0], [helper.make_node(product, names, ["y"])], constants
        if addend is not None:
            constants["c"] = addend
            names.append("c")
        beta = float(p.beta.real) if c is not None else 1.0
        node = helper.make_node(
            "Gemm", names, ["y"], alpha=float(p.alpha.real), beta=beta, transA=int(p.trans_a), transB=int(p.trans_b)
        )
        return a[0], [node], constants
    if p.trans_a or c is not None or bias is not None or p.alpha != 1:
        raise Unsupported("batched products with more than a and b are not built here")
    return a, [helper.make_node("MatMul", ["x", "b"], ["y"])], {"b": b.swapaxes(1, 2) if p.trans_b else b}
