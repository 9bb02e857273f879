"""Placeholders: what a missing shot should show, who stands beside it, what was made, and what takes its place."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.media import Asset, Digest

ShotSize = Literal[
    "extreme close-up",
    "close-up",
    "medium close-up",
    "medium shot",
    "medium long shot",
    "wide shot",
    "extreme wide shot",
]
"""How large people are in the picture; the names that tags use, too."""

Angle = Literal["eye level", "low angle", "high angle", "overhead", "dutch angle"]
"""From where the camera looks."""

Movement = Literal[
    "static",
    "pan left",
    "pan right",
    "tilt up",
    "tilt down",
    "dolly in",
    "dolly out",
    "truck left",
    "truck right",
    "crane up",
    "crane down",
    "zoom in",
    "zoom out",
    "orbit",
    "handheld",
]
"""What the camera does during the shot."""

TimeOfDay = Literal["dawn", "day", "dusk", "night"]

SHOT_SIZES: tuple[ShotSize, ...] = get_args(ShotSize)
ANGLES: tuple[Angle, ...] = get_args(Angle)
MOVEMENTS: tuple[Movement, ...] = get_args(Movement)
TIMES_OF_DAY: tuple[TimeOfDay, ...] = get_args(TimeOfDay)

Colour = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$")]
"""sRGB, such as ``#1b2a3c``."""

SourceType = Literal["algorithmicMedia", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"]
"""IPTC DigitalSourceType: rendered by rules; made by a trained model; made with parts from one."""


class Gap(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a timeline misses a shot."""

    ref: Name
    start: float
    """Seconds on the timeline."""
    duration: Annotated[float, Meta(gt=0)]
    rate: Annotated[float, Meta(gt=0, le=1000)] = 24.0
    width: Annotated[int, Meta(ge=1, le=65536)] = 1920
    height: Annotated[int, Meta(ge=1, le=65536)] = 1080
    counted: str = ""
    """The rate as timecode counts it, such as ``29.97df``; it goes before *rate*, which rounds."""
    frames: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    """Exactly how long; 0: not said."""
    timecode: str = ""
    """Of its first frame, where the timeline does not begin at zero."""
    pixel_aspect: Annotated[str, Meta(pattern=r"^([1-9]\d{0,4}:[1-9]\d{0,4})?$")] = ""
    """Width to height of a pixel, such as ``16:15``; empty is square."""
    shot: str = ""
    purpose: str = ""
    revision: str = ""


class Neighbour(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shot before or behind a missing one."""

    side: Literal["before", "after"]
    name: str = ""
    asset: Asset | None = None
    """Left out where its media is not known."""
    time: Annotated[float, Meta(ge=0)] = 0.0
    """Seconds into its media of the frame that touches the missing shot."""
    tags: tuple[str, ...] = ()
    """Labels that stand for it."""
    palette: tuple[Colour, ...] = ()
    """Its main colours, the most frequent first."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of dialogue."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    speaker: str = ""


class Brief(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a shot is for, and what is known of it. Empty where nobody said anything."""

    purpose: Annotated[str, Meta(max_length=1000)] = ""
    """In one sentence."""
    slug: Annotated[str, Meta(max_length=300)] = ""
    """The scene's heading: ``EXT. HARBOUR - NIGHT``."""
    shot_size: ShotSize | None = None
    angle: Angle | None = None
    movement: Movement | None = None
    people: Annotated[int, Meta(ge=0, le=20)] | None = None
    cast: tuple[str, ...] = ()
    """Names of the characters, from the left of the picture to the right."""
    place: str = ""
    interior: bool | None = None
    time_of_day: TimeOfDay | None = None
    mood: str = ""
    dialogue: tuple[Line, ...] = ()
    notes: str = ""
    lens: Annotated[float, Meta(gt=0, le=2000)] | None = None
    """Focal length in mm."""
    sensor: Annotated[float, Meta(gt=0, le=200)] | None = None
    """Width of the sensor in mm."""
    palette: tuple[Colour, ...] = ()
    """Colours to keep to."""
    references: tuple[str, ...] = ()
    """Pictures to go by; paths that count from the project's folder."""
    neighbours: tuple[Neighbour, ...] = ()
    guesses: dict[str, str] = {}
    """Name of a field to why it says what it says, for each that nobody said: ``time_of_day``: "from the slug line"."""


class Match(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well a placeholder goes with a neighbour in one respect; shown to whoever chooses, never decided by."""

    what: Literal["palette", "brightness", "contrast", "horizon", "shot size", "side", "likeness"]
    """``side`` is the 180-degree rule; ``likeness`` is how alike CLIP finds them."""
    side: Literal["before", "after"]
    score: Annotated[float, Meta(ge=0, le=1)]
    """1 goes well."""
    note: str = ""
    """What was measured, in words with units."""


class MadeFile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was made beside the placeholder."""

    what: Literal["sheet", "scene", "poster", "workflow", "sidecar"]
    """``sheet`` shows all versions, ``scene`` opens in Blender."""
    file: str
    """Counted as the placeholder's own path is."""
    digest: Digest


class ShotArrived(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Media came that is named after a shot, or carries its timecode and reel, for which a placeholder stands."""

    shot: Name
    asset: Asset
    placeholder: Name
    """The proposal that stands in."""
    by: Literal["name", "timecode"]
    version: Annotated[int, Meta(ge=0)] | None = None
    """What its name says, where it says one."""


class Swap(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="result", tag="swap"):
    """The real shot for its placeholder: what would take whose place, and what a person should know before."""

    shot: Name
    placeholder: Name
    """The proposal that stands in."""
    root: str
    """The watched folder in which the media is, by its name."""
    path: str
    """Inside it, as in ``Place``."""
    digest: Digest
    confidence: Annotated[float, Meta(ge=0, le=1)]
    by: Literal["name", "timecode"] = "name"
    version: Annotated[int, Meta(ge=0)] | None = None
    frames: Annotated[int, Meta(ge=0)] = 0
    """How long it is at its own rate; 0 where that is not known."""
    rate: str = ""
    first: str = ""
    """Timecode of its first frame."""
    handles: tuple[int, int] | None = None
    """Frames before and behind what the placeholder shows."""
    questions: tuple[str, ...] = ()
    """Why a person should look: another length or rate, a lower version, two that came."""
