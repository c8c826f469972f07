"""``python -m tests.fuzz``: look for failures until a number of runs or minutes is over.

Seeds are the numbers of the cases: ``--case 12345`` tries one again, alone.  The work is done by a second process, so
that a crash is a finding like any other; it says before each kernel what it is about to do.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

STATE_BYTES = 200
HANGS = 240  # seconds that one case may take
CRASHES = 20  # after so many, something is wrong with everything
FAILED = 3  # exit status of a worker that found something


def parse(argv: list[str]) -> argparse.Namespace:
    p = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    how_long = p.add_mutually_exclusive_group()
    how_long.add_argument("--runs", type=int, help="stop after so many runs of kernels (20,000 by default)")
    how_long.add_argument("--minutes", type=float, help="stop after so many minutes")
    how_long.add_argument("--case", type=int, help="try this case alone")
    p.add_argument("--seed", type=int, help="number of the first case; by default one that the clock gives")
    p.add_argument("--backend", choices=("cython", "numba", "numpy"), help="kernels of this backend only")
    p.add_argument("--isa", choices=("avx512", "avx2", "neon", "portable"), help="kernels of this instruction set only")
    p.add_argument("--kernel", help="kernels of this name only")
    p.add_argument("--family", help="calls of this family only")
    p.add_argument("--no-minimise", action="store_true", help="print failures as they were found")
    p.add_argument("--no-keep", action="store_true", help="do not add failures to the regression cases")
    p.add_argument("--one-process", action="store_true", help="for debuggers: a crash then ends everything")
    p.add_argument("--state", help=argparse.SUPPRESS)
    p.add_argument("--before", default="0 0 0 0 0", help=argparse.SUPPRESS)
    return p.parse_args(argv)


def selection(args: argparse.Namespace) -> Callable[[Any], bool]:
    """Which kernels are tried; Numba's only by name, because it compiles for each new shape."""

    def select(kernel: Any) -> bool:
        if args.kernel is not None:
            return bool(kernel.name == args.kernel)
        if args.isa is not None and kernel.isa != args.isa:
            return False
        return bool(kernel.backend == args.backend) if args.backend else kernel.backend != "numba"

    return select


class Worker:
    """Tries cases one after the other, in this process."""

    def __init__(self, args: argparse.Namespace) -> None:
        from .check import Counts

        self.args, self.select = args, selection(args)
        self.counts = Counts(*map(int, args.before.split()))
        self.found: Counter[str] = Counter()
        self.begin = time.monotonic()
        self.state = None if args.state is None else os.open(args.state, os.O_RDWR | os.O_CREAT)
        self.shown = 0.0

    def run(self) -> int:
        from .check import check
        from .generate import generate

        seed = self.args.seed if self.args.case is None else self.args.case
        while not self._over():
            faulthandler.dump_traceback_later(HANGS, exit=True)
            self._tell(seed, "as called")
            failures, counts = check(
                generate(seed, self.args.family), seed, self.select, lambda name, s=seed: self._tell(s, name)
            )
            self.counts.add(counts)
            for failure in failures:
                self.found[failure.algorithm] += 1
                if self.found[failure.algorithm] == 1:
                    self._report(failure)
            faulthandler.cancel_dump_traceback_later()
            if self.args.case is not None:
                break
            seed += 1
            self._show(seed)
        self._tell(seed, "end")
        print("\r\033[K" if sys.stderr.isatty() else "", end="", file=sys.stderr)
        c = self.counts
        print(f"{c.cases} problems, {c.refused} refusals; {len(c.kernels)} kernels, {c.pairs} of kernel and problem; "
              f"{c.runs} runs, {c.native} of native kernels; {time.monotonic() - self.begin:.0f} s")  # fmt: skip
        for what, count in self.found.most_common():
            print(f"  {count} x {what}")
        return FAILED if self.found else 0

    def _over(self) -> bool:
        if self.args.case is not None:
            return False
        if self.args.minutes is not None:
            return time.monotonic() - self.begin > 60 * self.args.minutes
        return self.counts.runs >= (20_000 if self.args.runs is None else self.args.runs)

    def _tell(self, seed: int, what: str) -> None:
        """Record the case that is tried next, in case this process dies of it."""
        if self.state is not None:
            c = self.counts
            line = f"{seed} {c.cases} {c.refused} {c.pairs} {c.runs} {c.native} {what}"
            os.pwrite(self.state, line.ljust(STATE_BYTES).encode(), 0)

    def _show(self, seed: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now - self.shown > 0.5:
            self.shown = now
            line = f"case {seed}: {self.counts.runs} runs, {len(self.found)} kinds of failures"
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    def _report(self, failure: Any) -> None:
        from .check import check, fails
        from .minimise import minimise
        from .regressions import keep

        small = failure
        if not self.args.no_minimise:
            case = minimise(failure.case, fails(failure))
            again = [f for f in check(case, failure.seed, lambda k: k.name == failure.kernel)[0]
                     if f.kind == failure.kind and f.kernel == failure.kernel]  # fmt: skip
            small = again[0] if again else failure
        print(f"\nFAILED {replace(small, seed=failure.seed)}\n", flush=True)
        if not self.args.no_keep:
            keep(small.case, f"{failure.kind}: {failure.kernel or 'as called'}")


def supervise(args: argparse.Namespace, argv: list[str]) -> int:
    """Run workers until the work is done; each that dies is a finding."""
    seed, before, crashes, status = args.seed, args.before, 0, 0
    end = None if args.minutes is None else time.monotonic() + 60 * args.minutes
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state")
        while True:
            command = [sys.executable, "-m", "tests.fuzz", *_without(argv, "--seed", "--minutes")]
            command += ["--state", str(state), "--before", before]
            command += ["--seed", str(seed)] if args.case is None else []
            command += [] if end is None else ["--minutes", str(max((end - time.monotonic()) / 60, 0))]
            code = subprocess.call(command)
            if code in (0, FAILED):
                return status or code
            where, *counts, what = state.read_text().strip().split(" ", 6)
            print(f"\nCRASHED with status {code} in case {where}, {what}: python -m tests.fuzz --case {where}"
                  + (f" --family {args.family}" if args.family else ""), flush=True)  # fmt: skip
            seed, before, crashes, status = int(where) + 1, " ".join(counts), crashes + 1, FAILED
            if crashes >= CRASHES or args.case is not None:
                return FAILED


def _without(argv: list[str], *names: str) -> list[str]:
    """`argv` without options that take one value each."""
    kept, skip = [], False
    for word in argv:
        if skip:
            skip = False
        elif word in names:
            skip = True
        elif not word.startswith(tuple(f"{n}=" for n in names)):
            kept.append(word)
    return kept


def main(argv: list[str]) -> int:
    args = parse(argv)
    os.environ.setdefault("FASTCONV_WISDOM", "")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # five threads on two processors must not spin
    if args.seed is None:
        args.seed = int(time.time()) % 10**8
    faulthandler.enable()
    if args.state is not None or args.one_process:
        return Worker(args).run()
    print(f"seed {args.seed}" if args.case is None else f"case {args.case}", flush=True)
    return supervise(args, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
