"""The media pool: folders, media, and what appending does to a timeline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard_resolve.rehearsal.marks import Marks
from callboard_resolve.rehearsal.reel import Timeline, append
from callboard_resolve.rehearsal.stage import Act, Stage

if TYPE_CHECKING:
    from callboard_resolve.rehearsal.house import Project

COLOURS = frozenset(
    {
        *("Orange", "Apricot", "Yellow", "Lime", "Olive", "Green", "Teal", "Navy"),
        *("Blue", "Purple", "Violet", "Pink", "Tan", "Beige", "Brown", "Chocolate"),
    }
)
SOUND = (".wav", ".mp3", ".aif", ".flac")


class MediaPoolItem(Marks, Act):
    """Media."""

    kind = "MediaPoolItem"

    def __init__(self, stage: Stage, path: str, rate: str, frames: int) -> None:
        Act.__init__(self, stage)
        Marks.__init__(self)
        self.name = os.path.basename(path)
        self.frames = frames
        kind = "Subtitle" if path.endswith(".srt") else "Audio" if path.endswith(SOUND) else "Video + Audio"
        self.properties = {
            "File Path": path,
            "Type": kind,
            "FPS": rate,
            "Frames": str(frames),
            "Start TC": "00:00:00:00",
        }
        self.metadata: dict[str, str] = {}
        self.third: dict[str, str] = {}
        self.colour = ""

    def get_name(self) -> str:
        """Give its name."""
        return self.name

    def get_clip_property(self, name: str = "") -> Any:
        """Give a property as text; all of them without a name."""
        return self.properties.get(name, "") if name else dict(self.properties)

    def get_metadata(self, name: str = "") -> Any:
        """Give metadata as text; all of it without a name."""
        return self.metadata.get(name, "") if name else dict(self.metadata)

    def set_metadata(self, name: str | dict[str, str], value: object = None) -> bool:
        """Set metadata; only text is taken."""
        return _put(self.metadata, name, value)

    def get_third_party_metadata(self, name: str = "") -> Any:
        """Give metadata of others."""
        return self.third.get(name, "") if name else dict(self.third)

    def set_third_party_metadata(self, name: str | dict[str, str], value: object = None) -> bool:
        """Set metadata of others."""
        return _put(self.third, name, value)

    def get_clip_color(self) -> str:
        """Give its colour."""
        return self.colour

    def set_clip_color(self, name: str) -> bool:
        """Give it a colour of the 16."""
        if name not in COLOURS:
            return False
        self.colour = name
        return True

    def clear_clip_color(self) -> bool:
        """Take its colour away."""
        self.colour = ""
        return True

    def replace_clip(self, path: str) -> bool:
        """Show another file; what was written about the one before goes with it."""
        if not Path(path).is_absolute() or not Path(path).exists():
            return False
        self.properties["File Path"], self.name = path, os.path.basename(path)
        self.metadata, self.third = {}, {}
        return True


def _put(into: dict[str, str], name: str | dict[str, str], value: object) -> bool:
    given = name if isinstance(name, dict) else {name: value}
    if not all(isinstance(text, str) for text in given.values()):
        return False
    into.update({key: str(text) for key, text in given.items()})
    return True


class Folder(Act):
    """A folder of the media pool."""

    kind = "Folder"

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(stage)
        self.name = name
        self.clips: list[MediaPoolItem] = []
        self.folders: list[Folder] = []

    def get_name(self) -> str:
        """Give its name."""
        return self.name

    def get_clip_list(self) -> list[MediaPoolItem]:
        """List its media."""
        return list(self.clips)

    def get_sub_folder_list(self) -> list[Folder]:
        """List its folders."""
        return list(self.folders)

    def holding(self, clip: MediaPoolItem) -> Folder | None:
        """Find the folder that media is in."""
        if clip in self.clips:
            return self
        return next((found for folder in self.folders if (found := folder.holding(clip))), None)


class MediaPool(Act):
    """All media of a project."""

    kind = "MediaPool"

    def __init__(self, stage: Stage, project: Project, root: Folder) -> None:
        super().__init__(stage)
        self.project, self.root, self.folder = project, root, root
        self.selected: list[MediaPoolItem] = []

    def get_root_folder(self) -> Folder:
        """Give the folder that holds all."""
        return self.root

    def get_current_folder(self) -> Folder:
        """Give the folder that is open."""
        return self.folder

    def set_current_folder(self, folder: Folder) -> bool:
        """Open a folder."""
        self.folder = folder
        return True

    def add_sub_folder(self, folder: Folder, name: str) -> Folder:
        """Make a folder, and open it."""
        made = Folder(self.stage, name)
        folder.folders.append(made)
        self.folder = made
        return made

    def create_empty_timeline(self, name: str) -> Timeline | None:
        """Make a timeline, and open it; none where the name is taken."""
        if any(timeline.name == name for timeline in self.project.timelines):
            return None
        made = Timeline(self.stage, self.project, name)
        self.project.timelines.append(made)
        self.project.timeline = made
        return made

    def import_media(self, items: list[Any]) -> list[MediaPoolItem]:
        """Import files into the open folder; nothing at all where one is not there."""
        if not all(isinstance(one, str) and Path(one).is_absolute() and Path(one).exists() for one in items):
            return []
        made = []
        for path in items:
            rate, frames = self.stage.lengths.get(
                os.path.basename(path), (self.project.settings["timelineFrameRate"], 10000)
            )
            made.append(MediaPoolItem(self.stage, path, rate, frames))
        self.folder.clips.extend(made)
        return made

    def append_to_timeline(self, infos: list[Any]) -> list[Act] | None:
        """Append to the open timeline."""
        timeline = self.project.timeline
        return append(self.stage, timeline, infos) if timeline is not None else []

    def delete_clips(self, clips: list[MediaPoolItem]) -> bool:
        """Delete media."""
        for clip in clips:
            folder = self.root.holding(clip)
            if folder is None:
                return False
            folder.clips.remove(clip)
        return True

    def get_selected_clips(self) -> list[MediaPoolItem]:
        """List what is selected."""
        return list(self.selected)
