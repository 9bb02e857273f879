"""Proposals, what was decided on them, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.media import Asset
from callboard_schemas.results import Kind, Provenance, Result, Score

ProposalState = Literal["proposed", "accepted", "rejected", "superseded", "failed"]


class Proposal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plugin proposes for an asset, and where it stands."""

    id: Name
    run: Name
    job: Name
    kind: Kind
    result: Literal["tags", "captions", "translation", "placeholder", "swap"]
    state: ProposalState
    confidence: Score
    provenance: Provenance
    asset: Asset | None = None
    body: Result | None = None
    """Left out where the message would be too long; ask for it by id."""
    decided_by: str = ""
    reason: str = ""
    without: tuple[str, ...] = ()
    """Labels of tags, or ids of cues, that were not accepted with the rest."""


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person, or the policy, decided on a proposal."""

    proposal: Name
    decision: Literal["accept", "reject", "reopen"]
    by: Annotated[str, Meta(min_length=1, max_length=256)]
    reason: str = ""
    without: tuple[str, ...] = ()
    """Labels of tags, or ids of cues, that are not accepted with the rest."""


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an effect left behind, read back from where it was written."""

    effect: Name
    proposals: tuple[Name, ...]
    target: str
    """A sidecar's path inside its root, or a host object."""
    state: Literal["written", "unchanged", "conflict", "undone", "kept", "failed"]
    digest: str = ""
    """sha256 of what was read back."""
    note: str = ""
