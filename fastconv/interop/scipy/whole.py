"""Functions of scipy.ndimage as a whole: all passes of a filter at once, where SciPy calls one after the other.

A function that was imported before is the object it was, so what it does is changed within it: its code is replaced by
a call of `serve`, with the same parameters, and put back by `unpatch`.  Calls under way keep the code they began with.
Calls whose arguments are not ordinary, or that end with an error, are SciPy's own: its code then runs unchanged, on the
compiled functions that `served` replaces.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from inspect import CO_VARARGS, CO_VARKEYWORDS, Parameter, signature
from time import perf_counter
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

import fastconv.ndimage as ndimage
from fastconv.core.errors import UnsupportedError
from fastconv.interop.scipy.counts import Counts
from fastconv.interop.scipy.served import options_here

MODULES = ("_filters", "_morphology")
# Not those that call functions of the user, nor ranks, which are one call of what `served` replaces.
NAMES = (
    "correlate1d", "convolve1d", "correlate", "convolve", "gaussian_filter1d", "gaussian_filter", "gaussian_laplace",
    "gaussian_gradient_magnitude", "sobel", "prewitt", "laplace", "uniform_filter1d", "uniform_filter",
    "minimum_filter1d", "maximum_filter1d", "minimum_filter", "maximum_filter", "grey_erosion", "grey_dilation",
    "grey_opening", "grey_closing", "white_tophat", "black_tophat", "morphological_gradient", "morphological_laplace",
)  # fmt: skip
COMPILED = ("auto", "cython")  # backends
DTYPES = frozenset("?bBhHiIlLqQfd")
REFUSED = (UnsupportedError, MemoryError, ValueError, TypeError, RuntimeError)  # SciPy then says it in its own words


class Whole(NamedTuple):
    """A function of SciPy that is served as a whole.

    Attributes
    ----------
    function, original : function
        The object that programs call, and one with its own code, for calls that are left to SciPy.
    ours : callable
        Of `fastconv.ndimage`.
    output : int
        Which of the positional arguments it is.
    weights, windows : tuple of int
        Those that are weights; those that are footprints or structures.
    code, instead : code
        SciPy's, and that which calls `serve`.
    counts : Counts
    """

    function: Any
    original: Callable[..., Any]
    ours: Callable[..., np.ndarray]
    output: int
    weights: tuple[int, ...]
    windows: tuple[int, ...]
    code: CodeType
    instead: CodeType
    counts: Counts


_known: dict[str, Whole] = {}


def known() -> dict[str, Whole]:
    """The functions that can be served, by name: found once."""
    if not _known:
        _known.update({name: found for name in NAMES if (found := _found(name)) is not None})
    return _known


def _found(name: str) -> Whole | None:
    """None where SciPy has no such function, or one with other parameters: it is then served by its passes only."""
    function: Any = getattr(importlib.import_module("scipy.ndimage"), name, None)
    homes = [importlib.import_module(f"scipy.ndimage.{module}") for module in MODULES]
    if type(function) is not FunctionType or not any(getattr(home, name, None) is function for home in homes):
        return None
    ours, code = getattr(ndimage, name), function.__code__
    wanted, given = signature(function).parameters, signature(ours).parameters
    if not _are_alike(wanted, given) or code.co_freevars or code.co_flags & CO_VARARGS or code.co_posonlyargcount:
        return None
    original = FunctionType(code, function.__globals__, name, function.__defaults__)
    original.__kwdefaults__ = function.__kwdefaults__
    names = list(wanted)
    weights = tuple(i for i, n in enumerate(names) if n == "weights")
    windows = tuple(i for i, n in enumerate(names) if n in ("footprint", "structure"))
    return Whole(
        function, original, ours, names.index("output"), weights, windows, code, _instead(name, code), Counts()
    )


def _are_alike(wanted: Any, given: Any) -> bool:
    """Whether ours begins with SciPy's parameters, with the same names, kinds and defaults."""

    def of(parameters: Any) -> list[tuple[str, Any, Any]]:
        return [(p.name, p.kind, p.default) for p in parameters.values() if p.kind is not Parameter.VAR_KEYWORD]

    positional = Parameter.POSITIONAL_OR_KEYWORD
    theirs, own = of(wanted), of(given)
    lines = [[p for p in some if p[1] is positional] for some in (theirs, own)]
    return lines[0] == lines[1] and all(p in own for p in theirs)


def _instead(name: str, code: CodeType) -> CodeType:
    """Code with the parameters of `code` that calls `serve`."""
    end = code.co_argcount
    names, only = code.co_varnames[:end], code.co_varnames[end : end + code.co_kwonlyargcount]
    keywords = [f"{n!r}: {n}" for n in only]
    parameters = [*names, *(["*", *only] if only else [])]
    if code.co_flags & CO_VARKEYWORDS:
        rest = code.co_varnames[end + len(only)]
        parameters.append(f"**{rest}")
        keywords.append(f"**{rest}")
    text = (
        f"def {name}({', '.join(parameters)}):\n"
        f"    from fastconv.interop.scipy.whole import serve\n"
        f"    return serve({name!r}, ({', '.join(names)},), {{{', '.join(keywords)}}})\n"
    )
    space: dict[str, Any] = {}
    exec(compile(text, "<fastconv.interop.scipy.patch>", "exec"), space)
    made: CodeType = space[name].__code__
    return made


def replace() -> None:
    """Have all that are known served, and count anew."""
    for whole in known().values():
        whole.counts.clear()
        whole.function.__code__ = whole.instead


def put_back() -> None:
    for whole in known().values():
        if whole.function.__code__ is whole.instead:  # nobody else has replaced it since
            whole.function.__code__ = whole.code


def serve(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a call, by us where its arguments are ordinary."""
    whole = _known[name]
    if _are_ordinary(whole, args):
        began = perf_counter()
        options = options_here()
        if options.backend in COMPILED:
            if options.threads is not None:
                kwargs["threads"] = options.threads
            try:
                result = whole.ours(*args, **kwargs)
            except REFUSED:
                kwargs.pop("threads", None)
            else:
                whole.counts.served(perf_counter() - began)
                return result
    return whole.original(*args, **kwargs)


def _are_ordinary(whole: Whole, args: tuple[Any, ...]) -> bool:
    """Whether arrays are NumPy's own, of numbers that filters take, and the result is none of them."""
    x, output = args[0], args[whole.output]
    if type(x) is not np.ndarray or x.dtype.char not in DTYPES or not x.dtype.isnative or not x.size or not x.ndim:
        return False
    if type(output) is np.ndarray:
        if output.dtype.char not in DTYPES or not output.dtype.isnative or not output.flags.writeable:
            return False
        if output.shape != x.shape or np.may_share_memory(x, output):
            return False
    elif output is not None and not (isinstance(output, type) and np.dtype(output).char in DTYPES):
        return False
    if any(args[i] is not None for i in whole.windows):
        return False  # one call of what `served` replaces
    return all(type(args[i]) is np.ndarray and args[i].dtype.kind == "f" for i in whole.weights)
