"""Where the camera stands, so that people have the size asked for; and the way that it goes."""

from __future__ import annotations

import math
from typing import Final

from callboard_schemas import Angle, Brief, Movement, ShotSize
from msgspec import Struct

from callboard_placeholder.previs.plan import HEAD, Camera, CameraKey, Point

HEADS: Final[dict[ShotSize, tuple[float, float, float]]] = {
    "extreme close-up": (0.8, 0.88, 1.0),
    "close-up": (1.0, 1.5, 2.0),
    "medium close-up": (2.0, 2.42, 2.85),
    "medium shot": (2.85, 3.6, 4.5),
    "medium long shot": (4.5, 5.8, 7.3),
    "wide shot": (7.3, 10.0, 16.0),
    "extreme wide shot": (16.0, 18.6, 30.0),
}
"""How many heads high the picture is: at least, here, and at most. A body is eight heads (Loomis 1943); the limits are
those by which shots are tagged. Film schools frame to the shoulders, chest, waist, thigh or knee, and feet."""
_LENSES: Final[dict[ShotSize, float]] = {
    "extreme close-up": 100.0,
    "close-up": 85.0,
    "medium close-up": 65.0,
    "medium shot": 50.0,
    "medium long shot": 40.0,
    "wide shot": 35.0,
    "extreme wide shot": 28.0,
}
SENSOR: Final = 36.0  # mm: a full frame's width, which focal lengths are usually told for
_HEADROOM: Final[dict[ShotSize, float]] = {  # of the picture's height above the crown; negative cuts it
    "extreme close-up": -0.1,
    "close-up": 0.06,
    "medium close-up": 0.08,
    "medium shot": 0.09,
    "medium long shot": 0.09,
    "wide shot": 0.11,
    "extreme wide shot": 0.4,
}
_PITCH: Final[dict[Angle, float]] = {"high angle": 27.0, "low angle": -17.0, "overhead": 78.0}
_ROLL: Final = 12.0  # degrees of a dutch angle: plainly meant, and faces are still upright enough to be found
_LOWEST: Final = 0.12  # metres: the camera stays above the ground
_DOLLY: Final = 1.35  # nearest to farthest at most, each way from the size that was asked for
_ORBIT: Final = 20.0  # degrees each way


class View(Struct, frozen=True, kw_only=True):
    """A camera that stands still."""

    distance: float
    """Metres to who is looked at."""
    high: float
    """Metres of the picture's height where they stand, as *wide*."""
    wide: float
    lens: float
    sensor: float
    pitch: float
    """Degrees that it looks down."""
    roll: float
    centre: Point
    """What is in the middle of the picture."""


def view_of(brief: Brief, size: ShotSize, aspect: float, head: Point) -> View:
    """Place the camera.

    Args:
        brief: For lens, sensor and angle.
        size: Of the shot.
        aspect: Width to height of the picture as it is seen.
        head: The middle of the head that counts.
    """
    lens, sensor = brief.lens or _LENSES[size], brief.sensor or SENSOR
    high = HEADS[size][1] * HEAD
    wide = high * aspect
    distance = wide * lens / sensor
    above = 0.5 - _HEADROOM[size] - 0.5 * HEAD / high  # of the picture's height, from its middle to the head's
    pitch = _PITCH.get(brief.angle or "eye level", 0.0)
    while True:
        turned = math.radians(pitch)
        # Downwards along the picture, from the head to the middle.
        centre = (head[0], head[1] - above * high * math.sin(turned), head[2] - above * high * math.cos(turned))
        if pitch >= 0 or centre[2] + distance * math.sin(turned) >= _LOWEST:
            break
        pitch = min(pitch + 0.5, 0.0)
    roll = _ROLL if brief.angle == "dutch angle" else 0.0
    return View(
        distance=distance, high=high, wide=wide, lens=lens, sensor=sensor, pitch=pitch, roll=roll, centre=centre
    )


class _Pose(Struct, frozen=True, kw_only=True):
    """The camera at one moment, told from what it looks at."""

    around: float = 0.0  # degrees to the right about what it looks at
    pitch: float
    away: float
    pan: float = 0.0  # degrees to the right, from where it stands
    tilt: float = 0.0  # degrees up
    shift: Point = (0.0, 0.0, 0.0)
    lens: float


