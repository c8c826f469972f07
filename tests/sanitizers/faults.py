"""Cases of `tests.fuzz` on native kernels alone, without checks of the results: many runs for a sanitizer.

``make sanitize`` runs it in addition to `tests.fuzz`, whose checks take most of its time.  Each problem that a case has
for kernels is given to every native one that takes it, on one thread and on several, with its own arrays.  A fault ends
the process; the last line of the state file, ``--state``, says where.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.contract.requests import Request, recorded
from tests.fuzz.cases import arguments
from tests.fuzz.check import REFUSALS
from tests.fuzz.generate import generate

COUNTS = (1, 2, 3)
TIMES = 2  # with each number of threads: a second run finds what the first one left behind


def requests_of(seed: int, family: str | None) -> list[Request]:
    """The problems that the call gives to kernels; none if it is refused."""
    case = generate(seed, family)
    with recorded() as requests:
        try:
            args, kwargs = arguments(case)
            case.function(*args, **kwargs)
        except REFUSALS:
            pass
        except Exception as e:  # for `tests.fuzz` to look into
            print(f"case {seed}: {e!r}", flush=True)
    return requests


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    p.add_argument("--runs", type=int, default=300_000)
    p.add_argument("--seed", type=int, default=int(time.time()) % 10**8, help="number of the first case")
    p.add_argument("--family", help="calls of this family only")
    p.add_argument("--state", default=os.devnull, help="a file that says what is being tried")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    begin, seed, runs, kernels = time.monotonic(), args.seed, 0, set()
    state = os.open(args.state, os.O_RDWR | os.O_CREAT)
    print(f"seed {seed}", flush=True)
    while runs < args.runs:
        for request in requests_of(seed, args.family):
            for kernel in request.kernels():
                if kernel.backend != "cython" or request.rejects(kernel):
                    continue
                os.pwrite(state, f"case {seed}, {kernel.name}, {runs} runs".ljust(200).encode(), 0)
                kernels.add(kernel.name)
                for count in COUNTS:
                    try:
                        run = request.bound(kernel, count)
                        for _ in range(TIMES):
                            run()
                    except REFUSALS:
                        break
                    runs += TIMES
        seed += 1
        if seed % 500 == 0:
            print(f"to case {seed}: {runs} runs, {len(kernels)} kernels, {time.monotonic() - begin:.0f} s", flush=True)
    done = f"{seed - args.seed} cases, {runs} runs of {len(kernels)} native kernels, no fault"
    print(f"{done}; {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
