"""Try a case: the call as users make it, and every kernel that takes it, against the contract."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import fastconv as F
from fastconv.core.kernel import Kernel, accumulator
from fastconv.dispatch import plan
from fastconv.dispatch.choice import choice_for
from fastconv.dispatch.options import Options
from fastconv.dispatch.registry import kernels
from fastconv.dispatch.survey import fusable

from . import contract
from .arrays import limits, whole_memory
from .cases import Case, arguments, snippet, with_shapes

THREADS = (2, 3, 5)
REFUSALS = (ValueError, TypeError, NotImplementedError, OverflowError, MemoryError, IndexError)
LONGEST = 700  # characters of an error's text
CANARY = 0xA5
BROADCAST = 64  # units of rounding of sums over axes along which an argument was broadcast, in gradients


@dataclass(frozen=True)
class Failure:
    """A broken promise: which, by which kernel (None: the call as users make it), and what was seen."""

    case: Case
    kind: str
    kernel: str | None
    text: str
    seed: int | None = None

    @property
    def algorithm(self) -> str:
        """What failures of one cause have in common."""
        return f"{self.kind}: {self.case.call if self.kernel is None else self.kernel.partition('@')[0]}"

    def __str__(self) -> str:
        head = "" if self.seed is None else f"case {self.seed}, "
        return f"{head}{self.kind}, {self.kernel or 'as called'}: {self.text}\n{snippet(self.case)}"


@dataclass
class Counts:
    """What was tried."""

    cases: int = 0
    refused: int = 0
    pairs: int = 0
    runs: int = 0
    native: int = 0
    kernels: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        self.cases += other.cases
        self.refused += other.refused
        self.pairs += other.pairs
        self.runs += other.runs
        self.native += other.native
        self.kernels.update(other.kernels)


@dataclass
class Chooser:
    """Replaces the choice of kernels: records every problem and kernel, and can be set to take a given kernel."""

    original: Callable[..., Any]
    kernel: Kernel[Any] | None = None
    problem: Any = None  # None: every problem that the kernel takes
    cheap: bool = False  # any kernel is right: the oracle, which needs no search
    seen: list[tuple[Any, Kernel[Any]]] = field(default_factory=list)
    chosen: dict[tuple[Any, Options], Any] = field(default_factory=dict)  # by the library; recipes are forgotten often

    def __call__(self, problem: Any, options: Options) -> Any:
        found = self._choose(problem, options)
        self.seen.append((problem, found.kernel))
        return found

    def _choose(self, problem: Any, options: Options) -> Any:
        if options.backend == "reference" or self.cheap:
            return choice_for(kernels(problem.op)[-1], problem, options)
        if self.kernel is not None and self.problem in (None, problem) and takes(self.kernel, problem):
            return choice_for(self.kernel, problem, options)
        key = problem, options
        if key not in self.chosen:
            self.chosen[key] = self.original(problem, options)
        return self.chosen[key]


def takes(kernel: Kernel[Any], problem: Any) -> bool:
    """Whether `kernel` can do `problem`, a fused activation left to another pass if need be."""
    return kernel in kernels(problem.op) and kernel.reject(fusable(kernel, problem)[0]) is None


@contextmanager
def choosing() -> Iterator[Chooser]:
    """A `Chooser` in place of the library's choice."""
    original = plan.choose
    chooser = Chooser(original)
    plan.choose = chooser  # type: ignore[assignment]
    try:
        yield chooser
    finally:
        plan.choose = original
        plan.clear_cache()


def forget_recipes() -> None:
    """Recipes remember their kernel."""
    plan.clear_cache()


@contextmanager
def strict() -> Iterator[None]:
    """Warnings are errors, and so is any floating-point flag that NumPy sees."""
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        yield


