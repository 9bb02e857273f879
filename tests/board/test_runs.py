"""One-shot work: files in, sidecars out, with a real plugin in a real process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from callboard.catalog import dead, outbox, proposals, view
from callboard.config import PluginSettings, Policy, Project, Settings
from callboard.oneshot import OneShot, Watcher
from callboard.report import RunReport
from callboard.testing import TmpPlugin
from callboard_schemas import Tags

SHOUT = """
    from callboard import hookimpl, JobError, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        text = context.path.read_bytes()
        with open(context.parameters["log"], "a") as log:
            log.write(asset.digest + "\\n")
        if text.startswith(b"BAD"):
            raise JobError("cannot make sense of it")
        return Tags(items=(Tag(label=text.decode(), score=0.9, method="shout"),), confidence=0.9)
"""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project whose only allowed third-party plugin tags a file with its own text."""
    log = {"type": "string", "default": str(tmp_path / "calls"), "help": "Where calls are counted."}
    tmp_plugin("shout", SHOUT, parameters={"log": log})
    return Project(folder=tmp_path, data=tmp_path / "data", settings=Settings(allow_plugins=("shout",), workers=2))


def _media(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "media"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.mp4").write_text(text)
    return folder


async def _run(project: Project, *paths: Path, **options: object) -> RunReport:
    return await OneShot(project, paths, plugins=("shout",), **options).execute()  # type: ignore[arg-type]  # options are the keywords of OneShot


def _calls(project: Project) -> int:
    log = project.folder / "calls"
    return len(log.read_text().splitlines()) if log.exists() else 0


async def test_a_file_becomes_tags_and_sidecars(project: Project, tmp_path: Path) -> None:
    """A file is tagged, its tags are accepted by the policy, and sidecars stand beside it."""
    media = _media(tmp_path, one="sunset")
    report = await _run(project, media)
    (asset,) = report.assets
    (job,) = asset.jobs
    (proposal,) = job.proposals
    assert (asset.state, job.state, job.cached, proposal.state) == ("done", "done", False, "accepted")
    assert isinstance(proposal.body, Tags)
    assert [tag.label for tag in proposal.body.items] == ["sunset"]
    assert sorted(os.listdir(media)) == ["one.mp4", "one.mp4.callboard.json", "one.mp4.xmp"]
    assert sorted(asset.sidecars) == [str(media / "one.mp4.callboard.json"), str(media / "one.mp4.xmp")]
    assert report.ok


async def test_what_is_done_is_not_done_again(project: Project, tmp_path: Path) -> None:
    """The second run finds the job by its key, and runs no plugin."""
    media = _media(tmp_path, one="sunset")
    await _run(project, media)
    again = await _run(project, media)
    assert again.assets[0].jobs[0].cached
    assert again.totals["cached"] == 1
    assert _calls(project) == 1


async def test_a_copy_gets_its_own_sidecars_without_new_work(project: Project, tmp_path: Path) -> None:
    """The same content under another name is known, and still gets sidecars beside it."""
    media = _media(tmp_path, one="sunset", two="sunset")
    report = await _run(project, media)
    assert _calls(project) == 1
    assert [len(asset.sidecars) for asset in report.assets] == [2, 2]


async def test_a_failure_is_a_value_and_the_rest_goes_on(project: Project, tmp_path: Path) -> None:
    """A file that fails is tried twice, kept as a dead letter, and does not stop the others."""
    media = _media(tmp_path, bad="BAD", good="sunset")
    report = await _run(project, media)
    assert {Path(a.path).name: a.state for a in report.assets} == {"bad.mp4": "failed", "good.mp4": "done"}
    assert not report.ok
    failure = report.assets[0].jobs[0].failure
    assert failure is not None
    assert (failure.code, failure.message) == ("job", "cannot make sense of it")
    assert _calls(project) == 3
    with view(project.data) as catalog:
        assert [letter.code for letter in catalog.read(dead.listed)] == ["job"]


async def test_accept_none_writes_nothing(project: Project, tmp_path: Path) -> None:
    """With acceptance none every proposal waits and no file is written."""
    media = _media(tmp_path, one="sunset")
    report = await _run(project, media, acceptance="none")
    assert report.assets[0].jobs[0].proposals[0].state == "proposed"
    assert os.listdir(media) == ["one.mp4"]
    with view(project.data) as catalog:
        assert len(catalog.read(proposals.waiting)) == 1


async def test_a_later_run_may_accept_what_an_earlier_one_left(project: Project, tmp_path: Path) -> None:
    """A cached proposal that nobody decided on is accepted by a run that accepts."""
    media = _media(tmp_path, one="sunset")
    await _run(project, media, acceptance="none")
    report = await _run(project, media)
    assert report.assets[0].jobs[0].proposals[0].state == "accepted"
    assert len(report.assets[0].sidecars) == 2
    assert _calls(project) == 1


async def test_out_mirrors_the_folder_that_was_given(project: Project, tmp_path: Path) -> None:
    """With an output folder nothing is written beside the media."""
    media = _media(tmp_path, one="sunset")
    (media / "day1").mkdir()
    (media / "one.mp4").rename(media / "day1" / "one.mp4")
    out = tmp_path / "out"
    report = await _run(project, media, out=out)
    assert os.listdir(media / "day1") == ["one.mp4"]
    assert sorted(os.listdir(out / "day1")) == ["one.mp4.callboard.json", "one.mp4.xmp"]
    assert sorted(report.assets[0].sidecars) == sorted(str(path) for path in (out / "day1").iterdir())


async def test_the_policy_threshold_of_the_project_counts(project: Project, tmp_path: Path) -> None:
    """A confidence below the project's threshold waits for a person."""
    settings = msgspec.structs.replace(project.settings, policy=Policy(thresholds={"shout": 0.95}))
    report = await _run(msgspec.structs.replace(project, settings=settings), _media(tmp_path, one="sunset"))
    assert report.assets[0].jobs[0].proposals[0].state == "proposed"


async def test_an_interrupted_run_is_resumed(project: Project, tmp_path: Path) -> None:
    """Breaking off after the first file loses nothing: the same command does just the rest."""
    media = _media(tmp_path, **{f"clip{number}": f"text {number}" for number in range(6)})
    shots: list[asyncio.Task[RunReport]] = []

    class StopAfterFirst(Watcher):
        def state(self, key: str, state: str) -> None:
            if state == "done":
                shots[0].cancel()

    shot = OneShot(project, [media], plugins=("shout",), watcher=StopAfterFirst())
    shots.append(asyncio.create_task(shot.execute()))
    with pytest.raises(asyncio.CancelledError):
        await shots[0]
    before = _calls(project)
    assert 1 <= before < 6
    report = await _run(project, media)
    assert report.ok
    assert report.totals["done"] == 6
    assert report.totals["cached"] >= 1
    assert sorted(set((project.folder / "calls").read_text().split())) == sorted({a.digest for a in report.assets})


async def test_everything_said_reaches_the_bus_of_the_run(project: Project, tmp_path: Path) -> None:
    """When a run ends its outbox is empty."""
    await _run(project, _media(tmp_path, one="sunset"))
    with view(project.data) as catalog:
        assert catalog.read(outbox.unsent) == []


async def test_what_waits_for_a_person_waits_once(project: Project, tmp_path: Path) -> None:
    """A file whose job is done anew waits with the newest answer alone; an older one waits when it is asked for."""
    media = _media(tmp_path, one="sunset")

    async def states(calls: str, acceptance: str) -> list[str]:
        shout = PluginSettings(parameters={"log": str(tmp_path / calls)})
        settings = msgspec.structs.replace(project.settings, plugins={"shout": shout})
        await _run(msgspec.structs.replace(project, settings=settings), media, acceptance=acceptance)
        with view(project.data) as catalog:
            rows = catalog.read(lambda conn: conn.execute("SELECT state FROM proposals ORDER BY created").fetchall())
        return [state for (state,) in rows]

    assert await states("one", "none") == ["proposed"]
    assert await states("two", "none") == ["superseded", "proposed"]
    assert await states("one", "all") == ["accepted", "superseded"]
    assert len((tmp_path / "one").read_text().splitlines()) == 1
