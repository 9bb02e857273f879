"""The installer, the doctor and the ways from outside, on folders of our own and on the stand-in."""

from __future__ import annotations

import ast
import json
import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import callboard_resolve
import pytest
from callboard import __version__
from callboard.config import Settings, Watch, make_project
from callboard.errors import HostError
from callboard.hosting import Installation
from callboard_resolve import bundle, folders, outside
from callboard_resolve.inside import asking
from callboard_resolve.package import NEVER_RUN, ResolvePackage
from callboard_resolve.rehearsal import Stage
from callboard_schemas import VERBS

SCRIPTING = """
from callboard_resolve.rehearsal import Stage, Terms
from callboard_resolve.rehearsal.replay import MEDIA

stage = Stage(Terms({terms}))
stage.lengths = {{name: ("24", 48) for name in MEDIA.values()}}
{more}

def scriptapp(name):
    return stage.resolve if name == "Resolve" else None
"""
"""What Blackmagic's module offers, with the stand-in behind it."""


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    """Name a folder for scripts."""
    return Installation(application="DaVinci Resolve", version="", folder=str(tmp_path / "Fusion/Scripts/Utility"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project, in a folder whose name is not ASCII."""
    folder = tmp_path / "proj\u00e9t \u6620"
    (folder / "footage").mkdir(parents=True)
    make_project(folder, Settings(watch=(Watch(path="footage"),)))
    return folder


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a running Studio where the environment says that its scripting is."""
    return running(tmp_path, monkeypatch)


def running(folder: Path, monkeypatch: pytest.MonkeyPatch, terms: str = "", more: str = "") -> Path:
    """Write a scripting module that finds the stand-in."""
    module = folder / "api" / "Modules" / "DaVinciResolveScript.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(SCRIPTING.format(terms=terms, more=more), "utf-8")
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(folder / "api"))
    monkeypatch.setenv("RESOLVE_SCRIPT_LIB", str(folder / "none.so"))
    return module


def test_a_dry_run_names_what_an_install_writes(place: Installation, project: Path) -> None:
    """A dry run writes nothing; the install writes just what it named, and an uninstall takes that away."""
    package = ResolvePackage()
    steps = package.install(place, project, dry_run=True)
    assert not Path(place.folder).exists()
    assert package.install(place, project, dry_run=False) == steps
    written = {str(path) for path in Path(place.folder).iterdir()}
    assert written == {step.target for step in steps}
    assert {Path(name).suffix for name in written} == {".py", ".lua", ".zip"}
    assert bundle.version_of(Path(place.folder) / bundle.ARCHIVE) == __version__
    assert {step.target for step in package.uninstall(place, dry_run=True)} == written
    assert {str(path) for path in Path(place.folder).iterdir()} == written
    assert {step.target for step in package.uninstall(place, dry_run=False)} == written
    assert list(Path(place.folder).iterdir()) == []


def test_what_is_not_ours_stays(place: Installation, project: Path) -> None:
    """A file of the same name that we did not write is neither replaced nor removed."""
    folder = Path(place.folder)
    folder.mkdir(parents=True)
    (folder / "Callboard.py").write_text("print('mine')\n")
    (folder / "Other.py").write_text("print('other')\n")
    with pytest.raises(HostError, match="not ours"):
        ResolvePackage().install(place, project, dry_run=False)
    ResolvePackage().uninstall(place, dry_run=False)
    assert (folder / "Callboard.py").read_text() == "print('mine')\n"
    assert (folder / "Other.py").exists()


def test_an_install_again_replaces_ours(place: Installation, project: Path, tmp_path: Path) -> None:
    """A second install, for another project, takes the place of the first."""
    package = ResolvePackage()
    package.install(place, tmp_path, dry_run=False)
    package.install(place, project, dry_run=False)
    text = (Path(place.folder) / "Callboard.py").read_text("ascii")
    assert ascii(str(project)) in text
    assert f"PROJECT = {str(tmp_path)!r}" not in text


def test_no_project_is_said(place: Installation) -> None:
    """Menu scripts belong to a project."""
    with pytest.raises(HostError, match="belong to a project"):
        ResolvePackage().install(place, None, dry_run=True)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, project: Path) -> None:
    """A file in the way of the folder is an error that names it."""
    (tmp_path / "file").write_text("")
    place = Installation(application="DaVinci Resolve", version="", folder=str(tmp_path / "file" / "Utility"))
    with pytest.raises(HostError, match="cannot be written"):
        ResolvePackage().install(place, project, dry_run=False)


