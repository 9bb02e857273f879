"""Previs in real Blender: exact pictures, the same again, a scene to carry on from, and a clean end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from callboard.errors import Blocked
from callboard.faces.framing import Searcher, size_of
from callboard.runtime.local import LocalRuntime
from callboard.testing.processes import children, has_ended
from callboard.timedtext.rate import Rate
from callboard_placeholder.engine import Made, Order
from callboard_placeholder.engines import engine
from callboard_placeholder.previs.canvas import Canvas
from callboard_placeholder.previs.child import Child
from callboard_placeholder.previs.making import planned, stills
from callboard_placeholder.previs.plan import Plan
from callboard_placeholder.previs.program import Program, find
from callboard_schemas import Brief, Line

HERE = Path(__file__).parent
# Only the very first call waits for Blender's modules to be fetched.
pytestmark = pytest.mark.timeout(900)
HOSTILE = "\"); __import__('os').system('touch HURT'); ('''\n#{driver} %s \\"


class Cancelled(Exception):
    """What a cancelled job's progress raises."""


class Bench:
    """A bench with a folder, parameters, and a job that can be cancelled."""

    def __init__(self, folder: Path, **parameters: object) -> None:
        self.folder, self.cancelled = folder, False
        self.context: Any = SimpleNamespace(parameters=parameters)
        folder.mkdir(exist_ok=True)

    def progress(self, fraction: float, note: str = "") -> None:
        """Raise once the job is cancelled."""
        if self.cancelled:
            raise Cancelled


def order(brief: Brief, frames: int = 5, **other: Any) -> Order:
    """Give an order of small pictures."""
    size = {"width": 192, "height": 108}
    return Order(**{"shot": "SH010", "frames": frames, "rate": Rate(24000, 1001), "brief": brief, **size, **other})


TALK = Brief(
    purpose=f"two talk in the kitchen {HOSTILE}",
    shot_size="medium shot",
    movement="dolly in",
    people=2,
    cast=(HOSTILE[:40], "Bo"),
    place="kitchen",
    dialogue=(Line(text=HOSTILE, speaker="Bo"),),
    lens=40.0,
    sensor=24.0,
)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, list[Any], Path]:
    """Give what was made of a brief, its pictures, and the folder."""
    folder = tmp_path_factory.mktemp("shot")
    asked = order(TALK, pixel_aspect=Fraction(4, 3), parameters={"previs_labels": True})
    made = engine("previs")(asked, Bench(folder))
    return made, list(made.pictures), folder


def opened(command: list[str], scene: Path, to: Path) -> dict[str, Any]:
    """Open a scene in another Blender and give what is in it."""
    done = subprocess.run([*command, HERE / "bpy_opened.py", "--", scene, to], capture_output=True, timeout=280)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    told: dict[str, Any] = json.loads(to.read_text("utf-8"))
    return told


def module(version: str) -> str:
    """Give a Python that has that Blender as a module."""
    return subprocess.check_output([HERE.parent / "bpy.sh", version], text=True, timeout=850).strip()


def test_pictures_are_exactly_as_ordered(shot: tuple[Made, list[Any], Path]) -> None:
    """As many pictures as were ordered, of the size that was ordered, none of them empty, and the camera moves."""
    made, pictures, _ = shot
    assert [(one.shape, str(one.dtype)) for one in pictures] == [((108, 192, 3), "uint8")] * 5
    assert all(one.std() > 10 for one in pictures)
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() > 0.5
    assert made.models["Blender"].startswith("3.4")
    assert made.source_type == "algorithmicMedia"
    assert "mouths do not move" in made.notes


def test_the_same_again_gives_the_same_pixels(shot: tuple[Made, list[Any], Path], tmp_path: Path) -> None:
    """The plan rendered again, on one thread and into another folder, gives every pixel as it was."""
    _, pictures, folder = shot
    told = json.loads((folder / "order.json").read_bytes())
    told |= {"folder": str(tmp_path), "scene": str(tmp_path / "again.blend"), "render": [1, 3]}
    (tmp_path / "order.json").write_text(json.dumps(told), "utf-8")
    canvas = Canvas(msgspec.convert(told["plan"], Plan))
    child = Child(Program("blender").command(tmp_path / "order.json", threads=1), tmp_path, lambda: None)
    frames = [one for one in iter(child.told, None) if "frame" in one]
    assert [one["frame"] for one in frames] == [1, 3]
    for one in frames:
        assert np.array_equal(canvas.laid(one), pictures[one["frame"] - 1])