class Attempt:
    """All checks of one case."""

    def __init__(self, case: Case, seed: int, chooser: Chooser, select: Callable[[Kernel[Any]], bool],
                 progress: Callable[[str], None]) -> None:  # fmt: skip
        self.case, self.seed, self.chooser, self.select, self.progress = case, seed, chooser, select, progress
        self.rng = np.random.default_rng([41, seed])
        self.failures: list[Failure] = []
        self.counts = Counts(cases=1)

    def fail(self, kind: str, kernel: Kernel[Any] | None, text: str) -> None:
        self.failures.append(Failure(self.case, kind, None if kernel is None else kernel.name, text, self.seed))

    def run(self) -> None:
        try:
            self.chooser.cheap = True
            resolved = with_shapes(self.case)
            args, kwargs = arguments(resolved)
        except REFUSALS as e:  # the forward call of a gradient, which other cases try by itself
            self._refused(e)
            return
        finally:
            self.chooser.cheap = False
            forget_recipes()
        self.case = resolved
        self.args, self.kwargs = args, kwargs
        self.before = [(a, whole_memory(a), whole_memory(a).tobytes()) for a in self._inputs()]
        results, error = None, None
        try:
            results = contract.results_of(self.case, args, kwargs)
        except REFUSALS as e:
            error = e
        forget_recipes()
        self.chooser.seen.clear()
        called = self._attempt(None, 1)
        seen = list(self.chooser.seen)
        if called is None or results is None:
            if called is not None:
                self.fail("accepted", None, f"the oracle refuses this: {type(error).__name__}: {error}")
            return
        self.expected = contract.expect(self.case, args, kwargs, results)
        for problem, kernel in seen:
            if kernel.backend == "reference":
                self.fail("oracle", None, f"only the oracle does this: {problem}")
        self._compare(None, called, seen)
        self._same_for_images(None, called, seen)
        for problem in dict.fromkeys(p for p, _ in seen):
            for kernel in kernels(problem.op):
                if kernel.backend != "reference" and self.select(kernel) and takes(kernel, problem):
                    self.progress(kernel.name)
                    self._try(kernel, problem)

    def _inputs(self) -> list[np.ndarray]:
        return [a for a in (*self.args, *self.kwargs.values()) if isinstance(a, np.ndarray)]

    def _refused(self, error: BaseException) -> None:
        """A refusal must be of the right type and short."""
        self.counts.refused += 1
        text = str(error)
        if len(text) > LONGEST:
            self.fail("long error", None, f"{type(error).__name__} of {len(text)} characters: {text[:200]} ...")

    def _attempt(self, kernel: Kernel[Any] | None, threads: int, out: Any = None, args: Any = None) -> Any:
        """The results of one call, or None if it was refused or failed."""
        forget_recipes()
        self.counts.runs += 1
        self.counts.native += kernel is not None and kernel.backend == "cython"
        given = self.args if args is None else args
        try:
            with F.options(threads=threads), strict():
                found = self.case.function(*given, **self.kwargs, **({} if out is None else {"out": out}))
        except F.UnsupportedError as e:
            self.fail("gap", kernel, f"UnsupportedError: {e}"[:LONGEST])
            return None
        except REFUSALS as e:
            self._compare_refusal(kernel, e)
            return None
        except Exception as e:
            self.fail("exception", kernel, f"{type(e).__name__}: {e}"[:LONGEST])
            return None
        if kernel is not None and not any(k is kernel for _, k in self.chooser.seen):
            self.fail("not taken", kernel, "another kernel was used")
        return found if isinstance(found, tuple) else (found,)

    def _compare_refusal(self, kernel: Kernel[Any] | None, error: BaseException) -> None:
        self._refused(error)
        forget_recipes()
        try:
            contract.oracle(self.case.function, self.args, self.kwargs)
        except REFUSALS as e:
            if type(e) is not type(error):
                told, other = (f"{type(x).__name__}: {x}" for x in (error, e))
                self.fail("other error", kernel, f"{told}; the oracle: {other}")
        else:
            self.fail("gap", kernel, f"{type(error).__name__}: {error}"[:LONGEST])
        finally:
            forget_recipes()

    def _compare(self, kernel: Kernel[Any] | None, found: tuple[Any, ...], seen: list[tuple[Any, Kernel[Any]]]) -> None:
        """Values, places of NaN, shapes, dtypes; and that no input was written."""
        e = self.expected
        if len(found) != len(e.results):
            self.fail("count", kernel, f"{len(found)} results, {len(e.results)} expected")
            return
        used = [(k, _inner(k, p)) for p, k in seen if k.backend != "reference"]
        acc = min((accumulator(p) for _, p in used), key=lambda d: d.itemsize, default=np.dtype(np.float32))
        acc = acc if acc.kind in "fc" else np.dtype(np.float32)
        units = sum(k.bound(p) for k, p in used) + e.factor
        units += BROADCAST if self.case.is_gradient else 0
        units *= 2 if acc.itemsize >= 8 else 1  # the oracle sums in double precision, too
        reach = tuple(max(r) for r in zip((0, 0, 0), *(k.reach(p) for k, p in used), strict=True))
        lost = sum(p.terms for k, p in used if k.flushes) * limits(np.dtype(np.float32))[2]  # a denormal sum is zero
        for i, (got, want) in enumerate(zip(found, e.results, strict=True)):
            if (got is None) != (want is None):
                self.fail("count", kernel, f"{got} in place of {want}")
                continue
            if got is None:
                continue
            text = contract.wrong(
                np.asarray(got), np.asarray(want), e.scale(i, reach), units, acc, bool(self.kwargs.get("activation")),
                e.doubtful[i], lost + e.denormal[i] if lost and e.denormal[i] is not None else lost,
            )  # fmt: skip
            if text is not None:
                self.fail("not finite" if text.startswith("not finite") else "value", kernel, text)
        for view, memory, content in self.before:
            if memory.tobytes() != content:
                self.fail("input written", kernel, f"an array of shape {view.shape}")
                memory.flags.writeable = True
                memory.view(np.uint8).reshape(-1)[...] = np.frombuffer(content, np.uint8)

    def _try(self, kernel: Kernel[Any], problem: Any) -> None:
        """All promises of one kernel on one problem."""
        self.counts.pairs += 1
        self.counts.kernels[kernel.name] += 1
        self.chooser.kernel, self.chooser.problem = kernel, problem
        try:
            self.chooser.seen.clear()
            found = self._attempt(kernel, 1)
            if found is None:
                return
            seen = list(self.chooser.seen)
            self._compare(kernel, found, seen)
            bits = _bits(found)
            threads = THREADS[int(self.rng.integers(len(THREADS)))]
            again = self._attempt(kernel, threads)
            if again is not None and _bits(again) != bits and not _blas(seen):
                self.fail("threads", kernel, f"other bits with {threads} threads: {_difference(again, found)}")
            if self.case.out is not None:
                self._try_out(kernel, found, seen)
            elif self.rng.random() < 0.25:
                self._try_plan(kernel, found, seen)
            if self.rng.random() < 0.25:
                self.chooser.problem = None
                self._same_for_images(kernel, found, seen)
        finally:
            self.chooser.kernel = self.chooser.problem = None

    def _try_out(self, kernel: Kernel[Any], found: tuple[Any, ...], seen: Any) -> None:
        """Results in memory of the user have the same bits, and nothing around them is written."""
        args = self.args
        if self.case.out == "overlap":
            made = _over(args[0], found)
            if made is None:
                return
            first, outs, memory = made
            args = (first, *args[1:])
        else:
            outs, memory = _between_canaries(found, self.case.out == "strided")
        given = outs if len(outs) > 1 else outs[0]
        results = self._attempt(kernel, int(self.rng.integers(1, 3)), given, args)
        if results is None:
            return
        if any(r is not o for r, o in zip(results, outs, strict=True)):
            self.fail("out", kernel, "out was not returned")
        if _bits(results) != _bits(found) and not _blas(seen):
            self.fail("out", kernel, f"other values with out={self.case.out}: {_difference(results, found)}")
        for whole in memory:
            if not (whole == CANARY).all():
                self.fail("canary", kernel, f"memory around out={self.case.out} was written")

    def _try_plan(self, kernel: Kernel[Any], found: tuple[Any, ...], seen: Any) -> None:
        """A plan gives right results, the same each time."""
        forget_recipes()
        self.counts.runs += 2
        self.counts.native += 2 * (kernel.backend == "cython")
        self.chooser.seen.clear()
        self.chooser.problem = None
        try:
            with F.options(threads=1), strict():
                made = F.plan(self.case.function, *self.args, **self.kwargs)
                results = [made(self.args[0]) for _ in range(2)]
        except (NotImplementedError, ValueError, TypeError):  # not one kernel, or packed weights that it does not take
            return
        except Exception as e:
            self.fail("exception", kernel, f"planned: {type(e).__name__}: {e}"[:LONGEST])
            return
        one, two = (r if isinstance(r, tuple) else (r,) for r in results)
        if _bits(one) != _bits(two):
            self.fail("plan", kernel, f"other bits in the second run: {_difference(two, one)}")
        if len(one) == len(self.expected.results):
            self._compare(kernel, one, list(self.chooser.seen))

    def _same_for_images(self, kernel: Kernel[Any] | None, found: tuple[Any, ...], seen: Any) -> None:
        """The bits of an image do not depend on the others of its batch."""
        count = _images(self.case, self.args, found)
        if count < 2 or _blas(seen):
            return
        i = int(self.rng.integers(count))
        args = tuple(a[i : i + 1] if j in _batched(self.case) else a for j, a in enumerate(self.args))
        self.chooser.seen.clear()
        single = self._attempt(kernel, 1, args=args)
        if single is None or _blas(self.chooser.seen):
            return
        part = tuple(None if r is None else r[i : i + 1] for r in found)
        if _bits(single) != _bits(part):
            who = {k.name for _, k in seen} ^ {k.name for _, k in self.chooser.seen}
            self.fail("batch", kernel, f"other bits for image {i} alone {sorted(who)}: {_difference(single, part)}")


