"""Writes a timeline whole: beside its place first, read back and compared, and only then moved there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
from callboard.errors import CallboardError, TimelineError, UsageError
from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import schema

from callboard_otio import edl, fcp7, fcpxml_out, resolve
from callboard_otio.formats import FORMATS, format_of
from callboard_otio.losses import Loss, losses
from callboard_otio.paths import file_url, local_path
from callboard_otio.rates import exactly, frames, set_rate, span, timeline_rate
from callboard_otio.reading import Opened, opened

FLAVOURS = ("", resolve.NAME)
_ALL = "Write .otio, which holds everything."


class Written(Struct, frozen=True, kw_only=True):
    """A timeline that was written, and what its format lost."""

    path: Path
    format: str
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()


def write(
    timeline: Any,
    path: Path,
    rate: Rate,
    *,
    kind: str = "",
    flavour: str = "",
    base: Path | None = None,
    force: bool = False,
) -> Written:
    """Write a timeline, read it back, and say what is not as it was.

    Args:
        timeline: Is not changed.
        path: Becomes the new file at the end, and is left as it was when anything is raised.
        rate: The timeline's.
        kind: A name in ``FORMATS``, where the path's ending does not say it.
        flavour: ``resolve``, for .otio that DaVinci Resolve takes.
        base: The folder that relative media paths count from; that of *path* where it is not given.
        force: Replace what is there.

    Raises:
        UsageError: something is there already, or the flavour does not go with the format.
        TimelineError: the format cannot hold the timeline.
    """
    kind = kind or format_of(path)
    _may(path, kind, flavour, force=force)
    own = path.absolute().parent
    folder = (base or own).absolute()
    ready = timeline.deepcopy()
    if rate.drop or str(rate) in ("29.97", "59.94") or timeline_rate(ready) != rate:
        set_rate(ready, rate)
    if folder != own:
        _absolute(ready, folder)
    with _beside(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            notes = _into(ready, temporary, kind, flavour, rate, folder)
        except TimelineError as error:
            raise TimelineError(str(path), error.problem, error.hint) from None
        back = _read_back(temporary, path, str(rate) if kind == "edl" else "")
        bundled = kind in ("otioz", "otiod")
        found = losses(timeline, back.timeline, rate, back.rate, bundled=bundled)
        _move(temporary, path)
    return Written(path=path, format=kind, losses=found, notes=notes)


def _read_back(temporary: Path, path: Path, rate: str) -> Opened:
    try:
        return opened(temporary, rate)
    except TimelineError as error:
        problem = f"what was written cannot be read back, so it was not kept: {error.problem}"
        raise TimelineError(str(path), problem, _ALL) from None


def _may(path: Path, kind: str, flavour: str, *, force: bool) -> None:
    if kind not in FORMATS or not FORMATS[kind].writes:
        title = FORMATS[kind].title if kind in FORMATS else kind
        raise UsageError(f"{title} is read, and not written", "Write .otio, .otioz, .edl, .xml, .fcpxml or .aaf.")
    if flavour not in FLAVOURS:
        raise UsageError(f"there is no flavour {flavour!r}", f"There is {resolve.NAME!r}.")
    if flavour and kind != "otio":
        raise UsageError(f"the flavour {flavour!r} is one of .otio, not of {kind}", "Give an .otio to write.")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "Give another name, or --force to replace it.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} is no folder", "Make it first.")


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name in a new folder beside *path*; whatever is left there in the end goes."""
    folder = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
    try:
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(temporary: Path, path: Path) -> None:
    if temporary.is_dir():
        before = temporary.parent / "before"
        if path.exists():
            path.rename(before)
        try:
            temporary.rename(path)
        except OSError:
            if before.exists():
                before.rename(path)
            raise
        return
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    if path.is_file():
        shutil.copymode(path, temporary)
    os.replace(temporary, path)


