"""One running Resolve: its edition, its open project and timeline, and what its objects can do."""

from typing import TYPE_CHECKING

from callboard_resolve.inside.frames import rate_of
from callboard_resolve.inside.outcome import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, Self

    from fusionscript import Folder, MediaPool, MediaPoolItem, Project, Resolve, Timeline, TimelineItem

    TrackType = Literal["audio", "video", "subtitle"]

TRACKS: "tuple[TrackType, ...]" = ("video", "audio")
"""The kinds of tracks that media lies on."""
FOLDER = "Callboard"
"""Our folder in the media pool."""


class Gone(Exception):
    """Resolve has been closed, or does not answer any more."""


def has(thing: object, name: str) -> bool:
    """Say whether an object has a method: ``hasattr`` is true for any name, ``dir`` is not."""
    return name in dir(thing)


def path_of(clip: "MediaPoolItem") -> str:
    """Give the file of media; empty for timelines, generators and titles."""
    return str(clip.GetClipProperty("File Path") or "")


class Session:
    """What the other parts ask of Resolve.

    The name of the product is the first thing asked for: a call that the free edition does not have would open a dialog
    that makes all later calls fail.

    Raises:
        Gone: Resolve does not answer.
    """

    def __init__(self, resolve: "Resolve") -> None:
        self.resolve = resolve
        product = resolve.GetProductName()
        if not product:
            raise Gone("DaVinci Resolve does not answer")
        self.product = str(product)
        self.studio = "studio" in self.product.lower()
        self.version = str(resolve.GetVersionString() or "")

    def alive(self) -> bool:
        """Say whether Resolve still answers."""
        try:
            return bool(self.resolve.GetProductName())
        except Exception:  # noqa: BLE001 - a connection that broke raises whatever the library chose
            return False

    def project(self) -> "Project":
        """Give the open project.

        Raises:
            Refused: none is open.
        """
        projects = self.resolve.GetProjectManager()
        project = projects.GetCurrentProject() if projects else None
        if not project:
            raise Refused("no project is open in Resolve")
        return project

    def project_name(self) -> str:
        """Name the open project so that no other has the same name: its name, and the beginning of its id."""
        try:
            project = self.project()
        except Refused:
            return ""
        return "{} [{}]".format(project.GetName() or "", str(project.GetUniqueId() or "")[:8])

    def pool(self) -> "MediaPool":
        """Give the media pool of the open project."""
        pool = self.project().GetMediaPool()
        if not pool:
            raise Refused("the project's media pool does not answer")
        return pool

    def timeline(self) -> "Timeline | None":
        """Give the open timeline, or ``None``."""
        return self.project().GetCurrentTimeline() or None

    def timelines(self) -> "Iterator[Timeline]":
        """Give every timeline, the open one first."""
        project, current = self.project(), self.timeline()
        if current is not None:
            yield current
        known = str(current.GetUniqueId()) if current is not None else ""
        for index in range(1, int(project.GetTimelineCount() or 0) + 1):
            timeline = project.GetTimelineByIndex(index)
            if timeline and str(timeline.GetUniqueId()) != known:
                yield timeline

    def rate(self, timeline: "Timeline") -> float:
        """Give a timeline's frames per second."""
        rate = rate_of(timeline.GetSetting("timelineFrameRate"))
        return rate or rate_of(self.project().GetSetting("timelineFrameRate")) or 24.0

    def drops(self, timeline: "Timeline") -> bool:
        """Say whether a timeline's timecode drops frames."""
        return str(timeline.GetSetting("timelineDropFrameTimecode") or "0") == "1"

    def clips(self) -> "Iterator[MediaPoolItem]":
        """Walk all media in the media pool, folder by folder."""
        folders = [self.pool().GetRootFolder()]
        while folders:
            folder = folders.pop()
            yield from folder.GetClipList() or []
            folders.extend(folder.GetSubFolderList() or [])

    def clip(self, unique: str) -> "MediaPoolItem | None":
        """Find media by its unique id."""
        return next((clip for clip in self.clips() if str(clip.GetUniqueId()) == unique), None)

    def items(self, timeline: "Timeline") -> "Iterator[tuple[TrackType, int, TimelineItem]]":
        """Walk what lies on a timeline's video and audio tracks, with the track's type and number from 1."""
        for kind in TRACKS:
            for index in range(1, int(timeline.GetTrackCount(kind) or 0) + 1):
                for item in timeline.GetItemListInTrack(kind, index) or []:
                    yield kind, index, item


class CurrentFolder:
    """Keeps the folder that a person has open in the media pool: imports land in the current one, wherever that is."""

    def __init__(self, pool: "MediaPool") -> None:
        self._pool = pool
        self._before: Folder | None = None

    def __enter__(self) -> "Self":
        self._before = self._pool.GetCurrentFolder() or None
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            self._pool.SetCurrentFolder(self._before)

    def open(self, name: str) -> None:
        """Open a folder of ours below the root, made where it is not there."""
        root = self._pool.GetRootFolder()
        for folder in root.GetSubFolderList() or []:
            if folder.GetName() == name:
                self._pool.SetCurrentFolder(folder)
                return
        made = self._pool.AddSubFolder(root, name)
        if made:
            self._pool.SetCurrentFolder(made)


def imported(session: Session, path: str) -> "MediaPoolItem":
    """Import a file into our folder, and leave a person's folder open.

    Raises:
        Refused: Resolve did not import it.
    """
    pool = session.pool()
    with CurrentFolder(pool) as current:
        current.open(FOLDER)
        made = pool.ImportMedia([path])
    if not made:
        raise Refused(f"Resolve did not import {path}")
    return made[0]


class OpenTimeline:
    """Opens a timeline while something is appended, which goes to the open one, and the person's again after."""

    def __init__(self, session: Session, timeline: "Timeline") -> None:
        self._project, self._wanted = session.project(), timeline
        self._before = session.timeline()

    def __enter__(self) -> "Self":
        if self._before is not None and self._before.GetUniqueId() == self._wanted.GetUniqueId():
            self._before = None
        else:
            self._project.SetCurrentTimeline(self._wanted)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            self._project.SetCurrentTimeline(self._before)


class EditPage:
    """Opens the edit page while timeline items are deleted, which works on no other, and goes back after."""

    def __init__(self, resolve: "Resolve") -> None:
        self._resolve = resolve
        self._before = ""

    def __enter__(self) -> "Self":
        self._before = str(self._resolve.GetCurrentPage() or "")
        if self._before != "edit":
            self._resolve.OpenPage("edit")
        return self

    def __exit__(self, *_: object) -> None:
        if self._before not in ("", "edit"):
            self._resolve.OpenPage(self._before)  # type: ignore[arg-type]  # the page that it said itself
