"""Recipes and plans: from the arguments of a call to a prepared kernel, and from arrays to results.

Every public operation makes a `Recipe` of its arguments and passes it to `submit` with the arrays; there is no other
way.  Inside `planning()` the same call stops before the kernel and returns a `Plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, replace
from itertools import combinations
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fastconv.core.arrays import (
    ALIGNED_BYTES,
    Spec,
    aligned_empty,
    as_array,
    as_outs,
    copied,
    overlaps,
    own_copy,
    repeats_itself,
    share_memory,
    stand_in,
)
from fastconv.core.caches import forget, keep_few, tables
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.kernel import Bind, Kernel, Run
from fastconv.core.machine import check_memory
from fastconv.core.problems.base import Problem
from fastconv.dispatch import trials, wisdom
from fastconv.dispatch.choice import (
    Choice,
    Explanation,
    choice_for,
    choose,
    is_able,
    kernel_called,
    of_any_rows,
)
from fastconv.dispatch.extensions import all_kernels
from fastconv.dispatch.held import held_bytes, packed_bytes
from fastconv.dispatch.options import Options, exactly
from fastconv.dispatch.remembered import Plain, of_plan
from fastconv.typing import ArrayLike

View = Callable[[np.ndarray], np.ndarray]
may_share_memory = np.may_share_memory  # a local name, because every call uses it

F = TypeVar("F", bound=Callable[..., Any])

PLANNING: ContextVar[Callable[..., Plan] | None] = ContextVar("fastconv_planning", default=None)

LIGHT_BYTES = 32 << 10  # smaller objects are not counted


def remember(make: F) -> F:
    """Decorator: keep the recipes that a function of hashable arguments made, until `clear_cache`."""
    return keep_few(typed=True)(make)


def clear_cache() -> None:
    """Drop what is kept between calls: choices, recipes and tables.

    Threads still keep some scratch, up to 64 MiB each.
    """
    forget()


class Recipe:
    """Everything about a call but its arrays: made once for equal arguments, by functions decorated with `remember`.

    Parameters
    ----------
    problem : Problem
    options : Options
    x_shape, x_dtype
        Of the array that changes from run to run, as the user gave it.
    shapes : tuple of tuple of int
        The user's shape of each result.
    enter, view : callable
        They convert the user's x, and a contiguous result of the user's shape, to the canonical views
        that kernels use.  `enter` also copies an x that does not satisfy the contract of `core.kernel`.
    same_order : bool
        Whether `enter` and `view` leave a contiguous array as it is: elements, their order and their dtype.
    any_order : bool
        Whether, moreover, each element of the result depends on the element of x in its place alone: a result may then
        have x's order of memory, so that nothing is transposed.
    choice : Choice, optional
        By default the best for the problem under the options, chosen when it is first needed.
    """

    __slots__ = (
        "_bind", "_choice", "_heavy", "_repeats", "_run", "any_order", "enter", "options", "problem", "result",
        "results", "same_order", "shapes", "small", "view", "x_dtype", "x_shape",
    )  # fmt: skip

    def __init__(
        self,
        problem: Problem,
        options: Options,
        x_shape: tuple[int, ...],
        x_dtype: np.dtype,
        shapes: tuple[tuple[int, ...], ...],
        enter: View,
        view: View,
        same_order: bool = False,
        choice: Choice | None = None,
        any_order: bool = False,
    ) -> None:
        self.problem, self.options = problem, options
        self.x_shape, self.x_dtype, self.shapes = x_shape, x_dtype, shapes
        self.enter, self.view = enter, view
        self.results = tuple((s, dtype) for s, (_, dtype) in zip(shapes, problem.results, strict=True))
        self.result = self.results[0] if len(self.results) == 1 else None
        sizes = [prod(s) * dtype.itemsize for s, dtype in self.results]
        check_memory(sum(sizes), f"a result of shape {' and '.join(map(str, shapes))}")
        self.small = all(size < ALIGNED_BYTES for size in sizes)
        self.same_order, self.any_order = same_order, any_order
        self._choice = choice
        self._bind: Bind | None = None
        self._run: Run | None = None
        self._heavy, self._repeats = False, 0

    @property
    def choice(self) -> Choice:
        if self._choice is None:
            self._choice = choose(self.problem, self.options)
        return self._choice

    def with_choice(self, choice: Choice) -> Recipe:
        return Recipe(
            self.problem, self.options, self.x_shape, self.x_dtype, self.shapes, self.enter, self.view, self.same_order,
            choice, self.any_order,
        )

    def bind(self, constants: tuple[Any, ...]) -> Run:
        """The kernel, prepared for these constants; without constants it is prepared only once."""
        run = self._run  # another thread may release it
        if run is not None:
            return run
        bind = self._bind
        if bind is None:
            if self.choice.unmeasured:
                self._measure(constants)
            self._bind = bind = self._prepare()
            self._account(bind)
        run = bind(constants)
        if not constants:
            self._run = run
            self._account(run)
        return run

    def _account(self, prepared: Any) -> None:
        """Register what was prepared in `tables` if it is large, so that it is released when it is no longer recent."""
        held = held_bytes(prepared)
        if held > LIGHT_BYTES:
            self._heavy = True
            tables.add(self, self._release, held)

    def _release(self) -> None:
        """Drop what was prepared: it may hold tables as long as an axis."""
        self._bind = self._run = None

    def plain(self, constants: tuple[Any, ...], fixed: bool) -> Plain | None:
        """What runs the prepared kernel on contiguous x, out and constants as the user gave them; None if nothing does.

        `fixed`: on x and out, with these constants.
        Nor for the first call, which may be the only one, or where tables are large, which must remain releasable.
        From the second call on only those whose number is a power of two: what cannot be repeated is tried a few times.
        """
        self._repeats += 1
        if self._repeats == 1 or self._repeats & (self._repeats - 1):
            return None
        if self._heavy or not self.same_order:
            return None
        ready = self.bind(constants) if fixed else self._bind if constants else self._run
        return getattr(ready, "plain" if self.result else "plain_both", None)

    def _prepare(self) -> Bind:
        """The kernel, followed by the activation that it does not fuse."""
        choice = self.choice
        bind = choice.kernel.specialise(choice.problem, choice.threads)
        if choice.after is None:
            return bind
        after = choice.after.kernel.prepare(choice.after.problem, (), choice.after.threads)

        def bind_both(constants: tuple[Any, ...]) -> Run:
            run = bind(constants)

            def run_then_activate(x: np.ndarray, *outs: np.ndarray) -> None:
                run(x, *outs)
                flat = outs[0].ravel(order="K")  # a view: results are contiguous
                after(flat, flat)

            return run_then_activate

        return bind_both

    def _measure(self, constants: tuple[Any, ...]) -> None:
        """Run the kernels that state no cost, and the one that would be chosen without them; then choose again.

        Of a problem with rows, their times are those of all numbers of rows: the first one that is met decides.
        """
        x = trials.sample(self.x_shape, self.x_dtype)
        if x is None:
            return
        rival, *others = self.choice.unmeasured
        one_thread = replace(self.options, threads=1)
        seen, views = self.enter(x), [self.view(aligned_empty(shape, dtype)) for shape, dtype in self.results]
        packed = getattr(self.problem, "packed", True)

        def of(kernel: Kernel[Any]) -> Callable[[], object]:
            bind = self.with_choice(choice_for(kernel, self.problem, one_thread))._prepare()
            run = bind(constants)
            return (lambda: run(seen, *views)) if packed else (lambda: bind(constants)(seen, *views))

        times = trials.medians([of(self.choice.kernel), *map(of, others)])
        wisdom.keep(dict(zip((rival, *others), times, strict=True)), of_any_rows(self.problem))
        forget()
        self._choice = choose(self.problem, self.options)

    def execute(self, run: Run, x: np.ndarray, out: Any, fixed: tuple[Any, ...]) -> Any:
        """Run on arrays of the user's shape; allocate what was not given.

        `fixed` are those constants that the caller may have passed as `out`, too.
        """
        if self.result is not None:  # almost all calls
            shape, dtype = self.result
            if out is None:
                if self.any_order and not x.flags.c_contiguous and 0 not in x.strides:
                    return self._in_order_of(run, x)
                out = np.empty(shape, dtype) if self.small else aligned_empty(shape, dtype)
                self._run_one(run, x, out)
                return out
            if type(out) is np.ndarray and out.shape == shape and out.dtype == dtype:
                if not fixed and self.same_order and hasattr(run, "plain") and run.plain(x, out):
                    return out
                if _usable(out, x, fixed):
                    self._run_one(run, x, out)
                    return out
        outs = as_outs(out, len(self.results))
        targets = [_target(s, dtype, given, x, fixed) for (s, dtype), given in zip(self.results, outs, strict=True)]
        _check_apart(outs)
        run(self.enter(x), *map(self.view, targets))
        for i, given in enumerate(outs):
            if given is not None and given is not targets[i]:
                np.copyto(given, targets[i])
                targets[i] = given
        return targets[0] if len(targets) == 1 else tuple(targets)

    def _in_order_of(self, run: Run, x: np.ndarray) -> np.ndarray:
        """The result for an x that is not contiguous: contiguous in the order in which x lies in memory."""
        strides = [-abs(step) for step in x.strides]
        axes = sorted(range(x.ndim), key=strides.__getitem__)
        given = x.transpose(axes)
        out = aligned_empty(given.shape, x.dtype)
        if not (given.flags.c_contiguous and given.flags.aligned):
            given = copied(out, given)
        self._run_one(run, given, out)
        return out.transpose(sorted(range(x.ndim), key=axes.__getitem__))

    def _run_one(self, run: Run, x: np.ndarray, out: np.ndarray) -> None:
        if not (self.same_order and hasattr(run, "plain") and run.plain(x, out)):
            run(self.enter(x), self.view(out))


def _target(shape: tuple[int, ...], dtype: np.dtype, given: Any, x: np.ndarray, fixed: tuple[Any, ...]) -> np.ndarray:
    """Where a kernel may write a result: `given` itself, or a new array where `given` is not usable."""
    if given is not None:
        _check_out(shape, dtype, given)
        if _usable(given, x, fixed):
            return given
    return aligned_empty(shape, dtype)


def _usable(given: np.ndarray, x: np.ndarray, fixed: tuple[Any, ...]) -> bool:
    """Whether a kernel that reads `x` and the arrays `fixed` may write into `given`."""
    return given.flags.carray and not may_share_memory(given, x) and not (fixed and overlaps(given, fixed))


def _check_out(shape: tuple[int, ...], dtype: np.dtype, given: Any) -> None:
    if not isinstance(given, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(given).__name__}")
    if given.shape != shape:
        raise ShapeError(f"out has shape {given.shape}; the result has {shape}")
    if given.dtype != dtype:
        raise DTypeError(f"out has dtype {given.dtype}; the result has {dtype}")
    if not given.flags.writeable:
        raise ValueError("out is read-only")
    if repeats_itself(given):
        raise ValueError(f"elements of out share memory with each other: shape {given.shape}, strides {given.strides}")


def _check_apart(outs: tuple[Any, ...]) -> None:
    for (i, a), (j, b) in combinations(enumerate(outs), 2):
        if a is not None and b is not None and share_memory(a, b):
            raise ValueError(f"out[{i}] and out[{j}] share memory; each result needs its own")


def submit(recipe: Recipe, x: np.ndarray, constants: tuple[Any, ...] = (), out: Any = None) -> Any:
    """Run a recipe on arrays and return its result, or its `Plan` inside `planning()`.

    Parameters
    ----------
    recipe : Recipe
    x : ndarray
        As the user gave it.
    constants : tuple
        Arrays fixed by a plan, in canonical shape, or None.
    out : ndarray, tuple of ndarray or None
        The user's arrays for the results.
    """
    make = PLANNING.get()
    if make is not None:
        return make(recipe, constants)
    return recipe.execute(recipe.bind(constants), x, out, constants)


@contextmanager
def planning(make: Callable[[Recipe, tuple[Any, ...]], Plan] | None = None) -> Iterator[None]:
    """Operations called inside return their plan, as `make` makes it, instead of a result."""
    token = PLANNING.set(Plan if make is None else make)
    try:
        yield
    finally:
        PLANNING.reset(token)


@contextmanager
def immediately() -> Iterator[None]:
    """Operations called inside return results, also within `planning()`: for values that a plan needs beforehand."""
    token = PLANNING.set(None)
    try:
        yield
    finally:
        PLANNING.reset(token)


def is_planning() -> bool:
    return PLANNING.get() is not None


class Origin(NamedTuple):
    """The call that made a plan, in a form that can be repeated elsewhere: a `Spec` in place of each array.

    The values of the arrays are in the plan's constants.
    """

    operation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def restore(origin: Origin, options: tuple[Any, ...], constants: tuple[Any, ...], kernel: str) -> Plan:
    """Make again, on this machine, a plan that was made elsewhere, from its constants.

    It runs the same kernel if that exists here and can do the problem, else the one that would be chosen.
    """

    def make(recipe: Recipe, _: tuple[Any, ...]) -> Plan:
        known = {k.name: k for k in all_kernels(recipe.problem.op)}
        if kernel in known and is_able(known[kernel], recipe.problem):
            recipe = recipe.with_choice(choice_for(known[kernel], recipe.problem, recipe.options))
        return Plan(recipe, constants, own=True)

    def given(value: Any) -> Any:
        return stand_in(value, "an argument") if isinstance(value, Spec) else value

    with exactly(options), planning(make):
        plan = origin.operation(*map(given, origin.args), **{k: given(v) for k, v in origin.kwargs.items()})
    plan._origin = origin
    return plan


class Plan:
    """A chosen kernel with its packed weights: the fast way to run one operation again and again.

    Made by `fastconv.plan`.  Calling it runs the operation on a new first argument.  It is
    re-entrant: several threads may run one plan at the same time.  It pickles and copies: a pickle contains
    the call, its options and the weights as they were given.  They are packed again when it is loaded, for
    the same kernel if that machine has it.

    Attributes
    ----------
    problem : Problem
        What is computed.
    kernel : str
        Name of the chosen kernel.
    threads : int
        Threads that the options admit; a call uses fewer where `max_workspace` demands it.
    constants : tuple of (ndarray, number or None)
        What is fixed, as kernels take it: for a convolution weights (oc, ic, kd, kh, kw) and bias, None where absent.
    result_shapes : tuple of tuple of int
        Shape of each result of a call.

    Examples
    --------
    >>> import fastconv, numpy as np
    >>> x, w = np.ones((1, 3, 8, 8), "f"), np.ones((4, 3, 3, 3), "f")
    >>> run = fastconv.plan(fastconv.conv2d, x, w, padding=1)
    >>> run(x).shape
    (1, 4, 8, 8)
    """

    __slots__ = ("__weakref__", "_constants", "_origin", "_quick", "_recipe", "_run")

    def __init__(self, recipe: Recipe, constants: tuple[Any, ...] = (), own: bool = False) -> None:
        # Kernels may keep the constants as they are: later changes of the user's arrays must have no effect.
        if not own:  # constants of another plan never change
            constants = tuple(own_copy(c) if isinstance(c, np.ndarray) else c for c in constants)
        self._constants = constants
        self._recipe = recipe
        self._origin: Origin | None = None
        self._run = recipe.bind(self._constants)
        plain = getattr(self._run, "plain", None)
        self._quick = None
        if plain is not None and recipe.same_order and recipe.result is not None:
            self._quick = of_plan(Spec(recipe.x_shape, recipe.x_dtype), recipe.result, plain)

    @property
    def problem(self) -> Problem:
        return self._recipe.problem

    @property
    def kernel(self) -> str:
        return self._recipe.choice.kernel.name

    @property
    def threads(self) -> int:
        """Threads that the options admit."""
        return self._recipe.options.thread_count()

    @property
    def constants(self) -> tuple[Any, ...]:
        """What is fixed, as kernels take it; None where absent.  Arrays must not be written."""
        return self._constants

    @property
    def result_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each result of a call."""
        return self._recipe.shapes

    def canonical_input(self, input: np.ndarray) -> np.ndarray:
        """`input` as kernels take it: for images (N, C, D, H, W); a view where its memory order allows it."""
        return self._recipe.enter(input)

    def canonical_result(self, result: np.ndarray) -> np.ndarray:
        """A result of a call, C-contiguous, in the shape in which a kernel writes it; a view."""
        return self._recipe.view(result)

    def __call__(self, input: ArrayLike, *, out: np.ndarray | tuple[np.ndarray, ...] | None = None) -> Any:
        """Run on `input`, an array with the shape and dtype that the plan was made for.

        Parameters
        ----------
        input : array_like
        out : ndarray, or tuple of ndarray where the operation has several results, optional

        Returns
        -------
        ndarray or tuple of ndarray

        Raises
        ------
        ShapeError, DTypeError
            If `input` or `out` is not what the plan was made for.
        """
        if self._quick is not None:
            result = self._quick(input, out)
            if result is not NotImplemented:
                return result
        recipe, x = self._recipe, input
        if type(x) is not np.ndarray or x.dtype != recipe.x_dtype:
            x = as_array(x, "input")
            if x.dtype != recipe.x_dtype:
                raise DTypeError(f"input has dtype {x.dtype}; this plan was made for {recipe.x_dtype}")
        if x.shape != recipe.x_shape:
            raise ShapeError(f"input has shape {x.shape}; this plan was made for {recipe.x_shape}")
        return recipe.execute(self._run, x, out, ())

    def with_kernel(self, name: str) -> Plan:
        """The same operation on the kernel called `name`, whatever its predicted cost.

        Raises
        ------
        ValueError
            If no kernel of this family has that name.
        UnsupportedError
            If the kernel cannot do this problem; the text says why.
        """
        kernel = kernel_called(name, self.problem.op)
        recipe = self._recipe
        choice = choice_for(kernel, recipe.problem, recipe.options)
        plan = Plan(recipe.with_choice(choice), self._constants, own=True)
        plan._origin = self._origin
        return plan

    def explain(self) -> Explanation:
        """Every kernel that was considered, with its reason, costs, workspace and error bound; and what is packed."""
        return Explanation.of(self._recipe.choice, packed_bytes(self._run, self._constants))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._origin is None:
            raise TypeError("only plans that fastconv.plan made can be pickled or copied")
        return restore, (self._origin, astuple(self._recipe.options), self._constants, self.kernel)

    def __repr__(self) -> str:
        return f"<Plan {self.kernel} for {self.problem}>"