def _into(timeline: Any, path: Path, kind: str, flavour: str, rate: Rate, folder: Path) -> tuple[str, ...]:
    try:
        if kind in ("edl", "fcpxml"):
            _on_frames(timeline, rate)
        if kind == "edl":
            ready = edl.before_writing(timeline, rate, path)
            text = otio.adapters.write_to_string(ready, "cmx_3600", rate=float(rate.fps))
            path.write_text(edl.after_writing(text, ready, rate), encoding="utf-8")
        elif kind == "fcp7":
            fcp7.before_writing(timeline, rate)
            path.write_text(otio.adapters.write_to_string(timeline, "fcp_xml"), encoding="utf-8")
        elif kind == "fcpxml":
            path.write_bytes(fcpxml_out.text_of(timeline, rate))
        elif kind == "aaf":
            _for_aaf(timeline)
            otio.adapters.write_to_file(timeline, str(path), "AAF", use_empty_mob_ids=True)
        elif kind in ("otioz", "otiod"):
            return _bundle(timeline, path, kind, folder)
        else:
            notes = resolve.before_writing(timeline, rate, folder) if flavour == resolve.NAME else ()
            otio.adapters.write_to_file(timeline, str(path), "otio_json")
            return notes
    except CallboardError:
        raise
    except Exception as error:  # noqa: BLE001 - libraries raise what they like at what a format cannot hold
        words = " ".join(str(error).split())[:300]
        title = FORMATS[kind].title
        raise TimelineError(str(path), f"{title} cannot hold this timeline: {words}", _ALL) from None
    return ()


def _on_frames(timeline: Any, rate: Rate) -> None:
    """Put items of other rates on the timeline's frames: each begins at the nearest one, so that no error adds up."""
    for track in timeline.find_children(descended_from_type=schema.Track):
        end = Fraction(0)
        for item in track:
            if isinstance(item, schema.Transition):
                continue
            whole, at = item.trimmed_range(), round(end)
            end += exactly(whole.duration, rate)
            if round(end) - at != exactly(whole.duration, rate):
                item.source_range = span(frames(whole.start_time, rate), round(end) - at, rate)


def _for_aaf(timeline: Any) -> None:
    """Take out what the library writes only where it came from an AAF: it asks for Avid's own description of it."""
    for track in timeline.find_children(descended_from_type=schema.Track):
        kept = [one for one in track if not isinstance(one, schema.Transition) or "AAF" in one.metadata]
        if len(kept) < len(track):
            items = [one.deepcopy() for one in kept]
            del track[:]
            track.extend(items)
    for clip in timeline.find_clips():
        reference = clip.media_reference
        if isinstance(reference, schema.GeneratorReference):
            reference.generator_kind = "Slug"  # the one that it knows
        if reference.available_range is None:
            reference.available_range = clip.trimmed_range()


def _bundle(timeline: Any, path: Path, kind: str, folder: Path) -> tuple[str, ...]:
    """Write a bundle; media that is not there, or shares a name with other media, stays outside and is named."""
    notes: list[str] = []
    names: dict[str, Path] = {}
    for clip in timeline.find_clips():
        reference = clip.media_reference
        if not isinstance(reference, schema.ExternalReference):
            continue
        said = local_path(reference.target_url or "")
        file = folder / said
        taken = names.setdefault(file.name, file)
        if not said or not file.is_file() or taken != file:
            why = "is not there" if taken == file else f"has the same name as {taken}"
            notes.append(f"{clip.name}: {said or reference.target_url} {why}, so it is not in the bundle")
            clip.media_reference = schema.MissingReference(
                name=reference.name, available_range=reference.available_range, metadata=dict(reference.metadata)
            )
            clip.media_reference.metadata["original_target_url"] = reference.target_url or ""
        else:
            reference.target_url = file_url(file)
    otio.adapters.write_to_file(timeline, str(path), kind)
    return tuple(dict.fromkeys(notes))


def _absolute(timeline: Any, folder: Path) -> None:
    """Keep relative paths true in a file that goes to another folder."""
    for clip in timeline.find_clips():
        reference = clip.media_reference
        path = local_path(getattr(reference, "target_url", "") or "")
        if path and not path.startswith("/") and path[1:2] != ":" and (folder / path).exists():
            reference.target_url = file_url(folder / path)


__all__ = ["FLAVOURS", "Written", "write"]
