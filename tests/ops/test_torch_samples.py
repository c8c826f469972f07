"""torch's own sample and error inputs (its OpInfo database), run through fastconv.

Values, shapes and dtypes must be torch's, and what torch refuses must be refused, except where docs/semantics.md says
otherwise; those exceptions are listed here.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pytest

import fastconv as F
from tests.wide import WIDE

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")  # which torch.testing._internal needs
ml_dtypes = pytest.importorskip("ml_dtypes")

pytestmark = [
    pytest.mark.one_isa,  # what torch means does not depend on the instruction set
    pytest.mark.filterwarnings("ignore"),  # torch's own, from making the samples
]

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.int64)
TOLERANCE = {"float32": 2e-5, "float64": 1e-10, "float16": 2e-2, "bfloat16": 2e-2, "complex64": 2e-5}
TORCH_SUMS_IN_HALF = {"conv_transpose2d", "conv_transpose3d", "adaptive_avg_pool3d"}
MAX_SAMPLES = 40 if WIDE else 6  # of each dtype: some operations have thousands
APART = 1 if WIDE else 6  # samples are the product of all options: neighbours differ in the last ones only


PARTS = 20  # of the database, which takes seconds to import: tests do, not whoever collects them


@cache
def databases() -> list[Any]:
    """The entries of torch's database that have a function of the same meaning here."""
    from torch.testing._internal.common_methods_invocations import op_db

    plain = {"sigmoid", "tanh", "clamp", "matmul", "softmax", "log_softmax", "flatten"}
    return [
        info for info in op_db if info.name in plain or (short_name(info) != info.name and hasattr(F, short_name(info)))
    ]


def short_name(info: Any) -> str:
    return str(info.name.removeprefix("nn.functional."))


def to_numpy(value: Any, scatter: bool = False) -> Any:
    """Tensors as arrays, optionally with gaps in memory; everything else as it is."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype == torch.bfloat16:
            return value.float().numpy().astype(ml_dtypes.bfloat16)
        array = value.resolve_conj().resolve_neg().numpy()
        return np.repeat(array[..., None], 2, -1)[..., 0] if scatter and array.ndim else array
    if isinstance(value, torch.dtype):
        return np.dtype(str(value).removeprefix("torch."))
    if isinstance(value, (list, tuple)):
        return tuple(to_numpy(v, scatter) for v in value)
    if isinstance(value, dict):
        return {k: to_numpy(v, scatter) for k, v in value.items()}
    return value


def differs_on_purpose(name: str, dtype: Any, sample: Any) -> bool:
    """Rules of docs/semantics.md that go against torch."""
    mixed = {t.dtype for t in (sample.input, *sample.args) if isinstance(t, torch.Tensor)}
    return (
        (name in ("matmul", "linear") and not dtype.is_floating_point and not dtype.is_complex)  # integers widen
        or (name == "clamp" and len(mixed) > 1)  # mixed dtypes promote as NumPy's
        or (dtype in (torch.float16, torch.bfloat16) and name in TORCH_SUMS_IN_HALF)  # ours are rounded once
        or ("dtype" in sample.kwargs and dtype.is_complex)  # a cast that would drop the imaginary part is refused
        or (sample.kwargs.get("padding") == "same" and sample.kwargs.get("stride", 1) != 1)
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_samples(part: int) -> None:
    for info in databases()[part::PARTS]:
        check_samples(info)


def check_samples(info: Any) -> None:
    name = short_name(info)
    function = getattr(F, name)
    compared = 0
    for dtype in DTYPES:
        if dtype not in info.supported_dtypes("cpu"):
            continue
        samples = islice(info.sample_inputs("cpu", dtype, requires_grad=False), 0, MAX_SAMPLES * APART, APART)
        for i, sample in enumerate(samples):
            if differs_on_purpose(name, dtype, sample):
                continue
            want = info(sample.input, *sample.args, **sample.kwargs)
            wanted = want if isinstance(want, (tuple, list)) else (want,)
            args = [to_numpy(a, i % 2 == 1) for a in (sample.input, *sample.args)]
            kwargs = to_numpy(sample.kwargs)
            # Plain sums agree value by value.  Kernels that filter, which the default admits where they are faster, err
            # relative to the largest value: which of them run here depends on the machine.
            for options in ({"tol": 0}, {}) if "conv" in name else ({"tol": 0},):
                with F.options(**options):
                    got = function(*args, **kwargs)
                results = got if isinstance(got, tuple) else (got,)
                for tensor, g in zip(wanted, results, strict=True):
                    w = to_numpy(tensor)
                    assert (g.shape, g.dtype) == (w.shape, w.dtype), f"{name}: {sample}"
                    wide = np.complex128 if w.dtype.kind == "c" else np.float64
                    rtol = atol = TOLERANCE.get(w.dtype.name, 0)
                    g, w = g.astype(wide), w.astype(wide)
                    if not options:
                        atol *= max(1.0, float(np.abs(w[np.isfinite(w)]).max(initial=0)))
                    np.testing.assert_allclose(g, w, rtol=rtol, atol=atol, err_msg=f"{name}: {sample}")
            compared += 1
    assert compared or name in ("linear", "matmul"), name


def test_refusals() -> None:
    refused = 0
    for info in databases():
        function = getattr(F, short_name(info))
        for error in info.error_inputs("cpu") if info.error_inputs_func is not None else ():
            sample = error.sample_input
            if sample.kwargs.get("padding") == "same":
                continue  # works with any stride here
            with pytest.raises((ValueError, TypeError, IndexError)):
                function(*to_numpy((sample.input, *sample.args)), **to_numpy(sample.kwargs))
            refused += 1
    assert refused > 50


def test_the_database_is_not_empty() -> None:
    assert len(databases()) > 60
