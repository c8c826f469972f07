"""`out` arrays that share memory, with each other or with themselves: refused; those that only seem to are accepted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import fastconv as F
from fastconv.core.arrays import repeats_itself

X = np.random.default_rng(0).normal(size=(1, 2, 6, 8))
Y, INDEX = F.max_pool2d(X, 2, return_indices=True)


def pooled(values: np.ndarray, index: np.ndarray, x: np.ndarray = X) -> None:
    F.max_pool2d(x, 2, return_indices=True, out=(values, index))


def test_two_results_in_one_place() -> None:
    memory = np.zeros(48)
    for first in (0, 1, 23):
        values, index = memory[:24].reshape(Y.shape), memory[first : first + 24].view(np.int64).reshape(Y.shape)
        with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] share memory; each result needs its own"):
            pooled(values, index)
        assert not memory.any()
    same = np.zeros(Y.shape, np.int64)
    with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] share memory"):
        pooled(same, same, (100 * X).astype(np.int64))
    with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] share memory"):
        F.adaptive_max_pool2d((100 * X).astype(np.int64), (3, 4), True, out=(same, same))


def test_results_that_take_turns() -> None:
    memory = np.zeros((*Y.shape, 2))
    values, index = memory[..., 0], memory[..., 1].view(np.int64)
    pooled(values, index)
    np.testing.assert_array_equal(values, Y)
    np.testing.assert_array_equal(index, INDEX)


@pytest.mark.parametrize("planned", [False, True])
def test_results_that_repeat_themselves(planned: bool) -> None:
    x, w = np.ones((2, 3, 5, 6), "f"), np.ones((4, 3, 1, 1), "f")
    run = F.plan(F.conv2d, x, w) if planned else lambda x, out: F.conv2d(x, w, out=out)
    memory = np.zeros((2, 4, 5, 6), "f")
    for out in (
        as_strided(memory, memory.shape, (0, *memory.strides[1:])),
        as_strided(memory, memory.shape, (*memory.strides[:2], 4, 4)),
        as_strided(memory, memory.shape, (480, 120, 20, 4)),
    ):
        with pytest.raises(ValueError, match="elements of out share memory with each other"):
            run(x, out=out)
        assert not memory.any()
    with pytest.raises(ValueError, match="elements of out share memory with each other"):
        F.relu(np.ones((3, 4)), out=as_strided(np.zeros(6), (3, 4), (8, 8)))


def test_strides_of_any_order_and_sign_do_not_repeat() -> None:
    a = np.zeros((3, 4, 5))
    for b in (a, a.T, a[::-1, :, ::-2], a[:, :1], as_strided(a, (1, 4, 5), (0, 40, 8)), a[:0], np.zeros(())):
        assert not repeats_itself(b)
    y = np.zeros((4, 6, 5, 2), "f").transpose(3, 0, 2, 1)[:, :, ::-1]
    F.conv2d(np.ones((2, 3, 5, 6), "f"), np.ones((4, 3, 1, 1), "f"), out=y)
    assert (y == 3).all()
