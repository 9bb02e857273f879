"""``autotag`` and the packs that its manifest lists under ``models``: pictures are read once those are whole."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs
from callboard.config import Project, find_project
from callboard.daemon import Daemon
from callboard.packs import find_packs, locate
from PIL import Image, ImageDraw

T = TypeVar("T")
WEIGHTS = "PP-OCRv6_det_small.onnx"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project whose own pack ``pp-ocr-det`` has a folder that is empty, and a picture with a word in it."""
    pack = find_packs()["pp-ocr-det"]
    text = Path(pack.origin).read_text("utf-8")
    source = text[text.index("[source]") : text.index("[[files]]")]
    (tmp_path / "packs" / "here").mkdir(parents=True)
    (tmp_path / "packs" / "det.toml").write_text(text.replace(source, '[source]\nkind = "file"\nfolder = "here"\n\n'))
    picture = Image.new("RGB", (640, 360), (255, 255, 255))
    ImageDraw.Draw(picture).text((60, 120), "HARBOUR", (0, 0, 0), font_size=96)
    (tmp_path / "footage").mkdir()
    picture.save(tmp_path / "footage" / "a.png")
    (tmp_path / "callboard.toml").write_text(
        '[[watch]]\npath = "footage"\nquiet = 0.2\n[runtime]\nmodels = "packs"\nstore = "store"\nthreads = 1\n'
        "[plugins.caption]\nenabled = false\n"
    )
    found = find_project(tmp_path)
    assert found is not None
    return found


def bring(project: Project, *, altered: bool = False) -> None:
    """Put the pack's file there, or one of its size with another byte in it."""
    there = project.folder / "packs" / "here" / WEIGHTS
    shutil.copyfile(locate(find_packs()["pp-ocr-det"]) / WEIGHTS, there)
    if altered:
        content = bytearray(there.read_bytes())
        content[len(content) // 2] ^= 1
        there.write_bytes(content)


async def until(what: Callable[[], T], seconds: float = 60.0) -> T:
    """Wait until *what* gives something, and give that."""
    async with asyncio.timeout(seconds):
        while not (found := what()):
            await asyncio.sleep(0.05)
    return found


@pytest.mark.models
@pytest.mark.parametrize("how", ["missing", "altered"])
async def test_a_picture_is_read_once_the_reader_is_whole(project: Project, how: str) -> None:
    """The job waits, says which pack and what mends it, and reads the text as soon as the pack is mended."""
    if how == "altered":
        bring(project, altered=True)
    sidecar = project.folder / "footage" / "a.png.xmp"
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        catalog = daemon.board.catalog
        (job,) = await until(lambda: catalog.read(jobs.blocked))
        why = job.why
        assert why is not None
        assert (why.code, "'pp-ocr-det'" in why.message) == ("model-missing", True)
        assert why.hint
        bring(project)
        await until(sidecar.exists)
        assert catalog.read(jobs.counts) == {"done": 1}
        daemon.stopping.set()
        await serving
    assert "HARBOUR" in sidecar.read_text("utf-8")
