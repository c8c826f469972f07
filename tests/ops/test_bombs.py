"""Calls that would take terabytes or hours are refused by arithmetic, before anything is allocated.

They run in a process of their own, with a limit on its memory and on its time: what is not refused fails there.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import fastconv as F
from fastconv.core import machine

LIMIT = 8 << 30
SECONDS = 100  # for all of them, on a busy machine; each takes milliseconds

# Of every call: what it raises, and what the text says.
REFUSED = [
    # Padding, strides and gaps.
    ("F.conv2d(x, w, padding=2**33, dilation=2**33)", "ShapeError", "spread height over 17179869192 positions"),
    ("F.conv2d(x, w, padding=2**30, dilation=2**30)", "ShapeError", "spread height"),
    ("F.conv2d(x, w, padding='same', dilation=2**33)", "ShapeError", "spread height"),
    ("F.conv2d(x, w, padding='same', dilation=2**29)", "ShapeError", "spread height"),
    ("F.conv2d(x, w, padding=2**30, stride=2**30)", "ShapeError", "spread height"),
    ("F.conv2d(x, w, padding=2**20 - 8)", "MemoryError", "a result of shape (1, 1, 2097142, 2097142) would take"),
    ("F.conv2d(x, w, padding=2**62)", "ShapeError", "can be addressed"),
    ("F.conv2d(x, w, padding=2**70)", "ShapeError", "can be addressed"),
    ("F.conv_transpose2d(x, w, stride=2**30, output_padding=2**30 - 1)", "ShapeError", "can be addressed"),
    ("F.conv_transpose2d(x, w, stride=2**17)", "MemoryError", "would take"),
    ("F.conv_transpose2d(x, w, stride=2**40)", "ShapeError", "can be addressed"),
    ("F.conv_transpose2d(x, w, dilation=2**40)", "ShapeError", "can be addressed"),
    ("F.conv_transpose2d(x, w, dilation=2**30, padding=2**30)", "ShapeError", "spread height"),
    ("F.conv_transpose2d(x, w, stride=2**30, padding=2**29 * 7)", "ShapeError", "spread height"),
    ("F.max_pool1d(x[0], 3, 1, 'same', 2**33)", "ShapeError", "must be at most 2147483647"),
    ("F.unfold(x, 3, padding=2**33)", "ShapeError", "can be addressed"),
    ("F.max_unpool2d(x, at, 2, 2**40)", "ShapeError", "can be addressed"),
    ("F.max_unpool2d(x, at, 2, 2**17)", "MemoryError", "would take"),
    # Results larger than memory, of images that take none.
    ("F.relu(view(2**40))", "MemoryError", "a result of shape (1099511627776,) would take 4398046511104 bytes"),
    ("F.softmax(view(2**40), 0)", "MemoryError", "would take"),
    ("F.prelu(view(2**40), np.ones(1, 'f'))", "MemoryError", ""),
    ("F.clamp(view(2**40), 0, 1)", "MemoryError", ""),
    ("F.glu(view(2**40))", "MemoryError", "would take"),
    ("F.cross_entropy(view(2**40, 10), view(2**40, dtype='i8'), reduction='none')", "MemoryError", ""),
    ("F.gemm(view(2**30, 1), view(1, 2**30))", "ShapeError", "can be addressed"),
    ("F.matmul(view(2**25, 2), view(2, 2**25))", "MemoryError", "would take"),
    ("F.linear(view(2**35, 2), np.ones((4, 2), 'f'))", "MemoryError", "would take"),
    ("F.adaptive_avg_pool1d(view(1, 1, 2**40), 2**39)", "MemoryError", "would take"),
    ("F.adaptive_avg_pool2d(x, 2**18)", "MemoryError", "would take"),
    ("F.adaptive_max_pool2d(x, 2**70)", "ShapeError", "can be addressed"),
    ("F.lp_pool2d(view(2**40, 1, 2, 2), 2, 2)", "MemoryError", "would take"),
    ("F.pad(x, (2**40, 2**40))", "MemoryError", "would take"),
    ("F.pad(x, (2**62, 2**62))", "ShapeError", "can be addressed"),
    ("F.pad(x, (2**40, 0, 0, 0), 'replicate')", "MemoryError", "would take"),
    ("F.pad(view(1, 1, 2**40), (2**39, 2**39), 'circular')", "MemoryError", "would take"),
    ("F.unfold(view(1, 1, 2**20, 2**20), 3)", "MemoryError", "would take"),
    ("F.fold(view(1, 1, 1), 2**20, 1, stride=2**20)", "MemoryError", "would take"),
    # Plans, and gradients.
    ("F.plan(F.conv2d, F.Spec((2**40, 3, 224, 224)), np.ones((8, 3, 3, 3), 'f'))", "ShapeError", "can be addressed"),
    ("F.plan(F.conv2d, F.Spec((2**40, 1, 1, 1)), np.ones((1, 1, 1, 1), 'f'))", "MemoryError", "would take"),
    ("F.plan(F.max_pool2d, F.Spec((2**40, 1, 4, 4)), 2)", "MemoryError", "would take"),
    ("F.plan(F.relu, F.Spec((2**40,)))", "MemoryError", "would take"),
    ("F.plan(F.gemm, F.Spec((2**40, 3)), np.ones((3, 4), 'f'))", "MemoryError", "would take"),
    ("F.plan(F.adaptive_avg_pool1d, F.Spec((1, 1, 2**34)), 2**33)", "MemoryError", "would take"),
    ("F.plan(F.avg_pool1d, F.Spec((1, 1, 2**33)), 3, 1, 1)", "MemoryError", "would take"),
    ("F.plan(F.conv1d, F.Spec((1, 1, 2**33)), np.ones((1, 1, 5), 'f'))", "MemoryError", "would take"),
    ("F.grad.conv2d(x, x, w, padding=2**33, dilation=2**33)", "ShapeError", "spread height"),
    ("F.grad.conv2d(view(2**40, 1, 6, 6), view(2**40, 1, 8, 8), w, need=need)", "MemoryError", "would take"),
    ("F.grad.relu(view(2**40), view(2**40))", "MemoryError", ""),
    ("F.grad.avg_pool1d(view(1, 1, 2**39), view(1, 1, 2**40), 2)", "MemoryError", "would take"),
    ("F.grad.unfold(view(1, 9, 2**38), F.Spec((1, 1, 2**19 + 2, 2**19 + 2)), 3)", "MemoryError", "would take"),
    ("F.plan(F.grad.pad, F.Spec((2**40,)), F.Spec((2**40 - 2,)), (1, 1))", "MemoryError", "would take"),
]

# Large in numbers only.
ALLOWED = [
    ("F.conv2d(x, w, stride=2**62).shape", [1, 1, 1, 1]),
    ("F.conv2d(x, w[..., :1, :1], dilation=2**62).shape", [1, 1, 8, 8]),
    ("F.max_pool2d(x, 2**31 - 1, 1, 2**30 - 1).shape", [1, 1, 8, 8]),
    ("F.unfold(x, 3, padding=2**33, dilation=2**33).shape", [1, 9, 64]),
    ("F.plan(F.max_pool1d, F.Spec((1, 1, 2**31)), 2).result_shapes", [[1, 1, 2**30]]),
    ("F.plan(F.adaptive_avg_pool1d, F.Spec((1, 1, 2**28)), 2**27).result_shapes", [[1, 1, 2**27]]),
    ("F.plan(F.adaptive_avg_pool1d, F.Spec((1, 1, 2**40)), 4).result_shapes", [[1, 1, 4]]),
    ("F.plan(F.softmax, F.Spec((2**27, 8)), 0).result_shapes", [[2**27, 8]]),
    ("F.plan(F.gemm, F.Spec((2**27, 8)), np.ones((8, 8), 'f')).result_shapes", [[2**27, 8]]),
    ("F.plan(F.pad, F.Spec((1, 1, 2**24, 4)), (1, 1, 1, 1), 'reflect').result_shapes", [[1, 1, 2**24 + 2, 6]]),
]

CODE = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
import numpy as np, fastconv as F

def view(*shape, dtype="f"):
    return np.broadcast_to(np.ones((), dtype), shape)

x, w, at = np.ones((1, 1, 8, 8), "f"), np.ones((1, 1, 3, 3), "f"), np.zeros((1, 1, 8, 8), np.int64)
need = (True, False, False)
for call in json.loads(sys.stdin.read()):
    try:
        found = "", eval(call)
    except Exception as e:
        found = type(e).__name__, str(e)
    print(json.dumps(found, default=repr), flush=True)
"""


