"""Whole jobs on real files with the real models: each kind of media gets the tags it deserves, and no others."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import callboard_autotag
import cv2
import numpy as np
import pytest
from callboard.errors import ModelMissing, RuntimeGone
from callboard.manifests import FILE_NAME, load_manifest
from callboard.packs import find_packs
from callboard.plugin import context
from callboard.runtime.local import LocalRuntime
from callboard.testing import HookFailed, PluginHarness, make_asset
from callboard_autotag.reader import Line, Reader, decode, find_boxes
from callboard_autotag.slate import read_slate
from callboard_autotag.tagger import ANALYSERS
from callboard_schemas import Sequence, Tags
from msgspec.structs import replace
from PIL import Image

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Load each model once for this module."""
    with LocalRuntime() as local:
        yield local


def run(harness: PluginHarness, runtime: object, path: Path, **parameters: object) -> Tags:
    """Give the tags of a file."""
    tags, *_ = harness.run("callboard_autotag", path, parameters=parameters, runtime=runtime)  # type: ignore[arg-type]  # doubles of the runtime too
    assert isinstance(tags, Tags)
    return tags


def labels(tags: Tags) -> set[str]:
    """Give the labels."""
    return {tag.label for tag in tags.items}


def listed(tags: Tags, name: str) -> list[str]:
    """Give a fact that is a list; empty where it is not there."""
    found = tags.facts.get(name, [])
    assert isinstance(found, list)
    return found


@pytest.mark.models
def test_an_edited_clip_with_a_slate(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both cuts on their frame, the slate read, speech heard, progress that only goes forward."""
    monkeypatch.setattr(context, "PROGRESS_EVERY", 0.0)  # every word, however soon after the last
    tags = run(plugin_harness, runtime, samples / "harbour_take3.mp4")
    assert {"edited", "scene 12", "take 3", "text: HARBOUR", "speech", "H.264", "24 fps", "mono"} <= labels(tags)
    assert not {"text: SCENE 12", "text: TAKE 3"} & labels(tags)
    (edited,) = [tag for tag in tags.items if tag.label == "edited"]
    assert [seen.frame for seen in edited.evidence] == [48, 168]
    assert [round(seen.start or 0, 2) for seen in edited.evidence] == [2.0, 7.0]
    assert "slate: scene 12, take 3" in tags.description
    assert tags.description_method == "composed"
    said = [fraction for fraction, _ in plugin_harness.progress]
    assert said == sorted(said)
    assert 0.9 < said[-1] <= 1.0
    assert not [skipped for skipped in listed(tags, "skipped") if "callboard models " not in skipped]


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "there", "absent"),
    [
        ("interview.mov", {"vertical", "29.97 fps", "timecode", "single shot", "speech"}, {"music", "no audio"}),
        ("vfr_phone.mp4", {"variable frame rate", "speech", "single shot"}, {"24 fps"}),
        ("silent_pan.mp4", {"no audio", "single shot"}, {"edited", "speech", "silent audio"}),
        ("one_frame.mp4", {"no audio", "scene 12"}, {"single shot", "edited"}),
        ("odd_size.mkv", {"VP9", "Opus", "steady tone"}, {"music", "speech"}),
        ("room_tone.wav", {"sound recording", "silent audio"}, {"speech", "music", "no audio"}),
        ("music_bed.ogg", {"music", "stereo", "Vorbis"}, {"speech", "steady tone"}),
        ("still_bars.png", {"still", "colour bars"}, {"no audio", "single shot"}),
        ("still_photo.jpg", {"still", "warm colours"}, {"no audio", "single shot"}),
    ],
)
def test_each_kind_of_media(
    name: str,
    there: set[str],
    absent: set[str],
    samples: Path,
    plugin_harness: PluginHarness,
    runtime: LocalRuntime,
) -> None:
    """What is there is tagged, what is not there is not, and the description is one sentence."""
    tags = run(plugin_harness, runtime, samples / name)
    assert there <= labels(tags)
    assert not absent & labels(tags)
    assert tags.description.endswith(".")
    assert 0 < tags.confidence <= 1
    assert all(tag.guess for tag in tags.items if tag.label == "music")


class Without:
    """A runtime that lacks some models and passes the rest on."""

    def __init__(self, runtime: LocalRuntime, error: Exception, *models: str) -> None:
        self._runtime, self._error, self._models = runtime, error, models

    def call(self, model: str, inputs: Mapping[str, Array], **options: object) -> dict[str, Any]:
        """Run, or fail."""
        if model in self._models:
            raise self._error
        return self._runtime.call(model, inputs, **options)


@pytest.mark.models
def test_a_missing_optional_model_costs_only_its_part(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """Without the speech detector the rest still answers; the facts say what was not done and what brings it."""
    error = ModelMissing("silero-vad", "is not installed", "pip install 'callboard[caption]'")
    tags = run(plugin_harness, Without(runtime, error, "silero-vad"), samples / "harbour_take3.mp4")
    assert {"edited", "H.264", "scene 12"} <= labels(tags)
    assert "speech: model 'silero-vad': is not installed; pip install 'callboard[caption]'" in listed(tags, "skipped")
    assert "speech_share" not in tags.facts
    assert tags.facts["level_dbfs"]


@pytest.mark.models
@pytest.mark.parametrize("pack", ["pp-ocr-det", "pp-ocr-rec"])
def test_a_job_waits_for_a_model_that_it_must_have(
    pack: str, samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """It is blocked before anything is decoded, and names the mending; with the part off nothing is missed."""
    less = Without(runtime, ModelMissing(pack, "is not installed", "pip install 'callboard[autotag]'"), pack)
    with pytest.raises(HookFailed) as caught:
        run(plugin_harness, less, samples / "harbour_take3.mp4")
    failure = caught.value.failure
    assert (failure.code, failure.cause) == ("model-missing", "environment")
    assert failure.hint == "pip install 'callboard[autotag]'"
    assert not plugin_harness.progress
    tags = run(plugin_harness, less, samples / "harbour_take3.mp4", text=False)
    assert "edited" in labels(tags)
    assert not [line for line in listed(tags, "skipped") if pack in line]


def test_all_packs_that_a_part_lacks_are_named_at_once(
    plugin_harness: PluginHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command brings them, so that the next job does not ask for the next one."""
    monkeypatch.setenv("CALLBOARD_STORE", str(tmp_path / "store"))
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), (40, 160, 60)).save(path)
    tags, *_ = plugin_harness.run("callboard_autotag", path, parameters={"text": False, "concepts": False})
    assert isinstance(tags, Tags)
    (line,) = listed(tags, "skipped")
    what, _, command = line.partition("; ")
    assert what == "shot size and people: models 'mtcnn-p', 'mtcnn-r', 'mtcnn-o' are not here"
    assert command == "callboard models pull mtcnn-p mtcnn-r mtcnn-o"


