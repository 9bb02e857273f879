"""Into Resolve by files, for the free edition: a timeline that its importer takes, subtitles, markers, and how to.

The timeline is read in any format that ``callboard timeline`` reads, such as one that Resolve exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from callboard.config import Project
from callboard.errors import MissingExtra
from callboard.hosting.content import content_of
from msgspec import Struct

from callboard_resolve.inside.subtitles import on_timeline, srt

if TYPE_CHECKING:
    from callboard.timedtext.rate import Rate
    from callboard_otio.accepted import Accepted
    from callboard_otio.finding import Place
    from callboard_otio.media import Finder
    from callboard_otio.reading import Opened

READ_ME: Final = "how to import.txt"
_HEAD: Final = "For DaVinci Resolve, free or Studio. Nothing here was tried in Resolve itself; tell us what it takes.\n"
_STEPS: Final = {
    ".otio": "{}: File > Import > Timeline. Give the timeline a name that the project does not have yet.",
    ".edl": "{}: select the timeline in the media pool, then Timelines > Import > Timeline Markers from EDL.",
    ".srt": "{}: drag it into the media pool, then onto the start of a subtitle track of the timeline.",
}
_TAIL: Final = "To have it again after a change: 'callboard hosts run resolve TIMELINE' writes the same files anew."


class Packed(Struct, frozen=True, kw_only=True):
    """A folder that was written for one timeline."""

    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def pack(project: Project, timeline: Path, folder: Path) -> Packed:
    """Write what was accepted for the media of a timeline into a folder, for a person to import.

    Args:
        project: Where it was accepted.
        timeline: A file that ``callboard timeline`` reads; it is not changed.
        folder: Gets the files; those of the same names are replaced.

    Raises:
        TimelineError: the timeline cannot be read or written.
        MissingExtra: the libraries for timelines are not installed.
    """
    try:
        from callboard_otio.accepted import for_media, roots
        from callboard_otio.media import Finder
        from callboard_otio.probing import probing
        from callboard_otio.reading import opened
    except ImportError as error:
        raise MissingExtra("files for Resolve", error.name or "opentimelineio", "timeline") from None
    found = opened(timeline)
    folder.mkdir(parents=True, exist_ok=True)
    with probing() as prober:
        finder = Finder(roots(project), found.base, found.bundle, prober.began)
        paths = [finder.find(clip, found.rate).path for clip in found.timeline.find_clips()]
        known = for_media(project, [Path(path) for path in dict.fromkeys(paths) if path])
        subtitles = _subtitles(found, known, finder, folder)
        files, notes = _timeline(found, known, finder, folder)
    how = folder / READ_ME
    how.write_text(_how([*files, *subtitles]), "utf-8")
    return Packed(folder=folder, files=(*files, *subtitles, how), notes=(*found.notes, *notes))


def _timeline(
    found: Opened, known: dict[Path, Accepted], finder: Finder, folder: Path
) -> tuple[list[Path], tuple[str, ...]]:
    """Write the timeline in Resolve's flavour, and its markers as an EDL."""
    from callboard_otio.markerfiles import marker_edl
    from callboard_otio.marking import add_accepted, marks
    from callboard_otio.writing import write

    marked = found.timeline.deepcopy()
    add_accepted(marked, found.rate, finder, known, cues=False)
    document = folder / f"{found.path.stem}.otio"
    written = write(marked, document, found.rate, flavour="resolve", base=found.base, force=True)
    shown = marks(marked, found.rate)
    if not shown:
        return [document], written.notes
    edl = folder / f"{found.path.stem}.markers.edl"
    edl.write_text(marker_edl(shown, marked, found.rate), "utf-8")
    return [document, edl], written.notes


def _subtitles(found: Opened, known: dict[Path, Accepted], finder: Finder, folder: Path) -> list[Path]:
    """Write one SRT for each language: times count from the start of the timeline."""
    from callboard_otio.finding import places
    from opentimelineio import schema

    by_language: dict[str, dict[tuple[float, float, str], None]] = {}
    for place in places(found.timeline, found.rate):
        if not isinstance(place.item, schema.Clip):
            continue
        path = finder.find(place.item, found.rate).path
        accepted = known.get(Path(path)) if path else None
        for proposal in accepted.captions if accepted else ():
            content = content_of(proposal, "subtitles.write")
            if not content.cues:
                continue
            cues = [msgspec.to_builtins(cue) for cue in content.cues]
            kept = by_language.setdefault(content.language, {})
            for start, end, text in on_timeline(cues, _use(place, path, finder, found.rate)):
                # picture and sound of one clip say the same at the same time
                kept[start, end, text] = None
    files = []
    for language, lines in sorted(by_language.items()):
        file = folder / f"{found.path.stem}.{language}.srt"
        file.write_text(srt(sorted(lines)), "utf-8")
        files.append(file)
    return files


def _use(place: Place, path: str, finder: Finder, rate: Rate) -> dict[str, float]:
    """Say where a clip lies, as a host says it of a use of media: in seconds."""
    from callboard_otio.rates import frames

    known = place.item.media_reference.available_range
    first = frames(known.start_time, rate) if known is not None else finder.first(Path(path), rate)
    fps = rate.numerator / rate.denominator
    return {
        "start": place.start / fps,
        "source_in": (place.source - first) / fps,
        "duration": place.frames / fps,
    }


def _how(files: Sequence[Path]) -> str:
    steps = [f"- {_STEPS[file.suffix].format(file.name)}" for file in files]
    return "\n".join([_HEAD, *steps, "", _TAIL, ""])


__all__ = ["READ_ME", "Packed", "pack"]
