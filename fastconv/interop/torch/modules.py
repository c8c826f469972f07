"""Modules of torch.nn whose forward pass runs on fastconv's plans.

A module is swapped by changing its class to one that derives from its own and overrides `forward`.  The object
itself stays: its parameters, hooks, attributes, place in the model and keys in the state dict are untouched, and
``isinstance(m, nn.Conv2d)`` holds.  The other ways are worse: a wrapper changes the keys of the state dict, and a
`forward` put on the instance makes a reference cycle (large weights are then freed late) that does not pickle.
The compiler sees an ordinary class with an ordinary method.  A pickle of a swapped module holds the plain module, which
can be loaded without fastconv; a deep copy is swapped like its original.
"""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

import fastconv
from fastconv.dispatch.options import resolve
from fastconv.dispatch.plan import Plan
from fastconv.interop.torch import functional
from fastconv.interop.torch.memory import DTYPES, array, count_threads, is_channels_last, layout, spec, tensor

PLANS = 8  # at most for a module: each holds the weights packed for one shape of the input, and a copy of them
BUDGET = 64 << 20  # bytes of a module's plans; one plan is kept even if it is larger
STATE = "_fastconv_state"
is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)  # torch 2.7
REFUSALS = (ValueError, TypeError, NotImplementedError)  # what fastconv raises for arguments that it does not support


@dataclass(frozen=True, slots=True)
class Kind:
    """How a class of torch.nn maps to an operation.

    Attributes
    ----------
    operation : str
        Its name, in fastconv and in `functional`.
    rank : int
        Spatial axes; 0 where there is no channel axis.
    settings : callable
        The module's settings as arguments of the operation, after x, weight and bias.
    weights : bool
        Whether the operation takes a weight and a bias.
    """

    operation: str
    rank: int
    settings: Callable[[Any], tuple[Any, ...]]
    weights: bool = True


def _conv(m: Any) -> tuple[Any, ...]:
    return m.stride, m.padding, m.dilation, m.groups, m.padding_mode


