"""Parameters have torch's names: keyword arguments of code written for torch keep working."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.ops import grad

torch = pytest.importorskip("torch")

from fastconv.interop.torch import functional as door  # noqa: E402
from fastconv.interop.torch.operators import op  # noqa: E402

# Deprecated in torch, or internal to it.
IGNORED = {"size_average", "reduce", "_stacklevel"}
# A product has two operands, which are named as in `gemm`.
OTHERWISE = {"matmul"}


def signature_of(name: str) -> list[str]:
    """The parameters of torch's function; those of compiled functions stand at the top of their documentation."""
    function = getattr(torch.nn.functional, f"{name}_with_indices", None)  # max_pool2d itself takes *args, **kwargs
    function = function or getattr(torch.nn.functional, name, None) or getattr(torch, name, None)
    assert function is not None
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:
        found = re.search(rf"{name}\((.*?)\)\s*->", function.__doc__, re.DOTALL)
        assert found is not None
        names = [part.split("=")[0].strip() for part in re.sub(r"\([^)]*\)", "", found[1]).split(",")]
    return [n for n in names if n != "*" and n not in IGNORED]


def shared(module: Any) -> list[str]:
    """Our functions that torch has too."""
    names = getattr(module, "__all__", None) or vars(module)
    ours = {n: getattr(module, n) for n in names if n not in OTHERWISE and not n.startswith("_")}
    return sorted(
        n for n, function in ours.items()
        if inspect.isfunction(function) and function.__module__.startswith("fastconv")
        and callable(getattr(torch.nn.functional, n, getattr(torch, n, None)))
    )  # fmt: skip


def positional(function: Any) -> list[str]:
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize("name", shared(F))
def test_operations_have_the_names_and_the_order_of_torch(name: str) -> None:
    theirs = [n for n in signature_of(name) if n != "out"]
    ours = list(inspect.signature(getattr(F, name)).parameters)
    assert [n for n in ours if n in theirs] == theirs
    assert ours[0] == "input"


@pytest.mark.parametrize("name", shared(grad))
def test_gradients_take_dy_and_then_what_the_operation_takes(name: str) -> None:
    assert positional(getattr(grad, name)) == ["dy", *positional(getattr(F, name))]


@pytest.mark.parametrize("name", shared(door))
def test_the_torch_door_has_the_names_of_torch(name: str) -> None:
    theirs = signature_of(name)
    assert [n for n in positional(getattr(door, name)) if n in theirs] == theirs


def test_all_that_torch_has_was_compared() -> None:
    assert len(shared(F)) > 55 and len(shared(grad)) > 55 and len(shared(door)) > 15


def test_keywords_of_torch_work_and_x_does_not() -> None:
    x, w = np.ones((1, 2, 4, 4), "f"), np.ones((3, 2, 3, 3), "f")
    np.testing.assert_array_equal(F.conv2d(input=x, weight=w), F.conv2d(x, w))
    np.testing.assert_array_equal(F.relu(input=x), x)
    np.testing.assert_array_equal(F.grad.relu(dy=x, input=x), x)
    np.testing.assert_array_equal(F.plan(F.relu, input=x)(input=x), x)
    t = torch.from_numpy(x)
    assert torch.equal(door.max_pool2d(input=t, kernel_size=2), torch.ones(1, 2, 2, 2))
    assert torch.equal(op("linear")(input=t[0], weight=torch.ones(1, 4), bias=None), torch.full((2, 4, 1), 4.0))
    for call in (lambda: F.conv2d(x=x, weight=w), lambda: F.relu(x=x), lambda: F.grad.relu(x, x=x),
                 lambda: F.plan(F.relu, x)(x=x), lambda: door.max_pool2d(x=t, kernel_size=2)):  # fmt: skip
        with pytest.raises(TypeError, match=r"argument.*'(x|input)'"):
            call()
