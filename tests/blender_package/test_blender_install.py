"""Putting the add-on into real Blenders and taking it out again, with the folders of a user made for the test."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from callboard.errors import HostError
from callboard.hosting import Installation
from callboard_blender import build, installations, package

pytestmark = pytest.mark.timeout(900)

ASK = (
    "import bpy, json; p = bpy.context.preferences; "
    "print('SAID', json.dumps([sorted(a for a in p.addons.keys() if 'callboard' in a), p.view.show_developer_ui]))"
)
# What the program ``blender`` of 4.2 and newer does with these arguments, done by the same release as a Python module.
PROGRAM = """#!{python}
import sys
import bpy
arguments = sys.argv[1:]
if "--version" in arguments:
    print("Blender", bpy.app.version_string)
elif "--command" in arguments:
    from bl_pkg import bl_extension_cli
    code = bl_extension_cli.cli_extension_handler(arguments[arguments.index("extension") + 1:])
    sys.stdout.flush()
    __import__("os")._exit(code)
elif "--python-expr" in arguments:
    if "--factory-startup" not in arguments:
        bpy.ops.wm.read_userpref()
    exec(arguments[arguments.index("--python-expr") + 1])
sys.stdout.flush()
__import__("os")._exit(0)
"""


Modules = Callable[[str], str]
"""``modules("4.5")`` gives the interpreter that has that Blender as a module."""


@pytest.fixture(scope="module")
def modules(pytestconfig: pytest.Config) -> Modules:
    """Find Blenders that are modules of Python; they are kept below the home of whoever runs the tests."""
    environment = dict(os.environ)

    def find(version: str) -> str:
        script = pytestconfig.rootpath / "tests" / "bpy.sh"
        made = subprocess.run(
            [script, version], capture_output=True, text=True, timeout=800, check=True, env=environment
        )
        return made.stdout.split()[-1]

    return find


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a user's folder with nothing in it, and no project in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "BLENDER_USER_RESOURCES", "BLENDER_USER_CONFIG", "CALLBOARD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def no_program(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a user's folder on a machine without Blender's program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return home


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project's folder."""
    folder = tmp_path / "film"
    folder.mkdir()
    return folder


def tell(program: str, expression: str) -> str:
    """Run Blender with its user's own preferences; gives what it prints."""
    return installations.run(program, "-b", "--python-exit-code", "3", "--python-expr", expression)


