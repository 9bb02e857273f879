"""Which parts of proposals a decision leaves out: single tags by their labels, single cues by their ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from callboard_schemas import Captions, Decision, Proposal, Translation
from msgspec.structs import replace

from callboard.catalog import proposals
from callboard.cuewise import meant_cues, numbers
from callboard.errors import MessageRefused, UsageError
from callboard.tagwise import meant

Parts = Mapping[str, tuple[str, ...]]
"""Proposal id to what it is accepted without."""


def left_out(
    conn: sqlite3.Connection, idents: Sequence[str], verb: str, tags: Sequence[str], cues: Sequence[str]
) -> Parts:
    """Say what each proposal is accepted without.

    Args:
        conn: The transaction.
        idents: The proposals.
        verb: ``accept`` takes the rest; ``reject`` takes these parts alone out of what was accepted.
        tags: Labels or concepts.
        cues: Ids of cues as people type them.

    Raises:
        UsageError: a tag or a cue is in none of them, nothing would be left, or what it is taken out of was not
            accepted.
    """
    if not tags and not cues:
        return {}
    made = [one for ident in idents if (one := proposals.get(conn, ident)) is not None]
    if verb != "accept":
        _must_be_accepted(made, "cue" if cues else "tag")
    before = verb != "accept"
    found: dict[str, tuple[str, ...]] = {}
    if tags:
        found.update(meant([one for one in made if not (cues and _has_cues(one))], tags, also_before=before))
    if cues:
        found.update(meant_cues([one for one in made if not tags or _has_cues(one)], numbers(cues), also_before=before))
    return found


def _must_be_accepted(made: Sequence[Proposal], part: str) -> None:
    waits = next((one.id for one in made if one.state != "accepted"), "")
    if waits:
        option = "--without-cue 3,7" if part == "cue" else "--without TAG"
        raise UsageError(
            f"{waits} is not accepted, so no single {part} of it can be rejected",
            f"'callboard accept {waits} {option}' accepts the rest.",
        )


def _has_cues(made: Proposal) -> bool:
    return isinstance(made.body, Captions | Translation)


def heard(conn: sqlite3.Connection, decision: Decision) -> Decision:
    """Take a decision that came as a message, its parts named as people name them.

    Raises:
        MessageRefused: it leaves out what is not there, or everything.
    """
    made = proposals.get(conn, decision.proposal)
    if made is None or not decision.without:
        return decision
    try:
        parts = meant_cues([made], numbers(decision.without)) if _has_cues(made) else meant([made], decision.without)
    except UsageError as error:
        code = "unknown-cue" if _has_cues(made) else "unknown-tag"
        raise MessageRefused(code, f"{error.message}. {error.hint}") from None
    return replace(decision, without=parts[made.id])


__all__ = ["Parts", "heard", "left_out"]
