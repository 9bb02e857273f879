"""The command line's words: help, versions, suggestions, errors, and one JSON document whatever happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callboard.cli import COMMANDS, main
from callboard.packs import find_packs, locate

HEAVY = ("click", "rich", "msgspec", "pluggy", "numpy", "onnxruntime", "torch", "av", "callboard_caption", "asyncio")


def callboard(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line in a process of its own, with no settings of this machine."""
    return subprocess.run(
        [sys.executable, "-m", "callboard", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "CALLBOARD_HOME": str(cwd / "home"), "COLUMNS": "100", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


Said = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command line in this process, for its start is not what is looked at; with no settings of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = main(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read stdout as exactly one JSON document."""
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_nothing(argument: str) -> None:
    """Help and version are answered before any library is imported."""
    code = (
        f"import sys; from callboard.cli import main; main([{argument!r}]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["plugins", "list"], ["models", "list"], ["run", "--help"]])
def test_listing_imports_no_plugin_and_no_engine(arguments: list[str], tmp_path: Path) -> None:
    """Commands that only look import no plugin and no model engine."""
    code = (
        "import sys; from callboard.cli import main; code = main(sys.argv[1:]); "
        "print([name for name in ('callboard_caption', 'callboard_autotag', 'numpy', 'onnxruntime', 'torch', 'av') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command(tmp_path: Path) -> None:
    """``--help`` lists each command, and each command's own help works and fits 100 columns."""
    shown = callboard("--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert all(f"\n  {name} " in shown.stdout for name in COMMANDS)
    assert max(map(len, shown.stdout.splitlines())) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, said: Said) -> None:
    """Every command answers ``--help``; all take ``--json`` but groups of commands and what only talks to a person."""
    shown = said(name, "--help")
    assert shown.returncode == 0, shown.stderr
    groups = ("captions", "exchange", "glossary", "placeholder", "timeline")
    assert ("--json" in shown.stdout) == (name not in ("up", "init", "demo", *groups))


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["rnu"], "'run'"),
        (["plugins", "lst"], "'list'"),
        (["run", "--acept", "all", "x"], "--accept"),
        (["plugins", "info", "capton"], "'caption'"),
        (["models", "verify", "silero-vda"], "'silero-vad'"),
    ],
)
def test_what_was_meant_is_suggested(arguments: list[str], meant: str, said: Said) -> None:
    """A wrong command, option or name is wrong usage, and the nearest right one is suggested."""
    done = said(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean" in done.stderr
    assert meant in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["rnu", "--json"],
        ["run", "--json"],
        ["run", "--json", "--bogus", "x"],
        ["run", "--json", "--accept", "al", "x"],
        ["accept", "--json"],
        ["accept", "--json", "0"],
        ["undo", "--json", "0"],
        ["dead", "show", "0", "--json"],
        ["schema", "--json"],
        ["plugins", "info", "0", "--json"],
        ["plan", "missing.json", "--json"],
    ],
)
def test_wrong_usage_is_one_json_document(arguments: list[str], said: Said) -> None:
    """With ``--json`` wrong usage, too, is one document on stdout, with exit code 2."""
    done = said(*arguments)
    assert done.returncode == 2
    told = document(done)
    assert set(told["error"]) == {"code", "message", "hint"}
    assert told["error"]["code"] == "usage"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["inbox"],
        ["dead"],
        ["dead", "list"],
        ["plugins"],
        ["plugins", "list"],
        ["plugins", "info", "caption"],
        ["models"],
        ["schema", "check"],
        ["licences"],
        ["explain", "nowhere.mp4"],
    ],
)
def test_looking_is_one_json_document(arguments: list[str], tmp_path: Path) -> None:
    """Every command that looks prints one document with ``--json``, makes nothing, and needs no project."""
    done = callboard(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert document(done)
    assert list(tmp_path.iterdir()) == []


def test_json_counts_wherever_it_stands(tmp_path: Path) -> None:
    """``callboard plugins --json list`` is ``callboard plugins list --json``."""
    assert document(callboard("plugins", "--json", "list", cwd=tmp_path))["plugins"]


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """A settings file that says what it must not is named with its key; the doctor lists it and goes on."""
    (tmp_path / "callboard.toml").write_text("[sidecars]\nsubtitles = ['docx']\n")
    done = callboard("status", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert document(done)["error"]["code"] == "config"
    assert "$.sidecars.subtitles" in done.stderr
    assert str(tmp_path / "callboard.toml") in done.stderr
    findings = document(callboard("doctor", "--json", cwd=tmp_path))["findings"]
    assert findings[0]["what"] == "settings"
    assert len(findings) > 5


def test_a_folder_that_cannot_be_used_is_an_error_not_a_fault(tmp_path: Path) -> None:
    """What the system refuses is said with its path, without a traceback."""
    (tmp_path / "clip.mp4").write_text("x")
    done = callboard("run", "clip.mp4", "--json", cwd=tmp_path, CALLBOARD_HOME="/dev/null/home")
    assert done.returncode == 1
    assert document(done)["error"]["code"] == "system"
    assert "/dev/null/home" in done.stderr


def test_a_newer_catalog_is_left_alone(tmp_path: Path) -> None:
    """A catalog of a newer version is refused with a hint, by looking and by working commands alike."""
    (tmp_path / "home" / "data").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "home" / "data" / "catalog.sqlite") as conn:
        conn.execute("PRAGMA user_version = 999")
    (tmp_path / "clip.mp4").write_text("x")
    for arguments in (["status"], ["run", "clip.mp4"]):
        done = callboard(*arguments, "--json", cwd=tmp_path)
        assert done.returncode == 1
        assert document(done)["error"]["code"] == "catalog"
        assert "pgrade" in done.stderr


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    """A second init changes nothing and says so."""
    assert callboard("init", "film", cwd=tmp_path).returncode == 0
    settings = tmp_path / "film" / "callboard.toml"
    settings.write_text(settings.read_text() + "# mine\n")
    before = settings.read_bytes()
    again = callboard("init", "film", cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert settings.read_bytes() == before
    assert (tmp_path / "film" / "footage").is_dir()


def test_the_doctor_says_what_is_missing(tmp_path: Path) -> None:
    """The doctor finds settings that name what is not there, and exits with 1."""
    (tmp_path / "callboard.toml").write_text(
        'allow_plugins = ["ghost"]\n[[watch]]\npath = "gone"\n[runtime]\nmodels = "packs"\n'
        '[plugins.caption.parameters]\nbeam = 3\n[broker]\nurl = "nats://studio:4222"\ncreds = "no.creds"\n'
    )
    done = callboard("doctor", "--json", cwd=tmp_path)
    told = document(done)
    problems = [(one["what"], one["found"]) for one in told["findings"] if one["level"] == "problem"]
    assert done.returncode == 1
    assert told["problems"] == len(problems)
    assert len([what for what, _ in problems if what != "disk"]) == 5  # how full it is, is this machine's
    for what, found in (
        ("settings", "ghost"),
        ("settings", str(tmp_path / "packs")),
        ("settings", str(tmp_path / "no.creds")),
        ("settings of caption", "beam"),
        ("watch folder footage", str(tmp_path / "gone")),
    ):
        assert any(one == what and found in said for one, said in problems), (what, problems)
    assert all(one["mend"] for one in told["findings"] if one["level"] == "problem")


def test_the_doctor_says_what_translates(tmp_path: Path) -> None:
    """Engines are listed, none of them is no problem, and a pair that is needed and that none can do is one."""
    (tmp_path / "callboard.toml").write_text("")
    told = document(callboard("doctor", "--json", cwd=tmp_path))["findings"]
    (one,) = [one for one in told if one["what"] == "translation"]
    assert one["level"] == "ok"
    assert re.fullmatch(r"Apertium \d[\d.]+, .*eng-spa.*; no neural pack", one["found"])
    asked = {"parameters": {"engine": "auto", "languages": ["es", "en", "ja"]}, "languages": ["en"]}
    for path, wanted in (
        (os.environ["PATH"], [("translation", "ok"), ("en to ja", "problem")]),
        ("", [("translation", "note"), ("en to es", "problem"), ("en to ja", "problem")]),
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "callboard_localize.engines.report"],
            input=json.dumps(asked),
            env={**os.environ, "PATH": path, "CALLBOARD_STORE": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        found = json.loads(done.stdout)
        assert [one["level"] for one in found] == [level for _, level in wanted]
        assert all(name in f"{one['what']}: {one['found']}" for one, (name, _) in zip(found, wanted, strict=True))
        assert all(one["mend"] for one in found if one["level"] != "ok")


def test_an_altered_model_is_noticed(tmp_path: Path) -> None:
    """``models verify`` reads every byte of a pack in a folder of the settings and says which file is not whole."""
    pack = find_packs()["silero-vad"]
    packs = tmp_path / "packs"
    packs.mkdir()
    text = Path(pack.origin).read_text("utf-8")
    source = text[text.index("[source]") : text.index("[[files]]")]
    (packs / "mine.toml").write_text(
        text.replace(source, '[source]\nkind = "file"\n\n').replace('name = "silero-vad"', 'name = "mine"', 1)
    )
    weights = packs / "silero_vad_v6.onnx"
    shutil.copyfile(locate(pack) / weights.name, weights)
    (tmp_path / "callboard.toml").write_text('[runtime]\nmodels = "packs"\n')
    assert document(callboard("models", "verify", "mine", "--json", cwd=tmp_path)) == {
        "verified": ["mine"],
        "problems": {},
    }
    with weights.open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00tampered")
    done = callboard("models", "verify", "mine", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "silero_vad_v6.onnx" in document(done)["problems"]["mine"]
