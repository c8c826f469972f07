from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

class Repeated:
    def __init__(
        self, otherwise: Callable[..., Any] | None, unless: ContextVar[Any] | None, array: type, spec: type, sets: int
    ) -> None: ...
    def __call__(self, *arguments: Any) -> Any: ...
    def remember(
        self,
        arguments: tuple[Any, ...],
        run: Callable[..., bool],
        passed: tuple[int, ...],
        out: int,
        make: Callable[..., Any],
        shape: tuple[int, ...],
        dtype: Any,
        room: tuple[int, Any] | None,
    ) -> bool: ...
    def forget(self) -> None: ...
