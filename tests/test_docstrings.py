"""Docstrings of the public functions: each describes its parameters, itself or where it points to, and has an example.

One function of a family has the full docstring.  The others say how they differ: "As `conv2d`, for `input` of shape
(N, C, W)", or "What is not described here is as in `relu`".
"""

from __future__ import annotations

import builtins
import doctest
import importlib
import inspect
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

import fastconv as F
from fastconv import ndimage

pytestmark = pytest.mark.one_isa

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"fastconv.{name}": getattr(F, name) for name in F.__all__ if inspect.isfunction(getattr(F, name))},
    **{f"fastconv.grad.{name}": getattr(F.grad, name) for name in F.grad.__all__},
    **{f"fastconv.filters.{f.__name__}": f for f in (F.filters.apply, *F.filters.FILTERS.values())},
    **{f"fastconv.ndimage.{name}": getattr(ndimage, name) for name in ndimage.__all__},
}
if find_spec("scipy") is not None:
    from fastconv.interop import scipy as under

    doors = {f"fastconv.interop.scipy.{name}": getattr(under, name) for name in under.__all__}
    FUNCTIONS |= {name: function for name, function in doors.items() if inspect.isfunction(function)}
if find_spec("dask") is not None:
    from fastconv.interop import dask as chunked

    FUNCTIONS |= {f"fastconv.interop.dask.{name}": getattr(chunked, name) for name in chunked.__all__}
if find_spec("torch") is not None:
    from fastconv.interop import torch as door

    doors = {f"fastconv.interop.torch.{name}": getattr(door, name) for name in door.__all__}
    FUNCTIONS |= {name: function for name, function in doors.items() if inspect.isfunction(function)}
DEPTH = 2  # a reader follows no longer chain: 1-D average pooling, 2-D average pooling, 2-D max pooling


def described(doc: str) -> set[str]:
    """The names in the section "Parameters" of a docstring."""
    found = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", doc, re.DOTALL | re.MULTILINE)
    entries = re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$", found[1] if found else "", re.MULTILINE)
    return {name.strip(" *") for entry in entries for name in entry.split(",")}


def doc_of(name: str) -> str:
    return inspect.getdoc(FUNCTIONS[name]) or ""


def pointed_to(name: str, words: str = "[Aa]s (?:in )?") -> list[str]:
    """The functions of ours that the docstring of a function names after `words`."""
    names = re.findall(rf"\b{words}`([\w.]+)`", " ".join(doc_of(name).split()))
    own = name.rpartition(".")[0]
    full = [n if n.startswith("fastconv.") else f"{own}.{n}" for n in names]
    return [n for n in full if n in FUNCTIONS]


def reachable(name: str, depth: int) -> set[str]:
    """The parameters that the docstring of a function describes, and those to which it points."""
    return described(doc_of(name)).union(*(reachable(other, depth - 1) for other in pointed_to(name) if depth))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name: str) -> None:
    parameters = set(inspect.signature(FUNCTIONS[name]).parameters)
    assert parameters - reachable(name, DEPTH + name.startswith("fastconv.interop.")) == set()
    assert described(doc_of(name)) - parameters == set()


def exists(name: str, function: Callable[..., Any]) -> bool:
    """Whether a name in the docstring of `function` exists: as a parameter, in this package, or in a library."""
    first, *rest = name.split(".")
    near = [dict(inspect.signature(function).parameters), vars(F), vars(inspect.getmodule(function)), vars(builtins)]
    things = [names[first] for names in near if first in names]
    if not things:
        try:
            things = [importlib.import_module(first)]
        except ModuleNotFoundError:
            return first in ("torch", "scipy")  # optional
    for part in rest:
        things = [getattr(thing, part) for thing in things if hasattr(thing, part)]
    return bool(things)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_docstrings_point_to_exists(name: str) -> None:
    names = re.findall(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)", doc_of(name))
    assert [n for n in names if not exists(n, FUNCTIONS[name])] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_example_that_calls_it(name: str) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    tests = [test for other in (name, *pointed_to(name, "See ")) for test in finder.find(FUNCTIONS[other], other)]
    source = " ".join(example.source for test in tests for example in test.examples)
    assert re.search(rf"\b{name.rpartition('.')[2]}\b", source)


def test_each_family_has_one_full_docstring() -> None:
    assert len(FUNCTIONS) > 130
    doors = ("fastconv.interop.", "fastconv.ndimage.")  # which have the names of others
    ranks = [name for name in FUNCTIONS if re.search("[13]d$", name) and not name.startswith(doors)]
    assert len(ranks) == 32
    for name in ranks:
        assert not described(doc_of(name)) and f"{name[:-2]}2d" in pointed_to(name), name
