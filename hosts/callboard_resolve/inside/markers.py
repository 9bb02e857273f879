"""Markers with our id in their custom data; one a frame, and never a person's."""

from typing import TYPE_CHECKING

from callboard_resolve.inside.ledger import checksum
from callboard_resolve.inside.outcome import Outcome

if TYPE_CHECKING:
    from typing import Any

    from fusionscript import MarkerColor, MediaPoolItem, Timeline

COLOURS: "tuple[MarkerColor, ...]" = (
    *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia"),
    *("Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream"),
)
"""The 16 colours that a marker may have; any other is refused without a reason (fusionscript-stubs 21.0.0)."""

NEAREST: "dict[str, MarkerColor]" = {
    "orange": "Yellow",
    "white": "Cream",
    "black": "Cocoa",
    "brown": "Cocoa",
    "grey": "Sand",
    "gray": "Sand",
    "magenta": "Fuchsia",
    "violet": "Purple",
    "teal": "Cyan",
    "lime": "Mint",
    "navy": "Blue",
}


def colour_of(name: str) -> "MarkerColor":
    """Give the marker colour that a name means; blue for what is none."""
    known: dict[str, MarkerColor] = {colour.lower(): colour for colour in COLOURS}
    return known.get(name.lower()) or NEAREST.get(name.lower(), "Blue")


class Wanted:
    """A marker to be: its frame is relative to the start of what it is on; its length is at least one frame."""

    def __init__(self, frame: int, marker: "dict[str, Any]", length: int) -> None:
        self.frame = frame
        self.name = str(marker.get("name", ""))
        self.note = str(marker.get("note", ""))
        self.colour: MarkerColor = colour_of(str(marker.get("colour", "")))
        self.length = max(1, length)

    def mark(self) -> str:
        """Name what a person would change by editing it."""
        return _mark(self.colour, self.name, self.note, self.length)


def _mark(colour: str, name: str, note: str, length: float) -> str:
    return checksum("\n".join((colour, name, note, str(int(length)))))


def _id(proposal: str, place: str) -> str:
    return f"callboard:{proposal}:{checksum(place)}:" if place else f"callboard:{proposal}:"


def ours(info: "dict[str, Any]", proposal: str, place: str = "") -> "tuple[int, bool] | None":
    """Say which marker of a proposal this is, and whether a person changed it since; ``None`` where it is not ours.

    With a *place* only those count that were put there for that use of the media.
    """
    text = str(info.get("customData", ""))
    if not text.startswith(_id(proposal, place)):
        return None
    number, _, mark = text[len(f"callboard:{proposal}:") :].partition(":")[2].partition(":")
    now = _mark(str(info.get("color")), str(info.get("name")), str(info.get("note")), float(info.get("duration", 1)))
    return (int(number), now != mark) if number.isdigit() else None


def present(target: "Timeline | MediaPoolItem") -> "dict[int, dict[str, Any]]":
    """Read the markers; Resolve has floating point frames for keys."""
    return {int(frame): dict(info) for frame, info in (target.GetMarkers() or {}).items()}


def write(
    target: "Timeline | MediaPoolItem", proposal: str, place: str, wanted: "list[Wanted]", last: int, reach: int
) -> Outcome:
    """Put markers on a timeline or on media in the place of those that were put there for the same proposal and use.

    Args:
        target: a timeline or media.
        proposal: the id that our markers carry.
        place: the name of the use that they are for, which they carry too.
        wanted: the markers, in any order.
        last: the last frame that there is.
        reach: how many frames later a marker may go where its frame is taken.
    """
    outcome = Outcome()
    edited = clear(target, proposal, outcome, place)
    for number, marker in enumerate(wanted):
        if number in edited:
            outcome.note(f"markers that a person changed were kept: {marker.name}")
            continue
        taken = present(target)
        frame = next((one for one in range(marker.frame, marker.frame + reach + 1) if one not in taken), -1)
        if frame < 0 or not 0 <= frame <= max(last, 0):
            why = f"no free frame near {marker.frame}" if frame < 0 else f"frame {frame} is not there"
            outcome.missing.append(f"{marker.name}: {why}")
            continue
        mark = f"{_id(proposal, place)}{number}:{marker.mark()}"
        target.AddMarker(frame, marker.colour, marker.name, marker.note, marker.length, mark)
        if str(present(target).get(frame, {}).get("customData", "")) != mark:
            outcome.missing.append(f"{marker.name}: Resolve put no marker at frame {frame}")
            continue
        late = frame - marker.frame
        outcome.landed.append(marker.name + (f" ({_frames(late)} later: its frame was taken)" if late else ""))
    return outcome


def clear(target: "Timeline | MediaPoolItem", proposal: str, outcome: Outcome, place: str = "") -> "set[int]":
    """Take away a proposal's markers, but for those that a person changed; give the numbers of these."""
    edited = set()
    for info in present(target).values():
        found = ours(info, proposal, place)
        if found is None:
            continue
        if found[1]:
            edited.add(found[0])
        elif not target.DeleteMarkerByCustomData(str(info["customData"])):
            outcome.missing.append("{}: the marker from before could not be removed".format(info.get("name", "")))
    return edited


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
