"""`accelerate`: run a trained model's convolutions, poolings and linear layers on fastconv, and undo that."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize

from fastconv.interop.torch.modules import (
    KINDS,
    STATE,
    Kind,
    forget,
    is_swapped,
    kind_of,
    swap,
    unswap,
    why_not_weights,
)

# Methods that a subclass must inherit from its class in torch.nn: `Fast` overrides them or relies on them.
INHERITED = ("forward", "_conv_forward", "__call__", "__getattr__", "__deepcopy__", "__reduce_ex__", "__setstate__")
GAIN = 0.9  # of torch's time: a smaller gain is within the noise, and alternating two thread pools costs time
ROUNDS, SECONDS = 15, 0.1  # at most, to time one module on the example
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}  # relative to the largest value


@dataclass(slots=True)
class Row:
    """One module of a model in a `Report`.

    Attributes
    ----------
    name : str
        Its path in the model; all its paths, with commas between, if it is shared.
    module : str
        Its class before the swap.
    swapped : bool
    why : str
        Why it was not swapped, or what the example showed.
    """

    name: str
    module: str
    swapped: bool
    why: str = ""


@dataclass(slots=True)
class Report:
    """What `accelerate` did.  It prints as a table, and can undo the swap.

    Attributes
    ----------
    model : torch.nn.Module
    rows : list of Row
        Every module without submodules, in the model's order.
    """

    model: nn.Module
    rows: list[Row]
    _modules: list[tuple[Row, nn.Module]] = field(default_factory=list, repr=False)

    @property
    def swapped(self) -> list[str]:
        """Names of the modules that run on fastconv."""
        return [r.name for r in self.rows if r.swapped]

    @property
    def left(self) -> dict[str, str]:
        """Names of the other modules, with the reasons."""
        return {r.name: r.why for r in self.rows if not r.swapped}

    def undo(self) -> nn.Module:
        """Give every module that this report swapped its own class back, so that the model is as before.

        Raises
        ------
        RuntimeError
            If the class of a module was changed in the meantime.
        """
        while self._modules:
            row, module = self._modules[-1]
            if is_swapped(module):
                unswap(module)
            row.swapped, row.why = False, "undone"
            self._modules.pop()
        return self.model

    def refresh(self) -> None:
        """Forget all packed weights.

        Needed only after changes that torch does not count: through ``weight.data``, or an array that shares memory
        with a weight.
        """
        for _, module in self._modules:
            if is_swapped(module):
                forget(module)

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *exception: object) -> None:
        self.undo()

    def __str__(self) -> str:
        state = {id(row): module.__dict__[STATE] for row, module in self._modules if is_swapped(module)}
        lines = [("module", "class", "runs on", "")]
        for row in self.rows:
            note = row.why
            if id(row) in state:
                s = state[id(row)]
                found = {} if s.packed is None else s.packed.plans
                kernels = Counter(p.kernel for p in found.values() if not isinstance(p, str))
                parts = [note, ", ".join(f"{k} ({n})" if n > 1 else k for k, n in kernels.items())]
                parts.append(f"torch ran a call: {s.declined}" if s.declined else "")
                note = "; ".join(p for p in parts if p)
            lines.append((row.name or "(model)", row.module, "fastconv" if row.swapped else "torch", note))
        widths = [max(len(line[i]) for line in lines) for i in range(3)]
        table = [
            "  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[3]]).rstrip() for line in lines
        ]
        return "\n".join([f"{len(self.swapped)} of {len(self.rows)} modules run on fastconv", *table])


def why_not(module: nn.Module) -> str | None:
    """Why a module cannot be swapped; None if it can."""
    kind, cls = kind_of(module), type(module)
    if isinstance(module, torch.jit.ScriptModule):
        return "a TorchScript module"
    if cls.__module__.startswith(("torch.ao.", "torch.nn.quantized", "torch.nn.qat", "torch.nn.intrinsic")):
        return "quantised, or prepared for quantisation"
    if kind is None:
        return "fastconv has no operation for it"
    if is_swapped(module):
        return "accelerated already"
    if isinstance(module, LazyModuleMixin):
        return "lazy: it has no weights before its first call"
    if parametrize.is_parametrized(module):
        return "parametrised: its weights are computed on every call"
    own = next(c for c in cls.__mro__ if c in KINDS)
    changed = [n for n in INHERITED if getattr(cls, n, None) is not getattr(own, n, None)]
    if changed or "forward" in module.__dict__:
        return f"a {own.__name__} with its own {changed[0] if changed else 'forward'}"
    return why_not_weights(module, kind)


def accelerate(model: nn.Module, *, example: Any = None, inplace: bool = True) -> Report:
    """Run the convolutions, poolings and linear layers of a trained model on fastconv.

    In eval mode, if no gradient is needed, a swapped module runs a `fastconv.Plan`: the kernel is chosen and the
    weights are packed once for each shape of the input (the last 8 are kept, fewer of large weights), and again when
    the weights change.  If a gradient is needed, the module runs the operators of this package.  In training mode, and
    in unusual cases, torch runs it.  Parameters, buffers, hooks, `isinstance` and the keys of the state dict stay as
    they are.

    Plans take memory: for each shape about twice that of the weights, in all at most 64 MiB for a module, or one plan.
    A change of weights is recognised by ``weight._version`` and the address.  After a change through ``weight.data`` or
    a shared array, call `Report.refresh`.  An exported, traced or pickled model has torch's own modules; undo the swap
    before `torch.jit.script`.

    Parameters
    ----------
    model : torch.nn.Module
    example : Tensor or tuple, optional
        Arguments for one call of the model, which must be in eval mode.  Each module is then timed on its input in
        that call, and its result is compared with torch's.  It is swapped only if the results agree, it takes less
        than nine tenths of torch's time, and the times scatter less than they differ.
    inplace : bool
        Whether to change `model` itself.  Otherwise a deep copy is changed, ``report.model``.

    Returns
    -------
    Report
        It prints as a table.  ``report.undo()`` undoes the swap, and so does the end of ``with report``.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)).eval()
    >>> with FT.accelerate(model) as report, torch.inference_mode():
    ...     y = model(torch.ones(1, 3, 10, 10))
    >>> y.shape
    torch.Size([1, 8, 4, 4])
    >>> print(FT.accelerate(model))
    2 of 3 modules run on fastconv
    module  class      runs on
    0       Conv2d     fastconv
    1       ReLU       torch     fastconv has no operation for it
    2       MaxPool2d  fastconv
    >>> FT.restore(model)
    2
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if example is not None and model.training:
        raise ValueError("example needs a model in eval mode: call model.eval() first")
    if not inplace:
        model = copy.deepcopy(model)
    names: dict[nn.Module, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if kind_of(module) is not None or (not any(True for _ in module.children()) and "parametrizations" not in name):
            names.setdefault(module, []).append(name)
    report = Report(model, [])
    candidates = []
    for module, paths in names.items():
        cls = getattr(type(module), "own_class", type(module))
        row = Row(", ".join(paths), cls.__name__, False, why_not(module) or "")
        report.rows.append(row)
        kind = kind_of(module)
        if not row.why and kind is not None:
            candidates.append((row, module, kind))
    inputs = None if example is None else _inputs(model, example, [m for _, m, _ in candidates])
    try:
        for row, module, kind in candidates:
            report._modules.append((row, module))
            if inputs is None:
                swap(module, kind)
                row.swapped = True
            else:
                row.swapped, row.why = _trial(module, kind, inputs.pop(module, None))
            if not row.swapped:
                report._modules.pop()
    except BaseException:  # Ctrl-C while timing must not leave a part of the modules swapped
        report.undo()
        raise
    return report


def restore(model: nn.Module) -> int:
    """Undo every `accelerate` of a model, without its reports; return how many modules were swapped.

    Parameters
    ----------
    model : torch.nn.Module

    Returns
    -------
    int

    Raises
    ------
    RuntimeError
        If the class of a module was changed in the meantime.

    Examples
    --------
    See `accelerate`.
    """
    swapped = [m for m in model.modules() if is_swapped(m)]
    for module in swapped:
        unswap(module)
    return len(swapped)


def _inputs(model: nn.Module, example: Any, modules: list[nn.Module]) -> dict[nn.Module, tuple[Any, ...]]:
    """The arguments of each module's first call while the model runs on the example."""
    found: dict[nn.Module, tuple[Any, ...]] = {}

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module not in found and not kwargs:
            found[module] = tuple(
                a.clone(memory_format=torch.preserve_format) if isinstance(a, Tensor) else a for a in args
            )

    hooks = [m.register_forward_pre_hook(note, with_kwargs=True) for m in modules]
    try:
        with torch.no_grad():
            model(*(example if isinstance(example, tuple) else (example,)))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _trial(module: nn.Module, kind: Kind, args: tuple[Any, ...] | None) -> tuple[bool, str]:
    """Swap a module if fastconv is faster on `args`; return whether it was swapped, and the times or the reason."""
    if args is None:
        return False, "the example does not reach it"
    own: Callable[..., Any] = type(module).forward
    with torch.no_grad():
        theirs = own(module, *args)
        swap(module, kind)
        fast: Callable[..., Any] = type(module).forward
        ours = fast(module, *args)
        declined = module.__dict__[STATE].declined
        if declined is not None:
            reason = declined
        elif not _agree(ours, theirs):
            reason = "its result differs from torch's on the example"
        else:
            torch_times, our_times = _times(lambda: own(module, *args), lambda: fast(module, *args))
            torch_time, our_time = median(torch_times), median(our_times)
            times = f"{our_time * 1e3:.3f} ms, torch {torch_time * 1e3:.3f} ms"
            if our_time < GAIN * torch_time and _is_below(our_times, torch_times):
                return True, times
            faster = our_time < GAIN * torch_time
            reason = f"{'times scatter too much' if faster else 'no faster'} on the example: {times}"
    unswap(module)
    return False, reason


def _agree(ours: Any, theirs: Any) -> bool:
    """Whether two results are equal up to rounding; of a pooling with indices, only the values are compared."""
    a, b = (y[0] if isinstance(y, tuple) else y for y in (ours, theirs))
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    finite = b[torch.isfinite(b)]
    limit = TOLERANCE[b.dtype] * float(finite.abs().max()) if finite.numel() else 0.0
    return torch.allclose(a, b, rtol=0.0, atol=limit, equal_nan=True)


def _is_below(ours: list[float], theirs: list[float]) -> bool:
    """Whether most times of ours are below most of theirs: three quarters of each."""
    return quantiles(ours, n=4)[2] < quantiles(theirs, n=4)[0]


def _times(*calls: Callable[[], Any]) -> list[list[float]]:
    """Seconds of several runs of each call; the calls are interleaved."""
    samples: list[list[float]] = [[] for _ in calls]
    end = perf_counter() + SECONDS
    for done in range(ROUNDS):
        for call, taken in zip(calls, samples, strict=True):
            start = perf_counter()
            call()
            taken.append(perf_counter() - start)
        if done >= 2 and perf_counter() > end:
            break
    return samples
