"""The bridge's source: old Python's syntax, few imports, and one file that works alone."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import callboard_bridge
import pytest
from callboard_bridge import onefile

FOLDER = Path(callboard_bridge.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
HEAVY = {"threading", "_thread", "asyncio", "ssl", "typing", "pathlib", "subprocess", "logging", "urllib", "hashlib"}
"""What would cost an application time at its start, or start a thread."""


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the one file, written as people write it."""
    path = tmp_path_factory.mktemp("one") / "callboard_bridge.py"
    subprocess.run([sys.executable, "-m", "callboard_bridge.onefile", str(path)], check=True, timeout=60)
    return path


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem != "onefile"], ids=lambda path: path.stem)
def test_every_module_is_python_3_7(path: Path) -> None:
    """Every module that runs in an application parses with Python 3.7's grammar."""
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 7))
    imported = {node.names[0].name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)}
    imported |= {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= {*sys.stdlib_module_names, "callboard_bridge"}
    assert "threading" not in imported


def test_the_one_file_is_python_3_7(joined: Path) -> None:
    """The one file parses with Python 3.7's grammar and names no module of ours."""
    text = joined.read_text("utf-8")
    ast.parse(text, feature_version=(3, 7))

    assert "import callboard_bridge" not in text
    assert "from callboard_bridge" not in text


def test_the_one_file_loads_little(joined: Path) -> None:
    """Importing the one file alone loads neither threads nor TLS, and nothing that is not in the standard library."""
    code = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); import callboard_bridge, json;"
        "callboard_bridge.Bridge('nats://127.0.0.1:1', 'x', '1').poll();"
        "print(json.dumps([*set(sys.modules) - before]))"
    )
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", code, str(joined.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}

    assert loaded - {"callboard_bridge"} <= sys.stdlib_module_names
    assert loaded & HEAVY == set()


def test_the_one_file_is_made_the_same_twice(joined: Path) -> None:
    """The same source makes the same file, and its names are those of the package."""
    assert onefile.build() == joined.read_text("utf-8")


def test_two_modules_with_one_name_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that two modules define cannot be joined, and the message says which."""
    for path in MODULES:
        shutil.copy(path, tmp_path)
    (tmp_path / "twice.py").write_text('"""A module."""\n\nclass Bridge:\n    pass\n')
    monkeypatch.setattr(onefile, "__file__", str(tmp_path / "onefile.py"))

    with pytest.raises(ValueError, match="Bridge is in bridge and in twice"):
        onefile.build()


@pytest.mark.parametrize("version", ["3.7", "3.9", "3.10", "3.13"])
def test_older_and_newer_pythons_take_the_one_file(joined: Path, version: str, tmp_path: Path) -> None:
    """Each Python that is here, or else this one, imports the one file and keeps an event in an outbox."""
    name = f"python{version}"
    places = [*Path("/usr/bin").glob(name), *Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}")]
    places += Path("/opt/hostedtoolcache/Python").glob(f"{version}.*/x64/bin/{name}")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from callboard_bridge import Bridge;"
        "b = Bridge('nats://127.0.0.1:1', 'x', '1', seed=b'bad', outbox=sys.argv[2]);"
        "b.poll(); assert b.post('host.scene.saved', {}); assert b.pending == 1; b.close(); print('kept')"
    )
    command = [
        str(next(iter(places), sys.executable)),
        "-I",
        "-S",
        "-c",
        code,
        str(joined.parent),
        str(tmp_path / "outbox"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.strip(), done.stderr) == ("kept", "")
    assert len(list((tmp_path / "outbox").iterdir())) == 1


def test_the_example_is_short() -> None:
    """The example has at most fifteen lines beside its docstring."""
    lines = (FOLDER / "example.py").read_text("utf-8").splitlines()[1:]
    assert len([line for line in lines if line.strip()]) <= 15
    assert re.search(r"Bridge\.for_project\(", "\n".join(lines))
