"""``callboard hosts`` on a host package that is really installed, for an application made of folders."""

from __future__ import annotations

import importlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callboard.cli.app import run
from callboard.config import Project, Settings, make_project
from callboard.doctor import examine

SKETCH = '''
"""A host package for an application that is a folder for each version."""
import os, time
from pathlib import Path
from callboard.errors import HostError
from callboard.hosting import Finding, Installation, Step


class Sketch:
    name = "sketch"
    title = "Sketch"
    verbs = ("tags.write", "clear")

    def installations(self):
        found = []
        for folder in sorted(Path(os.environ["SKETCHES"]).glob("sketch-*"), reverse=True):
            version = folder.name.partition("-")[2]
            ours = folder / "parts" / "callboard.py"
            found.append(Installation(application=f"Sketch {version}", version=version, folder=str(folder / "parts"),
                program=str(folder / "sketch"), interpreter="Python 3.9", installed="0.1" if ours.exists() else ""))
        return found

    def usual(self):
        return [Installation(application="Sketch", version="", folder=os.environ["SKETCHES"] + "-usual")]

    def install(self, where, project, *, dry_run):
        folder, target = Path(where.folder), Path(where.folder, "callboard.py")
        if not folder.is_dir():
            raise HostError("sketch", f"{folder} is not there", "Start Sketch once; it makes it.")
        steps = [Step(what="write", target=str(target), note="our part")]
        if not dry_run:
            target.write_text(f"PROJECT = {str(project)!r}")
        return steps

    def uninstall(self, where, *, dry_run):
        target = Path(where.folder, "callboard.py")
        if not target.exists():
            return []
        if not dry_run:
            target.unlink()
        return [Step(what="remove", target=str(target))]

    def doctor(self, where, project, *, record):
        if record:
            record.write_text("{}")
        places = [where] if where else self.installations()
        said = [Finding(state="ok", what=place.application) for place in places if place.installed]
        return said or [Finding(state="problem", what="it is nowhere", hint="callboard hosts install sketch")]

    def run(self, project, paths, *, stop):
        print("serving", project, *paths, flush=True)
        while not stop():
            time.sleep(0.005)
        return 0


def package():
    return Sketch()
'''


class Machine:
    """A machine with two versions of Sketch, a project, and what its command line says."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.old, self.new = (folder / "apps" / f"sketch-{version}" / "parts" for version in ("2", "3"))
        for parts in (self.old, self.new):
            parts.mkdir(parents=True)
            (parts / "someones.py").write_text("mine")

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Run a command; give its exit code and what it printed."""
        code = run(["hosts", *map(str, arguments)])
        out, error = self._capsys.readouterr()
        return code, out, error

    def told(self, *arguments: object) -> Any:
        """Run a command and read its one JSON document."""
        return json.loads(self(*arguments, "--json")[1])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install small distributions: ``site("sketch", "callboard.hosts", code)``."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    modules: list[str] = []

    def install(name: str, group: str, code: str, extras: str = "", distribution: str = "") -> None:
        module = f"{name}_{group.rpartition('.')[2]}"
        modules.append(module)
        (folder / f"{module}.py").write_text(textwrap.dedent(code), "utf-8")
        owner = distribution or f"acme-{module}".replace("_", "-")
        info = folder / f"{owner.replace('-', '_')}_{module}-1.5.dist-info"
        info.mkdir()
        more = "".join(f"Provides-Extra: {extra}\n" for extra in extras.split())
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner}\nVersion: 1.5\n{more}")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n")
        importlib.invalidate_caches()

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def machine(
    tmp_path: Path,
    site: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Machine:
    """Give a machine on which Sketch 2 and 3 are installed, and stand in a project."""
    site("sketch", "callboard.hosts", SKETCH)
    monkeypatch.setenv("SKETCHES", str(tmp_path / "apps"))
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))  # what else is installed on this machine is not asked
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    project = tmp_path / "film"
    project.mkdir()
    (project / "callboard.toml").write_text("")
    monkeypatch.chdir(project)
    return Machine(tmp_path, capsys)


def one(told: Any, name: str) -> Any:
    """Give the host of that name from a list."""
    return next(host for host in told["hosts"] if host["name"] == name)


def test_the_list_says_where_each_version_is(machine: Machine) -> None:
    """Each installation has a line with its folder and interpreter, whether ours is in it, and what we can do there."""
    assert machine("install", "sketch", "--where", "2")[0] == 0
    _, out, _ = machine("list")
    old = next(line for line in out.splitlines() if "Sketch 2" in line)
    new = next(line for line in out.splitlines() if "Sketch 3" in line)
    assert (str(machine.old) in old, " 0.1 " in old, "Python 3.9" in old) == (True, True, True)
    assert (str(machine.new) in new, " no " in new) == (True, True)
    assert "sketch can: tags.write, clear" in out
    host = one(machine.told(), "sketch")
    assert [place["installed"] for place in host["installations"]] == ["", "0.1"]
    assert (host["verbs"], host["distribution_version"], host["error"]) == (["tags.write", "clear"], "1.5", None)


