"""Previs against its brief: whether the shot size that is seen is the one asked for, and how long four seconds take.

    python bench/previs.py [--briefs 60] [--seed 1] [--save FOLDER] [--only sizes|time]

*sizes* makes briefs of every shot size with people, places, angles, movements, poses, times of day and moods by chance,
renders the middle picture of each at 960 x 540, and measures the size as tags do: by the largest face that the cascade
of autotag finds, and the limits by which shots are tagged. A picture in which no face is found counts as wrong. The
angle "overhead" is left out: it shows no face to measure.

*time* renders 4 s at 24 fps whole, with a camera that stands and one that moves. Wall time counts on a machine with
nothing else to do; processor time (of all cores) says what it would take.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from callboard.faces.framing import Searcher, size_of
from callboard.runtime.local import LocalRuntime
from callboard.timedtext.rate import Rate
from callboard_placeholder.engine import Order
from callboard_placeholder.previs import previs
from callboard_placeholder.previs.making import stills
from callboard_schemas import MOVEMENTS, SHOT_SIZES, TIMES_OF_DAY, Brief
from callboard_schemas.placeholders import Angle, Movement
from PIL import Image

FRAMES, WIDTH, HEIGHT = 96, 960, 540
_PLACES = (
    ("harbour", False), ("pine forest", False), ("main street", False), ("desert", False), ("mountains", False),
    ("kitchen", True), ("office", True), ("corn field", False), ("car park", False), ("somewhere", False),
)  # fmt: skip
_PURPOSES = (
    "Anna waits for an answer", "two strangers talk", "he sits on the bench and reads", "she walks home alone",
    "they stand and listen", "over his shoulder we see her face", "he is sitting at the table",
)  # fmt: skip
_MOODS = ("", "tense", "happy", "romantic", "bleak")
_ANGLES: tuple[Angle, ...] = ("eye level", "eye level", "low angle", "high angle", "dutch angle")


class _Context(NamedTuple):
    parameters: dict[str, Any]


class Bench(NamedTuple):
    """What the engine needs of a bench."""

    folder: Path
    context: Any

    def progress(self, fraction: float, note: str = "") -> None:
        """Say nothing."""


def orders(count: int, seed: int) -> list[Order]:
    """Give orders: every shot size as often as the others, all else by chance."""
    chance, made = Random(seed), []
    for index in range(count):
        place, interior = chance.choice(_PLACES)
        brief = Brief(
            purpose=chance.choice(_PURPOSES),
            shot_size=SHOT_SIZES[index % len(SHOT_SIZES)],
            angle=chance.choice(_ANGLES),
            movement=chance.choice(MOVEMENTS),
            people=chance.choice((1, 1, 2, 2, 3, 5)),
            place=place,
            interior=interior,
            time_of_day=chance.choice(TIMES_OF_DAY),
            mood=chance.choice(_MOODS),
        )
        made.append(ordered(brief, index))
    return made


def ordered(brief: Brief, seed: int) -> Order:
    """Give the order for a brief."""
    return Order(
        shot=f"SH{seed:03d}", brief=brief, frames=FRAMES, rate=Rate(24, 1), width=WIDTH, height=HEIGHT, seed=seed
    )


def measure_sizes(count: int, seed: int, save: Path | None) -> None:
    """Say how often the size that is seen is the one asked for."""
    right: Counter[str] = Counter()
    with LocalRuntime() as runtime:
        searcher = Searcher(runtime)
        for order in orders(count, seed):
            with tempfile.TemporaryDirectory() as folder:
                (picture,) = stills(order, Bench(Path(folder), _Context({})), [FRAMES // 2])
            faces = searcher.find(np.ascontiguousarray(picture))
            seen = size_of(faces[0].height, HEIGHT)[0] if faces else "no face"
            asked = str(order.brief.shot_size)
            right[asked] += seen == asked
            right["all"] += seen == asked
            brief = order.brief
            told = f"{brief.angle}, {brief.movement}, {brief.people} people, {brief.place}, {brief.time_of_day}"
            print(
                f"{order.shot} {'ok   ' if seen == asked else 'WRONG'} {asked}: {seen} ({told}; {brief.purpose})",
                flush=True,
            )
            if save is not None:
                Image.fromarray(picture).save(save / f"{order.shot}.png")
    for size in SHOT_SIZES:
        print(f"{size:18} {right[size]} of {sum(1 for at in range(count) if SHOT_SIZES[at % len(SHOT_SIZES)] == size)}")
    print(f"agrees in {right['all']} of {count} briefs: {100 * right['all'] / count:.0f} %")


def measure_time() -> None:
    """Say how long four seconds take."""
    movements: tuple[Movement, ...] = ("static", "dolly in")
    for movement in movements:
        brief = Brief(purpose="Anna waits", place="harbour", people=1, shot_size="medium shot", movement=movement)
        spent, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            count = sum(1 for _ in previs(ordered(brief, 1), Bench(Path(folder), _Context({}))).pictures)
        wall, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
        load = os.getloadavg()[0]
        print(
            f"{movement}: {count} pictures of {WIDTH} x {HEIGHT}, {wall:.1f} s wall, {cpu:.1f} s of processor time; "
            f"load {load:.1f} on {os.cpu_count()} cores",
            flush=True,
        )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--briefs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--only", choices=("sizes", "time"))
    asked = parser.parse_args()
    if asked.only != "sizes":
        measure_time()
    if asked.only != "time":
        measure_sizes(asked.briefs, asked.seed, asked.save)


if __name__ == "__main__":
    main()
