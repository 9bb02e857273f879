"""Whoever sends anything away says so, and nobody who only asks for work can choose where it goes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from callboard.config import PluginSettings, Settings
from callboard.discovery import Found, discover
from callboard.router import Router
from callboard.sending import sent
from callboard.testing import TmpPlugin, make_asset, make_event
from callboard_schemas import TranslationRequested

SENDS = """
id = "posts"
name = "Posts"
version = "1.0.0"
kind = "transform"
summary = "Sends texts to a place."
license = "MIT"
events = ["translation.requested"]
results = ["translation"]
permissions = [{may}]
sends_to = ["place"]

[parameters.place]
type = "string"
default = ""
project_only = {only}
help = "Where to."

[parameters.style]
type = "string"
default = "plain"
help = "How."
"""


@pytest.fixture
def localize() -> Found:
    """Give the plugin that translates."""
    return next(found for found in discover() if found.id == "localize")


def test_where_texts_are_sent_is_told_once_it_is_set(localize: Found) -> None:
    """Nothing is sent by default; a configured service is named, unless the plugin is off."""
    on = PluginSettings(parameters={"service_url": "https://host/v1"})
    off = msgspec.structs.replace(on, enabled=False)
    assert list(sent([localize], Settings())) == []
    assert [places for _, places in sent([localize], Settings(plugins={"localize": on}))] == [("https://host/v1",)]
    assert list(sent([localize], Settings(plugins={"localize": off}))) == []


def test_a_request_cannot_choose_where_texts_go(tmp_plugin: TmpPlugin, tmp_path: Path) -> None:
    """Parameters that are the project's alone are not taken from a request; others are."""
    plugin = tmp_plugin("posts", manifest=SENDS.format(may='"network"', only="true"))
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    asset = make_asset(tmp_path / "clip.mp4")
    asked = TranslationRequested(asset=asset, parameters={"place": "https://thief.example", "style": "fancy"})
    envelope = make_event(kind="translation.requested", data=asked)
    (planned,) = Router([plugin], Settings(), {}).route(envelope, asked)
    assert planned.parameters == {"place": "", "style": "fancy"}


@pytest.mark.parametrize(("may", "only", "words"), [("", "true", "network"), ('"network"', "false", "project_only")])
def test_a_plugin_that_sends_must_say_so(tmp_plugin: TmpPlugin, may: str, only: str, words: str) -> None:
    """A manifest that sends without the permission, or to where anyone likes, is refused."""
    plugin = tmp_plugin("posts", manifest=SENDS.format(may=may, only=only))
    assert plugin.manifest is None
    assert words in plugin.error


def test_translation_packs_are_part_of_the_keys_of_jobs(localize: Found) -> None:
    """The plugin names the task of the packs it uses, and the manifest says nothing of their names."""
    manifest = localize.manifest
    assert manifest is not None
    assert manifest.optional_tasks == ("translate",)
    assert manifest.sends_to == ("service_url",)
    private = [name for name, one in manifest.parameters.items() if one.project_only]
    assert private == [name for name in manifest.parameters if name.startswith("service_")]