def test_an_application_that_is_not_here_is_said(machine: Machine, tmp_path: Path) -> None:
    """Without any version the list says "not found", and an install says how to name a folder all the same."""
    (tmp_path / "apps").rename(tmp_path / "gone")
    assert "not found" in next(line for line in machine("list")[1].splitlines() if line.startswith("sketch "))
    code, out, error = machine("install", "sketch")
    assert (code, out) == (1, "")
    assert f"--where FOLDER': {tmp_path / 'apps-usual'}" in error
    assert machine("install", "sketch", "--where", tmp_path / "gone" / "sketch-3" / "parts")[0] == 0
    assert (tmp_path / "gone" / "sketch-3" / "parts" / "callboard.py").exists()


def test_a_dry_run_writes_nothing(machine: Machine) -> None:
    """``--dry-run`` names each file, and no file is there afterwards."""
    code, out, _ = machine("install", "sketch", "--dry-run")
    assert code == 0
    assert f"write  {machine.new / 'callboard.py'} (our part)" in out
    assert f"Also found: Sketch 2 in {machine.old}, run by Python 3.9; --where 2 takes it." in out
    assert sorted(path.name for path in machine.folder.rglob("apps/**/*.py")) == ["someones.py"] * 2
    told = machine.told("install", "sketch", "--dry-run")
    assert (told["done"], told["steps"][0]["what"]) == (False, "write")
    assert not (machine.new / "callboard.py").exists()


def test_a_dry_run_without_the_application(machine: Machine, tmp_path: Path) -> None:
    """Where an application is not found, a dry run says what would go where its documents say that it looks."""
    (tmp_path / "apps").rename(tmp_path / "apps-usual")
    code, out, _ = machine("install", "sketch", "--dry-run")
    assert (code, f"write  {tmp_path / 'apps-usual' / 'callboard.py'}" in out) == (0, True)


def test_install_and_uninstall(machine: Machine) -> None:
    """An install goes into the newest version, connected with the project; an uninstall takes that file alone."""
    code, out, _ = machine("install", "sketch")
    assert code == 0
    assert (machine.new / "callboard.py").read_text() == f"PROJECT = {str(machine.folder / 'film')!r}"
    assert not (machine.old / "callboard.py").exists()
    taken = next(line for line in out.splitlines() if "take it away" in line).partition("callboard hosts ")[2].split()
    assert "remove" in machine(*taken, "--dry-run")[1]
    assert (machine.new / "callboard.py").exists()
    assert machine(*taken)[0] == 0
    assert [path.name for path in machine.new.iterdir()] == ["someones.py"]
    code, out, _ = machine("uninstall", "sketch")
    assert (code, out) == (0, "Nothing of Callboard is in Sketch here.\n")


def test_uninstall_takes_all(machine: Machine) -> None:
    """Without ``--where`` ours goes out of every version that it is in."""
    for version in ("2", "3"):
        machine("install", "sketch", "--where", version)
    told = machine.told("uninstall", "sketch")
    assert [place["installation"]["version"] for place in told["removed"]] == ["3", "2"]
    assert list(machine.folder.rglob("apps/**/callboard.py")) == []


@pytest.mark.parametrize("by", ["version", "application", "program", "folder"])
def test_an_installation_is_named_in_four_ways(machine: Machine, by: str) -> None:
    """``--where`` takes the version, the name, the program or the folder of what was found."""
    old = next(place for place in one(machine.told(), "sketch")["installations"] if place["version"] == "2")
    assert machine.told("install", "sketch", "--where", old[by], "--dry-run")["installation"] == old


def test_a_host_that_is_served_from_outside(machine: Machine, site: Callable[..., None]) -> None:
    """Where an application has no folder for us, nothing is written, and it is said how it is served."""
    site("outer", "callboard.hosts", SKETCH.replace('"sketch"', '"outer"').replace('str(folder / "parts")', '""'))
    code, out, _ = machine("install", "outer")
    assert (code, "'callboard hosts run outer PATH'" in out) == (0, True)
    assert machine.told("install", "outer")["steps"] == []
    assert re.search(r"^outer +Sketch 3 +outside", machine("list")[1], re.MULTILINE)
    assert list(machine.folder.rglob("callboard.py")) == []


