"""The contract of `core.kernel`, checked for a kernel from outside when it is registered.

Tests check it for fastconv's own kernels.  A kernel from outside is checked here, once: names, options and arguments
of its methods, but not what they return, because that needs a problem.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator
from typing import Any

from fastconv.core.errors import shown
from fastconv.core.kernel import Kernel
from fastconv.core.machine import ISAS
from fastconv.core.problems.activation import FUSED

REQUIRED = ("reject", "workspace", "error", "prepare")
ARGUMENTS = {
    name: tuple(inspect.signature(method).parameters)[1:]
    for name, method in vars(Kernel).items()
    if inspect.isfunction(method) and not name.startswith("_")
}
"""The arguments of every method of the contract, without `self`."""

RESERVED = {("backend", "auto"), ("algorithm", "auto"), ("backend", "reference")}  # the choice, and the oracle


def as_kernel(value: Any) -> Kernel[Any]:
    """`value`, which must be a kernel.

    Raises
    ------
    TypeError
        If it is something else, or the class of a kernel.
    """
    if isinstance(value, Kernel):
        return value
    if isinstance(value, type) and issubclass(value, Kernel):
        raise TypeError(f"a kernel is an object, got the class {value.__name__}: pass {value.__name__}()")
    kind = type(value).__name__
    raise TypeError(f"a kernel must be a fastconv.core.kernel.Kernel, got {shown(value)} of type {kind}")


def check(kernel: Kernel[Any], ops: Collection[str]) -> None:
    """ValueError that names everything that is missing or wrong in `kernel`; `ops` are the families of operations."""
    found = [*_wrong_names(kernel, ops), *_wrong_options(kernel), *_wrong_methods(kernel)]
    if found:
        raise ValueError(f"{type(kernel).__name__} breaks the contract of kernels: {'; '.join(found)}")


def _wrong_names(kernel: Kernel[Any], ops: Collection[str]) -> Iterator[str]:
    if not isinstance(kernel.op, str) or kernel.op not in ops:
        yield f"{_state('op', kernel.op)}, must be one of {', '.join(ops)}"
    for part in ("backend", "algorithm"):
        value = getattr(kernel, part)
        if not isinstance(value, str) or not value.isidentifier():
            yield f"{_state(part, value)}, must be an identifier such as 'mine'"
        elif (part, value) in RESERVED:
            yield f"{part}={value!r} is reserved"
    if not isinstance(kernel.relative, str) or not f"_{kernel.relative}".isidentifier():
        yield f"{_state('relative', kernel.relative)}, must be letters, digits and underscores"
    if not isinstance(kernel.isa, str) or kernel.isa not in ("", *ISAS):
        yield f"{_state('isa', kernel.isa)}, must be '' or one of {', '.join(ISAS)}"
    if type(kernel).name is not Kernel.name:
        yield "name is made of backend, algorithm, relative and isa, and must not be overridden"


def _wrong_options(kernel: Kernel[Any]) -> Iterator[str]:
    if not isinstance(kernel.exact, bool):
        yield f"{_state('exact', kernel.exact)}, must be a bool"
    if not isinstance(kernel.activations, frozenset) or not kernel.activations <= frozenset(FUSED):
        yield f"{_state('activations', kernel.activations)}, must be a frozenset of names that activation= takes"
    if not isinstance(kernel.revision, int) or isinstance(kernel.revision, bool):
        yield f"{_state('revision', kernel.revision)}, must be an int"


def _wrong_methods(kernel: Kernel[Any]) -> Iterator[str]:
    if type(kernel).features is not Kernel.features and type(kernel).cost is Kernel.cost:
        yield "features are given without cost, but no table has rates for them: give cost, or neither of both"
    for name, arguments in ARGUMENTS.items():
        method = getattr(kernel, name)
        if name in REQUIRED and getattr(method, "__func__", None) is getattr(Kernel, name):
            yield f"{name} is missing"
        elif not _takes(method, arguments):
            yield f"{name} cannot be called as {name}({', '.join(arguments)})"


def _takes(method: Any, arguments: tuple[str, ...]) -> bool:
    """Whether `method` can be called with this many arguments; True for compiled methods without a signature."""
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return callable(method)
    return True


def _state(name: str, value: Any) -> str:
    return f"{name} is missing" if value is None or value == "" else f"{name} is {shown(value)}"
