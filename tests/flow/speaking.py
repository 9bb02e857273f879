"""A plugin of these tests: it captions a file by its text, a bar between cues; an exclamation mark fails its cue."""

from __future__ import annotations

from callboard import hookimpl
from callboard.context import Context
from callboard_schemas import Captions, Cue


@hookimpl
def callboard_handle(context: Context) -> Captions:
    """Caption a file."""
    assert context.path is not None
    cues = tuple(
        Cue(
            id=number,
            start=2.0 * number,
            end=2.0 * number + 1.5,
            lines=(line.strip("!"),),
            confidence=0.9,
            failed=("nobody seems to speak",) if line.endswith("!") else (),
        )
        for number, line in enumerate(context.path.read_text().split("|"), 1)
    )
    return Captions(language="en", cues=cues, confidence=0.9)
