"""Signatures, for type checkers, of the gradients of activations of one array.

The functions are made from the activations at import, which checkers cannot follow.
"""

from __future__ import annotations

from typing import Protocol

from fastconv.typing import Approximate, ArrayLike, Backend, Gradient


class Plain(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, *, need: tuple[bool] | None = None, backend: Backend | None = None,
        threads: int | None = None,
    ) -> Gradient: ...


class Inplace(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, inplace: bool = False, *, need: tuple[bool] | None = None,
        backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class LeakyRelu(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, negative_slope: float = 0.01, inplace: bool = False, *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Elu(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, alpha: float = 1.0, inplace: bool = False, *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Gelu(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, approximate: Approximate = "none", *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Softplus(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, beta: float = 1.0, threshold: float = 20.0, *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Hardtanh(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Shrink(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, lambd: float = 0.5, *, need: tuple[bool] | None = None,
        backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...


class Threshold(Protocol):
    def __call__(
        self, dy: ArrayLike, input: ArrayLike, threshold: float, value: float, inplace: bool = False, *,
        need: tuple[bool] | None = None, backend: Backend | None = None, threads: int | None = None,
    ) -> Gradient: ...