def test_what_moves_is_laid_over_what_stands_as_if_rendered_whole(tmp_path: Path) -> None:
    """With a camera that stands only the part of the picture that moves is rendered, and no pixel tells."""
    brief = Brief(purpose="she waits", shot_size="wide shot", place="harbour", people=1)
    plan, at = planned(order(brief, 40)), tmp_path / "order.json"
    told = {"plan": plan, "scene": str(tmp_path / "x.blend"), "folder": str(tmp_path), "render": [39, 1, 39]}
    at.write_bytes(msgspec.json.encode(told))
    child, canvas = Child(Program("blender").command(at), tmp_path, lambda: None), Canvas(plan)
    frames = [one for one in iter(child.told, None) if "frame" in one]
    left, top, right, bottom = frames[2]["at"]
    assert frames[0]["at"] == [0, 0, 193, 109]
    assert 0 < (right - left) * (bottom - top) < 193 * 109 / 2
    whole, first, later = (canvas.laid(one) for one in frames)
    assert not np.array_equal(first, whole)
    assert np.array_equal(later, whole)


@pytest.mark.parametrize("version", ["3.4", "5.0"])
def test_an_animator_can_carry_on(shot: tuple[Made, list[Any], Path], tmp_path: Path, version: str) -> None:
    """The scene opens in the same and in a newer Blender with range, camera, figures and keys; nothing in it runs."""
    start = ["blender", "-b", "--factory-startup", "--python-exit-code", "3", "-P"]
    made, _, folder = shot
    assert made.scene is not None
    found = opened(start if version == "3.4" else [module("5.0")], made.scene, tmp_path / "told.json")
    assert found["range"] == [1, 5]
    assert found["fps"] == pytest.approx(24000 / 1001, abs=1e-5)
    assert found["size"] == [192, 108, 100]
    assert found["aspect"] == pytest.approx(4 / 3, abs=1e-5)
    assert found["collections"] == ["Camera", "Figures", "Light", "Set"]
    assert found["camera"] == ["Camera", 40.0, 24.0]
    assert found["camera_keys"] == 12  # three places and three angles, at the start and at the end
    assert list(found["figures"]) == sorted((HOSTILE[:40], "Bo"))
    assert all(keys > 50 for keys in found["figures"].values())
    assert {"head", "upper_arm.L", "shin.R"} <= set(found["bones"])
    assert found["parts"] == 2 * 20
    assert found["labels"] == sorted((HOSTILE[:40], "Bo"))
    assert list(found["texts"]) == ["Brief"]
    assert found["texts"]["Brief"][0] is False
    assert HOSTILE in found["texts"]["Brief"][1]
    assert found["drivers"] == 0
    assert not list(folder.rglob("HURT"))
    assert not Path("HURT").exists()


def test_blender_as_a_module_makes_it_too(tmp_path: Path) -> None:
    """A Python with Blender 5 as a module renders the same plan as Blender's own program does."""
    brief = Brief(purpose="she walks", shot_size="wide shot", place="forest", people=1, movement="handheld")
    bench = Bench(tmp_path / "new", blender_python=module("5.0"))
    (picture,) = stills(order(brief), bench, [2])
    (other,) = stills(order(brief), Bench(tmp_path / "old"), [2])
    assert np.abs(picture.astype(int) - other).mean() < 6.0


def test_a_cancelled_job_leaves_no_blender(tmp_path: Path) -> None:
    """What a cancelled job's progress raises comes through at the next picture, and Blender is gone."""
    bench = Bench(tmp_path)
    made = engine("previs")(order(Brief(people=1), 100_000), bench)  # it is at work however late we look
    assert next(made.pictures).shape == (108, 192, 3)
    (child,) = children("scene.py")
    bench.cancelled = True
    with pytest.raises(Cancelled):
        list(made.pictures)
    assert has_ended(child)


def test_a_machine_without_blender_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Blender, or with a wrong one named, a job is blocked and says what to install or to set."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Blocked, match=r"none on this machine[\s\S]*apt install blender[\s\S]*blender_python"):
        find({})
    with pytest.raises(Blocked, match="is no program"):
        find({"blender": str(tmp_path / "blender")})
    wrong = tmp_path / "wrong"
    wrong.write_text("#!/bin/sh\necho Blender 2.79\n", "utf-8")
    wrong.chmod(0o755)
    with pytest.raises(Blocked, match=r"3\.4 or newer"):
        find({"blender": str(wrong)})


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """A runtime with the packs that were pulled."""
    with LocalRuntime() as runtime:
        yield runtime


@pytest.mark.models
@pytest.mark.parametrize("size", ["close-up", "wide shot"])
def test_the_shot_size_is_the_one_asked_for(runtime: LocalRuntime, tmp_path: Path, size: Any) -> None:
    """The largest face in the picture says the size that the brief asks for."""
    brief = Brief(purpose="he waits", shot_size=size, people=1, place="street", time_of_day="dusk")
    asked = order(brief, width=640, height=360)
    (picture,) = stills(asked, Bench(tmp_path), [3])
    faces = Searcher(runtime).find(picture)
    assert size_of(faces[0].height, 360)[0] == size
