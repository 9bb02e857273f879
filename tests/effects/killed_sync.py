"""Brings one clip's sidecars in line in processes of their own, which a failpoint may kill.

Each line of its input is an order, ``["FAILPOINT:ACTION", "MEDIA", "DATA", "STATE:VERSION", ...]``; it answers with the
exit status of the process that did it, negative for a signal, and what the folder held after each step.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import msgspec
from callboard.catalog import Catalog
from callboard.catalog.ledger import CatalogLedger
from callboard.config import Sidecars
from callboard.effects import Subject, sync
from callboard.failpoints import armed
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


def take(media: Path, data: Path, steps: list[str]) -> bytes:
    """Take the steps one after the other; give what the folder holds after each, as JSON."""
    with Catalog(data) as catalog:
        ledger = CatalogLedger(catalog)
        held = []
        for step in steps:
            state, _, version = step.partition(":")
            sync(subject(media, state, version), Sidecars(), ledger)
            held.append({path.name: path.read_bytes() for path in media.parent.iterdir()})
        return msgspec.json.encode(held)


def child(writing: int, failpoint: str, media: str, data: str, *steps: str) -> None:
    """Do an order in this process, and end it."""
    code = 1
    try:
        with armed(failpoint), open(writing, "wb") as told:
            told.write(take(Path(media), Path(data), [*steps]))
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this must not go on as its parent would
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    """Do one order after the other, each in a child: all that it imports is there already."""
    for line in sys.stdin.buffer:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            child(writing, *msgspec.json.decode(line, type=list[str]))
        os.close(writing)
        with open(reading, "rb") as told:
            held = told.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.buffer.write(msgspec.json.encode([code, msgspec.Raw(held or b"[]")]) + b"\n")
        sys.stdout.buffer.flush()


main()
