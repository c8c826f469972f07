"""The same call in torch, where torch has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .cases import Case

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
SAME = ("same", "same_upper")


class TorchCall:
    """A call of torch with tensors of the same values, channels last where the case's are.

    Raises
    ------
    LookupError
        If torch has no such call.  It may still refuse the arguments when it is made.
    """

    def __init__(self, case: Case, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        import torch

        self.torch, self.T = torch, torch.nn.functional
        function = getattr(self.T, case.name, None) or getattr(torch, case.name, None)
        if function is None or case.call.startswith("filters"):
            raise LookupError(f"torch has no {case.call}")
        self.case, self.function = case, function
        self.last = kwargs.get("layout") == "NHWC"
        self.options = {k: _tensor(v) for k, v in kwargs.items() if k not in ("activation", "layout", "need")}
        self.activation = kwargs.get("activation")
        if isinstance(self.options.get("dtype"), str):
            self.options["dtype"] = getattr(torch, self.options["dtype"])
        images = (0, 1) if case.is_gradient or case.name.startswith("max_unpool") else (0,)
        tensors = [self._first(_tensor(a), i in images) for i, a in enumerate(args)]
        self.dy = tensors.pop(0) if case.is_gradient else None
        while tensors and tensors[-1] is None:
            tensors.pop()
        self.tensors = tensors
        self.images = [True] * 2  # which results have channels: all, or of gradients that of the input
        self.pads = self._pads(tensors)

    def _first(self, t: Any, image: bool) -> Any:
        """Channels first, as torch counts axes; the memory stays as it is."""
        if t is None or not self.last or not image:
            return t
        rank = int(self.case.name[-2]) if self.case.name[-2].isdigit() else t.ndim - 2
        return t.movedim(-1, t.ndim - rank - 1)

    def _pads(self, tensors: list[Any]) -> tuple[str, list[int]] | None:
        """Padding that torch's convolutions do not do by themselves, for a call of `pad` before."""
        if not self.case.name.startswith("conv"):
            return None
        mode, padding = self.options.pop("padding_mode", "zeros"), self.options.get("padding", 0)
        if mode not in MODES:
            raise LookupError(f"torch has no padding mode {mode}")
        if padding in SAME or isinstance(padding, str):
            if mode == "zeros":
                return None
            raise LookupError("torch pads by name with zeros only")
        pairs = isinstance(padding, list)
        if mode == "zeros" and not pairs:
            return None
        if "transpose" in self.case.name:
            raise LookupError("torch crops both ends alike")
        rank = int(self.case.name[-2])
        each = padding if pairs else [(p, p) for p in np.broadcast_to(padding, rank).tolist()]
        self.options["padding"] = 0
        return MODES[mode], [int(v) for pair in reversed(each) for v in pair]

    def forward(self, *tensors: Any) -> Any:
        """The result of the operation."""
        if self.pads is not None:
            mode, pads = self.pads
            tensors = (self.T.pad(tensors[0], pads, mode), *tensors[1:])
        y = self.function(*tensors, **self.options)
        return y if self.activation is None else getattr(self.T, self.activation)(y)

    def prepare(self) -> Callable[[], Any]:
        """The call to be timed: the operation, or for a gradient the backward pass from an existing result."""
        if self.dy is None:
            return lambda: self.forward(*self.tensors)
        need = self.case.options.get("need") or (True,) * len(self.tensors)
        places = [i for i, (t, n) in enumerate(zip(self.tensors, need, strict=False)) if n and t.is_floating_point()]
        wanted, self.images = [self.tensors[i] for i in places], [i == 0 for i in places]
        for t in wanted:
            t.requires_grad_()
        y = self.forward(*self.tensors)
        y = y[0] if isinstance(y, tuple) else y
        return lambda: self.torch.autograd.grad(y, wanted, self.dy, retain_graph=True)

    def arrays(self, result: Any) -> tuple[np.ndarray, ...]:
        """Results as arrays in the case's layout; bfloat16 as float32."""
        results = result if isinstance(result, (tuple, list)) else (result,)
        found = []
        for r, image in zip(results, self.images, strict=False):
            t = (r.float() if r.dtype == self.torch.bfloat16 else r).detach()
            if self.last and image:
                rank = int(self.case.name[-2]) if self.case.name[-2].isdigit() else t.ndim - 2
                t = t.movedim(t.ndim - rank - 1, -1)
            found.append(t.numpy())
        return tuple(found)


def _tensor(value: Any) -> Any:
    import torch

    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.name == "bfloat16":
        return torch.from_numpy(value.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(value, value.dtype.newbyteorder("="), order="C"))
