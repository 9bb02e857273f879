"""Skeletons: joints where Blender renders the figure's head, hands and feet, in the colours that the field uses."""

from __future__ import annotations

import colorsys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from callboard.timedtext.rate import Rate
from callboard_placeholder.diffusion.depth import measured
from callboard_placeholder.diffusion.pose import poses
from callboard_placeholder.diffusion.skeleton import COLOURS, JOINTS, LIMBS, Joint, skeleton
from callboard_placeholder.engine import Array, Order
from callboard_placeholder.previs.making import SCENE_NAME, stills
from callboard_schemas import Brief
from PIL import Image

# Blender, several times, on a machine with much else to do.
pytestmark = pytest.mark.timeout(900)
WIDTH, HEIGHT = 480, 360
PARTS = {"Head": (1, 0, 0), "Hand R": (0, 1, 0), "Hand L": (0, 0, 1), "Foot R": (1, 1, 0), "Foot L": (0, 1, 1)}
Figure = dict[str, Joint]


class Bench:
    """What an engine may use: Blender, and a folder."""

    def __init__(self, folder: Path) -> None:
        self.context: Any = SimpleNamespace(parameters={})
        self.folder = folder

    def progress(self, fraction: float, note: str = "") -> None:
        """Take no notice."""


def built(folder: Path, brief: Brief) -> list[Figure]:
    """Build a previs, and give the joints of its figures by name, the farthest first."""
    order = Order(shot="SH010", brief=brief, frames=1, rate=Rate(24, 1), width=WIDTH, height=HEIGHT, seed=3)
    stills(order, Bench(folder), [])
    (figures,) = poses(folder / SCENE_NAME, WIDTH, HEIGHT, Bench(folder))
    return [dict(zip(JOINTS, figure, strict=True)) for figure in figures]


def rendered(folder: Path) -> Array:
    """Render the figures' parts, each in its colour: height x width x 3, uint8."""
    file = folder / "parts.png"
    asked = {"scene": str(folder / SCENE_NAME), "file": str(file), "parts": PARTS, "width": WIDTH, "height": HEIGHT}
    measured(Path(__file__).with_name("bpy_parts.py"), asked, Bench(folder), "")
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def away(picture: Array, part: str, joint: Joint) -> float:
    """Give how many pixels a joint is from the nearest pixel of a part."""
    rows, columns = np.nonzero((picture == np.array(PARTS[part]) * 255).all(axis=2))
    assert rows.size
    assert joint is not None
    return float(np.hypot(columns + 0.5 - joint[0] * WIDTH, rows + 0.5 - joint[1] * HEIGHT).min())


def test_joints_are_where_the_figure_is_rendered(tmp_path: Path) -> None:
    """Nose and eyes are on the head, wrists at the hands, ankles at the feet, each at its own; the rest on the body."""
    (figure,) = built(tmp_path, Brief(shot_size="wide shot", movement="static", people=1))
    picture = rendered(tmp_path)
    tall = np.ptp(np.nonzero(picture.any(axis=2))[0])
    for joint in ("nose", "right eye", "left eye"):
        assert away(picture, "Head", figure[joint]) < 1.5
    for side, other in (("right", "left"), ("left", "right")):
        for joint, part in (("wrist", "Hand"), ("ankle", "Foot")):
            own, wrong = (
                away(picture, f"{part} {name[0].upper()}", figure[f"{side} {joint}"]) for name in (side, other)
            )
            assert own < 0.04 * tall  # the joint is above the hand and the foot, not in them
            assert own < wrong
    for name, at in figure.items():
        if at is not None and "ear" not in name:
            assert picture[int(at[1] * HEIGHT), int(at[0] * WIDTH)].any(), name


def test_what_is_not_seen_has_no_joint(tmp_path: Path) -> None:
    """Who stands with the back to the camera has no face, and below the edge of the picture nobody has legs."""
    main, other = built(
        tmp_path, Brief(purpose="over the shoulder", shot_size="medium shot", movement="static", people=2)
    )
    assert main["nose"] is not None
    assert other["nose"] is other["left eye"] is other["right eye"] is None
    assert any(other.values())
    assert main["left ankle"] is other["left ankle"] is None


def test_a_skeleton_is_drawn_as_the_field_draws_it() -> None:
    """Eighteen hues from red round the ring; limbs dimmer than joints; what is not seen, and its limbs, are not."""
    hues = [colorsys.rgb_to_hsv(*(part / 255 for part in colour))[0] for colour in COLOURS]
    assert hues == sorted(hues)
    assert (hues[0], len(set(COLOURS))) == (0, 18)
    figure: list[Joint] = [None] * 18
    figure[1], figure[2] = (0.5, 0.5), (0.25, 0.5)
    figure[4] = (0.25, 0.9)  # a wrist whose elbow is not seen
    picture = skeleton([figure], 512, 512)
    assert tuple(picture[256, 256]) == COLOURS[1]
    assert tuple(picture[256, 128]) == COLOURS[2]
    assert tuple(picture[460, 128]) == COLOURS[4]
    assert tuple(picture[256, 192]) == tuple(int(part * 0.6) for part in COLOURS[LIMBS.index((1, 2))])
    assert not picture[300:440].any()
    rows = np.flatnonzero(picture[:, 192].any(axis=1))
    assert np.ptp(rows) == pytest.approx(8, abs=1)
    assert not skeleton([], 64, 48).any()


def test_the_nearest_figure_is_drawn_over_the_others() -> None:
    """Where two stand in one place the last of them is seen."""
    here: list[Joint] = [(0.5, 0.5), *([None] * 17)]
    there: list[Joint] = [None, (0.5, 0.5), *([None] * 16)]
    assert tuple(skeleton([here, there], 64, 64)[32, 32]) == COLOURS[1]
    assert tuple(skeleton([there, here], 64, 64)[32, 32]) == COLOURS[0]
