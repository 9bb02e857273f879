"""How much a project lets its engines that cost make in an hour and in a day."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from callboard.spending import DAY, HOUR, Limit
from callboard.timedtext.rate import parse_rate

from callboard_placeholder.engines import VARIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callboard_schemas import Parameters, PlaceholderRequested

_WINDOWS: Final = {"hour": HOUR, "day": DAY}
_WHAT: Final = ("versions", "seconds")


def limits_of(parameters: Parameters) -> tuple[Limit, ...]:
    """Give the limits of a project."""
    return tuple(
        Limit(
            what=what, most=_number(parameters.get(f"{what}_per_{name}")), window=window, setting=f"{what}_per_{name}"
        )
        for what in _WHAT
        for name, window in _WINDOWS.items()
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def costing(engines: Sequence[str], parameters: Parameters) -> list[str]:
    """Give those of the engines that are limited."""
    limited = parameters.get("limited_engines")
    return [name for name in engines if isinstance(limited, list) and name in limited]


def amounts(asked: PlaceholderRequested, engine: str) -> dict[str, float]:
    """Say what a request takes of an engine: versions, and seconds of made media."""
    versions = asked.versions if engine in VARIED else 1
    rate = parse_rate(asked.counted).fps if asked.counted else Fraction(asked.rate)
    seconds = float(asked.frames / rate) if asked.frames else asked.duration
    return {"versions": float(versions), "seconds": versions * seconds}


__all__ = ["amounts", "costing", "limits_of"]
