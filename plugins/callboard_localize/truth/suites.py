"""What ``callboard eval translation`` measures: a little film of our own, put into other languages and compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from callboard_localize.truth.sets import measure_set

FOLDER: Final = Path(__file__).with_name("harbour")
BASELINE: Final = Path(__file__).with_name("baseline.json")
"""What was accepted last; with Apertium's packages of Debian 12."""


def _harbour(language: str) -> dict[str, float]:
    return measure_set(FOLDER, {"engine": "apertium"}, only=language)


SUITES: Final[dict[str, Callable[[], dict[str, float]]]] = {
    "apertium-es": partial(_harbour, "es"),
    "apertium-pt": partial(_harbour, "pt"),
}
"""Suites by name; Portuguese is reached through Spanish."""
