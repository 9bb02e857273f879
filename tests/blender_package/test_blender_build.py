"""The add-on's zips, as Blender and people will have them; nothing here starts Blender."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import callboard
import pytest
from callboard_blender import addon, build

OLDEST_PYTHON = {"": (3, 10), "bridge/": (3, 7)}
"""What Blender 3.4 brings, and what the bridge promises everywhere."""


def unpacked(flavour: build.Flavour, folder: Path) -> Path:
    """Unpack a zip as Blender does; gives the add-on's folder."""
    target = folder / build.EXTENSION_ID if flavour == "extension" else folder
    zipfile.ZipFile(io.BytesIO(build.archive(flavour))).extractall(target)
    return folder / (build.EXTENSION_ID if flavour == "extension" else build.LEGACY_MODULE)


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    """Building twice, at other times and in another folder, changes no byte."""
    first = [path.read_bytes() for path in build.build(tmp_path / "a")]
    again = build.build(tmp_path / "b" / "c")
    assert [path.read_bytes() for path in again] == first
    line = [sys.executable, "-m", "callboard_blender.build", str(tmp_path / "d")]
    told = subprocess.run(line, capture_output=True, text=True, timeout=200, check=True).stdout.split()
    assert [Path(path).read_bytes() for path in told] == first
    assert [path.name for path in again] == ["callboard-0.1.0-blender-4.2.zip", "callboard-0.1.0-blender-3.4.zip"]


def test_both_zips_hold_the_same_code() -> None:
    """They differ in the manifest and the folder around it all, which Blender before 4.2 wants."""
    new, old = (zipfile.ZipFile(io.BytesIO(build.archive(one))).namelist() for one in ("extension", "legacy"))
    assert {f"callboard_addon/{name}" for name in new} - {*old} == {"callboard_addon/blender_manifest.toml"}
    assert all(name.startswith("callboard_addon/") for name in old)
    assert {"__init__.py", "panel.py", "apply/__init__.py", "bridge/__init__.py", "LICENSE"} <= {*new}


@pytest.mark.parametrize("flavour", ["extension", "legacy"])
def test_blenders_own_python_reads_every_file(flavour: build.Flavour) -> None:
    """No file uses syntax newer than the oldest interpreter it runs in."""
    for path, body in build.files(flavour).items():
        if path.endswith(".py"):
            oldest = OLDEST_PYTHON["bridge/" if path.startswith("bridge/") else ""]
            ast.parse(body, path, feature_version=oldest)


@pytest.mark.parametrize("flavour", ["extension", "legacy"])
def test_inside_blender_there_is_the_standard_library_alone(flavour: build.Flavour) -> None:
    """No file imports anything but its neighbours, Blender and what Python brings; nothing of the engine either."""
    for path, body in build.files(flavour).items():
        nodes = list(ast.walk(ast.parse(body))) if path.endswith(".py") else []
        named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        named |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
        assert {name.partition(".")[0] for name in named} <= {*sys.stdlib_module_names, "bpy"}, path


def test_the_bridge_inside_needs_none_outside(tmp_path: Path) -> None:
    """The add-on and its bridge import in a bare interpreter, with nothing of ours installed."""
    folder = unpacked("legacy", tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from callboard_addon.bridge import Bridge; print(Bridge)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(folder.parent)],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    assert "callboard_addon.bridge" in done.stdout


def test_what_old_blenders_read_without_running_it() -> None:
    """``bl_info`` is a literal, asks for Blender 3.4, and has the version of Callboard and of the manifest."""
    source = build.files("legacy")["__init__.py"].decode()
    (found,) = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bl_info"
    ]
    info = ast.literal_eval(found.value)
    assert info == addon.bl_info
    assert info["blender"] == (*build.FIRST_LEGACY, 0)
    manifest = tomllib.loads(build.files("extension")["blender_manifest.toml"].decode())
    assert manifest["version"] == build.version() == callboard.__version__
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]


@pytest.mark.parametrize("version", ["4.2", "5.0"])
@pytest.mark.timeout(900)
def test_blender_takes_the_manifest(version: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Blender's own validator finds nothing wrong with the zip, and would find a wrong manifest."""
    made = subprocess.run(
        [pytestconfig.rootpath / "tests" / "bpy.sh", version], capture_output=True, text=True, timeout=800, check=True
    )
    python = made.stdout.split()[-1]
    (judge,) = (
        Path(python).parents[1].glob("lib/python*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    )
    zips = build.build(tmp_path / "zips")
    wrong = tmp_path / "wrong.zip"
    with zipfile.ZipFile(wrong, "w") as target:
        target.writestr("blender_manifest.toml", build.MANIFEST.format(id="callboard", version="1"))
        target.writestr("__init__.py", "")
    answers = [
        subprocess.run([python, judge, "validate", path], capture_output=True, text=True, timeout=200, check=False)
        for path in (zips[0], wrong)
    ]
    assert answers[0].returncode == 0, answers[0].stdout + answers[0].stderr
    assert answers[1].returncode != 0


def test_a_bridge_that_imports_itself_by_name_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could only be imported where it is installed never gets into a zip."""
    package = tmp_path / "somewhere"
    package.mkdir()
    (package / "__init__.py").write_text("from callboard_bridge.bridge import Bridge\n")
    (package / "bridge.py").write_text("import callboard_bridge.wire\n\nclass Bridge: ...\n")
    monkeypatch.setattr("callboard_bridge.__file__", os.fspath(package / "__init__.py"))
    with pytest.raises(ValueError, match=r"bridge.py of the bridge imports itself"):
        build.bridge()
