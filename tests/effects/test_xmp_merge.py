"""XMP: what is ours goes in and out, what is not stays byte for byte."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pyexiv2
import pytest
from callboard.effects.ledger import Values, Version
from callboard.effects.spans import XmlRefused, parse, splice, unsplice
from callboard.effects.xmp import Merged, merge
from callboard.effects.xmpmodel import Wish, hides_others, values, wish
from callboard_schemas import Proposal, Provenance, Tag, Tags
from hypothesis import given, settings
from hypothesis import strategies as st

_SHARED = {"XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "XMP-digiKam:TagsList"} | {
    "XMP-dc:Description",
    "XMP-x:XMPToolkit",
}
"""Properties that we write into, as exiftool names them."""
DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   exif:DateTimeOriginal="2024:05:01 10:00:00"
   xmp:Rating="3"
   darktable:xmp_version="5"
   darktable:history_end="2">
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0"
      darktable:operation="exposure"
      darktable:params="0000&quot;00"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>holiday</rdf:li>
     <rdf:li>darktable|format|mov</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>places|spain</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
LIGHTROOM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="video/quicktime"/>
  <rdf:Description rdf:about='' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
   <xmpMM:History><rdf:Seq>
    <rdf:li rdf:parseType="Resource"><xmpMM:action>saved</xmpMM:action></rdf:li>
   </rdf:Seq></xmpMM:History>
  </rdf:Description>
  <!-- a person's note: a < b & c -->
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">A person's words</rdf:li>
    <rdf:li xml:lang="de">Worte</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag/></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
{padding}
<?xpacket end="w"?>""".replace("{padding}", "\n".join([" " * 100] * 20))
DIGIKAM = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='uuid:1' xmlns:digiKam='http://www.digikam.org/ns/1.0/'>"
    "<digiKam:TagsList><rdf:Seq><rdf:li>A/B</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description></rdf:RDF></x:xmpmeta>"
)
BARE = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
SAMPLES = {
    "darktable": DARKTABLE.encode(),
    "lightroom": LIGHTROOM.encode(),
    "digikam": DIGIKAM.encode(),
    "prefix": DIGIKAM.replace("rdf:", "r:").replace("xmlns:rdf", "xmlns:r").encode(),
    "bare": BARE.encode(),
    "crlf": DARKTABLE.replace("\n", "\r\n").encode(),
    "bom": b"\xef\xbb\xbf" + DARKTABLE.encode(),
}


def wanted(
    *subjects: str,
    hierarchy: tuple[str, ...] = ("Place|Beach",),
    description: str = "A beach",
    paths: tuple[str, ...] = ("Place/Beach",),
) -> Wish:
    """Say what a test wants, with something in our own namespace."""
    values = Values(subjects, hierarchy, description, paths)
    return Wish(values=values, own={"tags": [{"label": "x", "score": "0.5000"}]})


def remembered(merged: Merged) -> Version:
    """Remember a merge as the ledger does."""
    assert merged.data is not None
    now = merged.version
    return Version(
        digest=hashlib.sha256(merged.data).hexdigest(),
        created=now.created,
        wanted=now.wanted,
        added=now.added,
        splices=now.splices,
    )


def read(data: bytes | None) -> Values:
    """Read the shared properties back."""
    assert data is not None
    return values(parse(data))


@pytest.mark.parametrize("sample", SAMPLES)
def test_taking_ours_out_gives_the_very_bytes_that_were_there(sample: str) -> None:
    """Writing and then withdrawing leaves no trace in an editor's sidecar."""
    before = SAMPLES[sample]
    done = merge(before, wanted("beach", "sun"), None, unchanged=False)
    assert done.data is not None
    assert read(done.data).subjects[-2:] == ("beach", "sun")
    assert unsplice(done.data, done.version.splices) == before
    assert merge(done.data, None, remembered(done), unchanged=True).data == before


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_wish_gives_the_same_bytes_whatever_came_between(sample: str) -> None:
    """A then B then A is A: the file depends on the wish, not on the way."""
    first = merge(SAMPLES[sample], wanted("beach"), None, unchanged=False)
    second = merge(first.data, wanted("sea", "sun", description=""), remembered(first), unchanged=True)
    third = merge(second.data, wanted("beach"), remembered(second), unchanged=True)
    assert second.data != first.data
    assert third.data == first.data


