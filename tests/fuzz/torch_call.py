"""The same call in torch, where torch has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .cases import Case

NO_SUCH_OPTION = ("layout", "padding_mode")


def torch_call(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any] | None:
    """A function of no arguments that calls torch with tensors of the same values; None where torch has no such call.

    Where it has one, torch may still refuse the arguments, when the function is called.
    """
    import torch

    if any(name in kwargs for name in NO_SUCH_OPTION) or case.out is not None or case.is_gradient:
        return None
    functional = torch.nn.functional
    function = getattr(functional, case.name, None) or getattr(torch, case.name, None)
    if function is None or case.call.startswith("filters"):
        return None
    options = {k: _tensor(v) for k, v in kwargs.items() if k != "activation"}
    if isinstance(options.get("dtype"), str):
        options["dtype"] = getattr(torch, options["dtype"])
    for name in ("kernel_size", "output_size", "pad"):
        if isinstance(options.get(name), (list, np.ndarray)):
            options[name] = tuple(options[name])
    tensors = [_tensor(a) for a in args]
    while tensors and tensors[-1] is None:
        tensors.pop()
    after = getattr(functional, kwargs["activation"]) if kwargs.get("activation") else None

    def call() -> Any:
        y = function(*tensors, **options)
        return after(y) if after is not None else y

    return call


def _tensor(value: Any) -> Any:
    import torch

    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.name == "bfloat16":
        return torch.from_numpy(value.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(value, value.dtype.newbyteorder("="), order="C"))


def as_arrays(result: Any) -> tuple[np.ndarray, ...]:
    """torch's results as arrays; bfloat16 as float32."""
    import torch

    results = result if isinstance(result, tuple) else (result,)
    return tuple((r.float() if r.dtype == torch.bfloat16 else r).numpy() for r in results)
