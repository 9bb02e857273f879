"""The shape of the code: layers, doors, sizes, names, and how little an import brings along."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOTS = ("schemas", "framework", "plugins", "hosts")
LONGEST = 300
LONGER_FOR_A_REASON: dict[str, str] = {"callboard.errors": "every error in one place, so that no two say the same"}
"""Modules of more than ``LONGEST`` lines, each with the reason why it is one module."""
SAYS_NOTHING = {"utils", "util", "base", "helpers", "helper", "manager", "common", "misc"}
HEAVY = {
    "onnxruntime",
    "torch",
    "ctranslate2",
    "faster_whisper",
    "av",
    "numpy",
    "nats",
    "PIL",
    "cv2",
    "rapidocr",
}
PLUGINS = {"callboard_autotag", "callboard_caption", "callboard_localize"}


@pytest.fixture
def root(pytestconfig: pytest.Config) -> Path:
    """Give the top of the source tree."""
    return pytestconfig.rootpath


def modules(root: Path) -> list[Path]:
    """List every Python file of the four source roots."""
    return sorted(path for name in ROOTS for path in (root / name).rglob("*.py"))


def dotted(root: Path, path: Path) -> str:
    """Name the module in *path* as it is imported."""
    parts = path.relative_to(root).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_layers_hold(root: Path) -> None:
    """import-linter finds no module that imports from above itself."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_packages_sit_in_the_source_roots(root: Path) -> None:
    """The source roots are on the import path in development, so nothing but our packages may be in them."""
    for name in ROOTS:
        strays = [path.name for path in (root / name).iterdir() if not path.name.startswith("callboard")]
        assert strays in ([], [".gitkeep"]), name


def test_every_module_is_inside_a_package(root: Path) -> None:
    """A folder without ``__init__.py`` would be left out by tools that look for packages."""
    folders = {path.parent for path in modules(root)}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_modules_are_short(root: Path) -> None:
    """A module has at most 300 lines, or a reason; a reason goes when the module got short."""
    long = {dotted(root, path) for path in modules(root) if len(path.read_text("utf-8").splitlines()) > LONGEST}
    assert long == LONGER_FOR_A_REASON.keys()


def test_modules_are_named_for_what_they_hold(root: Path) -> None:
    """No module has a name that would suit any other."""
    assert [str(path) for path in modules(root) if path.stem in SAYS_NOTHING or path.parent.name in SAYS_NOTHING] == []


def test_every_module_says_what_it_is(root: Path) -> None:
    """Each module begins with a docstring."""
    assert [str(path) for path in modules(root) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_every_package_has_one_door(root: Path) -> None:
    """A package that offers names says which in ``__all__``, and has each of them; a plugin offers hooks instead."""
    for path in modules(root):
        if path.name != "__init__.py" or path.is_relative_to(root / "plugins"):
            continue
        module = importlib.import_module(dotted(root, path))
        public = [
            node.name
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
        names = getattr(module, "__all__", None)
        assert names is not None or not public, f"{module.__name__} has no __all__"
        assert [name for name in names or () if not hasattr(module, name)] == [], module.__name__
        assert sorted(set(names or ())) == sorted(names or ()), module.__name__


def loaded_by(code: str) -> set[str]:
    """Name every module that is loaded once *code* has run in a fresh interpreter."""
    script = f"import sys\nsys.argv = ['callboard']\n{code}\nimport json\nprint('\\n' + json.dumps(list(sys.modules)))"
    # what measures coverage loads modules of its own, which are not what a user pays for
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False, env=clean
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import callboard",
        "import callboard.hookspecs, callboard.codec, callboard.config, callboard.bus, callboard.packs",
        "from callboard.cli import main\nmain(['--help'])",
        "from callboard.cli import main\nmain(['--version'])",
        "from callboard.cli import main\ntry:\n    main(['plugins'])\nexcept SystemExit: pass",
        "from callboard.cli import main\ntry:\n    main(['run', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_a_light_start(code: str) -> None:
    """Importing Callboard, its help and the list of plugins load no plugin, decoder, model engine or bus client."""
    loaded = loaded_by(code)
    assert {name.partition(".")[0] for name in loaded} & (HEAVY | PLUGINS) == set()


def test_help_loads_next_to_nothing() -> None:
    """``callboard --help`` loads none of the core's dependencies either."""
    tops = {name.partition(".")[0] for name in loaded_by("from callboard.cli import main\nmain(['--help'])")}
    assert tops & {"watchdog", "rich", "psutil", "sqlite3", "asyncio"} == set()


def test_the_supervisor_imports_no_plugin_or_decoder() -> None:
    """What ``callboard up`` runs in its own process knows neither plugins nor decoders nor engines."""
    tops = {name.partition(".")[0] for name in loaded_by("import callboard.board")}
    assert tops & (PLUGINS | {"av", "onnxruntime", "torch", "ctranslate2", "faster_whisper", "cv2"}) == set()
