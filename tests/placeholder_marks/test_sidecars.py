"""Sidecars of placeholders: true to what was made, the same each time, and read by programs of others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pyexiv2
import pytest
from callboard import marks
from callboard.errors import EffectConflict
from callboard_placeholder.marks import write_sidecar
from callboard_schemas import Brief, Line, Match, Placeholder
from msgspec.structs import replace

DIGEST = "sha256:" + "ab" * 32
BRIEF = Brief(
    purpose="Anna sees the ferry leave & turns away",
    slug="EXT. HARBOUR - NIGHT",
    time_of_day="night",
    dialogue=(Line(text="Too late <again>", speaker="ANNA"),),
    guesses={"time_of_day": "from the slug line", "people": "from the dialogue"},
)
SLATE = Placeholder(
    shot="SH010",
    generator="slate",
    file="/home/someone/show/placeholders/SH010/SH010_PLACEHOLDER_v001_slate.mov",
    digest=DIGEST,
    confidence=1.0,
    parameters={"codec": "prores", "slate_background": "grey"},
    rate="29.97df",
    frames=100,
    width=1920,
    height=1080,
    start="01:00:00;00",
    brief=BRIEF,
    by="zoe",
    matches=(Match(what="palette", side="before", score=0.5),),
)
DRAFT = replace(
    SLATE,
    generator="diffusion",
    source_type="trainedAlgorithmicMedia",
    prompt="wide shot, harbour at night, a ferry",
    negative="text, people",
    seed=4711,
    models={"sd-turbo": "sha256:" + "cd" * 32},
    references={"art/mood.png": "sha256:" + "ef" * 32},
    notes=("the lens of the brief is not shown",),
)


def exiftool(path: Path) -> dict[str, object]:
    """Give everything that exiftool reads, by group and name."""
    done = subprocess.run(
        ["exiftool", "-json", "-G1", "-struct", path], capture_output=True, check=True, text=True, timeout=120
    )
    found: dict[str, object] = json.loads(done.stdout)[0]
    return found


def exiv2(path: Path) -> dict[str, object]:
    """Give all XMP that Exiv2 reads."""
    with pyexiv2.Image(str(path)) as image:
        found: dict[str, object] = image.read_xmp()
    return found


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a place for a film."""
    return tmp_path / "SH010_PLACEHOLDER_v001_slate.mov"


def test_a_rendered_one_is_algorithmic_and_names_no_ai(film: Path) -> None:
    """A slate says how it was made and that it is not the shot, and nothing of AI, prompts or who asked."""
    sidecar = write_sidecar(film, SLATE)
    assert sidecar.name == "SH010_PLACEHOLDER_v001_slate.mov.xmp"
    found = exiftool(sidecar)
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
    assert found["XMP-iptcExt:DigitalSourceType"] == kind
    assert found["XMP-dc:Title"] == "SH010 (placeholder)"
    assert str(found["XMP-dc:Description"]).startswith("Placeholder, not the shot: a slate stands in for SH010.")
    assert str(found["XMP-xmp:CreatorTool"]).startswith("Callboard ")
    assert not [name for name in found if "AI" in name]
    text = sidecar.read_text("utf-8")
    assert "zoe" not in text
    assert "/home/" not in text


def test_a_draft_of_a_model_says_which_and_what_it_was_told(film: Path) -> None:
    """IPTC's AI properties of 2025.1 are read back by two libraries; a scene that it began with is none of AI."""
    sidecar = write_sidecar(film, replace(DRAFT, models={**DRAFT.models, "Blender": "4.5.3"}))
    wanted = {
        "DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        "AISystemUsed": "sd-turbo",
        "AISystemVersionUsed": "sha256:" + "cd" * 32,
        "AIPromptInformation": "wide shot, harbour at night, a ferry [excludes] text, people",
        "AIPromptWriterName": "zoe",
    }
    told = exiftool(sidecar)
    assert {name: told[f"XMP-iptcExt:{name}"] for name in wanted} == wanted
    told = exiv2(sidecar)
    assert {name: told[f"Xmp.iptcExt.{name}"] for name in wanted} == wanted


