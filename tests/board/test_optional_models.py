"""Optional models: a job is made with those that are here, waits for none, and is made anew when one comes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from callboard.catalog import jobs, view
from callboard.catalog.jobs import Planned
from callboard.config import Project, RuntimeSettings, Settings
from callboard.discovery import Found
from callboard.oneshot import OneShot
from callboard.packs import packs_of
from callboard.report import JobReport
from callboard.router import Router
from callboard.testing import TmpPlugin, make_asset, make_event
from callboard_schemas import Asset, MediaSettled, Tags

SAYS = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        items = tuple(Tag(label=f"{name} {digest}", score=0.9, method="m") for name, digest in context.models.items())
        return Tags(items=items, confidence=0.9)
"""


class Packs:
    """A project's folder of packs; a pack's files lie beside its description and may be missing."""

    def __init__(self, folder: Path) -> None:
        self.settings = RuntimeSettings(models=str(folder / "packs"))
        self.folder = folder / "packs"
        self.folder.mkdir()

    def describe(self, name: str, content: bytes = b"weights") -> None:
        """Describe a pack of one file, which is not there yet."""
        (self.folder / f"{name}.toml").write_text(
            f'name = "{name}"\nversion = "1"\ntask = "test"\nengine = "onnxruntime"\nlicense = "MIT"\n'
            f'summary = "s"\nmemory_mb = 1\n[source]\nkind = "file"\nfolder = "{name}"\n'
            f'[[files]]\npath = "a.onnx"\nsize = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
            '[[inputs]]\nname = "x"\ndtype = "float32"\nshape = [-1]\n'
        )

    def bring(self, name: str, content: bytes = b"weights") -> None:
        """Put its file there."""
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "a.onnx").write_bytes(content)

    def digest(self, name: str) -> str:
        """Give the digest of a pack."""
        return packs_of(self.settings)[name].digest


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packs:
    """Give packs ``one``, ``two`` and ``other``, of which none is here, and a store that is empty."""
    monkeypatch.setenv("CALLBOARD_STORE", str(tmp_path / "store"))
    made = Packs(tmp_path)
    for name in ("one", "two", "other"):
        made.describe(name)
    return made


@pytest.fixture
def plugin(tmp_plugin: TmpPlugin) -> Found:
    """Give a plugin that says which models its job was made with; nobody knows the third."""
    return tmp_plugin("says", SAYS, optional_models=["one", "two", "unheard"], events=["media.settled"])


def plan(packs: Packs, plugin: Found, path: Path) -> Planned:
    """Plan the job of a file with a board that has just begun."""
    router = Router([plugin], Settings(), packs_of(packs.settings))
    return route(router, make_asset(path))


def route(router: Router, asset: Asset) -> Planned:
    """Plan the only job of an asset."""
    (planned,) = router.route(make_event(asset), MediaSettled(asset=asset))
    return planned


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Give a file."""
    (tmp_path / "media").mkdir()
    path = tmp_path / "media" / "a.mp4"
    path.write_text("sunset")
    return path


def test_the_key_changes_when_an_optional_pack_becomes_ready(packs: Packs, plugin: Found, clip: Path) -> None:
    """Each pack that comes or goes makes another key; what is not named or not whole changes nothing."""
    without = plan(packs, plugin, clip)
    assert without.models == {}
    packs.bring("other")
    (packs.folder / "two").mkdir()
    (packs.folder / "two" / "a.onnx").write_bytes(b"half")
    assert plan(packs, plugin, clip).key == without.key
    packs.bring("one")
    first = plan(packs, plugin, clip)
    assert first.models == {"one": packs.digest("one")}
    assert plan(packs, plugin, clip).key == first.key
    packs.bring("two")
    both = plan(packs, plugin, clip)
    assert both.models == {name: packs.digest(name) for name in ("one", "two")}
    assert len({without.key, first.key, both.key}) == 3
    (packs.folder / "two" / "a.onnx").unlink()
    assert plan(packs, plugin, clip).key == first.key


def test_another_version_of_an_optional_pack_is_another_key(packs: Packs, plugin: Found, clip: Path) -> None:
    """A ready pack counts by its digest, one that is not here does not count at all."""
    packs.bring("one")
    before = plan(packs, plugin, clip)
    packs.describe("two", b"other weights")
    assert plan(packs, plugin, clip).key == before.key
    packs.describe("one", b"new weights")
    packs.bring("one", b"new weights")
    after = plan(packs, plugin, clip)
    assert after.models == {"one": packs.digest("one")}
    assert after.key != before.key


def test_a_board_at_work_sees_a_pack_that_comes(
    packs: Packs, plugin: Found, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks again after a second at most, without being started again."""
    now = [100.0]
    monkeypatch.setattr("callboard.router.time.monotonic", lambda: now[0])
    router, asset = Router([plugin], Settings(), packs_of(packs.settings)), make_asset(clip)
    without = route(router, asset)
    packs.bring("one")
    now[0] += 1.1
    assert route(router, asset).models == {"one": packs.digest("one")} != without.models


async def run(packs: Packs, clip: Path) -> tuple[JobReport, list[str]]:
    """Run the job in a plugin's process; give its report and what it was told of its models."""
    settings = Settings(allow_plugins=("says",), workers=1, runtime=packs.settings)
    project = Project(folder=packs.folder.parent, data=packs.folder.parent / "data", settings=settings)
    report = await OneShot(project, [clip.parent], plugins=("says",)).execute()
    (job,) = report.assets[0].jobs
    with view(project.data) as catalog:
        assert not catalog.read(jobs.blocked)
    body = job.proposals[0].body
    assert isinstance(body, Tags)
    return job, [tag.label for tag in body.items]


@pytest.mark.usefixtures("plugin")
async def test_a_missing_optional_pack_blocks_no_job(packs: Packs, clip: Path) -> None:
    """Without any the job is done, the same again is not done twice, and with one it is done anew and told of it."""
    job, told = await run(packs, clip)
    assert (job.state, job.cached, told) == ("done", False, [])
    assert (await run(packs, clip))[0].cached
    packs.bring("two")
    job, told = await run(packs, clip)
    assert (job.state, job.cached, told) == ("done", False, [f"two {packs.digest('two')}"])
    assert job.proposals[0].provenance.models == {"two": packs.digest("two")}
