"""The problems that public functions give to kernels, with their arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from fastconv.core.kernel import Kernel
from fastconv.dispatch.choice import _chosen
from fastconv.dispatch.plan import Recipe
from fastconv.dispatch.registry import kernels
from fastconv.dispatch.survey import fusable


class Request(NamedTuple):
    """One problem for kernels, and its arrays."""

    recipe: Recipe
    x: np.ndarray
    constants: tuple[Any, ...]

    @property
    def problem(self) -> Any:
        return self.recipe.problem

    def kernels(self) -> tuple[Kernel[Any], ...]:
        """The kernels of its family, the oracle last."""
        return kernels(self.problem.op)

    def rejects(self, kernel: Kernel[Any]) -> str | None:
        """Why `kernel` cannot do it."""
        return kernel.reject(fusable(kernel, self.problem)[0])

    def bound(self, kernel: Kernel[Any], threads: int) -> Callable[[], tuple[np.ndarray, ...]]:
        """A function that runs `kernel`, prepared once; for any number of calls, also at the same time."""
        recipe = self.recipe.with_choice(_chosen(kernel, self.problem, self.recipe.options, threads))
        run = recipe.bind(self.constants)

        def results() -> tuple[np.ndarray, ...]:
            found = recipe.execute(run, self.x, None, self.constants)
            return found if isinstance(found, tuple) else (found,)

        return results

    def run(self, kernel: Kernel[Any], threads: int = 2) -> tuple[np.ndarray, ...]:
        """The results of `kernel`."""
        return self.bound(kernel, threads)()


@contextmanager
def recorded() -> Iterator[list[Request]]:
    """Record every problem that is given to kernels inside."""
    seen: list[Request] = []
    bound: dict[int, tuple[Any, ...]] = {}
    bind, execute = Recipe.bind, Recipe.execute

    def bind_and_note(self: Recipe, constants: tuple[Any, ...]) -> Any:
        bound[id(self)] = constants
        return bind(self, constants)

    def execute_and_note(
        self: Recipe, run: Callable[..., None], x: np.ndarray, out: Any, fixed: tuple[Any, ...]
    ) -> Any:
        seen.append(Request(self, x, bound[id(self)]))
        return execute(self, run, x, out, fixed)

    with mock.patch.object(Recipe, "bind", bind_and_note), mock.patch.object(Recipe, "execute", execute_and_note):
        yield seen