def run(calls: list[str]) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(limit=LIMIT)], input=json.dumps(calls), capture_output=True, text=True,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.one_isa
def test_bombs_are_refused() -> None:
    found = run([call for call, _, _ in REFUSED])
    for (call, error, text), (got, said) in zip(REFUSED, found, strict=True):
        assert got == error and text in said, f"{call}: {got}: {said}"


@pytest.mark.one_isa
def test_what_is_large_in_numbers_only_is_not() -> None:
    for (call, shape), (_, got) in zip(ALLOWED, run([call for call, _ in ALLOWED]), strict=True):
        assert got == shape, f"{call}: {got}"


def test_the_memory_of_this_machine_is_known() -> None:
    assert 1 << 28 < machine.memory() < 1 << 50
    with pytest.raises(MemoryError, match=f"it would take {2**60} bytes; this machine has {machine.memory()}"):
        machine.check_memory(2**60, "it")
    machine.check_memory(1 << 20, "it")


def test_kernels_whose_scratch_is_larger_than_memory_are_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    x, w = np.ones((1, 3, 17, 19), "f"), np.ones((4, 3, 3, 3), "f")
    needs = {c.kernel.name: c.workspace for c in F.plan(F.conv2d, x, w, tol=1.0).explain().candidates if c.workspace}
    monkeypatch.setattr(machine, "memory", lambda: 20_000)
    found = F.plan(F.conv2d, x[:, :, :, :18], w, tol=1.0).explain()
    assert max(needs.values()) > 20_000
    assert all(c.workspace <= 20_000 for c in found.candidates if c.reason is None)
    assert "bytes exceeds the memory of this machine, 20000" in str(found)
