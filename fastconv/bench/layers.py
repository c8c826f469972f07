"""Layers of one's own as a suite: read from TOML or CSV."""

from __future__ import annotations

import csv
import inspect
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastconv.bench.suite import operation_called
from fastconv.bench.suites import Case, Suite
from fastconv.core.errors import not_among, shown, whole

# Parameters whose value is a shape.
ARRAYS = ("input", "weight", "weights", "bias", "a", "b", "c", "indices", "target")
INDICES = ("indices", "target")
OWN = ("name", "operation", "count", "dtype")  # of a case; all else are arguments of its operation


def suite_from(path: str | Path) -> Suite:
    """The layers in a file as a suite, named after it.

    A TOML file has a table ``[[layer]]`` for each, a CSV file a line below its headings.  ``operation`` names a
    function of fastconv; ``input``, ``weight``, ``bias`` (``a``, ``b``, ``c`` of `gemm`) are shapes, as
    ``1x64x56x56``; ``count`` says how often the layer occurs, ``dtype`` is float32 by default, and ``name`` is made if
    it is missing.  All others are arguments of the operation: ``stride = 2`` or ``padding = "1x0"``.  Empty cells are
    left out.

    Parameters
    ----------
    path : str or Path
        Ending with ``.toml`` or ``.csv``.

    Returns
    -------
    Suite

    Raises
    ------
    ValueError
        If a layer is none; the message names it.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() not in (".toml", ".csv"):
        raise ValueError(f"layers are read from .toml and .csv files, got {str(path)!r}")
    layers = _toml(path) if path.suffix.lower() == ".toml" else _csv(path)
    if not layers:
        raise ValueError(f"{path} has no layers")
    cases: dict[str, Case] = {}
    for number, layer in enumerate(layers, 1):
        try:
            case = _case(layer)
        except (ValueError, TypeError) as e:
            raise ValueError(f"{path}, layer {number}: {e}") from None
        name = case.name if case.name not in cases else f"{case.name} ({number})"
        cases[name] = replace(case, name=name)
    return Suite(path.stem, f"layers of {path.name}", tuple(cases.values()))


def _toml(path: Path) -> list[Mapping[str, Any]]:
    try:
        layers = tomllib.loads(path.read_text(encoding="utf-8")).get("layer", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: {e}") from None
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise ValueError(f"{path}: a layer must be a table [[layer]], got layer = {shown(layers)}")
    return layers


def _csv(path: Path) -> list[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
    except (csv.Error, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: {e}") from None
    return [{k.strip(): v.strip() for k, v in line.items() if k and v and v.strip()} for line in lines]


def _shape(value: Any) -> tuple[int, ...]:
    try:
        return tuple(map(int, value.split("x")) if isinstance(value, str) else (whole(v, "") for v in value))
    except (ValueError, TypeError):
        raise ValueError(f"a shape must read as 1x64x56x56, got {value!r}") from None


def _count(value: Any) -> int:
    try:
        found = int(value) if isinstance(value, str) else whole(value, "")
    except (ValueError, TypeError):
        found = 0
    if found < 1:
        raise ValueError(f"count must be an int of at least 1, got {value!r}")
    return found


def _argument(value: Any) -> Any:
    """A number, several as 3x2, a word; what TOML has typed stays."""
    if isinstance(value, list):
        return tuple(map(_argument, value))
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for read in (int, float, lambda text: tuple(int(v) for v in text.split("x"))):
        try:
            return read(value)
        except ValueError:
            pass
    return value


def _case(layer: Mapping[str, Any]) -> Case:
    name = layer.get("operation")
    if name is None:
        raise ValueError("operation is missing")
    operation = operation_called(str(name))
    known = tuple(inspect.signature(operation).parameters)
    for key in layer:
        if key not in (*known, *OWN):
            raise ValueError(not_among("keys", key, (*OWN, *known)))
    arrays = [p for p in known if p in ARRAYS and p in layer]
    if arrays != list(known[: len(arrays)]) or not arrays:
        raise ValueError(f"the shapes of {name} must be given from the first on: {', '.join(known[:3])}")
    shapes = tuple(_shape(layer[p]) for p in arrays)
    kwargs = {k: _argument(v) for k, v in layer.items() if k not in (*OWN, *arrays)}
    made = " ".join([str(name), *("x".join(map(str, s)) for s in shapes), *(f"{k}={v}" for k, v in kwargs.items())])
    indices = tuple(i for i, p in enumerate(arrays) if p in INDICES)
    return Case(str(layer.get("name", made)), str(name), shapes, (), kwargs, _count(layer.get("count", 1)),
                str(layer.get("dtype", "float32")), None, indices)  # fmt: skip
