"""The layers of an ONNX model as a suite: each distinct one once, with how often it occurs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from fastconv.bench.suites import Case, Suite
from fastconv.core.errors import missing_extra

Shape = tuple[int, ...]
DTYPES = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}  # of onnx.TensorProto


def suite_of_model(path: str | Path) -> Suite:
    """The convolutions, poolings and products of a model, named after its file.

    Dimensions that the model leaves open are 1.  Nodes of other kinds, and those with settings that fastconv does not
    have, are counted in the suite's description.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Suite

    Raises
    ------
    ValueError
        If the file is no model, or has none of these layers.
    MissingExtraError
        If onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise missing_extra("onnx", "peers", "reading a model") from None
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        model = onnx.load(str(path), load_external_data=False)
        for value in (*model.graph.input, *model.graph.output):
            for d in value.type.tensor_type.shape.dim:
                if not d.HasField("dim_value") or d.dim_value <= 0:
                    d.dim_value = 1
        model = onnx.shape_inference.infer_shapes(model)
    except Exception as e:  # protobuf and onnx raise what they like
        raise ValueError(f"{path} is no ONNX model: {str(e)[:200]}") from None
    shapes, dtype = _shapes(model.graph)
    counts: dict[tuple[Any, ...], int] = {}
    others = 0
    for node in model.graph.node:
        found = _layer(node, shapes, onnx.helper.get_attribute_value)
        if found is None:
            others += 1
            continue
        operation, arrays, kwargs = found
        key = operation, arrays, tuple(sorted(kwargs.items()))
        counts[key] = counts.get(key, 0) + 1
    if not counts:
        raise ValueError(f"{path} has no convolution, pooling or product whose shapes are known")
    cases = tuple(
        Case(_name(operation, arrays, kwargs), operation, arrays, (), dict(kwargs), count, dtype)
        for (operation, arrays, kwargs), count in counts.items()
    )
    total = sum(counts.values())
    about = f"layers of {path.name}: {total} in all, {len(cases)} distinct; {others} nodes of other kinds"
    return Suite(path.stem, about, cases)


def _shapes(graph: Any) -> tuple[dict[str, Shape], str]:
    """Shapes of all values that are known, and the dtype of the weights."""
    found = {i.name: tuple(i.dims) for i in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.name not in found and value.type.tensor_type.HasField("shape"):
            found[value.name] = tuple(d.dim_value if d.HasField("dim_value") else 1 for d in dims)
    for node in graph.node:  # constants
        for a in node.attribute:
            if node.op_type == "Constant" and a.name == "value":
                found[node.output[0]] = tuple(a.t.dims)
    dtypes = [DTYPES[i.data_type] for i in graph.initializer if i.data_type in DTYPES and len(i.dims) > 1]
    return found, max(set(dtypes), key=dtypes.count) if dtypes else "float32"


def _layer(
    node: Any, shapes: Mapping[str, Shape], value: Any
) -> tuple[str, tuple[Shape, ...], dict[str, Any]] | None:
    """The operation of a node, the shapes of its arrays and its other arguments; None for other nodes."""
    arrays = tuple(shapes.get(name, ()) for name in node.input)
    given = {a.name: value(a) for a in node.attribute}
    if not arrays or not all(arrays[:2]) or (given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")):
        return None
    x = arrays[0]
    rank = len(x) - 2
    if node.op_type in ("Conv", "ConvTranspose") and 1 <= rank <= 3:
        transposed = "_transpose" if node.op_type == "ConvTranspose" else ""
        return f"conv{transposed}{rank}d", arrays[:3], _windows(given, rank, "kernel_shape", "output_padding")
    if node.op_type in ("MaxPool", "AveragePool") and 1 <= rank <= 3:
        kind = "max" if node.op_type == "MaxPool" else "avg"
        kwargs = {"kernel_size": tuple(given["kernel_shape"]), **_windows(given, rank, "kernel_shape")}
        kwargs.setdefault("stride", 1)
        if given.get("ceil_mode"):
            kwargs["ceil_mode"] = True
        if kind == "avg":
            kwargs["count_include_pad"] = bool(given.get("count_include_pad", 0))
        return (None if isinstance(kwargs.get("padding"), list) else (f"{kind}_pool{rank}d", arrays[:1], kwargs))
    if node.op_type in ("GlobalAveragePool", "GlobalMaxPool") and 1 <= rank <= 3:
        return f"global_{'avg' if 'Average' in node.op_type else 'max'}_pool", arrays[:1], {}
    if node.op_type == "Gemm" and not given.get("transA"):
        if given.get("transB") and given.get("alpha", 1.0) == given.get("beta", 1.0) == 1.0:
            return "linear", arrays[:3], {}
        return "gemm", arrays[:2], {"trans_b": bool(given.get("transB"))}
    if node.op_type == "MatMul" and len(x) >= 2 and len(arrays[1]) >= 2:
        if len(arrays[1]) == 2:  # a linear layer: rows of all batches are rows of one product
            return "matmul", ((prod(x[:-1]), x[-1]), arrays[1]), {}
        return "matmul", arrays[:2], {}
    return None


def _windows(given: Mapping[str, Any], rank: int, *_: str) -> dict[str, Any]:
    """Stride, padding, dilation and groups of a node, without those that are the default."""
    kwargs: dict[str, Any] = {}
    for theirs, ours in (("strides", "stride"), ("dilations", "dilation"), ("output_padding", "output_padding")):
        values = tuple(given.get(theirs, ()))
        if values and set(values) != {0 if ours == "output_padding" else 1}:
            kwargs[ours] = values
    pads = tuple(given.get("pads", ()))
    if any(pads):
        pairs = tuple(zip(pads[:rank], pads[rank:], strict=True))
        kwargs["padding"] = pads[:rank] if all(lo == hi for lo, hi in pairs) else pairs
    if given.get("group", 1) != 1:
        kwargs["groups"] = given["group"]
    return kwargs


def _name(operation: str, arrays: tuple[Shape, ...], kwargs: Any) -> str:
    def text(value: Any) -> str:
        if isinstance(value, tuple) and len({*value}) == 1:
            return str(value[0])
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    return " ".join([operation, *("x".join(map(str, s)) for s in arrays[:2]), *(f"{k}={text(v)}" for k, v in kwargs)])
