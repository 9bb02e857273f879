"""Discovery: which plugins there are, without importing one; and what ``check`` says of them."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from callboard.discovery import Found, check, discover
from callboard.testing import TmpPlugin

GOOD = """
    from callboard import hookimpl

    @hookimpl
    def callboard_handle(event):
        return None
"""

BAD_SIGNATURE = (
    "PluginValidationError: Plugin 'checked' for hook 'callboard_handle' hookimpl definition: callboard_handle(evnt) "
    "Argument(s) {'evnt'} are declared in the hookimpl but can not be found in the hookspec"
)


def find(name: str, *allow: str) -> Found:
    """Find one plugin by id."""
    return next(found for found in discover(allow) if found.id == name)


def test_a_plugin_is_found_with_its_manifest(tmp_plugin: TmpPlugin) -> None:
    """An installed third-party plugin is found, not built in, and runs only when allowed."""
    tmp_plugin("shout-out", GOOD, parameters={"loud": {"type": "boolean", "default": True, "help": "h"}})
    found = find("shout-out")
    assert (found.package, found.distribution, found.distribution_version) == ("shout_out", "shout-out", "1.0.0")
    assert (found.builtin, found.allowed, found.usable, found.error) == (False, False, False, "")
    assert found.manifest is not None
    assert found.manifest.parameters["loud"].default is True
    assert find("shout-out", "shout-out").usable


def test_the_built_in_plugins_are_ours(tmp_plugin: TmpPlugin) -> None:
    """Plugins of Callboard's own distribution are built in and always allowed; nobody can take their ids."""
    tmp_plugin("caption", GOOD)
    found = find("caption")
    assert (found.builtin, found.allowed, found.package) == (True, True, "callboard_caption")


def test_one_bad_plugin_hides_no_other(tmp_plugin: TmpPlugin, tmp_path: Path) -> None:
    """Wrong manifests, missing packages and broken metadata are found as errors, beside the good one."""
    tmp_plugin("good", GOOD)
    tmp_plugin("bad-toml", GOOD, manifest="id =")
    tmp_plugin("other-id", GOOD, manifest=(tmp_path / "site/good/manifest.toml").read_text())
    site = tmp_path / "site"
    (site / "ghost-1.0.0.dist-info").mkdir()
    (site / "ghost-1.0.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ghost\nVersion: 1.0.0\n")
    (site / "ghost-1.0.0.dist-info" / "entry_points.txt").write_text("[callboard.plugins]\nghost = no_such_package\n")
    (site / "odd-1.0.0.dist-info").mkdir()
    (site / "odd-1.0.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0.0\n")
    (site / "odd-1.0.0.dist-info" / "entry_points.txt").write_text(
        "[callboard.plugins]\nodd = odd:plugin\nlone = lone_module\n"
    )
    (site / "lone_module.py").write_text("")
    (site / "wrecked-1.0.0.dist-info").mkdir()
    (site / "wrecked-1.0.0.dist-info" / "METADATA").write_bytes(b"\xff\x00\xff")
    (site / "wrecked-1.0.0.dist-info" / "entry_points.txt").write_text("[callboard.plugins\n= = =\n")
    importlib.invalidate_caches()  # a folder's time may be that of the last look at it
    errors = {found.id: found.error.split("\n")[0] for found in discover() if not found.builtin}
    assert errors == {
        "good": "",
        "bad-toml": f"plugin 'bad-toml': {site}/bad_toml/manifest.toml: not TOML: Invalid value (at end of document)",
        "other-id": f"plugin 'other-id': {site}/other_id/manifest.toml: id: 'good' is not the name of its entry point, "
        "'other-id'",
        "ghost": "plugin 'ghost': package 'no_such_package' is not installed where 'ghost' says",
        "odd": "plugin 'odd': its entry point must name a package, not 'odd:plugin'",
        "lone": "plugin 'lone': 'lone_module' is a module; a plugin is a package with a manifest.toml",
    }


def test_two_plugins_of_one_id_are_an_error(tmp_plugin: TmpPlugin, tmp_path: Path) -> None:
    """Nobody guesses which of two distributions is meant."""
    tmp_plugin("twin", GOOD)
    info = tmp_path / "site" / "usurper-2.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: usurper\nVersion: 2.0.0\n")
    (info / "entry_points.txt").write_text("[callboard.plugins]\ntwin = twin\n")
    importlib.invalidate_caches()
    found = find("twin", "twin")
    assert not found.usable
    assert found.error.startswith("plugin 'twin': two distributions offer it, ")


