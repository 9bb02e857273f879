"""One command at one project in memory: changed in place, and read back from it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from callboard_schemas.hosts import Verb

from callboard_kdenlive import labels, markers, placeholders, relinking, subtitles
from callboard_kdenlive.outcome import Outcome, Work, shortened
from callboard_kdenlive.refs import number_of, ref_of
from callboard_kdenlive.uses import on_timeline, uses

_VERBS: Final[dict[Verb, Callable[[Work], None]]] = {
    "tags.write": labels.write,
    "description.write": labels.write,
    "markers.write": markers.write,
    "subtitles.write": subtitles.write,
    "placeholder.insert": placeholders.write,
    "relink": relinking.write,
}
_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "tags.write": ("tags",),
    "description.write": ("description",),
    "markers.write": ("guides", "markers"),
    "subtitles.write": ("subtitles", "aside"),
    "placeholder.insert": ("placeholder",),
    "relink": ("relink",),
}
VERBS: Final[tuple[Verb, ...]] = (*_VERBS, "clear")
"""All that a closed project takes."""


def apply(work: Work) -> None:
    """Do what the command asks; ``work.outcome`` says what did not land. Nothing is written to disk.

    Where it is refused or stale, the project must be thrown away: it may be half changed.
    """
    command = work.command
    if command.verb == "clear":
        clear(work)
    elif command.verb not in _VERBS:
        work.outcome.refused = f"{command.verb!r} is nothing that is done here"
    elif _as_it_was(work):
        _VERBS[command.verb](work)
    work.ledger.save()


def _as_it_was(work: Work) -> bool:
    """Tell whether the use is still the one that the command was made for, or a person agreed to another."""
    command = work.command
    if command.use is None or not command.revision or command.arguments.get("anyway") is True:
        return True
    if "placeholder" in work.ledger.made.get(command.proposal, {}).get(work.ref, {}):
        return True  # what we put there is exchanged wherever a person moved it
    found = [*uses(work.project), *(placed.use for placed in on_timeline(work.project))]
    use = next((use for use in found if use.ref == command.use.ref), None)
    if use is None or use.revision != command.revision:
        name = command.use.name or command.use.ref
        gone = "is no longer there" if use is None else "was moved, cut or retimed since"
        work.outcome.stale = f"{name} {gone}"
    return not work.outcome.stale


def clear(work: Work) -> None:
    """Take away all that was made for the command's proposal, at its use if it names one."""
    proposal = work.command.proposal
    wanted = {work.ref, _bin_ref(work)} if work.command.use is not None else None
    for ref, made in work.ledger.of(proposal):
        if wanted is None or ref in wanted:
            work.ledger.strike(proposal, ref)
            _clear(work, ref, made)


def _bin_ref(work: Work) -> str:
    return ref_of(work.project, number_of(work.project, work.ref))


def _clear(work: Work, ref: str, taken: dict[str, Any]) -> None:
    for kind in ("guides", "markers"):
        if kind in taken:
            markers.clear(work, ref, kind, taken[kind])
    if taken.keys() & {"tags", "description", "author"}:
        labels.clear(work, ref)
    if "subtitles" in taken:
        subtitles.clear(work, taken["subtitles"])
    if "aside" in taken:
        subtitles.clear_aside(work, taken["aside"])
    if "relink" in taken:
        relinking.clear(work, ref, taken["relink"])
    if "placeholder" in taken:
        placeholders.clear(work, taken["placeholder"])


def read_back(work: Work) -> Outcome:
    """Say what of the command is in the project, which was read from disk anew.

    Args:
        work: the same command, at the project as it is now.
    """
    command = work.command
    wanted = _KINDS.get(command.verb, ())
    refs = {work.ref, _bin_ref(work), markers.TIMELINE}
    lost = 0
    for ref, made in work.ledger.of(command.proposal):
        for kind in made.keys() & set(wanted):
            if ref in refs or command.use is None:
                names, missing = _present(work, ref, kind, made[kind])
                work.outcome.landed.extend(names)
                lost += missing
    if lost:
        work.outcome.miss(f"{lost} of it", "not in the project when it was read back")
    work.outcome.landed = shortened(sorted(work.outcome.landed))
    work.outcome.missing = shortened(work.outcome.missing)
    return work.outcome


def _present(work: Work, ref: str, kind: str, made: Any) -> tuple[list[str], int]:
    if kind in ("guides", "markers"):
        return markers.present(work, ref, kind, made)
    if kind in ("tags", "description"):
        return labels.present(work, ref, kind, made)
    if kind == "subtitles":
        return subtitles.present(work, made)
    if kind == "aside":
        return subtitles.present_aside(work, made)
    if kind == "relink":
        return relinking.present(work, ref, made)
    return placeholders.present(work, made)


__all__ = ["VERBS", "apply", "clear", "read_back"]
