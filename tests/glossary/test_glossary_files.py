"""A glossary file is read and checked, each problem with its line; jobs know the one that they were made for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from callboard.config import Project, Settings
from callboard.errors import GlossaryError
from callboard.glossary import Glossary, Shelf, load, parse, read_compiled
from callboard.oneshot import OneShot
from callboard.report import RunReport
from callboard.testing import PluginHarness, TmpPlugin
from callboard_schemas import Tags

GOOD = """\
synopsis = "A ferry, and who was on it."

[[term]]
text = "Siobhan"  # the mate
sounds_like = ["shiv-awn"]
keep = true

[[term]]
text = "gift"
language = "en"
variants = ["gyft"]
[term.translations]
de = "Geschenk"
pt = "presente"
pt-PT = "prenda"

[[term]]
text = "Gift"
language = "de"
translations = {en = "poison"}

[banned]
en = ["boat"]
"""

SAY = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        known = context.glossary
        label = ", ".join(term.text for term in known.term) if known else "nothing"
        return Tags(items=(Tag(label=label, score=0.9, method="say"),), confidence=0.9)
"""


def problems(text: str) -> list[str]:
    """Give what is wrong with a file."""
    with pytest.raises(GlossaryError) as caught:
        parse(text)
    return list(caught.value.problems)


def test_a_good_file_is_read() -> None:
    """Every term has an id, languages count, and the digest depends on what is said alone."""
    glossary = parse(GOOD)
    assert [term.id for term in glossary.term] == ["siobhan", "gift", "gift-de"]
    assert [term.text for term in glossary.of("en-GB")] == ["Siobhan", "gift"]
    gift = glossary.get("gift")
    assert gift is not None
    assert [gift.called(tag) for tag in ("de", "de-AT", "pt-PT", "pt-BR", "fr")] == [
        "Geschenk",
        "Geschenk",
        "prenda",
        "presente",
        None,
    ]
    assert glossary.term[0].called("fr") == "Siobhan"
    assert parse(GOOD.replace("# the mate", "")).digest == glossary.digest
    assert parse(GOOD.replace("poison", "venom")).digest != glossary.digest
    assert msgspec.json.decode(msgspec.json.encode(glossary), type=Glossary).digest == glossary.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("boat", "gift"), "line 9: term 'gift': 'gift' must be used in en, and is banned there"),
        (("presente", "  "), "line 14: term 'gift': '  ' has no letter"),
        (('de = "Ges', 'en = "Ges'), "line 13: term 'gift': en is its own language"),
        (('"gyft"', '"GIFT"'), None),
        (
            ('"gyft"', '"siobhan"'),
            "line 11: term 'gift': 'siobhan' is already written 'Siobhan', for the term on line 3",
        ),
        (('"gyft"', '"gift"'), "line 9: term 'gift': the variant 'gift' is the term itself"),
        (
            ("keep = true", 'keep = true\ntranslations = {ga = "Siobhán"}'),
            "line 7: term 'Siobhan': it is never translated",
        ),
        (("keep = true", 'id = "gift-de"'), None),
        (("keep = true", "keeps = true"), "line 3: term 'Siobhan': Object contains unknown field `keeps`"),
        (("poison", "boat"), "line 20: term 'Gift': 'boat' must be used in en, and is banned there"),
        (('["boat"]', '["boat", "Boat"]'), "line 23: banned.en: 'Boat' is there twice"),
        (("synopsis", "sinopsis"), "unknown key 'sinopsis'; there are banned, synopsis, term"),
        (('language = "de"', 'language = "en"'), "line 18: term 'Gift': 'Gift' is already written 'gift'"),
        (('language = "de"', 'language = "d3"'), "line 17: term 'Gift': Expected `str` matching regex"),
    ],
)
def test_each_problem_says_where(change: tuple[str, str], told: str | None) -> None:
    """What contradicts itself is refused with the term and the line; what only looks odd is not."""
    text = GOOD.replace(*change)
    assert text != GOOD
    if told is None:
        parse(text)
    else:
        assert any(problem.startswith(told) for problem in problems(text)), problems(text)


def test_every_problem_is_said_at_once() -> None:
    """Two broken terms are two problems; broken TOML is one, with its line."""
    assert len(problems(GOOD.replace("keep = true", "keep = 1").replace('"poison"', "5"))) == 2
    assert (
        "line 5" in problems(GOOD.replace('"Siobhan"', "Siobhan"))[0]
        or "line 4" in problems(GOOD.replace('"Siobhan"', "Siobhan"))[0]
    )


def test_each_version_is_kept_for_its_jobs(tmp_path: Path) -> None:
    """A shelf gives the file as it is; the version before can still be read by its digest."""
    file = tmp_path / "glossary.toml"
    shelf = Shelf(file, tmp_path / "kept")
    assert shelf.digest() == ""
    for text in (GOOD, GOOD.replace("poison", "venom!")):
        file.write_text(text)
        assert shelf.digest() == load(file).digest
    assert read_compiled(shelf.path(parse(GOOD).digest)) == parse(GOOD)
    file.write_text("term = 5")
    assert shelf.standing().terms == 3
    assert "[[term]]" in shelf.standing().problem


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with a plugin that asks for the glossary and one that does not."""
    tmp_plugin("knows", SAY, glossary=True)
    tmp_plugin("plain", SAY)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.mp4").write_text("film")
    return Project(folder=tmp_path, data=tmp_path / "data", settings=Settings(allow_plugins=("knows", "plain")))


def said(report: RunReport) -> dict[str, tuple[str, str, bool]]:
    """Give for each plugin what it knew, the glossary recorded, and whether it is from before."""
    told = {}
    for job in report.assets[0].jobs:
        (made,) = job.proposals
        assert isinstance(made.body, Tags)
        told[job.plugin] = (made.body.items[0].label, made.provenance.models.get("glossary", ""), job.cached)
    return told


async def test_a_changed_glossary_makes_new_jobs(project: Project) -> None:
    """Jobs of the plugin that asks are done again when the glossary changes, and know exactly that one."""

    async def run() -> dict[str, tuple[str, str, bool]]:
        return said(await OneShot(project, [project.folder / "media"], plugins=("knows", "plain")).execute())

    assert await run() == {"knows": ("nothing", "", False), "plain": ("nothing", "", False)}
    (project.folder / "glossary.toml").write_text(GOOD)
    told = ("Siobhan, gift, Gift", parse(GOOD).digest)
    assert await run() == {"knows": (*told, False), "plain": ("nothing", "", True)}
    assert (await run())["knows"] == (*told, True)
    (project.folder / "glossary.toml").write_text(GOOD + "[[term]]\n")
    with pytest.raises(GlossaryError, match="line 24"):
        await run()


def test_the_harness_hands_a_glossary_over(
    plugin_harness: PluginHarness, tmp_plugin: TmpPlugin, tmp_path: Path
) -> None:
    """A plugin's test gives it a glossary as the board would."""
    tmp_plugin("knows", SAY, glossary=True)
    (tmp_path / "one.mp4").write_text("film")
    (tags,) = plugin_harness.run("knows", tmp_path / "one.mp4", glossary=parse(GOOD))
    assert isinstance(tags, Tags)
    assert tags.items[0].label == "Siobhan, gift, Gift"
