"""Unpacks the media of an .otioz bundle: only plain files of its media folder, by their bare names."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from callboard.errors import TimelineError, UsageError

from callboard_otio.guard import bundled
from callboard_otio.paths import file_url, local_path


def unpack(path: Path, timeline: Any, folder: Path) -> int:
    """Copy the bundle's media into a folder, and let the timeline use it there.

    Args:
        path: The .otioz file.
        timeline: As it was read from there; is changed.
        folder: Is made where it is not there.

    Returns:
        How many files were copied.

    Raises:
        TimelineError: the bundle holds what none may, or two files of one name.
        UsageError: a file of that name is in the folder already.
        OSError: there is no room.
    """
    _, names = bundled(path)
    media = sorted(name for name in names if name.startswith("media/") and not name.endswith("/"))
    targets = {name: folder / PurePosixPath(name).name for name in media}
    if len(set(targets.values())) < len(targets):
        raise TimelineError(str(path), "holds two files of one name", "Unpack it by hand.")
    there = next((target for target in targets.values() if target.exists() or target.is_symlink()), None)
    if there is not None:
        raise UsageError(f"{there} is there already", "Name an empty folder with --media.")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path) as bundle:
        for name, target in targets.items():
            _copy(path, bundle, name, target)
    for clip in timeline.find_clips():
        said = local_path(getattr(clip.media_reference, "target_url", "") or "")
        if said in targets:
            clip.media_reference.target_url = file_url(targets[said])
    return len(targets)


def _copy(path: Path, bundle: zipfile.ZipFile, name: str, target: Path) -> None:
    info = bundle.getinfo(name)
    if shutil.disk_usage(target.parent).free < info.file_size:
        raise TimelineError(str(path), f"{name} has {info.file_size:,} bytes, and the disk has less room")
    try:
        with bundle.open(info) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, 1 << 20)  # a reader stops at the size that the entry says
    except zipfile.BadZipFile as error:
        target.unlink(missing_ok=True)
        raise TimelineError(str(path), f"{name}: {error}", "Copy or export it again.") from None


__all__ = ["unpack"]
