"""Small pictures for panels: of clips, stills and sequences, decoded outside this process."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard.catalog import Catalog, journal
from callboard.errors import CallboardError, UsageError
from callboard.following import Following
from callboard.hosting.identify import identified
from callboard.hosting.mapping import Roots
from callboard.hosting.thumbnails import Thumbnails
from PIL import Image


@pytest.fixture
def footage(tmp_path: Path, samples: Path) -> Path:
    """Give a watched folder with a clip, a still, sound and a sequence."""
    folder = tmp_path / "footage"
    (folder / "plate").mkdir(parents=True)
    for name in ("harbour_take3.mp4", "still_bars.png", "room_tone.wav"):
        shutil.copy(samples / name, folder / name)
    for number in range(1, 49):
        shade = Image.new("RGB", (64, 32), (number * 5, 0, 0))
        shade.save(folder / "plate" / f"plate.{number:04d}.png")
    return folder


@pytest.fixture
def thumbnails(footage: Path, tmp_path: Path) -> Iterator[tuple[Thumbnails, Catalog]]:
    """Give thumbnails of that folder, with the decoding process that they start."""
    roots = {"footage": bytes(footage)}
    with Catalog(tmp_path / "data") as catalog:
        found = Thumbnails(catalog, Following(roots), Roots(roots))
        yield found, catalog
        found.close()


def _opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return image.convert("RGB")


async def test_a_picture_of_any_media_by_path_or_digest(thumbnails: tuple[Thumbnails, Catalog], footage: Path) -> None:
    """Clips at their time, stills and sequences come as small JPEG files; of sound, or past the roots, none does."""
    found, catalog = thumbnails
    clip = str(footage / "harbour_take3.mp4")
    first, later, past = [_opened(await found.of("", clip, 128, seconds)) for seconds in (0.0, 3.0, 1e5)]
    assert max(first.size) == 128
    assert first.tobytes() != later.tobytes()
    assert first.tobytes() == past.tobytes()
    assert _opened(await found.of("", str(footage / "still_bars.png"), 64, 5.0)).size[0] == 64
    seen = identified(bytes(footage), b"plate/plate.0001.png")
    await catalog.write(lambda conn: journal.put_place(conn, "footage", seen))
    head = _opened(await found.of(seen.digest, "", 64, 0.0)).getpixel((10, 10))
    tail = _opened(await found.of("", str(footage / "plate" / "plate.0007.png"), 64, 47 / 24)).getpixel((10, 10))
    assert isinstance(head, tuple)
    assert isinstance(tail, tuple)
    assert (head[0] < 12, tail[0] > 230) == (True, True)
    with pytest.raises(CallboardError, match="room_tone"):
        await found.of("", str(footage / "room_tone.wav"), 64, 0.0)
    with pytest.raises(UsageError, match="in none of the watched folders"):
        await found.of("", str(footage.parent / "data" / "catalog.sqlite"), 64, 0.0)


async def test_the_process_is_let_go_of_between_pictures_alone(
    thumbnails: tuple[Thumbnails, Catalog], footage: Path
) -> None:
    """When it is time to end the decoding process while the next picture is drawn, that picture comes all the same."""
    found, _ = thumbnails
    found.idle = 0.02
    clip = str(footage / "harbour_take3.mp4")
    pictures = await asyncio.gather(*(found.of("", clip, 64, float(seconds)) for seconds in range(4)))
    assert [max(_opened(one).size) for one in pictures] == [64] * 4


async def test_a_picture_fits_into_an_answer(thumbnails: tuple[Thumbnails, Catalog], footage: Path) -> None:
    """However busy the picture, its JPEG file is at most 40 kB, so that its answer is under 64 KiB."""
    found, _ = thumbnails
    Image.effect_noise((1600, 1600), 200).convert("RGB").save(footage / "noise.png")
    assert 10_000 < len(await found.of("", str(footage / "noise.png"), 512, 0.0)) <= 40_000


def test_the_board_draws_nothing_itself() -> None:
    """Serving thumbnails brings no decoder and no arrays into the board's process."""
    code = (
        "import sys, callboard.daemon, callboard.hosting.thumbnails;"
        "print(sorted({'numpy', 'PIL', 'av'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
