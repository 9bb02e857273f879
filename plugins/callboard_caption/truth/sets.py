"""Measures captions on somebody's own material: media, each beside the subtitles that are right for it.

``scene4.mov`` is compared with ``scene4.en.srt`` (or another format that is read), whose name says the language. A
plain ``scene4.en.txt`` gives the words without times.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import UsageError
from callboard.sources.kinds import kind_of
from callboard.testing.harness import PluginHarness
from callboard.timedtext import check, files, profile
from callboard.timedtext.rate import Rate, parse_rate
from callboard_schemas import Captions, Cue

from callboard_caption.truth.compared import Score, compare

if TYPE_CHECKING:
    from callboard.context import Runtime

_TRUTH: Final = re.compile(
    r"(?P<stem>.+)\.(?P<language>[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)\.(srt|vtt|ttml|ass|json|txt)"
)


def measure_set(folder: Path, parameters: Mapping[str, Any]) -> dict[str, float]:
    """Caption all media in *folder* that has truth beside it, and compare.

    Args:
        folder: Read, never written to.
        parameters: Of the caption plugin, in place of its defaults.

    Raises:
        UsageError: the folder has nothing to measure, or a parameter is wrong.
    """
    from callboard.runtime.local import LocalRuntime

    pairs = list(_pairs(folder))
    if not pairs:
        raise UsageError(
            f"{folder} has no media with subtitles beside it", "Put right ones there: scene4.mov and scene4.en.srt."
        )
    with LocalRuntime() as runtime:
        scores = [score(media, truth, language, parameters, runtime) for media, truth, language in pairs]
    return sum(scores, Score()).measures()


def score(media: Path, truth: Path, language: str, parameters: Mapping[str, Any], runtime: Runtime) -> Score:
    """Caption one file and compare it with its truth."""
    captions = captions_of(media, parameters, runtime)
    cues = captions.cues if captions is not None else ()
    return compare(right(truth), cues, language, breaches(captions) if captions is not None else 0)


def captions_of(media: Path, parameters: Mapping[str, Any], runtime: Runtime) -> Captions | None:
    """Caption one file; nothing where it has no sound."""
    with tempfile.TemporaryDirectory() as shm:
        harness = PluginHarness(Path(shm), runtime)
        answers = harness.run("callboard_caption", media, parameters={**parameters, "keywords": False})
    return next((answer for answer in answers if isinstance(answer, Captions)), None)


def right(truth: Path) -> tuple[Cue, ...]:
    """Read what is true; plain text is one cue without times."""
    if truth.suffix.lower() == ".txt":
        return (Cue(id=1, start=0.0, end=0.0, lines=(truth.read_text("utf-8"),), confidence=1.0),)
    return files.read(truth.read_bytes(), truth.name).cues


def breaches(captions: Captions) -> int:
    """Count the cues that break a limit of the profile that they were laid out for."""
    limits = profile.load(captions.profile or "web", captions.language)
    rate: Rate | None = parse_rate(captions.rate) if captions.rate else None
    found = check.check(captions.cues, limits, rate, language=captions.language)
    return len({one.cue for one in found if one.severity == "error"})


def _pairs(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    """Give media, its truth and the language, by name."""
    entries = sorted(path for path in folder.iterdir() if path.is_file())
    for truth in entries:
        found = _TRUTH.fullmatch(truth.name)
        if found is None:
            continue
        for media in entries:
            if media.stem == found["stem"] and kind_of(media.name.encode()) in ("video", "audio"):
                yield media.resolve(), truth, found["language"]  # exported corrections are links to media


__all__ = ["breaches", "captions_of", "measure_set", "right", "score"]
