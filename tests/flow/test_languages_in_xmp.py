"""Descriptions and tag names in other languages: language alternatives in XMP, read by exiftool, taken back whole."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard.config import Sidecars
from callboard.effects import MemoryLedger, Subject, sync
from callboard_schemas import Asset, Place, Proposal, Provenance, Tag, Tags, Translation

ASSET = Asset(digest="sha256:" + "1" * 64, place=Place(root="r", path="dog.mov"), kind="video", size=1)
TAGS = Tags(
    items=(Tag(label="dog", score=0.9, method="m", group=("animal",)), Tag(label="beach", score=0.8, method="m")),
    confidence=0.9,
    description="A dog on a beach.",
)


def proposal(ident: str, body: Tags | Translation, state: str = "accepted") -> Proposal:
    """Make a proposal as the catalog gives it."""
    made_by = Provenance(plugin="p", version="1.0.0", kind="analyse")
    return Proposal(
        id=ident,
        run="r",
        job="j",
        kind="analyse",
        result="tags" if isinstance(body, Tags) else "translation",
        state=state,  # type: ignore[arg-type]  # a literal in each test
        confidence=0.9,
        provenance=made_by,
        body=body,
    )


def translated(language: str, about: str, **labels: str) -> Translation:
    """Make a translation of texts."""
    return Translation(
        source_language="en", language=language, cues=(), confidence=0.9, description=about, labels=labels
    )


SPANISH = proposal("es-0", translated("es", "Un perro en una playa.", dog="perro", beach="playa"))
FRENCH = proposal("fr-0", translated("fr", "Un chien sur une plage.", dog="chien"))


class Kept:
    """A folder with a film whose sidecars follow proposals."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.media, self.ledger = folder / "dog.mov", MemoryLedger()
        self.media.write_bytes(b"film")
        self.settings = Sidecars(**settings)
        self.xmp = folder / "dog.mov.xmp"

    def follow(self, *proposals: Proposal) -> set[str]:
        """Bring the sidecars in line; give the states of the receipts."""
        subject = Subject(media=str(self.media).encode(), asset=ASSET, proposals=proposals)
        return {receipt.state for receipt in sync(subject, self.settings, self.ledger)}

    def read(self) -> dict[str, Any]:
        """Read the XMP with exiftool."""
        told = subprocess.run(
            ["exiftool", "-j", "-XMP-dc:all", "-validate", "-warning", str(self.xmp)],
            capture_output=True,
            check=True,
        )
        (found,) = json.loads(told.stdout)
        return dict(found)


def test_alternatives_are_written_and_taken_back(tmp_path: Path) -> None:
    """x-default stays, each accepted language stands beside it, and goes when its translation does."""
    place = Kept(tmp_path)
    place.follow(proposal("t-0", TAGS))
    alone = place.xmp.read_bytes()
    assert place.follow(proposal("t-0", TAGS), SPANISH, FRENCH) <= {"written", "unchanged"}
    found = place.read()
    assert found["Description"] == "A dog on a beach."
    assert found["Description-es"] == "Un perro en una playa."
    assert found["Description-fr"] == "Un chien sur une plage."
    assert sorted(found["Subject"]) == ["beach", "dog"]
    back = msgspec.structs.replace(SPANISH, state="proposed")
    place.follow(proposal("t-0", TAGS), back)
    assert place.xmp.read_bytes() == alone
    place.follow()
    assert not place.xmp.exists()


def test_keywords_are_translated_where_the_settings_say_so(tmp_path: Path) -> None:
    """With the setting, keywords in other languages stand beside the tags; a tag that was left out brings none."""
    place = Kept(tmp_path, translated_keywords=True)
    tags = msgspec.structs.replace(proposal("t-0", TAGS), without=("beach",))
    place.follow(tags, SPANISH, FRENCH)
    assert sorted(place.read()["Subject"]) == ["chien", "dog", "perro"]


@pytest.mark.parametrize("unchanged", [True, False])
def test_nothing_of_a_person_is_touched(tmp_path: Path, unchanged: bool) -> None:
    """A description that a person wrote, or one of ours that they edited, keeps every byte; no language joins it."""
    place = Kept(tmp_path)
    theirs = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        '<rdf:li xml:lang="x-default">Rex, my dog.</rdf:li><rdf:li xml:lang="de">Rex, mein Hund.</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    if unchanged:
        place.xmp.write_text(theirs)
        place.follow(proposal("t-0", TAGS), SPANISH)
        found = place.read()
        assert (found["Description"], found["Description-de"]) == ("Rex, my dog.", "Rex, mein Hund.")
        place.follow()
        assert place.xmp.read_text() == theirs
    else:
        place.follow(proposal("t-0", TAGS), SPANISH)
        place.xmp.write_text(place.xmp.read_text().replace('"es">Un perro', '"es">Mi perro'))
        place.follow(proposal("t-0", TAGS), FRENCH)
        found = place.read()
        assert (found["Description"], found["Description-es"]) == ("A dog on a beach.", "Mi perro en una playa.")
    assert "Description-fr" not in found
    assert unchanged == ("Description-es" not in found)


def test_a_file_that_others_changed_elsewhere_still_follows(tmp_path: Path) -> None:
    """Where a person added a keyword, our languages are still known as ours, and go while theirs stays."""
    place = Kept(tmp_path)
    place.follow(proposal("t-0", TAGS), SPANISH)
    text = place.xmp.read_text()
    assert "<rdf:li>dog</rdf:li>" in text
    place.xmp.write_text(text.replace("<rdf:li>dog</rdf:li>", "<rdf:li>dog</rdf:li><rdf:li>Rex</rdf:li>", 1))
    place.follow(proposal("t-0", TAGS), FRENCH)
    found = place.read()
    assert ("Rex" in found["Subject"], found["Description-fr"]) == (True, "Un chien sur une plage.")
    assert "Description-es" not in found
