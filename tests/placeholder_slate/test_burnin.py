"""The burn-in: readable on any picture, at any size, and nothing else of the picture is touched."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard.timedtext.rate import parse_rate
from callboard_autotag.reader import Reader
from callboard_placeholder.burnin import Label, over
from callboard_placeholder.clock import timecode
from callboard_placeholder.engine import Order
from callboard_schemas import Brief
from msgspec.structs import replace

Array = np.ndarray[Any, Any]

ORDER = Order(
    shot="SH010", brief=Brief(), frames=6, rate=parse_rate("29.97df"), width=640, height=360, start=1798, seed=7
)


def noise(order: Order, seed: int = 3) -> Array:
    """Give a picture in which nothing is alike."""
    return np.random.default_rng(seed).integers(0, 256, (order.height, order.width, 3), np.uint8)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Give a reader of text in pictures."""
    with LocalRuntime() as runtime:
        yield Reader(runtime)


@pytest.mark.models
@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_it_is_read_on_any_picture(reader: Reader, kind: str) -> None:
    """Shot, engine and timecode are read back on black, white and noise; drop frame with its semicolon."""
    plain = noise(ORDER) if kind == "noise" else np.full_like(noise(ORDER), {"black": 0, "white": 255}[kind])
    written = list(over(iter([plain] * 3), ORDER, "previs"))[2]
    said = [line.text.replace(" ", "") for line in reader.read(written)]
    assert "PLACEHOLDER-SH010-previs" in said
    assert "00:01:00;02" in said


@pytest.mark.parametrize(
    ("width", "height", "aspect"),
    [
        (64, 36, Fraction(1)),
        (128, 72, Fraction(1)),
        (720, 576, Fraction(16, 15)),
        (1080, 1920, Fraction(1)),
        (1920, 1080, Fraction(1)),
        (64, 400, Fraction(1)),
        (30, 20, Fraction(1)),
    ],
)
def test_nothing_else_is_touched(width: int, height: int, aspect: Fraction) -> None:
    """Outside the two plates every pixel is as it was, and the pictures that were given are left alone."""
    order = replace(ORDER, width=width, height=height, pixel_aspect=aspect)
    plain = noise(order)
    before = plain.copy()
    label = Label(order, "previs")
    for written in over(iter([plain] * 2), order, "previs"):
        changed = (written != before).any(axis=2)
        assert changed[label.label.top :, label.label.left :][: label.label.height, : label.label.width].mean() > 0.9
        for plate in (label.label, label.clock):
            changed[plate.top : plate.top + plate.height, plate.left : plate.left + plate.width] = False
        assert not changed.any()
    assert (plain == before).all()


@pytest.mark.parametrize("width", [64, 320, 1920])
def test_the_word_stands_at_any_size(width: int) -> None:
    """The word covers a good part of the width of a small picture and a modest part of a large one."""
    order = replace(ORDER, width=width, height=width * 9 // 16)
    share = Label(order, "slate").label.width / width
    assert (0.8 < share <= 1.0) if width == 64 else (0.2 < share < 0.5)


def test_a_timecode_looks_like_itself_alone() -> None:
    """Over a plain picture, the plates of two frames are the same exactly where their timecode is: here never."""
    order = replace(ORDER, frames=60)
    clock = Label(order, "previs").clock
    plain = np.full((order.height, order.width, 3), 90, np.uint8)
    seen: dict[bytes, str] = {}
    for index, written in enumerate(over(iter([plain] * 60), order, "previs")):
        plate = written[clock.top : clock.top + clock.height, clock.left : clock.left + clock.width].tobytes()
        assert seen.setdefault(plate, timecode(order.rate, order.start + index)) == timecode(
            order.rate, order.start + index
        )
    assert len(seen) == 60
    again = next(over(iter([plain]), replace(order, start=order.start + 30), "previs"))
    plate = again[clock.top : clock.top + clock.height, clock.left : clock.left + clock.width].tobytes()
    assert seen[plate] == timecode(order.rate, order.start + 30)


def test_long_names_lose_the_engine_first() -> None:
    """A name that leaves no room for the engine stands without it; one that has no room at all leaves the word."""
    wide = Label(replace(ORDER, shot="A" * 30), "previs").label.width
    assert wide < 0.9 * 640
    alone = Label(replace(ORDER, width=64, height=36), "previs").label
    longer = Label(replace(ORDER, width=64, height=36, shot="A" * 300), "previs").label
    assert (alone.width, alone.height) == (longer.width, longer.height)
