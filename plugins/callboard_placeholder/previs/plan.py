"""What is built for a shot, worked out before Blender starts: plain numbers in metres, degrees, frames and linear RGB.

The camera looks along +Y with X to its right; people stand about the origin and face it along -Y.
"""

from __future__ import annotations

from typing import Final, Literal

from callboard_schemas import ShotSize
from msgspec import Struct

Colour = tuple[float, float, float]
Point = tuple[float, float, float]
Shape = Literal["box", "cylinder", "cone", "sphere"]

STATURE: Final = 1.8
"""Metres: a person of eight heads."""
HEAD: Final = STATURE / 8
SUNK: Final = 0.4
"""Metres by which the hips of somebody of that stature sink onto a chair of 0.47 m."""


class Person(Struct, frozen=True, kw_only=True):
    """A stand-in figure."""

    name: str
    pose: Literal["standing", "sitting", "walking"]
    at: tuple[float, float]
    """x and y on the ground, at the middle of the shot."""
    turn: float
    """Degrees the body is turned; 0 faces the camera, positive to the right of the picture."""
    head: tuple[float, float]
    """Degrees the head is turned beyond the body, and how far it nods down."""
    height: float = STATURE
    skin: Colour = (0.5, 0.33, 0.25)
    hair: Colour = (0.04, 0.025, 0.02)
    top: Colour = (0.2, 0.2, 0.22)
    bottom: Colour = (0.1, 0.1, 0.11)
    sunk: float = 0.0
    """Metres that the hips are lower than where it stands."""
    phase: float = 0.0
    """0 to 1: where in breath and step it begins."""
    walk: tuple[float, float] = (0.0, 0.0)
    """Metres it goes during the whole shot, along x and y."""
    lively: float = 1.0
    """How much it moves; who speaks moves more."""


class Prop(Struct, frozen=True, kw_only=True):
    """A grey box, or what stands for something simple."""

    name: str
    shape: Shape
    at: Point
    """Its middle."""
    size: Point
    colour: Colour
    turn: float = 0.0
    shadow: bool = True


class CameraKey(Struct, frozen=True, kw_only=True):
    """Where the camera is at a frame."""

    frame: int
    at: Point
    turn: Point
    """Degrees about X (90 is level), Y (its roll, while it is level) and Z, in that order."""
    lens: float


class Camera(Struct, frozen=True, kw_only=True):
    """The camera and its way."""

    keys: tuple[CameraKey, ...]
    sensor: float
    """Width, mm."""
    focus: float
    """Metres."""
    shake: float = 0.0
    """Degrees of a hand that holds it."""
    linear: bool = False
    """Even speed, where it goes along with somebody; else it eases in and out."""


class Light(Struct, frozen=True, kw_only=True):
    """Key light, what comes from all around, and the sky."""

    sun: Colour
    strength: float
    high: float
    """Degrees above the horizon."""
    side: float
    """Degrees from the camera's back, positive to the right."""
    above: Colour
    below: Colour
    zenith: Colour
    horizon: Colour


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that the scene is made from."""

    shot: str
    about: str
    """The brief in words, for whoever opens the scene."""
    frames: int
    rate: tuple[int, int]
    width: int
    height: int
    pixel_aspect: tuple[int, int]
    percent: int
    """Of the size, at which it is rendered here."""
    samples: int
    """Rays through each corner between pixels; a pixel is the middle of its four corners."""
    step: int
    """Frames from one rendered picture to the next; those between show it again."""
    seed: int
    size: ShotSize
    people: tuple[Person, ...]
    camera: Camera
    light: Light
    ground: Colour
    props: tuple[Prop, ...]
    labels: bool
    notes: tuple[str, ...]


__all__ = [
    "HEAD",
    "STATURE",
    "SUNK",
    "Camera",
    "CameraKey",
    "Colour",
    "Light",
    "Person",
    "Plan",
    "Point",
    "Prop",
    "Shape",
]
