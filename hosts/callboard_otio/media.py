"""Looks for the media of a timeline: where it says, at that place in another root, by name, by reel and timecode."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import schema

from callboard_otio.ours import plain
from callboard_otio.paths import local_path
from callboard_otio.rates import frames

MAX_FILES = 500_000
_VIDEO = (".mov", ".mp4", ".mxf", ".mkv", ".avi", ".m4v", ".mts", ".webm", ".braw", ".r3d", ".ari")
_AUDIO = (".wav", ".aif", ".aiff", ".mp3", ".m4a", ".flac", ".aac", ".ogg")
_PICTURE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx", ".bmp", ".tga", ".psd", ".webp")
_MEDIA = frozenset((*_VIDEO, *_AUDIO, *_PICTURE))

How = Literal["there", "moved", "name", "reel", "generator", "bundle", "elsewhere", "missing", "partly"]


class Found(Struct, frozen=True, kw_only=True):
    """Where the media of a clip is."""

    how: How
    """``there``: where the timeline says. ``moved``: the end of its path fits in a root. ``name`` and ``reel``: one
    file of that name, or of that reel with that timecode. ``elsewhere``: not a file of this machine, not looked for."""
    path: str = ""
    said: str = ""
    """What the timeline says."""
    problem: str = ""

    @property
    def missing(self) -> bool:
        """Say whether a person has to do something about it."""
        return self.how in ("missing", "partly")


class Finder:
    """Looks for media in folders; each folder is walked once, and only when a name is asked for.

    Args:
        roots: Folders with media.
        folder: Where relative paths count from: the timeline's own folder.
        bundle: Names inside the timeline's bundle.
        began: Gives the frame that a file begins at at a rate, as its timecode counts; nothing where it has none.
    """

    def __init__(
        self,
        roots: Sequence[Path] = (),
        folder: Path = Path(),
        bundle: frozenset[str] = frozenset(),
        began: Callable[[Path, Rate], int | None] = lambda _path, _rate: None,
    ) -> None:
        self._roots, self._folder, self._bundle = [root.absolute() for root in roots], folder, bundle
        self._began = began
        self._names: dict[str, list[Path]] | None = None
        self._stems: dict[str, list[Path]] = defaultdict(list)

    def find(self, clip: Any, rate: Rate) -> Found:
        """Say where the media of a clip is."""
        reference = clip.media_reference
        if isinstance(reference, schema.GeneratorReference):
            return Found(how="generator", said=reference.generator_kind)
        if isinstance(reference, schema.ImageSequenceReference):
            return self._sequence(clip, reference)
        url = getattr(reference, "target_url", "") or ""
        said = local_path(url)
        if said in self._bundle:
            return Found(how="bundle", said=said)
        if url and not said:
            return Found(how="elsewhere", said=url, problem="is no file of this machine; it was not looked for")
        if said:
            there = self._folder / said
            if os.path.isfile(there):  # says no of names that no file can have
                return Found(how="there", path=str(there), said=said)
            moved = self._moved(said)
            if moved is not None:
                return Found(how="moved", path=str(moved), said=said)
        return self._by_name(clip, said, rate)

    def first(self, path: Path, rate: Rate) -> int:
        """Give the frame that a file begins at, as its timecode counts; 0 where it has none."""
        return self._began(path, rate) or 0

    def folder(self, said: Path) -> Path:
        """Give where a folder is: as it is said, else the longest end of its path that is in a root, else as said."""
        whole = self._folder / said
        parts = [part for part in said.parts if part not in (said.anchor, ".", "..")]
        moved = (root.joinpath(*parts[begin:]) for begin in range(len(parts)) for root in self._roots)
        return whole if os.path.isdir(whole) else next((one for one in moved if os.path.isdir(one)), whole)

    def _moved(self, said: str) -> Path | None:
        """Look for the longest end of a path that is in a root; the file's bare name is not enough for that."""
        parts = [part for part in said.split("/") if part not in ("", ".", "..")]
        for begin in range(len(parts) - 1):
            for root in self._roots:
                found = root.joinpath(*parts[begin:])
                if os.path.isfile(found):
                    return found
        return None

    def _by_name(self, clip: Any, said: str, rate: Rate) -> Found:
        names, stems = self._index()
        name = said.rsplit("/", 1)[-1].lower()
        same = names.get(name, []) if name else []
        how: How = "name"
        if not same:
            how = "reel"
            asked = [one.lower() for one in (*reels(clip), name.rpartition(".")[0], clip.name or "") if one]
            same = next((stems[one] for one in asked if one in stems), [])
        fits = self._timed(same, clip, rate)
        if len(fits) == 1:
            return Found(how=how, path=str(fits[0]), said=said)
        if len(fits) > 1:
            where = ", ".join(str(one) for one in fits[:3])
            return Found(how="missing", said=said, problem=f"{len(fits)} files could be it: {where}")
        if same:
            return Found(how="missing", said=said, problem=f"{same[0]} has its name, and another timecode")
        problem = "is not there, and no file of its name is in the roots" if said else "names no file"
        return Found(how="missing", said=said, problem=problem)

    def _timed(self, files: Sequence[Path], clip: Any, rate: Rate) -> list[Path]:
        """Keep the files whose timecode covers what is used; those without timecode where no other does."""
        begin = frames(clip.trimmed_range().start_time, rate)
        timed = [(file, self._began(file, rate)) for file in files]
        fits = [file for file, first in timed if first is not None and first <= begin]
        return fits or [file for file, first in timed if first is None]

    def _index(self) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
        if self._names is None:
            self._names, count = defaultdict(list), 0
            for root in self._roots:
                for folder, inside, files in os.walk(root):
                    inside[:] = sorted(one for one in inside if not one.startswith("."))
                    count += len(files)
                    for file in sorted(files):
                        stem, ending = os.path.splitext(file)
                        if ending.lower() in _MEDIA:
                            self._names[file.lower()].append(Path(folder, file))
                            self._stems[stem.lower()].append(Path(folder, file))
                    if count > MAX_FILES:
                        break
        return self._names, self._stems

    def _sequence(self, clip: Any, reference: Any) -> Found:
        said = reference.abstract_target_url(symbol="#" * max(reference.frame_zero_padding, 1))
        try:
            first, last = reference.frame_range_for_time_range(clip.trimmed_range())
        except (ValueError, TypeError):
            return Found(how="missing", said=said, problem="says no numbers that its frames could have")
        if last - first > MAX_FILES:
            return Found(how="missing", said=said, problem=f"would have {last - first + 1:,} files")
        base, step = self._folder / local_path(reference.target_url_base or ""), max(reference.frame_step, 1)
        names = [
            f"{reference.name_prefix}{number:0{reference.frame_zero_padding}d}{reference.name_suffix}"
            for number in range(first, last + 1, step)
        ]
        gone = [name for name in names if not os.path.isfile(base / name)]
        if not gone:
            return Found(how="there", path=str(base / names[0]) if names else "", said=said)
        if len(gone) < len(names):
            return Found(
                how="partly", said=said, problem=f"{len(gone)} of {len(names)} frames are not there: {gone[0]}…"
            )
        return Found(how="missing", said=said, problem="none of its frames are there")


def reels(clip: Any) -> list[str]:
    """Give the names of the tape or the card that a clip came from."""
    known = plain(clip.metadata)
    found = [
        known.get("cmx_3600", {}).get("reel"),
        known.get("ALE", {}).get("Tape"),
        known.get("ALE", {}).get("Source File"),
    ]
    for thing in (clip.metadata, clip.media_reference.metadata):
        timecode = plain(thing).get("fcp_xml", {}).get("timecode", {})
        reel = timecode.get("reel", {}) if isinstance(timecode, dict) else {}
        found.append(reel.get("name") if isinstance(reel, dict) else reel)
    found.append(clip.media_reference.name)
    return [os.path.splitext(str(one))[0].strip() for one in found if one]


__all__ = ["Finder", "Found", "How", "reels"]
