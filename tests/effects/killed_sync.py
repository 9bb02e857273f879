"""Brings one clip's sidecars in line in a process of its own, which a failpoint may kill.

Run as ``killed_sync.py MEDIA DATA STATE VERSION``; prints the receipts as JSON.
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


def main(media: str, data: str, state: str, version: str) -> None:
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
    with Catalog(Path(data)) as catalog:
        subject = Subject(media=os.fsencode(media), asset=asset, proposals=proposals)
        sys.stdout.buffer.write(msgspec.json.encode(sync(subject, Sidecars(), CatalogLedger(catalog))))


main(*sys.argv[1:])