def test_what_runs_inside_needs_python_3_6_grammar_and_nothing_else() -> None:
    """Every module that runs in Resolve fits Python 3.6's grammar and imports only the standard library and ours."""
    top = Path(callboard_resolve.__file__).parent
    for path in [*(top / "inside").glob("*.py"), top / "scripts" / "entry.py"]:
        tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 6))
        hidden = {id(one) for node in ast.walk(tree) if _only_typing(node) for one in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in hidden:
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                for name in names:
                    assert name.split(".")[0] in sys.stdlib_module_names | {"callboard_resolve", "callboard_bridge"}
                    assert not name.startswith("callboard_resolve") or name.startswith("callboard_resolve.inside")


def _only_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_the_zip_runs_on_its_own(place: Installation, project: Path) -> None:
    """A Python without any of our packages imports what is in the zip, bridge included."""
    ResolvePackage().install(place, project, dry_run=False)
    archive = Path(place.folder) / bundle.ARCHIVE
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); from callboard_resolve.inside import menu, record; "
    code += "from callboard_bridge import Bridge; print(menu.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip().startswith(str(archive))) == (0, True), done.stderr
    with zipfile.ZipFile(archive) as pack:
        assert not [name for name in pack.namelist() if "rehearsal" in name or "package" in name]


def test_the_same_sources_give_the_same_zip() -> None:
    """A zip does not change with the time at which it is built."""
    assert bundle.archive("1") == bundle.archive("1")


def menu(place: Installation, entry: str, capsys: pytest.CaptureFixture[str], **found: Any) -> str:
    """Choose an entry of the menu, as Resolve does: with its names there."""
    before = list(sys.path)
    try:
        runpy.run_path(str(Path(place.folder) / f"{entry}.py"), {"bmd": object(), **found}, "not main")
    finally:
        sys.path[:] = before
    return capsys.readouterr().out


def test_the_menu_leaves_wishes(
    place: Installation, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that asks for something leaves a wish for the part that runs, or says that it does not run."""
    monkeypatch.setattr(asking, "FRESH", 3600.0)
    ResolvePackage().install(place, project, dry_run=False)
    folder = asking.folder_of(str(project))
    assert "choose 'Callboard' in the same menu first" in menu(place, "Callboard - captions", capsys)
    assert asking.asked(folder) == []
    asking.beat(folder)
    assert "passed on" in menu(place, "Callboard - captions", capsys)
    assert "disconnecting" in menu(place, "Callboard", capsys)
    assert [wish["what"] for wish in asking.asked(folder)] == ["captions", "stop"]


def test_the_menu_says_that_resolve_does_not_answer(
    place: Installation, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Started outside of Resolve, an entry says so and raises nothing."""
    ResolvePackage().install(place, project, dry_run=False)
    assert "does not answer" in menu(place, "Callboard", capsys, resolve=None)


def test_a_wish_that_cannot_be_read_is_thrown_away(tmp_path: Path) -> None:
    """A damaged wish goes, and those after it are heard."""
    asking.ask(str(tmp_path), "tags")
    (tmp_path / "asks" / "0-broken.json").write_text("{")
    (tmp_path / "asks" / "1-list.json").write_text("[]")
    assert [wish["what"] for wish in asking.asked(str(tmp_path))] == ["tags"]
    assert os.listdir(tmp_path / "asks") == []


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("Linux", "/h/.local/share/DaVinciResolve/Fusion/Scripts/Utility"),
        ("Darwin", "/h/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts/Utility"),
        ("Windows", "/r/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts/Utility"),
    ],
)
def test_the_folders_are_the_documented_ones(system: str, folder: str) -> None:
    """Each system's folder for a user's scripts is the one of the README."""
    found = folders.layouts(system, Path("/h"), {"APPDATA": "/r"})
    assert str(found[0].user) == folder
    assert found[0].everyone.parts[-3:] == ("Fusion", "Scripts", "Utility")


