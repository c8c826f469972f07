"""Every native kernel on 2, 3 and 5 threads, and each problem on two threads of Python at once: for ThreadSanitizer.

``make threads`` runs it on modules that are built for that; elsewhere it checks that threads change no bit.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
import fastconv as F
from tests.contract.requests import Request, recorded

Call = Callable[[], Any]
COUNTS = (2, 3, 5)
RNG = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("f")


def images(layout: str, n: int, c: int, *spatial: int) -> np.ndarray:
    return array(n, c, *spatial) if layout == "NCHW" else array(n, *spatial, c)


def convolutions(layout: str) -> Iterator[Call]:
    """Work enough for several threads, and a gradient of each."""
    cases: list[tuple[Any, ...]] = [
        (2, 24, 40, 20, 3, 1, 1), (1, 40, 48, 28, 1, 1, 0), (2, 48, 48, 30, 3, 1, 48), (1, 3, 24, 40, 3, 2, 1),
        (2, 32, 32, 14, 5, 1, 1), (2, 32, 32, 26, 3, 1, 8), (1, 8, 16, 33, 7, 1, 1), (3, 16, 16, 9, 3, 2, 1),
    ]  # fmt: skip
    for n, ic, oc, size, k, s, groups in cases:
        groups, p = max(groups, 1), k // 2
        x, w, b = images(layout, n, ic, size, size), array(oc, ic // groups, k, k), array(oc)
        y = images(layout, n, oc, *((size + 2 * p - k) // s + 1,) * 2)
        kwargs: dict[str, Any] = {"stride": s, "padding": p, "groups": groups, "layout": layout}
        yield partial(F.conv2d, x, w, b, activation="relu", **kwargs)
        yield partial(F.grad.conv2d, y, x, w, b, **kwargs)
    x = images(layout, 8, 64, 1, 1)
    yield partial(F.conv2d, x, array(400, 64, 1, 1), layout=layout)
    yield partial(F.conv3d, images(layout, 1, 8, 6, 12, 12), array(16, 8, 3, 3, 3), padding=1, layout=layout)
    yield partial(F.conv_transpose2d, images(layout, 2, 16, 20, 20), array(16, 16, 4, 4), stride=2, layout=layout)


def pools(layout: str) -> Iterator[Call]:
    x = images(layout, 2, 40, 40, 44)
    for k, s, p in [(2, 2, 0), (3, 2, 1), (3, 1, 1)]:
        y = F.avg_pool2d(x, k, s, p, layout=layout)
        yield partial(F.max_pool2d, x, k, s, p, layout=layout)
        yield partial(F.max_pool2d, x, k, s, p, return_indices=True, layout=layout)
        yield partial(F.avg_pool2d, x, k, s, p, layout=layout)
        yield partial(F.grad.max_pool2d, y, x, k, s, p, layout=layout)
        yield partial(F.grad.avg_pool2d, y, x, k, s, p, layout=layout)
    yield partial(F.lp_pool2d, x, 2.0, 3, layout=layout)
    yield partial(F.avg_pool2d, images(layout, 8, 40, 14, 14), 3, 1, 1, layout=layout)
    yield partial(F.max_pool2d, images(layout, 8, 40, 14, 14), 3, 1, 1, layout=layout)
    yield partial(F.global_avg_pool, x, layout=layout)
    yield partial(F.adaptive_avg_pool2d, x, (7, 5), layout=layout)
    yield partial(F.adaptive_max_pool2d, x, (7, 5), True, layout=layout)


def others() -> Iterator[Call]:
    a, b = array(150, 130), array(130, 170)
    yield partial(F.gemm, a, b, array(150, 170), beta=0.5, bias=array(170))
    yield partial(F.matmul, array(12, 30, 40), array(12, 40, 50))
    yield partial(F.linear, array(5, 700), array(900, 700), array(900))
    yield partial(F.grad.linear, array(64, 90), array(64, 100), array(90, 100), array(90))
    x = array(300, 1100)
    for name in ("relu", "gelu", "tanh"):
        yield partial(getattr(F, name), x)
    yield partial(F.grad.relu, x, x)
    for dim in (0, 1):
        yield partial(F.softmax, x, dim)
        yield partial(F.grad.softmax, x, x, dim)
    target = RNG.integers(0, 1100, 300)
    yield partial(F.cross_entropy, x, target, label_smoothing=0.1)
    yield partial(F.grad.cross_entropy, np.float32(1), x, target, label_smoothing=0.1)


def calls() -> Iterator[Call]:
    for layout in ("NCHW", "NHWC"):
        yield from convolutions(layout)
        yield from pools(layout)
    yield from others()


def at_once(run: Callable[[], Any], times: int = 2) -> list[Any]:
    """The results of `run` on so many threads of Python that begin together."""
    begin, results = threading.Barrier(times), [None] * times

    def work(i: int) -> None:
        begin.wait()
        results[i] = run()

    team = [threading.Thread(target=work, args=(i,)) for i in range(times)]
    for t in team:
        t.start()
    for t in team:
        t.join()
    return results


def differs(got: Any, want: Any) -> bool:
    return got is None or any(g.tobytes() != w.tobytes() for g, w in zip(got, want, strict=True))


def check(request: Request, kernel: Any, counts: tuple[int, ...]) -> Iterator[str]:
    """What went wrong."""
    want = request.run(kernel, 1)
    for count in counts:
        if differs(request.run(kernel, count), want):
            yield f"{kernel.name} has other bits on {count} threads: {request.problem}"
    run = request.bound(kernel, counts[0])
    if any(differs(got, want) for got in at_once(run)):
        yield f"{kernel.name} has other bits on two threads of Python: {request.problem}"


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    p.add_argument("--isa", help="kernels of this instruction set only")
    args = p.parse_args()
    runs: Counter[str] = Counter()
    failures = 0
    with recorded() as requests:
        for call in calls():
            call()
    for request in requests:
        for kernel in request.kernels():
            if kernel.backend != "cython" or args.isa not in (None, kernel.isa) or request.rejects(kernel):
                continue
            for failure in check(request, kernel, COUNTS):
                failures += 1
                print(failure, flush=True)
            runs[kernel.name] += len(COUNTS) + 3
    print(f"{len(requests)} problems, {len(runs)} kernels, {sum(runs.values())} runs, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