@pytest.mark.parametrize("sample", ["darktable", "lightroom", "digikam", "crlf"])
def test_exiv2_reads_what_we_write(sample: str, tmp_path: Path) -> None:
    """Another XMP implementation finds our values and everybody else's."""
    done = merge(SAMPLES[sample], wanted("beach & <sea>", "sun"), None, unchanged=False)
    path = tmp_path / "clip.xmp"
    path.write_bytes(done.data or b"")
    with pyexiv2.Image(str(path)) as image:
        found = image.read_xmp()
    assert found["Xmp.dc.subject"][-2:] == ["beach & <sea>", "sun"]
    assert found["Xmp.lr.hierarchicalSubject"][-1] == "Place|Beach"
    lists = {"lightroom": ["Place/Beach"], "digikam": ["A/B", "Place/Beach"]}
    assert found.get("Xmp.digiKam.TagsList") == lists.get(sample)
    others = {"darktable": "Xmp.darktable.history", "crlf": "Xmp.darktable.history", "digikam": "Xmp.digiKam.TagsList"}
    assert any(key.startswith(others.get(sample, "Xmp.xmpMM.History")) for key in found)
    words = found["Xmp.dc.description"]['lang="x-default"']
    assert words == ("A person's words" if sample == "lightroom" else "A beach")


def exiftool(path: Path) -> dict[str, object]:
    """Read every property with exiftool, lists as lists."""
    command = ["exiftool", "-j", "-G1", "-struct", "-a", "-api", "Compact=0", str(path)]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    found: dict[str, object] = json.loads(said)[0]
    return found


def listed(found: dict[str, object], name: str) -> list[str]:
    """Give a property's values in order; a single value is a list of one, an empty one none."""
    value = found.get(name, [])
    return [str(item) for item in (value if isinstance(value, list) else [value]) if item != ""]


@pytest.mark.parametrize("sample", ["darktable", "lightroom", "digikam", "crlf"])
def test_exiftool_reads_what_we_write(sample: str, tmp_path: Path) -> None:
    """A third implementation finds words flat and by hierarchy as cataloguers expect them, and a person's untouched."""
    path = tmp_path / "clip.xmp"
    path.write_bytes(SAMPLES[sample])
    before = exiftool(path)
    done = merge(SAMPLES[sample], wanted("beach & <sea>", "sun"), None, unchanged=False)
    path.write_bytes(done.data or b"")
    found = exiftool(path)
    for name, ours in (
        ("XMP-dc:Subject", ["beach & <sea>", "sun"]),  # what every program searches
        ("XMP-lr:HierarchicalSubject", ["Place|Beach"]),  # the tree of Lightroom and darktable
        # digiKam's tree, which would hide the keywords that a person has elsewhere if it were begun there
        ("XMP-digiKam:TagsList", ["Place/Beach"] if sample in ("lightroom", "digikam") else []),
    ):
        assert listed(found, name) == listed(before, name) + ours
    kept = {name: value for name, value in before.items() if name.startswith("XMP-") and name not in _SHARED}
    assert kept
    assert kept.items() <= found.items()
    assert "ExifTool:Warning" not in found
    path.write_bytes(merge(done.data, None, remembered(done), unchanged=True).data or b"")
    again = exiftool(path)
    xmp = [{name: value for name, value in each.items() if name.startswith("XMP-")} for each in (again, before)]
    assert xmp[0] == xmp[1]


