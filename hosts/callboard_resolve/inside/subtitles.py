"""Captions on the subtitle track: an SRT of all that is ours there, appended to an empty track and read back.

A subtitle carries no id and cannot be changed by a script, and an SRT with a position lands at the end of the timeline.
So the first subtitle track is ours or it is left alone; a person's track is never touched.
"""

import contextlib
import os
from typing import TYPE_CHECKING

from callboard_resolve.inside.frames import frames, timecode
from callboard_resolve.inside.labels import CAPTIONS
from callboard_resolve.inside.ledger import Ledger, digest, write_text
from callboard_resolve.inside.outcome import Outcome, Refused
from callboard_resolve.inside.session import FOLDER, EditPage, OpenTimeline, Session, imported, path_of

if TYPE_CHECKING:
    from typing import Any

    from fusionscript import MediaPoolItem, Timeline, TimelineItem


def on_timeline(cues: "list[dict[str, Any]]", use: "dict[str, Any]") -> "list[list[Any]]":
    """Put cues of media where a use of it lies on the timeline; what is cut away is left out."""
    start, source = float(use.get("start", 0.0)), float(use.get("source_in", 0.0))
    length, speed = float(use.get("duration", 0.0)), float(use.get("speed", 1.0)) or 1.0
    placed = []
    for cue in cues:
        begin = max(start, start + (float(cue["start"]) - source) / speed)
        end = min(start + length, start + (float(cue["end"]) - source) / speed)
        if end > begin:
            placed.append([round(begin, 6), round(end, 6), str(cue["text"])])
    return placed


