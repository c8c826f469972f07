"""`patch`: fastconv's functions in the place of those that scipy.ndimage's own functions call, compiled ones above all.

SciPy's Python functions look their compiled modules' functions up when they call them.  So replacing these also serves
functions that were imported before, with SciPy's own handling of modes, axes and origins.  Before that, `whole` serves
calls of these Python functions themselves whose arguments are ordinary.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import scipy

from fastconv.core.errors import UnsupportedError
from fastconv.dispatch.options import options
from fastconv.interop.scipy import served, whole
from fastconv.interop.scipy.counts import Counts, Report

TESTED = ("1.15", "1.16", "1.17")  # versions of SciPy whose own tests pass under the patch


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A function that is replaced: a compiled one, or one in Python that calls several of these.

    Attributes
    ----------
    module, name : str
        Where it is in scipy.ndimage.
    users : tuple of str
        Modules of scipy.ndimage that call it.
    serve : callable
        See `fastconv.interop.scipy.served`.
    probe : tuple
        Arguments of a small call as SciPy makes it, with None in place of the result.
    returned : int, optional
        Which argument, the result, the function returns; by default it returns nothing.
    """

    module: str
    name: str
    users: tuple[str, ...]
    serve: Callable[..., str | np.ndarray | None]
    probe: tuple[Any, ...]
    returned: int | None = None


FILTERS = ("_filters",)
REFLECT = served.MODES.index("reflect")
LINE = np.arange(9.0) ** 2 % 7
IMAGE = np.arange(30.0).reshape(5, 6) ** 2 % 7
WEIGHTS = np.array([[1.0, 2.0, 4.0], [0.5, 0.0, 3.0]])
FOOTPRINT = WEIGHTS > 0.5
ENTRIES = (
    Entry("_nd_image", "correlate1d", FILTERS, served.correlate1d, (IMAGE, WEIGHTS[0], 1, None, REFLECT, 0.0, -1)),
    Entry("_nd_image", "uniform_filter1d", FILTERS, served.uniform_filter1d, (IMAGE, 3, 0, None, REFLECT, 0.0, 1)),
    Entry(
        "_nd_image", "min_or_max_filter1d", FILTERS, served.min_or_max_filter1d,
        (IMAGE, 3, 1, None, REFLECT, 0.0, 1, 1),
    ),
    Entry("_nd_image", "correlate", FILTERS, served.correlate, (IMAGE, WEIGHTS, None, REFLECT, 0.0, [0, 1])),
    Entry(
        "_nd_image", "min_or_max_filter", FILTERS, served.min_or_max_filter,
        (IMAGE, FOOTPRINT, WEIGHTS, None, REFLECT, 0.0, [-1, 1], 0),
    ),
    Entry("_nd_image", "rank_filter", FILTERS, served.rank_filter, (IMAGE, 1, FOOTPRINT, None, REFLECT, 0.0, [0, 1])),
    Entry(
        "_morphology", "_binary_erosion", (), served.binary_erosion,
        (IMAGE, FOOTPRINT, 2, IMAGE > 1, None, 1, [0, -1], 1, False, (0, 1)), 4,
    ),
    Entry(
        "_rank_filter_1d", "rank_filter", FILTERS, served.rank_filter_of_line, (LINE, 2, 5, None, REFLECT, 0.0, -1)
    ),
)  # fmt: skip


class Replaced(NamedTuple):
    """What was done to one entry."""

    module: Any
    entry: Entry
    original: Callable[..., Any]
    instead: Callable[..., Any]


_lock = threading.RLock()
_counts = {entry: Counts() for entry in ENTRIES}
_depth = 0
_replaced: list[Replaced] = []
_left: dict[str, str] = {}


class Patch:
    """What `patch` returns: leaving its ``with`` block undoes it."""

    def __enter__(self) -> Patch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unpatch()


