"""What can be done in a project that is open, for a command that asks for no more than that.

``arguments`` of the command say it: ``{"live": "bin"}`` brings a file into the bin, ``{"live": "playhead"}`` puts one
subtitle where the playhead is. Without them a command waits until the project is closed, and is then done whole.
"""

from __future__ import annotations

import os
import time
from typing import Final

from callboard_schemas import Command

from callboard_kdenlive.live import Live, Session, connected
from callboard_kdenlive.outcome import Outcome

_SECONDS: Final = 3.0
"""After which a change that Kdenlive made would show as one that is not saved."""
_LOOK: Final = 0.05


def at_once(session: Session, command: Command) -> Outcome | None:
    """Do what the command asks for in the open project; ``None`` where it does not ask for that.

    Raises:
        HostError: Kdenlive does not answer.
    """
    wish, content = command.arguments.get("live"), command.content
    if content is None:
        return None
    if wish == "bin" and command.verb in ("placeholder.insert", "relink") and content.file:
        return _to_bin(session, content.file)
    if wish == "playhead" and command.verb == "subtitles.write" and content.cues:
        return _at_playhead(session, [cue.text for cue in content.cues])
    return None


def _to_bin(session: Session, path: str) -> Outcome:
    outcome, name = Outcome(), os.path.basename(path)
    if not os.path.isfile(path):
        outcome.refused = f"{path} is not there"
        return outcome
    with connected(session.bus) as live:
        live.add_clip(session, path)
        _note(live, session, outcome, f"{name} in the bin")
    outcome.miss("its place on the timeline", "Kdenlive takes none over D-Bus; drag it there")
    return outcome


def _at_playhead(session: Session, texts: list[str]) -> Outcome:
    outcome = Outcome()
    with connected(session.bus) as live:
        live.add_subtitle(session, texts[0])
        _note(live, session, outcome, f"subtitle {' '.join(texts[0].split())[:40]} at the playhead")
    if len(texts) > 1:
        outcome.miss(f"{len(texts) - 1} more subtitle(s)", "over D-Bus Kdenlive takes one, at the playhead")
    return outcome


def _note(live: Live, before: Session, outcome: Outcome, name: str) -> None:
    """Say that something landed, if the project now has a change that is not saved; nothing else tells of it."""
    if before.modified:
        outcome.landed.append(name)
        outcome.notes.append("Kdenlive had unsaved changes before, so that nothing tells whether it took this one")
        return
    end = time.monotonic() + _SECONDS
    late = False
    while not late:
        late = time.monotonic() >= end  # asked before the look: however long we stood still, there is a last one
        if any(session.modified for session in live.sessions() if session.service == before.service):
            outcome.landed.append(name)
            return
        time.sleep(_LOOK)  # Kdenlive sends no signal when it has changed something
    outcome.miss(name, "Kdenlive took it without a change; something may be there already")


__all__ = ["at_once"]
