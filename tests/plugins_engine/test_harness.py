"""``callboard.testing``: what plugin authors get."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from callboard.config import load_settings
from callboard.errors import UsageError
from callboard.testing import HookFailed, PluginHarness, TmpPlugin, make_asset, make_event
from callboard_schemas import Tags

SHOUT = """
    from callboard import JobError, Tag, Tags, hookimpl

    @hookimpl
    async def callboard_handle(event, asset, context):
        context.progress(0.5, "half")
        if asset is None:
            raise JobError("nothing to shout about", "Give a file.")
        word = context.parameters["word"]
        label = f"{word} {event.type} {asset.kind} {context.path.name}"
        return Tags(items=(Tag(label=label, score=1, method="shout"),), confidence=1)
"""
WORD = {"word": {"type": "string", "default": "hey", "help": "What to shout."}}


def only_label(results: list[object]) -> str:
    """Give the one label of the one result."""
    (tags,) = results
    assert isinstance(tags, Tags)
    return tags.items[0].label


def test_a_plugin_runs_in_process(tmp_plugin: TmpPlugin, plugin_harness: PluginHarness, tmp_path: Path) -> None:
    """By name or as a module, with default and given parameters, for an event of choice."""
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    package = tmp_plugin("shout", SHOUT, parameters=WORD).package
    assert only_label([*plugin_harness.run(package, clip)]) == "hey media.settled video clip.mov"
    assert plugin_harness.progress == [(0.5, "half")]
    asked = make_event(make_asset(clip), "tags.requested")
    results = plugin_harness.run(importlib.import_module(package), clip, parameters={"word": "ho"}, event=asked)
    assert only_label([*results]) == "ho tags.requested video clip.mov"


def test_a_failing_plugin_raises_what_the_board_would_record(
    tmp_plugin: TmpPlugin, plugin_harness: PluginHarness
) -> None:
    """The failure is the one that the board would have recorded, with its hint in the message."""
    package = tmp_plugin("shout", SHOUT, parameters=WORD).package
    with pytest.raises(HookFailed, match="nothing to shout about") as caught:
        plugin_harness.run(package)
    assert (caught.value.failure.code, caught.value.failure.cause) == ("job", "deterministic")
    assert "Give a file." in str(caught.value)


def test_a_wrong_parameter_is_told(tmp_plugin: TmpPlugin, plugin_harness: PluginHarness) -> None:
    """The harness checks parameters as the board does."""
    package = tmp_plugin("shout", SHOUT, parameters=WORD).package
    with pytest.raises(UsageError, match="did you mean 'word'"):
        plugin_harness.run(package, parameters={"wrd": "x"})


def test_a_plugin_without_a_hook_is_told(tmp_plugin: TmpPlugin, plugin_harness: PluginHarness) -> None:
    """A plugin that cannot be loaded fails as it would in its process."""
    with pytest.raises(HookFailed, match="plugin-broken"):
        plugin_harness.run(tmp_plugin("mute", "").package)


def test_a_plugin_without_a_runtime_is_blocked(tmp_plugin: TmpPlugin, plugin_harness: PluginHarness) -> None:
    """Asking for models where nothing serves them says what to start."""
    code = """
        from callboard import hookimpl

        @hookimpl
        def callboard_handle(context):
            context.runtime
    """
    with pytest.raises(HookFailed, match="no model runtime is running") as caught:
        plugin_harness.run(tmp_plugin("model", code).package)
    assert caught.value.failure.cause == "environment"


def test_a_project_is_one(callboard_project: Path) -> None:
    """The project fixture's settings are valid and change nothing."""
    assert load_settings(callboard_project / "callboard.toml").watch == ()
