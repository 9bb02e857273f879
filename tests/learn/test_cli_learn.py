"""``callboard learn`` over a real catalog: what people decided becomes thresholds, shown first, written when asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from callboard.cli.app import run
from callboard.config import Policy, Project, Settings
from callboard.oneshot import OneShot
from callboard.testing import TmpPlugin
from callboard.vocabulary import load

WORDS = """\
# Ask Ann first.
[[concepts]]
id = "beach"
label = "Beach"
synonyms = ["seaside"]

[[concepts]]  # by day
id = "day"
label = "Day"
"""
SAY = """
    from callboard import hookimpl, Tag, Tags
    from callboard.vocabulary import resolve

    @hookimpl
    def callboard_handle(event, asset, context):
        pairs = [part.split("=") for part in context.path.read_text().split()]
        tags = [Tag(label=word, score=float(score), method="clip") for word, score in pairs]
        return Tags(items=resolve(tags, context.vocabulary), confidence=0.9)
"""


@pytest.fixture
async def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project where the tags of twelve files wait: Day is always right, Seaside from 0.5 on."""
    tmp_plugin("say", SAY, vocabulary=True)
    (tmp_path / "media").mkdir()
    for number in range(12):
        (tmp_path / "media" / f"{number:02}.mp4").write_text(
            f"seaside={0.3 + number / 30:.2f} day=0.{number + 50} x=0.9"
        )
    (tmp_path / "vocabulary.toml").write_text(WORDS)
    (tmp_path / "callboard.toml").write_text('allow_plugins = ["say"]\npolicy.analyse = "ask"\n')
    settings = Settings(allow_plugins=("say",), policy=Policy(analyse="ask"))
    project = Project(folder=tmp_path, data=tmp_path / ".callboard", settings=settings)
    await OneShot(project, [tmp_path / "media"], plugins=("say",)).execute()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a command and read what it tells."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def decide(capsys: pytest.CaptureFixture[str]) -> None:
    """Accept everything, without the beaches that are none."""
    waiting = json_of(capsys, "inbox")["proposals"]
    good = [one["id"] for one in waiting if one["body"]["items"][0]["score"] >= 0.5]
    bad = [one["id"] for one in waiting if one["id"] not in good]
    json_of(capsys, "accept", *good)
    json_of(capsys, "accept", *bad, "--without", "beach")


def test_decisions_become_thresholds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report has counts and figures before and after; only --write changes the file, and keeps its comments."""
    decide(capsys)
    told = json_of(capsys, "learn")
    assert (told["judged"], told["of no concept"]) == (24, 12)
    beach, day = told["learned"]
    assert (beach["concept"], beach["accepted"], beach["rejected"], beach["old"]) == ("beach", 6, 6, None)
    assert (beach["before"]["precision"], beach["after"]["precision"], beach["after"]["recall"]) == (0.5, 1.0, 1.0)
    assert (day["new"], day["note"]) == (None, "all were wanted; nothing is known of lower scores")
    assert (project / "vocabulary.toml").read_text() == WORDS
    assert run(["learn"]) == 0
    assert "Nothing was written" in capsys.readouterr().out
    assert run(["learn", "--write", "--yes"]) == 0
    assert f'+thresholds = {{"clip" = {beach["new"]}}}' in capsys.readouterr().err
    after = (project / "vocabulary.toml").read_text()
    assert [line for line in WORDS.splitlines() if line not in after.splitlines()] == []
    assert load(project / "vocabulary.toml").threshold("beach", "clip") == beach["new"]
    assert run(["learn"]) == 0
    assert "--write" not in capsys.readouterr().out


def test_what_nobody_looked_at_does_not_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Waiting proposals, what the policy accepted, and what was undone are no verdicts; a whole rejection is."""
    assert json_of(capsys, "learn")["judged"] == 0
    assert run(["learn"]) == 0
    assert "No person has judged" in capsys.readouterr().out
    waiting = json_of(capsys, "inbox")["proposals"]
    accepted = json_of(capsys, "accept", waiting[0]["id"])
    assert json_of(capsys, "learn")["judged"] == 2
    json_of(capsys, "undo", str(accepted["run"]))
    assert json_of(capsys, "learn")["judged"] == 0
    json_of(capsys, "reject", waiting[0]["id"])
    (beach, _) = json_of(capsys, "learn")["learned"]
    assert (beach["accepted"], beach["rejected"]) == (0, 1)


async def test_words_that_people_wrote_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A keyword that a person added to an XMP file counts as a wanted tag of that concept; our own keywords do not."""
    settings = Settings(allow_plugins=("say",))
    data = project / ".callboard"
    await OneShot(
        Project(folder=project, data=data, settings=settings), [project / "media"], plugins=("say",)
    ).execute()
    assert json_of(capsys, "learn")["judged"] == 0
    sidecar = project / "media" / "03.mp4.xmp"
    text = sidecar.read_text()
    assert "<rdf:li>Beach</rdf:li>" in text
    sidecar.write_text(text.replace("<rdf:li>Beach</rdf:li>", "<rdf:li>Beach</rdf:li><rdf:li>SEASIDE</rdf:li>", 1))
    (beach,) = json_of(capsys, "learn")["learned"]
    assert (beach["accepted"], beach["from_sidecars"]) == (1, 1)
    assert json_of(capsys, "learn", "--no-sidecars")["judged"] == 0


def test_without_a_vocabulary_there_is_nothing_to_learn(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No vocabulary is an error that says how to get one."""
    (project / "vocabulary.toml").unlink()
    assert run(["learn"]) == 2
    assert "callboard vocabulary import" in capsys.readouterr().err
