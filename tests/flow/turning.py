"""A plugin of these tests: it translates by turning every word round."""

from __future__ import annotations

from pathlib import Path

import msgspec
from callboard import hookimpl
from callboard.context import Context
from callboard.timedtext.files import read_file
from callboard_schemas import Asset, Captions, CaptionsAccepted, Cue, Envelope, Translation, TranslationRequested


def turned(text: str) -> str:
    """Turn every word round."""
    return " ".join(word[::-1] for word in text.split())


def _cue(cue: Cue) -> Cue:
    risk = 0.9 if len(cue.lines[0]) > 12 else 0.1
    return msgspec.structs.replace(cue, lines=tuple(map(turned, cue.lines)), words=(), risk=risk)


@hookimpl
def callboard_handle(event: Envelope, asset: Asset, context: Context) -> list[Translation]:
    """Translate what an event brings."""
    with Path(str(context.parameters["log"])).open("a") as calls:
        calls.write(event.type + "\n")
    asked = TranslationRequested(asset=asset, languages=tuple(context.parameters["languages"]))  # type: ignore[arg-type]  # the manifest says strings
    if event.type == "captions.accepted":
        accepted = msgspec.json.decode(event.data, type=CaptionsAccepted)
        asked = msgspec.structs.replace(asked, captions=accepted.captions)
    elif event.type == "translation.requested":
        asked = msgspec.json.decode(event.data, type=TranslationRequested)
    captions = asked.captions
    if captions is None and asset.kind == "subtitles" and context.path is not None:
        captions = Captions(language="en", cues=read_file(context.path).cues, confidence=1.0)
    return [
        Translation(
            source_language=captions.language if captions else "en",
            language=language,
            confidence=0.9,
            engine="turn",
            method="rules",
            cues=tuple(map(_cue, captions.cues if captions else ())),
            description=turned(asked.description),
            labels={label: turned(label) for label in asked.labels},
        )
        for language in asked.languages
    ]
