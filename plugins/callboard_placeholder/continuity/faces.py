"""Faces on both sides of a cut: how large, where they are, and where they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from callboard.briefs import size_beside, steps
from callboard_schemas import Neighbour
from msgspec import Struct

from callboard_placeholder.continuity.view import View

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.faces.cascade import Face

PACKS: Final = ("mtcnn-p", "mtcnn-r", "mtcnn-o")
_LOOKS: Final = 0.14
"""How far the tip of the nose is from the middle of the eyes, of their distance, from which a face looks to a side: a
head turned by 20 degrees, as a nose stands out some 23 mm and pupils are 63 mm apart (Dodgson 2004, "Variation and
extrema of human interpupillary distance")."""
_SIDE: Final = 0.06
"""Of the picture's width: a face this near to the middle is on neither side."""
_JUMPS: Final = (0.5, 0.6, 1.0, 1.0, 0.8, 0.7, 0.6)
"""Score by how many sizes lie between two shots. A clear change cuts well; the same or the next size only does from
another angle (https://en.wikipedia.org/wiki/30-degree_rule), and a leap over the whole scale calls for a reason."""

Way = Literal["left", "right", ""]


class Seen(Struct, frozen=True):
    """What the faces of one picture say."""

    size: str = ""
    """Shot size by the largest face."""
    place: Way = ""
    """The half of the picture that the one face is in."""
    looks: Way = ""
    """Where it looks."""


class FaceReader:
    """Reads faces, where the packs are here; else it sees none."""

    def __init__(self, context: Context) -> None:
        self._searcher = None
        if all(pack in context.models for pack in PACKS):
            try:
                from callboard.faces.framing import Searcher
            except ImportError:  # OpenCV comes with the extra of another plugin
                return
            self._searcher = Searcher(context.runtime)

    def read(self, picture: View) -> Seen:
        """Look at one picture.

        Raises:
            CallboardError: the model cannot be run.
        """
        faces = self._searcher.find(np.ascontiguousarray(picture.whole)) if self._searcher is not None else []
        if not faces:
            return Seen()
        from callboard.faces.framing import size_of

        size = size_of(faces[0].height, picture.whole.shape[0])[0]
        alone = len(faces) == 1 or faces[1].height < 0.5 * faces[0].height
        return Seen(size, _place(faces[0], picture), looks(faces[0])) if alone else Seen(size)


def _place(face: Face, picture: View) -> Way:
    across = (face.box[0] + face.box[2]) / 2 / picture.whole.shape[1] - 0.5
    return "" if abs(across) < _SIDE else "left" if across < 0 else "right"


def looks(face: Face) -> Way:
    """Say to which side of the picture a face is turned; nothing where it faces the camera, more or less."""
    left, right, nose = (np.array(point) for point in face.points[:3])
    along = right - left  # a head that is tilted is not turned
    turned = float((nose - (left + right) / 2) @ along) / max(float(along @ along), 1e-6)
    return "" if abs(turned) < _LOOKS else "left" if turned < 0 else "right"


def size_jump(ours: str, theirs: str) -> tuple[float, str]:
    """Compare two shot sizes; a score from 0 to 1, and in words what they are."""
    away = steps(ours, theirs)
    words = f"{ours}, the same size as" if away == 0 else f"{ours}, {away} size{'s' * (away > 1)} from the {theirs} of"
    return _JUMPS[away], words


def sizes(ours: Seen, theirs: Seen, said: str, neighbour: Neighbour) -> tuple[str, str] | None:
    """Give the sizes of both shots: as seen, else as the brief and the neighbour's labels say."""
    other = theirs.size or size_beside(neighbour) or ""
    own = ours.size or said
    return (own, other) if own and other else None


def sides(ours: Seen, theirs: Seen, same: bool | None) -> tuple[float, str] | None:
    """Tell whether two shots keep to one side of the line between those who look at each other.

    Args:
        ours: One face that looks to a side; else there is nothing to tell.
        theirs: The same.
        same: Whether it is the same person; ``None``: not known.

    Returns:
        A score from 0 to 1 and words (https://en.wikipedia.org/wiki/180-degree_rule): one person looks the same way
        before and after a cut, two who look at each other look opposite ways.
    """
    if not ours.looks or not theirs.looks:
        return None
    alike = ours.looks == theirs.looks
    words = f"looks {ours.looks}{', as in' if alike else f', and {theirs.looks} in'}"
    if same is not None:
        return (1.0 if alike == same else 0.2), f"{'the same person' if same else 'another person'} {words}"
    if alike and (ours.place == theirs.place or not (ours.place and theirs.place)):
        return 1.0, f"somebody {words}"
    if not alike and ours.place and theirs.place and ours.place != theirs.place:
        return 0.9, f"somebody {words}, from the other side of the picture as in a reverse shot of"
    return 0.4, f"somebody {words}"


__all__ = ["PACKS", "FaceReader", "Seen", "looks", "sides", "size_jump", "sizes"]
