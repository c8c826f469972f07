"""One epoch of the lecture's network: fastconv against torch (eager), side by side in one run.

    python benchmarks/bench_lecture_epoch.py [--threads 2] [--batch 64] [--rounds 5] [--optimizer adam]

Convolution, ReLU and max pooling twice, flattening, a full connection, cross-entropy, and the optimiser's step, on
4,000 images of 28x28 from a fixed seed (random ones: the time does not depend on what they show).  First both walk
through the same batches from the same weights, and their losses are compared; then they take turns, an epoch each.
The ratio is torch's median time over fastconv's: above 1 fastconv is faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np

import fastconv
from fastconv import grad
from fastconv.training.lesson import quiet_blas
from fastconv.training.network import Config, Weights, initial, step
from fastconv.training.optimizers import OPTIMIZERS, RATES

CLOSE = 1e-4  # relative difference of losses that is put down to rounding
COMPARED = 20  # steps, after which rounding alone has driven the two apart
OPERATIONS = ("conv2d", "max_pool2d", "linear", "flatten", "cross_entropy")
GRADIENTS = ("conv2d", "max_pool2d", "linear", "relu", "cross_entropy")

Epoch = Callable[[int], list[float]]


def images(count: int, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Blurred noise around one pattern for each class: something to learn."""
    rng = np.random.default_rng(7)
    target = rng.integers(0, config.classes, count)
    patterns = rng.standard_normal((config.classes, *config.image))
    x = patterns[target] * 0.3 + rng.standard_normal((count, *config.image))
    return x.astype(np.float32), target


def ours(config: Config, weights: Weights, x: np.ndarray, target: np.ndarray, batch: int, optimizer: str) -> Epoch:
    """An epoch's steps, as the demo takes them."""
    weights = {name: w.copy() for name, w in weights.items()}
    memory: Weights = {}
    rng = np.random.default_rng(0)
    done = 0

    def epoch(steps: int) -> list[float]:
        nonlocal done
        losses = []
        for i in range(0, len(x), batch)[:steps]:
            loss, _, found = step(config, weights, x[i : i + batch], target[i : i + batch], rng)
            done += 1
            OPTIMIZERS[optimizer](weights, found, memory, RATES[optimizer], done)
            losses.append(loss)
        return losses

    return epoch


def theirs(config: Config, weights: Weights, x: np.ndarray, target: np.ndarray, batch: int, optimizer: str) -> Epoch:
    """The same with torch's modules, autograd and optimiser."""
    import torch
    from torch import nn

    layers: list[Any] = []
    channels = config.image[0]
    for oc in config.channels:
        layers += [
            nn.Conv2d(channels, oc, config.kernel, padding=config.kernel // 2),
            nn.ReLU(),
            nn.MaxPool2d(config.pool, ceil_mode=True),
        ]
        channels = oc
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(config.flat, config.classes))
    with torch.no_grad():
        for parameter, w in zip(network.parameters(), weights.values(), strict=True):
            parameter.copy_(torch.from_numpy(w))
    made = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer]
    extra = {"momentum": 0.9} if optimizer == "sgd" else {}
    steps_of = made(network.parameters(), lr=RATES[optimizer], **extra)
    tx, ty = torch.from_numpy(x), torch.from_numpy(target)

    def epoch(steps: int) -> list[float]:
        losses = []
        for i in range(0, len(x), batch)[:steps]:
            steps_of.zero_grad()
            loss = nn.functional.cross_entropy(network(tx[i : i + batch]), ty[i : i + batch])
            loss.backward()
            steps_of.step()
            losses.append(loss.item())
        return losses

    return epoch


@contextmanager
def profiled(spent: dict[str, float]) -> Iterator[None]:
    """Adds up the seconds of every operation that the network calls, by name and shape of the first array."""

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            result = function(*args, **kwargs)
            key = f"{name} {'x'.join(map(str, np.shape(args[0]))) or 'scalar'}"
            spent[key] = spent.get(key, 0.0) + time.perf_counter() - began
            return result

        return call

    kept = [(m, n, getattr(m, n)) for m, names in ((fastconv, OPERATIONS), (grad, GRADIENTS)) for n in names]
    try:
        for module, name, function in kept:
            setattr(module, name, timed(f"{'grad.' * (module is grad)}{name}", function))
        yield
    finally:
        for module, name, function in kept:
            setattr(module, name, function)


def seconds(epoch: Epoch, steps: int) -> float:
    began = time.perf_counter()
    epoch(steps)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="adam")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    config = Config((1, 28, 28), 10)
    x, target = images(options.images, config)
    weights = initial(config, np.random.default_rng(1))
    steps = -(-len(x) // options.batch)
    with fastconv.options(threads=options.threads), quiet_blas():
        both = [made(config, weights, x, target, options.batch, options.optimizer) for made in (ours, theirs)]
        mine, torchs = (np.array(epoch(min(COMPARED, steps))) for epoch in both)
        apart = float(np.max(np.abs(mine - torchs) / np.abs(torchs)))
        print(f"{config.text()}\nbatch {options.batch}, {steps} steps, {options.threads} threads, {options.optimizer}; "
              f"torch {torch.__version__}")  # fmt: skip
        print(f"losses of {len(mine)} steps: {mine[0]:.5f} to {mine[-1]:.5f}, apart by {apart:.1e} at most")
        if not apart <= CLOSE:
            print(f"the losses differ by more than {CLOSE:.0e}: nothing is timed", file=sys.stderr)
            return 1
        for epoch in both:
            epoch(steps)
        rounds = [[seconds(epoch, steps) for epoch in both] for _ in range(options.rounds)]
        spent: dict[str, float] = {}
        with profiled(spent):
            whole = seconds(both[0], steps)
    a, b = (median(r[i] for r in rounds) for i in range(2))
    ratios = sorted(r[1] / r[0] for r in rounds)
    print(f"one epoch: fastconv {a * 1e3:.0f} ms, torch {b * 1e3:.0f} ms; medians of {len(rounds)} rounds in turns")
    print(f"ratio {b / a:.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f} in single rounds; above 1 fastconv is faster")
    print(f"\nfastconv, milliseconds a step of {whole / steps * 1e3:.2f}:")
    for name, value in sorted(spent.items(), key=lambda item: -item[1]):
        if value / whole > 0.002:
            print(f"  {value / steps * 1e3:7.3f}  {value / whole:5.1%}  {name}")
    rest = whole - sum(spent.values())
    print(f"  {rest / steps * 1e3:7.3f}  {rest / whole:5.1%}  the rest: optimiser, slices, Python")
    return 0


if __name__ == "__main__":
    sys.exit(main())
