"""Kernels from outside that are registered by hand, or refused because they break the contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.bench import info
from fastconv.core.kernel import Kernel
from fastconv.dispatch.choice import kernel_called
from fastconv.dispatch.extensions import all_backends, all_kernels, extensions
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa

X = np.array([-1.0, 2.0, -3.0], "f")


class Counting(Kernel):  # type: ignore[type-arg]
    """ReLU, and how often it ran."""

    op, backend, algorithm = "elementwise", "mine", "maximum"
    seconds = 0.0

    def __init__(self) -> None:
        self.runs = 0

    def reject(self, problem: Any) -> str | None:
        return None if problem.function == "relu" and problem.dtype == np.float32 else "does relu of float32 only"

    def cost(self, problem: Any, table: Any) -> float:
        return self.seconds

    def workspace(self, problem: Any) -> int:
        return 0

    def error(self, problem: Any) -> float:
        return 0.0

    def prepare(self, problem: Any, constants: Any, threads: int) -> Callable[..., None]:
        def run(x: np.ndarray, out: np.ndarray) -> None:
            self.runs += 1
            np.maximum(x, 0, out=out)

        return run


@pytest.fixture
def registered() -> Iterator[Callable[..., Kernel[Any]]]:
    """Registers kernels until the test ends."""
    done: list[Kernel[Any]] = []

    def register(kernel: Kernel[Any]) -> Kernel[Any]:
        F.register(kernel)
        done.append(kernel)
        return kernel

    yield register
    for kernel in done:
        if kernel in [e.kernel for e in extensions()]:
            F.unregister(kernel)


def test_a_registered_kernel_is_chosen_by_its_cost(registered: Any) -> None:
    F.relu(X)  # chosen, and remembered
    kernel = registered(Counting())
    np.testing.assert_array_equal(F.relu(X), [0, 2, 0])
    assert kernel.runs == 1
    assert F.plan(F.relu, X).kernel == "mine.maximum"
    assert F.plan(F.relu, X.astype("d")).kernel != "mine.maximum"
    F.unregister(kernel)
    F.relu(X)
    assert kernel.runs == 1


def test_an_expensive_one_by_its_names_only(registered: Any) -> None:
    kernel = registered(Counting())
    kernel.seconds = 1e6
    assert F.plan(F.relu, X).kernel != kernel.name
    assert F.plan(F.relu, X, backend="mine").kernel == kernel.name
    for name in ("maximum", "mine.maximum"):
        with F.options(algorithm=name):
            assert F.plan(F.relu, X).kernel == kernel.name
    assert F.plan(F.relu, X).with_kernel("mine.maximum").kernel == kernel.name


def test_explain_and_compare_show_it(registered: Any) -> None:
    registered(Counting())
    explained = F.plan(F.relu, X).explain()
    assert explained.chosen == "mine.maximum"
    assert [c.kernel.name for c in explained.candidates][-2:] == ["mine.maximum", kernels("elementwise")[-1].name]
    assert "does relu of float32 only\n" in str(F.plan(F.tanh, X).explain())
    found = F.compare(F.relu, F.Spec((100,), "f"), peers=(), seconds=0.001, rounds=1)
    (row,) = (r for r in found.rows if r.name == "mine.maximum")
    assert (row.status, row.chosen) == ("ok", True)


def test_its_backend_is_known_while_it_is_registered(registered: Any) -> None:
    own = list(F.backends())
    with pytest.raises(ValueError, match="got 'mine'"):
        F.options(backend="mine")
    kernel = registered(Counting())
    assert list(F.backends()) == list(all_backends()) == [*own, "mine"]
    assert F.backends().usable[-1] == "mine"
    with pytest.raises(ValueError, match=r"one of auto, cython, numba, numpy, reference, mine, got 'cuda'$"):
        F.relu(X, backend="cuda")
    with pytest.raises(F.UnsupportedError, match="conv has no kernels of backend 'mine'"):
        F.conv1d(X[None], np.ones((1, 1, 1), "f"), backend="mine")
    with pytest.raises(F.UnsupportedError, match=r"near matches: .*mine.maximum"):
        F.options(algorithm="mine.maximun")
    F.relu(X, backend="mine")
    F.unregister(kernel)
    assert list(F.backends()) == own
    for call in (lambda: F.relu(X, backend="mine"), lambda: F.options(backend="mine")):
        with pytest.raises(ValueError, match="got 'mine'"):
            call()
    with pytest.raises(F.UnsupportedError, match="no algorithm and of no kernel"):
        F.options(algorithm="maximum")


def test_a_backend_of_ours_may_have_more_kernels(registered: Any) -> None:
    class More(Counting):
        backend = "numpy"

    before = list(F.backends())
    registered(More())
    assert list(F.backends()) == before
    assert F.plan(F.relu, X, backend="numpy").kernel == "numpy.maximum"


def test_plans_outlive_a_kernel(registered: Any) -> None:
    kernel = registered(Counting())
    run = F.plan(F.relu, X)
    F.unregister(kernel)
    run(X)
    assert (run.kernel, kernel.runs) == ("mine.maximum", 1)


def test_one_kernel_may_serve_two_families(registered: Any) -> None:
    class Other(Counting):
        op = "softmax"

    registered(Counting())
    registered(Other())
    assert kernel_called("mine.maximum", "softmax").op == "softmax"
    assert len(all_kernels("softmax")) == len(kernels("softmax")) + 1


def test_a_kernel_that_was_made_again_takes_the_place_of_the_first(registered: Any) -> None:
    registered(Counting())
    again = Counting()
    F.unregister(again)
    registered(again)
    F.relu(X)
    assert again.runs == 1


def test_info_lists_it(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "peak", lambda threads, size: (1e9, "nothing"))
    monkeypatch.setattr(info, "bandwidth", lambda threads: 1e9)
    assert "extension" not in info.text(info.collect())
    registered(Counting())
    found = info.collect()
    json.dumps(found)
    assert "extension  mine.maximum of elementwise, registered by hand\n" in info.text(found)


def changed(**attributes: Any) -> Counting:
    return type("Changed", (Counting,), attributes)()


class Empty(Kernel):  # type: ignore[type-arg]
    pass


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "no kernel": (3, TypeError, r"must be a fastconv.core.kernel.Kernel, got 3 of type int$"),
    "a class": (Counting, TypeError, r"got the class Counting: pass Counting\(\)$"),
    "no backend": (changed(backend=""), ValueError, r"contract of kernels: backend is missing, must be an identifier"),
    "no algorithm": (changed(algorithm=None), ValueError, r"algorithm is missing"),
    "no op": (changed(op=""), ValueError, r"op is missing, must be one of conv, gemm, pool"),
    "unknown op": (changed(op="fft"), ValueError, r"op is 'fft', must be one of conv, gemm, pool"),
    "list as op": (changed(op=["conv"]), ValueError, r"op is \['conv'\]"),
    "odd backend": (changed(backend="my.backend"), ValueError, r"backend is 'my.backend', must be an identifier"),
    "auto": (changed(backend="auto"), ValueError, r"backend='auto' is reserved$"),
    "auto algorithm": (changed(algorithm="auto"), ValueError, r"algorithm='auto' is reserved$"),
    "the oracle's": (changed(backend="reference"), ValueError, r"backend='reference' is reserved$"),
    "relative": (changed(relative="a-b"), ValueError, r"relative is 'a-b', must be letters"),
    "isa": (changed(isa="mmx"), ValueError, r"isa is 'mmx', must be '' or one of avx512"),
    "own name": (changed(name="mine"), ValueError, r"name is made of .* must not be overridden$"),
    "exact": (changed(exact=1), ValueError, r"exact is 1, must be a bool$"),
    "activations": (changed(activations={"relu"}), ValueError, r"activations is \{'relu'\}, must be a frozenset"),
    "unknown activation": (changed(activations=frozenset({"rely"})), ValueError, r"'rely'.*activation= takes$"),
    "revision": (changed(revision="2"), ValueError, r"revision is '2', must be an int$"),
    "arguments": (
        changed(cost=lambda self, problem: 0.0), ValueError, r"cost cannot be called as cost\(problem, table\)$"
    ),
    "features alone": (
        changed(features=lambda self, problem: None, cost=Kernel.cost), ValueError,
        r"features are given without cost, but no table has rates for them: give cost, or neither of both$",
    ),
    "no method": (changed(bound=1.0), ValueError, r"bound cannot be called as bound\(problem\)$"),
    "all at once": (
        Empty(), ValueError,
        r"^Empty breaks the contract of kernels: op is missing.*; backend is missing.*; algorithm is missing.*; "
        r"reject is missing; workspace is missing; error is missing; prepare is missing$",
    ),
    "one of ours": (
        changed(backend="numpy", algorithm="blocks"), ValueError, r"kernel called numpy\.blocks already"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_the_contract_is_refused(name: str) -> None:
    kernel, error, text = REFUSED[name]
    with pytest.raises(error, match=text) as caught:
        F.register(kernel)
    assert "\n" not in str(caught.value)
    assert extensions() == ()


def test_a_name_is_registered_once(registered: Any) -> None:
    kernel = registered(Counting())
    for again in (kernel, Counting()):
        with pytest.raises(ValueError, match=r"elementwise has a kernel called mine.maximum already"):
            F.register(again)


def test_only_what_was_registered_is_unregistered() -> None:
    with pytest.raises(ValueError, match=r"mine.maximum was not registered for op 'elementwise'"):
        F.unregister(Counting())
    with pytest.raises(ValueError, match=r"numpy.blocks was not registered for op ''"):
        F.unregister(kernel_called("numpy.blocks", "elementwise"))
    with pytest.raises(TypeError, match=r"must be a fastconv.core.kernel.Kernel, got None"):
        F.unregister(None)  # type: ignore[arg-type]