def test_a_file_rewritten_by_exiv2_keeps_its_changes_and_loses_only_ours(tmp_path: Path) -> None:
    """A tool that writes the whole file anew, our block merged into its own, is no obstacle."""
    done = merge(DARKTABLE.encode(), wanted("beach", "sun"), None, unchanged=False)
    path = tmp_path / "clip.xmp"
    path.write_bytes(done.data or b"")
    with pyexiv2.Image(str(path)) as image:
        image.modify_xmp({"Xmp.dc.subject": ["holiday", "darktable|format|mov", "sun", "mine"], "Xmp.xmp.Rating": "5"})
    touched = path.read_bytes()
    assert touched != done.data
    again = merge(touched, wanted("beach", "sun", "dog"), remembered(done), unchanged=False)
    assert read(again.data).subjects == ("holiday", "darktable|format|mov", "mine", "sun", "dog")
    out = merge(again.data, None, remembered(again), unchanged=True)
    assert read(out.data).subjects == ("holiday", "darktable|format|mov", "mine")
    assert b"callboard:" not in (out.data or b"")
    assert b'xmp:Rating="5"' in (out.data or b"")


def test_a_person_who_removed_a_tag_of_ours_does_not_get_it_again() -> None:
    """A removed value stays away for as long as it is wanted, and comes back after it was not."""
    first = merge(DARKTABLE.encode(), wanted("beach", "sun"), None, unchanged=False)
    edited = re.sub(rb"\s*<rdf:li>sun</rdf:li>", b"", first.data or b"", count=1)
    second = merge(edited, wanted("beach", "sun", "dog"), remembered(first), unchanged=False)
    assert read(second.data).subjects == ("holiday", "darktable|format|mov", "beach", "dog")
    third = merge(second.data, wanted("sun", "dog"), remembered(second), unchanged=True)
    assert read(third.data).subjects == ("holiday", "darktable|format|mov", "dog")
    without = merge(third.data, wanted("dog"), remembered(third), unchanged=True)
    asked = merge(without.data, wanted("dog", "sun"), remembered(without), unchanged=True)
    assert read(asked.data).subjects == ("holiday", "darktable|format|mov", "dog", "sun")


def test_a_person_who_has_a_tag_already_keeps_it_when_ours_is_withdrawn() -> None:
    """A value that was there before us is not ours to remove."""
    first = merge(DARKTABLE.encode(), wanted("holiday", "sun"), None, unchanged=False)
    assert read(first.data).subjects == ("holiday", "darktable|format|mov", "sun")
    assert first.version.added.subjects == ("sun",)
    out = merge(first.data, wanted("dog"), remembered(first), unchanged=True)
    assert read(out.data).subjects == ("holiday", "darktable|format|mov", "dog")


def test_a_description_that_a_person_wrote_or_removed_is_left_so() -> None:
    """Ours goes in only where there is none; an edited one is the person's from then on."""
    first = merge(DARKTABLE.encode(), wanted("beach"), None, unchanged=False)
    assert read(first.data).description == "A beach"
    edited = (first.data or b"").replace(b'x-default">A beach<', b'x-default">My beach<')
    second = merge(edited, wanted("beach", description="Two beaches"), remembered(first), unchanged=False)
    assert read(second.data).description == "My beach"
    out = merge(second.data, None, remembered(second), unchanged=True)
    assert read(out.data).description == "My beach"
    gone = re.sub(rb"\s*<dc:description>.*?</dc:description>", b"", first.data or b"", count=1, flags=re.DOTALL)
    third = merge(gone, wanted("beach", description="Two beaches"), remembered(first), unchanged=False)
    assert read(third.data).description == ""


def test_an_edit_is_understood_when_the_catalog_is_lost() -> None:
    """What we wrote is in our own namespace too, so nothing doubles and nothing of a person's goes."""
    first = merge(DARKTABLE.encode(), wanted("beach", "sun"), None, unchanged=False)
    edited = re.sub(rb"\s*<rdf:li>sun</rdf:li>", b"", first.data or b"", count=1)
    again = merge(edited, wanted("beach", "sun"), None, unchanged=False)
    assert read(again.data).subjects == ("holiday", "darktable|format|mov", "beach")
    assert (again.data or b"").count(b"callboard:schema=") == 1


