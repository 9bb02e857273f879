"""Assets beside a job's own: reached inside the watched folders, and opened as the job's own is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from callboard import shm
from callboard.plugin.reach import reached
from callboard.testing import PluginHarness, PoolFactory, TmpPlugin, make_asset, make_event, make_job
from callboard_schemas import Asset, JobDone, Place, Sequence, Tags, encode_path
from msgspec.structs import replace

PEEK = """
    import msgspec
    from callboard import Asset, MediaError, Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, context):
        found = []
        for asset in msgspec.json.decode(event.data, type=list[Asset]):
            path = context.reach(asset)
            try:
                picture = context.open(asset, rate=25.0).picture(2.5, 64)
            except MediaError as error:
                found.append(error.message)
                continue
            wide = f"{picture.index} {picture.pixels.shape[1]} wide at {picture.time:.2f} s"
            found.append(f"{asset.place.path}: {path is not None} {wide}")
        return Tags(items=tuple(Tag(label=label, score=1, method="peek") for label in found), confidence=1)
"""


def _at(path: bytes, root: str = "footage", sequence: Sequence | None = None) -> Asset:
    place = Place(root=root, path=encode_path(path))
    return Asset(digest="sha256:" + "0" * 64, place=place, kind="video", size=1, sequence=sequence)


@pytest.fixture
def footage(tmp_path: Path, samples: Path) -> Path:
    """Give a watched folder."""
    folder = tmp_path / "footage"
    shutil.copytree(samples / "plate", folder / "plate")
    shutil.copy(samples / "harbour_take3.mp4", folder / os.fsdecode(b"take \xff.mp4"))
    (tmp_path / "elsewhere.mov").write_bytes(b"x")
    (folder / "out").symlink_to(tmp_path)
    return folder


PLATE = Sequence(pattern="plate.%04d.png", first=1001, last=1008, missing=(1005,))
ASKED = [
    _at(b"take \xff.mp4"),
    _at(b"plate/plate.%04d.png", sequence=PLATE),
    _at(b"out/elsewhere.mov"),
    _at(b"gone.mov"),
]
ANSWERED = [
    "take %FF.mp4: True 60 64 wide at 2.50 s",
    "plate/plate.%2504d.png: True 7 64 wide at 0.28 s",
    "out/elsewhere.mov: is in none of the watched folders",
    "gone.mov: is in none of the watched folders",
]


def _labels(results: object) -> list[str]:
    assert isinstance(results, Tags)
    return [item.label for item in results.items]


async def test_a_plugins_process_opens_other_assets(
    tmp_plugin: TmpPlugin, plugin_pool: PoolFactory, footage: Path
) -> None:
    """In its own process a plugin sees clips and sequences of the watched folders, and nothing outside them."""
    shared = shm.make_folder()
    job = make_job("peek", event=make_event(data=ASKED))
    async with plugin_pool(tmp_plugin("peek", PEEK), roots={"footage": bytes(footage)}, shm_folder=shared) as pool:
        outcome = await pool.run(job)
    assert isinstance(outcome, JobDone), outcome
    (tags,) = outcome.results
    left = list(shared.iterdir())
    shared.rmdir()
    assert (_labels(tags), left) == (ANSWERED, [])


def test_the_harness_opens_other_assets(tmp_plugin: TmpPlugin, plugin_harness: PluginHarness, footage: Path) -> None:
    """With the same folders the harness gives the same pictures."""
    plugin_harness.roots = {"footage": footage}
    (tags,) = plugin_harness.run(tmp_plugin("peek", PEEK).package, event=make_event(data=ASKED))
    assert _labels(tags) == ANSWERED


@pytest.mark.parametrize(
    "asset",
    [
        _at(b"../elsewhere.mov"),
        _at(b"/elsewhere.mov"),
        _at(b"plate//plate.1001.png"),
        _at(b"a\0b"),
        _at(b"x" * 5000),
        _at(b"plate/plate.1001.png", root="other"),
        _at(b"plate/plate", sequence=replace(PLATE, pattern="plate.png")),
        _at(b"plate/plate", sequence=replace(PLATE, first=900)),
        _at(b"plate/plate", sequence=replace(PLATE, pattern="../out/elsewhere.mov%01d")),
    ],
)
def test_nothing_leads_out_of_the_watched_folders(footage: Path, asset: Asset) -> None:
    """Dots, empty parts, NULs, strange roots and patterns find nothing, and raise nothing."""
    assert reached({"footage": footage}, asset) is None


def test_a_watched_folder_may_itself_be_a_link(footage: Path, tmp_path: Path) -> None:
    """A root that is a link is followed: only what is inside is bound to stay there."""
    link = tmp_path / "link"
    link.symlink_to(footage)
    asset = replace(
        make_asset(footage / "plate" / "plate.1001.png"), place=Place(root="f", path="plate/plate.1001.png")
    )
    assert reached({"f": link}, asset) == link / "plate" / "plate.1001.png"
