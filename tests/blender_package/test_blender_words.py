"""What the panel says and shows, worked out from what the board and the bridge say; no Blender needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from callboard_blender.addon import gaps, inbox, telling, whereabouts, words
from callboard_blender.addon.gaps import Hole
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("told", "headline", "advice"),
    [
        (("online", "", 0, "/show/film/"), "Connected to film", ""),
        (("connecting", "", 0, "C:\\show\\film"), "Connecting to film …", ""),
        (("unset",), "No project yet", "Name your Callboard project's folder in the preferences."),
        (("closed", "Not now."), "Blender may not go online", "Not now."),
        (
            ("offline", "Gone.", 2, "/film"),
            "Not connected to film",
            "Gone. If it is not running: 'callboard up' in the project's folder. 2 messages will be sent then.",
        ),
        (("offline", "start it with 'callboard up' there"), "Not connected", "start it with 'callboard up' there."),
    ],
)
def test_each_state_says_what_to_do_next(told: tuple[Any, ...], headline: str, advice: str) -> None:
    """Connected needs no advice; every other state has one."""
    assert words.status(*told)[1:] == (headline, advice)


def test_a_receipt_in_words() -> None:
    """What landed, how much of it and where; and what did not, and why."""
    command = {"verb": "subtitles.write", "use": {"name": "", "path": "/footage/a.mov"}}
    answer = {"state": "partial", "landed": ["a", "b"], "missing": ["cue 3: outside"], "note": "cut"}
    assert words.receipt(command, answer) == (
        "ERROR",
        "Partly in place: captions (2), a.mov",
        ["cut", "cue 3: outside"],
    )
    assert words.receipt({"verb": "clear"}, {"state": "applied"}) == ("CHECKMARK", "Taken away", [])
    assert words.receipt({"verb": "clear"}, {"state": "failed"})[1] == "Did not work: taking it away"


@given(st.text(), st.integers(1, 40))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    """No line is longer than it may be, and all letters are there in order."""
    lines = words.wrapped(text, width)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0:00.0"), (59.96, "1:00.0"), (75.25, "1:15.2"), (3601.0, "1:00:01.0"), (-3.0, "0:00.0")],
)
def test_times(seconds: float, said: str) -> None:
    """Tenths are enough to find a cue; hours only where there are any."""
    assert words.clock(seconds) == said


@pytest.mark.parametrize(
    ("frame", "hole"),
    [(5, None), (10, Hole(10, 20)), (19, Hole(10, 20)), (20, None), (30, Hole(30, 101)), (0, None), (101, None)],
)
def test_the_gap_at_the_playhead(frame: int, hole: Hole | None) -> None:
    """A gap reaches from one strip to the next, and no further than the scene."""
    assert gaps.at(frame, [(20, 30), (1, 10), (-5, 4)], 1, 100) == hole


def test_the_installer_the_preferences_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the project before the preferences do, and those before what the installer wrote."""
    monkeypatch.delenv(whereabouts.ENVIRONMENT, raising=False)
    assert whereabouts.project("", str(tmp_path)) == ""
    (tmp_path / whereabouts.FILE_NAME).write_text('{"project": "/by/installer"}')
    assert whereabouts.project("", str(tmp_path)) == "/by/installer"
    assert whereabouts.project("/by/person/", str(tmp_path)) == "/by/person"
    monkeypatch.setenv(whereabouts.ENVIRONMENT, "/by/environment")
    assert whereabouts.project("/by/person", str(tmp_path)) == "/by/environment"
    (tmp_path / whereabouts.FILE_NAME).write_text('["nonsense"]')
    monkeypatch.delenv(whereabouts.ENVIRONMENT)
    assert whereabouts.project("", str(tmp_path)) == ""


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("nats://127.0.0.1:4222", True),
        ("nats://localhost:1,tls://[::1]:2", True),
        ("127.3.2.1:4222", True),
        ("nats://board.studio.example:4222", False),
        ("nats://127.0.0.1:1,nats://10.0.0.7:2", False),
        ("nats://127.0.0.1.example.com:1", False),
        ("nats://[::1", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    """Loopback is not online, whatever is behind a name is; every server of a list counts."""
    assert whereabouts.on_this_machine(url) is here


class Board:
    """Answers like the board, one question after the other, when it is told to."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._waiting: list[Callable[[], None]] = []

    def ask(self, verb: str, data: dict[str, Any], then: inbox.Then, timeout: float = 5.0) -> None:
        """Take a question."""
        self.asked.append((verb, data))
        self._waiting.append(lambda: then(*self.answers[verb](data)))

    def answer_first(self, count: int) -> None:
        """Answer the first so many alone."""
        for _ in range(count):
            self._waiting.pop(0)()

    def answer(self) -> None:
        """Answer all, those that the answers cause too."""
        while self._waiting:
            self._waiting.pop(0)()


def items(*names: str) -> list[dict[str, Any]]:
    """Make what the board says of tags that wait."""
    return [{"id": name, "result": "tags", "state": "proposed", "name": name, "confidence": 0.5} for name in names]


def test_the_inbox_has_all_pages_and_gives_back_what_was_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages are fetched; a decided row is gone at once, and comes back where the board did not follow."""
    now = [100.0]
    monkeypatch.setattr(inbox, "time", SimpleNamespace(monotonic=lambda: now[0]))
    found = {"": (items("a", "b"), "b"), "b": (items("c"), "")}
    board = Board(inbox=lambda data: ({"items": found[data["after"]][0], "after": found[data["after"]][1]}, ""))
    drawn: list[int] = []
    box = inbox.Inbox(board.ask, lambda: drawn.append(1))
    box.refresh("h", "p", True)
    board.answer()
    assert [row.id for row in box.rows] == ["a", "b", "c"]
    assert box.rows[0].line == "Tags · 50 %"
    box.decide("b")
    box.refresh("h", "p", True)
    board.answer()
    assert [row.id for row in box.rows] == ["a", "c"]
    now[0] += 60.0
    box.refresh("h", "p", True)
    board.answer()
    assert [row.id for row in box.rows] == ["a", "b", "c"]
    assert box.refused == {"b"}


def test_a_picture_that_did_not_come_is_asked_for_when_the_board_is_back() -> None:
    """A picture is asked for once; one whose answer was lost with the connection is asked for on the next."""
    board = Board(thumbnail=lambda data: (None, "the connection was lost before the answer"))
    told = telling.Telling(board.ask, lambda: None)
    rows = [inbox.row({"id": "a", "digest": "sha256:a"})]
    for _ in range(2):
        told.ask_picture(rows)
        board.answer()
    assert len(board.asked) == 1
    board.answers["thumbnail"] = lambda data: ({"jpeg": "/9g="}, "")
    for _ in range(2):
        told.again()
        told.ask_picture(rows)
        board.answer()
    assert (len(board.asked), list(told.pictures)) == (2, [("sha256:a", b"\xff\xd8")])


def test_an_answer_for_the_project_before_is_none_for_this_one() -> None:
    """What comes after another file was opened is not shown there, neither the rows nor what is known of media."""
    board = Board(
        inbox=lambda data: ({"items": items(f"of {data['project']}"), "after": ""}, ""),
        uses=lambda data: ({"known": {data["project"]: "sha256:x"}}, ""),
    )
    box, told = inbox.Inbox(board.ask, lambda: None), telling.Telling(board.ask, lambda: None)
    for project in ("p", "q"):
        box.forget()
        told.forget()
        box.refresh("h", project, True)
        told.tell("h", project, [{"ref": project, "path": "/footage/a.mov"}])
    board.answer_first(2)
    assert (box.rows, told.known) == ([], {})
    board.answer()
    assert ([row.id for row in box.rows], told.known) == (["of q"], {"q": "sha256:x"})


def test_a_board_that_does_not_answer_leaves_the_inbox_as_it_is() -> None:
    """A question that failed is asked again, and what was known stays on the screen."""
    board = Board(inbox=lambda data: ({"items": items("a"), "after": ""}, ""))
    box = inbox.Inbox(board.ask, lambda: None)
    box.refresh("h", "p", True)
    board.answer()
    board.answers["inbox"] = lambda data: (None, "Callboard did not answer")
    box.refresh("h", "p", True)
    board.answer()
    assert [row.id for row in box.rows] == ["a"]
    box.refresh("h", "p", True)
    assert len(board.asked) == 3


def test_pages_of_the_panel_stop_at_both_ends() -> None:
    """Turning goes no further than there are rows, and a shorter inbox shows its last page."""
    board = Board(inbox=lambda data: ({"items": items(*"abcdefgh"), "after": ""}, ""))
    box = inbox.Inbox(board.ask, lambda: None)
    box.refresh("h", "p", True)
    board.answer()
    box.turn(5)
    assert (box.page_number, box.pages, [row.id for row in box.page()]) == (1, 2, ["f", "g", "h"])
    board.answers["inbox"] = lambda data: ({"items": items("a"), "after": ""}, "")
    box.refresh("h", "p", True)
    board.answer()
    assert (box.page_number, [row.id for row in box.page()]) == (0, ["a"])


def test_a_proposal_in_parts_shows_what_is_in_doubt_first() -> None:
    """Its text comes in parts that cut anywhere; cues that must not ship unseen come first, then doubtful ones."""
    cues = [
        {"id": 1, "start": 1.0, "lines": ["well", "then"]},
        {"id": 2, "start": 2.0, "lines": ["ähm"], "flags": ["somewhat unsure"]},
        {"id": 3, "start": 3.0, "lines": ["no"], "failed": ["hardly a voice here"], "flags": ["hardly a voice here"]},
    ]
    text = json.dumps({"body": {"result": "captions", "cues": cues}})
    halves = [text[:17], text[17:]]
    board = Board(proposal=lambda data: ({"part": data["part"], "parts": 2, "text": halves[data["part"]]}, ""))
    box = inbox.Inbox(board.ask, lambda: None)
    box.open("p1")
    assert box.loading
    board.answer()
    assert [(part.key, part.text, part.why, part.grave, part.at) for part in box.parts] == [
        ("3", "0:03.0  no", ("hardly a voice here",), True, 3.0),
        ("2", "0:02.0  ähm", ("somewhat unsure",), False, 2.0),
        ("1", "0:01.0  well then", (), False, 1.0),
    ]
    assert box.summary == "3 cues, 2 to look at"
    assert inbox.contents("{nonsense") == ([], "Callboard sent something that cannot be read.")


def test_what_the_project_uses_is_told_once_and_again_to_a_new_board() -> None:
    """The same uses are not told twice, but when the board came back they are; a refusal is tried again later."""
    board = Board(uses=lambda data: ({"known": {use["ref"]: "sha256:x" for use in data["uses"]}}, ""))
    told = telling.Telling(board.ask, lambda: None)
    uses = [{"ref": f"r{n}", "path": f"/footage/{n:04d}.mov"} for n in range(2000)]
    told.tell("h", "p", uses)
    board.answer()
    assert len(told.known) == 2000
    pages = [data for _, data in board.asked]
    assert [page["page"] for page in pages] == list(range(len(pages)))
    assert {page["pages"] for page in pages} == {len(pages)}
    assert max(len(json.dumps(page)) for page in pages) < 48 * 1024
    told.tell("h", "p", uses)
    assert len(board.asked) == len(pages)
    told.again()
    assert told.due()
    told.tell("h", "p", uses)
    assert len(board.asked) == 2 * len(pages)


def test_files_that_the_board_does_not_know_are_counted_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file counts once however often it is used, what has no file not at all; and the board is asked again."""
    now = [100.0]
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    board = Board(uses=lambda data: ({"known": {"a": "sha256:x", "b": "", "c": "", "d": ""}}, ""))
    told = telling.Telling(board.ask, lambda: None)
    paths = {"a": "/footage/a.mov", "b": "/desktop/b.mov", "c": "/desktop/b.mov", "d": ""}
    told.tell("h", "p", [{"ref": ref, "path": path} for ref, path in paths.items()])
    board.answer()
    assert told.strange == (1, 2)
    assert not told.due()
    now[0] += 21.0
    assert told.due()
    assert words.strange(1, 2).startswith("1 of 2 files in this project: not in Callboard's watched folders")
    assert words.strange(1, 1).startswith("1 file in this project")
    assert words.strange(0, 2) == ""


def test_somebody_who_never_rests_is_still_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project is read once it rests, and three seconds after its first change at the latest."""
    now = [100.0]
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    told = telling.Telling(Board().ask, lambda: None)
    told.dirty()
    assert not told.due()
    for _ in range(12):
        now[0] += 0.25
        told.dirty()
    assert told.due()


def test_a_project_that_is_slow_to_read_is_read_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading takes a twentieth of the time at most: after 200 ms of it, four seconds of rest."""
    now = [100.0]
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    told = telling.Telling(Board(uses=lambda data: ({}, "")).ask, lambda: None)

    def slow() -> list[dict[str, Any]]:
        now[0] += 0.2
        return []

    told.tell("h", "p", told.read(slow))
    told.dirty()
    now[0] += 3.9
    assert not told.due()
    now[0] += 0.2
    assert told.due()
