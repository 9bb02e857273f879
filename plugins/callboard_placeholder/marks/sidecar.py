"""The XMP sidecar of a placeholder: what it is, for people and their programs, and all that makes it again.

The ids of the AI properties are those of IPTC's Photo Metadata TechReference 2025.1
(https://iptc.org/std/photometadata/specification/iptc-pmd-techreference_2025.1.yml), which its Video Metadata Hub
shares. There is no date in it: the same placeholder has the same sidecar.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from callboard import __version__, marks
from callboard.effects import xmp
from callboard.effects.xmpmodel import DC, DEFAULT, DESCRIPTION, IPTC_EXT, PLACEHOLDER, SUBJECT, XMP, Property
from callboard.errors import EffectConflict
from callboard.replacing import replacing
from callboard.timedtext.plain import one_line
from callboard_schemas import Placeholder
from msgspec.structs import replace

NEWSCODES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of what media was made by; also what C2PA names it by."""
WHAT: Final = {
    "slate": "a slate",
    "black": "black pictures",
    "hold": "the last picture before it, held",
    "nearest": "the nearest pictures that are there",
    "previous": "the version before",
    "rendered": "those frames that are rendered",
    "previs": "a grey-box scene rendered by rules",
    "diffusion": "a draft by a trained model",
    "comfyui": "a draft by a ComfyUI workflow",
}
_TRAINED: Final = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


def write_sidecar(path: Path, told: Placeholder) -> Path:
    """Write what a placeholder is beside it, as ``NAME.mov.xmp``.

    One that says the same already is left as it is, and so is one of the same media that others added to.

    Args:
        path: The media in its place; for an image sequence its first picture.
        told: With the digest of the media.

    Raises:
        EffectConflict: somebody else's file has the name.
        OSError: it cannot be written.
    """
    sidecar = path.with_name(path.name + ".xmp")
    told = kept(told, path)
    there = marks.read(sidecar)
    if there is None and sidecar.exists():
        raise EffectConflict(str(sidecar), "exists and is not ours; it is left alone")
    if there is not None and there.made is not None:
        others = sidecar.read_bytes() != document(there.made)
        if there.made == told or (others and there.digest == told.digest):
            return sidecar
    with replacing(sidecar, durable=True, shared=True) as file:
        file.write(document(told))
    return sidecar


def kept(told: Placeholder, path: Path) -> Placeholder:
    """Give what a sidecar keeps.

    No path of this machine, nothing that its neighbours say of it, and who asked only where that is who wrote a prompt.
    """
    by = told.by if told.prompt and told.source_type in _TRAINED else ""
    return replace(told, file=path.name, files=(), matches=(), by=by)


def document(told: Placeholder) -> bytes:
    """Write the sidecar's bytes."""
    block = xmp.fresh()
    block.alternative((DC, "title"), [(DEFAULT, one_line(f"{told.shot} (placeholder)"))])
    block.alternative(DESCRIPTION, [(DEFAULT, describe(told))])
    block.texts(SUBJECT, ("placeholder",))
    block.own({"CreatorTool": f"Callboard {__version__}"}, XMP)
    block.own(_iptc(told), IPTC_EXT)
    block.own(_ours(told), PLACEHOLDER)
    return xmp.document(block, PLACEHOLDER)


def describe(told: Placeholder, *, purpose: bool = True) -> str:
    """Say in words what it is, and with *purpose* what the shot is for."""
    what = WHAT.get(told.generator, told.generator)
    wanted = f" The shot is to show: {told.brief.purpose}" if purpose and told.brief and told.brief.purpose else ""
    size = f"{told.frames} frames at {told.rate}, {told.width}x{told.height}."
    return one_line(f"Placeholder, not the shot: {what} stands in for {told.shot}. {size}{wanted}")


def source_uri(told: Placeholder) -> str:
    """Give IPTC's URI for what it was made by.

    Pictures of other media that rules put together, such as a held frame, are a *composite*: only what rules made
    alone is *algorithmicMedia*, "created purely by an algorithm".
    """
    composite = told.source_type == "algorithmicMedia" and told.references
    return NEWSCODES + ("composite" if composite else told.source_type)


def _iptc(told: Placeholder) -> dict[str, Property]:
    """Say what kind of source it has; of AI only where a trained model had part in it."""
    found: dict[str, Property] = {"DigitalSourceType": source_uri(told)}
    if told.source_type not in _TRAINED:
        return found
    models = {name: value for name, value in told.models.items() if name != "Blender"}  # which renders by rules
    includes = one_line(told.prompt)
    excludes = one_line(told.negative)
    return found | {
        "AISystemUsed": one_line(", ".join(models) or told.generator),
        "AISystemVersionUsed": one_line(", ".join(models.values())),
        "AIPromptInformation": f"{includes} [excludes] {excludes}" if excludes else includes,
        "AIPromptWriterName": one_line(told.by),
    }


def _ours(told: Placeholder) -> dict[str, Property]:
    brief = told.brief
    guesses = [{"field": name, "why": one_line(why)} for name, why in sorted(brief.guesses.items())] if brief else []
    return {
        "shot": one_line(told.shot),
        "engine": told.generator,
        "digest": told.digest,
        "seed": "" if told.seed is None else str(told.seed),
        "purpose": one_line(brief.purpose) if brief else "",
        "guesses": guesses,
        "prompt": one_line(told.prompt),
        "negative": one_line(told.negative),
        "models": [{"name": one_line(name), "digest": one_line(value)} for name, value in sorted(told.models.items())],
        "references": [{"path": one_line(name), "digest": value} for name, value in sorted(told.references.items())],
        "notes": [one_line(note) for note in told.notes],
        "record": _record(told),
    }


def _record(told: Placeholder) -> str:
    """Write everything as JSON that XML can carry: what is no character in XML is escaped."""
    text = msgspec.json.encode(told, order="deterministic").decode()
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else char for char in text
    )


__all__ = ["NEWSCODES", "WHAT", "describe", "document", "source_uri", "write_sidecar"]
