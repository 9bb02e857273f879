"""What a recording plays: every call of the contract, each trap on purpose, and what can be read back after it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from callboard_resolve.inside.record import Recorder

    Scene = Callable[[Recorder, Any, Any, str], None]


def application(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Ask for what the application and its projects say of themselves."""
    call = recorder.call
    for method in ("GetProductName", "GetVersion", "GetVersionString", "GetCurrentPage"):
        call(recorder.resolve, method)
    call(recorder.resolve, "OpenPage", "edit")
    call(recorder.resolve, "OpenPage", "no such page")
    call(manager, "GetCurrentDatabase")
    call(manager, "GetCurrentProject", gives="Project")
    for method in ("GetName", "GetUniqueId", "GetTimelineCount"):
        call(project, method)
    call(project, "SetSetting", "timelineFrameRate", "24")
    call(project, "GetSetting", "timelineFrameRate")
    call(project, "GetCurrentTimeline", gives="Timeline")


def media(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Import, describe and mark media."""
    call = recorder.call
    pool = call(project, "GetMediaPool", gives="MediaPool")
    root = call(pool, "GetRootFolder", gives="Folder")
    ours = call(pool, "AddSubFolder", root, "Ours", gives="Folder")
    call(pool, "GetCurrentFolder", gives="Folder")
    call(pool, "SetCurrentFolder", root)
    call(pool, "ImportMedia", [recorder.media["picture"] + ".not there"])
    clips = call(pool, "ImportMedia", [recorder.media["picture"]], gives="MediaPoolItem") or []
    call(pool, "SetCurrentFolder", ours)
    sounds = call(pool, "ImportMedia", [recorder.media["sound"]], gives="MediaPoolItem") or []
    for one in (root, ours):
        call(one, "GetName")
        call(one, "GetUniqueId")
        call(one, "GetClipList", gives="MediaPoolItem")
        call(one, "GetSubFolderList", gives="Folder")
    for clip in clips + sounds:
        _describe(recorder, clip)
    call(pool, "GetSelectedClips", gives="MediaPoolItem")


def _describe(recorder: "Recorder", clip: "Any") -> None:
    call = recorder.call
    call(clip, "GetName")
    call(clip, "GetUniqueId")
    for name in ("File Path", "Type", "FPS", "Frames"):
        call(clip, "GetClipProperty", name)
    call(clip, "SetMetadata", "Keywords", "forest, two words")
    call(clip, "SetMetadata", "Description", "A tree.")
    call(clip, "SetMetadata", "Comments", 7)
    for name in ("Keywords", "Description", "Comments"):
        call(clip, "GetMetadata", name)
    call(clip, "SetThirdPartyMetadata", "callboard.id", "p1")
    call(clip, "GetThirdPartyMetadata", "callboard.id")
    call(clip, "GetThirdPartyMetadata")
    call(clip, "SetClipColor", "Orange")
    call(clip, "SetClipColor", "Cream")
    call(clip, "GetClipColor")
    call(clip, "ClearClipColor")
    call(clip, "GetClipColor")
    _mark(recorder, clip)


def _mark(recorder: "Recorder", target: "Any") -> None:
    call = recorder.call
    call(target, "AddMarker", 2, "Blue", "one", "a note", 1, "callboard:p1:0:x")
    call(target, "AddMarker", 2, "Red", "the same frame", "", 1, "callboard:p1:1:x")
    call(target, "AddMarker", 3, "Orange", "no colour of markers", "", 1, "callboard:p1:2:x")
    call(target, "AddMarker", 4, "Cream", "long", "", 4, "callboard:p1:3:x")
    call(target, "GetMarkers")
    call(target, "DeleteMarkerByCustomData", "callboard:p1:0:x")
    call(target, "DeleteMarkerByCustomData", "callboard:p1:0:x")
    call(target, "GetMarkers")


def timeline(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Make a timeline; mark, lock and name what it has."""
    call = recorder.call
    pool = call(project, "GetMediaPool", gives="MediaPool")
    made = call(pool, "CreateEmptyTimeline", "Reel", gives="Timeline")
    call(pool, "CreateEmptyTimeline", "Reel", gives="Timeline")
    call(project, "GetTimelineCount")
    call(project, "GetTimelineByIndex", 1, gives="Timeline")
    call(project, "SetCurrentTimeline", made)
    for method in ("GetName", "GetUniqueId", "GetStartFrame", "GetEndFrame"):
        call(made, method)
    call(made, "GetSetting", "timelineFrameRate")
    for kind in ("video", "audio", "subtitle"):
        call(made, "GetTrackCount", kind)
    call(made, "SetTrackName", "video", 1, "Ours")
    call(made, "GetTrackName", "video", 1)
    call(made, "GetIsTrackLocked", "video", 1)
    call(made, "SetMarkInOut", 2, 9)
    call(made, "GetMarkInOut")


def placing(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Append a clip in every way that has a trap."""
    call = recorder.call
    pool = call(project, "GetMediaPool", gives="MediaPool")
    reel = call(project, "GetCurrentTimeline", gives="Timeline")
    root = call(pool, "GetRootFolder", gives="Folder")
    clip = next(iter(call(root, "GetClipList", gives="MediaPoolItem") or []), None)
    start = int(call(reel, "GetStartFrame") or 0)

    def put(**info: "Any") -> None:
        call(pool, "AppendToTimeline", [{"mediaPoolItem": clip, "mediaType": 1, **info}], gives="TimelineItem")
        _lying(recorder, reel, "video")

    put(startFrame=0, endFrame=12, trackIndex=1, recordFrame=start)
    put(startFrame=0, endFrame=12, trackIndex=1, recordFrame=start + 6)
    put(startFrame=0, endFrame=12.5, trackIndex=1, recordFrame=start + 48)
    put(startFrame=6, endFrame=18, trackIndex=9, recordFrame=start + 96)
    call(reel, "SetTrackLock", "video", 1, True)
    put(startFrame=0, endFrame=12, trackIndex=1, recordFrame=start + 144)
    call(reel, "SetTrackLock", "video", 1, False)
    put(startFrame=6, endFrame=18, trackIndex=1, recordFrame=start + 192)
    call(reel, "GetCurrentVideoItem", gives="TimelineItem")
    call(reel, "GetSelectedClips", gives="TimelineItem")
    _mark(recorder, reel)
    items = call(reel, "GetItemListInTrack", "video", 1, gives="TimelineItem") or []
    for item in items[-1:]:
        call(item, "GetMediaPoolItem", gives="MediaPoolItem")
    call(recorder.resolve, "OpenPage", "color")
    call(reel, "DeleteClips", items[-1:], False)
    _lying(recorder, reel, "video")
    call(recorder.resolve, "OpenPage", "edit")
    call(reel, "DeleteClips", items[-1:], False)
    _lying(recorder, reel, "video")
    call(clip, "ReplaceClip", recorder.media["other"])
    call(clip, "GetClipProperty", "File Path")
    call(clip, "GetMetadata", "Keywords")
    call(clip, "GetThirdPartyMetadata", "callboard.id")


def _lying(recorder: "Recorder", reel: "Any", kind: str) -> None:
    """Read back what lies on the first track of a kind."""
    call = recorder.call
    for item in call(reel, "GetItemListInTrack", kind, 1, gives="TimelineItem") or []:
        for method in ("GetName", "GetUniqueId"):
            call(item, method)
        for method in ("GetStart", "GetEnd", "GetDuration", "GetLeftOffset"):
            call(item, method, False)
        if kind == "video":
            call(item, "GetSourceStartTime")
            call(item, "GetSourceEndTime")
    call(reel, "GetEndFrame")


def subtitles(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Append an SRT without a track, with one, a second time, and with a position."""
    call = recorder.call
    pool = call(project, "GetMediaPool", gives="MediaPool")
    reel = call(pool, "CreateEmptyTimeline", "Subtitles", gives="Timeline")
    made = call(pool, "ImportMedia", [recorder.media["subtitles"]], gives="MediaPoolItem") or []
    for clip in made:
        call(clip, "GetClipProperty", "Type")
    info = {"mediaPoolItem": made[0] if made else None}
    for track in (False, True, False):
        if track:
            call(reel, "AddTrack", "subtitle")
        call(pool, "AppendToTimeline", [info], gives="TimelineItem")
        call(reel, "GetTrackCount", "subtitle")
        _lying(recorder, reel, "subtitle")
    call(pool, "AppendToTimeline", [{**info, "recordFrame": 86400}], gives="TimelineItem")
    _lying(recorder, reel, "subtitle")
    call(reel, "DeleteClips", call(reel, "GetItemListInTrack", "subtitle", 1, gives="TimelineItem") or [], False)
    _lying(recorder, reel, "subtitle")
    call(pool, "DeleteClips", made)


def rendering(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Queue a render, ask for it, and take it out again; nothing is rendered."""
    call = recorder.call
    call(project, "IsRenderingInProgress")
    call(project, "SetRenderSettings", {"TargetDir": folder, "CustomName": "callboard"})
    job = call(project, "AddRenderJob")
    call(project, "GetRenderJobStatus", job or "")
    call(project, "GetRenderJobList")
    call(project, "DeleteRenderJob", job or "")


def saving(recorder: "Recorder", manager: "Any", project: "Any", folder: str) -> None:
    """Save our own project, which has a name, and look whether what lay on its timeline is there still."""
    call = recorder.call
    current = call(manager, "GetCurrentProject", gives="Project")
    name = str(current.GetName() or "") if current else ""
    if name != recorder.media.get("our project"):
        return
    call(manager, "SaveProject")
    call(manager, "LoadProject", name, gives="Project")
    reel = call(project, "GetTimelineByIndex", 1, gives="Timeline")
    _lying(recorder, reel, "video")


SCENES: "tuple[tuple[str, Scene], ...]" = (
    ("application", application),
    ("media", media),
    ("timeline", timeline),
    ("placing", placing),
    ("subtitles", subtitles),
    ("rendering", rendering),
    ("saving", saving),
)
"""In the order in which they are played: each finds what those before it left."""