def _inner(kernel: Kernel[Any], problem: Any) -> Any:
    return fusable(kernel, problem)[0]


def _blas(seen: Any) -> bool:
    """Whether a product was left to BLAS, whose bits depend on sizes and threads."""
    return any(k.backend in ("numpy", "reference") and p.op in ("conv", "gemm") for p, k in seen)


def _bits(results: tuple[Any, ...]) -> list[Any]:
    """What must be the same; which of the many NaN a sum gives is up to the processor."""
    found: list[Any] = []
    for r in results:
        if r is not None and r.dtype.kind not in "iub" and (r != r).any():
            r = np.where(r != r, r.dtype.type(np.nan), r)
        found.append(None if r is None else (r.shape, r.dtype, r.tobytes()))
    return found


def _difference(a: tuple[Any, ...], b: tuple[Any, ...]) -> str:
    for x, y in zip(a, b, strict=True):
        if x is not None and x.shape == y.shape and x.tobytes() != y.tobytes():
            bad = np.argwhere(~((x == y) | ((x != x) & (y != y))))
            if not len(bad):
                return "signs of zeros only"
            at = tuple(int(i) for i in bad[0])
            return f"{len(bad)} of {x.size}, as at {at}: {x[at]} and {y[at]}"
    return "shapes"


def _between_canaries(found: tuple[Any, ...], strided: bool) -> tuple[tuple[Any, ...], list[np.ndarray]]:
    """Outs for results, and the bytes around them."""
    outs, around = [], []
    for r in found:
        step = 2 if strided else 1
        size, item = r.size * step, r.dtype.itemsize
        memory = np.full(size * item + 128, CANARY, np.uint8)
        inside = memory[64 : 64 + size * item].view(r.dtype)[::step].reshape(r.shape) if r.size else np.empty_like(r)
        if strided and r.size:
            inside = np.lib.stride_tricks.as_strided(
                memory[64:].view(r.dtype), r.shape, [s * step for s in np.empty(r.shape, r.dtype).strides]
            )
            gaps = memory[64 : 64 + size * item].reshape(r.size, step, item)[:, 1]
            around.append(gaps)
        outs.append(inside)
        around += [memory[:64], memory[64 + size * item :]]
    return tuple(outs), around


