"""Calls with ever new shapes, and how much memory the process keeps because of them.

    python -m tests.soak --calls 100000

Warms up first: modules, compiled code, and caches that are bounded fill up.  Fails where it grows by more after that.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import fastconv as F

LIMIT = 100 << 20  # bytes
PAGE = 4096
WARM_UP = 10  # a tenth of the calls warms up
LONG = 1 << 18  # samples of a signal, at most
BACKENDS = ("auto", "auto", "auto", "cython", "numpy")


def resident() -> int:
    """Bytes of this process in memory (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Calls:
    """One call after the other, drawn at random from every family."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.kinds: tuple[Callable[[], Any], ...] = (
            self.conv, self.conv, self.transposed, self.gradient, self.signal, self.product, self.pool, self.adaptive,
            self.softmax, self.activation, self.loss, self.pad, self.unfold, self.unpool, self.plan,
        )  # fmt: skip

    def __call__(self) -> None:
        kind = self.kinds[self.rng.integers(len(self.kinds))]
        backend = BACKENDS[self.rng.integers(len(BACKENDS))]
        with F.options(backend=backend), suppress(F.UnsupportedError):  # by this backend
            kind()

    def between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def array(self, *shape: int) -> np.ndarray:
        return np.ones(shape, "efd"[self.between(0, 2)] if self.rng.random() < 0.2 else "f")

    def image(self, channels: int) -> np.ndarray:
        return self.array(self.between(1, 3), channels, self.between(5, 60), self.between(5, 60))

    def conv(self) -> None:
        groups, c = self.between(1, 3), self.between(1, 8)
        x = self.image(c * groups)
        w = np.ones((self.between(1, 8) * groups, c, self.between(1, 5), self.between(1, 5)), x.dtype)
        F.conv2d(x, w, stride=self.between(1, 2), padding=self.between(0, 2), groups=groups)

    def transposed(self) -> None:
        x = self.image(self.between(1, 8))
        w = np.ones((x.shape[1], self.between(1, 8), self.between(1, 4), self.between(1, 4)), x.dtype)
        F.conv_transpose2d(x, w, stride=self.between(1, 3))

    def gradient(self) -> None:
        n, h, w = self.between(1, 2), self.between(5, 40), self.between(5, 40)
        k, c = self.between(1, 4), self.between(1, 6)
        dy, x = np.ones((n, k, h - 2, w - 2), "f"), np.ones((n, c, h, w), "f")
        F.grad.conv2d(dy, x, np.ones((k, c, 3, 3), "f"))

    def signal(self) -> None:
        length = self.between(100, LONG if self.rng.random() < 0.02 else 4000)
        x = self.array(1, 1, length)
        if self.rng.random() < 0.5:
            F.conv1d(x, np.ones((1, 1, self.between(1, 9)), x.dtype), padding=4)
        else:
            F.avg_pool1d(x, self.between(2, 5), padding=1)

    def product(self) -> None:
        m, n, k = (self.between(1, 100) for _ in range(3))
        a = self.array(m, k)
        F.matmul(a, np.ones((k, n), a.dtype))

    def pool(self) -> None:
        x, k = self.image(self.between(1, 8)), self.between(2, 4)
        kinds = (
            lambda: F.max_pool2d(x, k, padding=1), lambda: F.max_pool2d(x, k, return_indices=True),
            lambda: F.avg_pool2d(x, k, padding=1), lambda: F.lp_pool2d(x, 2.0, k),
        )  # fmt: skip
        kinds[self.between(0, 3)]()

    def adaptive(self) -> None:
        x = self.image(self.between(1, 8))
        pool = (F.adaptive_avg_pool2d, F.adaptive_max_pool2d)[self.between(0, 1)]
        pool(x, (self.between(1, x.shape[2]), self.between(1, x.shape[3])))

    def softmax(self) -> None:
        F.softmax(self.array(self.between(1, 50), self.between(1, 50), self.between(1, 20)), self.between(0, 2))

    def activation(self) -> None:
        x = np.ones((self.between(1, 50), self.between(1, 500)), "f")
        F.gelu(x) if self.rng.random() < 0.5 else F.grad.silu(x, x)

    def loss(self) -> None:
        n, c = self.between(1, 100), self.between(2, 50)
        F.cross_entropy(self.array(n, c), np.zeros(n, int))

    def pad(self) -> None:
        mode = ("constant", "reflect", "replicate", "circular")[self.between(0, 3)]
        F.pad(self.image(self.between(1, 4)), tuple(self.between(0, 4) for _ in range(4)), mode=mode)

    def unfold(self) -> None:
        F.unfold(self.image(self.between(1, 4)), self.between(1, 4))

    def unpool(self) -> None:
        x = self.image(self.between(1, 4)).astype("f")
        F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape)

    def plan(self) -> None:
        x = self.image(self.between(1, 8)).astype("f")
        F.plan(F.conv2d, x, np.ones((self.between(1, 8), x.shape[1], 3, 3), "f"), padding=1)(x)


def grown(calls: int, seed: int = 0, report: Callable[[int, int], None] | None = None) -> int:
    """The bytes by which the process grew in this number of calls, after those that warm up."""
    call = Calls(seed)
    for _ in range(calls // WARM_UP):
        call()
    before = resident()
    for i in range(1, calls + 1):
        call()
        if report is not None and i % max(1, calls // 20) == 0:
            report(i, resident() - before)
    return resident() - before


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = grown(args.calls, args.seed, lambda i, size: print(f"{i:8d} calls: {size / 2**20:+.1f} MiB", flush=True))
    print(f"grew by {found / 2**20:.1f} MiB; at most {LIMIT >> 20} are allowed")
    return int(found > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
