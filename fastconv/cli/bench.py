"""``fastconv compare``, ``bench`` and ``diff``: what they measure, print and write."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import fastconv
from fastconv.bench.only import Only
from fastconv.cli.files import check_targets, write_text, wrote
from fastconv.core import machine
from fastconv.core.arrays import dtype_called
from fastconv.core.errors import did_you_mean, not_among
from fastconv.dispatch.extensions import all_algorithms, all_backends

if TYPE_CHECKING:
    from fastconv.bench.records import ComparisonData
    from fastconv.bench.results import Report
    from fastconv.bench.suites import Case, Suite

SAMPLING = (0.5, 15)  # for each contender: seconds, and samples at most
QUICK = (0.03, 3)
DRAWN = (0.05, 9)
BUDGET = 8.0  # seconds of one comparison's samples together
CASE_SECONDS, QUICK_SECONDS = 7.0, 2.5  # that a case of a suite takes, about
INTERRUPTED, SLOWER = 130, 1  # exit statuses

GIVEN = ("stride", "padding", "dilation", "groups", "output_padding", "layout", "padding_mode", "activation",
         "ceil_mode", "size", "sigma", "mode", "output", "axis", "axes", "percentile", "rank", "threads")  # fmt: skip


def _only(options: argparse.Namespace) -> Only:
    for option, names, known in (
        ("backend", options.backend, all_backends()), ("isa", options.isa, machine.host_isas()),
    ):  # fmt: skip
        for name in names:
            if name not in known:
                raise ValueError(not_among(option, name, known))
    for name in (*options.algorithm, *options.kernel):
        if not any(known == name or known.startswith(f"{name}_") for known in all_algorithms()):
            near = did_you_mean(name, all_algorithms())
            raise ValueError(f"{name!r} is the name of no algorithm and of no kernel{near}")
    return Only(*map(tuple, (options.backend, options.algorithm, options.kernel, options.isa)))


def compare(options: argparse.Namespace, shape: Callable[[str], Any], value: Callable[[str], Any]) -> None:
    """Run ``fastconv compare``; `shape` and `value` read the arguments of the operation."""
    from fastconv.bench.gradients import gradient_call
    from fastconv.bench.layers import ARRAYS, INDICES
    from fastconv.bench.progress import bar
    from fastconv.bench.suite import operation_called
    from fastconv.bench.table import show

    check_targets(options)
    operation: Callable[..., Any] = operation_called(options.operation)
    dtype = dtype_called(options.dtype, "dtype")
    known = inspect.signature(operation).parameters
    arrays = tuple(zip(takewhile(lambda name: name in ARRAYS, known), options.arguments, strict=False))
    args: tuple[Any, ...] = tuple(
        fastconv.Spec(shape(text), "int64" if name in INDICES else dtype) for name, text in arrays
    )
    args += tuple(value(a) for a in options.arguments[len(arrays) :])
    kwargs = {name: given for name in GIVEN if (given := getattr(options, name)) is not None}
    for name in kwargs:
        if name not in known:
            raise ValueError(f"{options.operation} has no argument {name}")
    if options.gradient is not None:
        operation, args, kwargs = gradient_call(operation, args, kwargs, options.gradient)
    with bar(sys.stderr) as tell:
        seconds, rounds = QUICK if options.quick else SAMPLING
        found = fastconv.compare(
            operation, *args, peers=options.peers, seconds=seconds, rounds=rounds, progress=tell,
            door=options.door or "planned", cold=options.cold, data=options.data, only=_only(options),
            budget=BUDGET if options.budget is None else options.budget, **kwargs,
        )  # fmt: skip
    if not write_text(found.to_json(), options.json) and options.csv != "-":
        show(found, sys.stdout, options.all)
    if options.csv is not None:
        from fastconv.bench.results import rows_csv

        write_text(rows_csv([("compare", 1, found)]), options.csv)
    _draw_one(found, options)


def _draw_one(found: ComparisonData, options: argparse.Namespace) -> None:
    """Write the page and the picture of one comparison that the options name."""
    if options.html is not None:
        from fastconv.bench.html import write_page

        write_page(options.html, found.title, [found])
        wrote(options.html)
    if options.plot is not None:
        from fastconv.bench.plot import plot_comparison

        plot_comparison(found, options.plot)
        wrote(options.plot)


def _suites(options: argparse.Namespace) -> list[Suite]:
    """The suites that are asked for, read, or drawn."""
    from fastconv.bench.drawn_cases import drawn_suite
    from fastconv.bench.suites import SUITES

    sources = {"--drawn": options.drawn, "--suite": options.suite, "--from": options.source, "--onnx": options.onnx}
    given = [name for name, value in sources.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"{given[0]} goes without {given[1]}")
    if options.drawn is not None:
        return [drawn_suite(options.drawn, options.seed)]
    if options.source is not None:
        from fastconv.bench.layers import suite_from

        return [suite_from(options.source)]
    if options.onnx is not None:
        from fastconv.bench.onnx_layers import suite_of_model

        return [suite_of_model(options.onnx)]
    names = options.suite or ["resnet50"]
    for name in names:
        if name not in SUITES and names != ["all"]:
            raise ValueError(not_among("suite", name, ("all", *SUITES)))
    return [SUITES[name] for name in (SUITES if names == ["all"] else names)]


def _cases(suite: Suite, options: argparse.Namespace) -> tuple[Case, ...]:
    """The cases of a suite that the options admit."""
    from fastconv.bench.suite import cases_of

    found = tuple(
        c for c in cases_of(suite, tuple(options.cases))
        if (not options.layout or c.kwargs.get("layout", "NCHW") == options.layout)
        and (not options.dtype or c.dtype in options.dtype)
    )  # fmt: skip
    if not found:
        raise ValueError(f"suite {suite.name} has no case of that layout and dtype")
    return found


def _list(suites: Sequence[Suite], options: argparse.Namespace) -> None:
    """The suites, or the cases of those that were named."""
    from fastconv.bench.table import align

    if options.suite is None and options.source is None and options.onnx is None and options.drawn is None:
        from fastconv.bench.suites import SUITES

        rows = [("suite", "cases", "about"), *((s.name, str(len(s.cases)), s.about) for s in SUITES.values())]
        print("\n".join(align(rows, left=(0,))))
        return
    for suite in suites:
        rows = [("case", "count", "operation")]
        for c in _cases(suite, options):
            shapes = " ".join("x".join(map(str, s)) for s in c.shapes)
            given = ", ".join([*map(str, c.args), *(f"{k}={v}" for k, v in c.kwargs.items())])
            rows.append((c.name, str(c.count), " ".join([c.operation, shapes, c.dtype, given])))
        print("\n".join([f"{suite.name}: {suite.about}", *align(rows, left=(0,))]))


def bench(options: argparse.Namespace) -> int:
    """Run ``fastconv bench``."""
    from fastconv.bench.progress import duration
    from fastconv.bench.results import reports_csv, reports_json
    from fastconv.bench.saved import load

    check_targets(options)
    suites = _suites(options)
    if options.list:
        _list(suites, options)
        return 0
    before = None if options.against is None else load(options.against)
    kept = {} if options.resume is None else {r.suite: r for r in load(options.resume)}
    cases = [_cases(suite, options) for suite in suites]
    if sys.stderr.isatty():
        each = QUICK_SECONDS if options.quick or options.drawn else CASE_SECONDS
        total = sum(map(len, cases)) * each
        print(f"fastconv: {sum(map(len, cases))} cases, about "
              f"{duration(total if options.budget is None else min(total, options.budget))}; Ctrl-C keeps what is done",
              file=sys.stderr)  # fmt: skip
    reports, stopped = [], False
    for number, (suite, chosen) in enumerate(zip(suites, cases, strict=True)):
        share = None if options.budget is None else options.budget / (len(suites) - number)
        report, stopped = _measured(suite, chosen, options, share, kept.get(suite.name))
        if report is not None:
            reports.append(report)
            _print(report, options)
        if stopped:
            break
    if not reports:
        raise KeyboardInterrupt
    if options.json is not None:
        write_text(reports_json(reports), options.json)
    if options.csv is not None:
        write_text(reports_csv(reports), options.csv)
    _draw(reports, options)
    slower = before is not None and _against(before, reports, options)
    if stopped:
        done = sum(len(r.entries) for r in reports)
        again = f"; --resume {options.json} goes on" if options.json not in (None, "-") else ""
        print(f"fastconv: interrupted after {done} of {sum(map(len, cases))} cases{again}", file=sys.stderr)
        return INTERRUPTED
    return SLOWER if slower else 0


def _measured(
    suite: Suite, chosen: Sequence[Case], options: argparse.Namespace, budget: float | None, kept: Report | None
) -> tuple[Report | None, bool]:
    """The report of a suite, with the cases that an earlier run has, and whether Ctrl-C ended it."""
    from fastconv.bench.progress import bar
    from fastconv.bench.saved import is_of
    from fastconv.bench.suite import measured, report

    old = {} if kept is None else {e.case.name: e for e in kept.entries}
    door = options.door or ("called" if options.drawn else "planned")
    entries = [old[c.name] for c in chosen
               if c.name in old and is_of(old[c.name], c, door, options.cold, options.threads)]  # fmt: skip
    names = {e.case.name for e in entries}
    left = [c for c in chosen if c.name not in names]
    if other := [c.name for c in left if c.name in old]:
        print(f"fastconv: {suite.name}: {len(other)} cases of {options.resume} have other arguments, threads or doors, "
              f"and are measured again: {', '.join(other[:5])}{', ...' if len(other) > 5 else ''}",
              file=sys.stderr)  # fmt: skip
    stopped = False
    seconds, rounds = QUICK if options.quick else DRAWN if options.drawn else SAMPLING
    try:
        with bar(sys.stderr) as tell:
            for entry in measured(
                suite, left, peers=options.peers, threads=options.threads, seconds=seconds, rounds=rounds,
                progress=tell, door=door, cold=options.cold, only=_only(options), budget=budget,
            ):  # fmt: skip
                entries.append(entry)
    except KeyboardInterrupt:
        stopped = True
    if len(entries) < len(chosen) and not stopped:
        print(f"fastconv: {suite.name}: the budget was over after {len(entries)} of {len(chosen)} cases",
              file=sys.stderr)  # fmt: skip
    return (report(suite, entries) if entries else None), stopped


def _print(report: Report, options: argparse.Namespace) -> None:
    from fastconv.bench.drawn import drawn_text
    from fastconv.bench.table import show

    if options.json != "-" and options.csv != "-":
        if options.drawn:
            print(drawn_text(report, options.peers))
        else:
            show(report, sys.stdout)
        sys.stdout.flush()


def _draw(reports: Sequence[Report], options: argparse.Namespace) -> None:
    """Write the page and the picture that the options name."""
    if options.html is not None:
        from fastconv.bench.html import write_page

        write_page(options.html, f"fastconv bench: {', '.join(r.suite for r in reports)}", reports)
        wrote(options.html)
    if options.plot is not None:
        from fastconv.bench.plot import plot_reports

        plot_reports(reports, options.plot)
        wrote(options.plot)


def _against(before: Sequence[Report], now: Sequence[Report], options: argparse.Namespace) -> bool:
    """Print what changed since an earlier run; return whether something became slower."""
    from fastconv.bench.diff import diff
    from fastconv.bench.table import columns_of

    found = diff(before, now)
    stream = sys.stderr if "-" in (options.json, options.csv) else sys.stdout
    print(f"against {options.against}:", file=stream)
    print(found.to_text(columns_of(stream)), file=stream)
    return bool(found.slower)


def diff(options: argparse.Namespace) -> int:
    """Run ``fastconv diff``."""
    from fastconv.bench.diff import diff as compared
    from fastconv.bench.saved import load
    from fastconv.bench.table import columns_of

    found = compared(load(options.before), load(options.now))
    if not found.changes:
        raise ValueError(f"{options.before} and {options.now} have no case in common")
    print(found.to_text(columns_of(sys.stdout)))
    return SLOWER if found.slower else 0


def view(options: argparse.Namespace) -> None:
    """Run ``fastconv view``: a saved result as a table, a page or a picture."""
    from fastconv.bench.results import reports_csv
    from fastconv.bench.saved import COMPARED, load
    from fastconv.bench.table import show

    check_targets(options)
    reports = load(options.file)
    alone = reports[0].entries[0].comparison if [r.suite for r in reports] == [COMPARED] else None
    if options.csv != "-":
        for report in reports:
            show(report if alone is None else alone, sys.stdout)
    if options.csv is not None:
        write_text(reports_csv(reports), options.csv)
    if alone is None:
        _draw(reports, options)
    else:
        _draw_one(alone, options)
