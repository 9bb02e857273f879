"""One pass gives small and large frames; films past the budget are sampled; what is left out is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from callboard import shm
from callboard.media.client import open_media
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Asset, Place, Sequence, Tags
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "media"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


def test_large_versions_come_with_some_frames(folder: Path) -> None:
    """Every half second a frame comes large too, and both versions are those that separate passes give."""
    with open_media(SAMPLES / "harbour_take3.mp4", shm_folder=folder) as media:
        both = list(media.frames(max_side=32, also=(0.5, 640)))
        alone = {frame.index: frame.pixels for frame in media.frames(every=0.5, max_side=640)}
        small = [frame.pixels for frame in media.frames(max_side=32)]
    assert len(both) == len(small)
    for frame, pixels in zip(both, small, strict=True):
        np.testing.assert_array_equal(frame.pixels, pixels)
    large = {frame.index: frame.large for frame in both if frame.large is not None}
    assert large.keys() == alone.keys()
    for index, pixels in alone.items():
        np.testing.assert_array_equal(large[index], pixels)


def test_a_large_photograph_is_decoded_scaled(folder: Path, tmp_path: Path) -> None:
    """Of 12 megapixels the large version comes at a quarter, 1000 pixels, upright, and the small one beside it."""
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[274] = 6
    ramp = np.linspace(0, 255, 4000).astype(np.uint8)[None, :, None].repeat(3000, axis=0).repeat(3, axis=2)
    Image.fromarray(ramp).save(path, exif=exif)
    with open_media(path, shm_folder=folder) as media:
        (frame,) = media.frames(max_side=160, also=(0.5, 1280))
        (exact,) = media.frames(max_side=1280)
    assert frame.large is not None
    assert frame.large.shape == (1000, 750, 3)
    assert frame.pixels.shape == (160, 120, 3)
    assert exact.pixels.shape == (1280, 960, 3)
    assert frame.large[10].mean() < 10 < 245 < frame.large[-10].mean()


def test_sequences_have_large_versions_too(folder: Path) -> None:
    """Files of an image sequence come large as often as was asked, over a missing frame too."""
    sequence = Sequence(pattern="plate.%04d.png", first=1001, last=1008, missing=(1005,))
    asset = Asset(
        digest="sha256:" + "0" * 64, place=Place(root="a", path="b"), kind="sequence", size=1, sequence=sequence
    )
    with open_media(SAMPLES / "plate" / "x", asset, shm_folder=folder) as media:
        frames = list(media.frames(max_side=16, also=(0.1, 64)))
    assert [frame.index for frame in frames if frame.large is not None] == [0, 3, 6]
    with (
        pytest.raises(ValueError, match="may not be negative"),
        open_media(SAMPLES / "one_frame.mp4", shm_folder=folder) as media,
    ):
        list(media.frames(also=(-1.0, 64)))


@pytest.mark.models
def test_a_film_past_the_budget_is_sampled(plugin_harness: PluginHarness) -> None:
    """With no time to decode every frame some are seen, evenly; the rest is listed as left out, with the reason."""
    switches = {"text": False, "sound": False, "faces": False, "loudness": False, "decode_seconds": 0.0}
    with LocalRuntime() as runtime:
        path = SAMPLES / "harbour_take3.mp4"
        tags, *_ = plugin_harness.run("callboard_autotag", path, parameters=switches, runtime=runtime)
    assert isinstance(tags, Tags)
    assert tags.facts["sampled"] == "one frame every 2.0 s"
    assert isinstance(tags.facts["skipped"], list)
    left_out = [line for line in tags.facts["skipped"] if "over decode_seconds = 0" in line]
    assert {line.partition(":")[0] for line in left_out} >= {"cuts", "camera movement"}
    assert {tag.group[0] for tag in tags.items} == {"technical", "picture"}
    assert tags.facts["pictures_seen"] == 3
