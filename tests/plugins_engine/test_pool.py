"""The pool of plugin processes, with plugins that behave."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from callboard_schemas import JobDone, JobFailed, Progress, Tags

from callboard.discovery import Found
from callboard.testing import TmpPlugin, make_job
from callboard.worker import PluginPool

MakePool = Callable[..., PluginPool]

SHOUT = """
    from callboard import Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        context.progress(0.5, "half")
        return Tags(items=(Tag(label=context.path.name.upper(), score=0.9, method="shout"),), confidence=0.9)
"""


@pytest.fixture
def make_pool(tmp_path: Path) -> MakePool:
    """Make pools over the given plugins."""

    def make(*plugins: Found, **options: object) -> PluginPool:
        shm = tmp_path / "shm"
        shm.mkdir(exist_ok=True)
        settings: dict[str, object] = {"workers": 8, "runtime_address": "", "shm_folder": shm, **options}
        return PluginPool(plugins, run_folder=tmp_path / "run", **settings)  # type: ignore[arg-type] # test options

    return make


async def test_a_plain_function_answers(tmp_plugin: TmpPlugin, make_pool: MakePool, tmp_path: Path) -> None:
    """A plain hook's tags come back with provenance, and its progress is heard."""
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"not really")
    heard: list[Progress] = []
    async with make_pool(tmp_plugin("shout", SHOUT), on_progress=heard.append) as pool:
        outcome = await pool.run(make_job("shout", clip, parameters={}))
    assert isinstance(outcome, JobDone), outcome
    (tags,) = outcome.results
    assert isinstance(tags, Tags)
    assert [tag.label for tag in tags.items] == ["CLIP.MOV"]
    assert (outcome.provenance.plugin, outcome.provenance.version, outcome.provenance.kind) == (
        "shout",
        "1.0.0",
        "analyse",
    )
    assert [(progress.fraction, progress.note, progress.plugin) for progress in heard] == [(0.5, "half", "shout")]