def _conv_of_plan(settings: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return settings[:4], {"padding_mode": settings[4]}


def _conv_transpose(m: Any) -> tuple[Any, ...]:
    return m.stride, m.padding, m.output_padding, m.groups, m.dilation


def _max_pool(m: Any) -> tuple[Any, ...]:
    return m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices


def _avg_pool(m: Any) -> tuple[Any, ...]:
    return m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, getattr(m, "divisor_override", None)


def _adaptive_max(m: Any) -> tuple[Any, ...]:
    return m.output_size, m.return_indices


KINDS: dict[type, Kind] = {
    nn.Linear: Kind("linear", 0, lambda m: ()),
    **{c: Kind(f"conv{r}d", r, _conv) for r, c in enumerate((nn.Conv1d, nn.Conv2d, nn.Conv3d), 1)},
    **{
        c: Kind(f"conv_transpose{r}d", r, _conv_transpose)
        for r, c in enumerate((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), 1)
    },
    **{
        c: Kind(f"max_pool{r}d", r, _max_pool, weights=False)
        for r, c in enumerate((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), 1)
    },
    **{
        c: Kind(f"avg_pool{r}d", r, _avg_pool, weights=False)
        for r, c in enumerate((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), 1)
    },
    **{
        c: Kind(f"adaptive_max_pool{r}d", r, _adaptive_max, weights=False)
        for r, c in enumerate((nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d), 1)
    },
    **{
        c: Kind(f"adaptive_avg_pool{r}d", r, lambda m: (m.output_size,), weights=False)
        for r, c in enumerate((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), 1)
    },
}


def kind_of(module: nn.Module) -> Kind | None:
    """The operation behind a module or the class that it derives from."""
    return next((KINDS[c] for c in type(module).__mro__ if c in KINDS), None)


def _tensors(module: nn.Module, kind: Kind) -> tuple[Tensor | None, Tensor | None]:
    """Weight and bias of a module that has them."""
    if not kind.weights:
        return None, None
    return module._parameters.get("weight"), module._parameters.get("bias")


def why_not_weights(module: nn.Module, kind: Kind) -> str | None:
    """Why plans cannot be made of a module's weights; None if they can."""
    if not kind.weights:
        return None
    weight, bias = _tensors(module, kind)
    if weight is None or (bias is None and getattr(module, "bias", None) is not None):
        return "its weights are computed, not parameters"
    for name, t in (("weight", weight), ("bias", bias)):
        if t is None:
            continue
        if type(t) not in (Tensor, nn.Parameter):
            return f"its {name} is a {type(t).__name__}"
        if t.device.type != "cpu":
            return f"its {name} is on {t.device}"
        if t.layout is not torch.strided:
            return f"its {name} is {str(t.layout).removeprefix('torch.')}"
        if t.dtype not in DTYPES or t.dtype != weight.dtype:
            return f"its {name} is {str(t.dtype).removeprefix('torch.')}"
        if t.is_inference():
            return f"its {name} was made in inference mode, where torch does not count changes"
    return None


class Packed:
    """The plans for one version of a module's weights."""

    __slots__ = ("_held", "_lock", "limit", "plans", "reason", "stamp")

    def __init__(self, stamp: Any, module: nn.Module, kind: Kind) -> None:
        self.stamp = stamp
        self.reason = why_not_weights(module, kind)
        self.plans: dict[Any, Plan | str] = {}
        # While this holds the memory, no other tensor can have the address in the stamp.
        self._held = tuple(None if t is None else t.detach() for t in _tensors(module, kind))
        size = sum(2 * t.numel() * t.element_size() for t in self._held if t is not None)
        self.limit = max(1, min(PLANS, BUDGET // max(size, 1)))
        self._lock = Lock()

    def add(self, key: Any, module: nn.Module, kind: Kind) -> Plan | str:
        """Make and keep the plan for an input, or the text of the error if fastconv does not support it."""
        shape, dtype, last, threads, _ = key
        weights = tuple(None if t is None else array(t) for t in self._held) if kind.weights else ()
        settings, keywords = kind.settings(module), {"threads": threads}
        if kind.settings is _conv:
            settings, mode = _conv_of_plan(settings)
            keywords.update(mode)
        if kind.rank:
            keywords["layout"] = layout(last)
        try:
            plan: Plan | str = fastconv.plan(
                getattr(fastconv, kind.operation), spec(shape, dtype, last), *weights, *settings, **keywords
            )
        except REFUSALS as e:
            plan = f"{type(e).__name__}: {e}"
        with self._lock:
            self.plans[key] = plan
            while len(self.plans) > self.limit:
                del self.plans[next(iter(self.plans))]
        return plan


class State:
    """What is kept for a swapped module.

    Attributes
    ----------
    kind : Kind
    packed : Packed or None
    declined : str or None
        Why torch ran the last call that fastconv did not.
    """

    __slots__ = ("declined", "kind", "packed")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.packed: Packed | None = None
        self.declined: str | None = None

    def plan(self, module: nn.Module, x: Tensor) -> tuple[Plan | str, bool]:
        """The plan for `x`, or why there is none; and whether it takes channels last."""
        kind = self.kind
        stamp = None
        if kind.weights:
            weight, bias = module._parameters.get("weight"), module._parameters.get("bias")
            if weight is None:
                return "its weights are computed, not parameters", False
            if weight.is_inference():
                return "its weight was made in inference mode, where torch does not count changes", False
            if weight.dtype is not x.dtype:
                return f"input is {x.dtype}, weight {weight.dtype}", False
            stamp = (weight.data_ptr(), weight._version, None if bias is None else (bias.data_ptr(), bias._version))
        packed = self.packed
        if packed is None or packed.stamp != stamp:
            packed = self.packed = Packed(stamp, module, kind)
        if packed.reason is not None:
            return packed.reason, False
        last = is_channels_last(x, kind.rank)
        key = (x.shape, x.dtype, last, count_threads(), resolve())
        plan = packed.plans.get(key)
        return packed.add(key, module, kind) if plan is None else plan, last


def why_not_here(x: Any) -> str | None:
    """Why torch must run a call itself: something in torch observes or changes operations on tensors."""
    if type(x) is not Tensor:
        return f"input is a {type(x).__name__}"
    if not x.is_cpu or x.layout is not torch.strided or x.dtype not in DTYPES or x.is_neg():
        return f"input is {x.layout}, {x.dtype} on {x.device}"
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on"
    if torch._C._len_torch_dispatch_stack():
        return "a torch dispatch mode is active"
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "inside a torch.func transform"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation is on"
    if torch._C._get_tracing_state() is not None:
        return "torch.jit is tracing"
    return None


def _operator(module: Any, kind: Kind, x: Tensor) -> Any:
    """The module's operation, by operators that autograd and the compiler know."""
    weights = (module.weight, module.bias) if kind.weights else ()
    return getattr(functional, kind.operation)(x, *weights, *kind.settings(module))


def _fits(module: Any, kind: Kind, x: Tensor) -> bool:
    """For the compiler: whether the operators take these tensors."""
    if x.dtype not in DTYPES or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    return not kind.weights or (module.weight.dtype == x.dtype and module.weight.device.type == "cpu")


class Fast:
    """A base class before a class of torch.nn: in eval mode, fastconv runs the forward pass.

    Torch runs all unusual calls: training mode, autocast, other dtypes and devices, tensor subclasses, dispatch modes,
    `torch.func`, forward-mode differentiation, tracing, and calls that fastconv refuses, so that the errors are
    torch's.
    """

    own_class: type[nn.Module]
    training: bool

    def forward(self, input: Any, *rest: Any, **named: Any) -> Any:
        if self.training or rest or named:
            return super().forward(input, *rest, **named)  # type: ignore[misc]
        state = self.__dict__[STATE]
        if torch.compiler.is_compiling():
            if not is_exporting() and _fits(self, state.kind, input):
                return _operator(self, state.kind, input)
            return super().forward(input)  # type: ignore[misc]
        reason = why_not_here(input)
        if reason is None:
            if torch.is_grad_enabled() and (
                input.requires_grad or any(p is not None and p.requires_grad for p in self._parameters.values())  # type: ignore[attr-defined]
            ):
                reason = why_not_weights(self, state.kind)  # type: ignore[arg-type]
                if reason is None:
                    try:
                        return _operator(self, state.kind, input)
                    except REFUSALS as e:
                        reason = f"{type(e).__name__}: {e}"
            else:
                plan, last = state.plan(self, input)
                if not isinstance(plan, str):
                    y = plan(array(input, last))
                    return tuple(tensor(a, last) for a in y) if type(y) is tuple else tensor(y, last)
                reason = plan
        state.declined = reason
        return super().forward(input)  # type: ignore[misc]

    def train(self, mode: bool = True) -> Any:
        forget(self)  # training may change weights in ways that torch does not count, such as `.data`
        return super().train(mode)  # type: ignore[misc]

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        forget(self)
        return super()._apply(*args, **kwargs)  # type: ignore[misc]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(_own_dict(self), memo))
        new.__dict__[STATE] = State(self.__dict__[STATE].kind)
        return new

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copyreg._reconstructor, (self.own_class, object, None), _own_dict(self)  # type: ignore[attr-defined]


def _own_dict(module: Any) -> dict[str, Any]:
    return {k: v for k, v in module.__dict__.items() if k != STATE}


def forget(module: Any) -> None:
    """Drop the plans of a swapped module."""
    module.__dict__[STATE].packed = None


_classes: dict[type, type] = {}


def swap(module: nn.Module, kind: Kind) -> None:
    """Make `module` run on fastconv."""
    own = type(module)
    if own not in _classes:
        _classes[own] = type(f"Fast{own.__name__}", (Fast, own), {"__module__": __name__, "own_class": own})
    module.__dict__[STATE] = State(kind)
    module.__class__ = _classes[own]


def is_swapped(module: nn.Module) -> bool:
    return isinstance(module, Fast)


def unswap(module: nn.Module) -> None:
    """Undo `swap`.

    Raises
    ------
    RuntimeError
        If something has changed the class since, as a parametrisation does.
    """
    own = getattr(type(module), "own_class", None)
    if own is None or type(module) is not _classes.get(own):
        raise RuntimeError(
            f"the class of {type(module).__name__} was changed after it was accelerated: undo that first "
            f"(torch.nn.utils.parametrize.remove_parametrizations)"
        )
    module.__class__ = own
    del module.__dict__[STATE]
