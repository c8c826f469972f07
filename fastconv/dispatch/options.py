"""Options of a call: its keyword arguments, and those of the surrounding `options(...)` blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

from fastconv.core import threads as _threads
from fastconv.core.caches import keep_few
from fastconv.core.errors import UnsupportedError, not_among, shown, warn, whole
from fastconv.core.problems.base import as_number
from fastconv.dispatch.extensions import BACKENDS, all_algorithms, all_backends
from fastconv.typing import Backend

F = TypeVar("F", bound=Callable[..., Any])
CLOSE = 6  # names to suggest
DEFAULT_TOL = 4e-6  # of sums in float32; for float64 it is as many units in the last place


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How an operation may run; part of the key of a recipe.

    Equal options are one object, made by `_options`, because every call hashes and compares them.
    """

    backend: str = "auto"
    algorithm: str = "auto"
    threads: int | None = None
    tol: float | None = None
    max_workspace: int | None = None

    def thread_count(self) -> int:
        return self.threads if self.threads is not None else _threads.default()

    def of_another(self) -> Options:
        """These options for another operation, in which the algorithm of this one does not exist."""
        return _options(self.backend, "auto", self.threads, self.tol, self.max_workspace)


@lru_cache(maxsize=512)
def _options(*values: Any) -> Options:
    return Options(*values)


_DEFAULT = _options(*astuple(Options()))
_current: ContextVar[Options] = ContextVar("fastconv_options", default=_DEFAULT)
_outer: ContextVar[tuple[Options, ...]] = ContextVar("fastconv_outer_options", default=())  # of the blocks around


def _check(name: str, value: Any) -> Any:
    if name == "backend":
        if not isinstance(value, str) or (value not in ("auto", *BACKENDS) and value not in all_backends()):
            raise ValueError(not_among("backend", value, ("auto", *all_backends())))
    elif name == "algorithm":
        if not isinstance(value, str):
            raise TypeError(f"algorithm must be a str, got {shown(value)}")
        if value != "auto" and value not in all_algorithms():
            close = get_close_matches(value, all_algorithms(), CLOSE)
            names = f"near matches: {', '.join(close)}" if close else "plan(...).explain() shows those of an operation"
            raise UnsupportedError(f"algorithm {shown(value)} is the name of no algorithm and of no kernel; {names}")
    elif name == "threads":
        return _threads.as_count(value)
    elif name == "tol":
        tol = as_number(value, "tol")
        if not tol >= 0:
            raise ValueError(f"tol must be a number of at least 0, got {shown(value)}")
        return tol
    elif name == "max_workspace":
        limit = whole(value, "max_workspace must be an int (bytes) or None")
        if limit < 0:
            raise ValueError(f"max_workspace must be at least 0 bytes, got {shown(limit)}")
        return limit
    return value


def _merge(base: Options, given: dict[str, Any]) -> Options:
    checked = {name: _check(name, value) for name, value in given.items() if value is not None}
    return _options(
        checked.get("backend", base.backend),
        checked.get("algorithm", base.algorithm),
        checked.get("threads", base.threads),
        checked.get("tol", base.tol),
        checked.get("max_workspace", base.max_workspace),
    )


def resolve(
    backend: str | None = None,
    algorithm: str | None = None,
    threads: int | None = None,
    tol: float | None = None,
    max_workspace: int | None = None,
) -> Options:
    """The options of one call: its keywords, and the surrounding `options` for those that are None."""
    base = _current.get()
    if backend is None and algorithm is None and threads is None and tol is None and max_workspace is None:
        return base
    try:  # `suppress` takes longer than all else here
        return _resolved(base, backend, algorithm, threads, tol, max_workspace)
    except (TypeError, ValueError):  # one cannot be hashed, or is wrong: the check below raises our own error
        pass
    return _resolve(base, backend, algorithm, threads, tol, max_workspace)


def _resolve(base: Options, backend: Any, algorithm: Any, threads: Any, tol: Any, max_workspace: Any) -> Options:
    return _merge(
        base,
        {"backend": backend, "algorithm": algorithm, "threads": threads, "tol": tol, "max_workspace": max_workspace},
    )


_resolved = keep_few(typed=True)(_resolve)  # names of kernels may go: `fastconv.unregister`


