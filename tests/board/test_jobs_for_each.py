"""A job for each value of the list that a plugin names, such as its languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.catalog.jobs import Planned
from callboard.config import PluginSettings, Settings
from callboard.discovery import Found
from callboard.errors import ManifestError
from callboard.manifests import load_manifest
from callboard.router import Router
from callboard.testing import TmpPlugin, make_asset, make_event
from callboard_schemas import Asset, Captions, CaptionsAccepted, TranslationRequested

MANIFEST = """
id = "turn"
name = "turn"
version = "1.0.0"
kind = "transform"
summary = "A plugin of a test."
license = "Apache-2.0"
events = ["captions.accepted", "translation.requested"]
results = ["translation"]
each = "languages"
parameters.languages = { type = "strings", default = [], help = "Which." }
"""
SILENT = """
    from callboard import hookimpl

    @hookimpl
    def callboard_handle(event, context):
        return None
"""
CAPTIONS = Captions(language="en", cues=(), confidence=1.0)


@pytest.fixture
def plugin(tmp_plugin: TmpPlugin) -> Found:
    """Give a plugin with a job for each language."""
    return tmp_plugin("turn", SILENT, MANIFEST)


@pytest.fixture
def film(tmp_path: Path) -> Asset:
    """Give a film."""
    (tmp_path / "film.mov").write_text("a film")
    return make_asset(tmp_path / "film.mov")


def planned(plugin: Found, film: Asset, settings: tuple[str, ...], asked: tuple[str, ...] = ()) -> list[Planned]:
    """Plan what accepted captions cause with languages in the settings, or a request for languages."""
    own = PluginSettings(parameters={"languages": list(settings)})
    router = Router([plugin], Settings(plugins={"turn": own}), {})
    if asked:
        request = TranslationRequested(asset=film, captions=CAPTIONS, languages=asked)
        return router.route(make_event(film, "translation.requested", request), request)
    accepted = CaptionsAccepted(asset=film, captions=CAPTIONS, proposal="p")
    return router.route(make_event(film, "captions.accepted", accepted), accepted)


def languages(jobs: list[Planned]) -> list[object]:
    """Name the languages of each job."""
    return [job.parameters["languages"] for job in jobs]


def test_each_language_is_a_job(plugin: Found, film: Asset) -> None:
    """One that has to wait holds up no other, and one more language leaves the keys of the others as they were."""
    two, three = planned(plugin, film, ("es", "ca")), planned(plugin, film, ("es", "fr", "ca", "es"))
    assert languages(two) == [["es"], ["ca"]]
    assert languages(three) == [["es"], ["fr"], ["ca"]]
    assert {job.key for job in two} < {job.key for job in three}
    assert len({job.key for job in three}) == 3


def test_a_request_says_which(plugin: Found, film: Asset) -> None:
    """The languages of a request take the place of those of the settings, in jobs that are the same for each asker."""
    asked = planned(plugin, film, ("es",), ("de", "ca"))
    assert languages(asked) == [["de"], ["ca"]]
    assert asked[1].key == planned(plugin, film, (), ("ca",))[0].key


def test_no_language_is_one_job(plugin: Found, film: Asset) -> None:
    """With nothing in the list the plugin is asked once, and decides for itself."""
    assert languages(planned(plugin, film, ())) == [[]]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('each = "languages"', 'each = "language"', "there is no parameter 'language'"),
        ('type = "strings", default = []', 'type = "string", default = ""', "must be of the type strings"),
    ],
)
def test_the_list_must_be_one(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A manifest that names no parameter, or one that is no list, is refused with the reason."""
    (tmp_path / "manifest.toml").write_text(MANIFEST.replace(old, new))
    with pytest.raises(ManifestError, match=words):
        load_manifest(tmp_path / "manifest.toml")