def test_a_held_frame_of_footage_is_a_composite(film: Path) -> None:
    """What shows pictures that others made is not called purely algorithmic; no model had part in it either."""
    held = replace(SLATE, generator="hold", references={"SH005.mov": "sha256:" + "12" * 32})
    found = exiftool(write_sidecar(film, held))
    assert found["XMP-iptcExt:DigitalSourceType"] == "http://cv.iptc.org/newscodes/digitalsourcetype/composite"
    assert not [name for name in found if "AI" in name]


def test_the_sidecar_alone_makes_it_again(film: Path) -> None:
    """What was made, with every guess, is read back whole, and becomes a request for the same."""
    sidecar = write_sidecar(film, DRAFT)
    mark = marks.read(film)
    assert mark is not None
    assert (mark.shot, mark.engine, mark.by, mark.digest) == ("SH010", "diffusion", "sidecar", DIGEST)
    assert mark.made == replace(DRAFT, file=film.name, matches=())
    assert mark.made is not None
    asked = marks.again(mark.made)
    assert (asked.frames, asked.counted, asked.seed, asked.engines) == (100, "29.97df", 4711, ("diffusion",))
    assert asked.brief == BRIEF
    assert asked.parameters == DRAFT.parameters
    assert marks.read(sidecar) == mark


def test_the_same_placeholder_has_the_same_sidecar(film: Path, tmp_path: Path) -> None:
    """No date, place or neighbour is in it; once written it is not written again."""
    first = write_sidecar(film, SLATE)
    other = tmp_path / "elsewhere"
    other.mkdir()
    second = write_sidecar(other / film.name, replace(SLATE, file="/mnt/x.mov", matches=(), by="max"))
    assert first.read_bytes() == second.read_bytes()
    inode = first.stat().st_ino
    assert write_sidecar(film, SLATE).stat().st_ino == inode
    assert (first.stat().st_mode & 0o777) == 0o644


def test_a_placeholder_is_known_under_any_name(film: Path) -> None:
    """Renamed with its sidecar under either scheme of names it is still one; real media beside it is not."""
    sidecar = write_sidecar(film, SLATE)
    plain = film.with_name("SH010_v004.mov")
    sidecar.rename(plain.with_name("SH010_v004.mov.xmp"))
    assert marks.read(plain) is not None
    plain.with_name("SH010_v004.mov.xmp").rename(plain.with_suffix(".xmp"))
    assert marks.read(plain) is not None
    assert marks.read(film) is None
    plain.with_suffix(".xmp").write_text("no XML")
    assert marks.read(plain) is None


def test_a_sidecar_that_others_wrote_to_is_kept(film: Path) -> None:
    """What a person added stays when the same media is made again, and our part is still read."""
    sidecar = write_sidecar(film, SLATE)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=4", sidecar], check=True, timeout=120)
    edited = sidecar.read_bytes()
    mark = marks.read(film)
    assert mark is not None
    assert mark.made == replace(SLATE, file=film.name, matches=(), by="")
    write_sidecar(film, replace(SLATE, notes=("another note",)))
    assert sidecar.read_bytes() == edited


def test_a_file_of_others_is_not_written_over(film: Path) -> None:
    """XMP under the name that is not ours is left alone, and said."""
    sidecar = film.with_name(film.name + ".xmp")
    sidecar.write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    with pytest.raises(EffectConflict, match="is not ours"):
        write_sidecar(film, SLATE)
    assert sidecar.read_text() == '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def test_any_text_makes_a_sidecar_that_is_read_back(film: Path) -> None:
    """Controls, quotes, emoji, what is no character, and lines: XML of others reads it, and nothing is lost."""
    odd = "a\x01b\ufffe\"<&>'\u2028é🎬\n]]>"
    told = replace(DRAFT, prompt=odd, shot="S\u0085H", brief=replace(BRIEF, notes=odd), notes=(odd,))
    write_sidecar(film, told)
    mark = marks.read(film)
    assert mark is not None
    assert mark.made == replace(told, file=film.name, matches=())
    assert "é🎬" in str(exiftool(film.with_name(film.name + ".xmp"))["XMP-iptcExt:AIPromptInformation"])
    assert escape("<&>") in film.with_name(film.name + ".xmp").read_text("utf-8")
