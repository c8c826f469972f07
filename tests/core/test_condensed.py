"""Long axes of which little is read: the same results, and neither a copy nor a table as long as the axis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.problems import condensed
from fastconv.dispatch.plan import clear_cache

LIMIT = 2 << 30

# More than 2^31 samples in one element of memory, and what is read of them.
CALLS = [
    ("F.conv1d(view(t), ones(t, 1, 1, 3), stride=2**29)", [3, 3, 3, 3, 3]),
    ("F.conv1d(view(t), ones(t, 1, 1, 3), dilation=2**30)", [3] * 10),
    ("F.conv1d(view(t), ones(t, 1, 1, 3), stride=2**30, padding=1)", [2, 3, 3]),
    ("F.plan(F.conv1d, view(t), ones(t, 1, 1, 3), stride=2**30)(view(t))", [3, 3, 3]),
    ("F.max_pool1d(view(t), 3, 2**29)", [1, 1, 1, 1, 1]),
    ("F.max_pool1d(view(t), 4, 2**29, padding=2)", [1, 1, 1, 1, 1]),
    ("F.avg_pool1d(view(t), 3, 2**30)", [1, 1, 1]),
    ("F.avg_pool1d(view(t), 4, 2**30, padding=2)", [0.5, 1, 1]),
    ("F.avg_pool1d(view(t), 4, 2**30, padding=2, divisor_override=2)", [1, 2, 2]),
    ("F.lp_pool1d(view(t), 2, 4, 2**30)", [2, 2, 2]),
    ("F.pad(view(t), (-2**30, -2**30))", [1] * 10),
    ("F.pad(view(t), (-2**30, -2**30), 'reflect')", [1] * 10),
    ("F.pad(view(t), (-2**31, 3), 'reflect')", [1] * 13),
    ("F.pad(view(t), (3, -2**31), 'symmetric')", [1] * 13),
    ("F.pad(view(t), (-2**31 - 30, 30), 'replicate')", [1] * 10),
    ("F.pad(view(t), (-2**31, 3), 'circular')", [1] * 13),
    ("F.pad(view(t)[..., None], (0, 1, -2**31, 2))", [1, 0] * 10 + [0] * 4),
    ("F.unfold(view(t)[:, :, None], (1, 2), stride=(1, 2**30))", [1] * 6),
]

CODE = """
import json, resource, sys
import numpy as np, fastconv as F
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))

def view(t):
    return np.lib.stride_tricks.as_strided(np.ones(1, t), (1, 1, 2**31 + 10), (0, 0, 0))

def ones(t, *shape):
    return np.ones(shape, t)

t = sys.argv[1]
for call in json.loads(sys.stdin.read()):
    try:
        found = eval(call).ravel().tolist()
    except Exception as e:
        found = repr(e)
    print(json.dumps(found), flush=True)
"""


@pytest.mark.one_isa
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_views_of_more_samples_than_memory(dtype: str) -> None:
    calls = [(c, y) for c, y in CALLS if dtype != "int8" or not any(n in c for n in ("avg_pool", "lp_pool", "unfold"))]
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(limit=LIMIT), dtype], input=json.dumps([c for c, _ in calls]),
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for (call, wanted), line in zip(calls, done.stdout.splitlines(), strict=True):
        assert json.loads(line) == wanted, call


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every axis is treated as long, and every number of reads as few."""
    monkeypatch.setattr(condensed, "LONG", 1)
    monkeypatch.setattr(condensed, "SPARSITY", 1e-3)
    clear_cache()
    yield
    monkeypatch.undo()
    clear_cache()


RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 3, 9, 11)).astype("f")


def weights(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype("f")


SAME: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (F.conv2d, (weights(4, 3, 3, 2),), {"stride": (2, 5), "padding": (1, 2)}),
    (F.conv2d, (weights(4, 3, 3, 2), np.ones(4, "f")), {"dilation": (3, 4), "activation": "relu"}),
    (F.conv2d, (weights(4, 3, 3, 3),), {"padding": 2, "padding_mode": "reflect", "stride": 2}),
    (F.conv2d, (weights(4, 3, 3, 3),), {"padding": 1, "padding_mode": "circular"}),
    (F.conv2d, (weights(4, 11, 2, 2),), {"layout": "NHWC", "stride": (3, 1)}),
    (F.max_pool2d, (3, 2), {}),
    (F.max_pool2d, (3, 2, 1), {}),
    (F.max_pool2d, (3, 2), {"ceil_mode": True}),
    (F.max_pool2d, ((2, 3), 2), {"return_indices": True}),
    (F.max_pool2d, (2, 2), {"layout": "NHWC"}),
    (F.max_pool2d, (3, 2, 1), {"dilation": (3, 1), "ceil_mode": True}),
    (F.max_pool2d, ((4, 2), (1, 3), (2, 1)), {"dilation": 2}),
    (F.max_pool2d, (3, 2, 1), {"return_indices": True}),
    (F.avg_pool2d, (3, 2, 1), {}),
    (F.avg_pool2d, (4, (3, 2), (2, 1)), {"count_include_pad": False}),
    (F.avg_pool2d, ((5, 3), (3, 2), (2, 1)), {"ceil_mode": True}),
    (F.avg_pool2d, ((5, 3), (3, 2), (2, 1)), {"ceil_mode": True, "divisor_override": 3}),
    (F.avg_pool2d, (3, 3), {"ceil_mode": True}),
    (F.lp_pool2d, (3, (2, 4), 1), {}),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(SAME)))
def test_what_is_read_is_all_that_matters(case: int, eager: None) -> None:
    function, args, kwargs = SAME[case]
    clear_cache()
    for x in (IMAGES, np.broadcast_to(IMAGES[:1, :, ::-1], IMAGES.shape)):
        found = function(x, *args, **kwargs)
        with pytest.MonkeyPatch.context() as plain:
            plain.setattr(condensed, "LONG", 1 << 62)
            clear_cache()
            wanted = function(x, *args, backend="reference", **kwargs)
        clear_cache()
        for y, z in zip(found, wanted, strict=True) if isinstance(found, tuple) else [(found, wanted)]:
            np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)


def test_ordinary_problems_are_left_alone() -> None:
    plan = F.plan(F.conv2d, F.Spec((1, 3, 224, 224)), np.ones((4, 3, 7, 7), "f"), stride=4)
    assert plan.problem.input == (1, 224, 224)  # type: ignore[attr-defined]
    plan = F.plan(F.conv1d, F.Spec((1, 3, 1 << 24)), np.ones((4, 3, 8), "f"), stride=4)
    assert plan.problem.input == (1, 1, 1 << 24)  # type: ignore[attr-defined]
