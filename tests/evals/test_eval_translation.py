"""``callboard eval translation``: the film of our own by Apertium, one's own material, and two choices side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import callboard_localize.truth
import pytest
from callboard.cli import main
from callboard.evaluation import compare

HARBOUR = Path(callboard_localize.truth.__file__).with_name("harbour")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Give the exit code and the one document of a command."""
    code = main(["eval", "translation", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_film_is_no_worse_than_before(capsys: pytest.CaptureFixture[str]) -> None:
    """Spanish, and Portuguese by way of Spanish, are as good as what was accepted; no cue moved."""
    code, found = told(capsys)
    assert code == 0, found
    measures = {(one["suite"], one["measure"]): one["value"] for one in found["measures"]}
    assert measures["apertium-es", "chrf"] > 0.6
    assert measures["apertium-es", "structure-error"] == measures["apertium-pt", "structure-error"] == 0.0
    assert measures["apertium-es", "glossary"] == 1.0


def test_material_of_ones_own_gets_a_baseline_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is accepted for a folder is kept in it, and a worse result is told by exit code 1."""
    for file in HARBOUR.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "harbour.pt.srt").unlink()
    assert told(capsys, "--set", str(tmp_path), "--update")[0] == 0
    assert (tmp_path / "translation.baseline.json").exists()
    assert told(capsys, "--set", str(tmp_path))[0] == 0
    reference = tmp_path / "harbour.es.srt"
    reference.write_text(reference.read_text("utf-8").replace("e", "o"), "utf-8")
    code, found = told(capsys, "--set", str(tmp_path))
    assert (code, found["worse"]) == (1, 2)  # chrF and BLEU


def test_two_choices_are_set_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """The first choice is the baseline of the second."""
    code, found = told(capsys, "--set", str(HARBOUR), "--compare", "default", "from=es")
    first = found["measures"][0]
    assert first["measure"] == "chrf"
    assert first["value"] > first["baseline"]
    assert code == 0


def test_a_folder_with_nothing_says_what_belongs_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the names that files should have."""
    code, found = told(capsys, "--set", str(tmp_path))
    assert code == 2
    assert "film.en.srt" in json.dumps(found)


def test_one_cue_that_moved_is_worse() -> None:
    """Structure has no slack: a thousandth is too much."""
    (row,) = compare({"a": {"structure-error": 0.001}}, {"a": {"structure-error": 0.0}})
    assert row.worse
