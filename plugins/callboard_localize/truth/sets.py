"""Measures localization on somebody's own material: subtitles of one film in several languages.

``film.en.srt`` is translated and compared with ``film.es.srt``; cues are paired by number. A ``glossary.toml`` in the
folder holds. The source is English where there is English, else the first by name; ``from`` names another.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import UsageError
from callboard.glossary import Glossary, parse
from callboard.testing.harness import PluginHarness, make_event
from callboard.timedtext import files
from callboard_schemas import Asset, Captions, Cue, Place, Translation, TranslationRequested

from callboard_localize.truth.compared import Counted, compare

if TYPE_CHECKING:
    from callboard.context import Runtime

_NAME: Final = re.compile(r"(?P<stem>.+)\.(?P<language>[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)\.(srt|vtt|ttml|ass|json)")

Cues = tuple[Cue, ...]


def measure_set(folder: Path, parameters: Mapping[str, Any], *, only: str = "") -> dict[str, float]:
    """Translate the subtitles in *folder* that are there in other languages too, and compare.

    Args:
        folder: Read, never written to.
        parameters: Of the localize plugin, in place of its defaults; and ``from``, the source language.
        only: The one language to translate into; empty takes all that are there.

    Raises:
        UsageError: the folder has nothing to measure, or a parameter is wrong.
    """
    from callboard.runtime.local import LocalRuntime

    given = dict(parameters)
    wish = str(given.pop("from", "en"))
    words = folder / "glossary.toml"
    glossary = parse(words.read_text("utf-8"), str(words)) if words.exists() else Glossary()
    counted = Counted()
    with LocalRuntime() as runtime:
        for films in _films(folder).values():
            source = wish if wish in films else min(films)
            for language in sorted(({only} if only else set(films)) & set(films) - {source}):
                found = translate(films[source], source, language, given, glossary, runtime)
                counted += compare(films[source], found, films[language], glossary, source, language)
    if not counted.cues:
        raise UsageError(
            f"{folder} has no film with subtitles in two languages", "Put them there: film.en.srt and film.es.srt."
        )
    return counted.measures()


def translate(
    cues: Cues, source: str, language: str, parameters: Mapping[str, Any], glossary: Glossary, runtime: Runtime
) -> Cues:
    """Let the plugin translate *cues* as it would for a request."""
    asset = Asset(digest="sha256:" + "0" * 64, place=Place(root="material", path="film"), kind="subtitles", size=0)
    captions = Captions(language=source, cues=cues, confidence=1.0, task="file")
    request = TranslationRequested(asset=asset, languages=(language,), captions=captions)
    with tempfile.TemporaryDirectory() as shm:
        answers = PluginHarness(Path(shm), runtime).run(
            "callboard_localize",
            parameters=parameters,
            event=make_event(asset, "translation.requested", request),
            asset=asset,
            glossary=glossary,
        )
    return next((answer.cues for answer in answers if isinstance(answer, Translation)), ())


def _films(folder: Path) -> dict[str, dict[str, Cues]]:
    """Read subtitles, by film and language; films in one language are left out."""
    films: dict[str, dict[str, Cues]] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        found = _NAME.fullmatch(path.name)
        if found is not None:
            films[found["stem"]][found["language"]] = files.read(path.read_bytes(), path.name).cues
    return {name: languages for name, languages in films.items() if len(languages) > 1}


__all__ = ["measure_set", "translate"]