def test_the_manifest_lists_what_the_parts_must_have() -> None:
    """Packs for which a job waits, and only those, are under ``models``; each part's other packs are optional."""
    manifest = load_manifest(Path(callboard_autotag.__file__).parent / FILE_NAME)
    assert set(manifest.models) == {pack for part in ANALYSERS for pack in part.must}
    assert {pack for part in ANALYSERS for pack in part.needs} <= set(manifest.optional_models)
    assert not set(manifest.models) & set(manifest.optional_models)
    packs = find_packs()
    assert {getattr(packs[name].source, "extra", "") for name in manifest.models} == set(manifest.extras)


@pytest.mark.models
def test_a_dead_runtime_is_not_a_missing_model(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """When the runtime dies the job is tried again; half an answer would be kept for good."""
    dead = Without(runtime, RuntimeGone("the runtime died"), "pp-ocr-det")
    with pytest.raises(HookFailed) as caught:
        run(plugin_harness, dead, samples / "harbour_take3.mp4")
    assert caught.value.failure.cause == "environment"


@pytest.mark.models
def test_parts_can_be_left_out(samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime) -> None:
    """With every analyser off only the streams are named."""
    switches = load_manifest(Path(callboard_autotag.__file__).parent / FILE_NAME).parameters
    off = {name: False for name, switch in switches.items() if switch.type == "boolean"}
    tags = run(plugin_harness, runtime, samples / "harbour_take3.mp4", **off)
    assert {tag.method for tag in tags.items} == {"container"}


@pytest.mark.models
def test_files_that_are_no_media_are_a_clear_failure(
    plugin_harness: PluginHarness, runtime: LocalRuntime, tmp_path: Path
) -> None:
    """A text file with a video's name fails as media, once and for all."""
    path = tmp_path / "notes.mp4"
    path.write_text("shopping list\n" * 100, encoding="utf-8")
    with pytest.raises(HookFailed) as caught:
        run(plugin_harness, runtime, path)
    assert caught.value.failure.cause == "deterministic"
    assert caught.value.failure.code == "media"


@pytest.mark.models
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (4000, 20)])
def test_pictures_of_any_shape(
    size: tuple[int, int], plugin_harness: PluginHarness, runtime: LocalRuntime, tmp_path: Path
) -> None:
    """One pixel, a ribbon and a pole are tagged like any picture."""
    path = tmp_path / "odd.png"
    Image.new("RGB", size, (40, 160, 60)).save(path)
    assert "green" in labels(run(plugin_harness, runtime, path))