def camera_of(view: View, movement: Movement, frames: int, size: ShotSize, along: Point = (0.0, 0.0, 0.0)) -> Camera:
    """Give the camera and its way: keys at the first and the last frame, and between them where its way is bent.

    Args:
        view: Of the middle of the shot.
        movement: As asked.
        frames: Of the shot.
        size: Its limits are kept to, so that it is the same shot from start to end.
        along: Metres that the camera goes along with somebody during the shot.
    """
    moves = movement not in ("static", "handheld")
    shares = (0.0,) if not (moves or any(along)) else (0.0, 0.25, 0.5, 0.75, 1.0) if movement == "orbit" else (0.0, 1.0)
    keys = []
    for share in shares:
        pose = _moved(view, movement, _eased(share) if movement == "orbit" else share, size)
        drift = tuple(way * (share - 0.5) for way in along)
        keys.append(_key(view, pose, (drift[0], drift[1], drift[2]), 1 + round(share * (frames - 1))))
    keys = list({key.frame: key for key in keys}.values())
    shake = 0.55 if movement == "handheld" else 0.0
    linear = any(along) or movement == "orbit"
    return Camera(
        keys=tuple(keys),
        sensor=view.sensor,
        focus=round(view.distance, 4),
        shake=shake * 35.0 / view.lens,
        linear=linear,
    )


def _eased(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def _moved(view: View, movement: Movement, share: float, size: ShotSize) -> _Pose:
    way = 2.0 * share - 1.0  # from -1 at the start to 1 at the end
    least, here, most = HEADS[size]
    reach = min(here / (least * 1.05), most / 1.05 / here, _DOLLY)
    pose = _Pose(pitch=view.pitch, away=view.distance, lens=view.lens)
    across = math.degrees(math.atan2(0.16 * view.wide, view.distance))
    up = math.degrees(math.atan2(0.2 * view.high, view.distance))
    tall = min(0.3 * view.distance, 0.9)
    ways: dict[Movement, dict[str, float | Point]] = {
        "pan left": {"pan": -way * across},
        "pan right": {"pan": way * across},
        "tilt up": {"tilt": up * (share - 0.85)},
        "tilt down": {"tilt": up * (0.85 - share) * 0.5 - up * 0.2},
        "dolly in": {"away": view.distance * reach**-way},
        "dolly out": {"away": view.distance * reach**way},
        "zoom in": {"lens": view.lens * reach**way},
        "zoom out": {"lens": view.lens * reach**-way},
        "truck left": {"shift": (-way * 0.18 * view.wide, 0.0, 0.0)},
        "truck right": {"shift": (way * 0.18 * view.wide, 0.0, 0.0)},
        "crane up": {"pitch": view.pitch + math.degrees(math.asin(tall / view.distance)) * way * 0.8},
        "crane down": {"pitch": view.pitch - math.degrees(math.asin(tall / view.distance)) * way * 0.8},
        "orbit": {"around": way * _ORBIT},
    }
    changed = ways.get(movement, {})
    return _Pose(**{**{name: getattr(pose, name) for name in pose.__struct_fields__}, **changed})


def _key(view: View, pose: _Pose, drift: Point, frame: int) -> CameraKey:
    pitch, around = math.radians(pose.pitch), math.radians(pose.around)
    back = (math.sin(around) * math.cos(pitch), -math.cos(around) * math.cos(pitch), math.sin(pitch))
    shift = tuple(a + b for a, b in zip(pose.shift, drift, strict=True))
    at = [middle + pose.away * way + more for middle, way, more in zip(view.centre, back, shift, strict=True)]
    at[2] = max(at[2], _LOWEST)
    turn = (90.0 - pose.pitch + pose.tilt, view.roll, pose.around - pose.pan)
    return CameraKey(
        frame=frame,
        at=(round(at[0], 5), round(at[1], 5), round(at[2], 5)),
        turn=(round(turn[0], 4), round(turn[1], 4), round(turn[2], 4)),
        lens=round(pose.lens, 3),
    )


__all__ = ["HEADS", "SENSOR", "View", "camera_of", "view_of"]