@contextmanager
def exactly(values: tuple[Any, ...]) -> Iterator[None]:
    """Exactly these options, whatever blocks surround the call: for a plan that was made elsewhere."""
    token = _current.set(_options(*values))
    try:
        yield
    finally:
        _current.reset(token)


def set_options(
    *,
    backend: Backend | None = None,
    algorithm: str | None = None,
    threads: int | None = None,
    tol: float | None = None,
    max_workspace: int | None = None,
) -> None:
    """Set options for every fastconv call from here on.

    As those of `options`, they are context-local: in a thread that starts later they do not hold, and inside a block of
    `options` they hold until its end.  A keyword left as None keeps its value.

    Parameters
    ----------
    backend, algorithm, threads, tol, max_workspace
        As in `options`; ``"auto"`` lets fastconv choose again.

    See Also
    --------
    options

    Examples
    --------
    >>> import fastconv, numpy as np
    >>> fastconv.set_options(backend="numpy")
    >>> fastconv.plan(fastconv.relu, np.ones(3)).kernel
    'numpy.blocks'
    >>> fastconv.set_options(backend="auto")
    """
    _current.set(_resolve(_current.get(), backend, algorithm, threads, tol, max_workspace))


class options(ContextDecorator):
    """Set options for every fastconv call inside a ``with`` block.

    Context-local: other threads and other asyncio tasks do not see them.  Blocks nest; a keyword
    left as None keeps its outer value, and a keyword of the call itself takes precedence.  One object may be used
    again, in several threads and inside itself, and may decorate functions.

    Parameters
    ----------
    backend : {"auto", "cython", "numba", "numpy", "reference"}
        Or one that came with a kernel from outside: see `fastconv.register`.
    algorithm : str
        ``"auto"``, ``"direct"``, ``"im2col"``, ``"pointwise"``, ``"depthwise"``, ..., or the full name of a kernel as
        `Plan.explain` shows it: ``"cython.direct@avx2"``.
    threads : int
        Threads per call, from 1 to 1024.
    tol : float
        Largest admitted error: expected, relative to max|y|, on independent data of zero mean; 0 admits plain summation
        only.  By default 4e-6, for float64 7.5e-15.  The bound in `explain` holds on all data.
    max_workspace : int
        Bytes of scratch that all threads of a call may use in total, in addition to inputs, outputs and packed weights;
        temporary arrays and tables of indices count.  A limit first reduces the number of threads, and then excludes
        kernels.  By default there is none: kernels need a few MiB a thread.

    Examples
    --------
    >>> import fastconv, numpy as np
    >>> with fastconv.options(backend="numpy", threads=1):
    ...     y = fastconv.conv1d(np.ones((1, 1, 4)), np.ones((1, 1, 2)))
    >>> y
    array([[[2., 2., 2.]]])
    """

    _used = True  # until all arguments are known to be right

    def __init__(
        self,
        *,
        backend: Backend | None = None,
        algorithm: str | None = None,
        threads: int | None = None,
        tol: float | None = None,
        max_workspace: int | None = None,
    ) -> None:
        self._given: dict[str, Any] = {
            "backend": backend, "algorithm": algorithm, "threads": threads, "tol": tol, "max_workspace": max_workspace,
        }  # fmt: skip
        _merge(_DEFAULT, self._given)  # errors are raised here, not when the block is entered
        self._used = False

    def __call__(self, function: F) -> F:
        self._used = True
        return super().__call__(function)

    def __del__(self) -> None:
        if not self._used and not sys.is_finalizing():
            given = ", ".join(f"{name}={shown(value)}" for name, value in self._given.items() if value is not None)
            warn(f"options({given}) had no effect: it holds inside a block, `with fastconv.options({given}):`; "
                 f"`fastconv.set_options({given})` holds from there on")  # fmt: skip

    def __enter__(self) -> Options:
        self._used = True
        outer = _current.get()
        merged = _merge(outer, self._given)
        _outer.set((*_outer.get(), outer))
        _current.set(merged)
        return merged

    def __exit__(self, *error: object) -> None:
        self._used = True
        if not _outer.get():
            raise RuntimeError("options were left that had not been entered: use them in a with statement")
        *rest, outer = _outer.get()
        _outer.set(tuple(rest))
        _current.set(outer)
