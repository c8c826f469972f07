"""The oracle is never chosen, and what torch supports is not refused: on generated calls, on all suites."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.bench.suite import call_of
from fastconv.bench.suites import SUITES
from fastconv.bench.work import is_filter, outline
from fastconv.core.errors import DTypeError
from fastconv.dispatch import plan
from tests.wide import WIDE

from . import contract
from .arrays import dtype_of
from .cases import arguments
from .check import REFUSALS, choosing
from .generate import generate
from .torch_call import TorchCall

PARTS = 5
DTYPES = ("float32", "float64", "float16", "bfloat16", "int8", "int64", "float32")
ORDINARY = ("normal", "constant", "alternating", "bright", "relu", "small_ints")
UNITS = 1e4  # of rounding: torch sums in its own order, halves not always in float32


@pytest.mark.parametrize("part", range(PARTS))
def test_the_oracle_is_not_chosen_for_generated_calls(part: int) -> None:
    for seed in range(10_000 + part, 10_500, PARTS):
        case = generate(seed)
        with choosing() as chooser, np.errstate(all="ignore"):
            try:
                args, kwargs = arguments(case)
                chooser.seen.clear()
                case.function(*args, **kwargs)
            except F.UnsupportedError as e:
                pytest.fail(f"case {seed}: {e}")
            except REFUSALS:
                continue
        for problem, kernel in chooser.seen:
            assert kernel.backend != "reference", f"case {seed}: {problem}"


class Chosen(Exception):
    """Thrown in place of carrying a call out."""


def chosen(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The choice for a call, which is not carried out: large weights would be packed."""
    real = plan.choose

    def stop(problem: Any, options: Any) -> Any:
        raise Chosen(real(problem, options))

    with monkeypatch.context() as m:
        m.setattr(plan, "choose", stop)
        try:
            outline(operation, args, kwargs)
        except Chosen as e:
            return e.args[0]
    raise AssertionError("nothing was chosen")


@pytest.mark.parametrize("suite", SUITES)
def test_the_oracle_is_not_chosen_for_a_suite(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both layouts, with dtypes that take turns: each suite has cases of every family in each of them.

    Filters of SciPy keep their dtype, since they refuse half floats as SciPy does; those of several kernels choose
    nothing themselves.
    """
    dtypes = itertools.cycle(DTYPES)
    for case in SUITES[suite].cases:
        operation, args, kwargs = call_of(case)
        both = "layout" not in kwargs and _has_channels(case.operation)
        turns = [case.dtype] if is_filter(operation) else DTYPES if WIDE else [next(dtypes)]
        tried = itertools.product(("NCHW", "NHWC") if both else ("NCHW",), turns)
        for layout, dtype in tried:
            given = [_as(a, dtype, i in case.indices, layout, i, case) for i, a in enumerate(args)]
            more = {**kwargs, "layout": layout} if layout == "NHWC" else kwargs
            try:
                found = chosen(operation, tuple(given), more, monkeypatch)
            except F.UnsupportedError:
                assert is_filter(operation), case.name
                continue
            except DTypeError:
                assert dtype not in ("float32", "float64")
                continue
            assert found.kernel.backend != "reference", f"{case.name} {layout} {found.problem}"


def _has_channels(operation: str) -> bool:
    return "conv" in operation or "pool" in operation


def _as(value: Any, dtype: str, index: bool, layout: str, i: int, case: Any) -> Any:
    """An argument of another dtype; images with their channels last."""
    if not isinstance(value, F.Spec):
        return value
    shape = value.shape
    image = i == 0 or (case.gradient is not None and i == 1)
    if layout == "NHWC" and image:
        shape = (shape[0], *shape[2:], shape[1])
    return F.Spec(shape, value.dtype if index else dtype_of(dtype))


@pytest.mark.one_isa  # every backend is there under a cap, too
@pytest.mark.parametrize("part", range(PARTS))
def test_what_torch_does_is_not_refused(part: int) -> None:
    pytest.importorskip("torch")
    tried = 0
    for seed in range(50_000 + part, 52_000, PARTS):
        case = generate(seed)
        if case.is_gradient or case.out is not None:
            continue
        try:
            args, kwargs = arguments(case)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch pads a copy for even kernels, and says so
                call = TorchCall(case, args, kwargs)
                theirs = call.arrays(call.prepare()())
        except (RuntimeError, TypeError, ValueError, NotImplementedError, LookupError, OverflowError):
            continue
        if theirs[0].size == 0 or any(a.size == 0 for a in args if a is not None):
            continue  # torch returns images without pixels, which is an error here, and wrong shapes without channels
        tried += 1
        with np.errstate(all="ignore"):
            try:
                ours = case.function(*args, **kwargs)
            except REFUSALS as e:
                if isinstance(e, OverflowError) and theirs[0].dtype.kind in "iu":
                    continue  # torch wraps
                pytest.fail(f"case {seed}, {case}: {type(e).__name__}: {e}")
        _agree(seed, case, args, kwargs, ours if isinstance(ours, tuple) else (ours,), theirs)
    assert tried > 50


def _agree(seed: int, case: Any, args: Any, kwargs: Any, ours: Any, theirs: Any) -> None:
    """Ours against torch's, within rounding, where data are ordinary and in floating point."""
    assert len(ours) == len(theirs), f"case {seed}: {case}"
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape, f"case {seed}: {case}"
    arrays = [a for a in (*case.arrays, *case.options.values()) if hasattr(a, "values") and hasattr(a, "form")]
    if any(a.values.partition(":")[0] not in (*ORDINARY, "below", "places") for a in arrays):
        return
    if any(r.dtype.kind not in "fc" and r.dtype.name != "bfloat16" for r in ours):
        return
    if case.name.startswith("max_unpool") and any(a.values.startswith("below") for a in arrays):
        return  # of values with the same position torch keeps any
    if case.name.startswith("lp_pool") and ours[0].dtype.itemsize == 2:
        return  # torch takes powers in half precision
    results = contract.results_of(case, args, kwargs)
    expected = contract.expect(case, args, kwargs, results)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        text = contract.wrong(b.astype(a.dtype), results[i], expected.scales[i], UNITS, np.dtype(np.float32), True)
        assert text is None, f"case {seed}: torch: {text}: {case}"
