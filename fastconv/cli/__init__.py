"""The command line: ``fastconv info | selftest | backends | compare | bench | diff | view | tune | demo``.

Results go to stdout, everything else to stderr; an error is one line.  A command imports what it needs when it runs, so
that as much as possible works with NumPy alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

import fastconv
from fastconv.bench.peers import PEERS
from fastconv.cli import bench
from fastconv.cli.files import file_to_write, picture_to_write, write_text
from fastconv.core import machine
from fastconv.core.errors import did_you_mean, not_among
from fastconv.core.threads import as_count
from fastconv.dispatch.extensions import all_backends
from fastconv.typing import Data, Door


def _numbers(text: str) -> Any:
    """``3`` -> 3; ``3,2`` or ``3x2`` -> (3, 2); ``1:2,0:1`` -> [(1, 2), (0, 1)]; words stay."""
    try:
        if ":" in text:
            return [tuple(int(v) for v in pair.split(":")) for pair in text.split(",")]
        values = tuple(int(v) for v in text.replace("x", ",").split(","))
    except ValueError:
        if text.isidentifier():
            return text
        raise argparse.ArgumentTypeError(
            f"must be ints as 3 or 3,2, pairs as 1:2,0:1, or a word; got {text!r}"
        ) from None
    return values[0] if len(values) == 1 else values


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(v) for v in text.split("x"))
    except ValueError:
        raise ValueError(f"a shape must read as 1x64x56x56, got {text!r}") from None


def _value(text: str) -> Any:
    """An argument that is not an array: an int, several, or a float."""
    try:
        return _numbers(text)
    except argparse.ArgumentTypeError:
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"an argument must be a number, or several as 3,2; got {text!r}") from None


def _peers(text: str) -> tuple[str, ...]:
    if text in ("all", "none"):
        return tuple(PEERS) if text == "all" else ()
    names = tuple(n.strip() for n in text.split(","))
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(
                f"all, none, or some of {', '.join(PEERS)}; got {name!r}{did_you_mean(name, PEERS)}"
            )
    return names


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_positive(n) for n in text.split(","))


def _natural(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be an int of at least {least}, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    return _natural(text, 1)


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return found


def _threads(text: str) -> int:
    try:
        return as_count(_positive(text))
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from None


class _Parser(argparse.ArgumentParser):
    """A parser whose errors name the choice that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """End with the message."""
        found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        super().error(message if found is None else message + did_you_mean(found[1], re.findall(r"[\w-]+", found[2])))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastconv", description="Convolution, pooling and GEMM on a CPU.")
    parser.add_argument("--version", action="version", version=f"fastconv {fastconv.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    info = commands.add_parser("info", help="CPU, measured peak and bandwidth, backends and why one is missing")
    info.add_argument("--json", metavar="FILE", help="also write JSON; - for stdout, in place of the text")
    info.set_defaults(run=_info)

    tested = commands.add_parser(
        "selftest", help="every kernel that runs here against the plain reference, within a minute",
        description="Run every kernel of every instruction set of this machine on small problems, and compare each "
                    "result with the plain reference's.  The exit status is 1 if one is wrong.",
    )  # fmt: skip
    tested.add_argument("--quick", action="store_true", help="some of the problems, in seconds")
    tested.add_argument("--backend", type=_names, metavar="A,B",
                        help="kernels of these backends (default: cython, numpy; numba's take minutes)")  # fmt: skip
    tested.add_argument("--threads", type=_threads, metavar="N")
    tested.set_defaults(run=_selftest)

    each = commands.add_parser(
        "backends", help="what NumPy, Numba and Cython are like: code, first calls, calls, speed, dtypes",
        description="Ten operations by each backend: lines of code, seconds of the first call of a process, of a call "
                    "on a few elements, and of one run; dtypes.  Takes some minutes, most of them Numba's compilation.",
    )  # fmt: skip
    each.add_argument("--quick", action="store_true", help="few samples, and no first calls")
    each.set_defaults(run=_backends)

    measured = _Parser(add_help=False)
    measured.add_argument("--peers", type=_peers, default=tuple(PEERS), metavar="all|none|A,B",
                          help=f"libraries measured in the same run: {', '.join(PEERS)} (default: all)")  # fmt: skip
    measured.add_argument("--threads", type=_threads, metavar="N", help="threads of every contender")
    measured.add_argument("--door", choices=get_args(Door),
                          help="planned (default but for drawn problems): weights packed beforehand; called: functions "
                               "as they are called")  # fmt: skip
    measured.add_argument("--cold", action="store_true", help="empty caches: 48 MB are written before each run")
    measured.add_argument("--quick", action="store_true", help="few samples: rough figures")
    measured.add_argument("--json", metavar="FILE", help="also write JSON; - for stdout, in place of the table")
    measured.add_argument("--csv", metavar="FILE", help="also write CSV, a line for each contender; - for stdout")
    measured.add_argument("--budget", type=_seconds, metavar="SECONDS",
                          help=f"compare: for all samples together (default: {bench.BUDGET:.0f}); bench: for all "
                               "cases, and those that it does not reach are left out")  # fmt: skip
    measured.add_argument("--backend", type=_names, default=[], metavar="A,B",
                          help="kernels of these backends only")  # fmt: skip
    measured.add_argument("--algorithm", type=_names, default=[], metavar="A,B",
                          help="kernels of these algorithms only, as winograd, direct, im2col")  # fmt: skip
    measured.add_argument("--kernel", type=_names, default=[], metavar="A,B",
                          help="these kernels only, as cython.direct@avx2")  # fmt: skip
    measured.add_argument("--isa", type=_names, default=[], metavar="A,B",
                          help=f"kernels of these instruction sets only: {', '.join(machine.host_isas())}")  # fmt: skip
    measured.add_argument("--html", metavar="FILE", help="also write a self-contained page")
    measured.add_argument("--plot", metavar="FILE", help="also write a picture (needs matplotlib)")

    compare = commands.add_parser(
        "compare", parents=[measured], help="every kernel and every installed peer on one problem",
        description="Measure every kernel that can do an operation, and every installed peer, on random data.",
        epilog="example: fastconv compare conv2d 1x64x56x56 64x64x3x3 --padding 1",
    )  # fmt: skip
    compare.add_argument("operation", help="a public operation, as conv2d, max_pool2d, linear, median_filter")
    compare.add_argument("arguments", nargs="+", metavar="SHAPE|N",
                         help="shapes of the arrays, as 1x64x56x56; for pooling then its numbers")  # fmt: skip
    for name in ("stride", "padding", "dilation", "groups", "output-padding", "size", "axis", "axes",
                 "rank"):  # fmt: skip
        compare.add_argument(f"--{name}", type=_numbers, metavar="N|N,M")
    compare.add_argument("--layout", choices=("NCHW", "NHWC"))
    compare.add_argument("--padding-mode", metavar="MODE")
    compare.add_argument("--mode", metavar="MODE", help="what lies beyond the edges, for filters of fastconv.ndimage")
    compare.add_argument("--output", metavar="DTYPE", help="of the result of such a filter")
    for name in ("sigma", "percentile"):
        compare.add_argument(f"--{name}", type=_value, metavar="X")
    compare.add_argument("--activation", metavar="NAME")
    compare.add_argument("--ceil-mode", action="store_true", default=None)
    compare.add_argument("--gradient", metavar="NAME",
                         help="compare the gradient of this argument instead, as input or weight")  # fmt: skip
    compare.add_argument("--dtype", default="float32", help="float32 (default), float64, ...")
    compare.add_argument("--data", choices=get_args(Data), default="normal",
                         help="denormal: the input is so small that it cannot be normalised")  # fmt: skip
    compare.add_argument("--all", action="store_true",
                         help="show every kernel, and why others cannot do it")  # fmt: skip
    compare.set_defaults(run=_compare)

    racing = commands.add_parser("bench", parents=[measured], help="compare every problem of a suite")
    racing.add_argument("--suite", nargs="+", metavar="NAME",
                       help="one or more suites, or all (default: resnet50); an unknown name lists them")  # fmt: skip
    racing.add_argument("--cases", nargs="+", default=[], metavar="TEXT",
                       help="only the cases whose names contain one of these, as 3x3 or depthwise")  # fmt: skip
    racing.add_argument("--drawn", type=_positive, metavar="N",
                       help="N problems drawn at random in place of a suite, as called functions: those beside and "
                            "between the suites' cases")  # fmt: skip
    racing.add_argument("--from", dest="source", metavar="FILE.toml|FILE.csv",
                        help="layers of your own in place of a suite: see docs/benchmarks.md")  # fmt: skip
    racing.add_argument("--onnx", metavar="FILE.onnx",
                        help="the convolutions, poolings and products of a model in place of a suite")  # fmt: skip
    racing.add_argument("--list", action="store_true",
                        help="list the suites, or the cases of those named, and measure nothing")  # fmt: skip
    racing.add_argument("--layout", choices=("NCHW", "NHWC"), help="cases of this layout only")
    racing.add_argument("--dtype", type=_names, default=[], metavar="A,B", help="cases of these dtypes only")
    racing.add_argument("--resume", metavar="FILE.json", help="keep the cases that this earlier run has measured")
    racing.add_argument("--against", metavar="FILE.json",
                        help="also print what changed since this earlier run; status 1 if it is slower")  # fmt: skip
    racing.add_argument("--seed", type=_natural, default=0, metavar="S", help="of the problems drawn (default: 0)")
    racing.set_defaults(run=bench.bench)

    changes = commands.add_parser(
        "diff", help="what became faster or slower between two runs of bench --json",
        description="Compare two runs case by case.  The exit status is 1 if something became slower beyond noise.",
    )  # fmt: skip
    changes.add_argument("before", metavar="BEFORE.json")
    changes.add_argument("now", metavar="NOW.json")
    changes.set_defaults(run=bench.diff)

    view = commands.add_parser("view", help="a saved result as a table, a page or a picture")
    view.add_argument("file", metavar="FILE.json", help="of bench --json or compare --json")
    view.add_argument("--csv", metavar="FILE", help="also write CSV; - for stdout, in place of the table")
    view.add_argument("--html", metavar="FILE", help="also write a self-contained page")
    view.add_argument("--plot", metavar="FILE", help="also write a picture (needs matplotlib)")
    view.set_defaults(run=bench.view, json=None)

    tune = commands.add_parser(
        "tune", help="measure the kernels on a suite, and choose by what was measured from then on",
        description="Measure every promising kernel on the cases of a suite, and write the times to the file of "
                    "wisdom, which later choices read: FASTCONV_WISDOM, or wisdom.json in the user's cache folder. "
                    "Filters that are several kernels choose nothing themselves and are left out.",
    )  # fmt: skip
    tune.add_argument("--suite", nargs="+", default=["resnet50"], metavar="NAME",
                      help="one or more suites, or all (default: resnet50)")  # fmt: skip
    tune.add_argument("--cases", nargs="+", default=[], metavar="TEXT",
                      help="only the cases whose names contain one of these")  # fmt: skip
    tune.add_argument("--quick", action="store_true", help="few samples: rough figures")
    tune.add_argument("--fit", action="store_true",
                      help="fit the predictions for all problems to this machine instead, within ten minutes; written "
                           "to FASTCONV_RATES, or machine.json in the user's cache folder")  # fmt: skip
    tune.add_argument("--module", metavar="FILE",
                      help="with --fit: also write the rates as a module of fastconv.machines")  # fmt: skip
    tune.set_defaults(run=_tune)

    demo = commands.add_parser(
        "demo", help="the lecture's forward path as a picture; with --train, its network learns",
        description="The lecture's forward path on a photograph, as a picture.  With --train its network learns on "
                    "real images: learning curves, detectors, maps, guesses and confusions as pictures in a folder.",
        epilog="Ctrl-C ends a training after its last whole epoch: the best weights are kept, pictures are drawn, and "
               "the exit status is 130; --resume continues, to the same weights as without the interruption.",
    )  # fmt: skip
    demo.add_argument("--output", metavar="FILE.png|DIR",
                      help="what to write (default: fastconv-demo.png; with --train fastconv-demo)")  # fmt: skip
    demo.add_argument("--train", action="store_true", help="train a network; the options below need this one")
    learning = demo.add_argument_group("training")
    source = learning.add_mutually_exclusive_group()
    source.add_argument("--data", choices=("digits", "mnist"),
                        help="scikit-learn's 8x8 digits (default), or 5,000 MNIST digits")  # fmt: skip
    source.add_argument("--images", metavar="DIR", help="images of one's own, in one subfolder for each class")
    learning.add_argument("--size", type=_positive, metavar="N", help="side of these images (default: 32)")
    learning.add_argument("--colour", choices=("auto", "grey", "rgb"), help="of these images (default: auto)")
    learning.add_argument("--channels", type=_counts, metavar="N,M", help="detectors of each convolution")
    learning.add_argument("--kernel", type=_positive, metavar="N", help="side of the detectors, odd")
    learning.add_argument("--hidden", type=_positive, metavar="N", help="neurons of a hidden fully connected layer")
    learning.add_argument("--dropout", type=float, metavar="P", help="fraction of inputs that dropout leaves out")
    learning.add_argument("--epochs", type=_positive, metavar="N", help="passes over the images, in all")
    learning.add_argument("--batch", type=_positive, metavar="N", help="images of one step (default: 64)")
    learning.add_argument("--rate", type=float, metavar="R", help="learning rate")
    learning.add_argument("--optimizer", choices=("sgd", "adam"), help="default: adam")
    learning.add_argument("--decay", choices=("cosine", "none"), help="of the learning rate (default: cosine)")
    learning.add_argument("--no-augment", dest="augment", action="store_false", default=None,
                          help="show every image as it is: not moved, turned or scaled")  # fmt: skip
    learning.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    learning.add_argument("--threads", type=_threads, metavar="N")
    learning.add_argument("--weights", metavar="FILE.npz", help="where to keep the weights (default: in the folder)")
    learning.add_argument("--resume", metavar="FILE.npz", help="continue with these weights")
    demo.set_defaults(run=_demo)
    return parser


def _info(options: argparse.Namespace) -> None:
    from fastconv.bench.info import collect, text
    from fastconv.bench.table import columns_of

    found = collect()
    if not write_text(json.dumps(found, indent=1), options.json):
        print(text(found, columns_of(sys.stdout)))


def _selftest(options: argparse.Namespace) -> int:
    from fastconv.bench.progress import bar
    from fastconv.bench.selftest import BACKENDS, selftest
    from fastconv.bench.table import columns_of

    for name in options.backend or ():
        if name not in all_backends():
            raise ValueError(not_among("backend", name, all_backends()))
    with bar(sys.stderr) as tell:
        found = selftest(options.quick, options.backend or BACKENDS, options.threads, tell)
    print(found.to_text(columns_of(sys.stdout)))
    return 0 if found.right else 1


def _backends(options: argparse.Namespace) -> None:
    from fastconv.bench.backends_page import compare_backends
    from fastconv.bench.progress import bar
    from fastconv.bench.table import columns_of

    with bar(sys.stderr) as tell:
        found = compare_backends(0.03, False, tell) if options.quick else compare_backends(progress=tell)
    print(found.to_text(columns_of(sys.stdout) or 100))


def _compare(options: argparse.Namespace) -> None:
    bench.compare(options, _shape, _value)


def _tune(options: argparse.Namespace) -> None:
    if options.fit:
        return _fit(options)
    if options.module is not None:
        raise ValueError("--module goes with --fit")
    from fastconv.bench.progress import bar
    from fastconv.bench.suites import SUITES
    from fastconv.bench.timing import STEADY
    from fastconv.bench.tune import tune
    from fastconv.dispatch import wisdom

    file = wisdom.path()
    if file is None:
        raise ValueError("FASTCONV_WISDOM is empty: there is no file to write")
    names = list(SUITES) if options.suite == ["all"] else options.suite
    seconds, _ = bench.QUICK if options.quick else bench.SAMPLING
    with bar(sys.stderr) as tell:
        found = tune(names, cases=options.cases, seconds=seconds, progress=tell)
    changed = [t for t in found if t.after != t.before]
    width = max((len(t.case) for t in changed), default=0)
    for t in changed:
        print(f"{t.case:{width}}  {t.before} -> {t.after}  {t.gain:.2f} times faster")
    print(f"measured {len(found)} cases; the choice changed for {len(changed)}")
    if lost := [t.case for t in found if not t.kept]:
        print(f"not kept, because times scatter by more than {100 * STEADY:.0f}% (is the machine busy?): {len(lost)} "
              f"cases: {', '.join(lost[:5])}{', ...' if len(lost) > 5 else ''}")  # fmt: skip
    print(f"wrote {file}: {wisdom.save(file)} problems")


def _fit(options: argparse.Namespace) -> None:
    from fastconv.bench.fit import fit, source
    from fastconv.bench.progress import bar
    from fastconv.core import cpu
    from fastconv.machines import stored

    file = stored.path()
    if file is None:
        raise ValueError("FASTCONV_RATES is empty: there is no file to write")
    if options.module is not None:
        file_to_write(options.module)
    with bar(sys.stderr) as tell:
        done = fit(tell)
    print(f"measured {done.samples} times of {done.cases} problems, and "
          f"of {done.unseen} others, which show what the fit is worth")  # fmt: skip
    rows = ("before", done.before, done.unseen_before), ("after", done.after, done.unseen_after)
    for what, known, other in rows:
        print(f"regret of the choice of kernel {what}: geometric mean {known.mean:.3f}, worst {known.worst:.2f} "
              f"({known.where}); of the others {other.mean:.3f}, {other.worst:.2f} ({other.where})")  # fmt: skip
    if done.after.mean > done.before.mean:
        print("nothing was written: the known rates choose better")
        return
    stored.save(done.table, file)
    print(f"wrote {file}")
    if options.module is not None:
        name = Path(options.module).stem
        about = f"{cpu.microarchitecture() or cpu.name()}: written by `fastconv tune --fit --module`."
        Path(options.module).write_text(source(done.table, name, about), encoding="utf-8")
        print(f"wrote {options.module}")


def _demo(options: argparse.Namespace) -> int:
    given = {name: value for name, value in vars(options).items() if value is not None}
    for name in ("command", "run", "output", "train"):
        given.pop(name, None)
    if not options.train:
        if given:
            raise ValueError(f"--{'no-augment' if 'augment' in given else next(iter(given))} goes with --train")
        from fastconv.demo import demo

        target = "fastconv-demo.png" if options.output is None else options.output
        picture_to_write(target)
        print(f"wrote {demo(target)}")
        return 0

    from fastconv.bench.progress import bar
    from fastconv.training.lesson import Preferences, learn

    resume, keep, threads = (given.pop(name, None) for name in ("resume", "weights", "threads"))
    lines: list[str] = []  # printed when the progress bar has gone
    with bar(sys.stderr) as tell:
        finished = learn(
            Preferences(**given),
            "fastconv-demo" if options.output is None else options.output,
            resume=resume,
            keep=keep,
            threads=threads,
            tell=tell,
            say=lambda text: print(text, file=sys.stderr, flush=True),
            result=lines.append,
        )
    print("\n".join(lines))
    return 0 if finished else bench.INTERRUPTED


def _show_warning(message: Warning | str, *details: Any, **more: Any) -> None:
    """A warning as one line; the line of the source that raised it helps nobody here."""
    print(f"fastconv: warning: {message}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("fastconv: interrupted", file=sys.stderr)
        return bench.INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has ended, as `head` does; the interpreter's flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (
        ValueError, TypeError, IndexError, RuntimeError, ImportError, OSError, ArithmeticError, MemoryError,
    ) as e:  # fmt: skip
        words = f"{(e.strerror or '').lower()}: {e.filename}" if isinstance(e, OSError) and e.filename else str(e)
        print(f"fastconv: error: {' '.join(words.split()) or type(e).__name__}", file=sys.stderr)
        return 1 if isinstance(e, (ImportError, OSError, MemoryError)) else 2
    return status or 0
