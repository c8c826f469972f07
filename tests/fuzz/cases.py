"""A case: one call of one public function, described well enough to be made again, shrunk and printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

import numpy as np

import fastconv as F
from fastconv.dispatch.plan import planning

from .arrays import Array, build

FOLDERS = {"": "fastconv", "grad": "fastconv.ops.grad", "filters": "fastconv.filters"}
OUTS = ("plain", "strided", "overlap")


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    call : str
        Name in `fastconv`: ``conv2d``, ``grad.conv2d``, ``filters.blur``.
    arrays : tuple of Array or None
        The leading arguments.
    options : dict
        The others, by name.  An `Array` stands for one.
    out : str or None
        Where the result goes: an array of its own, or for ``out=``: ``plain`` and ``strided`` between canaries,
        ``overlap`` in the memory of the first array.
    """

    call: str
    arrays: tuple[Array | None, ...]
    options: dict[str, Any] = field(default_factory=dict)
    out: str | None = None

    @property
    def function(self) -> Callable[..., Any]:
        folder, _, name = self.call.rpartition(".")
        return getattr(import_module(FOLDERS[folder]), name)

    @property
    def name(self) -> str:
        """Without ``grad.``."""
        return self.call.rpartition(".")[2]

    @property
    def is_gradient(self) -> bool:
        return self.call.startswith("grad.")

    def __repr__(self) -> str:
        words = [repr(self.call), repr(self.arrays)]
        if self.options or self.out:
            words.append(repr(self.options))
        if self.out:
            words.append(repr(self.out))
        return f"Case({', '.join(words)})"


def arguments(case: Case) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arrays and keyword arguments of the call, new ones each time."""
    resolved = with_shapes(case)
    args = tuple(None if a is None else build(a, ()) for a in resolved.arrays)
    return args, {k: build(v, ()) if isinstance(v, Array) else v for k, v in resolved.options.items()}


def with_shapes(case: Case) -> Case:
    """The same case, with the shape of the forward result where an array has none of its own."""
    if not any(a is not None and a.shape is None for a in case.arrays):
        return case
    forward = Case(case.name, case.arrays[1:], {k: v for k, v in case.options.items() if k not in ("need", "indices")})
    shape = result_shape(forward)
    arrays = tuple(replace(a, shape=shape) if a is not None and a.shape is None else a for a in case.arrays)
    options = {k: replace(v, shape=shape) if isinstance(v, Array) and v.shape is None else v
               for k, v in case.options.items()}  # fmt: skip
    return replace(case, arrays=arrays, options=options)


def result_shape(case: Case) -> tuple[int, ...]:
    """Shape of the (first) result of a call, which is not carried out where a plan knows it."""
    args, kwargs = arguments(case)
    with planning():
        result = case.function(*args, **kwargs)
    return tuple(result.result_shapes[0]) if isinstance(result, F.Plan) else np.shape(result)


def snippet(case: Case) -> str:
    """A program that makes the call."""
    case = with_shapes(case)
    names = [f"a{i}" for i in range(len(case.arrays))]
    lines = ["import fastconv as F", "import fastconv.filters"] if case.call.startswith("filters") else []
    lines = lines or ["import fastconv as F"]
    lines += ["from tests.fuzz import array", ""]
    lines += [f"{n} = {_made(a)}" for n, a in zip(names, case.arrays, strict=True)]
    given = [*names, *(f"{k}={_made(v)}" for k, v in case.options.items())]
    if case.out:
        lines.append(f"# out: {case.out}")
    return "\n".join([*lines, f"y = F.{case.call}({', '.join(given)})"])


def _made(value: Any) -> str:
    return repr(value).replace("Array(", "array(", 1) if isinstance(value, Array) else repr(value)
