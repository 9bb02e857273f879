"""The documents say what the program does: hooks, errors, settings, commands, folders, and examples that run."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from callboard import config, errors, hookspecs
from callboard.bus.roles import ROLES
from callboard.cli import COMMANDS
from callboard.testing import PluginHarness, TmpPlugin
from callboard_schemas import Envelope, Manifest, Parameters, Tags

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCS = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
ALL = {"README.md": README, **DOCS}
LETTERS = list(ALL.items())


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """Give the cells of every table row."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]


def test_every_hook_stands_with_its_signature() -> None:
    """Each hook is in the plugin guide, word for word as it is specified."""
    hooks = [hook for name, hook in vars(hookspecs).items() if name.startswith("callboard_") and callable(hook)]
    assert hooks
    for hook in hooks:
        line = next(line for line in inspect.getsource(hook).splitlines() if line.startswith("def "))
        assert line in DOCS["plugins.md"]


def test_every_manifest_key_is_described() -> None:
    """Each key that a manifest may have is in the plugin guide's table."""
    named = {key for row in rows(DOCS["plugins.md"]) for key in re.findall(r"`([a-z_]+)`", row[0])}
    assert set(Manifest.__struct_fields__) <= named


def test_every_error_stands_with_its_code() -> None:
    """Each error class and its code share a row, and no row names one that is not there."""
    classes = {
        name: kind.code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CallboardError)
    }
    table = {row[0].strip("`"): row[1].strip("`") for row in rows(DOCS["errors.md"]) if re.match(r"`[A-Z]", row[0])}
    assert table == classes


def test_every_failure_code_is_described() -> None:
    """Each code that the engine gives a failure is in the list of codes."""
    used: set[str] = set()
    for path in (ROOT / "framework").rglob("*.py"):
        used |= set(re.findall(r'\bcode="([a-z-]+)"', path.read_text("utf-8")))
    assert used
    assert {code for code in used if f"`{code}`" not in DOCS["errors.md"]} == set()


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else "required"


def _said(value: Any) -> str:
    words = {None: "none", "required": "required"}
    return words[value] if isinstance(value, str | None) and value in words else json.dumps(value)


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("The top of the file", config.Settings),
        ("`[[watch]]`", config.Watch),
        ("`[sidecars]`", config.Sidecars),
        ("`[policy]`", config.Policy),
        ("`[plugins.NAME]`", config.PluginSettings),
        ("`[broker]`", config.Broker),
        ("`[runtime]`", config.RuntimeSettings),
        ("`[hosts]`", config.Hosts),
        ("`[shots]`", config.Shots),
    ],
)
def test_every_setting_stands_with_its_default(heading: str, struct: type[msgspec.Struct]) -> None:
    """Each key of each section is in its table with its default, and no other key is."""
    section = next(part for part in DOCS["settings.md"].split("\n## ") if part.startswith(heading))
    table = {row[0].strip("`"): row[1].strip("`") for row in rows(section) if row[0].startswith("`")}
    fields = {field.name: _default(field) for field in msgspec.structs.fields(struct)}
    sections = {"watch", "plugins"} if struct is config.Settings else set()
    plain = {
        name: _said(value)
        for name, value in fields.items()
        if name not in sections and not isinstance(value, msgspec.Struct)
    }
    assert table == plain


def test_the_settings_shown_are_settings() -> None:
    """Each TOML example of settings in the README is accepted."""
    for block in blocks(README, "toml"):
        if "kind =" not in block:
            msgspec.convert(tomllib.loads(block), config.Settings)


@pytest.mark.parametrize(("name", "text"), LETTERS)
def test_every_command_named_exists(name: str, text: str) -> None:
    """Each ``callboard X`` that a document names is a command, with the subcommand and the options that it shows."""
    from callboard.cli.app import _app

    code = "\n".join(
        [
            *re.findall(r"`(callboard [^`\n]+)`", text),
            *re.findall(r"^    (callboard .+)$", text, re.MULTILINE),
            *re.findall(r"^(callboard .+)$", "\n".join(blocks(text, "sh")), re.MULTILINE),
        ]
    )
    for words in re.findall(r"callboard ([a-z][^#&\n]*)", code):
        first, *rest = words.split()
        assert first in COMMANDS, (name, words)
        command = _app.get_command(click.Context(_app), first)
        assert command is not None
        if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            command = command.get_command(click.Context(command), rest[0])
            assert command is not None, (name, words)
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options | {"--help", "--"}, (name, words)


@pytest.mark.parametrize(("name", "text"), LETTERS)
def test_no_file_is_mentioned_that_is_not_there(name: str, text: str) -> None:
    """Each link and picture leads to a file of this repository or out of it."""
    folder = ROOT if name == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (folder / target).exists(), target