def test_a_file_of_ours_goes_when_nothing_in_it_is_anybodys() -> None:
    """A file that we made is removed with our last value, unless a person put something in."""
    first = merge(None, wanted("beach"), None, unchanged=False)
    assert merge(first.data, None, remembered(first), unchanged=True).data is None
    touched = (first.data or b"").replace(b"<rdf:li>beach</rdf:li>", b"<rdf:li>beach</rdf:li><rdf:li>mine</rdf:li>", 1)
    out = merge(touched, None, remembered(first), unchanged=False)
    assert read(out.data).subjects == ("mine",)
    assert b"callboard:" not in (out.data or b"").replace(b"xmlns:callboard", b"")


def digikam_writes(path: Path, paths: list[str]) -> bytes:
    """Let exiv2, which digiKam writes with, set digiKam's list."""
    with pyexiv2.Image(str(path)) as image:
        image.modify_xmp({"Xmp.digiKam.TagsList": paths})
    return path.read_bytes()


def test_an_entry_in_digikams_list_is_merged_as_any_other(tmp_path: Path) -> None:
    """What a person has there already or adds stays, what one took out is not put in again, undo takes only ours."""
    before = DIGIKAM.encode()
    paths = ("A/B", "Place/Beach", "Sky")
    first = merge(before, wanted(paths=paths), None, unchanged=False)
    assert read(first.data).paths == ("A/B", "Place/Beach", "Sky")
    assert merge(first.data, None, remembered(first), unchanged=True).data == before
    path = tmp_path / "clip.xmp"
    path.write_bytes(first.data or b"")
    touched = digikam_writes(path, ["A/B", "Place/Beach", "mine"])
    second = merge(touched, wanted(paths=paths), remembered(first), unchanged=False)
    assert read(second.data).paths == ("A/B", "mine", "Place/Beach")
    path.write_bytes(second.data or b"")
    assert listed(exiftool(path), "XMP-digiKam:TagsList") == ["A/B", "mine", "Place/Beach"]
    assert read(merge(second.data, None, remembered(second), unchanged=True).data).paths == ("A/B", "mine")


def test_digikams_list_is_not_begun_where_it_would_hide_a_persons_keywords(tmp_path: Path) -> None:
    """Beside keywords kept elsewhere there is none of ours; digiKam's own, begun from ours too, loses ours by undo."""
    first = merge(DARKTABLE.encode(), wanted("sun"), None, unchanged=False)
    assert b"TagsList" not in (first.data or b"")
    path = tmp_path / "clip.xmp"
    path.write_bytes(first.data or b"")
    touched = digikam_writes(path, ["places/spain", "Place/Beach", "mine"])
    second = merge(touched, wanted("sun"), remembered(first), unchanged=False)
    assert sorted(read(second.data).paths) == ["Place/Beach", "mine", "places/spain"]
    for data, last in ((touched, first), (second.data, second)):
        out = merge(data, None, remembered(last), unchanged=data is second.data)
        assert read(out.data).paths == ("places/spain", "mine")


@pytest.mark.parametrize("known", ["known", "lost"])
@pytest.mark.parametrize("sample", ["ours", "lightroom", "digikam"])
def test_a_sidecar_from_before_digikams_list_gets_it(sample: str, known: str) -> None:
    """One that an earlier version wrote without it has it after the next write, and undo leaves nothing of ours."""
    before = SAMPLES.get(sample)
    first = merge(before, wanted("sun", paths=()), None, unchanged=False)
    theirs = read(before).paths if before else ()
    assert read(first.data).paths == theirs
    last = remembered(first) if known == "known" else None
    second = merge(first.data, wanted("sun"), last, unchanged=last is not None)
    assert read(second.data).paths == (*theirs, "Place/Beach")
    assert read(second.data).hierarchy == ("Place|Beach",)
    out = merge(second.data, None, remembered(second), unchanged=True)
    assert b"Beach" not in (out.data or b"")
    assert before is None or read(out.data) == read(before)
    if known == "known":
        assert out.data == before