def patch() -> Patch:
    """Run scipy.ndimage's filters on fastconv, in all threads of this process, from now on or for a ``with`` block.

    Names that were imported before are served, too, and libraries that call SciPy, like scikit-image.  What fastconv
    does not do is left to SciPy, call by call; `report` says why.  Results are those of `fastconv.ndimage`.  Calls
    under way end as they began.  Calls may be nested: the last `unpatch` counts.

    In threads that are not the main one, as those of dask and joblib, a call uses one thread, unless
    `fastconv.options` says otherwise.

    Returns
    -------
    Patch
        Its ``with`` block ends with `unpatch`.

    Raises
    ------
    UnsupportedError
        If this version of SciPy is none of those that were tested, which the error names.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.ndimage import gaussian_filter
    >>> from fastconv.interop.scipy import patch, report
    >>> image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> by_scipy = gaussian_filter(image, 1)
    >>> with patch():
    ...     ours = gaussian_filter(image, 1)
    >>> (ours == by_scipy).all(), report().fallbacks
    (np.True_, 0)
    """
    global _depth
    version = ".".join(scipy.__version__.split(".")[:2])
    if version not in TESTED:
        raise UnsupportedError(
            f"fastconv.interop.scipy was tested with SciPy {', '.join(TESTED)}, not with {scipy.__version__}; "
            f"fastconv.ndimage runs without SciPy"
        )
    with _lock:
        if _depth == 0:
            _replace()
        _depth += 1
    return Patch()


def unpatch() -> None:
    """Undo the last `patch`; without one, do nothing.

    Examples
    --------
    >>> from fastconv.interop.scipy import patch, unpatch
    >>> _ = patch()
    >>> unpatch()
    """
    global _depth
    with _lock:
        if _depth == 0:
            return
        _depth -= 1
        if _depth == 0:
            for module, entry, original, instead in _replaced:
                if getattr(module, entry.name) is instead:  # nobody else has replaced it since
                    setattr(module, entry.name, original)
            _replaced.clear()
            whole.put_back()


def report() -> Report:
    """Calls that were served since the outermost `patch`, and those that SciPy did itself, with reasons.

    Returns
    -------
    Report

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> from fastconv.interop.scipy import patch, report
    >>> with patch():
    ...     _ = ndimage.sobel(np.ones((5, 5), ">f4"))
    >>> report().rows[0].fallbacks
    {'byte order of another machine': 1}
    """
    rows = [counts.row(f"{entry.module}.{entry.name}") for entry, counts in _counts.items()]
    rows += [function.counts.row(name) for name, function in whole.known().items()]
    return Report(scipy.__version__, tuple(rows), dict(_left))


def _replace() -> None:
    for counts in _counts.values():
        counts.clear()
    _left.clear()
    for entry in ENTRIES:
        try:
            module: Any = importlib.import_module(f"scipy.ndimage.{entry.module}")
        except ImportError:
            module = None
        original: Any = getattr(module, entry.name, None)
        why = _why_not(entry, module, original)
        if why is not None:
            _left[f"{entry.module}.{entry.name}"] = why
            continue
        instead = _instead(entry, original, _counts[entry])
        _replaced.append(Replaced(module, entry, original, instead))
    for module, entry, _, instead in _replaced:
        setattr(module, entry.name, instead)
    whole.replace()


def _why_not(entry: Entry, module: Any, original: Any) -> str | None:
    """Why a function is not replaced: one small call is made and compared, as compiled functions show no signature."""
    if original is None:
        return "this SciPy has no such function"
    for user in entry.users:
        if getattr(importlib.import_module(f"scipy.ndimage.{user}"), entry.module, None) is not module:
            return f"scipy.ndimage.{user} does not look it up there"
    results = [np.zeros_like(entry.probe[0]) for _ in range(2)]
    theirs, ours = ([result if a is None else a for a in entry.probe] for result in results)
    try:
        original(*theirs)
        with options(backend="numpy"):  # which has a kernel for everything
            refused = entry.serve(*ours)
    except (TypeError, ValueError, RuntimeError) as e:
        return f"it has another signature: {e}"
    if refused is not None or not np.allclose(results[0], results[1]):
        return "it computes something else"
    return None


def _instead(entry: Entry, original: Callable[..., Any], counts: Counts) -> Callable[..., Any]:
    serve, returned = entry.serve, entry.returned
    count = len(signature(serve).parameters)

    def fastconv_or_scipy(*arguments: Any) -> Any:
        began = perf_counter()
        reason: str | np.ndarray | None
        try:
            reason = serve(*arguments) if len(arguments) == count else "other arguments than were tested"
        except UnsupportedError:
            reason = "no kernel for it under these options"
        except MemoryError:
            reason = "not enough memory for scratch"
        if not isinstance(reason, str):
            counts.served(perf_counter() - began)
            return reason if reason is not None or returned is None else arguments[returned]
        counts.fell_back(reason)
        return original(*arguments)

    return fastconv_or_scipy