def test_a_version_with_its_program_is_taken_first(machine: Machine, site: Callable[..., None]) -> None:
    """A newer version of which only folders are left does not go before one that can be started."""
    program = 'program=str(folder / "sketch") if version == "2" else ""'
    site(
        "left",
        "callboard.hosts",
        SKETCH.replace('program=str(folder / "sketch")', program).replace('"sketch"', '"left"'),
    )
    assert machine.told("install", "left", "--dry-run")["installation"]["version"] == "2"


def test_a_version_that_is_not_there_is_no_folder(machine: Machine) -> None:
    """``--where`` with a version that is not found is wrong usage, and those that are there are named."""
    code, out, error = machine("install", "sketch", "--where", "4.5")
    assert (code, out, "There are: 3, 2." in error) == (2, "", True)


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_a_person_is_asked(machine: Machine, answer: str, code: int) -> None:
    """On a terminal the steps are shown and nothing is written until a person agrees."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "callboard", "hosts", "install", "sketch"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as asking:
        assert asking.stderr is not None
        os.close(theirs)
        asked = b""
        while not asked.endswith(b"[Y/n]: "):
            more = os.read(asking.stderr.fileno(), 65536)
            assert more, asked
            asked += more
        assert not (machine.new / "callboard.py").exists()
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:
            pass  # Linux says so when the other end is closed
        assert asking.wait(timeout=60) == code
    os.close(ours)
    assert b"write" in shown
    assert (machine.new / "callboard.py").exists() == (code == 0)


def test_a_project_that_is_none_is_refused(machine: Machine, tmp_path: Path) -> None:
    """``--project`` must name a project; without one, outside of any, an install says that there is none."""
    code, _, error = machine("install", "sketch", "--project", tmp_path / "apps")
    assert (code, "no callboard.toml" in error) == (2, True)
    os.chdir(tmp_path / "apps")
    assert "Project: none" in machine("install", "sketch", "--dry-run")[1]
    assert machine("install", "sketch", "--project", tmp_path / "film")[0] == 0
    assert str(tmp_path / "film") in (machine.new / "callboard.py").read_text()


def test_the_doctor_fails_on_a_problem(machine: Machine, tmp_path: Path) -> None:
    """A problem is said with what mends it, and is exit code 1; a record goes into the file that was named."""
    code, out, _ = machine("doctor", "sketch")
    assert (code, out.splitlines()) == (1, ["problem it is nowhere", "        callboard hosts install sketch"])
    machine("install", "sketch")
    code, out, _ = machine("doctor", "sketch", "--record", tmp_path / "record.json")
    assert (code, out, (tmp_path / "record.json").read_text()) == (0, "ok      Sketch 3\n", "{}")
    assert machine.told("doctor", "sketch", "--where", "2")["problems"] == 1
    assert "sketch" in machine.told("doctor")["hosts"]
    assert machine("doctor", "--record", tmp_path / "record.json")[0] == 2


def test_the_machines_doctor_mentions_hosts(machine: Machine) -> None:
    """``callboard doctor`` has a line for each installation, with the command that puts Callboard there."""
    machine("install", "sketch", "--where", "2")
    project: Project = make_project(machine.folder / "film", Settings())
    found = [(line.level, line.found, line.mend) for line in examine(project) if line.what == "host sketch"]
    assert found == [
        ("note", "Callboard is not in Sketch 3", "callboard hosts install sketch --where 3"),
        ("ok", "Callboard 0.1 is in Sketch 2", ""),
    ]


def test_the_bridge_is_one_file_that_runs(machine: Machine, tmp_path: Path) -> None:
    """``bridge`` writes a file that works in a folder of its own, replaces what it made, and nobody else's file."""
    file = tmp_path / "alone" / "callboard_bridge.py"
    file.parent.mkdir()
    assert machine("bridge", "-o", file)[0] == 0
    script = "from callboard_bridge import Bridge\nbridge = Bridge.for_project('..', 'Test', '1')\nbridge.poll()\n"
    script += "print(bridge.state, bridge.problem)\nbridge.close()"
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.')\n{script}"]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout.partition(" ")[0], "callboard up" in done.stdout, done.stderr) == ("offline", True, "")
    assert machine.told("bridge", "-o", file) == {"file": str(file), "bytes": file.stat().st_size}
    file.write_text("mine")
    code, _, error = machine("bridge", "-o", file)
    assert (code, "not made by Callboard" in error, file.read_text()) == (2, True, "mine")