def _over(x: Any, found: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], list[np.ndarray]] | None:
    """The first array and an out in the same memory; None if the call has several results or the array will not do."""
    if len(found) != 1 or not isinstance(x, np.ndarray) or not x.dtype.isnative:
        return None
    r = found[0]
    memory = np.full(max(x.nbytes, r.nbytes) + 192, CANARY, np.uint8)
    first = memory[64 : 64 + x.nbytes].view(x.dtype).reshape(x.shape)
    out = memory[64 : 64 + r.nbytes].view(r.dtype).reshape(r.shape)
    first[...] = x
    return first, (out,), [memory[:64], memory[64 + max(x.nbytes, r.nbytes) :]]


def _batched(case: Case) -> tuple[int, ...]:
    """Which arrays have an axis of images in front."""
    if case.is_gradient:
        return (0, 1, 2) if case.name.startswith("max_unpool") else (0, 1)
    return (0, 1) if case.name.startswith("max_unpool") else (0,)


def _images(case: Case, args: tuple[Any, ...], found: tuple[Any, ...]) -> int:
    """How many images the call has whose results do not depend on each other; 0 if that makes no sense."""
    name = case.name
    if name == "linear" and not case.is_gradient:
        return int(args[0].shape[0]) if args[0].ndim == 2 else 0
    rank = name[-2] if name[-2:-1].isdigit() else ""
    if not rank or args[0].ndim != int(rank) + 2:
        return 0
    if case.is_gradient and (any(r is not None for r in found[1:]) or "indices" in case.options):
        return 0
    if case.is_gradient and name.startswith("conv") and found[0] is None:
        return 0
    return int(args[0].shape[0])


def check(
    case: Case, seed: int = 0, select: Callable[[Kernel[Any]], bool] | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[list[Failure], Counts]:  # fmt: skip
    """Try a case; `select` says which kernels, by default those that need no compiler at run time.

    Returns
    -------
    failures : list of Failure
    counts : Counts
    """
    with choosing() as chooser:
        attempt = Attempt(case, seed, chooser, select or (lambda k: k.backend != "numba"), progress or (lambda _: None))
        attempt.run()
    return attempt.failures, attempt.counts


def fails(failure: Failure, select: Callable[[Kernel[Any]], bool] | None = None) -> Callable[[Case], bool]:
    """Whether another case fails in the same way, by the same kernel."""

    def wanted(k: Kernel[Any]) -> bool:
        return k.name == failure.kernel

    def same(case: Case) -> bool:
        found, _ = check(case, failure.seed or 0, select or wanted)
        return any(f.kind == failure.kind and f.kernel == failure.kernel for f in found)

    return same