def srt(cues: "list[tuple[float, float, str]]") -> str:
    """Write SubRip; times count from the start of the timeline."""
    blocks = [
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{_plain(text)}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def _clock(time: float) -> str:
    millis = max(0, round(time * 1000))
    return f"{millis // 3600000:02d}:{millis // 60000 % 60:02d}:{millis // 1000 % 60:02d},{millis % 1000:03d}"


def _plain(text: str) -> str:
    """Leave out empty lines, which would end a cue."""
    return "\n".join(line for line in text.replace("-->", "→").splitlines() if line.strip()) or "…"


class Track:
    """The first subtitle track of a timeline, as it is now."""

    def __init__(self, session: Session, timeline: "Timeline") -> None:
        self.session, self.timeline = session, timeline
        self.rate = session.rate(timeline)
        self.start = int(timeline.GetStartFrame() or 0)
        self.drops = session.drops(timeline)

    def items(self) -> "list[TimelineItem]":
        """Give what lies on the track; nothing where there is none."""
        if not self.timeline.GetTrackCount("subtitle"):
            return []
        return list(self.timeline.GetItemListInTrack("subtitle", 1) or [])

    def read(self) -> "list[list[Any]]":
        """Read the subtitles back: text, first frame and frame after the last, relative to the start."""
        found = []
        for item in self.items():
            start, end = int(item.GetStart(False)), int(item.GetEnd(False))
            found.append([" ".join(str(item.GetName() or "").split()), start - self.start, end - self.start])
        return sorted(found, key=lambda one: (one[1], one[2], one[0]))

    def delete(self, items: "list[TimelineItem]") -> int:
        """Delete subtitles; give how many are left of them."""
        if items:
            ids = {str(item.GetUniqueId()) for item in items}
            with EditPage(self.session.resolve), OpenTimeline(self.session, self.timeline):
                self.timeline.DeleteClips(items, False)
            return sum(str(item.GetUniqueId()) in ids for item in self.items())
        return 0

    def at(self, frame: int) -> str:
        """Name a relative frame as the timeline's ruler does."""
        return timecode(self.start + frame, self.rate, self.drops)


def write(
    session: Session,
    folder: str,
    proposal: str,
    found: "tuple[dict[str, Any], Timeline | None]",
    cues: "list[dict[str, Any]]",
    language: str,
) -> Outcome:
    """Put the captions of one use onto the subtitle track of its timeline, with what is ours there already.

    Raises:
        Refused: the track is a person's, was changed by one, or is locked; nothing was changed.
    """
    use, timeline = found
    if timeline is None:
        raise Refused("the clip is on no timeline, and subtitles lie on nothing else; its .srt can be used")
    ledger = Ledger(folder, str(timeline.GetUniqueId()))
    placed, key = on_timeline(cues, use), f"{proposal} {use['ref']}"
    if language != ledger.language and any(name != key for name in ledger.proposals):
        raise Refused(f"subtitle track 1 holds our captions in {ledger.language!r}; a script reaches no other track")
    ledger.language, ledger.proposals[key] = language, placed
    outcome = _apply(session, timeline, ledger, [(float(one[0]), float(one[1]), str(one[2])) for one in placed])
    if len(placed) < len(cues):
        outcome.note(f"{len(cues) - len(placed)} of {len(cues)} captions lie outside the part that is used")
    return outcome


def clear(session: Session, folder: str, proposal: str, outcome: Outcome) -> None:
    """Take a proposal's captions away from every timeline; other proposals' stay."""
    for timeline in list(session.timelines()):
        ledger = Ledger(folder, str(timeline.GetUniqueId()))
        mine = [name for name in ledger.proposals if name.split(" ")[0] == proposal]
        for name in mine:
            del ledger.proposals[name]
        if not mine:
            continue
        try:
            done = _apply(session, timeline, ledger, [])
        except Refused as why:
            outcome.missing.append(f"captions on {timeline.GetName()}: {why}")
        else:
            outcome.missing.extend(done.missing)
            outcome.notes.extend(done.notes)


def _apply(session: Session, timeline: "Timeline", ledger: Ledger, asked: "list[tuple[float, float, str]]") -> Outcome:
    """Make the track what the ledger says; the outcome is about those *asked* for."""
    track = Track(session, timeline)
    _ours_only(track, ledger)
    old, cues = track.items(), ledger.cues()
    clip = _imported(session, ledger, cues) if cues else None
    left = track.delete(old)
    if left:
        _remove(session, clip)
        raise Refused(f"{left} subtitles of ours could not be deleted; nothing was changed")
    outcome, all_of_them = Outcome(), Outcome()
    if clip is not None:
        _append(session, track, ledger, clip)
        _compare(track, cues, all_of_them)
        if not all_of_them.landed:
            track.delete(track.items())
            outcome.note("what landed elsewhere was taken away again")
        _compare(track, asked, outcome)
        if len(all_of_them.missing) > len(outcome.missing):
            outcome.note(f"{len(all_of_them.missing) - len(outcome.missing)} captions from before did not land again")
    ledger.landed = track.read()
    ledger.keep()
    _forget(session, ledger, keep=clip)
    return outcome


def _ours_only(track: Track, ledger: Ledger) -> None:
    timeline = track.timeline
    if not timeline.GetTrackCount("subtitle"):
        return
    if timeline.GetIsTrackLocked("subtitle", 1):
        raise Refused("subtitle track 1 is locked; unlock it")
    found = track.read()
    if found and not ledger.landed:
        raise Refused(f"subtitle track 1 holds {len(found)} subtitles that are not ours; they were kept")
    if found and found != ledger.landed:
        raise Refused("a person changed our subtitles on track 1; they were kept. Delete them to have new ones")


def _imported(session: Session, ledger: Ledger, cues: "list[tuple[float, float, str]]") -> "MediaPoolItem":
    """Write an SRT and import it into our folder; a new name each time, so that none is taken for another."""
    text = srt(cues)
    path = os.path.join(ledger.folder, f"captions-{ledger.name}-{digest(text, 8)}.srt")
    write_text(path, text)
    made = imported(session, path)
    made.SetThirdPartyMetadata(CAPTIONS, ledger.name)
    return made


def _append(session: Session, track: Track, ledger: Ledger, clip: "MediaPoolItem") -> None:
    timeline = track.timeline
    if not timeline.GetTrackCount("subtitle"):
        timeline.AddTrack("subtitle")  # type: ignore[call-overload]  # README: the second argument is for audio only
        timeline.SetTrackName("subtitle", 1, f"Callboard {ledger.language}".strip())
    try:
        with OpenTimeline(session, timeline):
            # a position, even a right one, would send all of it to the end of the timeline
            infos = [{"mediaPoolItem": clip}]
            session.pool().AppendToTimeline(infos)  # type: ignore[arg-type]  # README: or [{clipInfo}, ...]
    except Exception as error:  # noqa: BLE001 - whatever it is, what it placed would be gone after the next save
        track.delete(track.items())
        ledger.landed, ledger.proposals = [], {}
        ledger.keep()
        raise Refused(f"Resolve failed: {error}; what it had placed was taken away again") from None


def _compare(track: Track, cues: "list[tuple[float, float, str]]", outcome: Outcome) -> None:
    """Look for each cue among what is on the track, a frame early or late at most."""
    there = track.read()
    for start, end, text in cues:
        first, words = frames(start, track.rate), " ".join(_plain(text).split())
        match = next((one for one in there if one[0] == words and abs(one[1] - first) <= 1), None)
        line = f"{track.at(first)} {words}"
        if match is None:
            outcome.missing.append(f"{line}: not on the track")
            continue
        there.remove(match)
        outcome.landed.append(line)
        if abs(match[2] - frames(end, track.rate)) > 1:
            outcome.note(f"{words[:40]} ends at {track.at(match[2])}")


def _forget(session: Session, ledger: Ledger, keep: "MediaPoolItem | None") -> None:
    """Take SRT files of ours that the track is made of no more out of the media pool."""
    kept = str(keep.GetUniqueId()) if keep is not None else ""
    pool = session.pool()
    for folder in pool.GetRootFolder().GetSubFolderList() or []:
        if folder.GetName() != FOLDER:
            continue
        old = [
            clip
            for clip in folder.GetClipList() or []
            if clip.GetThirdPartyMetadata(CAPTIONS) == ledger.name and str(clip.GetUniqueId()) != kept
        ]
        if old:
            pool.DeleteClips(old)
    for file in os.listdir(ledger.folder):
        path = os.path.join(ledger.folder, file)
        if file.startswith(f"captions-{ledger.name}-") and not (keep is not None and path_of(keep) == path):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _remove(session: Session, clip: "MediaPoolItem | None") -> None:
    if clip is not None:
        session.pool().DeleteClips([clip])
