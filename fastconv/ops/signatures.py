"""Signatures, for type checkers, of functions whose type of result depends on an argument.

One protocol is that of the functions of all ranks, in place of three overloads for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, overload

import numpy as np

from fastconv.typing import AdaptiveSize, ArrayLike, Backend, Layout, Padding, Size

Pair: TypeAlias = tuple[np.ndarray, np.ndarray]


class MaxPool(Protocol):
    """Max pooling over windows of a fixed shape: the maxima, and with `return_indices` their positions."""

    @overload
    def __call__(
        self, input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
        dilation: Size = 1, ceil_mode: bool = False, return_indices: Literal[False] = False, *,
        out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> np.ndarray: ...
    @overload
    def __call__(
        self, input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
        dilation: Size = 1, ceil_mode: bool = False, *, return_indices: Literal[True],
        out: Pair | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> Pair: ...
    @overload
    def __call__(
        self, input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
        dilation: Size = 1, ceil_mode: bool = False, return_indices: bool = False, *,
        out: np.ndarray | Pair | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> np.ndarray | Any: ...


class AdaptiveMaxPool(Protocol):
    """Max pooling to a given size: the maxima, and with `return_indices` their positions."""

    @overload
    def __call__(
        self, input: ArrayLike, output_size: AdaptiveSize, return_indices: Literal[False] = False, *,
        out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> np.ndarray: ...
    @overload
    def __call__(
        self, input: ArrayLike, output_size: AdaptiveSize, return_indices: Literal[True], *,
        out: Pair | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> Pair: ...
    @overload
    def __call__(
        self, input: ArrayLike, output_size: AdaptiveSize, return_indices: bool = False, *,
        out: np.ndarray | Pair | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
        algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
        max_workspace: int | None = None,
    ) -> np.ndarray | Any: ...


def as_max_pool(function: Callable[..., Any]) -> MaxPool:
    """`function` itself, with the signature of `MaxPool` for type checkers."""
    return function


def as_adaptive_max_pool(function: Callable[..., Any]) -> AdaptiveMaxPool:
    """`function` itself, with the signature of `AdaptiveMaxPool` for type checkers."""
    return function
