"""``callboard placeholder``: asked for, compared, made again, audited, and cleared away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import view
from callboard.cli import main
from PIL import Image

Said = Callable[..., tuple[int, str, str]]
SMALL = ("--frames", "6", "--size", "160x90", "--rate", "29.97df", "--start", "00:00:59;28")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project whose placeholders are small and silent."""
    (tmp_path / "callboard.toml").write_text(
        '[plugins.placeholder.parameters]\ncodec = "png"\nslate_voice = false\nbanned_terms = ["dragon"]\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command; give its exit code, and what it said on both streams."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def versions(said: Said, shot: str) -> list[dict[str, Any]]:
    """Give what is known of a shot's placeholders, the oldest first."""
    code, out, _ = said("placeholder", "show", shot, "--json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(out)["placeholders"]
    return found


def test_a_stand_in_is_asked_for_chosen_and_told_of(project: Path, said: Said) -> None:
    """Each engine makes its version; guesses are marked; one is taken with a reason, the other gives way."""
    asked = ("--slug", "EXT. HARBOUR - NIGHT", "--line", "MARA: Wait!", "--engine", "slate", "--engine", "black")
    code, out, _ = said("placeholder", "request", "SH020_CU_MARA", *SMALL, *asked)
    assert code == 0
    assert "2 versions to choose from" in out
    slate, black = sorted(versions(said, "SH020_CU_MARA"), key=lambda one: one["body"]["generator"], reverse=True)
    assert (slate["body"]["generator"], black["body"]["generator"]) == ("slate", "black")
    assert (slate["body"]["frames"], slate["body"]["rate"], slate["body"]["start"]) == (6, "29.97df", "00:00:59;28")
    assert (project / slate["body"]["file"]).is_file()
    code, out, _ = said("placeholder", "show", "SH020_CU_MARA")
    assert "side by side: placeholders/SH020_CU_MARA/SH020_CU_MARA_PLACEHOLDER_sheet.png" in out.replace("\n", "")
    assert "time of day: night (a guess: from the slug line)" in out
    assert "shot size: close-up (a guess: from the shot's name: CU)" in out
    assert said("accept", slate["id"], "--reason", "reads best")[0] == 0
    assert {one["id"]: one["state"] for one in versions(said, "SH020_CU_MARA")} == {
        slate["id"]: "accepted",
        black["id"]: "superseded",
    }
    assert "1 standing in" in said("placeholder", "list")[1]
    code, out, _ = said("placeholder", "trail", "SH020_CU_MARA", "--json")
    (step,) = json.loads(out)["steps"]
    assert (step["decision"], step["reason"], step["file"]) == ("accept", "reads best", slate["body"]["file"])


def test_a_place_in_an_applications_project_is_filled_as_it_is(
    pytestconfig: pytest.Config, project: Path, said: Said
) -> None:
    """With --timeline the request has the gap's length, rate and size, and names the project that takes it."""
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    (project / "edit.kdenlive").write_text(text.replace("@FOLDER@", str(project)), "utf-8")
    where = ("--timeline", "edit.kdenlive", "--engine", "black")
    code, out, _ = said("placeholder", "request", "V1-30", *where, "--slug", "EXT. HARBOUR - NIGHT", "--json")
    assert code == 0, out
    with view(project / ".callboard") as catalog:
        rows = catalog.read(
            lambda conn: conn.execute("SELECT body FROM events WHERE type = 'placeholder.requested'").fetchall()
        )
    (asked,) = (json.loads(row[0])["data"] for row in rows)
    assert asked["project"] == str(project / "edit.kdenlive")
    assert (asked["ref"], asked["frames"], asked["counted"], asked["width"]) == ("V1-30", 40, "25", 1280)
    assert asked["gap"]["ref"]
    assert (asked["brief"]["slug"], asked["brief"]["time_of_day"]) == ("EXT. HARBOUR - NIGHT", "night")
    code, _, told = said("placeholder", "request", "V1-30", *where, "--frames", "6")
    assert (code, "--timeline says already what --frames does" in told) == (2, True)
    code, _, told = said("placeholder", "request", "V1-31", *where)
    assert (code, "there is nothing to ask for" in told) == (2, True)


def test_one_made_again_is_the_same_and_leaves_nothing_to_decide(project: Path, said: Said) -> None:
    """Again from brief, seed and engine: the same bytes, no new file, and nothing new waits."""
    said("placeholder", "request", "SH030", *SMALL)
    before = sorted(path for path in project.rglob("*_PLACEHOLDER_*") if path.is_file())
    code, out, _ = said("placeholder", "again", "SH030", "--json")
    assert code == 0
    (row,) = json.loads(out)["versions"]
    assert row["same"]
    assert sorted(path for path in project.rglob("*_PLACEHOLDER_*") if path.is_file()) == before
    assert [one["state"] for one in versions(said, "SH030")] == ["proposed", "rejected"]


def test_one_that_the_project_does_not_know_is_made_again_from_its_sidecar(project: Path, said: Said) -> None:
    """Carried away with its sidecar, it is the same to the byte in a project that never saw it."""
    settings = (project / "callboard.toml").read_text()
    (project / "callboard.toml").write_text(settings.replace('"png"', '"prores"'))
    said("placeholder", "request", "SH031", "--frames", "3", "--size", "160x90", "--engine", "black")
    (made,) = versions(said, "SH031")
    (project / made["body"]["file"]).rename(project / "carried.mov")
    (project / f"{made['body']['file']}.xmp").rename(project / "carried.mov.xmp")
    shutil.rmtree(project / ".callboard")
    code, out, _ = said("placeholder", "again", "carried.mov", "--json")
    assert (code, [row["same"] for row in json.loads(out)["versions"]]) == (0, [True])
    (project / "carried.mov.xmp").unlink()
    code, _, told = said("placeholder", "again", "carried.mov")
    assert (code, "has no sidecar that says how it was made" in told) == (2, True)


def test_of_several_engines_the_one_is_made_again(project: Path, said: Said) -> None:
    """A slate made again leaves the other engine's version of the same request as it was, and alone."""
    said("placeholder", "request", "SH035", *SMALL, "--engine", "slate", "--engine", "black")
    (slate,) = [one["id"] for one in versions(said, "SH035") if one["body"]["generator"] == "slate"]
    code, out, _ = said("placeholder", "again", slate, "--json")
    assert (code, [row["same"] for row in json.loads(out)["versions"]]) == (0, [True])
    found = sorted((one["body"]["generator"], one["state"]) for one in versions(said, "SH035"))
    assert found == [("black", "proposed"), ("slate", "proposed"), ("slate", "rejected")]


def test_what_nobody_chose_is_cleared_away_and_what_was_changed_is_not(project: Path, said: Said) -> None:
    """All pictures of a sequence go, and the folder; what waits, and what a person changed, stays."""
    for shot in ("SH040", "SH050", "SH060"):
        said("placeholder", "request", shot, *SMALL)
    rejected = [versions(said, shot)[0]["id"] for shot in ("SH040", "SH050")]
    assert said("reject", *rejected)[0] == 0
    (project / "placeholders/SH050/SH050_PLACEHOLDER_v001_slate/SH050_PLACEHOLDER_v001_slate.1003.png").write_bytes(
        b"x"
    )
    assert "--yes deletes them" in said("placeholder", "clean")[1]
    assert (project / "placeholders/SH040").is_dir()
    code, out, _ = said("placeholder", "clean", "--yes", "--json")
    assert code == 0
    assert len(json.loads(out)["changed"]) == 1
    assert not (project / "placeholders/SH040").exists()
    assert (project / "placeholders/SH050/SH050_PLACEHOLDER_v001_slate/SH050_PLACEHOLDER_v001_slate.1001.png").is_file()
    assert (project / "placeholders/SH060/SH060_PLACEHOLDER_v001_slate/SH060_PLACEHOLDER_v001_slate.1006.png").is_file()


def test_a_version_that_is_cleared_away_leaves_the_contact_sheet(project: Path, said: Said) -> None:
    """The sheet is drawn again without it, is nobody's file that was changed, and goes with the last version."""
    said("placeholder", "request", "SH065", *SMALL, "--engine", "slate", "--engine", "black")
    home = project / "placeholders" / "SH065"
    sheet = home / "SH065_PLACEHOLDER_sheet.png"
    with Image.open(sheet) as picture:
        before = picture.height
    for engine, left in (("black", ["slate"]), ("slate", [])):
        (gone,) = [one["id"] for one in versions(said, "SH065") if one["body"]["generator"] == engine]
        said("reject", gone)
        told = json.loads(said("placeholder", "clean", "--yes", "--json")[1])
        assert told["deleted"]
        assert not told["changed"]
        assert [path.name.split("_")[3] for path in home.glob("*_row.png")] == left
        if left:
            with Image.open(sheet) as picture:
                assert picture.height < before
    assert "side by side" not in said("placeholder", "show", "SH065")[1]
    assert not home.exists()


def test_the_audit_lists_what_was_made_and_notices_a_lost_line(project: Path, said: Said) -> None:
    """What was made and what was refused stands in it; a line taken out is named."""
    assert said("placeholder", "request", "SH070", *SMALL)[0] == 0
    code, out, _ = said("placeholder", "request", "SH080", *SMALL, "--purpose", "A dragon", "--engine", "diffusion")
    assert code == 1
    assert "dragon" in out
    lines = json.loads(said("placeholder", "audit", "--json")[1])["lines"]
    assert [(line["entry"]["shot"], line["entry"]["decision"]) for line in lines] == [
        ("SH080", "refused"),
        ("SH070", "made"),
    ]
    assert said("placeholder", "audit", "--verify")[0] == 0
    file = project / ".callboard/plugins/placeholder/audit.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))
    assert said("placeholder", "audit", "--verify")[0] == 1


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (("--size", "wide"), "is no size"),
        (("--rate", "fast"), "is no frame rate"),
        (("--start", "noon"), "noon"),
        (("--frames", "3", "--seconds", "2"), "say the same thing"),
        (("--line", "MARA:  "), "says nothing"),
    ],
)
def test_a_wrong_request_is_said_and_makes_nothing(
    project: Path, said: Said, wrong: tuple[str, ...], problem: str
) -> None:
    """Exit code 2, the problem in words, and no file."""
    code, _, err = said("placeholder", "request", "SH090", *wrong)
    assert code == 2
    assert problem in err
    assert not (project / "placeholders").exists()


def test_an_unknown_shot_is_told_with_those_there_are(project: Path, said: Said) -> None:
    """Nothing is guessed: the shots that something was made for are named."""
    said("placeholder", "request", "SH100", *SMALL)
    code, _, err = said("placeholder", "show", "SH999")
    assert code == 2
    assert "There are some for: SH100" in err
