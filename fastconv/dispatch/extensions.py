"""Kernels from outside: registered by a call, or named by the entry points of installed packages.

`registry` has fastconv's own kernels.  Code that chooses, validates or lists kernels uses this module, which adds those
from outside.  Packages are searched once, when kernels are first needed: `import fastconv` imports none of them.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from fastconv.core.caches import forget
from fastconv.core.kernel import Kernel
from fastconv.dispatch.contract import as_kernel, check
from fastconv.dispatch.registry import algorithm_names, kernels, ops
from fastconv.typing import Backend

if TYPE_CHECKING:
    from fastconv.dispatch.entry_points import Brought

BACKENDS: tuple[str, ...] = tuple(name for name in get_args(Backend) if name != "auto")  # fastconv's own


@dataclass(frozen=True, slots=True)
class Extension:
    """A kernel from outside; `package` is the one whose entry point named it, None if a call registered it."""

    kernel: Kernel[Any]
    package: str | None = None
    version: str | None = None


class _Search(threading.local):
    """Whether this thread is importing packages, which may call fastconv while they are imported."""

    active = False


_extensions: tuple[Extension, ...] = ()  # replaced as a whole, so that readers need no lock
_searched = False
_search = _Search()
_lock = threading.RLock()


def register(kernel: Kernel[Any]) -> None:
    """Add a kernel from outside to those among which fastconv chooses.

    From then on calls may choose it, by its `Kernel.cost` or, if it states none, by times that are measured once;
    ``backend=`` and ``algorithm=`` accept its names, and `Plan.explain`, `compare`, `backends` and ``fastconv tune``
    show it.  Choices and recipes that were kept are dropped; plans stay as they are.

    A package names its kernels in the entry point group ``fastconv.kernels`` instead, and they are found when the first
    kernel is chosen: see docs/extending.md.

    Parameters
    ----------
    kernel : fastconv.core.kernel.Kernel
        An object that implements the contract of that class; its attribute ``op`` is its family.  Its
        backend may be one of fastconv's, other than ``reference``, or a new one.

    Raises
    ------
    TypeError
        If it is no `Kernel`.
    ValueError
        If the family does not exist or has a kernel of that name already, or if attributes or methods are missing or
        wrong; the message names all of them.

    See Also
    --------
    unregister

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> from fastconv.core.kernel import Kernel
    >>> class Maximum(Kernel):
    ...     "ReLU by one call of NumPy."
    ...
    ...     op, backend, algorithm = "elementwise", "mine", "maximum"
    ...
    ...     def reject(self, problem):
    ...         return None if problem.function == "relu" else "does relu only"
    ...
    ...     def cost(self, problem, table):
    ...         return 1e-6 + problem.bytes / table.bandwidth
    ...
    ...     def workspace(self, problem):
    ...         return 0
    ...
    ...     def error(self, problem):
    ...         return 0.0
    ...
    ...     def prepare(self, problem, constants, threads):
    ...         return lambda x, out: np.maximum(x, 0, out=out)
    >>> kernel = Maximum()
    >>> F.register(kernel)
    >>> F.relu(np.array([-1.0, 2.0]), backend="mine")
    array([0., 2.])
    >>> F.unregister(kernel)
    """
    with _lock:
        _add([kernel])
    forget()


def unregister(kernel: Kernel[Any]) -> None:
    """Remove a kernel that `register` or an entry point added.

    Plans that have chosen the kernel keep it.

    Parameters
    ----------
    kernel : fastconv.core.kernel.Kernel
        The kernel, or another one of the same family and name, such as a notebook cell makes that runs again.

    Raises
    ------
    TypeError
        If it is no `Kernel`.
    ValueError
        If no such kernel was registered.

    Examples
    --------
    See `register`.
    """
    global _extensions
    gone = _identity(as_kernel(kernel))
    _look_for_packages()
    with _lock:
        left = tuple(e for e in _extensions if _identity(e.kernel) != gone)
        if len(left) == len(_extensions):
            raise ValueError(f"{kernel.name} was not registered for op {kernel.op!r}")
        _extensions = left
    forget()


def extensions() -> tuple[Extension, ...]:
    """The kernels from outside, in the order of registration."""
    _look_for_packages()
    return _extensions


def all_kernels(op: str) -> tuple[Kernel[Any], ...]:
    """Every kernel of the family `op`, preferred ones first; those from outside precede only the reference."""
    own = kernels(op)
    outside = tuple(e.kernel for e in extensions() if e.kernel.op == op)
    return (*own[:-1], *outside, own[-1]) if outside else own


def all_backends() -> tuple[str, ...]:
    """The names of backends, fastconv's own first."""
    return tuple(dict.fromkeys((*BACKENDS, *(e.kernel.backend for e in extensions()))))


def all_algorithms() -> frozenset[str]:
    """The values of `algorithm`: names of algorithms and of kernels, of any family."""
    return algorithm_names().union(*((e.kernel.algorithm, e.kernel.name) for e in extensions()))


def _identity(kernel: Kernel[Any]) -> tuple[str, str]:
    return kernel.op, kernel.name


def _add(brought: Iterable[Any], package: str | None = None, version: str | None = None) -> None:
    """Register all of `brought` or, if one of them is wrong, none; the caller holds the lock."""
    global _extensions
    extended = _extensions
    for value in brought:
        kernel = as_kernel(value)
        check(kernel, ops())
        own = (k.name for k in kernels(kernel.op))
        if kernel.name in own or _identity(kernel) in (_identity(e.kernel) for e in extended):
            raise ValueError(f"{kernel.op} has a kernel called {kernel.name} already")
        extended = (*extended, Extension(kernel, package, version))
    _extensions = extended


def _look_for_packages() -> None:
    """Register the kernels of installed packages, once; an error in one of them is a warning that names it."""
    if _searched or _search.active:
        return
    # It imports importlib.metadata, which takes longer than `import fastconv` without NumPy.
    from fastconv.dispatch import entry_points

    _search.active = True
    try:
        # Options and `planning` of this call do not apply to packages.  No lock is held: a package may register kernels
        # while another thread imports it, and each would wait for the other.
        complaints = _take(Context().run(entry_points.load))
    finally:
        _search.active = False
    for text in complaints:
        warnings.warn(f"fastconv ignores kernels of {text:.600}", RuntimeWarning, stacklevel=2)


def _take(found: list[Brought]) -> list[str]:
    """Register the kernels that were `found`, unless another thread has done so; returns the errors."""
    global _searched
    complaints = []
    with _lock:
        if _searched:
            return []
        for one in found:
            error, known = one.error, [e.kernel for e in _extensions]
            if error is None:
                try:  # a package may also have registered them by a call
                    _add([k for k in one.kernels if not any(k is other for other in known)], one.package, one.version)
                except Exception as e:
                    error = e
            if error is not None:
                complaints.append(f"{one.package}, {one.where}: {type(error).__name__}: {error}")
        _searched = True
    if found:
        forget()  # choices that packages made while they were imported
    return complaints
