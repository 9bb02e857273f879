"""Media placed at a frame of a track, and media replaced where it lies; each read back, since answers do not tell."""

import json
import os
from typing import TYPE_CHECKING

from callboard_resolve.inside.frames import frames, rate_of, seconds, timecode
from callboard_resolve.inside.labels import PROPOSAL, paint
from callboard_resolve.inside.outcome import Outcome, Refused
from callboard_resolve.inside.session import EditPage, OpenTimeline, Session, imported

if TYPE_CHECKING:
    from typing import Any

    from fusionscript import ClipColor, MediaPoolClipInfo, MediaPoolItem, Timeline, TimelineItem

COLOUR: "ClipColor" = "Orange"
"""Of our stand-ins in the media pool and on the timeline, so that nobody takes one for a shot."""
SHOT = "callboard.shot"
"""Third-party metadata of a real shot: the proposal that put it in a stand-in's place."""
WAS = "callboard.was"
"""Third-party metadata of a real shot: the stand-in's proposal, then its file, and what else it was before."""


class Placer:
    """Places clips; learns once whether ``endFrame`` is the last frame (18.6) or the one after it (19 and newer)."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.inclusive: bool | None = None

    def place(self, timeline: "Timeline", clip: "MediaPoolItem", first: int, length: int, track: int) -> "TimelineItem":
        """Place the beginning of a clip, picture only.

        Args:
            timeline: the open timeline.
            clip: media that is at least as long.
            first: the absolute frame, counted as the timeline's start frame is.
            length: frames of the timeline.
            track: a video track, from 1, that is free there.

        Raises:
            Refused: it is not there when the track is read; nothing of ours is left.
        """
        source, same_rate = self._source_frames(timeline, clip, length)
        item = self._append(timeline, clip, first, source - 1 if self.inclusive else source, track)
        if item is not None and self.inclusive is None:
            longer = int(item.GetDuration(False)) == length + 1
            if same_rate:
                self.inclusive = longer
            if longer:
                self.remove(timeline, [item])
                item = self._append(timeline, clip, first, source - 1, track)
        if item is None:
            raise Refused(f"Resolve placed nothing on video track {track}")
        if abs(int(item.GetDuration(False)) - length) > 1:
            got = int(item.GetDuration(False))
            self.remove(timeline, [item])
            raise Refused(f"Resolve made {got} frames of {length}; taken away again")
        return item

    def _append(
        self, timeline: "Timeline", clip: "MediaPoolItem", first: int, end: int, track: int
    ) -> "TimelineItem | None":
        before = {str(item.GetUniqueId()) for item in timeline.GetItemListInTrack("video", track) or []}
        info: MediaPoolClipInfo = {
            "mediaPoolItem": clip,
            "startFrame": 0,
            "endFrame": end,
            "mediaType": 1,
            "trackIndex": track,
            "recordFrame": first,
        }
        problem = ""
        try:
            with OpenTimeline(self.session, timeline):
                self.session.pool().AppendToTimeline([info])  # type: ignore[arg-type]  # README: or [{clipInfo}, ...]
        except Exception as error:  # noqa: BLE001 - whatever it is, what it placed would be gone after the next save
            problem = str(error)
        items = timeline.GetItemListInTrack("video", track) or []
        new = [item for item in items if str(item.GetUniqueId()) not in before]
        if problem:
            self.remove(timeline, new)
            raise Refused(f"Resolve failed: {problem}; what it had placed was taken away again")
        return next((item for item in new if int(item.GetStart(False)) == first), None)

    def _source_frames(self, timeline: "Timeline", clip: "MediaPoolItem", length: int) -> "tuple[int, bool]":
        """Count a length in the media's own frames, and say whether its rate is the timeline's.

        Only such media can tell what ``endFrame`` means.
        """
        rate, own = self.session.rate(timeline), rate_of(clip.GetClipProperty("FPS"))
        if not own or abs(own - rate) < 0.001:
            return length, True
        return max(1, frames(seconds(length, rate), own)), False

    def remove(self, timeline: "Timeline", items: "list[TimelineItem]") -> None:
        """Take items off a timeline, and leave the gap that they filled."""
        if items:
            with EditPage(self.session.resolve), OpenTimeline(self.session, timeline):
                timeline.DeleteClips(items, False)

    def free_track(self, timeline: "Timeline", first: int, length: int, wish: int) -> int:
        """Find a video track that is free there: the one wished for, else the next above it, else a new one."""
        count = int(timeline.GetTrackCount("video") or 0)
        for track in [wish, *(one for one in range(1, count + 1) if one > wish)]:
            if not 1 <= track <= count or timeline.GetIsTrackLocked("video", track):
                continue
            items = timeline.GetItemListInTrack("video", track) or []
            if not any(int(one.GetStart(False)) < first + length and first < int(one.GetEnd(False)) for one in items):
                return track
        timeline.AddTrack("video")  # type: ignore[call-overload]  # README: the second argument is for audio only
        if int(timeline.GetTrackCount("video") or 0) <= count:
            raise Refused("no video track is free there, and Resolve made no new one")
        return count + 1


def insert(placer: Placer, proposal: str, gap: "dict[str, Any]", path: str) -> Outcome:
    """Put a stand-in where a shot is missing; a second one takes the place of ours where that lies now.

    Raises:
        Refused: the file or the timeline is not there, or Resolve did not place it.
    """
    session = placer.session
    if not os.path.exists(path):
        raise Refused(f"{path} is not there")
    outcome = Outcome()
    mine = of_proposal(session, proposal)
    if mine is not None:
        _swap(mine, path, {PROPOSAL: proposal, SHOT: ""})
        paint(mine, COLOUR)
        outcome.landed.append(f"{os.path.basename(path)}, in the place of the one from before")
        return outcome
    where, wish = _place_of(str(gap.get("ref", "")))
    timeline = _timeline(session, where)
    rate, start = session.rate(timeline), int(timeline.GetStartFrame() or 0)
    first, length = start + frames(float(gap["start"]), rate), max(1, frames(float(gap["duration"]), rate))
    track = placer.free_track(timeline, first, length, wish)
    clip = imported(session, path)
    clip.SetThirdPartyMetadata(PROPOSAL, proposal)
    try:
        item = placer.place(timeline, clip, first, length, track)
    except Refused:
        session.pool().DeleteClips([clip])
        raise
    if not paint(clip, COLOUR):
        outcome.note("its colour was not kept")
    if clip.GetThirdPartyMetadata(PROPOSAL) != proposal:
        outcome.note("Resolve did not keep our id; this stand-in cannot be replaced or cleared by us")
    at = timecode(first, rate, session.drops(timeline))
    outcome.landed.append(f"{os.path.basename(path)} at {at} on V{track}")
    if int(item.GetDuration(False)) != length:
        outcome.note(f"{int(item.GetDuration(False))} frames of {length}: its rate is another")
    return outcome


def relink(clip: "MediaPoolItem", path: str, proposal: str, head: float = 0.0) -> Outcome:
    """Have a clip show another file wherever it is used.

    A stand-in that shows the real shot is no stand-in any more, so nothing takes it away; it is known by its *proposal*
    still, for the next version of the shot, and keeps what it was, for ``restore``.

    Args:
        clip: of the media pool.
        path: of the other file.
        proposal: that puts it there; empty for a person's own clip.
        head: seconds of the file before what should be shown, which Resolve lets nobody set.

    Raises:
        Refused: the file is not there, or Resolve still shows the one from before.
    """
    if not os.path.exists(path):
        raise Refused(f"{path} is not there")
    was = {key: str(clip.GetThirdPartyMetadata(key) or "") for key in (PROPOSAL, SHOT, WAS)}
    was["file"] = str(clip.GetClipProperty("File Path") or "")
    kept = was[WAS] if was[SHOT] == proposal else json.dumps(was)
    _swap(clip, path, {PROPOSAL: "", SHOT: proposal, WAS: kept if proposal else was[WAS]})
    if str(clip.GetClipColor() or "") == COLOUR:
        clip.ClearClipColor()
    outcome = Outcome()
    outcome.landed.append("{} -> {}".format(clip.GetName() or "", path))
    if head > 0:
        name = clip.GetName() or os.path.basename(path)
        outcome.missing.append(f"the handle of {name}: slip it by {head:.3f} s, which Resolve lets nobody else do")
    return outcome


def restore(session: Session, proposal: str, outcome: Outcome) -> None:
    """Have the clips that a shot was put into show what they did before, where it is there and nobody changed them."""
    for clip in list(session.clips()):
        if clip.GetThirdPartyMetadata(SHOT) != proposal:
            continue
        try:
            was = json.loads(str(clip.GetThirdPartyMetadata(WAS) or "{}"))
            path = str(was.get("file", ""))
        except (ValueError, AttributeError):
            continue
        if not path or was.get(PROPOSAL) == proposal:  # a stand-in that is taken away: its real shot stays
            continue
        if not os.path.exists(path):
            outcome.missing.append("{}: what it showed before is not there: {}".format(clip.GetName() or "", path))
            continue
        _swap(clip, path, {key: str(was.get(key, "")) for key in (PROPOSAL, SHOT, WAS)})
        if was.get(PROPOSAL):
            paint(clip, COLOUR)
        outcome.landed.append("{} -> {}".format(clip.GetName() or "", path))


def clear(placer: Placer, proposal: str, outcome: Outcome) -> None:
    """Take away the stand-in of a proposal, from every timeline and from the media pool; a real shot stays."""
    session = placer.session
    clip = of_proposal(session, proposal)
    if clip is None or clip.GetThirdPartyMetadata(PROPOSAL) != proposal:
        return
    unique = str(clip.GetUniqueId())
    for timeline in list(session.timelines()):
        placer.remove(timeline, [item for _, _, item in session.items(timeline) if _made_of(item) == unique])
        if any(_made_of(item) == unique for _, _, item in session.items(timeline)):
            name = clip.GetName() or "stand-in"
            outcome.missing.append(f"{name}: Resolve left it on {timeline.GetName()}")
            return
    session.pool().DeleteClips([clip])
    if session.clip(unique) is not None:
        outcome.missing.append("{}: Resolve left it in the media pool".format(clip.GetName() or "stand-in"))


def of_proposal(session: Session, proposal: str) -> "MediaPoolItem | None":
    """Find the stand-in of a proposal, or the real shot that took its place."""
    for clip in session.clips():
        if proposal in (clip.GetThirdPartyMetadata(PROPOSAL), clip.GetThirdPartyMetadata(SHOT)):
            return clip
    return None


def _made_of(item: "TimelineItem") -> str:
    clip = item.GetMediaPoolItem()
    return str(clip.GetUniqueId()) if clip else ""


def _timeline(session: Session, unique: str) -> "Timeline":
    """Find the timeline of a gap; the open one where the gap names none."""
    for timeline in session.timelines():
        if not unique or str(timeline.GetUniqueId()) == unique:
            return timeline
    raise Refused("the timeline with the gap is not in the open project any more")


def _swap(clip: "MediaPoolItem", path: str, ids: "dict[str, str]") -> None:
    """Replace a clip's file and read it back; its metadata, which goes with the old file, is written again."""
    kept: Any = clip.GetThirdPartyMetadata() or {}
    ours = {str(key): str(text) for key, text in kept.items()}
    words = {key: str(clip.GetMetadata(key) or "") for key in ("Keywords", "Description")}
    clip.ReplaceClip(path)
    there = str(clip.GetClipProperty("File Path") or "")
    if os.path.normcase(os.path.normpath(there)) != os.path.normcase(os.path.normpath(path)):
        raise Refused("Resolve shows {} still".format(there or "no file"))
    ours.update(ids)
    for key, text in ours.items():
        if str(clip.GetThirdPartyMetadata(key) or "") != text:
            clip.SetThirdPartyMetadata(key, text)
    for key, text in words.items():
        if text and str(clip.GetMetadata(key) or "") != text:
            clip.SetMetadata(key, text)


def _place_of(ref: str) -> "tuple[str, int]":
    """Read a gap's name, ``gap/TIMELINE/TRACK/FRAME``: the timeline and the track; ``""`` and 1 of another name."""
    parts = ref.split("/")
    return (parts[1], int(parts[2])) if len(parts) == 4 and parts[2].isdigit() else ("", 1)
