"""Timelines, what lies on them, and how an append may fail without a word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard_resolve.inside.frames import frames, rate_of
from callboard_resolve.rehearsal.marks import Marks
from callboard_resolve.rehearsal.stage import Act, Stage

if TYPE_CHECKING:
    from callboard_resolve.rehearsal.house import Project
    from callboard_resolve.rehearsal.media import MediaPoolItem

TIMES = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+) --> (\d+):(\d+):(\d+)[,.](\d+)\s*\n(.*)", re.DOTALL)


class TimelineItem(Act):
    """What lies on a track."""

    kind = "TimelineItem"

    def __init__(self, stage: Stage, name: str, span: tuple[int, int], clip: MediaPoolItem | None, offset: int) -> None:
        super().__init__(stage)
        self.name, self.clip, self.offset = name, clip, offset
        self.start, self.end = span
        self.source_frames = 0
        self.doubtful = False

    def get_name(self) -> str:
        """Give its name; the text of a subtitle."""
        return self.name

    def get_start(self, subframes: bool = False) -> float:
        """Give its first frame, absolute."""
        return float(self.start) if subframes else self.start

    def get_end(self, subframes: bool = False) -> float:
        """Give the frame after its last."""
        return float(self.end) if subframes else self.end

    def get_duration(self, subframes: bool = False) -> float:
        """Give its length in frames."""
        return float(self.end - self.start) if subframes else self.end - self.start

    def get_left_offset(self, subframes: bool = False) -> float:
        """Give how many frames of the media are cut away before it."""
        return float(self.offset) if subframes else self.offset

    def get_source_start_time(self) -> float:
        """Give the time in the media where it begins."""
        return self.offset / (rate_of(self.clip.properties["FPS"]) or 24.0) if self.clip else 0.0

    def get_source_end_time(self) -> float:
        """Give the time in the media where it ends."""
        rate = (rate_of(self.clip.properties["FPS"]) or 24.0) if self.clip else 24.0
        return (self.offset + self.source_frames) / rate

    def get_media_pool_item(self) -> MediaPoolItem | None:
        """Give its media; none for a subtitle."""
        return None if self.clip is None or self.clip.properties["Type"] == "Subtitle" else self.clip


class Timeline(Marks, Act):
    """A timeline."""

    kind = "Timeline"

    def __init__(self, stage: Stage, project: Project, name: str) -> None:
        Act.__init__(self, stage)
        Marks.__init__(self)
        self.project, self.name, self.first = project, name, stage.terms.start
        self.tracks: dict[str, list[list[TimelineItem]]] = {"video": [[]], "audio": [[]], "subtitle": []}
        self.names: dict[tuple[str, int], str] = {}
        self.locked: set[tuple[str, int]] = set()
        self.range: dict[str, int] = {}
        self.selected: list[TimelineItem] = []
        self.playhead = self.first

    @property
    def rate(self) -> float:
        """Give frames per second."""
        return rate_of(self.project.settings["timelineFrameRate"]) or 24.0

    def drop_doubtful(self) -> None:
        """Lose what a failed append had placed."""
        for tracks in self.tracks.values():
            for track in tracks:
                track[:] = [item for item in track if not item.doubtful]

    def get_name(self) -> str:
        """Give its name."""
        return self.name

    def get_start_frame(self) -> int:
        """Give its first frame."""
        return self.first

    def get_end_frame(self) -> int:
        """Give the frame after the last thing on it."""
        return max((item.end for tracks in self.tracks.values() for one in tracks for item in one), default=self.first)

    def get_setting(self, name: str = "") -> Any:
        """Give a setting as text."""
        return self.project.get_setting(name)

    def get_track_count(self, kind: str) -> int:
        """Count the tracks of a kind."""
        return len(self.tracks[kind])

    def add_track(self, kind: str, options: object = None) -> bool:
        """Add a track on top."""
        self.tracks[kind].append([])
        return True

    def get_track_name(self, kind: str, index: int) -> str:
        """Name a track."""
        return self.names.get((kind, index), f"{kind.title()} {index}")

    def set_track_name(self, kind: str, index: int, name: str) -> bool:
        """Give a track a name."""
        self.names[kind, index] = name
        return True

    def get_is_track_locked(self, kind: str, index: int) -> bool:
        """Say whether a track is locked."""
        return (kind, index) in self.locked

    def set_track_lock(self, kind: str, index: int, lock: bool) -> bool:
        """Lock a track, or unlock it."""
        (self.locked.add if lock else self.locked.discard)((kind, index))
        return True

    def get_item_list_in_track(self, kind: str, index: int) -> list[TimelineItem]:
        """List what lies on a track."""
        tracks = self.tracks[kind]
        return sorted(tracks[index - 1], key=lambda item: item.start) if 1 <= index <= len(tracks) else []

    def delete_clips(self, items: list[TimelineItem], ripple: bool = False) -> bool:
        """Delete items; only on the edit page."""
        if self.stage.house.page != "edit":
            return False
        for kind, tracks in self.tracks.items():
            for index, track in enumerate(tracks, 1):
                if (kind, index) not in self.locked:
                    track[:] = [item for item in track if item not in items]
        return True

    def get_current_video_item(self) -> TimelineItem | None:
        """Give the clip below the playhead, of the topmost track."""
        below = [item for one in self.tracks["video"] for item in one if item.start <= self.playhead < item.end]
        return below[-1] if below else None

    def get_selected_clips(self) -> list[TimelineItem]:
        """List what is selected."""
        return list(self.selected)

    def get_mark_in_out(self) -> dict[str, dict[str, int]]:
        """Give the marked range, relative to the start."""
        return {"video": dict(self.range), "audio": dict(self.range)} if self.range else {}

    def set_mark_in_out(self, first: int, last: int, kind: str = "all") -> bool:
        """Mark a range."""
        self.range = {"in": first, "out": last}
        return True

    def create_subtitles_from_audio(self, settings: object = None) -> bool:
        """Nothing is heard here."""
        return False


def append(stage: Stage, timeline: Timeline, infos: list[Any]) -> list[Act] | None:
    """Append as Resolve does, with all that may go wrong."""
    given = [info if isinstance(info, dict) else {"mediaPoolItem": info} for info in infos]
    numbers = ("startFrame", "endFrame", "recordFrame")
    if stage.terms.version[0] >= 21 and any(float(info.get(key, 0)) % 1 for info in given for key in numbers):
        return None
    made: list[Act] = []
    for info in given:
        if info["mediaPoolItem"].properties["Type"] == "Subtitle":
            made.extend(_subtitles(stage, timeline, info))
            continue
        kind, index = ("audio" if info.get("mediaType") == 2 else "video"), int(info.get("trackIndex", 1))
        if (kind, index) in timeline.locked:
            return []
        item = _placed(stage, timeline, info, kind, index)
        if item is not None:
            made.append(item)
    return made


def _placed(stage: Stage, timeline: Timeline, info: dict[str, Any], kind: str, index: int) -> TimelineItem | None:
    tracks, clip = timeline.tracks[kind], info["mediaPoolItem"]
    if not 1 <= index <= len(tracks):
        return None
    first = int(info.get("startFrame", 0))
    last = int(info.get("endFrame", clip.frames)) + (stage.terms.version[0] < 19)
    source = max(0, min(last, clip.frames) - first)
    own = rate_of(clip.properties["FPS"]) or timeline.rate
    # media of another rate is rounded down, and may so be one frame short
    length = source if abs(own - timeline.rate) < 0.001 else int(source / own * timeline.rate)
    start = int(info.get("recordFrame", timeline.get_end_frame()))
    if length <= 0 or any(item.start < start + length and start < item.end for item in tracks[index - 1]):
        return None
    item = TimelineItem(stage, clip.name, (start, start + length), clip, first)
    item.source_frames = source
    tracks[index - 1].append(item)
    return item


def _subtitles(stage: Stage, timeline: Timeline, info: dict[str, Any]) -> list[Act]:
    clip, tracks = info["mediaPoolItem"], timeline.tracks["subtitle"]
    if not tracks:
        # an answer that is not empty, and nothing on the timeline
        return [TimelineItem(stage, clip.name, (0, 0), clip, 0)]
    if ("subtitle", 1) in timeline.locked:
        return []
    track = tracks[0]
    begin = max((item.end for item in track), default=timeline.first)
    if "trackIndex" in info or "recordFrame" in info:
        begin = timeline.get_end_frame()
    made: list[Act] = []
    for block in re.split(r"\n\s*\n", Path(clip.properties["File Path"]).read_text("utf-8-sig").strip()):
        found = TIMES.search(block)
        if found is None:
            continue
        times = [int(digits) for digits in found.groups()[:8]]
        start, end = (
            frames(hour * 3600 + minute * 60 + second + milli / 1000, timeline.rate)
            for hour, minute, second, milli in (times[:4], times[4:])
        )
        item = TimelineItem(stage, found[9].strip(), (begin + start, begin + end), clip, 0)
        if not any(one.start < item.end and item.start < one.end for one in track):
            track.append(item)
            made.append(item)
    return made
