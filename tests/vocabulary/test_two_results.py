"""A job with captions and keywords: each result is decided, superseded and written by itself; two plugins share XMP."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from callboard.catalog import proposals, view
from callboard.config import PluginSettings, Project, Settings
from callboard.oneshot import OneShot
from callboard.testing import TmpPlugin

BOTH = """
    from callboard import hookimpl, Captions, Cue, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        word = context.parameters["word"]
        cue = Cue(id=1, start=0.0, end=1.0, lines=(word,), confidence=0.9)
        tags = Tags(items=(Tag(label=word, score=0.9, method="talk", group=("speech", "keywords")),), confidence=0.9)
        return [Captions(language="en", cues=(cue,), confidence=0.9), tags]
"""
LOOK = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        tags = tuple(Tag(label=label, score=0.9, method="look") for label in ("night", "storm"))
        return Tags(items=tags, confidence=0.9, description="By night.")
"""


LISTS = {
    "subject": "{http://purl.org/dc/elements/1.1/}subject",
    "hierarchicalSubject": "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
}


def read(media: Path, name: str) -> list[str]:
    """Give the items of a list in the XMP file, read by the standard library."""
    tree = ElementTree.parse(str(media / "one.mp4.xmp"))
    found = tree.iterfind(f".//{LISTS[name]}//{{http://www.w3.org/1999/02/22-rdf-syntax-ns#}}li")
    return [item.text or "" for item in found]


async def test_each_result_stands_for_itself(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A newer job supersedes captions by captions and tags by tags; the XMP file has the tags of both plugins once."""
    word = {"type": "string", "default": "storm", "help": "What is said."}
    tmp_plugin("both", BOTH, parameters={"word": word}, results=["captions", "tags"])
    tmp_plugin("look", LOOK)
    media = tmp_path / "media"
    media.mkdir()
    (media / "one.mp4").write_text("x")

    async def run(said: str) -> None:
        settings = Settings(
            allow_plugins=("both", "look"), plugins={"both": PluginSettings(parameters={"word": said})}, workers=2
        )
        project = Project(folder=tmp_path, data=tmp_path / "data", settings=settings)
        await OneShot(project, [media], plugins=("both", "look")).execute()

    await run("storm")
    assert sorted(read(media, "subject")) == ["night", "storm"]
    assert read(media, "hierarchicalSubject") == ["speech|keywords|storm"]
    await run("calm")
    with view(tmp_path / "data") as catalog:
        (digest,) = catalog.read(lambda conn: conn.execute("SELECT DISTINCT digest FROM proposals").fetchone())
        made = catalog.read(lambda conn: proposals.of_digest(conn, digest))
    states = sorted((one.provenance.plugin, one.result, one.state) for one in made)
    assert states == [
        ("both", "captions", "accepted"),
        ("both", "captions", "superseded"),
        ("both", "tags", "accepted"),
        ("both", "tags", "superseded"),
        ("look", "tags", "accepted"),
    ]
    assert sorted(read(media, "subject")) == ["calm", "night", "storm"]  # the other plugin still says storm
    assert read(media, "hierarchicalSubject") == ["speech|keywords|calm"]
    assert "calm" in (media / "one.en.srt").read_text()