@pytest.mark.models
def test_a_click_of_sound(plugin_harness: PluginHarness, runtime: LocalRuntime, tmp_path: Path) -> None:
    """Ten milliseconds of sound are measured without a complaint."""
    path = tmp_path / "click.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(np.random.default_rng(0).integers(-9000, 9000, 480).astype("<i2").tobytes())
    assert "level_dbfs" in run(plugin_harness, runtime, path).facts


@pytest.mark.models
def test_text_is_read_at_its_place(runtime: LocalRuntime) -> None:
    """Two printed lines come back letter for letter, each with the box it stands in."""
    picture = np.full((540, 960, 3), 40, np.uint8)
    cv2.putText(picture, "SCENE 12 TAKE 3", (100, 150), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 4)
    cv2.putText(picture, "HARBOUR", (500, 400), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (240, 240, 180), 3)
    lines = Reader(runtime).read(picture)
    assert [line.text for line in lines] == ["SCENE 12 TAKE 3", "HARBOUR"]
    x, y, width, height = lines[1].box
    assert abs(x - 500 / 960) < 0.03
    assert abs(y + height - 400 / 540) < 0.03
    assert width < 0.3
    assert read_slate(lines).keys() == {"scene", "take"}
    assert Reader(runtime).read(np.full((540, 960, 3), 40, np.uint8)) == []


def line(text: str, x: float, y: float, width: float = 0.1, height: float = 0.05) -> Line:
    """Place a line of text."""
    return Line(text, 0.9, (x, y, width, height))


def test_a_slate_of_boxes_is_read_by_its_layout() -> None:
    """Words above or before their values are fields; prose about a scene is no slate."""
    board = [line("SCENE", 0.1, 0.1), line("TAKE", 0.5, 0.1), line("24A", 0.1, 0.18), line("7", 0.52, 0.18)]
    board += [line("ROLL", 0.1, 0.4), line("A012", 0.22, 0.4)]
    assert {field: value for field, (value, _) in read_slate(board).items()} == {
        "scene": "24A",
        "take": "7",
        "roll": "A012",
    }
    assert read_slate([line("THE FIRST SCENE", 0.1, 0.1), line("TAKE THE A TRAIN", 0.1, 0.3)]) == {}
    assert read_slate([line("SCENE 5", 0.1, 0.1)]) == {}


def test_repeats_and_blanks_are_folded() -> None:
    """Recognition steps a a - a b b - give aab: repeats are one letter, a blank parts two."""
    steps = np.full((7, 3), 0.05)
    steps[range(7), [1, 1, 0, 1, 2, 2, 0]] = 0.9
    assert decode(steps, ["", "a", "b"]) == ("aab", 0.9)
    assert decode(np.array([[0.9, 0.1, 0.0]]), ["", "a", "b"]) == ("", 0.0)


def test_boxes_grow_from_the_core_of_a_line() -> None:
    """A bar of ink in the map becomes a box around it in the picture's pixels; faint specks are none."""
    chances = np.zeros((100, 200), np.float32)
    chances[40:50, 50:150] = 0.9
    chances[80:82, 10:12] = 0.9
    (box,) = find_boxes(chances, 400, 200)
    left, top = box.min(axis=0)
    right, bottom = box.max(axis=0)
    assert 70 < left < 100
    assert 300 < right < 330
    assert 60 < top < 80
    assert 100 < bottom < 125


@pytest.mark.models
def test_an_image_sequence_is_one_asset(samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime) -> None:
    """A plate with a missing frame is tagged as a sequence: no codec, no rate, no sound that it could miss."""
    sequence = Sequence(pattern="plate.%04d.png", first=1001, last=1008, missing=(1005,), count=7)
    first = samples / "plate" / "plate.1001.png"
    asset = replace(make_asset(first), kind="sequence", sequence=sequence)
    tags, *_ = plugin_harness.run("callboard_autotag", first, asset=asset, runtime=runtime)
    assert isinstance(tags, Tags)
    assert "image sequence" in labels(tags)
    assert not {"no audio", "still", "edited", "24 fps", "damaged"} & labels(tags)
    assert "frames 1001 to 1008; 1 frame missing" in tags.description


@pytest.mark.models
def test_a_picture_that_ends_early_is_tagged_as_damaged(
    samples: Path, tmp_path: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """Half a JPEG gives the tags of what there is of it, and says that there is no more."""
    path = tmp_path / "cut.jpg"
    path.write_bytes((samples / "still_photo.jpg").read_bytes()[:20_000])
    tags = run(plugin_harness, runtime, path)
    assert {"still", "damaged"} <= labels(tags)
    assert "damaged or cut off" in tags.description
    assert "damaged" not in labels(run(plugin_harness, runtime, samples / "still_photo.jpg"))