def test_a_package_inside_another_is_found_without_importing_either(tmp_plugin: TmpPlugin, tmp_path: Path) -> None:
    """A dotted package is located though its parent would fail to import."""
    tmp_plugin("outer", "raise RuntimeError('imported')")
    inner = tmp_path / "site" / "outer" / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text("raise RuntimeError('imported')")
    (inner / "manifest.toml").write_text((tmp_path / "site/outer/manifest.toml").read_text().replace("outer", "inner"))
    (tmp_path / "site/outer-1.0.0.dist-info/entry_points.txt").write_text("[callboard.plugins]\ninner = outer.inner\n")
    assert find("inner", "inner").usable


def test_missing_requirements_are_named(tmp_plugin: TmpPlugin) -> None:
    """Required imports are looked for, by their dotted names too."""
    found = tmp_plugin("needy", GOOD, requires=["json", "nothing_like_this", "json.nothing", "xml.dom.minidom"])
    assert found.missing == ("nothing_like_this", "json.nothing")


def test_discovery_imports_no_plugin(tmp_plugin: TmpPlugin) -> None:
    """In a fresh interpreter, listing plugins imports none of them and no decoder or engine."""
    tmp_plugin("loud", "import sys; sys.exit('imported')")
    program = (
        "import json, sys; from callboard.discovery import discover; "
        "ids = [found.id for found in discover()]; print(json.dumps([ids, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    ids, modules = json.loads(done.stdout)
    assert {"autotag", "caption", "loud"} <= set(ids)
    heavy = {"loud", "callboard_caption", "callboard_autotag", "numpy", "av", "onnxruntime", "nats", "PIL", "torch"}
    assert not heavy & set(modules)


def test_the_harness_imports_nothing_heavy() -> None:
    """Every pytest run of a plugin's author loads ``callboard.testing``; it must cost little."""
    program = "import sys, callboard.testing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    modules = set(done.stdout.decode().split())
    assert "callboard.testing" in modules
    assert not {"numpy", "av", "onnxruntime", "nats", "PIL", "torch", "callboard_caption"} & modules


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (GOOD, None),
        (
            "import nothing_like_this",
            "importing 'checked' failed: ModuleNotFoundError: No module named 'nothing_like_this'",
        ),
        ("import sys; sys.exit(2)", "importing 'checked' failed: SystemExit: 2"),
        ("import os; os._exit(9)", "importing 'checked' ended the process: exit status 9"),
        ("import os; print('noise'); os.abort()", "importing 'checked' ended the process: SIGABRT"),
        ("", "TypeError: 'checked' answers nothing: it has no function callboard_handle marked with @hookimpl"),
        ("def callboard_handle(event): ...", "callboard_handle is not marked with @hookimpl, so it is never called"),
        (
            GOOD.replace("(event)", "(evnt)"),
            BAD_SIGNATURE,
        ),
        (
            GOOD + "\n    @hookimpl\n    def callboard_handel(event): ...",
            "PluginValidationError: unknown hook 'callboard_handel' in plugin",
        ),
    ],
)
def test_check_says_what_is_wrong(tmp_plugin: TmpPlugin, code: str, problem: str | None) -> None:
    """A plugin is imported in a process of its own, and everything wrong with it is a sentence."""
    problems = [told for told in check(tmp_plugin("checked", code)) if " took " not in told]  # on a machine that halts
    if problem is None:
        assert problems == []
    else:
        assert problems[0].startswith(problem), problems


def test_check_needs_no_import_for_what_the_manifest_tells(tmp_plugin: TmpPlugin) -> None:
    """A wrong manifest and a missing extra are told without importing the plugin."""
    wrong = check(tmp_plugin("wrong", "import os; os._exit(9)", manifest="id ="))
    assert len(wrong) == 1
    assert "not TOML" in wrong[0]
    needy = check(tmp_plugin("needy", "import os; os._exit(9)", requires=["nothing_like_this"], extras=["all"]))
    assert needy == ["needs 'nothing_like_this', which is not installed; install it with: pip install 'needy[all]'"]