def test_resolve_is_found_by_the_folder_that_it_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's folder tells of Resolve although its program is elsewhere."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert ResolvePackage().installations() == []
    (tmp_path / ".local/share/DaVinciResolve").mkdir(parents=True)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    [found] = ResolvePackage().installations()
    assert found.folder == str(tmp_path / ".local/share/DaVinciResolve/Fusion/Scripts/Utility")
    assert (found.program, found.installed) == ("", "")


def test_macos_runs_one_python_only(tmp_path: Path) -> None:
    """On macOS the path does not count; the folder that PYTHON3HOME names does."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text("")
    assert folders.python("Darwin", {"PYTHON3HOME": str(tmp_path)}) == str(tmp_path / "bin" / "python3")
    assert folders.python("Linux", {"PATH": os.path.dirname(sys.executable)}) != ""
    assert folders.python("Linux", {"PATH": "/nowhere"}) == ""


def test_a_running_studio_is_reached(studio: Path) -> None:
    """Through the module that the environment names, the running Studio says who it is."""
    assert outside.who() == {"product": "DaVinci Resolve Studio", "version": "20.3.0.1"}


def test_who_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No module, one that finds nothing, one that fails, one that ends the process: each gives an error with a hint."""
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(tmp_path / "none"))
    monkeypatch.setenv("RESOLVE_SCRIPT_LIB", str(tmp_path / "none.so"))
    with pytest.raises(HostError, match="is not there"):
        outside.who()
    for more, said in (
        ("stage.resolve.__class__.__bool__ = lambda self: False", "no running Resolve lets scripts in"),
        ("raise ImportError('wrong architecture')", "wrong architecture"),
        ("import os; os._exit(139)", "ended the process with 139"),
    ):
        running(tmp_path, monkeypatch, more=more)
        with pytest.raises(HostError, match=said) as caught:
            outside.who()
        assert "free edition" in caught.value.hint


def test_a_resolve_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that never answers does not hang whoever asks."""
    running(tmp_path, monkeypatch, more="import threading; threading.Event().wait()")
    monkeypatch.setattr(outside, "PATIENCE", 2.0)
    with pytest.raises(HostError, match="does not answer within 2 s"):
        outside.who()


def test_the_doctor_records(studio: Path, tmp_path: Path, project: Path, place: Installation) -> None:
    """A recording is made with real media, in a process of its own, and held against what we think of Resolve."""
    found = ResolvePackage().doctor(place, project, record=tmp_path / "studio.json")
    said = {one.what for one in found if one.state == "ok"}
    assert "Resolve answered all of them as we thought" in said
    recording = json.loads((tmp_path / "studio.json").read_text("utf-8"))
    assert (recording["product"], recording["version"][:2]) == ("DaVinci Resolve Studio", [20, 3])
    assert len(recording["calls"]) > 200
    assert [one.state for one in found if "no menu scripts" in one.what] == ["problem"]


def test_the_doctor_records_no_project_with_something_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open project that is not empty is a problem with what to do, and nothing is written."""
    more = "stage.resolve.GetProjectManager().GetCurrentProject().GetMediaPool().CreateEmptyTimeline('Mine')"
    running(tmp_path, monkeypatch, more=more)
    found = ResolvePackage().doctor(None, None, record=tmp_path / "no.json")
    assert any(one.state == "problem" and "not empty" in one.what for one in found)
    assert not (tmp_path / "no.json").exists()


def test_the_doctor_says_that_it_was_never_run(
    studio: Path, place: Installation, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until there is a recording of a real Resolve, the doctor says that there is none; with one it must not."""
    monkeypatch.setattr(asking, "FRESH", 3600.0)
    recordings = list((Path(__file__).parent / "recordings").glob("*.json"))
    ResolvePackage().install(place, project, dry_run=False)
    found = ResolvePackage().doctor(place, project, record=None)
    assert (NEVER_RUN in {one.what for one in found}) is (not recordings)
    assert f"menu scripts {__version__} in {place.folder}" in {one.what for one in found}
    asking.beat(asking.folder_of(str(project)))
    found = ResolvePackage().doctor(place, project, record=None)
    assert "Resolve is connected with this project" in {one.what for one in found}


def test_the_package_does_every_verb() -> None:
    """It offers what the adapter inside does."""
    from callboard_resolve.inside.studio import VERBS as INSIDE

    assert ResolvePackage.verbs == INSIDE == VERBS
    assert Stage().calls == []
