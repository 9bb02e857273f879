"""Jobs know the vocabulary that they were made for: in their key, in the plugin's process, in what is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.config import Project, Settings
from callboard.errors import VocabularyError
from callboard.oneshot import OneShot
from callboard.report import RunReport
from callboard.testing import PluginHarness, TmpPlugin
from callboard.vocabulary import parse
from callboard_schemas import Tags

WORDS = '[[concepts]]\nid = "beach"\nlabel = "Beach"\nsynonyms = ["seaside"]\n'

SAY = """
    from callboard import hookimpl, Tag, Tags
    from callboard.vocabulary import resolve

    @hookimpl
    def callboard_handle(event, asset, context):
        label = context.path.read_text()
        tags = [Tag(label=label, score=0.9, method="say")]
        known = context.vocabulary
        if known is not None:
            tags = resolve(tags, known)
        return Tags(items=tuple(tags), confidence=0.9, description=known.digest if known else "no words")
"""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with a plugin that asks for the vocabulary and one that does not."""
    tmp_plugin("wordy", SAY, vocabulary=True)
    tmp_plugin("plain", SAY)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.mp4").write_text("Seaside")
    settings = Settings(allow_plugins=("wordy", "plain"), workers=2)
    return Project(folder=tmp_path, data=tmp_path / "data", settings=settings)


async def run(project: Project) -> RunReport:
    """Run both plugins on the media."""
    return await OneShot(project, [project.folder / "media"], plugins=("wordy", "plain")).execute()


def said(report: RunReport) -> dict[str, tuple[list[str], str, str, bool]]:
    """Give what each plugin said: labels, what its process knew, the vocabulary recorded, whether from before."""
    told = {}
    for job in report.assets[0].jobs:
        (made,) = job.proposals
        assert isinstance(made.body, Tags)
        labels = [tag.label for tag in made.body.items]
        told[job.plugin] = (labels, made.body.description, made.provenance.models.get("vocabulary", ""), job.cached)
    return told


async def test_a_changed_vocabulary_makes_new_jobs(project: Project) -> None:
    """Jobs of the plugin that asks are done again when the words change, and know exactly those; others are not."""
    none = ["Seaside"], "no words", "", False
    assert said(await run(project)) == {"wordy": none, "plain": none}
    (project.folder / "vocabulary.toml").write_text(WORDS)
    digest = parse(WORDS).digest
    assert said(await run(project)) == {"wordy": (["Beach"], digest, digest, False), "plain": (*none[:3], True)}
    assert said(await run(project))["wordy"] == (["Beach"], digest, digest, True)
    (project.folder / "vocabulary.toml").write_text("# the studio's words\n" + WORDS)
    assert said(await run(project))["wordy"] == (["Beach"], digest, digest, True)
    (project.folder / "vocabulary.toml").write_text(WORDS.replace("Beach", "Strand"))
    assert said(await run(project))["wordy"][0] == ["Strand"]


async def test_tags_of_other_plugins_are_said_in_its_words(project: Project) -> None:
    """What a plugin without vocabulary answers is resolved when it is stored, and its provenance says by what."""
    (project.folder / "vocabulary.toml").write_text(WORDS)
    assert said(await run(project))["plain"] == (["Beach"], "no words", parse(WORDS).digest, False)


async def test_a_broken_vocabulary_stops_who_waits(project: Project) -> None:
    """A one-shot run does nothing with a broken vocabulary; the error names the line."""
    (project.folder / "vocabulary.toml").write_text(WORDS + 'parent = "gone"\n')
    with pytest.raises(VocabularyError, match="line 5: concept 'beach'"):
        await run(project)


def test_the_harness_hands_a_vocabulary_over(
    plugin_harness: PluginHarness, tmp_plugin: TmpPlugin, tmp_path: Path
) -> None:
    """A plugin's test gives it a vocabulary as the board would."""
    tmp_plugin("wordy", SAY, vocabulary=True)
    (tmp_path / "one.mp4").write_text("seaside")
    (tags,) = plugin_harness.run("wordy", tmp_path / "one.mp4", vocabulary=parse(WORDS))
    assert isinstance(tags, Tags)
    assert [(tag.label, tag.concept) for tag in tags.items] == [("Beach", "beach")]
