"""Brings one clip's sidecars in line in a process of its own, which a failpoint may kill.

Run as ``killed_sync.py MEDIA DATA STATE:VERSION...``; prints what the folder holds after each step, as JSON.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
from callboard.catalog import Catalog
from callboard.catalog.ledger import CatalogLedger
from callboard.config import Sidecars
from callboard.effects import Subject, sync
from callboard_schemas import Asset, Captions, Cue, Place, Proposal, ProposalState, Provenance, Tag, Tags


def subject(media: Path, state: str, version: str) -> Subject:
    """Accept or reject version 1 or 2 of the tags and captions."""
    made = Provenance(plugin="test", version="1.0.0", kind="analyse")
    tags = Tags(items=(Tag(label=f"tag {version}", score=0.9, method="m"),), confidence=0.9, description="Words")
    cues = (Cue(id=1, start=0.0, end=1.0, lines=(f"version {version}",), confidence=0.9),)
    said = Captions(language="en", cues=cues, confidence=0.9)
    asset = Asset(digest="sha256:" + "a" * 64, place=Place(root="r", path="clip.mov"), kind="video", size=5)
    first = Proposal(
        id="t" + version,
        run="run",
        job="job",
        kind="analyse",
        result="tags",
        state=msgspec.convert(state, ProposalState),
        confidence=0.9,
        provenance=made,
        body=tags,
    )
    proposals = (first, msgspec.structs.replace(first, id="c" + version, result="captions", body=said))
    return Subject(media=os.fsencode(media), asset=asset, proposals=proposals)


def main(media: Path, data: Path, steps: list[str]) -> None:
    """Take the steps one after the other."""
    with Catalog(data) as catalog:
        ledger = CatalogLedger(catalog)
        held = []
        for step in steps:
            state, _, version = step.partition(":")
            sync(subject(media, state, version), Sidecars(), ledger)
            held.append({path.name: path.read_bytes() for path in media.parent.iterdir()})
        sys.stdout.buffer.write(msgspec.json.encode(held))


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