def tree(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_into_blender_and_out_again(home: Path, project: Path) -> None:
    """Installed it is switched on, knows its project and leaves other preferences alone; taken out, nothing is left."""
    host = package.package()
    (where,) = [one for one in host.installations() if one.program == "/usr/bin/blender"]
    series = Path(where.folder).parents[2]
    assert where.application.startswith("Blender ")
    assert Path(where.folder) == series / "scripts" / "addons" / "callboard_addon"
    tell(where.program, "import bpy; bpy.context.preferences.view.show_developer_ui = True; bpy.ops.wm.save_userpref()")
    before = tree(home)
    planned = host.install(where, project, dry_run=True)
    assert tree(home) == before
    assert host.install(where, project, dry_run=False) == planned
    assert [step.what for step in planned] == ["write", "run", "write"]
    named = "from callboard_addon import preferences; print('NAMED', preferences.project(), preferences.by() != '')"
    said = tell(where.program, f"{ASK}; {named}")
    assert 'SAID [["callboard_addon"], true]' in said
    assert f"NAMED {project} True" in said
    assert json.loads((series / "config" / "callboard.json").read_text()) == {"project": str(project)}
    assert installations.installed(Path(where.folder)) == build.version()
    told = host.doctor(where, project, record=None)
    assert [(one.state, one.hint) for one in told] == [("ok", ""), ("warning", "Start it: 'callboard up'.")]
    theirs = series / "scripts" / "addons" / "theirs.py"
    theirs.write_text("")
    out = host.uninstall(where, dry_run=False)
    assert [step.what for step in out] == ["run", "remove", "remove"]
    assert "SAID [[], true]" in tell(where.program, ASK)
    assert {name for name in tree(home) if "callboard" in name} == set()
    assert theirs.is_file()
    assert host.uninstall(where, dry_run=False) == []


def test_a_file_that_a_person_put_beside_ours_stays(no_program: Path) -> None:
    """Taking ours out leaves what is not ours, and the folder that it is in."""
    host = package.package()
    folder = no_program / ".config" / "blender" / "4.3"
    folder.mkdir(parents=True)
    (where,) = [one for one in host.installations() if one.version == "4.3"]
    assert (where.program, where.folder) == ("", str(folder / "extensions" / "user_default" / "callboard"))
    steps = host.install(where, None, dry_run=False)
    assert [(step.what, step.target) for step in steps] == [("write", where.folder)]
    assert "switch it on" in steps[0].note
    mine = Path(where.folder) / "mine.txt"
    mine.write_text("notes")
    host.uninstall(where, dry_run=False)
    assert tree(folder) == {"extensions/user_default/callboard/mine.txt": b"notes"}


def test_an_old_blender_is_refused(no_program: Path) -> None:
    """A Blender before 3.4 is told of, and nothing is written for it."""
    where = Installation(application="Blender 3.3", version="3.3.0", folder=str(no_program / "x/3.3/scripts/addons/y"))
    with pytest.raises(HostError, match=r"Blender 3\.3\.0 is not supported"):
        package.package().install(where, None, dry_run=False)
    assert tree(no_program) == {}


def test_a_folder_of_no_blender_is_refused(no_program: Path) -> None:
    """A folder that a person named, and that no Blender is known for, is named; nothing is written into it."""
    where = Installation(application="Blender", version="", folder=str(no_program / "elsewhere"))
    with pytest.raises(HostError, match=r"no Blender is known at .*elsewhere"):
        package.package().install(where, None, dry_run=False)
    assert tree(no_program) == {}


def test_a_folder_that_cannot_be_written(no_program: Path) -> None:
    """What is in the way is named."""
    series = no_program / ".config" / "blender" / "4.0"
    series.mkdir(parents=True)
    (series / "scripts").write_text("a file where a folder should be")
    (where,) = [one for one in package.package().installations() if one.version == "4.0"]
    with pytest.raises(HostError, match=r"scripts/addons/callboard_addon: Not a directory"):
        package.package().install(where, None, dry_run=False)


def test_the_doctor_says_what_is_missing(no_program: Path, project: Path) -> None:
    """Without the add-on, and with one of another version, the next step is said."""
    host = package.package()
    assert host.doctor(None, None, record=None)[0].what == "no Blender was found on this machine"
    series = no_program / ".config" / "blender" / "4.1"
    ours = series / "scripts" / "addons" / "callboard_addon"
    ours.mkdir(parents=True)
    (ours / "__init__.py").write_text('bl_info = {\n    "version": (0, 0, 9),\n}\n')
    (where,) = host.installations()
    assert where.installed == "0.0.9"
    first, second, *_ = host.doctor(where, project, record=None)
    assert first.what == "Blender 4.1: version 0.0.9 is there, 0.1.0 is here"
    assert second.what == "Blender 4.1: no project was named"
    host.uninstall(where, dry_run=False)
    (missing,) = host.doctor(None, None, record=None)
    assert (missing.state, missing.hint) == ("problem", "'callboard hosts install blender' does it.")


def test_it_is_not_started_from_outside(project: Path) -> None:
    """Who tries is told where it runs."""
    with pytest.raises(HostError, match="runs inside Blender"):
        package.package().run(project, (), stop=lambda: True)


def test_into_an_extension_blender_and_out_again(
    modules: Modules, home: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 4.2 on Blender's own installer puts it in and switches it on, and it is gone without a trace afterwards."""
    program = tmp_path / "bin" / "blender"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=modules("4.5")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    host = package.package()
    (where,) = [one for one in host.installations() if one.program == str(program)]
    series = home / ".config" / "blender" / "4.5"
    assert where.folder == str(series / "extensions" / "user_default" / "callboard")
    steps = host.install(where, project, dry_run=False)
    assert [step.what for step in steps] == ["run", "write"]
    assert 'SAID [["bl_ext.user_default.callboard"]' in tell(where.program, ASK)
    assert [one.state for one in host.doctor(where, None, record=None)] == ["ok"]
    host.uninstall(where, dry_run=False)
    assert "SAID [[]," in tell(where.program, ASK)
    assert {name for name in tree(home) if "callboard" in name} == set()


@pytest.mark.parametrize("version", ["4.2", "5.0"])
def test_every_class_of_ours_registers_and_the_process_ends(
    version: str, modules: Modules, home: Path, project: Path
) -> None:
    """Blender takes all panels, operators and settings, lets go of them again, and exits though we were registered.

    A board on another machine is not talked to before Blender may go online.
    """
    (project / ".callboard" / "nats").mkdir(parents=True)
    (project / ".callboard" / "nats" / "board.json").write_text('{"url": "nats://192.0.2.1:4222"}')
    folder = home / "addons"
    zipfile.ZipFile(io.BytesIO(build.archive("legacy"))).extractall(folder)
    code = f"""
import json, sys, bpy
sys.path.insert(0, {str(folder)!r})
import callboard_addon
ours = lambda: sum(name.startswith("CALLBOARD_") for name in dir(bpy.types))
callboard_addon.register()
first = ours()
callboard_addon.unregister()
left = ours()
callboard_addon.register()
from callboard_addon import connection
connection.pump()
unset = connection.current().status.headline
import os
os.environ["CALLBOARD_PROJECT"] = {str(project)!r}
connection.aim()
connection.pump()
link = connection.current()
print("SAID", json.dumps([first, left, ours(), unset, link.status.headline, link.status.advice, link.bridge is None]))
"""
    done = subprocess.run([modules(version), "-c", code], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    first, left, again, unset, headline, advice, silent = json.loads(done.stdout.split("SAID ")[1].splitlines()[0])
    assert (left, first, unset) == (0, again, "No project yet")
    assert first >= 18
    assert (headline, silent) == ("Blender may not go online", True)
    assert "nats://192.0.2.1:4222" in advice


def test_what_blender_says_when_it_fails_is_told(tmp_path: Path) -> None:
    """A program that fails is quoted, with its exit code."""
    program = tmp_path / "blender"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no display, no preferences')\n")
    program.chmod(0o755)
    with pytest.raises(HostError, match=r"failed \(1\): no display, no preferences"):
        installations.run(str(program), "-b")
