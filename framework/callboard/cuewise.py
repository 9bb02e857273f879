"""Single cues of a proposal: which of them stand, and which a person means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from callboard_schemas import Captions, Cue, Proposal, Translation

from callboard.errors import UsageError


def kept_cues(cues: Sequence[Cue], without: Iterable[str]) -> tuple[Cue, ...]:
    """Give the cues that stand: those whose id is not among *without*."""
    left_out = set(without)
    return tuple(cue for cue in cues if str(cue.id) not in left_out)


def numbers(words: Iterable[str]) -> tuple[int, ...]:
    """Read ids of cues as people type them: ``3``, ``3,7`` or ``3-5``.

    Raises:
        UsageError: one is no number.
    """
    found: dict[int, None] = {}
    for part in (part.strip() for word in words for part in word.split(",")):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"{part!r} is no number of a cue", "Give numbers such as 3,7 or 12-15.")
        found.update(dict.fromkeys(range(int(first), int(last or first) + 1)))
    return tuple(found)


def meant_cues(
    proposals: Sequence[Proposal], wanted: Sequence[int], *, also_before: bool = False
) -> Mapping[str, tuple[str, ...]]:
    """Find the cues that a person means, by their ids.

    Args:
        proposals: Where to look.
        wanted: Ids of cues.
        also_before: Add what each proposal was accepted without before.

    Returns:
        For each proposal's id the ids of its cues that are left out, as texts, in the order of the cues.

    Raises:
        UsageError: an id names no cue of any of them, none has cues, or nothing would be left of one.
    """
    if not any(isinstance(one.body, Captions | Translation) for one in proposals):
        raise UsageError(
            " and ".join(f"{one.id} has {one.result} and no cues" for one in proposals),
            "'callboard inbox ID' shows what a proposal holds.",
        )
    known: dict[str, tuple[str, ...]] = {}
    named: set[int] = set()
    for made in proposals:
        cues = made.body.cues if isinstance(made.body, Captions | Translation) else ()
        before = {int(ident) for ident in made.without if ident.isdecimal()} if also_before else set()
        left_out = tuple(str(cue.id) for cue in cues if cue.id in {*wanted, *before})
        named |= {cue.id for cue in cues} & set(wanted)
        if cues and len(left_out) >= len({cue.id for cue in cues}):
            raise UsageError(
                f"nothing would be left of {made.id}", f"Reject the whole with 'callboard reject {made.id}'."
            )
        known[made.id] = left_out
    strange = [ident for ident in wanted if ident not in named]
    if strange:
        hint = f"'callboard inbox {next(iter(known))}' lists them."
        raise UsageError(f"no cue {strange[0]} in {', '.join(known)}", hint)
    return known


__all__ = ["kept_cues", "meant_cues", "numbers"]
