"""What lies where in Blender's sequencer, for ``callboard coverage``: a Blender without a window reads the .blend."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec
from callboard.coverage.cut import Cut, Item, Look, State
from callboard.coverage.holes import holes
from callboard.coverage.numbered import said
from callboard.errors import HostError, TimelineError, UsageError
from callboard.timedtext.rate import Rate, rate_of
from callboard_schemas import Gap, Use

from callboard_blender.cutlist import MARK

suffixes: Final = (".blend",)
PROGRAM: Final = "CALLBOARD_BLENDER"
"""Names the Blender to use, or a Python that has the module ``bpy``; else the first that is found."""
_SECONDS: Final = 120.0
"""A large file from a slow disk takes half a minute; what takes longer hangs."""
_SCRIPT: Final = Path(__file__).with_name("cutlist.py")
_HEADS: Final = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")
"""A .blend as it is, or packed by Zstandard or gzip."""


def read(path: Path, look: Look) -> Cut:
    """Read the scene that is edited in a .blend.

    Raises:
        HostError: no Blender is on this machine.
        TimelineError: it is no .blend, or Blender cannot read it.
    """
    with path.open("rb") as file:
        if not file.read(8).startswith(_HEADS):
            raise TimelineError(str(path), "is no .blend: it does not begin as one", "Check that its ending is right.")
    told = _told(path)
    rate = _rate(told)
    first = int(told["first"])
    items = [one for strip in told["strips"] for one in _items(strip, first, rate)]
    tracks = sorted({one.track for one in items}, key=lambda name: int(name[1:])) or ["V1"]
    markers = sorted((int(frame) - first, str(name)) for frame, name in told["markers"])

    def shot(begin: int, end: int) -> str:
        return next((name for frame, name in markers if begin <= frame < end and not _IS_FRAME.fullmatch(name)), "")

    said = {(start - first, end - start): msgspec.convert(gap, Gap) for start, end, gap in told["gaps"]}
    width, height, percent = told["size"]
    return Cut(
        path=str(path),
        format="blender",
        rate=rate,
        name=str(told["scene"]),
        start=max(first, 0),
        width=max(1, width * percent // 100),
        height=max(1, height * percent // 100),
        pixel_aspect=_pixel_aspect(*told["pixel"]),
        project=os.path.abspath(path),
        tracks=tuple(tracks),
        items=tuple(sorted((*items, *holes(items, tracks[0], shot, said)), key=lambda one: (one.track, one.start))),
        notes=_notes(told, items, first),
    )


_IS_FRAME: Final = re.compile(r"F_\d+")
"""What Blender calls a marker that nobody named."""


def _told(path: Path) -> dict[str, Any]:
    """Have a Blender describe a file."""
    command = [*_program(), str(path.absolute())]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False, env=_environment()
        )
    except subprocess.TimeoutExpired:
        raise TimelineError(str(path), f"Blender did not read it within {_SECONDS:.0f} s", "Open it once.") from None
    except OSError as error:
        raise HostError("blender", f"{command[0]} does not start: {error.strerror}") from None
    line = next((one for one in done.stdout.splitlines() if one.startswith(MARK)), "")
    told: dict[str, Any] = json.loads(line.removeprefix(MARK)) if line else {}
    if "strips" not in told:
        words = told.get("problem") or (done.stderr.strip() or done.stdout.strip())[-300:] or "it says nothing"
        raise TimelineError(str(path), f"Blender cannot read it: {words}", "Open and save it in a newer Blender.")
    return told


def _program() -> list[str]:
    """Give what runs the script: the Blender that was named, the first that is found, or this Python where it is one.

    Raises:
        UsageError: what was named is not there.
        HostError: there is none.
    """
    from callboard_blender.installations import programs

    named = os.environ.get(PROGRAM, "")
    if named and not Path(named).is_file():
        raise UsageError(f"{PROGRAM} names {named}, which is not there", "Give a program's path, or leave it out.")
    for program in [named] if named else programs():
        if "python" in os.path.basename(program).lower():
            return [program, "-I", str(_SCRIPT)]
        return [program, "-b", "--factory-startup", "--disable-autoexec", "-P", str(_SCRIPT), "--"]
    hint = f"Install Blender, or say where it is with {PROGRAM}=/path/to/blender."
    raise HostError("blender", "a .blend is read by Blender, and there is none on this machine", hint)


def _environment() -> dict[str, str]:
    """Keep what this process set for its own Python away from Blender's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _rate(told: dict[str, Any]) -> Rate:
    frames, base = told["fps"]
    try:
        return rate_of(Fraction(frames) / Fraction(base).limit_denominator(100_000))
    except (ValueError, ZeroDivisionError):
        return Rate(24)


