"""The captions plugin lays out what it hears in a delivery profile, on the frames of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard.errors import CallboardError
from callboard.runtime.local import LocalRuntime
from callboard.testing import HookFailed, PluginHarness
from callboard.timedtext.check import check
from callboard.timedtext.profile import load
from callboard.timedtext.rate import Rate, parse_rate
from callboard_schemas import Captions


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Models in this process, loaded once."""
    with LocalRuntime() as local:
        yield local


@pytest.fixture
def samples(pytestconfig: pytest.Config) -> Path:
    """The folder of sample media."""
    return pytestconfig.rootpath / "tests/media"


def captions(path: Path, harness: PluginHarness, runtime: LocalRuntime, **parameters: object) -> Captions:
    """Caption *path*."""
    found = harness.run("callboard_caption", path, parameters=parameters, runtime=runtime)
    (result,) = (one for one in found if isinstance(one, Captions))
    return result


@pytest.mark.models
@pytest.mark.parametrize(("name", "rate"), [("harbour_take3.mp4", "24"), ("interview.mov", "29.97")])
def test_speech_of_a_film_is_laid_out_for_its_delivery(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime, name: str, rate: str
) -> None:
    """Recognised speech breaks no rule of the profile, on the frames of its film, and says which they were."""
    found = captions(samples / name, plugin_harness, runtime, profile="netflix")
    assert (found.profile, found.rate) == ("netflix", rate)
    frames: Rate = parse_rate(found.rate)
    assert found.cues
    assert all(cue.words for cue in found.cues)
    assert check(found.cues, load("netflix", "en"), frames, language="en", duration=found.duration) == []


@pytest.mark.models
def test_music_is_described_where_that_is_asked(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """Music without speech has no cue, and one that describes it where a project wants that."""
    assert captions(samples / "music_bed.ogg", plugin_harness, runtime).cues == ()
    (cue,) = captions(samples / "music_bed.ogg", plugin_harness, runtime, sounds=True).cues
    assert (cue.kind, cue.lines) == ("sound", ("[music]",))


@pytest.mark.models
def test_an_unknown_profile_is_refused(samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime) -> None:
    """A profile that is not there fails the job with its name, instead of captions for another delivery."""
    with pytest.raises((HookFailed, CallboardError), match="no-such-profile"):
        captions(samples / "interview.mov", plugin_harness, runtime, profile="no-such-profile")