def test_the_bridge_for_lua(machine: Machine, tmp_path: Path) -> None:
    """A name that ends in ``.lua`` gets the twin for LuaJIT, which is replaced as well."""
    file = tmp_path / "callboard_bridge.lua"
    for _ in range(2):
        assert machine("bridge", "-o", file)[0] == 0
    text = file.read_text("utf-8")
    assert text.startswith("-- Made by Callboard ")
    assert "for_project" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_host_is_served_until_it_is_stopped(machine: Machine, number: signal.Signals) -> None:
    """``run`` hands the project and whole paths to the package, and ends well on Ctrl-C or SIGTERM."""
    film = machine.folder / "film"
    command = [sys.executable, "-m", "callboard", "hosts", "run", "sketch", "cut.sketch"]
    with subprocess.Popen(command, cwd=film, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline() == f"serving {film} {film / 'cut.sketch'}\n"
        serving.send_signal(number)
        out, error = serving.communicate(timeout=60)
    assert (serving.returncode, out, error) == (0, "", "")


def test_a_name_that_is_meant_is_suggested(machine: Machine) -> None:
    """A wrong name is wrong usage, and the nearest host is suggested."""
    code, _, error = machine("install", "sketsh")
    assert (code, "Did you mean 'sketch'?" in error) == (2, True)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nothing_like_this", "needs nothing_like_this, which is not installed"),
        ("def package(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "its package() does not work"),
        ("def package(): raise OSError('no')", "its package() does not work: OSError: no"),
        ("def package(): return 1", "something without installations, install"),
        (SKETCH.replace('"sketch"', '"other"'), "it calls itself 'other'"),
        (SKETCH.replace('"clear"', '"erase"').replace('"sketch"', '"broken"'), "none of ours: erase"),
        (SKETCH.replace("found = []", "1 / 0").replace('"sketch"', '"broken"'), "cannot look for the application"),
    ],
)
def test_a_broken_package_is_a_line_in_the_list(
    machine: Machine, site: Callable[..., None], code: str, words: str
) -> None:
    """Whatever is wrong with a host package is said in its line, without a traceback; others are listed as ever."""
    site("broken", "callboard.hosts", code)
    _, out, error = machine("list")
    assert re.search(r"^broken +broken$", out, re.MULTILINE)
    assert any(words in line for line in out.splitlines() if line.startswith("broken: "))
    assert "Sketch 3" in out
    assert "Traceback" not in out + error
    assert words in one(machine.told(), "broken")["error"]["message"]


@pytest.mark.parametrize("name", ["blender", "kdenlive", "resolve"])
def test_a_host_of_ours_on_a_machine_without_it(machine: Machine, name: str) -> None:
    """Each host of ours is listed with what it can do, is not found here, and its doctor says so without a problem."""
    host = one(machine.told(), name)
    assert (host["error"], host["installations"], host["distribution"]) == (None, [], "callboard")
    assert "subtitles.write" in host["verbs"]
    (finding,) = machine.told("doctor")["hosts"][name]
    assert (finding["state"], "is not found" in finding["what"]) == ("warning", True)
    assert name in (Path(__file__).parents[2] / "docs" / f"{name}.md").read_text("utf-8").lower()


def test_nobody_takes_over_a_host_of_ours(machine: Machine, site: Callable[..., None]) -> None:
    """Another distribution that offers a host of our name is not asked."""
    site("blender", "callboard.hosts", "raise SystemExit('taken over')")
    assert one(machine.told(), "blender")["distribution"] == "callboard"


GREET = """
    import click
    @click.command()
    @click.option("--loud", is_flag=True)
    def command(loud):
        click.echo("HELLO" if loud else "hello")
"""


def test_a_contributed_command_runs(site: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """A command of another distribution is run by its name, with its options."""
    site("greet", "callboard.commands", GREET)
    assert run(["greet", "--loud"]) == 0
    assert capsys.readouterr().out == "HELLO\n"


def test_nobody_takes_over_a_command_of_ours(site: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """A contributed command with a name of the table is never imported."""
    site("plugins", "callboard.commands", "raise SystemExit('taken over')")
    assert run(["plugins", "--json"]) == 0
    assert "autotag" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "extras", "code_said", "hint"),
    [
        ("import nothing_like_this", "greet other", "extra-missing", "pip install 'acme-greet-commands[greet]'"),
        ("import nothing_like_this", "", "extra-missing", "Install it where acme-greet-commands is."),
        ("raise RuntimeError('no')", "", "job", ""),
        ("command = 1", "", "job", ""),
    ],
)
def test_a_broken_command_says_why(
    site: Callable[..., None], capsys: pytest.CaptureFixture[str], code: str, extras: str, code_said: str, hint: str
) -> None:
    """A contributed command that cannot be imported is an error in words, with the extra that it needs, if any."""
    site("greet", "callboard.commands", code, extras)
    assert run(["greet", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["error"]
    assert (told["code"], told["hint"]) == (code_said, hint)


def test_a_command_that_nobody_has(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that neither the table nor a package has is wrong usage."""
    assert run(["nothing"]) == 2
    assert "No command 'nothing'" in capsys.readouterr().err
