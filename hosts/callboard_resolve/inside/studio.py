"""The adapter: does what a command asks in the running Resolve, reads it back, and says what is there.

It knows the seven verbs and nothing else; nothing is saved, since whether to save is a person's choice.
"""

import time
from typing import TYPE_CHECKING

from callboard_resolve.inside import labels, markers, placing, subtitles, uses
from callboard_resolve.inside.frames import frames, rate_of
from callboard_resolve.inside.outcome import Outcome, Refused, Stale
from callboard_resolve.inside.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Command = dict[str, Any]

VERBS = (
    "tags.write",
    "description.write",
    "markers.write",
    "subtitles.write",
    "placeholder.insert",
    "relink",
    "clear",
)
"""What it can do, in the words that the board knows."""
REACH = 1.0
"""Seconds that a marker may go later where its frame is taken."""


class Studio:
    """Applies commands to one running Resolve.

    Args:
        session: the running Resolve.
        folder: where what a subtitle track holds of ours is written down.
    """

    def __init__(self, session: Session, folder: str) -> None:
        self.session = session
        self.folder = folder
        self.placer = placing.Placer(session)
        self._does: dict[str, Callable[[Command], Outcome]] = {
            "tags.write": self._tags,
            "description.write": self._description,
            "markers.write": self._markers,
            "subtitles.write": self._subtitles,
            "placeholder.insert": self._placeholder,
            "relink": self._relink,
            "clear": self._clear,
        }

    def apply(self, command: "Command", agreed: bool = False) -> "tuple[str, list[str], list[str], str]":
        """Do what a command asks.

        Args:
            command: a ``Command`` message as a plain dict, with its content.
            agreed: a person agreed to have it on a newer revision.

        Returns:
            The state of a receipt, what landed, what is missing, and a note. Never raises.
        """
        try:
            self._check(command, agreed)
            outcome = self._does[command["verb"]](command)
        except Stale as why:
            return "stale", [], [], str(why)
        except Refused as why:
            return "refused", [], [], str(why)
        except Exception as error:  # noqa: BLE001 - Resolve raises what its library raises; the person must hear of it
            return "failed", [], [], f"{type(error).__name__}: {error}"
        landed, missing, note = outcome.lines()
        return outcome.state, landed, missing, note

    def _check(self, command: "Command", agreed: bool) -> None:
        if command.get("verb") not in self._does:
            raise Refused("Resolve is not asked for {!r}".format(command.get("verb")))
        if command.get("expires") and float(command["expires"]) < time.time():
            raise Refused("it came too late")
        project, now = str(command.get("project", "")), self.session.project_name()
        if project and project != now:
            raise Refused("it is for {}, and {} is open".format(project, now or "no project"))
        use = command.get("use")
        if use and command.get("revision") and not agreed:
            found = uses.find(self.session, str(use["ref"]))
            if found is not None and found.use.get("revision") != command["revision"]:
                raise Stale("{} was moved or cut since".format(found.use.get("name") or use["ref"]))

    def _found(self, command: "Command") -> uses.Found:
        ref = str(dict(command.get("use") or {}).get("ref", ""))
        found = uses.find(self.session, ref)
        if found is None:
            raise Refused(f"{ref or 'its media'} is not in the open project any more")
        return found

    def _tags(self, command: "Command") -> Outcome:
        tags = [str(tag) for tag in _content(command).get("tags") or []]
        return labels.write_tags(self._found(command).clip, command["proposal"], tags)

    def _description(self, command: "Command") -> Outcome:
        text = str(_content(command).get("description", ""))
        return labels.write_description(self._found(command).clip, command["proposal"], text)

    def _markers(self, command: "Command") -> Outcome:
        found = self._found(command)
        given, proposal = list(_content(command).get("markers") or []), str(command["proposal"])
        timeline, clip, ref = found.timeline, found.clip, str(found.use["ref"])
        if timeline is not None:
            rate = self.session.rate(timeline)
            wanted, beyond = _markers(given, found.use, rate)
            last = int(timeline.GetEndFrame() or 0) - int(timeline.GetStartFrame() or 0)
            outcome = markers.write(timeline, proposal, ref, wanted, last, frames(REACH, rate))
            if beyond:
                outcome.note(f"{beyond} of {len(given)} markers lie outside the part that is used")
            return outcome
        rate = rate_of(clip.GetClipProperty("FPS")) or 24.0
        wanted, _ = _markers(given, {}, rate)
        last = int(str(clip.GetClipProperty("Frames") or 0)) or max((one.frame for one in wanted), default=0)
        return markers.write(clip, proposal, ref, wanted, last, frames(REACH, rate))

    def _subtitles(self, command: "Command") -> Outcome:
        content, found = _content(command), self._found(command)
        cues, language = list(content.get("cues") or []), str(content.get("language", ""))
        place = (found.use, found.timeline)
        return subtitles.write(self.session, self.folder, command["proposal"], place, cues, language)

    def _placeholder(self, command: "Command") -> Outcome:
        content = _content(command)
        gap = content.get("gap")
        if not gap or not content.get("file"):
            raise Refused("the command names no gap or no file")
        return placing.insert(self.placer, command["proposal"], gap, str(content["file"]))

    def _relink(self, command: "Command") -> Outcome:
        path = str(_content(command).get("file", ""))
        if command.get("use"):
            return placing.relink(self._found(command).clip, path, "")
        given = command.get("arguments") or {}
        known = [str(one) for one in (command["proposal"], given.get("former"), given.get("placeholder")) if one]
        found = (placing.of_proposal(self.session, one) for one in known)
        clip = next((one for one in found if one is not None), None)
        if clip is None:
            raise Refused("its stand-in is not in the open project any more")
        head = float(_content(command).get("source_in") or 0.0)
        return placing.relink(clip, path, str(command["proposal"]), head)

    def _clear(self, command: "Command") -> Outcome:
        proposal, outcome = str(command["proposal"]), Outcome()
        subtitles.clear(self.session, self.folder, proposal, outcome)
        edited: set[int] = set()
        for timeline in self.session.timelines():
            edited |= markers.clear(timeline, proposal, outcome)
        for clip in list(self.session.clips()):
            edited |= markers.clear(clip, proposal, outcome)
            labels.clear_tags(clip, proposal, outcome)
            labels.clear_description(clip, proposal, outcome)
        if edited:
            outcome.note("markers that a person changed were kept")
        placing.restore(self.session, proposal, outcome)
        placing.clear(self.placer, proposal, outcome)
        return outcome


def _content(command: "Command") -> "dict[str, Any]":
    return dict(command.get("content") or {})


def _markers(given: "list[dict[str, Any]]", use: "dict[str, Any]", rate: float) -> "tuple[list[markers.Wanted], int]":
    """Put markers of media where a use of it lies, and count those that it does not show.

    Without a use they stay where they are in the media.
    """
    start, length = float(use.get("start", 0.0)), float(use.get("duration", 0.0))
    source, speed = float(use.get("source_in", 0.0)), float(use.get("speed", 1.0)) or 1.0
    wanted = []
    for one in given:
        at = start + (float(one["start"]) - source) / speed
        if not use or start <= at < start + length:
            wanted.append(markers.Wanted(frames(at, rate), one, frames(float(one.get("duration", 0.0)) / speed, rate)))
    return wanted, len(given) - len(wanted)