def test_the_map_is_the_code() -> None:
    """The tree in the README names every package there is, and nothing else but tests, bench and docs."""
    tree = README.split("<!-- tree -->")[1].split("```")[1]
    named = {line.split()[0] for line in tree.strip().splitlines()}
    roots = ("schemas", "framework", "plugins", "hosts")
    packages = {str(p.parent.relative_to(ROOT)) for root in roots for p in (ROOT / root).rglob("__init__.py")}
    assert named == packages | {"tests", "bench", "docs"}


def test_the_plugin_of_the_readme_runs(plugin_harness: PluginHarness, tmp_plugin: TmpPlugin, samples: Path) -> None:
    """The plugin in the README is short, passes the check, finds the black clip, and leaves the others alone."""
    manifest = next(block for block in blocks(README, "toml") if "kind =" in block)
    code = next(block for block in blocks(README, "python") if "hookimpl" in block)
    assert len([line for line in (manifest + code).splitlines() if line.strip()]) <= 25
    found = tmp_plugin("black", code, manifest)
    assert found.error == ""
    from callboard.discovery import check

    assert check(found) == []
    (tags,) = plugin_harness.run("black", samples / "one_frame.mp4", parameters={"level": 60.0})
    assert isinstance(tags, Tags)
    assert [tag.label for tag in tags.items] == ["black frames"]
    assert plugin_harness.run("black", samples / "silent_pan.mp4") == []


def test_every_attribute_and_role_of_the_bus_is_described() -> None:
    """The bus page names each attribute of an envelope, and each role with every subject that it may publish."""
    cells = rows(DOCS["bus.md"])
    attributes = {name for row in cells for name in re.findall(r"`([a-z]+)`", row[0])}
    assert set(Envelope.__struct_fields__) - {"data"} <= attributes
    for name, role in ROLES.items():
        row = next(row for row in cells if row[0] == f"`{name}`")
        told = set(re.findall(r"`(cb\.[^`]+)`", row[1]))
        if name != "board":
            assert told == {subject for subject in role.publish if subject.startswith("cb.")}


ANSWER = """
    from callboard import hookimpl, Captions, Cue

    @hookimpl
    def callboard_handle(event, asset, context):
        cue = Cue(id=1, start=0.0, end=1.0, lines=(context.path.read_text(),), confidence=0.9)
        return Captions(language="en", cues=(cue,), confidence=0.9)
"""


def test_the_script_of_the_bridge_page_is_the_one_that_is_tested() -> None:
    """The page on the bridge shows the example that the bridge's own tests run."""
    example = (ROOT / "hosts" / "callboard_bridge" / "example.py").read_text("utf-8")
    assert blocks(DOCS["bridge.md"], "python")[0] == example.partition('"""\n')[2].lstrip("\n")


@pytest.mark.broker
def test_the_tool_of_the_bus_page_runs(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """The example program, with no rights but those of the ``cli`` key, has a clip captioned and hears the answer."""
    tmp_plugin("answer", ANSWER, events=["captions.requested"], results=["captions"])
    (tmp_path / "footage").mkdir()
    off = "".join(f"[plugins.{name}]\nenabled = false\n" for name in ("caption", "autotag"))
    (tmp_path / "callboard.toml").write_text(f'allow_plugins = ["answer"]\n[[watch]]\npath = "footage"\n{off}')
    (tmp_path / "footage" / "clip.mp4").write_text("hello")
    (tmp_path / "tool.py").write_text(blocks(DOCS["bus.md"], "python")[-1])
    board = subprocess.Popen(
        [sys.executable, "-m", "callboard", "up"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert board.stdout is not None
        assert any("Ready in" in line for line in board.stdout)
        command = [sys.executable, "tool.py", "footage/clip.mp4"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["cues"][0]["lines"] == ["hello"]
    finally:
        board.send_signal(signal.SIGINT)
        board.communicate(timeout=60)


def test_the_picture_is_a_picture() -> None:
    """The recording in the README is an SVG that shows the command and what came of it."""
    picture = (ROOT / "docs" / "demo.svg").read_text("utf-8").replace("&#160;", " ")
    assert picture.startswith("<svg")
    for words in ("callboard demo", "What was made", "sidecars written beside the media"):
        assert words in picture


def test_the_examples_of_placeholders_are_read(tmp_path: Path) -> None:
    """The shot list and the rules that the guide shows mean what it says of them."""
    from callboard.coverage.shotlist import read_list
    from callboard.timedtext.rate import Rate
    from callboard_placeholder.guard.rules import rules_of

    shots, rules = (text for text in blocks(DOCS["placeholders.md"], "toml") if "[[" in text)
    (tmp_path / "shots.toml").write_text(shots)
    (shot,) = read_list(tmp_path / "shots.toml", Rate(24)).shots
    assert (shot.name, shot.frames, shot.brief.shot_size) == ("SH020", 96, "medium close-up")
    assert [(line.speaker, line.text) for line in shot.brief.dialogue] == [("MARA", "Wait for me!")]
    (tmp_path / "guard.toml").write_text(rules)
    given: Parameters = {"guard": str(tmp_path / "guard.toml"), "banned_terms": [], "banned_subjects": []}
    assert len(rules_of(given)) == 2
