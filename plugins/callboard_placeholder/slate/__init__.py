"""The engine *slate*: a card that says what the shot is for, with timecode, a countdown and scratch voice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from callboard_placeholder import voice
from callboard_placeholder.engine import Array, Bench, Made, Order
from callboard_placeholder.lettering import letters_for
from callboard_placeholder.slate.card import Background, card, plan
from callboard_placeholder.slate.running import Running

_PARAMETERS = ("language", "slate_background", "slate_tone", "slate_voice")
"""What goes into a slate beside its order."""
_MOST_NAMED = 4


def slate(order: Order, bench: Bench) -> Made:
    """Begin one slate; its pictures are drawn as they are taken.

    Raises:
        JobError: the font that the project names cannot be read.
    """
    letters = letters_for(order.parameters, order.brief)
    background = cast("Background", str(order.parameters.get("slate_background") or "grey"))
    where = plan(order, background)
    still = card(order, letters, background, where)
    running = Running(order, letters, where, background)
    heard = voice.speak(order, bench)
    notes = (f"The slate has no room for {_few(still.left_out)}.",) if still.left_out else ()

    def pictures() -> Iterator[Array]:
        for index in range(order.frames):
            picture = still.picture.copy()
            running.draw(picture, index)
            yield picture

    return Made(
        pictures=pictures(),
        sound=heard.sound,
        models={**letters.versions(), **heard.models},
        parameters={name: order.parameters[name] for name in _PARAMETERS if name in order.parameters},
        notes=(*notes, *letters.notes(), *heard.notes),
        labelled=True,
    )


def _few(parts: tuple[str, ...]) -> str:
    more = len(parts) - _MOST_NAMED
    return ", ".join(parts[:_MOST_NAMED]) + (f" and {more} more parts of the brief" if more > 0 else "")


__all__ = ["slate"]
