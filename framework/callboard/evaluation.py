"""Evaluations: how well a plugin does on truth that it can make, and whether that is still as good as it was.

A plugin registers a module under the entry point group ``callboard.evaluations``. Its ``SUITES`` maps the name of a
suite to a function that gives measures by name; measures that end in ``error`` are better when smaller, all others
when larger. Its ``BASELINE`` is the path of a JSON file with the measures that were accepted. Where it has a function
``measure_set``, people's own material can be measured too, and one choice of parameters beside another.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, cast

import msgspec
from msgspec import Struct

from callboard.errors import JobError, UsageError

GROUP: Final = "callboard.evaluations"
SLACK: Final = 0.02
"""How much worse than its baseline a measure may be: encoders and processors differ in the last digits."""

Measures = Mapping[str, float]
Table = dict[str, dict[str, float]]


class Evaluations(Protocol):
    """What a module of evaluations holds."""

    SUITES: Mapping[str, Callable[[], Measures]]
    BASELINE: Path


EXACT: Final = ("structure-error", "invented-error")
"""Measures without any slack: one cue that moved, or that nobody spoke, is one too many."""

MeasureSet = Callable[[Path, Mapping[str, Any]], Measures]
"""Measures the material in a folder, with parameters of the plugin in place of its defaults."""


class Compared(Struct, frozen=True):
    """One measure beside its baseline; *worse* where it lost more than the slack."""

    suite: str
    measure: str
    value: float
    baseline: float | None
    worse: bool


def names() -> list[str]:
    """Name what can be evaluated."""
    return sorted(point.name for point in importlib.metadata.entry_points(group=GROUP))


def load(name: str) -> Evaluations:
    """Import the evaluations of that name.

    Raises:
        UsageError: there are none.
        JobError: they cannot be imported.
    """
    for point in importlib.metadata.entry_points(group=GROUP, name=name):
        try:
            return cast("Evaluations", point.load())
        except ImportError as error:
            raise JobError(
                f"evaluation {name!r} cannot be imported: {error}", "pip install 'callboard[all]' brings what it needs."
            ) from None
    raise UsageError(f"no evaluation {name!r}", f"There are: {', '.join(names())}.")


def sets_of(found: Evaluations, name: str) -> MeasureSet:
    """Give the function that measures people's own material.

    Raises:
        UsageError: there is none.
    """
    measure: MeasureSet | None = getattr(found, "measure_set", None)
    if measure is None:
        raise UsageError(f"{name!r} takes no material of yours", "Leave out '--set': it measures truth that it makes.")
    return measure


def parse_choice(text: str) -> dict[str, Any]:
    """Read a choice of parameters, such as ``beam_size=1,language="en"``; ``default`` and nothing are no choice.

    Raises:
        UsageError: it cannot be read.
    """
    choice: dict[str, Any] = {}
    for part in text.split(",") if text not in ("", "default") else ():
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{part!r} is no choice of a parameter", "Write it as 'beam_size=1,language=en'.")
        try:
            choice[key.strip()] = tomllib.loads(f"value = {value.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            choice[key.strip()] = value.strip()  # a word without quotes
    return choice


def compare(found: Mapping[str, Measures], baseline: Mapping[str, Measures]) -> list[Compared]:
    """Set what was measured beside what was accepted."""
    rows = []
    for suite, measures in found.items():
        for measure, value in measures.items():
            before = baseline.get(suite, {}).get(measure)
            loss = 0.0 if before is None else (value - before) * (1 if measure.endswith("error") else -1)
            # errors are in their own units: a slack of a fifth of them, where that is more
            slack = max(SLACK, abs(before or 0.0) / 5) if measure.endswith("error") else SLACK
            slack = 0.0 if measure in EXACT else slack
            rows.append(Compared(suite, measure, value, before, loss > slack))
    return rows


def read_baseline(path: Path) -> Table:
    """Read a baseline; one that is not there is empty.

    Raises:
        UsageError: it is not a baseline.
    """
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=Table)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is no baseline: {error}", "'--update' writes it again.") from None


def write_baseline(path: Path, found: Iterable[Compared]) -> None:
    """Accept what was measured; suites that were not measured stay as they were."""
    table = read_baseline(path)
    for one in found:
        table.setdefault(one.suite, {})[one.measure] = round(one.value, 4)
    path.write_bytes(msgspec.json.format(msgspec.json.Encoder(order="sorted").encode(table), indent=2) + b"\n")


__all__ = [
    "EXACT",
    "GROUP",
    "SLACK",
    "Compared",
    "Evaluations",
    "MeasureSet",
    "compare",
    "load",
    "names",
    "parse_choice",
    "read_baseline",
    "sets_of",
    "write_baseline",
]