def _items(strip: dict[str, Any], first: int, rate: Rate) -> Iterator[Item]:
    """Describe a strip, from the scene's first frame on."""
    start, end = max(int(strip["first"]) - first, 0), int(strip["end"]) - first
    if end <= start:
        return
    track = f"V{strip['channel']}"
    yield Item(
        ref=f"{track}-{start}",
        track=track,
        start=start,
        frames=end - start,
        name=strip["name"],
        enabled=not strip["mute"],
        **_about(strip, end - start, rate),
    )


def _about(strip: dict[str, Any], frames: int, rate: Rate) -> dict[str, Any]:
    if strip["type"] == "META":
        return _meta(strip, frames, rate)
    about: dict[str, Any] = {"state": "stand-in" if strip["ours"] else "real", "stands": strip["ours"]}
    about |= {"by": "cut"} if strip["ours"] else {}
    if strip["type"] == "COLOR":
        return {**about, "problem": "a colour, which may hold a place"}
    if strip["type"] == "SCENE":
        return about if strip["there"] else {**about, "state": "offline", "problem": "its scene is not there"}
    path = strip["path"]
    if not path:
        return {**about, "state": "offline", "problem": "names no file"}
    about["media"] = path
    about["use"] = msgspec.convert(strip["use"], Use) if "use" in strip else None
    if strip.get("files"):
        return about | _pictures(path, strip["files"])
    speed = abs(float(strip.get("speed", 1.0))) or 1.0
    used = max(round(frames * speed), 1)
    if not os.path.isfile(path):
        return {**about, "state": "offline", "problem": "is not there", "source_frames": used}
    begin = round(float(strip.get("source_in", 0.0)) * float(rate.fps))
    return {**about, "how": "there", "source_in": begin, "source_frames": used, "still": strip["type"] == "IMAGE"}


def _pictures(path: str, files: Sequence[str]) -> dict[str, Any]:
    """Say which pictures of a sequence are not there; Blender lists them by name."""
    folder = os.path.dirname(path)
    try:
        there = set(os.listdir(folder))
    except OSError:
        there = set()
    gone = [name for name in files if name not in there]
    if not gone:
        return {"how": "there", "still": True}
    if len(gone) == len(files):
        return {"state": "offline", "problem": "none of its frames are there", "missing_frames": len(gone)}
    numbers = [int(found[-1]) for name in gone if (found := re.findall(r"\d{1,12}", os.path.splitext(name)[0]))]
    problem = said([(one, one) for one in numbers], len(gone))
    return {"state": "partial", "problem": problem, "missing_frames": len(gone)}


def _meta(strip: dict[str, Any], frames: int, rate: Rate) -> dict[str, Any]:
    """Sum up a meta strip: it is no better than the worst that is in it."""
    inside = [_about(one, frames, rate)["state"] for one in strip["inside"] if not one["mute"]]
    state: State = "real"
    for bad in ("partial", "offline", "stand-in"):
        if bad in inside:
            state = bad
    if state == "offline" and any(one == "real" for one in inside):
        state = "partial"
    problem = "" if state == "real" else f"something in the meta strip is {state if state != 'partial' else 'missing'}"
    return {"state": state, "problem": problem, "by": "cut" if state == "stand-in" else ""}


def _notes(told: dict[str, Any], items: Sequence[Item], first: int) -> tuple[str, ...]:
    notes = []
    if told["others"]:
        notes.append(
            f"scene {told['scene']!r} was read; there are strips in {', '.join(map(repr, told['others'][:5]))} too"
        )
    behind = max((one.end for one in items), default=0) + first - 1
    if behind > told["last"]:
        notes.append(f"strips go on to frame {behind}, and the scene ends at {told['last']}")
    return tuple(notes)


def _pixel_aspect(wide: float, high: float) -> str:
    exact = Fraction(wide / high).limit_denominator(1000) if wide > 0 and high > 0 else Fraction(1)
    return "" if exact == 1 else f"{exact.numerator}:{exact.denominator}"


__all__ = ["PROGRAM", "read", "suffixes"]
