"""Results that were written as JSON, read again: to compare two runs, to continue one, or to draw it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from fastconv.bench.records import Entry, Roofline, Row
from fastconv.bench.results import Comparison, Report
from fastconv.bench.suite import operation_called
from fastconv.bench.suites import Case
from fastconv.bench.work import is_filter
from fastconv.dispatch.options import resolve

T = TypeVar("T")
COMPARED = "compare"  # in place of a suite's name


def load(path: str | Path) -> list[Report]:
    """The reports in a file that ``fastconv bench --json`` wrote; one of ``fastconv compare --json`` is one case.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of Report

    Raises
    ------
    ValueError
        If it is no such file.
    OSError
        If it cannot be read.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if isinstance(data, Mapping):
            c = _comparison(data)
            return [Report(COMPARED, c.title, c.threads, (Entry(Case(c.title, "", ()), c),))]
        return [_report(one) for one in data]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        raise ValueError(f"{path} was not written by fastconv bench --json or fastconv compare --json: {e!r}") from None


def is_of(entry: Entry, case: Case, door: str, cold: bool, threads: int | None) -> bool:
    """Whether an entry that was read is what measuring `case` would give: it may have changed since, as the options."""
    made, now = entry.comparison, {f.name: _tuples(getattr(case, f.name)) for f in fields(Case)}
    filters = made.door == "called" and is_filter(operation_called(case.operation))  # some of them have no other door
    return (
        now == {name: _tuples(getattr(entry.case, name)) for name in now}
        and (made.door == door or filters) and made.cold == cold
        and made.threads == resolve(threads=threads).thread_count()
    )  # fmt: skip


def _report(data: Mapping[str, Any]) -> Report:
    entries = tuple(Entry(_case(one), _comparison(one["comparison"])) for one in data["cases"])
    return Report(data["suite"], data["about"], data["threads"], entries)


def _case(data: Mapping[str, Any]) -> Case:
    case = _known(Case, data)
    shapes = tuple(map(tuple, case.shapes))
    return replace(case, shapes=shapes, args=_tuples(case.args), indices=tuple(case.indices))


def _comparison(data: Mapping[str, Any]) -> Comparison:
    made = {
        "roofline": _known(Roofline, data["roofline"]),
        "rows": tuple(_known(Row, r) for r in data["rows"]),
        "left_out": tuple((name, reason) for name, reason in data["left_out"]),
        "notes": tuple(data["notes"]),
    }
    return _known(Comparison, {**data, **made})


def _known(cls: type[T], data: Mapping[str, Any]) -> T:
    """A record of those items that it has: files of other versions have more, or fewer."""
    return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})  # type: ignore[arg-type]


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples(one) for name, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
