"""What CONTRIBUTING.md promises is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from callboard.licences import normal

LINE = re.compile(r"^- `([A-Za-z0-9._-]+)`: (\S.*)$")


@pytest.fixture
def root(pytestconfig: pytest.Config) -> Path:
    """Give the top of the source tree."""
    return pytestconfig.rootpath


def declared(root: Path) -> dict[str, list[str]]:
    """List the dependencies in pyproject.toml by extra, our own extras left out."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    named = {
        extra: sorted({normal(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines} - {"callboard"})
        for extra, lines in groups.items()
    }
    return {extra: names for extra, names in named.items() if names}


def explained(root: Path) -> dict[str, list[str]]:
    """List the dependencies that CONTRIBUTING.md gives a reason for."""
    text = (root / "CONTRIBUTING.md").read_text("utf-8").partition("## Dependencies")[2]
    groups: dict[str, list[str]] = {}
    names: list[str] = []
    for line in text.splitlines():
        if line.startswith("### "):
            names = groups.setdefault(line[4:].strip(), [])
        elif found := LINE.match(line):
            names.append(normal(found[1]))
    return {extra: sorted(names) for extra, names in groups.items()}


def test_every_dependency_has_its_reason(root: Path) -> None:
    """Each dependency in pyproject.toml has one line that says why, under its extra, and no line is left over."""
    assert explained(root) == declared(root)


def test_every_make_target_is_there(root: Path) -> None:
    """Each ``make`` command in CONTRIBUTING.md is a target of the Makefile, and make can plan it."""
    targets = sorted(set(re.findall(r"\bmake ([a-z]+)\b", (root / "CONTRIBUTING.md").read_text("utf-8"))))
    assert {"venv", "test", "lint", "bench", "schemas"} <= set(targets)
    for target in [*targets, "demo", "clean"]:
        planned = subprocess.run(
            ["make", "-n", target], cwd=root, capture_output=True, text=True, timeout=100, check=False
        )
        assert planned.returncode == 0, planned.stderr


def test_every_path_named_is_there(root: Path) -> None:
    """Each file or folder that CONTRIBUTING.md names in backquotes is in the tree."""
    names = re.findall(
        r"`((?:\.ci|tests|bench|framework|schemas|plugins|hosts)/[a-z0-9_./]*)`",
        (root / "CONTRIBUTING.md").read_text("utf-8"),
    )
    assert len(names) > 5
    assert [name for name in names if not (root / name).exists()] == []


SKIPPING = """
import pytest

@pytest.mark.skip(reason="no such machine")
def test_left_out(): ...

def test_runs(): ...
"""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["test_it.py"], 1, "no such machine"),
        (["test_it.py::test_runs"], 0, "1 passed"),
        (["test_it.py", "-k", "runs"], 1, "deselected"),
        (["test_it.py", "-n", "2"], 1, "no such machine"),
        (["test_it.py::test_runs", "-n", "2"], 0, "1 passed"),
        (["test_it.py", "-n", "2", "-k", "runs"], 1, "deselected"),
    ],
)
def test_a_test_that_did_not_run_fails_the_run(
    root: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """``make test`` fails when a test was skipped or left out, and names it."""
    (tmp_path / "test_it.py").write_text(SKIPPING)
    (tmp_path / "no_skips.py").write_bytes((root / "tests" / "no_skips.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-p", "no_skips", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout


DYING = """
import os
import pathlib
import signal

HERE = pathlib.Path(__file__).with_name("died")

def test_dies_once():
    if not HERE.exists():
        HERE.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_dies_fails_one_test_and_the_others_run(root: Path, tmp_path: Path) -> None:
    """The run goes on behind a process of pytest-xdist that ended, with the files that it had, and ends."""
    for name, text in (("1", ""), ("2", DYING), ("3", ""), ("4", "")):
        (tmp_path / f"test_{name}.py").write_text(text or "def test_runs(): ...\n")
    (tmp_path / "goes_on.py").write_bytes((root / "tests" / "goes_on.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    arguments = ("-p", "xdist", "-p", "goes_on", "-n", "1", "--dist", "loadfile", "--no-loadscope-reorder")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "crashed while running 'test_2.py::test_dies_once'" in done.stdout
    assert "1 failed, 4 passed" in done.stdout  # the test itself runs once more


DRAWING = """
import json
import pathlib
import pytest
from hypothesis import given, settings, strategies as st

@pytest.mark.parametrize("turn", ["before", "after"])
def test_draws(turn):
    if turn == "after":
        import words_of_ours
    drawn = []

    @settings(derandomize=True, database=None, max_examples=200)
    @given(st.text(), st.integers())
    def draw(text, number):
        drawn.append((text, number))

    draw()
    pathlib.Path(turn).write_text(json.dumps(drawn))
"""


def test_examples_are_the_same_whatever_ran_before(root: Path, tmp_path: Path) -> None:
    """A test of a property draws the same in every run, though other modules are loaded by then."""
    ours = [f"word{number}" for number in range(50)]
    (tmp_path / "words_of_ours.py").write_text(f"WORDS = {ours}\nNUMBERS = {[7_654_321 + n for n in range(50)]}\n")
    (tmp_path / "drawing.py").write_text(DRAWING)
    (tmp_path / "same_examples.py").write_bytes((root / "tests" / "same_examples.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "same_examples", "drawing.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = ((tmp_path / name).read_text() for name in ("before", "after"))
    assert before == after
    assert "word7" not in after


def test_make_test_uses_that_check(root: Path) -> None:
    """The check is part of what ``make test`` and so ``.ci/run`` do."""
    planned = subprocess.run(["make", "-n", "test"], cwd=root, capture_output=True, text=True, timeout=100, check=True)
    assert "-p tests.no_skips -p tests.goes_on -p tests.same_examples" in planned.stdout
    assert "make test" in (root / ".ci" / "run").read_text("utf-8")
