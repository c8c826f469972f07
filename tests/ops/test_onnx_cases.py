"""The node tests that ship with the onnx package, for every operator that has a counterpart here.

Models of one node with inputs and expected outputs: another project's opinion of the same operations.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastconv as F

onnx = pytest.importorskip("onnx")

Attributes = dict[str, Any]


def pairs(a: Attributes, rank: int) -> Any:
    """ONNX's pads or auto_pad as fastconv's padding."""
    named = {b"SAME_UPPER": "same_upper", b"SAME_LOWER": "same_lower", b"VALID": "valid"}
    if a.get("auto_pad", b"NOTSET") in named:
        return named[a["auto_pad"]]
    flat = a.get("pads", [0] * 2 * rank)
    return [(flat[i], flat[i + rank]) for i in range(rank)]


def conv(a: Attributes, x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    rank = x.ndim - 2
    return getattr(F, f"conv{rank}d")(
        x, w, b, stride=a.get("strides", 1), padding=pairs(a, rank), dilation=a.get("dilations", 1),
        groups=a.get("group", 1),
    )  # fmt: skip


def conv_transpose(a: Attributes, x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    rank = x.ndim - 2
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    extra = list(a.get("output_padding", [0] * rank))
    padding = pairs({**a, "auto_pad": b"NOTSET"}, rank)
    wanted = a.get("output_shape")
    if wanted is None and a.get("auto_pad", b"").startswith(b"SAME"):
        wanted = [e * s for e, s in zip(x.shape[2:], strides, strict=True)]
    if wanted is not None:
        sizes = zip(x.shape[2:], strides, dilations, w.shape[2:], wanted[-rank:], strict=True)
        for i, (e, s, d, k, o) in enumerate(sizes):
            total = s * (e - 1) + extra[i] + (k - 1) * d + 1 - o
            lo = total // 2 if a.get("auto_pad") == b"SAME_UPPER" else total - total // 2
            padding[i] = (max(lo, 0), max(total - lo, 0))
            extra[i] += max(-total, 0)
    return getattr(F, f"conv_transpose{rank}d")(
        x, w, b, stride=strides, padding=padding, output_padding=extra, groups=a.get("group", 1), dilation=dilations
    )


def gemm(a: Attributes, x: np.ndarray, y: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    return F.gemm(
        x, y, c, alpha=a.get("alpha", 1.0), beta=a.get("beta", 1.0), trans_a=bool(a.get("transA", 0)),
        trans_b=bool(a.get("transB", 0)),
    )  # fmt: skip


def pool(kind: str) -> Callable[..., Any]:
    def run(a: Attributes, x: np.ndarray) -> Any:
        rank = x.ndim - 2
        kwargs: dict[str, Any] = {"ceil_mode": bool(a.get("ceil_mode", 0)), "dilation": a.get("dilations", 1)}
        if kind == "avg":
            kwargs["count_include_pad"] = bool(a.get("count_include_pad", 0))
        first = (a.get("p", 2),) if kind == "lp" else ()
        if kind == "lp":  # ONNX takes magnitudes; torch, and so fastconv, raises x itself to the power
            x = np.abs(x)
        return getattr(F, f"{kind}_pool{rank}d")(
            x, *first, a["kernel_shape"], a.get("strides", 1), padding=pairs(a, rank), **kwargs
        )

    return run


def pad(a: Attributes, x: np.ndarray, amounts: np.ndarray, value: Any = None, axes: Any = None) -> np.ndarray:
    mode = {b"constant": "constant", b"reflect": "reflect", b"edge": "replicate", b"wrap": "circular"}[
        a.get("mode", b"constant")
    ]
    both = [(0, 0)] * x.ndim
    chosen = range(x.ndim) if axes is None else [int(i) % x.ndim for i in axes]
    for i, axis in enumerate(chosen):
        both[axis] = (int(amounts[i]), int(amounts[i + len(amounts) // 2]))
    flat = [n for pair in reversed(both) for n in pair]
    while mode != "constant" and flat[-2:] == [0, 0]:
        flat = flat[:-2]
    fill = None if value is None or mode != "constant" else value.item()
    return F.pad(x, flat, mode, fill)


def loss(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(a: Attributes, x: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> Any:
        return function(
            x, target, weight, ignore_index=a.get("ignore_index", -100), reduction=a.get("reduction", b"mean").decode()
        )

    return run


def unary(function: Callable[..., Any], **defaults: float) -> Callable[..., Any]:
    return lambda a, x: function(x, *(a.get(name, value) for name, value in defaults.items()))


OPERATORS: dict[str, Callable[..., Any]] = {
    "AveragePool": pool("avg"),
    "Celu": unary(F.celu, alpha=1.0),
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Elu": unary(F.elu, alpha=1.0),
    "Gelu": lambda a, x: F.gelu(x, a.get("approximate", b"none").decode()),
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: F.global_avg_pool(x),
    "GlobalMaxPool": lambda a, x: F.global_max_pool(x),
    "HardSwish": unary(F.hardswish),
    "LeakyRelu": unary(F.leaky_relu, alpha=0.01),
    "LogSoftmax": lambda a, x: F.log_softmax(x, a.get("axis", -1)),
    "LpPool": pool("lp"),
    "MatMul": lambda a, x, y: F.matmul(x, y),
    "MaxPool": pool("max"),
    "Mish": unary(F.mish),
    "NegativeLogLikelihoodLoss": loss(F.nll_loss),
    "Pad": pad,
    "Relu": unary(F.relu),
    "Sigmoid": unary(F.sigmoid),
    "Softmax": lambda a, x: F.softmax(x, a.get("axis", -1)),
    "SoftmaxCrossEntropyLoss": loss(F.cross_entropy),
    "Softplus": unary(F.softplus),
    "Softsign": unary(F.softsign),
    "Tanh": unary(F.tanh),
}


def cases() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reference implementations that make the data
        from onnx.backend.test.case.node import collect_testcases

        for case in collect_testcases(None):
            nodes = [] if case.model is None else case.model.graph.node
            if len(nodes) == 1 and nodes[0].op_type in OPERATORS and len(nodes[0].output) == 1:
                yield case


def check(case: Any) -> None:
    node = case.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for inputs, outputs in case.data_sets:
        given = iter(inputs)
        arrays = [next(given) if name else None for name in node.input]
        got = OPERATORS[node.op_type](attributes, *arrays)
        want = outputs[0]
        assert got.shape == want.shape
        np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=1e-3, atol=1e-5)


def test_nodes() -> None:
    """All in one test: making them takes seconds, which every process that collects tests would spend."""
    names, failures = [], {}
    for case in cases():
        names.append(case.name)
        try:
            check(case)
        except Exception as e:
            failures[case.name] = f"{type(e).__name__}: {e}"
    assert not failures
    assert len(names) > 150
    assert any("convtranspose" in n for n in names) and any("maxpool" in n for n in names)
