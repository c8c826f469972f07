"""Whether a change made a kernel slower: two checkouts, compiled in place, take turns on the cases of a suite.

    python benchmarks/bench_builds.py OLD NEW [--suite layers gemm] [--threads 1] [--door called] [--repeats 3]

Three processes serve every case: the old build, the old build again, and the new one.  They take samples in turns, so
that a drifting clock meets them alike.  What the old build shows against itself is the noise.  Where arrays happen to
lie in memory is worth up to a tenth of the time of a layer, and is the same in every process that allocates the same
things in the same order; so each repeat starts new processes, and each process first fills a random number of pages.
A case counts as slower if, in every repeat, the new build lies further behind than the two old ones lie apart.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

SAMPLE_SECONDS = 4e-3
BALLAST_BYTES = 4 << 20  # about as much at most, in pieces of a page to one and a quarter
NOISE = 0.01  # a difference that no machine can be held to


def serve() -> None:
    """One build: reads requests from stdin, a line of JSON each, and answers in the same way."""
    import time

    import numpy as np

    import fastconv
    from fastconv.bench.suite import call_of
    from fastconv.bench.suites import SUITES

    def load(suite: str, name: str, threads: int, door: str) -> Any:
        operation, specs, kwargs = call_of(next(c for c in SUITES[suite].cases if c.name == name))
        rng = np.random.default_rng(0)

        def filled(value: Any) -> Any:
            if not isinstance(value, fastconv.Spec):
                return value
            if np.dtype(value.dtype).kind in "iu":
                return rng.integers(0, 10, value.shape).astype(value.dtype)
            return rng.standard_normal(value.shape).astype(value.dtype)

        args = tuple(map(filled, specs))
        if door == "called":
            return "called", lambda: operation(*args, **kwargs, threads=threads)
        plan = fastconv.plan(operation, *args, **kwargs, threads=threads)
        result = plan(args[0])
        return plan.kernel, lambda: plan(args[0], out=result)

    def seconds(run: Any, count: int) -> float:
        run()
        start = time.perf_counter()
        for _ in range(count):
            run()
        return (time.perf_counter() - start) / count

    chance = np.random.default_rng()
    pieces = chance.integers(1 << 12, 5 << 10, chance.integers(BALLAST_BYTES >> 12))
    ballast = [np.ones(size, np.uint8) for size in pieces]
    run: Any = None
    for line in sys.stdin:
        request = json.loads(line)
        if "case" in request:
            kernel, run = load(request["suite"], request["case"], request["threads"], request["door"])
            run()
            answer: Any = {"kernel": kernel, "seconds": seconds(run, 3)}
        else:
            answer = seconds(run, request["count"])
        print(json.dumps(answer), flush=True)
    ballast.clear()


class Build:
    """A process that runs the fastconv of one checkout."""

    def __init__(self, checkout: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(checkout.resolve()), "FASTCONV_WISDOM": ""}
        command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a build ended; its error is above")
        return json.loads(answer)

    def close(self) -> None:
        self._process.communicate()


def cases(suites: list[str], parts: list[str]) -> list[tuple[str, str]]:
    from fastconv.bench.suites import SUITES

    return [(s, c.name) for s in suites for c in SUITES[s].cases if any(part in c.name for part in parts)]


@dataclass(frozen=True, slots=True)
class Repeat:
    """What three processes showed."""

    seconds: float  # of the first, about
    kernels: tuple[str, str]  # of the old and the new build
    again: float  # median time of the old build's second process over that of its first
    new: float  # that of the new build over both


def repeat(checkouts: list[Path], given: dict[str, Any], rounds: int) -> Repeat:
    """A case by three new processes."""
    builds = [Build(checkout) for checkout in checkouts]
    loaded = [build.ask(**given) for build in builds]
    count = max(1, round(SAMPLE_SECONDS / loaded[0]["seconds"]))
    samples: list[list[float]] = [[] for _ in builds]
    for r in range(rounds):
        for offset in range(len(builds)):
            i = (r + offset) % len(builds)
            samples[i].append(builds[i].ask(count=count))
    for build in builds:
        build.close()
    old, again, new = map(median, samples)
    kernels = loaded[0]["kernel"], loaded[2]["kernel"]
    return Repeat(loaded[0]["seconds"], kernels, again / old, new / ((old + again) / 2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--suite", nargs="+", default=["layers"])
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose names contain one of these")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--door", choices=("planned", "called"), default="planned")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    checkouts = [options.old, options.old, options.new]
    every, slower = [], []
    for suite, name in cases(options.suite, options.cases):
        given = {"suite": suite, "case": name, "threads": options.threads, "door": options.door}
        found = [repeat(checkouts, given, options.rounds) for _ in range(options.repeats)]
        every.append(geometric_mean(f.new for f in found))
        behind = all(f.new - 1 > abs(f.again - 1) + NOISE for f in found)
        slower += [name] * behind
        old, new = found[0].kernels
        change, noise = (" ".join(f"{getattr(f, figure):.3f}" for f in found) for figure in ("new", "again"))
        print(f"{suite}: {name:34s} {found[0].seconds * 1e6:9.1f} us  new/old {change}  old/old {noise}  "
              f"{'SLOWER' if behind else ''}  {old if old == new else f'{old} -> {new}'}", flush=True)  # fmt: skip
    mean = geometric_mean(every)
    print(f"{len(every)} cases: new/old geometric mean {mean:.3f}, slower beyond noise: {', '.join(slower) or 'none'}")
    return 1 if slower else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main())
