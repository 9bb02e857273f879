"""What a host will do: a fixed list of verbs, and paths inside the roots, whoever asks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from callboard_bridge import Bridge
from callboard_bridge.guard import VERBS, Guard
from callboard_schemas import hosts
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with footage that is watched, a project beside it, links, and things nobody may touch."""
    for name in ("footage/day 1", "footage-old", "film/sub", "film/.callboard/keys", "private"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "private" / "secret").write_text("x")
    (tmp_path / "footage" / "out").symlink_to(tmp_path / "private")
    (tmp_path / "footage" / "loop").symlink_to(tmp_path / "footage" / "loop")
    (tmp_path / "way-in").symlink_to(tmp_path / "footage")
    return tmp_path


ALLOWED = [
    *("footage", "footage/day 1/a.mov", "footage/not/yet/there.png", "footage/./day 1/../b", "footage/é"),
    *("way-in/day 1/a.mov", "film/a.blend", "film/sub/new.srt"),
]
FORBIDDEN = [
    *("", "private/secret", "footage-old/a", "footage/../private/secret", "footage/out/secret", "footage/out"),
    *("film/.callboard/keys/host.nk", "film/.Callboard/keys/host.nk", "film/../private/x", "film/sub/../../private"),
    "footage/" + "a/" * 200,
]


def guard(place: Path) -> Guard:
    """Give a guard with one root and an open project."""
    made = Guard([str(place / "footage")])
    made.enter(str(place / "film" / "scene.blend"))
    return made


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_inside_is_allowed(place: Path, name: str) -> None:
    """Paths inside a root or the project's folder are allowed, there or not, spelled through a link or not."""
    assert guard(place).allowed(os.path.join(place, name))


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_outside_is_not(place: Path, name: str) -> None:
    """Paths that end outside, whatever they begin with, are not allowed."""
    assert not guard(place).allowed(f"{place}/{name}")


@pytest.mark.parametrize(
    "path", ["", "a.mov", "./footage", "~/x", "file:///etc/passwd", "\0", "/etc/\0", None, 7, ["/x"], b"/x"]
)
def test_what_is_no_absolute_path_is_not(place: Path, path: Any) -> None:
    """Relative paths, urls and what is no text are not allowed, and raise nothing."""
    assert not guard(place).allowed(path)


def test_another_machine_is_not_even_looked_at() -> None:
    """A path on another machine is allowed below a root there, and nowhere else."""
    assert not Guard(["/"]).allowed("//server/share/x") or os.name == "posix"
    assert not Guard(["/footage"]).allowed("//server/share/x")


def test_no_roots_no_paths(tmp_path: Path) -> None:
    """Without roots and project nothing is allowed; a project at the top of the disk opens nothing."""
    bare = Guard(["relative", ""])
    assert not bare.allowed(str(tmp_path))
    bare.enter("/scene.blend")
    assert not bare.allowed("/etc/passwd")
    bare.enter("Untitled")
    assert not bare.allowed(str(tmp_path))


def test_a_bridge_takes_the_roots_it_is_given(place: Path) -> None:
    """``allowed`` of a bridge knows its roots, and the folder of the project that is presented."""
    bridge = Bridge("nats://127.0.0.1:1", "Test", "1", roots=[str(place / "footage")])
    assert bridge.allowed(str(place / "footage" / "a"))
    assert not bridge.allowed(str(place / "film" / "a"))
    bridge.present(str(place / "film" / "scene.blend"))
    assert bridge.allowed(str(place / "film" / "a"))
    bridge.present("")
    assert not bridge.allowed(str(place / "film" / "a"))
    bridge.close()


def test_the_verbs_are_the_contracts() -> None:
    """The list that a host holds to is the one that the schemas give."""
    assert VERBS == hosts.VERBS


COMMAND = {"id": "c", "host": "h", "verb": "tags.write", "proposal": "p"}


@given(st.text() | st.none() | st.integers())
def test_no_other_verb_is_done(verb: Any) -> None:
    """Whatever verb is asked for, only those of the list that the application offers are done."""
    objection = Guard().objection({**COMMAND, "verb": verb}, "h", VERBS, 0.0)
    assert (objection == "") is (verb in VERBS)
    assert Guard().objection({**COMMAND, "verb": verb}, "h", (), 0.0) != ""


@pytest.mark.parametrize("where", ["file", "use", "argument", "deep argument", "key"])
@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "~root/x", "file:///etc/passwd", "C:\\x", "\\\\server\\x"])
def test_every_path_of_a_command_is_looked_at(where: str, path: str) -> None:
    """A path outside is found wherever it is named."""
    cases: dict[str, dict[str, Any]] = {
        "file": {"content": {"file": path}},
        "use": {"use": {"ref": "s", "path": path}},
        "argument": {"arguments": {"to": path}},
        "deep argument": {"arguments": {"a": [{"b": [path]}]}},
        "key": {"arguments": {path: 1}},
    }
    assert "outside" in Guard(["/footage"]).objection({**COMMAND, **cases[where]}, "h", VERBS, 0.0)


def test_words_are_no_paths() -> None:
    """Captions, tags and numbers may look like anything."""
    content = {"tags": ["/etc", "../x"], "cues": [{"text": "C:\\ is full"}], "description": "see file:///x"}
    command = {**COMMAND, "content": content, "arguments": {"style": "bold", "size": 12, "lines": ["1. a", "e.g. b"]}}
    assert Guard().objection(command, "h", VERBS, 0.0) == ""


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["/etc/passwd", "tags.write", "../.."]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*hosts.Command.__struct_fields__, "other"])


@given(st.dictionaries(FIELDS, JSON | st.dictionaries(st.sampled_from(hosts.Content.__struct_fields__), JSON)))
def test_no_command_raises(fields: dict[str, Any]) -> None:
    """Whatever a command holds, the answer is a text; and what passes names no file outside."""
    command = {**COMMAND, **fields}
    objection = Guard().objection(command, "h", VERBS, 0.0)
    assert isinstance(objection, str)
    if not objection:
        assert not (command.get("content") or {}).get("file")
