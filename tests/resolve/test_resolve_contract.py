"""Our table of Resolve's calls, held against a list of them that others wrote."""

from __future__ import annotations

import ast
import re
from datetime import date
from importlib.metadata import files
from pathlib import Path

import callboard_resolve
import pytest
from callboard_resolve.contract import contract
from callboard_resolve.rehearsal.stage import Terms, snake

NEWER_THAN_THE_STUBS = {"Timeline.GetSelectedClips"}
CALL = re.compile(r"\.([A-Z][A-Za-z]+)\(")
LUA_CALL = re.compile(r":([A-Z][A-Za-z]+)\(")


@pytest.fixture(scope="module")
def stubs() -> dict[str, set[int]]:
    """Read ``fusionscript-stubs``: by class and method, the numbers of arguments that it may take."""
    [path] = [one.locate() for one in files("fusionscript-stubs") or () if one.name == "fusionscript.pyi"]
    found: dict[str, set[int]] = {}
    for node in ast.parse(Path(str(path)).read_text("utf-8")).body:
        for one in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(one, ast.FunctionDef) and isinstance(node, ast.ClassDef):
                most = len(one.args.args) - 1
                least = most - len(one.args.defaults)
                # the stubs say Optional where an argument may be left out
                optional = sum("Optional" in ast.unparse(arg.annotation) for arg in one.args.args if arg.annotation)
                counts = range(max(0, least - optional), most + 1 + bool(one.args.vararg))
                found.setdefault(f"{node.name}.{one.name}", set()).update(counts)
    return found


def test_others_know_the_same_calls(stubs: dict[str, set[int]]) -> None:
    """Each call of our table is in the stubs, and takes a number of arguments that both allow."""
    assert len(stubs) > 300
    for kind, methods in contract().objects.items():
        for name, method in methods.items():
            full = f"{kind}.{name}"
            if full not in NEWER_THAN_THE_STUBS:
                assert stubs[full] & set(range(method.least, method.most + 1)), full


def test_nothing_outside_of_the_table_is_called() -> None:
    """What runs in Resolve names no method that the table does not have, and none that only Studio has."""
    top = Path(callboard_resolve.__file__).parent
    table = {name: method for methods in contract().objects.values() for name, method in methods.items()}
    text = "".join(path.read_text("utf-8") for path in (top / "inside").glob("*.py"))
    lua = (top / "scripts" / "adapter.lua").read_text("utf-8") + (top / "scripts" / "serve.lua").read_text("utf-8")
    our_classes = set(re.findall(r"^class (\w+)", text, re.MULTILINE))
    called = set(CALL.findall(text)) - our_classes | set(LUA_CALL.findall(lua))
    assert called - table.keys() == set()
    assert [name for name in called if table[name].studio] == []
    assert len(called) > 40


def test_the_stand_in_plays_every_call() -> None:
    """Each method of the table has a part in the stand-in."""
    from callboard_resolve.rehearsal import house, media, reel

    acts = (house.House, house.ProjectManager, house.Project, media.MediaPool, media.Folder, media.MediaPoolItem)
    kinds = {act.kind: act for act in (*acts, reel.Timeline, reel.TimelineItem)}
    assert kinds.keys() == contract().objects.keys()
    for kind, methods in contract().objects.items():
        assert [name for name in methods if not callable(getattr(kinds[kind], snake(name), None))] == []


def test_every_call_and_trap_says_how_we_know() -> None:
    """Each line has a date between the oldest README and the newest, and each trap says who met it."""
    for methods in contract().objects.values():
        for method in methods.values():
            assert date(2024, 10, 28) <= method.since <= date(2026, 7, 24)
            assert method.evidence in ("R", "M", "U")
    assert all(trap.tag in ("R", "M", "U") and trap.by and trap.says for trap in contract().traps)
    assert Terms().studio