def test_a_slash_in_a_label_makes_no_level() -> None:
    """A path of digiKam's has as many levels as the tag; every tag is in it, also one without a group."""
    tags = Tags(
        items=(
            Tag(label="24/7", score=0.9, method="m", group=("shop", "hours a/b")),
            Tag(label="sun|moon", score=0.9, method="m"),
        ),
        confidence=0.9,
        description="",
    )
    proposal = Proposal(
        id="p",
        run="r",
        job="j",
        result="tags",
        kind="analyse",
        body=tags,
        confidence=0.9,
        provenance=Provenance(plugin="m", version="1", kind="analyse"),
        state="accepted",
    )
    said = wish([proposal])
    assert said is not None
    assert said.values.subjects == ("24/7", "sun|moon")
    assert said.values.hierarchy == ("shop|hours a/b|24/7",)
    assert said.values.paths == ("shop/hours a\u2215b/24\u22157", "sun|moon")
    assert read(merge(None, said, None, unchanged=False).data).paths == said.values.paths


HOSTILE = {
    "doctype": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>',
    "external": b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>',
    "parameter": b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><x/>',
    "undeclared": b"<x>&nothing;</x>",
    "utf16": DARKTABLE.replace("UTF-8", "UTF-16").encode("utf-16"),
    "utf16le": DARKTABLE.replace("UTF-8", "UTF-16").encode("utf-16-le"),
    "latin1": DARKTABLE.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    "deep": b"<x>" * 5000 + b"</x>" * 5000,
    "truncated": DARKTABLE.encode()[:700],
    "empty": b"",
    "no rdf": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
    "not xml": b"\x00\x01\x02binary",
    "bad utf8": DARKTABLE.encode().replace(b"holiday", b"holi\xffday"),
    "plain subject": DARKTABLE.encode().replace(b'xmp:Rating="3"', b'dc:subject="x"'),
    "no list": re.sub(
        rb"<dc:subject>.*</dc:subject>", b"<dc:subject>x</dc:subject>", DARKTABLE.encode(), flags=re.DOTALL
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_changed_safely_is_refused(case: str) -> None:
    """Entities, other encodings and broken or foreign files raise a reason, and nothing is made."""
    with pytest.raises(XmlRefused, match=r"\w+ \w+"):
        merge(HOSTILE[case], wanted("beach"), None, unchanged=False)


LABELS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12)
CLEAN = LABELS.map(lambda text: " ".join(text.replace("\ufffe", "").replace("\uffff", "").split())).filter(bool)
NOISE = st.sampled_from(["", "\n", "\r\n    ", "<!-- n & < -->", "<?pi some thing?>", "  <!--x-->\t"])
FOREIGN = st.sampled_from(
    [
        "<f:a>1</f:a>",
        "<f:b f:c='x &amp; y'/>",
        '<f:d r:parseType="Resource"><f:e>&#233;</f:e></f:d>',
        "<f:g><![CDATA[<]]></f:g>",
    ]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Compose a sidecar of foreign properties, noise and perhaps a list of subjects."""
    people = draw(st.lists(CLEAN, max_size=4, unique=True))
    listed = "".join(f"{draw(NOISE)}<r:li>{escape(text)}</r:li>" for text in people)
    subject = f"<q:subject>{draw(NOISE)}<r:Bag>{listed}{draw(NOISE)}</r:Bag></q:subject>" if draw(st.booleans()) else ""
    named = "".join(f"<r:li>people/{escape(text)}</r:li>" for text in draw(st.lists(CLEAN, max_size=2, unique=True)))
    space = "xmlns:d='http://www.digikam.org/ns/1.0/'"
    paths = f"<d:TagsList {space}><r:Seq>{named}{draw(NOISE)}</r:Seq></d:TagsList>" if draw(st.booleans()) else ""
    parts = [draw(st.permutations([*draw(st.lists(FOREIGN, max_size=3)), subject, paths]))]
    body = "".join(itertools.chain.from_iterable((draw(NOISE), part) for part in parts[0]))
    rating = draw(st.sampled_from(["", " f:rating='3'", '\n f:x="a>b"']))
    about = draw(st.sampled_from(['""', "'uuid:7'"]))
    return (
        f"{draw(st.sampled_from(['', '<!-- top -->']))}<x:xmpmeta xmlns:x='adobe:ns:meta/'>{draw(NOISE)}"
        "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"{draw(NOISE)}<r:Description r:about={about} xmlns:f='urn:f' xmlns:q='http://purl.org/dc/elements/1.1/'{rating}>"
        f"{body}{draw(NOISE)}</r:Description>{draw(NOISE)}</r:RDF>{draw(NOISE)}</x:xmpmeta>{draw(NOISE)}"
    ).encode()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(before=files(), ours=st.lists(CLEAN, max_size=4, unique=True), later=st.lists(CLEAN, max_size=3, unique=True))
def test_every_foreign_byte_survives(before: bytes, ours: list[str], later: list[str]) -> None:
    """For any file and wishes: the foreign bytes are a subsequence kept whole, values read back, and undo is exact."""
    people = read(before).subjects
    first = merge(before, wanted(*ours), None, unchanged=False)
    assert unsplice(first.data or b"", first.version.splices) == before
    assert set(read(first.data).subjects) == {*people, *ours}
    offered = set() if hides_others(read(before)) else {"Place/Beach"}
    assert set(read(first.data).paths) == {*read(before).paths, *offered}
    second = merge(first.data, wanted(*later), remembered(first), unchanged=True)
    assert set(read(second.data).subjects) == {*people, *later}
    assert merge(second.data, None, remembered(second), unchanged=True).data == before


@settings(max_examples=60, deadline=None, derandomize=True)
@given(before=files(), ours=st.lists(CLEAN, min_size=1, max_size=4, unique=True), data=st.data())
def test_what_a_person_changes_after_us_survives(before: bytes, ours: list[str], data: st.DataObject) -> None:
    """A person adds a property and removes one of our tags: the next merges respect both."""
    people = read(before).subjects
    first = merge(before, wanted(*ours), None, unchanged=False)
    text = first.data or b""
    added = b"<z:mine xmlns:z='urn:z'>1</z:mine>"
    edited = text.replace(b"</r:Description>", added + b"</r:Description>", 1)
    gone = data.draw(st.sampled_from(ours))
    item = re.compile(rb"<(r|rdf):li>" + re.escape(escape(gone).encode()) + rb"</(r|rdf):li>")
    removed = gone not in people
    if removed:
        edited = item.sub(b"", edited, count=1)
    second = merge(edited, wanted(*ours, "new one"), remembered(first), unchanged=False)
    expected = {*people, *ours, "new one"} - ({gone} if removed else set())
    assert set(read(second.data).subjects) == expected
    out = merge(second.data, None, remembered(second), unchanged=True)
    assert added in (out.data or b"")
    assert set(read(out.data).subjects) == set(people)
    assert read(out.data).paths == read(before).paths


@settings(derandomize=True, deadline=None)
@given(data=st.binary(max_size=60), cuts=st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=5)), max_size=4))
def test_edits_can_be_taken_back(data: bytes, cuts: list[tuple[int, bytes]]) -> None:
    """Splices remember enough to give the bytes from before."""
    edits = dict(sorted((min(at, len(data)), text) for at, text in cuts))
    ends = [*list(edits)[1:], len(data)]
    out, taken = splice(data, [(at, end, text) for (at, text), end in zip(edits.items(), ends, strict=False)])
    assert unsplice(out, taken) == data
